/*
 * session.c - see session.h.
 */
#include "session.h"
#include "answers.h"
#include "connection.h"
#include "log.h"
#include "operation.h"
#include "resource.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session *session_make(struct agent *agent, struct account *account, int64_t id,
				    uint32_t hint)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->farewell = calloc(1, sizeof(*session->farewell));
	if (!session->farewell) {
		free(session);
		return NULL;
	}
	session->agent = agent;
	session->refs = 1;
	session->id = id;
	session->hint = hint;
	session->began_us = agent_now_us();
	strand_init(&session->strand);
	session->account = account_ref(account);
	return session;
}

struct session *session_new(struct connection *connection, int64_t id, uint32_t hint)
{
	struct session *session = session_make(connection->agent, connection->account, id, hint);

	if (!session)
		return NULL;
	session->connection = connection;
	ttrpc_peer_str(ttrpc_conn_peer(connection->conn), session->peer, sizeof(session->peer));
	snprintf(session->listener, sizeof(session->listener), "%s",
		 ttrpc_conn_listener_name(connection->conn));
	return session;
}

struct session *session_new_side(const struct session *home)
{
	struct session *side = session_make(home->agent, home->account, home->id, home->hint);

	if (!side)
		return NULL;
	side->is_side = true;
	side->nr_via = home->nr_via;
	memcpy(side->via, home->via, sizeof(side->via));
	memcpy(side->peer, home->peer, sizeof(side->peer));
	memcpy(side->listener, home->listener, sizeof(side->listener));
	return side;
}

struct operation *session_farewell(struct session *session, const struct operation_class *class)
{
	struct operation *operation = session->farewell;

	session->farewell = NULL;
	operation_init(operation, class, session, NULL);
	return operation;
}

struct session *session_ref(struct session *session)
{
	session->refs++;
	return session;
}

void session_unref(struct session *session)
{
	if (--session->refs)
		return;
	assert(!session->leg.session && strand_idle(&session->strand));
	while (session->registrations)
		session_forget(session, session->registrations);
	if (session->policy)
		policy_session_free(session->agent->policy, session->policy);
	if (!session->is_side)
		account_give(session->account, ACCOUNT_SESSIONS, 1);
	account_unref(session->account);
	if (session->answers)
		answers_unref(session->answers);
	profile_free(session->profile);
	free(session->farewell);
	free(session);
}

struct registration *session_registration(const struct session *session,
					  const struct resource *resource)
{
	struct registration *registration = session->registrations;

	while (registration && registration->resource != resource)
		registration = registration->next;
	return registration;
}

struct registration *session_first_model(const struct session *session)
{
	struct registration *registration = session->registrations;

	while (registration && registration->resource->type != VACCEL_RESOURCE_MODEL)
		registration = registration->next;
	return registration;
}

struct registration *session_register(struct session *session, struct resource *resource)
{
	struct registration *registration = calloc(1, sizeof(*registration)), **last;

	if (!registration)
		return NULL;
	registration->resource = resource_ref(resource);
	resource->registrations++;
	for (last = &session->registrations; *last; last = &(*last)->next)
		;
	*last = registration;
	return registration;
}

void session_forget(struct session *session, struct registration *registration)
{
	struct registration **at = &session->registrations;

	assert(!registration->replica);
	while (*at != registration)
		at = &(*at)->next;
	*at = registration->next;
	registration->resource->registrations--;
	resource_unref(registration->resource);
	free(registration);
}

bool session_is_entered(const struct session *session)
{
	const struct registration *at;

	if (!session->leg.session)
		return false;
	for (at = session->registrations; at; at = at->next)
		if (!at->replica || (at->load & ~at->loaded))
			return false;
	return true;
}

bool session_has_next(const struct session *session)
{
	size_t i;

	for (i = session->at + 1; i < session->plan.count; i++)
		if (session->plan.backends[i]->up)
			return true;
	return false;
}

bool session_next_may_know(const struct session *session, vaccel_op_type_t type)
{
	size_t i;

	for (i = session->at + 1; i < session->plan.count; i++)
		if (session->plan.backends[i]->up &&
		    !backend_lacks(session->plan.backends[i], type))
			return true;
	return false;
}

void session_next(struct session *session, const char *what, const char *reason)
{
	size_t length = strlen(session->why);
	const struct backend *backend = session->plan.backends[session->at];

	snprintf(session->why + length, sizeof(session->why) - length, "%s%s:%s%s%s",
		 length ? "," : "", backend->name, what, reason[0] ? ": " : "", reason);
	session->at++;
}

/* us as milliseconds with one decimal. */
static double ms(uint64_t us)
{
	return (double)us / 1000.0;
}

static const char *bytes_str(uint64_t bytes, char *buf, size_t size)
{
	if (bytes < 1000)
		snprintf(buf, size, "%" PRIu64 "B", bytes);
	else if (bytes < 1000000)
		snprintf(buf, size, "%.0fkB", (double)bytes / 1e3);
	else
		snprintf(buf, size, "%.1fMB", (double)bytes / 1e6);
	return buf;
}

/* "gpu:down" of "gpu:down: libvaccel-gpu.so: cannot open ...": a value without spaces. */
static int why_length(const char *why)
{
	const char *end = strstr(why, ": ");

	return (int)(end ? (size_t)(end - why) : strlen(why));
}

bool session_may_log(const struct session *session)
{
	return account_may_log(session->account, loop_now());
}

void session_log_end(const struct session *session)
{
	const struct plan *plan = &session->plan;
	char in[32], out[32];

	if (session->is_side || !session_may_log(session))
		return;
	log_info("Destroyed session %" PRId64, session->id);
	log_info("session %" PRId64 " peer=%s backend=%s want=%s%s%.*s plan=%s ops=%" PRIu64
		 " err=%" PRIu64 " wait=%.1f/%.1fms svc=%.1f/%.1fms in=%s out=%s end=%s",
		 session->id, session->peer,
		 session->at < plan->count ? plan->backends[session->at]->name : "none",
		 plan->count ? plan->backends[0]->name : "none", session->why[0] ? " why=" : "",
		 why_length(session->why), session->why, plan->where, session->operations,
		 session->errors, ms(histogram_median(&session->wait)), ms(session->wait.largest),
		 ms(histogram_median(&session->service)), ms(session->service.largest),
		 bytes_str(session->bytes_in, in, sizeof(in)),
		 bytes_str(session->bytes_out, out, sizeof(out)), session->end);
}
