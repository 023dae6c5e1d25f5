/*
 * registry.h - the policy library: objects that a script gives to a hook in place of a function,
 * and that C runs without entering Lua.
 *
 *   registry.c         which kinds there are; from a script's table to an object
 *   library/NAME.c     one kind a file: its options and what it answers
 *   library/share.c    what several kinds need: keys of peers, the order of a plan
 *   library/watch.c    and: does a backend fail too often?
 *
 * An object is one userdata with a locked metatable: its options never change, its state is inside
 * it, so Lua's memory cap counts it and Lua frees it. A function may ask it too, in a hook that it
 * fits: object:ask(). All on the engine's thread.
 */
#ifndef LUACCEL_POLICY_REGISTRY_H
#define LUACCEL_POLICY_REGISTRY_H

#include "engine.h"

enum { OBJECT_OPTIONS_MAX = 5 };

/*
 * An option: a number from least to most, or one of words (its value is the word's index). With
 * policy_key_words it is an enum policy_key, and "tag:NAME" is a word too.
 */
struct policy_object_option {
	const char *name;
	bool required;
	double least, most, usual;
	const char *const *words; /* NULL-terminated; NULL: a number */
	const char *doc;	  /* the reference's row has it, beside the numbers */
};

struct policy_object;

/* What an object is asked about. */
struct policy_asked {
	struct policy_engine *engine;
	const struct policy_session *session;
	uint64_t now; /* policy_clock() */
};

enum policy_takes {
	TAKES_OPTIONS,	/* quota { rate = 1 } */
	TAKES_BACKENDS, /* round_robin { "a", "b" }: 1 to POLICY_PLAN_MAX, in order */
	TAKES_WEIGHTS,	/* weighted { a = 1, b = 2 }: the same, in the order of their names */
};

struct policy_kind {
	const char *name;
	const char *doc;       /* the reference's row */
	enum policy_hook hook; /* the one that it fits */
	enum policy_takes takes;
	bool kept; /* as long as its generation, named or not: routes refer to it */
	const struct policy_object_option *options; /* up to a NULL name */
	/* What is wrong with the options together; NULL: nothing, also for the function. */
	const char *(*check)(const struct policy_object *object);
	size_t (*state_size)(const struct policy_object *object); /* bytes; they start as zeros */
	void (*start)(struct policy_object *object); /* NULL: zeros are its beginning */
	/*
	 * An answer in the object, good until it is asked again; NULL: nothing to say. Never fails.
	 * NULL itself: it is for routes, and cannot be asked.
	 */
	const struct policy_value *(*ask)(struct policy_object *object,
					  const struct policy_asked *asked);
};

/* All there are, in the order of their names, up to NULL. */
extern const struct policy_kind *const policy_kinds[];
extern const struct policy_kind policy_breaker, policy_cache, policy_canary, policy_concurrency,
	policy_hash, policy_least_inflight, policy_quota, policy_round_robin, policy_sample_of,
	policy_weighted;

struct policy_object {
	const struct policy_kind *kind;
	char name[POLICY_NAME_MAX];	    /* by which its state outlives a reload; may be empty */
	char each[POLICY_NAME_MAX + 16];    /* " for each cid", or empty: for reasons */
	double options[OBJECT_OPTIONS_MAX]; /* in the kind's order */
	double weights[POLICY_PLAN_MAX];    /* of the backends in answer.names */
	size_t state_size;
	struct policy_value answer; /* as declared: line; the backends; quota: the refusal */
	struct policy_value plan;   /* the backends as last ordered */
	_Alignas(8) unsigned char state[];
};

void policy_registry_open(lua_State *L, struct policy_engine *engine); /* metatable; raises */
/* A table of the functions that make objects, by kind. Raises. */
void policy_registry_push(lua_State *L);
/* The object at idx, or NULL when it is something else. Raises nothing. */
struct policy_object *policy_to_object(lua_State *L, struct policy_engine *engine, int idx);
/* Go on where the same hook of the active script of that name stands, if all options agree. */
void policy_object_inherit(const struct policy_engine *engine, const struct script *script,
			   struct policy_object *object);
/*
 * The same for the script's objects that have names, wherever it uses them: their numbers may have
 * changed.
 */
void policy_named_inherit(const struct policy_engine *engine, const struct script *script);

/* ---- library/share.c */

/* Up to KEY_TAGS; the name of a tag's key is the object's to know (each). */
extern const char *const policy_key_words[];
/* The peer's, or the session's tag, as a number; all that have no such thing have the same. */
uint64_t policy_key_of(const struct policy_session *session, enum policy_key by);
uint64_t policy_hash_text(const char *text);
uint64_t policy_hash_bytes(const char *bytes, size_t len);
/* Well distributed, of whatever. */
uint64_t policy_hash_mix(uint64_t number);

/* object->plan: its backends by rank, the least first, those that are down last. */
const struct policy_value *policy_order(struct policy_object *object, const double *rank,
					const struct policy_backend_view *views);
/* What is known of each of its backends; one of which nothing is known is up, and idle. */
void policy_views(const struct policy_object *object, const struct policy_engine *engine,
		  struct policy_backend_view *views);

/* ---- library/watch.c */

struct policy_watch {
	bool begun;
	uint64_t began;		     /* the window */
	uint64_t operations, errors; /* what the backend had counted then */
	uint64_t seen, failed;	     /* in the window, at the last look */
};

struct policy_watch_bounds {
	double errors; /* share of the operations */
	double least;  /* operations */
	double window; /* seconds */
};

/* Did so many fail? Then, and after the window, the count begins anew; seen and failed stay. */
bool policy_watch_fails(struct policy_watch *watch, const struct policy_backend_view *view,
			uint64_t now, const struct policy_watch_bounds *bounds);

#endif
