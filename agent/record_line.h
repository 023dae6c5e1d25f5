/*
 * record_line.h - one line of a recording: a JSON object, written member by member into memory of a
 * fixed size. What does not fit is noticed at the end, not at each member. No thread of its own.
 */
#ifndef AGENT_RECORD_LINE_H
#define AGENT_RECORD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_LINE_MAX = 32 << 10 }; /* bytes, the newline among them */

struct record_line {
	size_t length;
	bool first; /* in what is open */
	bool full;
	char text[RECORD_LINE_MAX];
};

void record_line_begin(struct record_line *line);

/* Members of an object, or of an array when name is NULL; commas come by themselves. */
void record_line_open(struct record_line *line, const char *name, char bracket);
void record_line_close(struct record_line *line, char bracket);
/* In UTF-8, whatever it was, and cut after so many bytes. A value NULL is left out. */
void record_line_text(struct record_line *line, const char *name, const char *value);
void record_line_number(struct record_line *line, const char *name, uint64_t value);
/* Whole: what is read from it is the same number. */
void record_line_real(struct record_line *line, const char *name, double value);
void record_line_bool(struct record_line *line, const char *name, bool value);

/* Ends it, with a newline. False: it did not fit, and is no line. */
bool record_line_end(struct record_line *line);

#endif
