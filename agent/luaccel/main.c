/*
 * main.c - luaccel: asks a running agent, and tells it what to do. See luaccel.h.
 */
#include "luaccel.h"
#include "vaccel.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"Usage: luaccel [options] COMMAND\n"
	"Ask a running vaccelrt-agent, or tell it what to do.\n"
	"\n"
	"  info               version, backends, policies, addresses, limits and their use\n"
	"  sessions           who has a session, and where it runs\n"
	"  session ID         one of them\n"
	"  close ID           end a session; its connection stays\n"
	"  drain              no new sessions; leave when what runs has ended\n"
	"  reload             read settings and policies again, or say what is wrong with them\n"
	"  listen list        its addresses\n"
	"  listen add URI[,name=N,mode=0660,owner=UID:GID]\n"
	"  listen rm URI      no new connections there; those that came stay\n"
	"  policy check FILE...\n"
	"                     load scripts as an agent would, and say what is wrong with them\n"
	"  policy test FILE...\n"
	"                     run busted specs of scripts, on the simulator\n"
	"  policy explain FILE...\n"
	"                     what these scripts would do, and which line says so\n"
	"  policy record FILE\n"
	"                     write down what the agent's policies are asked and answer\n"
	"  policy replay FILE SCRIPT...\n"
	"                     where these scripts decide otherwise about what was recorded\n"
	"  policy reference   every word of policies, as Markdown\n"
	"  ping URI           whether an agent answers at the address that guests use, and how "
	"fast\n"
	"\n"
	"  --control URI      the agent's control socket (default: LUACCEL_CONTROL, else\n"
	"                     unix:///run/luaccel/control.sock, else\n"
	"                     unix://XDG_RUNTIME_DIR/luaccel/control.sock)\n"
	"  --json             for programs: info, sessions, session, listen list, listen add, "
	"ping,\n"
	"                     policy explain, policy record, policy replay\n"
	"  --count N          pings (default 5)\n"
	"  --backends NAME,...  policy check, explain: plugins that VACCEL_PLUGINS will have "
	"loaded\n"
	"  --session cid=42,hint=3\n"
	"                     policy explain: a caller; any number\n"
	"  --op image_classify,bytes_in=4096\n"
	"                     policy explain: what each caller does; any number\n"
	"  --down NAME,...    policy explain: backends that are down\n"
	"  --for SECONDS      policy record: not until it is interrupted\n"
	"  --show N           policy replay: so many differences, one by one (default 10)\n"
	"  --version, --help\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 nobody answers; of policy replay: 0 "
	"nothing\n"
	"differs, 1 something does, 2 wrong usage, or a file that is none.\n";

enum { ANY = -1 };

static const struct command {
	const char *name, *second; /* NULL: one word */
	int words;		   /* that it takes; ANY: one or more */
	int (*run)(const struct luaccel *luaccel, char **words);
} commands[] = {
	{ "info", NULL, 0, info_command },
	{ "sessions", NULL, 0, sessions_command },
	{ "session", NULL, 1, session_command },
	{ "close", NULL, 1, close_command },
	{ "drain", NULL, 0, drain_command },
	{ "reload", NULL, 0, reload_command },
	{ "listen", "list", 0, listen_list_command },
	{ "listen", "add", 1, listen_add_command },
	{ "listen", "rm", 1, listen_rm_command },
	{ "ping", NULL, 1, ping_command },
	{ "policy", "check", ANY, policy_check_command },
	{ "policy", "test", ANY, policy_test_command },
	{ "policy", "explain", ANY, policy_explain_command },
	{ "policy", "record", 1, policy_record_command },
	{ "policy", "replay", ANY, policy_replay_command },
	{ "policy", "reference", 0, policy_reference_command },
};

enum {
	OPT_CONTROL = 256,
	OPT_JSON,
	OPT_COUNT,
	OPT_BACKENDS,
	OPT_SESSION,
	OPT_OP,
	OPT_DOWN,
	OPT_FOR,
	OPT_SHOW,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "backends", required_argument, NULL, OPT_BACKENDS },
	{ "session", required_argument, NULL, OPT_SESSION },
	{ "op", required_argument, NULL, OPT_OP },
	{ "down", required_argument, NULL, OPT_DOWN },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int set_number(unsigned *to, const char *option, unsigned least, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number < least || number > 1000000)
		return say_error(STATUS_USAGE, "%s takes a number from %u to 1000000, not \"%s\"",
				 option, least, text);
	*to = (unsigned)number;
	return -1;
}

static int set_seconds(struct luaccel *luaccel, const char *text)
{
	char *end;

	luaccel->seconds = strtod(text, &end);
	if (end == text || *end || !(luaccel->seconds >= 0.1 && luaccel->seconds <= 1e7))
		return say_error(STATUS_USAGE, "--for takes seconds, from 0.1 to 1e7, not \"%s\"",
				 text);
	return -1;
}

static int add(const char **list, const char *option, const char *value)
{
	int i;

	for (i = 0; list[i]; i++)
		if (i + 1 == QUESTIONS_MAX)
			return say_error(STATUS_USAGE, "at most %d times %s", QUESTIONS_MAX,
					 option);
	list[i] = value;
	return -1;
}

static int take(struct luaccel *luaccel, int option, const char *value)
{
	switch (option) {
	case OPT_CONTROL:
		luaccel->control = value;
		return -1;
	case OPT_JSON:
		luaccel->json = true;
		return -1;
	case OPT_COUNT:
		return set_number(&luaccel->count, "--count", 1, value);
	case OPT_BACKENDS:
		luaccel->backends = value;
		return -1;
	case OPT_SESSION:
		return add(luaccel->sessions, "--session", value);
	case OPT_OP:
		return add(luaccel->ops, "--op", value);
	case OPT_DOWN:
		luaccel->down = value;
		return -1;
	case OPT_FOR:
		return set_seconds(luaccel, value);
	case OPT_SHOW:
		return set_number(&luaccel->show, "--show", 0, value);
	case OPT_VERSION:
		puts("luaccel " VACCEL_VERSION);
		return STATUS_DONE;
	case 'h':
		fputs(usage_text, stdout);
		return STATUS_DONE;
	}
	return STATUS_USAGE;
}

static const struct command *find(int count, char **words)
{
	const struct command *command;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		command = &commands[i];
		if (strcmp(words[0], command->name) != 0)
			continue;
		if (!command->second || (count > 1 && !strcmp(words[1], command->second)))
			return command;
	}
	return NULL;
}

static bool takes(const struct command *command, int words)
{
	return command->words == ANY ? words > 0 : words == command->words;
}

static const char *words_of(const struct command *command)
{
	if (command->words == ANY)
		return "one word more, or several";
	return command->words ? "one word more" : "no further words";
}

static int run(const struct luaccel *luaccel, int count, char **words)
{
	const struct command *command = count ? find(count, words) : NULL;
	int own;

	if (!command)
		return say_error(STATUS_USAGE, "%s; see luaccel --help",
				 count ? "there is no such command" : "no command is given");
	own = command->second ? 2 : 1;
	if (!takes(command, count - own))
		return say_error(STATUS_USAGE, "%s%s%s takes %s; see luaccel --help", words[0],
				 own == 2 ? " " : "", own == 2 ? words[1] : "", words_of(command));
	return command->run(luaccel, words + own);
}

int main(int argc, char **argv)
{
	struct luaccel luaccel = { .count = 5, .show = 10 };
	int option, ret = -1;

	while (ret < 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		ret = take(&luaccel, option, optarg);
	if (ret < 0)
		ret = run(&luaccel, argc - optind, argv + optind);
	/* A full disk, or a reader that left, is a failure too. */
	return fflush(stdout) && !ret ? STATUS_FAILED : ret;
}
