/*
 * driver_answer.c - see driver.h: what the driver says, what it has named, and its files.
 */
#include "driver.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slot sessions[SLOTS];
struct slot resources[SLOTS];
const char *prefix = "";
uint64_t started, ended;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void print_text(const char *text)
{
	printf(" text=");
	for (; *text; text++)
		putchar(*text == '\n' || *text == '\r' ? ' ' : *text);
}

static void print_times(void)
{
	printf(" us=%" PRIu64 " at=%" PRIu64, (ended - started) / 1000, ended / 1000);
}

void begin_ok(void)
{
	printf("%sOK", prefix);
	print_times();
}

void end_line(void)
{
	putchar('\n');
	fflush(stdout);
}

void say_ok(const char *format, ...)
{
	va_list args;

	begin_ok();
	putchar(' ');
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	end_line();
}

void say_error_at(int code, const char *step)
{
	char text[TEXT_SIZE];

	luaccel_last_error(text, sizeof(text));
	printf("%sERR %d", prefix, code);
	print_times();
	printf(" step=%s", step);
	print_text(text);
	end_line();
}

void say_error(int code)
{
	say_error_at(code, "call");
}

void say_misuse(const char *what)
{
	printf("%sMISUSE %s", prefix, what);
	end_line();
}

void answer(int code)
{
	if (code)
		say_error(code);
	else
		say_ok("text=");
}

struct slot *slot_find(struct slot *slots, const char *name)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].object && strcmp(slots[i].name, name) == 0)
			return &slots[i];
	return NULL;
}

void slot_add(struct slot *slots, const char *name, void *object)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (slots[i].object)
			continue;
		snprintf(slots[i].name, sizeof(slots[i].name), "%s", name);
		slots[i].object = object;
		return;
	}
	fprintf(stderr, "driver: more than %d objects\n", SLOTS);
	exit(EXIT_FAILURE);
}

struct vaccel_session *session(const char *name)
{
	struct slot *slot = slot_find(sessions, name);

	return slot ? slot->object : NULL;
}

struct vaccel_resource *resource(const char *name)
{
	struct slot *slot = slot_find(resources, name);

	return slot ? slot->object : NULL;
}

char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long end;

	if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0)
		goto out;
	rewind(file);
	*size = (size_t)end;
	bytes = malloc(*size + 1);
	if (bytes && fread(bytes, 1, *size, file) != *size) {
		free(bytes);
		bytes = NULL;
	} else if (bytes) {
		bytes[*size] = '\0';
	}
out:
	if (file)
		fclose(file);
	if (!bytes)
		say_misuse(path);
	return bytes;
}

/* The bytes of a memory-only resource stay the caller's; reachable here, so that none is a leak. */
static struct kept_bytes {
	struct kept_bytes *next;
	char *bytes;
} * kept;

bool keep_bytes(char *bytes)
{
	struct kept_bytes *entry = malloc(sizeof(*entry));

	if (!entry)
		return false;
	entry->bytes = bytes;
	entry->next = kept;
	kept = entry;
	return true;
}
