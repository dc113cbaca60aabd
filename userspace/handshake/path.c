// SPDX-License-Identifier: GPL-3.0-or-later
#include "path.h"

#include "constraint.h"
#include "directory.h"

/* More than any honest chain needs, and little enough for a hostile one. */
#define SIGNATURES_MAX 64
#define STEPS_MAX 1024
#define COMPARISONS_MAX 100000

enum link {
	LINK_UNTRIED,
	LINK_GOOD,
	LINK_BAD,
};

/**
 * struct search - the state of one search
 * @path:	the path so far
 * @links:	whether the first of two sent certificates is signed by the second
 * @signatures:	signatures that may still be checked
 * @steps:	issuers that may still be considered
 * @comparisons: names that may still be compared with constraints
 * @depth:	of the attempt that @path->fault is from
 */
struct search {
	struct signet_path *path;
	unsigned char links[SIGNET_PATH_SENT_MAX][SIGNET_PATH_SENT_MAX];
	unsigned int signatures;
	unsigned int steps;
	unsigned int comparisons;
	size_t depth;
};

/* The first fault of the attempt that got furthest is the one to tell. */
static bool refuse(struct search *search, size_t depth, const struct signet_certificate *culprit,
		   const struct signet_fault *fault)
{
	if (depth > search->depth) {
		search->depth = depth;
		search->path->culprit = culprit;
		search->path->fault = fault;
	}
	return false;
}

static bool exhausted(struct search *search)
{
	refuse(search, SIGNET_PATH_MAX + 1, search->path->certificates[0],
	       FAULT(ALERT_BAD_CERTIFICATE,
		     "comes with certificates that make too many paths to try"));
	return false;
}

/* RFC 5280 6.1.3 (a) (4); different key identifiers tell different keys of one name apart. */
static bool may_have_issued(const struct signet_certificate *issuer,
			    const struct signet_certificate *issued)
{
	if (issuer->subject_hash != issued->issuer_hash ||
	    !signet_directory_equal(issuer->subject, issued->issuer))
		return false;
	return !issuer->key_id.length || !issued->authority_id.length ||
	       signet_der_equal(issuer->key_id, issued->authority_id);
}

/* RFC 5280 6.1.4 (l) and (m): the leaf and self-issued certificates do not count. */
static bool is_too_long(const struct signet_path *path, const struct signet_certificate *issuer)
{
	int count = 0;

	if (issuer->path_length < 0)
		return false;
	for (size_t i = 1; i < path->length; i++)
		count += !signet_certificate_is_self_issued(path->certificates[i]);
	return count > issuer->path_length;
}

static const struct signet_fault *wrong_purpose(const struct signet_path *path)
{
	if (path->purpose == SIGNET_PURPOSE_SERVER)
		return FAULT(ALERT_UNSUPPORTED_CERTIFICATE, "is not for TLS servers");
	return FAULT(ALERT_UNSUPPORTED_CERTIFICATE, "is not for TLS clients");
}

/* RFC 5280 6.1.4 (k) to (n), and what a CA's extended key usage is taken to mean for its path. */
static const struct signet_fault *check_issuer(const struct signet_path *path,
					       const struct signet_certificate *issuer)
{
	const struct signet_fault *fault = issuer->fault;

	if (!fault && !issuer->is_authority)
		return FAULT(ALERT_UNKNOWN_CA, "is not a CA's, so an unknown authority");
	if (!fault)
		fault = signet_certificate_check_time(issuer, path->now);
	if (!fault && issuer->restricts_purpose &&
	    !(issuer->purposes & (path->purpose | SIGNET_PURPOSE_ANY)))
		fault = wrong_purpose(path);
	if (!fault && is_too_long(path, issuer))
		fault = FAULT(ALERT_BAD_CERTIFICATE,
			      "has more authorities below it than its path length allows");
	return fault;
}

/* The number of a certificate that was sent; an anchor's is none. */
static size_t number_of(const struct search *search, const struct signet_certificate *certificate)
{
	const struct signet_path *path = search->path;

	if (certificate >= path->sent && certificate < path->sent + path->sent_count)
		return certificate - path->sent;
	return SIGNET_PATH_SENT_MAX;
}

static bool is_signed(struct search *search, const struct signet_certificate *issued,
		      const struct signet_certificate *issuer)
{
	size_t from = number_of(search, issued), to = number_of(search, issuer);
	unsigned char *link = to < SIGNET_PATH_SENT_MAX ? &search->links[from][to] : NULL;
	bool good;

	if (link && *link != LINK_UNTRIED)
		return *link == LINK_GOOD;
	search->signatures--;
	good = signet_key_verify(&issuer->key, &issued->algorithm, issued->signed_part,
				 issued->signature);
	if (link)
		*link = good ? LINK_GOOD : LINK_BAD;
	return good;
}

/* Whether the path so far can go on with this issuer. */
static bool check_link(struct search *search, const struct signet_certificate *issuer)
{
	struct signet_path *path = search->path;
	const struct signet_certificate *issued = path->certificates[path->length - 1];
	const struct signet_fault *fault = check_issuer(path, issuer);

	if (fault)
		return refuse(search, path->length, issuer, fault);
	if (issued->signature_fault)
		return refuse(search, path->length, issued, issued->signature_fault);
	if (!search->signatures)
		return exhausted(search);
	if (!is_signed(search, issued, issuer))
		return refuse(search, path->length, issued,
			      FAULT(ALERT_BAD_CERTIFICATE, "has a wrong signature"));
	return true;
}

/* RFC 5280 6.1.3 (b) and (c): self-issued certificates are exempt, but for the last one. */
static bool check_constraints(struct search *search)
{
	struct signet_path *path = search->path;
	const struct signet_fault *fault;

	for (size_t above = 1; above < path->length; above++) {
		for (size_t i = 0; i < above; i++) {
			const struct signet_certificate *below = path->certificates[i];

			if (i && signet_certificate_is_self_issued(below))
				continue;
			fault = signet_constraint_check(path->certificates[above], below,
							&search->comparisons);
			if (fault)
				return refuse(search, path->length, below, fault);
		}
	}
	return true;
}

static bool end_at(struct search *search, const struct signet_anchor *anchor)
{
	struct signet_path *path = search->path;

	if (!check_link(search, &anchor->certificate))
		return false;
	path->certificates[path->length++] = &anchor->certificate;
	if (check_constraints(search)) {
		path->anchor = anchor;
		return true;
	}
	path->length--;
	return false;
}

/* RFC 4158 2.4.2: neither the same certificate twice nor the same name with the same key. */
static bool is_on_path(const struct signet_path *path, const struct signet_certificate *candidate)
{
	for (size_t i = 0; i < path->length; i++) {
		const struct signet_certificate *other = path->certificates[i];

		if (other == candidate ||
		    (other->subject_hash == candidate->subject_hash &&
		     signet_der_equal(other->key.value, candidate->key.value) &&
		     signet_directory_equal(other->subject, candidate->subject)))
			return true;
	}
	return false;
}

static bool extend(struct search *search);

static bool go_on_with(struct search *search, const struct signet_certificate *issuer)
{
	struct signet_path *path = search->path;

	if (!check_link(search, issuer))
		return false;
	/* The anchor needs its place. */
	if (path->length >= SIGNET_PATH_MAX - 1)
		return refuse(search, path->length, path->certificates[0],
			      FAULT(ALERT_BAD_CERTIFICATE, "comes with too long a chain"));
	path->certificates[path->length++] = issuer;
	if (extend(search))
		return true;
	path->length--;
	return false;
}

static const struct signet_fault *unknown_issuer(const struct signet_certificate *issued)
{
	if (signet_certificate_is_self_issued(issued))
		return FAULT(ALERT_UNKNOWN_CA, "is self-signed, by an unknown authority");
	return FAULT(ALERT_UNKNOWN_CA, "was issued by an unknown authority");
}

/* Anchors first: the shortest path is the best one. */
static bool extend(struct search *search)
{
	struct signet_path *path = search->path;
	const struct signet_certificate *issued = path->certificates[path->length - 1];
	const struct signet_fault *fault = signet_certificate_check_issued(issued);
	bool found = false;

	if (fault)
		return refuse(search, path->length, issued, fault);
	for (size_t i = 0; i < path->trust->count; i++) {
		if (!may_have_issued(&path->trust->anchors[i].certificate, issued))
			continue;
		found = true;
		if (end_at(search, &path->trust->anchors[i]))
			return true;
	}
	for (size_t i = 1; i < path->sent_count; i++) {
		const struct signet_certificate *candidate = &path->sent[i];

		if (!candidate->der.length || !may_have_issued(candidate, issued) ||
		    is_on_path(path, candidate))
			continue;
		if (!search->steps--)
			return exhausted(search);
		found = true;
		if (go_on_with(search, candidate))
			return true;
		if (search->depth > SIGNET_PATH_MAX)
			return false;
	}
	if (!found)
		refuse(search, path->length, issued, unknown_issuer(issued));
	return false;
}

bool signet_path_find(struct signet_path *path)
{
	struct search search = {
		.path = path,
		.signatures = SIGNATURES_MAX,
		.steps = STEPS_MAX,
		.comparisons = COMPARISONS_MAX,
	};

	path->certificates[path->length++] = &path->sent[0];
	return extend(&search);
}
