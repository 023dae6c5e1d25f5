/*
 * agent_limits.c - see agent_limits.h.
 */
#include "agent_limits.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

const struct limits limits_default = {
	.account = {
		[ACCOUNT_CONNECTION] = {
			[ACCOUNT_SESSIONS] = 1024,
			[ACCOUNT_RESOURCES] = 2048,
			[ACCOUNT_STREAMS] = 1024,
			[ACCOUNT_HELD] = 272 * MIB,
		},
		[ACCOUNT_PEER] = {
			[ACCOUNT_CONNECTIONS] = 256,
			[ACCOUNT_SESSIONS] = 1024,
			[ACCOUNT_RESOURCES] = 2048,
			[ACCOUNT_STREAMS] = 1024,
			[ACCOUNT_HELD] = 512 * MIB,
			[ACCOUNT_DECODED] = 64 * MIB,
			[ACCOUNT_MEMORY] = 1 * GIB,
			[ACCOUNT_DISK] = 4 * GIB,
			[ACCOUNT_SHM] = 64 * MIB,
		},
		[ACCOUNT_TOTAL] = {
			[ACCOUNT_CONNECTIONS] = 1024,
			[ACCOUNT_SESSIONS] = 16384,
			[ACCOUNT_RESOURCES] = 32768,
			[ACCOUNT_STREAMS] = 8192,
			[ACCOUNT_HELD] = 2 * GIB,
			[ACCOUNT_DECODED] = 512 * MIB,
			[ACCOUNT_MEMORY] = 4 * GIB,
			[ACCOUNT_DISK] = 16 * GIB,
			[ACCOUNT_SHM] = 512 * MIB,
		},
	},
	.frame = 256 * MIB,
	.shm = 4 * MIB,
	.executing_peer = 64,
	.frame_timeout = 30,
	.write_timeout = 30,
	.deadline_max = 3600,
	.log = 200,
};

enum { THINGS_MAX = 1 << 24, DAY = 86400 };
#define BYTES_MAX ((size_t)1 << 44)

#define ACCOUNT(name, level, kind, max)                                                            \
	{                                                                                          \
		name, offsetof(struct limits, account[ACCOUNT_##level][ACCOUNT_##kind]), max,      \
			false                                                                      \
	}
#define REST(name, field, max, can_be_off)                                                         \
	{                                                                                          \
		name, offsetof(struct limits, field), max, can_be_off                              \
	}

static const struct {
	const char *name;
	size_t offset;
	size_t max;
	bool can_be_off;
} names[] = {
	ACCOUNT("connections", TOTAL, CONNECTIONS, 1 << 20),
	ACCOUNT("connections-peer", PEER, CONNECTIONS, 1 << 20),
	ACCOUNT("sessions", CONNECTION, SESSIONS, THINGS_MAX),
	ACCOUNT("sessions-peer", PEER, SESSIONS, THINGS_MAX),
	ACCOUNT("sessions-total", TOTAL, SESSIONS, THINGS_MAX),
	ACCOUNT("resources", CONNECTION, RESOURCES, THINGS_MAX),
	ACCOUNT("resources-peer", PEER, RESOURCES, THINGS_MAX),
	ACCOUNT("resources-total", TOTAL, RESOURCES, THINGS_MAX),
	ACCOUNT("streams", CONNECTION, STREAMS, 1 << 16),
	ACCOUNT("streams-peer", PEER, STREAMS, 1 << 20),
	ACCOUNT("streams-total", TOTAL, STREAMS, 1 << 20),
	ACCOUNT("held", CONNECTION, HELD, BYTES_MAX),
	ACCOUNT("held-peer", PEER, HELD, BYTES_MAX),
	ACCOUNT("held-total", TOTAL, HELD, BYTES_MAX),
	ACCOUNT("decoded-peer", PEER, DECODED, BYTES_MAX),
	ACCOUNT("decoded-total", TOTAL, DECODED, BYTES_MAX),
	ACCOUNT("memory-peer", PEER, MEMORY, BYTES_MAX),
	ACCOUNT("memory-total", TOTAL, MEMORY, BYTES_MAX),
	ACCOUNT("disk-peer", PEER, DISK, BYTES_MAX),
	ACCOUNT("disk-total", TOTAL, DISK, BYTES_MAX),
	ACCOUNT("shm-peer", PEER, SHM, BYTES_MAX),
	ACCOUNT("shm-total", TOTAL, SHM, BYTES_MAX),
	REST("shm", shm, 256 * MIB, true),
	REST("frame", frame, GIB, false),
	REST("executing", executing, 4096, false),
	REST("executing-peer", executing_peer, 4096, false),
	REST("frame-timeout", frame_timeout, DAY, false),
	REST("write-timeout", write_timeout, DAY, false),
	REST("accepts", accepts, 1 << 20, true),
	REST("first-frame", first_frame, DAY, true),
	REST("idle", idle, DAY, true),
	REST("deadline", deadline, DAY, true),
	REST("deadline-max", deadline_max, DAY, false),
	REST("log", log, 1 << 20, true),
};

enum { NR_NAMES = sizeof(names) / sizeof(names[0]) };

const char *limits_name(enum account_level level, enum account_kind kind)
{
	const size_t base = offsetof(struct limits, account);
	const size_t offset = base + (level * ACCOUNT_KINDS + kind) * sizeof(size_t);
	size_t i;

	for (i = 0; i < NR_NAMES; i++)
		if (names[i].offset == offset)
			return names[i].name;
	return NULL;
}

bool limits_entry(const struct limits *limits, size_t i, struct limits_entry *entry)
{
	const size_t base = offsetof(struct limits, account);
	size_t place;

	if (i >= NR_NAMES)
		return false;
	place = (names[i].offset - base) / sizeof(size_t);
	*entry = (struct limits_entry){
		.name = names[i].name,
		.value = *(const size_t *)(const void *)((const char *)limits + names[i].offset),
		.counted = place < (size_t)ACCOUNT_LEVELS * ACCOUNT_KINDS,
	};
	if (entry->counted) {
		entry->level = (enum account_level)(place / ACCOUNT_KINDS);
		entry->kind = (enum account_kind)(place % ACCOUNT_KINDS);
	}
	return true;
}

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
	size_t i, *limit;

	if (value)
		*value++ = '\0';
	for (i = 0; i < NR_NAMES; i++)
		if (!strcmp(item, names[i].name))
			break;
	if (i == NR_NAMES) {
		snprintf(err, errsize, "no limit is called \"%s\"; see vaccelrt-agent(1)", item);
		return -EINVAL;
	}
	limit = (size_t *)(void *)((char *)limits + names[i].offset);
	if (value && names[i].can_be_off && !strcmp(value, "off")) {
		*limit = 0;
		return 0;
	}
	if (!value || parse_value(value, names[i].max, limit)) {
		snprintf(err, errsize,
			 "limit %s takes a number from 1 to %zu (k, M, G allowed)%s, not \"%s\"",
			 item, names[i].max, names[i].can_be_off ? " or off" : "",
			 value ? value : "");
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
