/*
 * behaviour.h - what the files of the behaviour test share.
 *
 * A row is one function of the vAccel interface with one argument: ROW(fixture, name, expression).
 * What the expression must give stands in ../behaviour.tsv under the same name, and nowhere else.
 * Each row runs in a process of its own, forked from a program that has never bootstrapped the
 * library, with what its fixture says set up (fixture.c). One thread.
 */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include "vaccel.h"
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

enum fixture {
	BARE,	/* not bootstrapped */
	ARGS,	/* not bootstrapped; the argument arrays are filled */
	EMPTY,	/* no plugin */
	IGNORE, /* no plugin, versions ignored */
	NONE,	/* the noop plugin, a session, nothing registered */
	NOOP,	/* the noop plugin, a session with a model and a library registered */
	PROF,	/* the same, with profiling */
	MUTE,	/* the same with a plugin that has no operation */
	REMOTE, /* the same with one that carries sessions to another side */
	EXEC,	/* the same with the exec plugin */
	MBENCH, /* the same with the mbench plugin */
	FULL,	/* the noop plugin, at the limits of sessions and resources */
};

struct row {
	const char *name;
	enum fixture fixture;
	long (*run)(void);
	struct row *next;
};

void row_add(struct row *row);

#define ROW(fixture_, name_, ...)                                                                  \
	static long run_##name_(void)                                                              \
	{                                                                                          \
		return (long)(__VA_ARGS__);                                                        \
	}                                                                                          \
	__attribute__((constructor)) static void add_##name_(void)                                 \
	{                                                                                          \
		static struct row row = { #name_, fixture_, run_##name_, NULL };                   \
                                                                                                   \
		row_add(&row);                                                                     \
	}

/* What is no number: as the table has it. */
enum { GAVE_NULL = -1001, GAVE_ADDRESS = -1002, GAVE_FALSE = -1003, GAVE_TRUE = -1004 };

static inline long address(const void *pointer)
{
	return pointer ? GAVE_ADDRESS : GAVE_NULL;
}

static inline long truth(bool value)
{
	return value ? GAVE_TRUE : GAVE_FALSE;
}

/* fixture.c: what rows work on. */
void fixture_set_up(enum fixture fixture);
/* The four resources below, for rows that set up the rest themselves. */
void make(void);
/* Bootstrap with these plugins, NULL for none. */
int bootstrap_with(const char *plugins);
/* Load the odd plugin (odd_plugin.c) in a shape. */
int load_odd(const char *shape);
/* vaccel_config_init_from_env() with a variable set. */
int with_env(const char *name, const char *value);
const char *long_path(void);

extern struct vaccel_config config, *config_out;
extern struct vaccel_op op;
extern struct vaccel_session sess, other, *out;
extern struct vaccel_resource res, released, *found, **list;
extern struct vaccel_resource *model, *lib;	       /* registered with sess */
extern struct vaccel_resource *stranger, *strange_lib; /* a model and a library that are not */
extern struct vaccel_resource *memory_lib,
	*folder; /* nor is a library without a file, a directory */
extern struct vaccel_blob blob, no_blob, file_blob, other_blob, *blob_out;
extern struct vaccel_arg arg, *arg_out;
extern struct vaccel_arg_array array, other_array, wrapped; /* int32, string; empty; no room */
extern struct vaccel_prof_region region;
extern const char *file_path, *dir_path, *empty_path;
extern char bytes_[16], text[256], long_text[64], *string;
extern uint8_t *const bytes;
extern unsigned char ubytes[16];
extern int ints[4];
extern float floats[16];
extern double doubles[4];
extern int32_t number, *numbers;
extern size_t count;
extern void *pointer;

/* What generic operations take. */
#define PATHS(...)    ((const char *[]){ __VA_ARGS__ })
#define BLOBS(...)    ((const struct vaccel_blob *[]){ __VA_ARGS__ })
#define ARG_LIST(...) ((struct vaccel_arg[]){ __VA_ARGS__ })
#define ARG(type_, size_, buf_)                                                                    \
	{                                                                                          \
		.buf = (buf_), .size = (size_), .type = (type_)                                    \
	}
#define OP(op_)		ARG(VACCEL_ARG_UINT8, 1, &(uint8_t){ (uint8_t)(op_) })
#define INT32(value_)	ARG(VACCEL_ARG_INT32, 4, &(int32_t){ (value_) })
#define INT64(value_)	ARG(VACCEL_ARG_INT64, 8, &(int64_t){ (value_) })
#define TEXT_ARG(text_) ARG(VACCEL_ARG_STRING, sizeof(text_), (char[]){ text_ })
/* So many bytes that are not zero. */
#define SIZED(type_, size_) ARG(type_, size_, ((uint8_t[64]){ 1, 1, 1, 1, 1, 1, 1, 1 }))
#define BUFFER(size_)	    SIZED(VACCEL_ARG_BUFFER, size_)
#define UCHARS(size_)	    SIZED(VACCEL_ARG_UCHAR_ARRAY, size_)
#define FLOATS(size_)	    SIZED(VACCEL_ARG_FLOAT32_ARRAY, size_)

#endif
