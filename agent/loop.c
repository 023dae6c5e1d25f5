/*
 * loop.c - see loop.h.
 */
#include "loop.h"
#include <errno.h>
#include <stdlib.h>

_Thread_local struct loop *loop_of_thread;

double loop_now(void)
{
	return ev_now(loop_current()->ev);
}

/* Oldest first. */
static struct job *take_mail(struct loop *loop)
{
	struct job *job = atomic_exchange_explicit(&loop->mail, NULL, memory_order_acquire);
	struct job *mail = NULL, *next;

	for (; job; job = next) {
		next = job->next;
		job->next = mail;
		mail = job;
	}
	return mail;
}

/* False: there is none. */
static bool deliver(struct loop *loop)
{
	struct job *job = take_mail(loop), *next;
	const bool any = job;

	for (; job; job = next) {
		next = job->next;
		job->posted = false;
		if (job->pending)
			--*job->pending;
		job->done(job);
	}
	return any;
}

static void on_mail(struct ev_loop *ev, ev_async *watcher, int events)
{
	(void)ev;
	(void)events;
	deliver(watcher->data);
}

void loop_post(struct loop *loop, struct job *job)
{
	struct job *first = atomic_load_explicit(&loop->mail, memory_order_relaxed);

	job->posted = true;
	do
		job->next = first;
	while (!atomic_compare_exchange_weak_explicit(&loop->mail, &first, job,
						      memory_order_release, memory_order_relaxed));
	if (!first)
		loop_wake(loop);
}

void loop_do(struct loop *loop, struct job *job)
{
	if (loop == loop_current())
		job->done(job);
	else if (!job->posted)
		loop_post(loop, job);
}

void loop_wake(struct loop *loop)
{
	ev_async_send(loop->ev, &loop->arrived);
}

static struct loop *loop_new(struct loops *loops, struct ev_loop *ev, unsigned number)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->ev = ev ? ev : ev_loop_new(EVFLAG_AUTO);
	if (!loop->ev) {
		free(loop);
		return NULL;
	}
	loop->number = number;
	loop->all = loops;
	atomic_init(&loop->mail, NULL);
	ev_async_init(&loop->arrived, on_mail);
	loop->arrived.data = loop;
	ev_async_start(loop->ev, &loop->arrived);
	return loop;
}

int loops_open(struct loops *loops, struct ev_loop *first, unsigned count)
{
	*loops = (struct loops){ .count = 0 };
	pthread_mutex_init(&loops->lock, NULL);
	for (; loops->count < count; loops->count++) {
		loops->loop[loops->count] =
			loop_new(loops, loops->count ? NULL : first, loops->count);
		if (loops->loop[loops->count])
			continue;
		loops_close(loops);
		return -ENOMEM;
	}
	loop_of_thread = loops->loop[0];
	return 0;
}

void loops_close(struct loops *loops)
{
	struct loop *loop;

	while (loops->count) {
		loop = loops->loop[--loops->count];
		ev_async_stop(loop->ev, &loop->arrived);
		if (loop->number)
			ev_loop_destroy(loop->ev);
		free(loop);
	}
	pthread_mutex_destroy(&loops->lock);
	loop_of_thread = NULL;
}

static void release(struct ev_loop *ev)
{
	pthread_mutex_unlock(ev_userdata(ev));
}

static void acquire(struct ev_loop *ev)
{
	pthread_mutex_lock(ev_userdata(ev));
}

void loops_begin(struct loops *loops)
{
	unsigned i;

	loop_of_thread = NULL;
	loops->shared = loops->count > 1;
	for (i = 0; loops->shared && i < loops->count; i++) {
		ev_set_userdata(loops->loop[i]->ev, &loops->lock);
		ev_set_loop_release_cb(loops->loop[i]->ev, release, acquire);
	}
}

void loops_end(struct loops *loops)
{
	bool delivered;
	unsigned i;

	for (i = 0; i < loops->count; i++)
		ev_set_loop_release_cb(loops->loop[i]->ev, NULL, NULL);
	loops->shared = false;
	do { /* what is done may post to a loop that has had its mail */
		delivered = false;
		for (i = loops->count; i-- > 0;) {
			loop_of_thread = loops->loop[i];
			delivered |= deliver(loop_of_thread);
		}
	} while (delivered);
}
