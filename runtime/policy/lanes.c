/*
 * lanes.c - operations that wait until fewer run for the sessions of one key (crowds.c).
 *
 * A lane is a queue of one crowd, for one limit: those of two objects with different limits do not
 * stand in each other's way. It lives as long as somebody waits in it. Nobody waits where there is
 * room: whoever makes room lets in the first. Waiters are their owners' memory. On the engine's
 * thread.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct policy_lane {
	struct policy_crowd *crowd;
	struct policy_lane *next;
	long limit;
	size_t waiting;
	struct policy_waiter *first, **last;
};

static struct policy_lane **place_of(struct policy_crowd *crowd, long limit)
{
	struct policy_lane **place = &crowd->lanes;

	while (*place && (*place)->limit != limit)
		place = &(*place)->next;
	return place;
}

static struct policy_lane *find(const struct policy_session *session,
				const struct policy_wait *wait)
{
	return *place_of(session->crowds[wait->by], wait->limit);
}

static bool has_room(const struct policy_crowd *crowd, long limit)
{
	return atomic_load_explicit(&crowd->inflight, memory_order_relaxed) < limit;
}

bool policy_must_wait(const struct policy_session *session, const struct policy_wait *wait)
{
	return !has_room(session->crowds[wait->by], wait->limit) || find(session, wait);
}

size_t policy_nr_waiting(const struct policy_session *session, const struct policy_wait *wait)
{
	const struct policy_lane *lane = find(session, wait);

	return lane ? lane->waiting : 0;
}

/* The lane goes with the last. */
static void take_out(struct policy_waiter *waiter)
{
	struct policy_lane *lane = waiter->lane;

	*waiter->at = waiter->next;
	if (waiter->next)
		waiter->next->at = waiter->at;
	else
		lane->last = waiter->at;
	waiter->lane = NULL;
	if (--lane->waiting)
		return;
	*place_of(lane->crowd, lane->limit) = lane->next;
	free(lane);
}

static struct policy_lane *lane_for(struct policy_crowd *crowd, long limit)
{
	struct policy_lane **place = place_of(crowd, limit);

	if (*place)
		return *place;
	*place = calloc(1, sizeof(**place));
	if (!*place)
		return NULL;
	(*place)->crowd = crowd;
	(*place)->limit = limit;
	(*place)->last = &(*place)->first;
	return *place;
}

int policy_wait(struct policy_waiter *waiter, struct policy_session *session,
		const struct policy_wait *wait)
{
	struct policy_crowd *crowd = session->crowds[wait->by];
	struct policy_lane *lane;

	waiter->session = session;
	waiter->lane = NULL;
	if (policy_nr_waiting(session, wait) >= wait->queue)
		return -EAGAIN;
	lane = lane_for(crowd, wait->limit);
	if (!lane)
		return -ENOMEM;
	waiter->lane = lane;
	waiter->next = NULL;
	waiter->at = lane->last;
	*lane->last = waiter;
	lane->last = &waiter->next;
	lane->waiting++;
	policy_lanes_let_in(crowd);
	return 0;
}

void policy_wait_leave(struct policy_waiter *waiter)
{
	if (waiter->lane)
		take_out(waiter);
}

void policy_waited(struct policy_decision *decision)
{
	const size_t len = strlen(decision->text);

	decision->verdict = POLICY_REJECT;
	policy_format(decision->text + len, sizeof(decision->text) - len, "; waited %g s",
		      decision->wait.seconds);
}

/* The lane may be gone afterwards. */
static void let_in(struct policy_lane *lane)
{
	for (size_t n = lane->waiting; n > 0 && has_room(lane->crowd, lane->limit); n--) {
		struct policy_waiter *waiter = lane->first;

		take_out(waiter);
		policy_session_begins(waiter->session);
		waiter->admitted(waiter);
	}
}

void policy_lanes_let_in(struct policy_crowd *crowd)
{
	for (struct policy_lane *lane = crowd->lanes, *next; lane; lane = next) {
		next = lane->next;
		let_in(lane);
	}
}

void policy_lanes_forked(struct policy_crowd *crowd)
{
	struct policy_lane *lane;

	while ((lane = crowd->lanes)) {
		crowd->lanes = lane->next;
		free(lane);
	}
}
