/*
 * config.c - see config.h.
 */
#include "config.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum shape { ONE, LIST, NAMES }; /* a value; one or a list; one, or a table of names */

static const struct {
	const char *key, *flag;
	enum shape shape;
	const char *example;
} settings[] = {
	{ "listen", "server-address", LIST, "{ \"unix:///run/luaccel/agent.sock,mode=0666\" }" },
	{ "script", "script", LIST, "{ \"/etc/luaccel/policy.lua\" }" },
	{ "vaccel_config", "vaccel-config", NAMES, "{ plugins = \"libvaccel-noop.so\" }" },
	{ "allow", "allow", LIST, "{ \"url\", \"path=/models\" }" },
	{ "limit", "limit", NAMES, "{ sessions = 100, frame = \"4M\" }" },
	{ "threads", "threads", ONE, "8" },
	{ "loops", "loops", ONE, "2" },
	{ "drain_timeout", "drain-timeout", ONE, "\"30s\"" },
	{ "control", "control", ONE, "\"unix:///run/luaccel/control.sock\"" },
	{ "metrics", "metrics", ONE, "\"tcp://127.0.0.1:9464\"" },
};

enum { NR_SETTINGS = sizeof(settings) / sizeof(settings[0]) };

__attribute__((format(printf, 4, 5))) static int refuse(struct options *options, const char *file,
							int line, const char *format, ...)
{
	char text[sizeof(options->why) - 64];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(options->why, sizeof(options->why), "%.48s:%d: %s", file, line, text);
	return EXIT_USAGE;
}

static int unknown(struct options *options, const char *file, const struct policy_setting *item)
{
	char known[256] = "";
	size_t i, length = 0;

	for (i = 0; i < NR_SETTINGS; i++)
		length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s",
					   i ? ", " : "", settings[i].key);
	return refuse(options, file, item->line, "there is no setting \"%.60s\"; there are: %s",
		      item->key, known);
}

/* Limits' names have a '-' where a name in Lua has a '_'. */
static void use_dashes(char *text)
{
	for (; *text && *text != '='; text++)
		if (*text == '_')
			*text = '-';
}

/*
 * As the flag takes it: "frame=4M" of a table, the value alone else. `before` is what the flag has
 * already and is to be kept, or NULL. False: it is too long.
 */
static bool text_of(const struct policy_setting *item, const char *before, char *buf, size_t size)
{
	int length = snprintf(buf, size, "%s%s%s%s%s", before ? before : "", before ? "," : "",
			      item->name ? item->name : "", item->name ? "=" : "", item->value);

	return length >= 0 && (size_t)length < size;
}

static int apply(struct options *options, const char *file, const struct policy_setting *item)
{
	char text[4096], why[sizeof(options->why)];
	const char *flag;
	enum shape shape;
	size_t i;

	for (i = 0; i < NR_SETTINGS && strcmp(settings[i].key, item->key) != 0; i++)
		;
	if (i == NR_SETTINGS)
		return unknown(options, file, item);
	flag = settings[i].flag;
	shape = settings[i].shape;
	if (item->in_table && (shape == ONE || (item->value && (shape == LIST) != !item->name)))
		return refuse(options, file, item->line, "%s has another form, such as %s = %s",
			      item->key, item->key, settings[i].example);
	if (!item->value)
		return -1;
	if (!text_of(item, strcmp(flag, "vaccel-config") ? NULL : options->vaccel_config, text,
		     sizeof(text)))
		return refuse(options, file, item->line, "%s is longer than %zu bytes", item->key,
			      sizeof(text));
	if (!strcmp(flag, "limit"))
		use_dashes(text);
	if (options_set(options, flag, text) < 0)
		return -1;
	snprintf(why, sizeof(why), "%s", options->why);
	return refuse(options, file, item->line, "%s", why);
}

static int apply_file(struct options *options, struct policy_engine *engine, const char *path)
{
	struct policy_settings *file;
	int ret = -1;
	size_t i;

	if (policy_settings_load(engine, path, "agent", &file, options->why, sizeof(options->why)))
		return EXIT_FAILED;
	for (i = 0; i < file->count && ret < 0; i++)
		ret = apply(options, file->file, &file->items[i]);
	policy_settings_free(file);
	options_preset(options);
	return ret;
}

int config_read(struct options *options, struct policy_engine *engine, int argc, char **argv)
{
	const char *path = options_config_file(argc, argv);
	int ret;

	options_init(options);
	ret = path ? apply_file(options, engine, path) : -1;
	return ret < 0 ? options_parse(options, argc, argv) : ret;
}
