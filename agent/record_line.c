/*
 * record_line.c - see record_line.h.
 */
#include "record_line.h"
#include "reply.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 2048 };

__attribute__((format(printf, 2, 3))) static void put(struct record_line *line, const char *format,
						      ...)
{
	const size_t room = sizeof(line->text) - line->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line->text + line->length, room, format, args);
	va_end(args);
	line->full = line->full || length < 0 || (size_t)length >= room;
	if (!line->full)
		line->length += (size_t)length;
}

/* Whole, or not at all. */
static void put_bytes(struct record_line *line, const char *bytes, size_t size)
{
	line->full = line->full || size >= sizeof(line->text) - line->length;
	if (line->full)
		return;
	memcpy(line->text + line->length, bytes, size);
	line->length += size;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

static void put_string(struct record_line *line, const char *value)
{
	char text[VALUE_MAX];
	const char *at, *end;

	snprintf(text, sizeof(text), "%s", value);
	reply_make_utf8(text);
	put_bytes(line, "\"", 1);
	for (at = text; *at; at = end) {
		for (end = at; *end && is_plain(*end);)
			end++;
		put_bytes(line, at, (size_t)(end - at));
		if (*end == '"' || *end == '\\')
			put(line, "\\%c", *end++);
		else if (*end)
			put(line, "\\u%04x", *end++);
	}
	put_bytes(line, "\"", 1);
}

static void begin(struct record_line *line, const char *name)
{
	if (!line->first)
		put_bytes(line, ",", 1);
	line->first = false;
	if (!name)
		return;
	put_bytes(line, "\"", 1);
	put_bytes(line, name, strlen(name));
	put_bytes(line, "\":", 2);
}

void record_line_begin(struct record_line *line)
{
	line->length = 0;
	line->first = true;
	line->full = false;
	put_bytes(line, "{", 1);
}

void record_line_open(struct record_line *line, const char *name, char bracket)
{
	begin(line, name);
	put_bytes(line, &bracket, 1);
	line->first = true;
}

void record_line_close(struct record_line *line, char bracket)
{
	put_bytes(line, &bracket, 1);
	line->first = false;
}

void record_line_text(struct record_line *line, const char *name, const char *value)
{
	if (!value)
		return;
	begin(line, name);
	put_string(line, value);
}

void record_line_number(struct record_line *line, const char *name, uint64_t value)
{
	begin(line, name);
	put(line, "%" PRIu64, value);
}

void record_line_real(struct record_line *line, const char *name, double value)
{
	begin(line, name);
	put(line, "%.17g", value);
}

void record_line_bool(struct record_line *line, const char *name, bool value)
{
	begin(line, name);
	put(line, value ? "true" : "false");
}

bool record_line_end(struct record_line *line)
{
	put_bytes(line, "}\n", 2);
	return !line->full;
}
