/*
 * record_send.c - the recorders of record.h: each is a stream of the control socket (Record), which
 * its peer ends when it has enough. Ten times a second, and soon when a chunk is whole, what waits
 * is sent; an empty message tells the peer that the agent is there.
 *
 * Nothing is sent from where lines are made: a connection that fails is closed at once, which must
 * not happen in the midst of a decision. A recorder whose peer has gone is let go of by the next
 * tick.
 */
#include "agent.h"
#include "control.pb-c.h"
#include "record.h"
#include "reply.h"
#include <errno.h>
#include <stdlib.h>

static const double TICK = 0.1, PATIENCE = 1;

/* No more on its way at once: the rest waits where its bound is. */
enum { AT_ONCE = 8 };

static void unref(struct recorder *recorder)
{
	if (--recorder->refs)
		return;
	record_queue_release(&recorder->queue);
	free(recorder);
}

static void was_sent(void *arg)
{
	struct record_chunk *chunk = arg;
	struct recorder *recorder = chunk->owner;

	record_queue_give(&recorder->queue, chunk);
	unref(recorder);
}

/* The request is gone afterwards, and with it what the peer could still get. */
static void let_go(struct recorder *recorder, int status, const char *why)
{
	struct ttrpc_request *request = recorder->request;

	recorder->request = NULL;
	reply_status(request, status, "%s", why);
}

/* NULL: a message without lines. False: it could not be sent. */
static bool send_chunk(struct recorder *recorder, struct record_chunk *chunk)
{
	Luaccel__V1__RecordResponse response = LUACCEL__V1__RECORD_RESPONSE__INIT;
	int ret;

	response.recorded = recorder->lines;
	response.lost = recorder->queue.lost;
	response.connections = recorder->connections;
	response.sessions = recorder->sessions;
	response.resources = recorder->resources;
	response.operations = recorder->operations;
	response.over = recorder->over;
	if (!chunk)
		return ttrpc_request_send(recorder->request, &response.base, NULL, NULL) == 0;
	response.lines.data = (uint8_t *)chunk->text;
	response.lines.len = chunk->size;
	chunk->owner = recorder;
	recorder->refs++;
	ret = ttrpc_request_send(recorder->request, &response.base, was_sent, chunk);
	if (ret)
		was_sent(chunk);
	if (ret && recorder->request)
		let_go(recorder, TTRPC_RESOURCE_EXHAUSTED, "out of memory");
	return ret == 0;
}

/* As long as it has a peer: that may go in any call. */
static void flush(struct recorder *recorder)
{
	struct record_queue *queue = &recorder->queue;
	struct record_chunk *chunk;

	if (recorder->ending)
		record_queue_tell(queue,
				  recorder->agent->record.now - recorder->agent->record.origin);
	while (recorder->request && queue->nr_taken < AT_ONCE) {
		chunk = record_queue_take(queue, recorder->ending || !queue->nr_taken);
		if (!chunk || !send_chunk(recorder, chunk))
			break;
	}
	if (!recorder->request || recorder->over || queue->nr_taken)
		return;
	recorder->over = recorder->ending && !queue->first && !queue->untold;
	if (!send_chunk(recorder, NULL))
		recorder->over = false;
}

static void sweep(struct record *record)
{
	struct recorder **at = &record->first, *recorder;

	while ((recorder = *at)) {
		if (recorder->request) {
			at = &recorder->next;
			continue;
		}
		*at = recorder->next;
		unref(recorder);
	}
}

static void flush_all(struct agent *agent)
{
	struct recorder *recorder;

	for (recorder = agent->record.first; recorder; recorder = recorder->next)
		flush(recorder);
	sweep(&agent->record);
	if (!agent->record.first)
		ev_timer_stop(agent->loop, &agent->record.tick);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	flush_all(timer->data);
}

static void on_soon(struct job *job)
{
	flush_all((struct agent *)((char *)job - offsetof(struct agent, record.soon)));
}

void record_send_soon(struct agent *agent)
{
	struct job *job = &agent->record.soon;

	if (job->posted)
		return;
	job->done = on_soon;
	loop_post(agent->loops.loop[0], job);
}

struct recorder *record_start(struct agent *agent, struct ttrpc_request *request)
{
	struct record *record = &agent->record;
	struct recorder *recorder, **last = &record->first;
	unsigned count = 0;

	sweep(record);
	for (; *last; last = &(*last)->next)
		count += !(*last)->over;
	recorder = count < RECORDERS_MAX ? calloc(1, sizeof(*recorder)) : NULL;
	if (!recorder)
		return NULL;
	recorder->agent = agent;
	recorder->request = request;
	recorder->refs = 1;
	record_describe(recorder);
	*last = recorder;
	if (!ev_is_active(&record->tick)) {
		ev_timer_init(&record->tick, on_tick, TICK, TICK);
		record->tick.data = agent;
		ev_timer_start(agent->loop, &record->tick);
	}
	return recorder;
}

void record_go_on(struct recorder *recorder)
{
	struct ttrpc_request *request = recorder->request;
	struct ttrpc_data *data;

	if (!request)
		return;
	while ((data = ttrpc_request_take(request)))
		ttrpc_data_free(data); /* it has nothing to say */
	if (request->cut)
		return let_go(recorder, TTRPC_CANCELLED, "cut");
	recorder->ending = recorder->ending || request->ended;
	flush(recorder);
}

bool record_is_over(struct agent *agent)
{
	struct record *record = &agent->record;
	const double now = ev_now(agent->loop);
	struct recorder *recorder;

	if (record->first && !record->ended) {
		record->ended = now + PATIENCE;
		for (recorder = record->first; recorder; recorder = recorder->next)
			recorder->ending = true;
		record_send_soon(agent);
	}
	for (recorder = record->first; recorder && now > record->ended; recorder = recorder->next)
		if (recorder->request)
			ttrpc_conn_close(recorder->request->conn, "slow");
	sweep(record);
	return !record->first;
}

void record_release(struct agent *agent)
{
	sweep(&agent->record);
	ev_timer_stop(agent->loop, &agent->record.tick);
}
