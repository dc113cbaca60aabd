// SPDX-License-Identifier: GPL-3.0-or-later
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "../../userspace/handshake/verify.h"
#include "forge.h"
#include "tap.h"

#define FILES_MAX 40

struct signet_config *usual_client, *usual_server, *asking_server;

void judge_begin(void)
{
	tap_begin();
	certificates_begin();
	make_usual_certificates();
	usual_client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	usual_server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	asking_server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
}

int judge_end(void)
{
	signet_config_free(usual_client);
	signet_config_free(usual_server);
	signet_config_free(asking_server);
	return tap_end();
}

void check_refusal(const struct side *judge, const struct side *judged, const char *name,
		   unsigned int alert, const char *text)
{
	ok(judge->status == -EKEYREJECTED && judge->result.error == -EKEYREJECTED &&
		   strstr(judge->result.text, text),
	   "%s is refused: %s", name, judge->result.text);
	ok(judge->result.alert == alert && !judge->keys.size, "with alert %s, and without keys",
	   signet_alert_name(judge->result.alert & 0xff));
	if (judged)
		ok(judged->status == -EPROTO && judged->result.alert == alert &&
			   strstr(judged->result.text, signet_alert_name(alert & 0xff)),
		   "of which the other side knows: %s", judged->result.text);
}

static void check_server(struct signet_config *client, struct signet_config *server,
			 const char *label, const struct judgement *judgement)
{
	const char *name = judgement->name ? judgement->name : "db.internal";
	struct duo duo;

	handshake(&duo, client, server, name);
	if (judgement->text)
		check_refusal(&duo.client, &duo.server, label, judgement->alert, judgement->text);
	else
		ok(!duo.client.status && keys_agree(&duo.client.keys, &duo.server.keys),
		   "%s is taken for %s: %s", label, name, duo.client.result.text);
}

void judge_servers(const struct judgement *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct signet_config *server;

		make_certificate(&cases[i].recipe);
		server = new_config(SIGNET_ROLE_SERVER, NULL, cases[i].recipe.name);
		check_server(usual_client, server, cases[i].recipe.name, &cases[i]);
		signet_config_free(server);
	}
}

void judge_clients(const struct judgement *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct signet_config *client;
		struct duo duo;

		make_certificate(&cases[i].recipe);
		client = new_config(SIGNET_ROLE_CLIENT, "ca", cases[i].recipe.name);
		handshake(&duo, client, asking_server, "db.internal");
		if (cases[i].text)
			check_refusal(&duo.server, NULL, cases[i].recipe.name, cases[i].alert,
				      cases[i].text);
		else
			ok(!duo.server.status, "%s is taken: %s", cases[i].recipe.name,
			   duo.server.result.text);
		signet_config_free(client);
	}
}

void judge_authorities(const struct judgement *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = cases[i].recipe.name;
		struct signet_config *server;
		char leaf[64];

		make_certificate(&cases[i].recipe);
		snprintf(leaf, sizeof(leaf), "below-%s", name);
		make_certificate(&(struct recipe){ leaf, "/CN=x", name, NAMED });
		run_there("cat %s.pem >>%s.pem", name, leaf);
		server = new_config(SIGNET_ROLE_SERVER, NULL, leaf);
		check_server(usual_client, server, leaf, &cases[i]);
		signet_config_free(server);
	}
}

void make_certificates(const struct recipe *recipes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		make_certificate(&recipes[i]);
}

void judge_sendings(const struct sending *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sending *sending = &cases[i];
		struct judgement judgement = { .name = sending->name,
					       .alert = sending->alert,
					       .text = sending->text };
		struct signet_config *client = usual_client, *server;
		char sender[64];

		snprintf(sender, sizeof(sender), "sender-%zu", i);
		if (!run_there("set -- %s; cp $1.key %s.key; rm -f %s.pem; for i; do cat $i.pem "
			       ">>%s.pem; done",
			       sending->files, sender, sender, sender))
			bail("no chain of %s", sending->files);
		if (sending->trusted)
			client = new_config(SIGNET_ROLE_CLIENT, sending->trusted, NULL);
		server = new_config(SIGNET_ROLE_SERVER, NULL, sender);
		check_server(client, server, sending->label, &judgement);
		signet_config_free(server);
		if (sending->trusted)
			signet_config_free(client);
	}
}

static void trust_file(struct signet_trust *trust, const char *name)
{
	static unsigned char der[FORGE_MAX];
	size_t length = read_certificate(name, der, sizeof(der));

	if (signet_trust_add(trust, der, length, false))
		bail("%s is no anchor", name);
}

static void judge_one(const struct sending *sending)
{
	static unsigned char ders[FILES_MAX][FORGE_MAX];
	WOLFSSL_BUFFER_INFO sent[FILES_MAX];
	struct signet_trust trust = { 0 };
	struct signet_name name;
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_SERVER,
					.name = &name,
					.trust = &trust };
	char files[1024], *file, *rest = files;
	int count = 0, alert;

	snprintf(files, sizeof(files), "%s", sending->files);
	while ((file = strsep(&rest, " ")) && count < FILES_MAX) {
		sent[count].buffer = ders[count];
		sent[count].length = read_certificate(file, ders[count], sizeof(ders[count]));
		count++;
	}
	if (signet_name_parse(&name, sending->name ? sending->name : "db.internal"))
		bail("%s is no name", sending->name);
	trust_file(&trust, sending->trusted ? sending->trusted : "ca");
	alert = signet_verify_chain(NULL, sent, count, &verify);
	ok(alert == (int)(sending->alert & 0xff) && verify.accepted == !sending->text &&
		   strstr(verify.text, sending->text ? sending->text : ""),
	   "%s is %s, alert %s: %s", sending->label, alert ? "refused" : "taken",
	   alert ? signet_alert_name(alert) : "none", verify.text);
	signet_verify_end(&verify);
	signet_trust_clear(&trust);
}

void judge_directly(const struct sending *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		judge_one(&cases[i]);
}
