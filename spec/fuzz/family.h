/*
 * family.h - which family of requests a program of the fuzz target agent.c is for. family.c is
 * compiled once for each, and everything else once for all.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include "service.h"

enum { FAMILY_PARTS = 5 };

/* What the program for the control socket has beside (control.c). */
struct family_control {
	const struct method *stream;
	void (*open)(struct agent *agent);	  /* once */
	struct ttrpc_listener *(*listener)(void); /* where operators come in */
	void (*tick)(void);			  /* time passes */
	bool (*closes)(void); /* the agent leaves, and hangs up on whoever is there */
	void (*end)(void);    /* of a run, when all peers have gone */
};

extern const struct method control_methods[];
extern const struct family_control family_control;

/* Tables of methods; NULL after the last. */
struct family {
	const struct method *parts[FAMILY_PARTS];
	const struct family_control *control; /* NULL: the program is not for it */
};

extern const struct family fuzz_family;

#endif
