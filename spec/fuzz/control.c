/*
 * control.c - the control socket in the fuzz target agent.c (family.h): its second peer is an
 * operator's, who lists, closes, drains, reloads, listens and records while the first is a guest.
 *
 * Where the operator listens is nowhere: in place of runtime/ttrpc/listener.c, so that no input
 * makes, owns or removes a file. An address that ends in '!' cannot be had.
 */
#include "control.h"
#include "bounds.h"
#include "decide.h"
#include "family.h"
#include "fuzz.h"
#include "server_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.pb-c.h"

static struct options options;
static struct lifecycle life = { .options = &options };
static struct ttrpc_listener operators;

/* As control.c has them. */
const struct method control_methods[] = {
	{ "Info", &luaccel__v1__control_request__descriptor, NULL },
	{ "Sessions", &luaccel__v1__session_request__descriptor, NULL },
	{ "Close", &luaccel__v1__session_request__descriptor, NULL },
	{ "Drain", &luaccel__v1__control_request__descriptor, NULL },
	{ "Reload", &luaccel__v1__control_request__descriptor, NULL },
	{ "Listen", &luaccel__v1__listen_request__descriptor, NULL },
	{ "Unlisten", &luaccel__v1__listen_request__descriptor, NULL },
	{ "Record", NULL, NULL },
	{ NULL, NULL, NULL },
};

int ttrpc_server_listen(struct ttrpc_server *server, const struct ttrpc_address *address,
			const struct ttrpc_listen_options *how, const char *name,
			struct ttrpc_listener **listener, char *err, size_t errsize)
{
	struct ttrpc_listener *made = calloc(1, sizeof(*made));
	int code = ttrpc_address_parse(address->uri, &made->address, err, errsize);

	(void)how;
	(void)name;
	if (!code && address->uri[strlen(address->uri) - 1] == '!') {
		snprintf(err, errsize, "%s: is taken", address->uri);
		ttrpc_address_release(&made->address);
		code = -EADDRINUSE;
	}
	if (code) {
		free(made);
		return code;
	}
	made->server = server;
	made->next = server->listeners;
	server->listeners = made;
	*listener = made;
	return 0;
}

void ttrpc_listener_free(struct ttrpc_listener *listener)
{
	struct ttrpc_listener **link;

	if (!listener)
		return;
	for (link = &listener->server->listeners; *link != listener;)
		link = &(*link)->next;
	*link = listener->next;
	ttrpc_address_release(&listener->address);
	free(listener);
}

const struct ttrpc_address *ttrpc_listener_address(const struct ttrpc_listener *listener)
{
	return &listener->address;
}

bool ttrpc_listener_any_cid(const struct ttrpc_listener *listener)
{
	(void)listener;
	return false;
}

/* Of the file that a listener has not made. */
__attribute__((visibility("default"))) int chown(const char *path, uid_t uid, gid_t gid)
{
	(void)path;
	(void)gid;
	errno = EPERM;
	return uid % 2 ? -1 : 0;
}

/* A reload finds no scripts; in place of decide.c. */
int decide_load(struct agent *agent, const char *const *scripts, size_t nr_scripts, char *err,
		size_t errsize)
{
	(void)agent;
	(void)scripts;
	fuzz_check(nr_scripts == 0);
	snprintf(err, errsize, "there are no scripts");
	return -1;
}

static void open_control(struct agent *agent)
{
	static const struct policy_engine_options plain = { 0 };
	static char name[] = "control", *arguments[] = { name, NULL };
	char err[256];

	options_init(&options);
	fuzz_check(policy_engine_new(&plain, &agent->engine, err, sizeof(err)) == 0);
	agent->listeners.server = agent->server;
	bounds_set(agent, &options);
	life.agent = agent;
	life.argc = 1;
	life.argv = arguments;
	/* Its watchers are to be there; signals are libFuzzer's. */
	lifecycle_start(&life);
	lifecycle_stop(&life);
	fuzz_check(control_new(&life, "unix:///control", &life.control, err, sizeof(err)) == 0);
	operators = (struct ttrpc_listener){ .server = life.control->server, .name = name };
}

static struct ttrpc_listener *operators_come(void)
{
	return &operators;
}

/* What waits for a tick of the recorders, or for their pace. */
static void tick(void)
{
	ev_timer *timer = &life.agent->record.tick;

	if (ev_is_active(timer))
		ev_invoke(life.agent->loop, timer, EV_TIMER);
}

static bool closes(void)
{
	return life.drains;
}

static void end(void)
{
	struct ttrpc_server_stats stats;

	lifecycle_stop(&life);
	life.drains = false;
	life.agent->record.ended = 0;
	tick();
	fuzz_check(!record_is_on(life.agent) && !ev_is_active(&life.agent->record.tick));
	ttrpc_server_stats(life.control->server, &stats);
	fuzz_check(stats.connections == 0 && stats.requests == 0);
	fuzz_check(stats.bytes_held == 0 && stats.bytes_out == 0);
	fuzz_check(!life.agent->listeners.first);
}

const struct family_control family_control = {
	&control_methods[7], open_control, operators_come, tick, closes, end,
};
