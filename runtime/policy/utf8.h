/*
 * utf8.h - is it UTF-8? As others' parsers ask: nothing overlong, no surrogates, nothing beyond
 * U+10FFFF.
 */
#ifndef LUACCEL_POLICY_UTF8_H
#define LUACCEL_POLICY_UTF8_H

#include <stddef.h>

/* Bytes of the sequence that starts here, 0 when none does. The text ends with a zero. */
static inline size_t utf8_sequence(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char least = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
	const unsigned char most = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
	const size_t length = *at < 0x80		  ? 1
			      : *at >= 0xc2 && *at < 0xe0 ? 2
			      : *at >= 0xe0 && *at < 0xf0 ? 3
			      : *at >= 0xf0 && *at < 0xf5 ? 4
							  : 0;

	if (length > 1 && (at[1] < least || at[1] > most))
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

#endif
