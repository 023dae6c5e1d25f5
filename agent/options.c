/*
 * options.c - see options.h.
 */
#include "options.h"
#include "listeners.h"
#include "loop.h"
#include "vaccel.h"
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"Usage: vaccelrt-agent [options]\n"
	"Serve vAccel sessions of virtual machines, containers and other processes.\n"
	"\n"
	"  -a, --server-address URI[,name=N,mode=0660,owner=UID:GID,shm=off]\n"
	"                           listen there; may be given again. unix:///PATH, "
	"vsock://CID:PORT\n"
	"                           or tcp://HOST:PORT (default tcp://127.0.0.1:65500)\n"
	"      --script FILE        a policy in Lua; may be given again, asked in this order\n"
	"      --config FILE        agent { ... } in Lua: the same settings; a flag wins\n"
	"      --vaccel-config K=V,...  plugins, log_level, log_file, profiling_enabled, "
	"version_ignore\n"
	"                           (default: the environment, VACCEL_PLUGINS and so on)\n"
	"      --allow WHAT,...     what is refused otherwise; may be given again:\n"
	"                           exec (operations that call functions of libraries), lib (take\n"
	"                           libraries), url (download http and https), path=DIR (open\n"
	"                           files beneath DIR), plaintext (tcp beyond loopback)\n"
	"      --limit NAME=VALUE,...   connections, sessions, resources, frame, held, streams, "
	"...\n"
	"      --threads N          at most N operations at once (default 64)\n"
	"      --loops N            N threads receive and send, each for its connections (default "
	"1)\n"
	"      --drain-timeout SEC  how long SIGTERM waits for running operations (default 30s)\n"
	"      --control URI        a Unix socket for luaccel(1) (default: LUACCEL_CONTROL, else "
	"none)\n"
	"      --metrics URI        serve Prometheus there: unix, or tcp on loopback\n"
	"      --check              load everything, say so, and leave\n"
	"      --version, --help\n"
	"\n"
	"SIGHUP reads the file and the policies again; SIGTERM and SIGINT drain and leave, a "
	"second one leaves "
	"now.\n";

__attribute__((format(printf, 2, 3))) static int wrong(struct options *options, const char *format,
						       ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(options->why, sizeof(options->why), format, args);
	va_end(args);
	return EXIT_USAGE;
}

static int set_text(struct options *options, char **setting, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return wrong(options, "out of memory");
	free(*setting);
	*setting = copy;
	return -1;
}

static void clear(struct option_texts *texts)
{
	while (texts->count)
		free(texts->text[--texts->count]);
	texts->preset = false;
}

static int add_text(struct options *options, struct option_texts *texts, const char *value)
{
	if (texts->preset)
		clear(texts);
	if (texts->count == OPTIONS_TEXTS_MAX)
		return wrong(options, "more than %d times the same option", OPTIONS_TEXTS_MAX);
	texts->text[texts->count] = NULL;
	return set_text(options, &texts->text[texts->count++], value);
}

static int add_listen(struct options *options, const char *value)
{
	struct listen_option listen;

	if (listen_parse(&listen, value, options->why, sizeof(options->why)))
		return EXIT_USAGE;
	listen_release(&listen);
	return add_text(options, &options->listens, value);
}

/* Only the machine's own users can be told apart there. */
static int set_control(struct options *options, const char *value)
{
	struct ttrpc_address address;
	bool is_unix;

	if (ttrpc_address_parse(value, &address, options->why, sizeof(options->why)))
		return EXIT_USAGE;
	is_unix = address.transport == TTRPC_UNIX;
	ttrpc_address_release(&address);
	if (!is_unix)
		return wrong(options, "--control takes unix:///PATH, not \"%s\"", value);
	return set_text(options, &options->control, value);
}

static int set_metrics(struct options *options, const char *value)
{
	struct listen_option listen;
	bool is_near;

	if (listen_parse(&listen, value, options->why, sizeof(options->why)))
		return EXIT_USAGE;
	is_near = listen.address.transport != TTRPC_VSOCK &&
		  ttrpc_address_is_loopback(&listen.address);
	listen_release(&listen);
	if (!is_near)
		return wrong(options,
			     "--metrics takes unix:///PATH or tcp on loopback, such as "
			     "tcp://127.0.0.1:9464, not \"%s\": anyone could read them",
			     value);
	return set_text(options, &options->metrics, value);
}

static int add_allow(struct options *options, const char *value)
{
	if (options->allow_preset) {
		allow_release(&options->allow);
		options->allow = (struct allow){ .exec = false };
		options->allow_preset = false;
	}
	return allow_parse(&options->allow, value, options->why, sizeof(options->why)) ? EXIT_USAGE
										       : -1;
}

static int set_number(struct options *options, const char *flag, unsigned *setting, unsigned max,
		      const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number < 1 || number > max)
		return wrong(options, "%s takes a number from 1 to %u, not \"%s\"", flag, max,
			     text);
	*setting = (unsigned)number;
	return -1;
}

static int set_drain_timeout(struct options *options, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (!strcmp(end, "ms"))
		seconds /= 1000, end += 2;
	else if (*end == 's')
		end++;
	if (end == text || *end || !(seconds >= 0 && seconds <= 86400))
		return wrong(options, "--drain-timeout takes seconds such as 30s, not \"%s\"",
			     text);
	options->drain_timeout = seconds;
	return -1;
}

static int print(const char *text)
{
	fputs(text, stdout);
	return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

enum {
	OPT_SCRIPT = 256,
	OPT_CONFIG,
	OPT_VACCEL,
	OPT_ALLOW,
	OPT_LIMIT,
	OPT_THREADS,
	OPT_LOOPS,
	OPT_DRAIN,
	OPT_CONTROL,
	OPT_METRICS,
	OPT_CHECK,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "server-address", required_argument, NULL, 'a' },
	{ "script", required_argument, NULL, OPT_SCRIPT },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "vaccel-config", required_argument, NULL, OPT_VACCEL },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "loops", required_argument, NULL, OPT_LOOPS },
	{ "drain-timeout", required_argument, NULL, OPT_DRAIN },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int take(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'a':
		return add_listen(options, value);
	case OPT_SCRIPT:
		return add_text(options, &options->scripts, value);
	case OPT_CONFIG:
		return set_text(options, &options->config, value);
	case OPT_VACCEL:
		return set_text(options, &options->vaccel_config, value);
	case OPT_ALLOW:
		return add_allow(options, value);
	case OPT_LIMIT:
		return limits_parse(&options->limits, value, options->why, sizeof(options->why))
			       ? EXIT_USAGE
			       : -1;
	case OPT_THREADS:
		return set_number(options, "--threads", &options->threads, 4096, value);
	case OPT_LOOPS:
		return set_number(options, "--loops", &options->loops, LOOPS_MAX, value);
	case OPT_DRAIN:
		return set_drain_timeout(options, value);
	case OPT_CONTROL:
		return set_control(options, value);
	case OPT_METRICS:
		return set_metrics(options, value);
	case OPT_CHECK:
		options->check = true;
		return -1;
	case OPT_VERSION:
		return print("vaccelrt-agent " VACCEL_VERSION " (luaccel)\n");
	case 'h':
		return print(usage_text);
	}
	return EXIT_USAGE;
}

void options_init(struct options *options)
{
	*options = (struct options){
		.limits = limits_default,
		.threads = 64,
		.loops = 1,
		.drain_timeout = 30,
	};
}

int options_set(struct options *options, const char *flag, const char *value)
{
	const struct option *option = long_options;

	while (strcmp(option->name, flag))
		option++;
	return take(options, option->val, value);
}

void options_preset(struct options *options)
{
	options->listens.preset = options->scripts.preset = options->allow_preset = true;
}

const char *options_config_file(int argc, char **argv)
{
	const char *file = NULL;
	int option;

	opterr = optind = 0;
	while ((option = getopt_long(argc, argv, "a:h", long_options, NULL)) != -1)
		if (option == OPT_CONFIG)
			file = optarg;
	return file;
}

/* Anyone on the network could use the accelerators, and read what others send. */
static int check_plaintext(struct options *options)
{
	struct listen_option listen;
	int ret = -1;
	size_t i;

	for (i = 0; i < options->listens.count && ret < 0; i++) {
		if (listen_parse(&listen, options->listens.text[i], options->why,
				 sizeof(options->why)))
			return EXIT_USAGE;
		if (listen_check_plaintext(&listen, options->allow.plaintext, options->why,
					   sizeof(options->why)))
			ret = EXIT_USAGE;
		listen_release(&listen);
	}
	return ret;
}

/* What nobody has said. */
static int complete(struct options *options)
{
	const char *control = getenv("LUACCEL_CONTROL");
	int ret = -1;

	if (!options->listens.count)
		ret = add_listen(options, "tcp://127.0.0.1:65500");
	if (ret < 0 && !options->control && control && control[0])
		ret = set_control(options, control);
	return ret < 0 ? check_plaintext(options) : ret;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int option, ret = -1;

	opterr = 1;
	optind = 0;
	while (ret < 0 && (option = getopt_long(argc, argv, "a:h", long_options, NULL)) != -1)
		ret = take(options, option, optarg);
	if (ret < 0 && optind < argc)
		ret = wrong(options, "what is \"%s\"? All settings are options", argv[optind]);
	return ret < 0 ? complete(options) : ret;
}

void options_release(struct options *options)
{
	clear(&options->listens);
	clear(&options->scripts);
	free(options->config);
	free(options->vaccel_config);
	free(options->control);
	free(options->metrics);
	allow_release(&options->allow);
}
