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

void timers_start(struct agent *agent)
{
	struct timers *timers = &agent->timers;

	timers->set_to = UINT64_MAX;
	ev_timer_init(&timers->timer, on_timer, 0., 0.);
	timers->timer.data = agent;
	ev_prepare_init(&timers->before_waiting, set);
	timers->before_waiting.data = agent;
	ev_prepare_start(agent->loop, &timers->before_waiting);
}

void timers_stop(struct agent *agent)
{
	ev_prepare_stop(agent->loop, &agent->timers.before_waiting);
	ev_timer_stop(agent->loop, &agent->timers.timer);
}
