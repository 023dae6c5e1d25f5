/*
 * agent_limits.c - see agent_limits.h.
 */
#include "agent_limits.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct limits limits_default = {
	.connections = 1024,
	.sessions = 1024,
	.resources = 2048,
	.sessions_total = 16384,
	.resources_total = 32768,
	.frame = (size_t)256 << 20,
	.held = (size_t)272 << 20,
	.streams = 1024,
	.frame_timeout = 30,
	.write_timeout = 30,
};

static const struct {
	const char *name;
	size_t offset;
	size_t max;
} names[] = {
	{ "connections", offsetof(struct limits, connections), 1 << 20 },
	{ "sessions", offsetof(struct limits, sessions), 1 << 24 },
	{ "resources", offsetof(struct limits, resources), 1 << 24 },
	{ "sessions-total", offsetof(struct limits, sessions_total), 1 << 24 },
	{ "resources-total", offsetof(struct limits, resources_total), 1 << 24 },
	{ "frame", offsetof(struct limits, frame), (size_t)1 << 30 },
	{ "held", offsetof(struct limits, held), (size_t)1 << 40 },
	{ "streams", offsetof(struct limits, streams), 1 << 16 },
	{ "executing", offsetof(struct limits, executing), 4096 },
	{ "frame-timeout", offsetof(struct limits, frame_timeout), 86400 },
	{ "write-timeout", offsetof(struct limits, write_timeout), 86400 },
};

static int parse_value(const char *text, size_t max, size_t *value)
{
	unsigned long long number;
	unsigned shift = 0;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	if (*end == 'k')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (end[shift ? 1 : 0] || !number || number > max >> shift)
		return -EINVAL;
	*value = (size_t)number << shift;
	return 0;
}

static int parse_one(struct limits *limits, char *item, char *err, size_t errsize)
{
	char *value = strchr(item, '=');
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(item, names[i].name))
			break;
	if (i == sizeof(names) / sizeof(names[0])) {
		snprintf(err, errsize, "no limit is called \"%s\"; see vaccelrt-agent(1)", item);
		return -EINVAL;
	}
	if (!value ||
	    parse_value(value, names[i].max, (size_t *)((char *)limits + names[i].offset))) {
		snprintf(err, errsize,
			 "limit %s takes a number from 1 to %zu (k, M, G allowed), not \"%s\"",
			 item, names[i].max, value ? value : "");
		return -EINVAL;
	}
	return 0;
}

int limits_parse(struct limits *limits, const char *text, char *err, size_t errsize)
{
	char *copy = strdup(text), *rest = copy, *item;
	int ret = copy ? 0 : -ENOMEM;

	if (!copy)
		snprintf(err, errsize, "out of memory");
	while (!ret && (item = strsep(&rest, ",")))
		ret = parse_one(limits, item, err, errsize);
	free(copy);
	return ret;
}
