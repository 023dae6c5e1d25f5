/*
 * agent_options.c - the command line: what is taken, and what is refused with which status.
 */
#include "cmocka_all.h"
#include "options.h"
#include <getopt.h>
#include <stdio.h>
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
	optind = 0;
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
	{ "-a unix:///tmp/x,colour=red", EXIT_USAGE },
	{ "-a http://127.0.0.1:1", EXIT_USAGE },
	{ "-a tcp://0.0.0.0:1", EXIT_USAGE },
	{ "-a tcp://0.0.0.0:1 --allow plaintext", GO_ON },
	{ "-a tcp://127.example.com:1", EXIT_USAGE },
	{ "-a tcp://[::1]:1", GO_ON },
	{ "--allow everything", EXIT_USAGE },
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
	assert_int_equal(parse(&options, "-a unix:///tmp/x,name=n,mode=0660 --script p.lua --limit "
					 "sessions=7,frame=4M --drain-timeout 250ms"),
			 GO_ON);
	assert_int_equal(options.nr_listens, 1);
	assert_string_equal(options.listens[0].name, "n");
	assert_int_equal(options.listens[0].options.mode, 0660);
	assert_string_equal(options.scripts[0], "p.lua");
	assert_int_equal(options.limits.sessions, 7);
	assert_int_equal(options.limits.frame, 4 << 20);
	assert_true(options.drain_timeout > 0.24 && options.drain_timeout < 0.26);
	options_release(&options);
}

static void without_an_address_it_is_the_originals(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, ""), GO_ON);
	assert_string_equal(options.listens[0].address.uri, "tcp://127.0.0.1:65500");
	options_release(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_has_its_status),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(without_an_address_it_is_the_originals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
