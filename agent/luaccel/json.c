/*
 * json.c - JSON on stdout, written as it comes. Text is made valid: what needs an escape gets one,
 * and a byte that is no UTF-8 becomes U+FFFD.
 */
#include "luaccel.h"
#include <inttypes.h>
#include <stdio.h>

static bool first = true; /* of what is open */
static unsigned depth;

/* Bytes of the UTF-8 sequence that starts here (shortest form, no surrogates), 0 when none does. */
static unsigned sequence(const unsigned char *at)
{
	unsigned i, length = *at < 0x80			 ? 1
			     : *at >= 0xc2 && *at < 0xe0 ? 2
			     : *at >= 0xe0 && *at < 0xf0 ? 3
			     : *at >= 0xf0 && *at < 0xf5 ? 4
							 : 0;

	for (i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
	    (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

static void put_string(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned length;

	putchar('"');
	for (; *at; at += length ? length : 1) {
		length = sequence(at);
		if (!length)
			fputs("\\ufffd", stdout);
		else if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			printf("\\u%04x", *at);
		else
			fwrite(at, 1, length, stdout);
	}
	putchar('"');
}

static void begin(const char *name)
{
	if (!first)
		putchar(',');
	first = false;
	if (!name)
		return;
	put_string(name);
	putchar(':');
}

void json_open(const char *name, char bracket)
{
	begin(name);
	putchar(bracket);
	first = true;
	depth++;
}

void json_close(char bracket)
{
	putchar(bracket);
	first = false;
	if (--depth == 0)
		putchar('\n');
}

void json_text(const char *name, const char *value)
{
	begin(name);
	put_string(value);
}

void json_number(const char *name, uint64_t value)
{
	begin(name);
	printf("%" PRIu64, value);
}

void json_seconds(const char *name, double value)
{
	begin(name);
	printf("%.6f", value);
}

void json_bool(const char *name, bool value)
{
	begin(name);
	fputs(value ? "true" : "false", stdout);
}
