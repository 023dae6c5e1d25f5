/*
 * agent_options.c - the command line: what is taken, and what is refused with which status.
 */
#include "cmocka_all.h"
#include "listeners.h"
#include "options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GO_ON = -1, WORDS_MAX = 16 };

/* Parse a line of words; the status. What it writes to the terminal is not this test's subject. */
static int parse(struct options *options, const char *line)
{
	static char words[512];
	char *argv[WORDS_MAX + 2] = { (char *)"vaccelrt-agent" }, *word, *rest = words;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")) && argc < WORDS_MAX)
		if (*word)
			argv[argc++] = word;
	options_init(options);
	return options_parse(options, argc, argv);
}

static const struct {
	const char *line;
	int status;
} lines[] = {
	{ "", GO_ON },
	{ "-a unix:///tmp/x -a vsock://2:2048 -a tcp://127.0.0.1:1", GO_ON },
	{ "--server-address unix:///tmp/x,name=guests,mode=0660", GO_ON },
	{ "-a unix:///tmp/x,mode=999", EXIT_USAGE },
	{ "-a unix:///tmp/x,owner=0:0", GO_ON },
	{ "-a unix:///tmp/x,owner=root", EXIT_USAGE },
	{ "-a tcp://127.0.0.1:1,mode=0660", EXIT_USAGE },
	{ "-a vsock://2:1,owner=0:0", EXIT_USAGE },
	{ "-a unix:///tmp/x,shm=off", GO_ON },
	{ "-a unix://@x,shm=off,name=n", GO_ON },
	{ "-a unix:///tmp/x,shm=on", EXIT_USAGE },
	{ "-a vsock://2:1,shm=off", EXIT_USAGE },
	{ "--limit shm=off,shm-peer=1M,shm-total=1G", GO_ON },
	{ "--limit shm-peer=off", EXIT_USAGE },
	{ "-a unix:///tmp/x,colour=red", EXIT_USAGE },
	{ "-a http://127.0.0.1:1", EXIT_USAGE },
	{ "-a tcp://0.0.0.0:1", EXIT_USAGE },
	{ "-a tcp://0.0.0.0:1 --allow plaintext", GO_ON },
	{ "-a tcp://127.example.com:1", EXIT_USAGE },
	{ "-a tcp://[::1]:1", GO_ON },
	{ "--allow everything", EXIT_USAGE },
	{ "--allow exec,lib,url --allow path=/models,path=/ --allow plaintext", GO_ON },
	{ "--allow exec,everything", EXIT_USAGE },
	{ "--allow path=models", EXIT_USAGE },
	{ "--allow path=", EXIT_USAGE },
	{ "--allow ,", EXIT_USAGE },
	{ "--limit sessions=10,frame=4M", GO_ON },
	{ "--limit sessions=0", EXIT_USAGE },
	{ "--limit sessions=-1", EXIT_USAGE },
	{ "--limit sessions", EXIT_USAGE },
	{ "--limit frame=2G", EXIT_USAGE },
	{ "--limit nonsense=1", EXIT_USAGE },
	{ "--threads 0", EXIT_USAGE },
	{ "--threads four", EXIT_USAGE },
	{ "--threads 4", GO_ON },
	{ "--drain-timeout 1.5s", GO_ON },
	{ "--drain-timeout soon", EXIT_USAGE },
	{ "--drain-timeout nan", EXIT_USAGE },
	{ "--control unix:///tmp/c", GO_ON },
	{ "--control tcp://127.0.0.1:1", EXIT_USAGE },
	{ "--metrics tcp://127.0.0.1:9464", GO_ON },
	{ "--metrics unix:///tmp/m,mode=0660", GO_ON },
	{ "--metrics tcp://0.0.0.0:9464", EXIT_USAGE },
	{ "--metrics vsock://2:9464", EXIT_USAGE },
	{ "extra", EXIT_USAGE },
	{ "--no-such-option", EXIT_USAGE },
	{ "--version", EXIT_DONE },
	{ "--help", EXIT_DONE },
};

static void each_line_has_its_status(void **state)
{
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int status = parse(&options, lines[i].line);

		if (status != lines[i].status)
			fail_msg("\"%s\": %d, not %d", lines[i].line, status, lines[i].status);
		options_release(&options);
	}
}

static void values_arrive(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options,
			       "-a unix:///tmp/x,name=n,mode=0660,shm=off --script p.lua --limit "
			       "sessions=7,frame=4M --drain-timeout 250ms"),
			 GO_ON);
	assert_int_equal(options.listens.count, 1);
	assert_string_equal(options.listens.text[0], "unix:///tmp/x,name=n,mode=0660,shm=off");
	assert_string_equal(options.scripts.text[0], "p.lua");
	assert_int_equal(options.limits.account[ACCOUNT_CONNECTION][ACCOUNT_SESSIONS], 7);
	assert_int_equal(options.limits.frame, 4 << 20);
	assert_true(options.drain_timeout > 0.24 && options.drain_timeout < 0.26);
	options_release(&options);
}

static void without_an_address_it_is_the_originals(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, ""), GO_ON);
	assert_string_equal(options.listens.text[0], "tcp://127.0.0.1:65500");
	options_release(&options);
}

static void a_listeners_settings_arrive(void **state)
{
	struct listen_option listen;
	char err[256] = "";

	(void)state;
	assert_int_equal(
		listen_parse(&listen, "unix:///tmp/x,name=n,mode=0660,owner=7:8", err, sizeof(err)),
		0);
	assert_string_equal(listen.address.uri, "unix:///tmp/x");
	assert_string_equal(listen.name, "n");
	assert_int_equal(listen.options.mode, 0660);
	assert_true(listen.has_owner && listen.uid == 7 && listen.gid == 8);
	listen_release(&listen);
	assert_int_not_equal(listen_parse(&listen, "vsock://2:1,mode=0660", err, sizeof(err)), 0);
	assert_string_equal(err, "an address takes name=N, a unix one shm=off, and that of a "
				 "socket file mode=0660 (octal) and owner=UID:GID, not "
				 "\"mode=0660\"");
}

/* A file's settings come first, and each list of it goes when a flag names one. */
static void a_flag_wins(void **state)
{
	char *argv[] = { (char *)"vaccelrt-agent",
			 (char *)"-a",
			 (char *)"unix:///tmp/flag",
			 (char *)"--limit",
			 (char *)"sessions=3",
			 (char *)"--allow",
			 (char *)"url",
			 NULL };
	struct options options;

	(void)state;
	options_init(&options);
	assert_int_equal(options_set(&options, "server-address", "unix:///tmp/file"), GO_ON);
	assert_int_equal(options_set(&options, "script", "file.lua"), GO_ON);
	assert_int_equal(options_set(&options, "limit", "sessions=2"), GO_ON);
	assert_int_equal(options_set(&options, "limit", "resources=2"), GO_ON);
	assert_int_equal(options_set(&options, "allow", "exec"), GO_ON);
	options_preset(&options);
	assert_int_equal(options_parse(&options, 7, argv), GO_ON);
	assert_int_equal(options.listens.count, 1);
	assert_string_equal(options.listens.text[0], "unix:///tmp/flag");
	assert_string_equal(options.scripts.text[0], "file.lua");
	assert_int_equal(options.limits.account[ACCOUNT_CONNECTION][ACCOUNT_SESSIONS], 3);
	assert_int_equal(options.limits.account[ACCOUNT_CONNECTION][ACCOUNT_RESOURCES], 2);
	assert_true(options.allow.url && !options.allow.exec);
	options_release(&options);
}

static void the_control_socket_is_asked_for(void **state)
{
	struct options options;

	(void)state;
	unsetenv("LUACCEL_CONTROL");
	assert_int_equal(parse(&options, ""), GO_ON);
	assert_null(options.control);
	options_release(&options);
	setenv("LUACCEL_CONTROL", "unix:///tmp/c", 1);
	assert_int_equal(parse(&options, ""), GO_ON);
	assert_string_equal(options.control, "unix:///tmp/c");
	options_release(&options);
	assert_int_equal(parse(&options, "--control unix:///tmp/d"), GO_ON);
	assert_string_equal(options.control, "unix:///tmp/d");
	options_release(&options);
	unsetenv("LUACCEL_CONTROL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_has_its_status),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(without_an_address_it_is_the_originals),
		cmocka_unit_test(a_listeners_settings_arrive),
		cmocka_unit_test(a_flag_wins),
		cmocka_unit_test(the_control_socket_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
