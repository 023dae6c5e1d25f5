/*
 * options.c - see options.h.
 */
#include "options.h"
#include "vaccel.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"Usage: vaccelrt-agent [options]\n"
	"Serve vAccel sessions of virtual machines, containers and other processes.\n"
	"\n"
	"  -a, --server-address URI[,name=N,mode=0660,owner=UID:GID]\n"
	"                           listen there; may be given again. unix:///PATH, "
	"vsock://CID:PORT\n"
	"                           or tcp://HOST:PORT (default tcp://127.0.0.1:65500)\n"
	"      --script FILE        a policy in Lua; may be given again, asked in this order\n"
	"      --vaccel-config K=V,...  plugins, log_level, log_file, profiling_enabled, "
	"version_ignore\n"
	"                           (default: the environment, VACCEL_PLUGINS and so on)\n"
	"      --allow plaintext    listen on tcp beyond loopback without encryption\n"
	"      --limit NAME=VALUE,...   connections, sessions, resources, frame, held, streams, "
	"...\n"
	"      --threads N          at most N operations at once (default 64)\n"
	"      --drain-timeout SEC  how long SIGTERM waits for running operations (default 30s)\n"
	"      --check              load everything, say so, and leave\n"
	"      --version, --help\n"
	"\n"
	"SIGHUP loads the policies again; SIGTERM and SIGINT drain and leave, a second one leaves "
	"now.\n";

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...)
{
	va_list args;

	fputs("vaccelrt-agent: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see vaccelrt-agent --help\n", stderr);
	return EXIT_USAGE;
}

static bool set_name(struct listen_option *listen, const char *value)
{
	int length = snprintf(listen->name, sizeof(listen->name), "%s", value);

	return length > 0 && (size_t)length < sizeof(listen->name);
}

static bool set_mode(struct listen_option *listen, const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	listen->options.mode = (mode_t)mode;
	return end > value && !*end && mode > 0 && mode <= 0777;
}

static bool set_owner(struct listen_option *listen, const char *value)
{
	char rest;

	listen->has_owner = sscanf(value, "%u:%u%c", &listen->uid, &listen->gid, &rest) == 2;
	return listen->has_owner;
}

static int listen_setting(struct listen_option *listen, char *item)
{
	bool is_file = listen->address.transport == TTRPC_UNIX && listen->address.path[0] != '@';

	if (!strncmp(item, "name=", 5) && set_name(listen, item + 5))
		return -1;
	if (is_file && !strncmp(item, "mode=", 5) && set_mode(listen, item + 5))
		return -1;
	if (is_file && !strncmp(item, "owner=", 6) && set_owner(listen, item + 6))
		return -1;
	return wrong("an address takes name=N, and that of a socket file mode=0660 (octal) and "
		     "owner=UID:GID, not \"%s\"",
		     item);
}

static int add_listen(struct options *options, const char *text)
{
	struct listen_option *listen = &options->listens[options->nr_listens];
	char *copy, *rest, *item, err[512];
	int ret = -1;

	if (options->nr_listens == OPTIONS_ADDRESSES_MAX)
		return wrong("more than %d addresses", OPTIONS_ADDRESSES_MAX);
	copy = rest = strdup(text);
	if (!copy)
		return EXIT_FAILED;
	item = strsep(&rest, ",");
	if (ttrpc_address_parse(item, &listen->address, err, sizeof(err))) {
		ret = wrong("%s", err);
		goto free_copy;
	}
	options->nr_listens++;
	snprintf(listen->name, sizeof(listen->name), "%s", item);
	while (ret < 0 && (item = strsep(&rest, ",")))
		ret = listen_setting(listen, item);

free_copy:
	free(copy);
	return ret;
}

static int set_threads(struct options *options, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number < 1 || number > 4096)
		return wrong("--threads takes a number from 1 to 4096, not \"%s\"", text);
	options->threads = (unsigned)number;
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
		return wrong("--drain-timeout takes seconds such as 30s, not \"%s\"", text);
	options->drain_timeout = seconds;
	return -1;
}

static int set_allow(struct options *options, const char *text)
{
	if (strcmp(text, "plaintext"))
		return wrong("--allow knows plaintext, not \"%s\"", text);
	options->allow_plaintext = true;
	return -1;
}

static int add_script(struct options *options, const char *path)
{
	if (options->nr_scripts == OPTIONS_SCRIPTS_MAX)
		return wrong("more than %d scripts", OPTIONS_SCRIPTS_MAX);
	options->scripts[options->nr_scripts++] = path;
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
	OPT_ALLOW,
	OPT_LIMIT,
	OPT_THREADS,
	OPT_DRAIN,
	OPT_CHECK,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "server-address", required_argument, NULL, 'a' },
	{ "script", required_argument, NULL, OPT_SCRIPT },
	{ "vaccel-config", required_argument, NULL, OPT_CONFIG },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "drain-timeout", required_argument, NULL, OPT_DRAIN },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int take(struct options *options, int option, const char *value)
{
	char err[256];

	switch (option) {
	case 'a':
		return add_listen(options, value);
	case OPT_SCRIPT:
		return add_script(options, value);
	case OPT_CONFIG:
		options->vaccel_config = value;
		return -1;
	case OPT_ALLOW:
		return set_allow(options, value);
	case OPT_LIMIT:
		return limits_parse(&options->limits, value, err, sizeof(err)) ? wrong("%s", err)
									       : -1;
	case OPT_THREADS:
		return set_threads(options, value);
	case OPT_DRAIN:
		return set_drain_timeout(options, value);
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

static bool is_loopback(const struct ttrpc_address *address)
{
	struct in_addr number;

	if (address->transport != TTRPC_TCP || !strcmp(address->host, "localhost") ||
	    !strcmp(address->host, "::1"))
		return true;
	return inet_pton(AF_INET, address->host, &number) == 1 &&
	       ntohl(number.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Anyone on the network could use the accelerators, and read what others send. */
static int check_plaintext(const struct options *options)
{
	size_t i;

	for (i = 0; i < options->nr_listens && !options->allow_plaintext; i++)
		if (!is_loopback(&options->listens[i].address))
			return wrong(
				"%s is reachable from the network, unencrypted and for anyone; "
				"--allow plaintext if that is meant",
				options->listens[i].address.uri);
	return -1;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int option, ret = -1;

	*options = (struct options){
		.limits = limits_default,
		.threads = 64,
		.drain_timeout = 30,
	};
	opterr = 1;
	while (ret < 0 && (option = getopt_long(argc, argv, "a:h", long_options, NULL)) != -1)
		ret = take(options, option, optarg);
	if (ret < 0 && optind < argc)
		ret = wrong("what is \"%s\"? All settings are options", argv[optind]);
	if (ret < 0 && !options->nr_listens)
		ret = add_listen(options, "tcp://127.0.0.1:65500");
	return ret < 0 ? check_plaintext(options) : ret;
}

void options_release(struct options *options)
{
	size_t i;

	for (i = 0; i < options->nr_listens; i++)
		ttrpc_address_release(&options->listens[i].address);
}

struct vaccel_settings {
	const char *plugins, *log_file;
	unsigned log_level;
	bool profiling_enabled, version_ignore;
};

static int set_bool(bool *setting, const char *key, const char *value)
{
	*setting = !strcmp(value, "true");
	return *setting || !strcmp(value, "false")
		       ? -1
		       : wrong("--vaccel-config %s takes true or false, not \"%s\"", key, value);
}

static int set_level(unsigned *level, const char *value)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	*level = (unsigned)number;
	return end > value && !*end && number <= 255
		       ? -1
		       : wrong("--vaccel-config log_level takes a number, not \"%s\"", value);
}

static int set_vaccel(struct vaccel_settings *settings, char *item)
{
	char *value = strchr(item, '=');

	if (!value)
		return wrong("--vaccel-config takes KEY=VALUE, not \"%s\"", item);
	*value++ = '\0';
	if (!strcmp(item, "plugins"))
		settings->plugins = value;
	else if (!strcmp(item, "log_file"))
		settings->log_file = value;
	else if (!strcmp(item, "log_level"))
		return set_level(&settings->log_level, value);
	else if (!strcmp(item, "profiling_enabled"))
		return set_bool(&settings->profiling_enabled, item, value);
	else if (!strcmp(item, "version_ignore"))
		return set_bool(&settings->version_ignore, item, value);
	else
		return wrong("--vaccel-config knows no key \"%s\"", item);
	return -1;
}

int options_configure_vaccel(const char *text)
{
	char *copy = strdup(text), *rest = copy, *item;
	struct vaccel_settings settings = { 0 };
	struct vaccel_config config;
	int ret = copy ? -1 : EXIT_FAILED;

	while (ret < 0 && (item = strsep(&rest, ",")))
		ret = set_vaccel(&settings, item);
	if (ret < 0 && vaccel_config_init(&config, settings.plugins,
					  (vaccel_log_level_t)settings.log_level, settings.log_file,
					  settings.profiling_enabled, settings.version_ignore))
		ret = EXIT_FAILED;
	if (ret < 0) {
		vaccel_bootstrap_with_config(&config);
		vaccel_config_release(&config);
	}
	free(copy);
	return ret;
}
