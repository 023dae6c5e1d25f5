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

static void put_string(struct record_line *line, const char *value)
{
	char text[VALUE_MAX];
	const char *at;

	snprintf(text, sizeof(text), "%s", value);
	reply_make_utf8(text);
	put(line, "\"");
	for (at = text; *at; at++) {
		if (*at == '"' || *at == '\\')
			put(line, "\\%c", *at);
		else if ((unsigned char)*at < 0x20 || *at == 0x7f)
			put(line, "\\u%04x", *at);
		else
			put(line, "%c", *at);
	}
	put(line, "\"");
}

static void begin(struct record_line *line, const char *name)
{
	if (!line->first)
		put(line, ",");
	line->first = false;
	if (name)
		put(line, "\"%s\":", name);
}

void record_line_begin(struct record_line *line)
{
	line->length = 0;
	line->first = true;
	line->full = false;
	put(line, "{");
}

void record_line_open(struct record_line *line, const char *name, char bracket)
{
	begin(line, name);
	put(line, "%c", bracket);
	line->first = true;
}

void record_line_close(struct record_line *line, char bracket)
{
	put(line, "%c", bracket);
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
	put(line, "%s", value ? "true" : "false");
}

bool record_line_end(struct record_line *line)
{
	put(line, "}\n");
	return !line->full;
}
