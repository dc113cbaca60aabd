// SPDX-License-Identifier: GPL-3.0-or-later
/* What is wrong with a configuration is told with file and line, and what is right is understood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "certificates.h"
#include "profile.h"
#include "settings.h"
#include "signer.h"
#include "signing.h"
#include "tap.h"

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_certificates("%s", name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		bail("%s cannot be written", name);
}

/* Everything is looked at that --check looks at. */
static struct settings *read_all(struct complaints *complaints)
{
	struct settings *settings = settings_read(in_certificates("signetd.conf"), complaints);
	struct profiles *profiles;

	if (settings) {
		profiles = profiles_new(settings, &signing_signer, complaints);
		signer_check(settings, profiles, complaints);
		profiles_free(profiles);
	}
	return settings;
}

struct mistake {
	const char *what;
	const char *text;
	const char *told; /* behind "signetd.conf:" */
};

/* DIR stands for the directory of the certificates. */
static const struct mistake mistakes[] = {
	{ "a syntax error", "user = \"a\";\n= 5;", "2: syntax error" },
	{ "a setting that is unknown", "colour = \"red\";",
	  "1: colour is no setting of signetd.conf; they are: profiles, trust, default_client, " },
	{ "a setting twice", "user = \"a\";\n\nuser = \"b\";", "3: duplicate setting name" },
	{ "a text that is a number", "\nuser = 5;",
	  "2: user: a text in quotation marks is expected" },
	{ "an empty text", "user = \"\";", "1: user: a text in quotation marks is expected" },
	{ "a level that is none", "log_level = \"loud\";",
	  "1: log_level: \"error\", \"warning\", \"info\" or \"debug\" is expected" },
	{ "a number that is too large", "threads = 100000;",
	  "1: threads: a number from 0 to 256 is expected" },
	{ "a number that is negative", "limits: {\ntotal = -1; };",
	  "2: total: a number from 1 to 1000000 is expected" },
	{ "a number that is a text", "limits: { timeout = \"10\"; };",
	  "1: timeout: a number from 1 to 3600 is expected" },
	{ "a fraction", "limits: { timeout = 0.5; };",
	  "1: timeout: a number from 1 to 3600 is expected" },
	{ "an unknown limit", "limits: { per_day = 1; };",
	  "1: per_day is no setting of limits; they are: total, per_source, per_listener, "
	  "per_user, timeout" },
	{ "limits that are no group", "limits = 5;", "1: limits is expected: { ... }" },
	{ "profiles that are no group", "profiles = ();",
	  "1: profiles: a group is expected: { NAME: { ... }; ... }" },
	{ "a profile that is no group", "profiles: { a = 1; };",
	  "1: a profile is expected: { ... }" },
	{ "a profile without a role", "profiles: {\na: { ca = \"system\"; }; };",
	  "2: profile a: role = \"server\" or role = \"client\" is expected" },
	{ "a role that is none", "profiles: { a: { role = \"peer\"; }; };",
	  "1: role: \"server\" or \"client\" is expected" },
	{ "a server without certificates", "profiles: {\n\na: { role = \"server\"; }; };",
	  "3: profile a: a server needs certificates = " },
	{ "certificates that are no list",
	  "profiles: { a: { role = \"server\"; certificates = \"x\"; }; };",
	  "1: certificates: a list is expected: " },
	{ "a certificate without a key",
	  "profiles: { a: { role = \"server\"; certificates = (\n{ chain = \"DIR/server.pem\"; } "
	  "); }; };",
	  "2: a certificate needs chain and key" },
	{ "a path that is relative",
	  "profiles: { a: { role = \"server\"; certificates = ( { chain = \"server.pem\"; key = "
	  "\"DIR/server.key\"; } ); }; };",
	  "1: chain: an absolute path is expected, not \"server.pem\"" },
	{ "client_auth without a ca",
	  "profiles: { a: { role = \"server\"; certificates = ( { chain = \"DIR/server.pem\"; key "
	  "= \"DIR/server.key\"; } );\nclient_auth = \"required\"; }; };",
	  "2: profile a: client_auth needs a ca to verify clients with" },
	{ "client_auth that is none",
	  "profiles: { a: { role = \"server\"; client_auth = \"maybe\"; }; };",
	  "1: client_auth: \"none\", \"optional\" or \"required\" is expected" },
	{ "a client with client_auth",
	  "profiles: { a: { role = \"client\";\nclient_auth = \"required\"; }; };",
	  "2: profile a: client_auth is a server's setting" },
	{ "a client with two certificates",
	  "profiles: { a: { role = \"client\"; certificates = ( { chain = \"/a\"; key = \"/b\"; "
	  "},\n{ chain = \"/a\"; key = \"/b\"; } ); }; };",
	  "2: profile a: a client has one certificate at most" },
	{ "a flag that is a number", "profiles: { a: { role = \"client\"; resume = 1; }; };",
	  "1: resume: true or false is expected" },
	{ "a version that is none",
	  "profiles: { a: { role = \"client\"; min_version = \"1.1\"; }; };",
	  "1: min_version: \"1.3\" or \"1.2\" is expected" },
	{ "an authority that is unknown",
	  "profiles: { a: { role = \"client\";\nca = \"mine\"; }; };",
	  "2: ca: \"system\", an absolute path or the name of a trust set is expected, not "
	  "\"mine\"" },
	{ "a trust set that is unknown",
	  "profiles: { a: { role = \"client\";\ntrust = [ \"mine\" ]; }; };",
	  "2: trust: there is no trust set \"mine\"" },
	{ "a trust set that is no path", "trust: { mine = \"ca.pem\"; };",
	  "1: mine: \"system\" or an absolute path is expected, not \"ca.pem\"" },
	{ "an unknown user",
	  "profiles: { a: { role = \"client\";\nallow = { users = [ \"nobody-at-all\" ]; }; }; };",
	  "2: there is no user \"nobody-at-all\"" },
	{ "an unknown group",
	  "profiles: { a: { role = \"client\"; allow = { groups = [ \"no-group\" ]; }; }; };",
	  "1: there is no group \"no-group\"" },
	{ "a control group without slash",
	  "profiles: { a: { role = \"client\"; allow = { cgroups = [ \"x.service\" ]; }; }; };",
	  "1: cgroups: a path below /sys/fs/cgroup that starts with / is expected, not "
	  "\"x.service\"" },
	{ "allow that is neither", "profiles: { a: { role = \"client\"; allow = \"root\"; }; };",
	  "1: allow: \"everyone\" or { users = (...); groups = (...); cgroups = (...); } is "
	  "expected" },
	{ "a protocol with a comma",
	  "profiles: { a: { role = \"client\"; alpn = [ \"h2,http/1.1\" ]; }; };",
	  "1: alpn: a protocol without comma is expected, not \"h2,http/1.1\"" },
	{ "a group that is unknown",
	  "profiles: { a: { role = \"client\"; ca = \"DIR/ca.pem\";\ngroups = [ \"ffdhe2048\" ]; }; "
	  "};",
	  "2: \"ffdhe2048\": groups are X25519MLKEM768, " },
	{ "a suite that is unknown",
	  "profiles: { a: { role = \"client\"; ca = \"DIR/ca.pem\";\nsuites = [ \"RC4\" ]; }; };",
	  "2: \"RC4\": suites are named as by IANA" },
	{ "an authority's file that is missing",
	  "profiles: { a: { role = \"client\";\nca = \"/nonexistent\"; }; };",
	  "2: /nonexistent: No such file or directory" },
	{ "an authority's file without one",
	  "profiles: { a: { role = \"client\";\nca = \"DIR/signetd.conf\"; }; };",
	  "2: DIR/signetd.conf: no certificate (PEM) in it can be understood" },
	{ "a key that is another's",
	  "profiles: { a: { role = \"server\"; certificates = (\n{ chain = \"DIR/server.pem\"; key = "
	  "\"DIR/client.key\"; } ); }; };",
	  "2: DIR/client.key: this key is not the one of the certificate in DIR/server.pem" },
	{ "a key that is missing",
	  "profiles: { a: { role = \"server\"; certificates = ( { chain = \"DIR/server.pem\"; key = "
	  "\"/nonexistent\"; } ); }; };",
	  "1: /nonexistent: No such file or directory" },
	{ "a key that is none",
	  "profiles: { a: { role = \"server\"; certificates = ( { chain = \"DIR/server.pem\"; key = "
	  "\"DIR/ca.pem\"; } ); }; };",
	  "1: DIR/ca.pem: no private key (PEM, not encrypted) in it can be understood" },
	{ "root as the worker's user", "\nuser = \"root\";",
	  "2: user: \"root\" is root, whose powers the process is there to give up" },
	{ "root as the signer's user", "signer_user = \"root\";",
	  "1: signer_user: \"root\" is root, whose powers the process is there to give up" },
	{ "one user for both", "\nuser = \"daemon\";\nsigner_user = \"daemon\";",
	  "3: user \"daemon\" and signer_user \"daemon\" are the same: " },
	{ "the signer's default user as the worker's", "\n\nuser = \"signetd-signer\";",
	  "3: user \"signetd-signer\" and signer_user \"signetd-signer\" are the same: " },
	{ "a default that is unknown", "default_client = \"a\";", "1: there is no profile \"a\"" },
	{ "a default of the other role", "default_server = \"system\";",
	  "1: profile system is no server's" },
};

/* DIR's place in a text is taken by the directory's name. */
static const char *with_directory(const char *text)
{
	static char result[4][4096];
	static unsigned int next;
	char *to = result[next++ % 4], *start = to;
	const char *directory = in_certificates("."), *at;

	while ((at = strstr(text, "DIR/"))) {
		to += sprintf(to, "%.*s%.*s", (int)(at - text), text, (int)strlen(directory) - 1,
			      directory);
		text = at + strlen("DIR/");
	}
	strcpy(to, text);
	return start;
}

static void mistakes_are_told(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *mistake = &mistakes[i];
		struct complaints complaints = {};
		char told[4096];

		write_file("signetd.conf", with_directory(mistake->text));
		settings_free(read_all(&complaints));
		snprintf(told, sizeof(told), "%s:%s", in_certificates("signetd.conf"),
			 with_directory(mistake->told));
		if (!ok(complaints.count && !strncmp(complaints.lines[0], told, strlen(told)), "%s",
			mistake->what))
			note("%s instead of %s", complaints.count ? complaints.lines[0] : "nothing",
			     told);
		complaints_clear(&complaints);
	}
}

static void all_mistakes_are_told(void)
{
	struct complaints complaints = {};

	write_file("signetd.conf", "threads = -1;\nlog_level = 7;\nprofiles: {\na: { role = 1;\n"
				   "nonsense = 1; }; };\n");
	settings_free(read_all(&complaints));
	ok(complaints.count == 4, "%zu mistakes of 4 are told at once", complaints.count);
	complaints_clear(&complaints);
}

static void missing_files_are_told(void)
{
	struct complaints complaints = {};
	char told[4096];

	settings_free(settings_read(in_certificates("nothing.conf"), &complaints));
	snprintf(told, sizeof(told), "%s: cannot be read: No such file or directory",
		 in_certificates("nothing.conf"));
	ok(complaints.count == 1 && !strcmp(complaints.lines[0], told), "a file that is missing");
	complaints_clear(&complaints);
}

static void files_are_included(void)
{
	struct complaints complaints = {};
	struct settings *settings;
	char told[4096];

	mkdir(in_certificates("conf.d"), 0700);
	write_file("conf.d/a.conf",
		   "profiles: { included: { role = \"client\"; ca = \"mine\"; }; };");
	write_file("conf.d/b.conf", with_directory("trust: { mine = \"DIR/ca.pem\"; };"));
	write_file("conf.d/c.txt", "nonsense");
	write_file("signetd.conf", "include = \"conf.d/*.conf\"; default_client = \"included\";");
	settings = read_all(&complaints);
	ok(settings && !complaints.count && settings_profile(settings, "included"),
	   "files that a pattern names are included");
	settings_free(settings);
	complaints_clear(&complaints);

	write_file("signetd.conf", "include = \"conf.d/*.conf\";\n"
				   "profiles: { included: { role = \"client\"; }; };");
	settings_free(read_all(&complaints));
	snprintf(told, sizeof(told), "%s:1: profile included is also at %s:2",
		 in_certificates("conf.d/a.conf"), in_certificates("signetd.conf"));
	if (!ok(complaints.count == 1 && !strcmp(complaints.lines[0], told),
		"a profile in two files"))
		note("%s", complaints.count ? complaints.lines[0] : "nothing");
	complaints_clear(&complaints);

	write_file("signetd.conf", "include = \"conf.d/*.conf\";");
	write_file("conf.d/d.conf", "\nuser = \"me\";");
	settings_free(read_all(&complaints));
	snprintf(told, sizeof(told), "%s:2: user is no setting of an included file",
		 in_certificates("conf.d/d.conf"));
	ok(complaints.count == 1 && !strncmp(complaints.lines[0], told, strlen(told)),
	   "included files hold profiles and trust sets only");
	complaints_clear(&complaints);

	write_file("signetd.conf", "profiles: {\n@include \"profile.conf\"\n};");
	write_file("profile.conf", "other: {\nrole = 5; };");
	settings_free(read_all(&complaints));
	ok(complaints.count && strstr(complaints.lines[0], "profile.conf:2: role: "),
	   "a text that @include takes in is named as the place of its mistakes");
	complaints_clear(&complaints);
}

static void defaults_are_sound(void)
{
	struct complaints complaints = {};
	struct settings *settings;

	write_file("signetd.conf", "");
	settings = settings_read(in_certificates("signetd.conf"), &complaints);
	ok(settings && !complaints.count, "an empty configuration is one");
	if (!settings)
		bail("%s", complaints.lines[0]);
	ok(!strcmp(settings->default_client, "system") && !settings->default_server &&
		   settings_profile(settings, "system")->allowed.everyone,
	   "clients trust the system's authorities, and there is no server");
	ok(!strcmp(settings->user, "signetd") && !strcmp(settings->signer_user, "signetd-signer") &&
		   settings->log_level == LOG_INFO && settings->limits.timeout == 60,
	   "users, log level and limits have defaults");
	settings_free(settings);
}

static void everything_is_understood(void)
{
	const struct profile_settings *profile;
	struct complaints complaints = {};
	struct settings *settings;

	write_file(
		"signetd.conf",
		with_directory(
			"trust: { mine = \"DIR/ca.pem\"; };\n"
			"default_server = \"web\";\n"
			"limits: { total = 7; timeout = 9; };\n"
			"profiles: { web: { role = \"server\";\n"
			"  certificates = ( { chain = \"DIR/server.pem\"; key = \"DIR/server.key\"; } "
			");\n"
			"  strict_names = true; ca = \"mine\"; client_auth = \"optional\";\n"
			"  trust = \"mine\"; alpn = [ \"h2\", \"http/1.1\" ]; min_version = \"1.2\";\n"
			"  groups = [ \"x25519\" ]; suites = [ \"TLS_AES_256_GCM_SHA384\" ];\n"
			"  tickets = 1; ticket_lifetime = 60;\n"
			"  allow = { users = ( \"root\", 1000 ); groups = [ 7, 8 ]; cgroups = "
			"\"/a\"; };\n"
			"}; };\n"));
	settings = read_all(&complaints);
	if (!ok(settings && !complaints.count, "all settings together"))
		bail("%s", complaints.lines[0]);
	profile = settings_profile(settings, "web");
	ok(profile->strict_names && profile->client_auth == SIGNET_CLIENT_AUTH_OPTIONAL &&
		   profile->min_version == SIGNET_TLS_1_2 && profile->tickets == 1 &&
		   profile->ticket_lifetime == 60 && profile->alpn.count == 2 &&
		   !strcmp(profile->alpn.items[1], "http/1.1") && profile->trust.count == 1,
	   "a profile is what it says");
	ok(profile->allowed.user_count == 2 && profile->allowed.users[1] == 1000 &&
		   profile->allowed.group_count == 2 && profile->allowed.cgroups.count == 1,
	   "who may use it is, too");
	ok(settings->limits.total == 7 && settings->limits.timeout == 9, "so are limits");
	settings_free(settings);
}

/* Where scripts/check runs it. */
static void example_is_right(void)
{
	struct complaints complaints = {};
	struct settings *settings = settings_read("userspace/signetd/signetd.conf", &complaints);

	if (!ok(settings && !complaints.count, "the example is right"))
		note("%s", complaints.count ? complaints.lines[0] : "nothing");
	settings_free(settings);
	complaints_clear(&complaints);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_usual_certificates();
	mistakes_are_told();
	all_mistakes_are_told();
	missing_files_are_told();
	files_are_included();
	defaults_are_sound();
	everything_is_understood();
	example_is_right();
	return tap_end();
}
