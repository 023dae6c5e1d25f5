/*
 * timers.c - see timers.h.
 */
#include "timers.h"
#include "agent.h"

static void set(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct agent *agent = prepare->data;
	struct timers *timers = &agent->timers;
	uint64_t due = policy_next_timer(agent->engine), now;

	(void)events;
	if (due == timers->set_to)
		return;
	timers->set_to = due;
	ev_timer_stop(loop, &timers->timer);
	if (due == UINT64_MAX)
		return;
	now = agent_now_us() * 1000;
	ev_now_update(loop);
	ev_timer_set(&timers->timer, due > now ? (double)(due - now) / 1e9 : 0., 0.);
	ev_timer_start(loop, &timers->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;

	(void)loop;
	(void)events;
	agent->timers.set_to = 0;
	policy_run_timer(agent->engine);
}

/* A hook that ran on another loop has set one that is nearer. */
static void look(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	const struct agent *agent = prepare->data;

	(void)loop;
	(void)events;
	if (policy_next_timer(agent->engine) < agent->timers.set_to)
		loop_wake(agent->loops.loop[0]);
}

/* With the first loop, or with another. */
static void start_prepare(struct agent *agent, struct loop *loop)
{
	ev_prepare *prepare = &agent->timers.before_waiting[loop->number];

	ev_prepare_init(prepare, loop->number ? look : set);
	prepare->data = agent;
	ev_prepare_start(loop->ev, prepare);
}

void timers_start(struct agent *agent)
{
	struct timers *timers = &agent->timers;
	unsigned i;

	timers->set_to = UINT64_MAX;
	ev_timer_init(&timers->timer, on_timer, 0., 0.);
	timers->timer.data = agent;
	for (i = 0; i < agent->loops.count; i++)
		start_prepare(agent, agent->loops.loop[i]);
}

void timers_stop(struct agent *agent)
{
	unsigned i;

	for (i = 0; i < agent->loops.count; i++)
		ev_prepare_stop(agent->loops.loop[i]->ev, &agent->timers.before_waiting[i]);
	ev_timer_stop(agent->loop, &agent->timers.timer);
}
