/*
 * driver.h - what the driver's files share: answers, names and files (driver_answer.c), operations
 * (driver_ops.c, driver_every.c), and everything else (driver.c, which says what the driver is).
 * One thread.
 */
#ifndef SPEC_DRIVER_H
#define SPEC_DRIVER_H

#include "luaccel.h"
#include "vaccel.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOTS = 64, NAME_SIZE = 32, TEXT_SIZE = 1024 };

struct slot {
	char name[NAME_SIZE];
	void *object; /* NULL: free */
};

extern struct slot sessions[SLOTS];
extern struct slot resources[SLOTS];
extern const char *prefix;	/* "CHILD " in a forked child */
extern uint64_t started, ended; /* of the last vAccel call, in ns */

uint64_t now_ns(void);

/* TIMED(vaccel_...(...)): the call's code, with its times in started and ended. */
#define TIMED(call)                                                                                \
	({                                                                                         \
		started = now_ns();                                                                \
		int timed_code = (call);                                                           \
		ended = now_ns();                                                                  \
		timed_code;                                                                        \
	})

/* The parts of an answer: begin_ok(), any printf of ` name=value`, print_text(), end_line(). */
void begin_ok(void);
void print_text(const char *text); /* ` text=...`, in one line whatever is in it */
void end_line(void);

/* Whole answers. */
__attribute__((format(printf, 1, 2))) void say_ok(const char *format, ...);
void say_error(int code);
void say_error_at(int code, const char *step);
void answer(int code);
/* The driver itself was misused, or a file of the spec is missing: not a code of the library. */
void say_misuse(const char *what);

struct slot *slot_find(struct slot *slots, const char *name);
void slot_add(struct slot *slots, const char *name, void *object);
struct vaccel_session *session(const char *name); /* NULL: none of that name */
struct vaccel_resource *resource(const char *name);

/* The whole file and a NUL, to be freed; NULL (and the answer given) when it cannot be read. */
char *read_file(const char *path, size_t *size);
/* Keep bytes that the library goes on using, until the program ends; false: out of memory. */
bool keep_bytes(char *bytes);

/* Commands, as driver.c lists them; word[0] is the command itself. */
void cmd_classify(char **word);
void cmd_named(char **word);
void cmd_say(char **word);
void cmd_tags(char **word);
void cmd_heldout(char **word);
void cmd_fill(char **word);
void cmd_loop(char **word);
void cmd_load(char **word);
void cmd_run(char **word);
void cmd_noop(char **word);
void cmd_churn(char **word);
void cmd_every(char **word);

#endif
