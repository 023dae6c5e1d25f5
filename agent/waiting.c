/*
 * waiting.c - see waiting.h.
 */
#include "waiting.h"
#include "decide.h"
#include "operation.h"
#include "operation_end.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum waiting_state { WAITS, ADMITTED, ASKED_AGAIN };

struct waiting {
	struct policy_waiter waiter;
	struct waitings *waitings;
	struct operation *operation; /* NULL: it has been answered, and `going` is waited for */
	enum waiting_state state;
	struct policy_decision decision; /* what is said if it waits in vain */
	struct loop *loop;		 /* its connection's */
	ev_timer timer;
	struct job going;	    /* to that loop, when it waits no more */
	struct waiting *next, **at; /* in one of the lists */
};

/* ---- the lists */

static void list_init(struct waiting_list *list)
{
	*list = (struct waiting_list){ .last = &list->first };
}

static void link_last(struct waiting_list *list, struct waiting *waiting)
{
	waiting->next = NULL;
	waiting->at = list->last;
	*list->last = waiting;
	list->last = &waiting->next;
	list->count++;
}

static void unlink_from(struct waiting_list *list, struct waiting *waiting)
{
	*waiting->at = waiting->next;
	if (waiting->next)
		waiting->next->at = waiting->at;
	else
		list->last = waiting->at;
	list->count--;
}

/* It stands in the queue no more, for whatever reason. */
static void leave(struct waiting *waiting)
{
	unlink_from(&waiting->waitings->waiting, waiting);
	waiting->operation->session->waiting--;
	policy_wait_leave(&waiting->waiter);
}

/* On its loop: the operation goes on by itself, or has been answered. */
static struct operation *release(struct waiting *waiting)
{
	struct operation *operation = waiting->operation;

	ev_timer_stop(waiting->loop->ev, &waiting->timer);
	free(waiting);
	return operation;
}

/* ---- its turn */

/* Its operation is asked about anew, or, if it was admitted, begins. */
static void go_on(struct waitings *waitings, struct waiting *waiting)
{
	const enum waiting_state state = waiting->state;
	struct operation *operation = waiting->operation;

	if (operation)
		unlink_from(&waitings->going, waiting);
	release(waiting);
	if (operation && state == ADMITTED)
		operation_go_on(operation);
	else if (operation)
		operation_admit(operation);
}

/*
 * They are asked about in the order of their coming, each on its own loop, which passes the rest on
 * to the loop of the next.
 */
static void ask_rest(struct waitings *waitings)
{
	struct waiting *waiting;

	waitings->asking = NULL;
	while ((waiting = waitings->again.first)) {
		unlink_from(&waitings->again, waiting);
		link_last(&waitings->going, waiting);
		if (waiting->loop != loop_current()) {
			waitings->asking = waiting;
			return loop_post(waiting->loop, &waiting->going);
		}
		go_on(waitings, waiting);
	}
}

static void on_going(struct job *job)
{
	struct waiting *waiting = (struct waiting *)((char *)job - offsetof(struct waiting, going));
	struct waitings *waitings = waiting->waitings;
	const bool asked = waitings->asking == waiting;

	go_on(waitings, waiting);
	if (asked)
		ask_rest(waitings);
}

/* Of any loop: whoever made room is in the midst of something, so it goes on later, on its own. */
static void admitted(struct policy_waiter *waiter)
{
	struct waiting *waiting =
		(struct waiting *)((char *)waiter - offsetof(struct waiting, waiter));

	leave(waiting);
	waiting->state = ADMITTED;
	link_last(&waiting->waitings->going, waiting);
	loop_post(waiting->loop, &waiting->going);
}

/* ---- in vain */

static void refuse(struct operation *operation, int code, const char *text)
{
	operation->code = code;
	decide_refused(operation);
	operation_refuse(operation, code, text);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct waiting *waiting = timer->data;
	struct policy_decision *decision = &waiting->decision;
	const struct ttrpc_request *request;

	(void)loop;
	(void)events;
	if (waiting->state != WAITS)
		return; /* that is on its way */
	request = waiting->operation->request;
	leave(waiting);
	if (!request->cut)
		policy_waited(decision);
	refuse(waiting->operation, decision->code, decision->text);
	free(waiting);
}

/* Seconds from now until it has waited long enough, or just behind its deadline. */
static double seconds_left(const struct operation *operation,
			   const struct policy_decision *decision)
{
	const double waited = (double)(agent_now_us() - operation->received_us) / 1e6;
	const double left = decision->wait.seconds - waited;
	const double deadline = ttrpc_request_left(operation->request);

	return deadline >= 0 && deadline < left ? deadline + 0.001 : left;
}

static void start_timer(struct waiting *waiting, double seconds)
{
	struct ev_loop *loop = waiting->loop->ev;

	ev_timer_init(&waiting->timer, on_timer, seconds + ev_time() - ev_now(loop), 0.);
	waiting->timer.data = waiting;
	ev_timer_start(loop, &waiting->timer);
}

void waiting_begin(struct operation *operation, struct policy_decision *decision)
{
	struct waitings *waitings = &operation->agent->waitings;
	struct session *session = operation->session;
	const double seconds = seconds_left(operation, decision);
	struct waiting *waiting = seconds > 0 ? calloc(1, sizeof(*waiting)) : NULL;

	if (!waiting) {
		if (seconds <= 0)
			policy_waited(decision);
		return refuse(operation, decision->code, decision->text);
	}
	waiting->waitings = waitings;
	waiting->operation = operation;
	waiting->decision = *decision;
	waiting->waiter.admitted = admitted;
	waiting->loop = loop_current();
	waiting->going.done = on_going;
	link_last(&waitings->waiting, waiting);
	session->waiting++;
	start_timer(waiting, seconds);
	if (!policy_wait(&waiting->waiter, session->policy, &decision->wait))
		return;
	leave(waiting);
	refuse(release(waiting), decision->code, decision->text);
}

static void take_from(struct waiting_list *list, const struct session *session,
		      struct waiting_list *out, void (*taken)(struct waiting *waiting))
{
	struct waiting *waiting, *next;

	for (waiting = list->first; waiting; waiting = next) {
		next = waiting->next;
		if (waiting->operation->session != session)
			continue;
		taken(waiting);
		link_last(out, waiting);
	}
}

static void unlink_again(struct waiting *waiting)
{
	unlink_from(&waiting->waitings->again, waiting);
}

/* One that was admitted has begun, and ends. */
static void unlink_going(struct waiting *waiting)
{
	unlink_from(&waiting->waitings->going, waiting);
	if (waiting->state == ADMITTED)
		policy_session_ended(waiting->operation->session->policy);
}

void waiting_session_ended(struct session *session)
{
	struct waitings *waitings = &session->agent->waitings;
	struct operation *operation;
	struct waiting_list all;
	struct waiting *waiting;
	char why[80];

	list_init(&all);
	if (session->waiting)
		take_from(&waitings->waiting, session, &all, leave);
	take_from(&waitings->again, session, &all, unlink_again);
	take_from(&waitings->going, session, &all, unlink_going);
	snprintf(why, sizeof(why), "session %" PRId64 " has ended", session->id);
	while ((waiting = all.first)) {
		unlink_from(&all, waiting);
		operation = waiting->operation;
		waiting->operation = NULL;
		if (!waiting->going.posted)
			release(waiting); /* else it goes with what is on its way */
		refuse(operation, VACCEL_ESESS, why);
	}
}

/* ---- all of them */

/* All leave before the first is asked about: each is asked as if it came now. */
void waiting_ask_again(struct agent *agent)
{
	struct waitings *waitings = &agent->waitings;
	struct waiting *waiting;

	while ((waiting = waitings->waiting.first)) {
		leave(waiting);
		waiting->state = ASKED_AGAIN;
		link_last(&waitings->again, waiting);
	}
	if (!waitings->asking)
		ask_rest(waitings);
}

void waiting_init(struct agent *agent)
{
	list_init(&agent->waitings.waiting);
	list_init(&agent->waitings.going);
	list_init(&agent->waitings.again);
}
