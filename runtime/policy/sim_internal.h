/*
 * sim_internal.h - what the files of sim.h share. Two Lua states: L is the program's, engine->L the
 * policies'.
 *
 *     sim.c          an engine: a userdata with the engine and its clock
 *     sim_backend.c  backends as the program describes them
 *     sim_session.c  a session: a userdata that keeps its engine; closed by close(), or with the
 *                    garbage
 *     sim_values.c   arguments and answers
 *
 * What scripts write is kept until lines() asks: the engine calls back while policies run, when
 * nothing may happen to the program's state.
 */
#ifndef LUACCEL_POLICY_SIM_INTERNAL_H
#define LUACCEL_POLICY_SIM_INTERNAL_H

#include "engine.h"
#include "tally.h"

enum { BACKENDS_MAX = 64, LINES_MAX = 1000 };

struct sim_backend {
	char name[POLICY_NAME_MAX];
	bool up;
	bool known; /* which operations it has */
	uint64_t operations;
	size_t inflight;
	struct tally tally;
	bool shown; /* what scripts see is this, whatever has happened here */
	struct policy_backend_view view;
};

struct sim {
	unsigned refs; /* the userdata's, and one for each session */
	struct policy_engine *engine;
	uint64_t now;
	struct sim_backend backends[BACKENDS_MAX];
	size_t nr_backends;
	char *lines[LINES_MAX];
	size_t nr_lines;
};

/* The engine that is a method's first argument. Raises. */
struct sim *sim_check(lua_State *L);
void sim_unref(struct sim *sim);
/* A kind of userdata. */
void sim_new_type(lua_State *L, const char *name, const luaL_Reg *methods);

/* What the engine asks, with the simulator as ctx. */
bool sim_view_backend(void *ctx, const char *name, struct policy_backend_view *view);
enum policy_support sim_supports(void *ctx, const char *name, const char *operation);
/* Methods of an engine: see each. */
int sim_backend(lua_State *L);
int sim_served(lua_State *L);
int sim_view(lua_State *L);
int sim_tell(lua_State *L);

/* Make the kind of sessions known; session(id, hint, peer) of an engine. */
void sim_session_open(lua_State *L);
int sim_new_session(lua_State *L);

/* A field of the table at an index; the table keeps the text. They raise when it is another thing.
 */
const char *sim_text(lua_State *L, int table, const char *name); /* NULL: it is not there */
/* From 0 to `most`; false: it is not there. */
bool sim_number(lua_State *L, int table, const char *name, double most, double *value);
size_t sim_size(lua_State *L, int table, const char *name, size_t absent);
bool sim_flag(lua_State *L, int table, const char *name);
struct policy_peer sim_peer(lua_State *L, int table);
/* The strings of the list at idx; the list keeps them. */
size_t sim_list(lua_State *L, int idx, const char **list, size_t most);
/* { verdict =, where =, code =, text =, backends = { ... } } */
int sim_push_decision(lua_State *L, const struct policy_decision *decision);

#endif
