/*
 * interface.h - what the parts of the test of the binary interface share. The lists *.inc that
 * they include are made of the tables *.tsv by generate.lua.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <slog.h>
#include <stddef.h>
#include <vaccel.h>

struct function {
	const char *name;

	/* where this program was linked to */
	void (*address)(void);
};

/* The rows of functions.tsv in their order. */
extern const struct function functions[];
extern const size_t nr_functions;

#endif
