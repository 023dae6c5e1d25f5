/*
 * words.c - what of scripts' words is data: the functions that make values, and the fields of what
 * hooks are given. A field that is not here does not exist for scripts (objects.lua, backends.c); a
 * function that has no row is an error of a unit test (policy_reference.c).
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

const struct policy_word policy_words[] = {
	{ "backends { NAME = plugin …, NAME = remote … }",
	  "while loading; any number of times; at most 64 names" },
	{ "plugin \"NAME\"`, `plugin \"NAME\" { KEY = VALUE, … }",
	  "while loading, inside `backends`" },
	{ "remote \"URI\"",
	  "while loading, inside `backends`; no options; two backends may be one agent" },
	{ "route \"a\"`, `route(\"a\", \"b\")`, `route { \"a\", \"b\" }",
	  "1 to 8 different backends" },
	{ "route { \"a\", ttl = , uses = , sticky = }",
	  "the same, remembered: for 0.001 to 2,592,000 seconds, for 1 to 1,000,000,000 later "
	  "sessions, or with `true` without such a limit" },
	{ "route { \"a\", deadline = }",
	  "0.001 to 86,400 seconds for each operation; goes with the others" },
	{ "route { \"a\", per_op = true }",
	  "`op_route` is asked for each of the session's operations that may run twice" },
	{ "route { \"a\", cache = }",
	  "what `cache { }` made: the session's operations are answered with [what equal ones got "
	  "before](#answers-that-are-kept); goes with the others but per_op" },
	{ "retry \"a\"`, `retry { \"a\", \"b\" }",
	  "1 to 8 backends: the first that is up and has the operation runs it again" },
	{ "mirror \"a\"", "one backend, which runs the operation too" },
	{ "reject(REASON [, CODE])`, `reject { reason =, code = }",
	  "CODE is a number or a name (`\"EPERM\"`, `\"EBUSY\"`, `\"EAGAIN\"`, `\"EINVAL\"`, … as "
	  "in vaccel/error.h without `VACCEL_`); the reason is cut at 159 bytes" },
	{ "every(SECONDS, FUNCTION)`, `after(SECONDS, FUNCTION)",
	  "0.01 to 1e7 seconds; at most 64 timers of a script at a time; nothing is passed or "
	  "returned" },
	{ "log(…)`, `print(…)",
	  "one line in the agent's log, `policy NAME: …`; 20 a second for each script, control "
	  "characters as `\\xNN`" },
	{ "shared_counter \"NAME\"`, `shared_table \"NAME\"",
	  "while loading; see [below](#in-common-counters-and-tables)" },
	{ "metric { name =, help =, kind =, labels = }",
	  "while loading; see [below](#numbers-of-your-own-metrics)" },
	{ .form = NULL },
};

const struct policy_field policy_fields[] = {
	{ "session", "age", "seconds since it was created" },
	{ "session", "backend", "its name, once the session is routed" },
	{ "session", "hint", "a number: what its program asked for" },
	{ "session", "id", "a number" },
	{ "session", "inflight", "operations that were admitted and have not ended" },
	{ "session", "peer", "its peer, with the fields of `peer`" },
	{ "session", "plan", "the line that decided, once the session is routed" },
	{ "session", "tags",
	  "yours: up to 64 strings, numbers or booleans under names of at most 256 bytes; strings "
	  "of at most 256 bytes" },
	{ "peer", "addr", "of tcp: its address" },
	{ "peer", "cid", "of vsock: its CID" },
	{ "peer", "gid", "of unix: the number of its group" },
	{ "peer", "listener", "the name of the address that it came by" },
	{ "peer", "pid", "of unix: its process" },
	{ "peer", "transport", "`\"unix\"`, `\"vsock\"` or `\"tcp\"`" },
	{ "peer", "uid", "of unix: the number of its user" },
	{ "resource", "bytes", "how many it has; nil when it names paths or URLs" },
	{ "resource", "digest", "nil: no agent has one" },
	{ "resource", "id", "a number; nil for one that is new" },
	{ "resource", "names", "a list: its blobs' names, or its paths and URLs" },
	{ "resource", "type", "`\"model\"`, `\"lib\"` or `\"data\"`" },
	{ "op", "attempt", "1, and more when it is tried again" },
	{ "op", "backend", "where it is to run, or ran" },
	{ "op", "bytes_in", "bytes of its request" },
	{ "op", "deadline",
	  "seconds left, 0 when they are over; nil without one, and in `op_done`" },
	{ "op", "id", "a number; nil in an application" },
	{ "op", "idempotent", "a boolean: it may run twice" },
	{ "op", "name", "`\"image_classify\"`, `\"torch_model_run\"`, …" },
	{ "op", "session", "its session, with the fields of `s`" },
	{ "result", "backend", "the one that answered" },
	{ "result", "bytes_out", "bytes of the answer" },
	{ "result", "cached", "a boolean: it is the answer of an earlier operation" },
	{ "result", "code", "0 is success" },
	{ "result", "mirror",
	  "`\"equal\"`, `\"differ\"` or `\"failed\"` of one that ran beside another; else nil" },
	{ "result", "queue_us", "microseconds that it waited" },
	{ "result", "service_us", "microseconds that it ran" },
	{ "backend", "errors", "operations that have ended so, since the agent started" },
	{ "backend", "inflight",
	  "work that it has and has not done, of all sessions; what waits for a turn is not in "
	  "it" },
	{ "backend", "name", "as it was declared" },
	{ "backend", "operations",
	  "that it has ended, since the agent started; errors among them" },
	{ "backend", "p50_us",
	  "microseconds that operations took there, the median of the last thousand or two that "
	  "succeeded; right within 12 %. nil before the first" },
	{ "backend", "p99_us", "what 99 % of them stayed below" },
	{ "backend", "state",
	  "`\"up\"`, `\"down\"`, or `\"probing\"`: down, and being tried at the moment" },
	{ "backend", "supports",
	  "`backends.gpu.supports \"image_classify\"`: true or false; nil where nobody knows "
	  "beforehand: of a remote agent, of a plugin that could not be loaded" },
	{ "backend", "up", "a boolean" },
	{ .of = NULL },
};

void policy_fields_list(const char *of, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (const struct policy_field *f = policy_fields; f->of; f++)
		if (strcmp(f->of, of) == 0 && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", f->name);
}

void policy_push_fields(lua_State *L)
{
	const struct policy_field *f = policy_fields;

	lua_newtable(L);
	while (f->of) {
		const char *of = f->of;

		lua_newtable(L); /* fields list */
		for (int i = 1; f->of && strcmp(f->of, of) == 0; f++, i++) {
			lua_pushstring(L, f->name);
			lua_rawseti(L, -2, i);
		}
		lua_setfield(L, -2, of);
	}
}
