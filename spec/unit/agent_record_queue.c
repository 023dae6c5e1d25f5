/*
 * agent_record_queue.c - what waits for a recorder: in order, bounded, and what was lost is said.
 */
#include "cmocka_all.h"
#include "record_queue.h"
#include <stdio.h>
#include <string.h>

static struct record_line line;
static struct record_queue queue;

static int begin(void **state)
{
	(void)state;
	memset(&queue, 0, sizeof(queue));
	return 0;
}

static int end(void **state)
{
	(void)state;
	record_queue_release(&queue);
	assert_null(queue.first);
	assert_int_equal(queue.nr_waiting + queue.nr_taken, 0);
	return 0;
}

/* A line of so many bytes, that begins with its number. */
static void push(unsigned number, size_t size)
{
	memset(line.text, '.', sizeof(line.text));
	snprintf(line.text, sizeof(line.text), "%u", number);
	line.text[size - 1] = '\n';
	line.length = size;
	record_queue_push(&queue, number, &line);
}

static void nothing_is_there_at_first(void **state)
{
	(void)state;
	assert_null(record_queue_take(&queue, true));
	record_queue_tell(&queue, 1);
	assert_null(record_queue_take(&queue, true));
}

static void lines_come_in_order_and_whole(void **state)
{
	const unsigned count = 200;
	const size_t size = 1000;
	struct record_chunk *chunk;
	unsigned seen = 0, wanted;
	size_t at;

	(void)state;
	for (unsigned i = 0; i < count; i++)
		push(i, size);
	while ((chunk = record_queue_take(&queue, true))) {
		assert_int_equal(chunk->size % size, 0);
		for (at = 0; at < chunk->size; at += size) {
			assert_int_equal(sscanf(chunk->text + at, "%u", &wanted), 1);
			assert_int_equal(wanted, seen++);
			assert_int_equal(chunk->text[at + size - 1], '\n');
		}
		record_queue_give(&queue, chunk);
	}
	assert_int_equal(seen, count);
	assert_int_equal(queue.lost, 0);
}

static void a_chunk_that_is_not_whole_waits(void **state)
{
	struct record_chunk *chunk;

	(void)state;
	push(1, 100);
	assert_null(record_queue_take(&queue, false));
	for (unsigned i = 0; i < RECORD_CHUNK / 100; i++)
		push(i, 100);
	chunk = record_queue_take(&queue, false);
	assert_non_null(chunk);
	assert_null(record_queue_take(&queue, false));
	record_queue_give(&queue, chunk);
}

static struct record_chunk *fill(unsigned *count)
{
	struct record_chunk *taken;

	for (*count = 0; !queue.lost; ++*count)
		push(*count, RECORD_LINE_MAX);
	taken = record_queue_take(&queue, false);
	assert_non_null(taken);
	return taken;
}

/* What was taken and not given back counts: it is still held. */
static void it_is_bounded(void **state)
{
	struct record_chunk *taken;
	unsigned count;

	(void)state;
	taken = fill(&count);
	assert_int_equal(count, RECORD_CHUNKS * (RECORD_CHUNK / RECORD_LINE_MAX) + 1);
	push(count, RECORD_LINE_MAX);
	assert_int_equal(queue.lost, 2);
	assert_int_equal(queue.nr_waiting + queue.nr_taken, RECORD_CHUNKS);
	record_queue_give(&queue, taken);
	push(count, RECORD_LINE_MAX);
	assert_int_equal(queue.lost, 2);
}

/* Before the line after them, and once. */
static void what_was_lost_is_said_where_it_was(void **state)
{
	struct record_chunk *chunk;
	unsigned count, said = 0;

	(void)state;
	chunk = fill(&count);
	record_queue_lose(&queue);
	record_queue_give(&queue, chunk);
	push(77, 100);
	push(78, 100);
	while ((chunk = record_queue_take(&queue, true))) {
		if (!queue.first) {
			static const char words[] = "{\"e\":\"lost\",\"t\":77,\"n\":2}\n77";

			assert_memory_equal(chunk->text, words, strlen(words));
			said++;
		}
		record_queue_give(&queue, chunk);
	}
	assert_int_equal(said, 1);
	assert_int_equal(queue.lost, 2);
	assert_int_equal(queue.untold, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_there_at_first, begin, end),
		cmocka_unit_test_setup_teardown(lines_come_in_order_and_whole, begin, end),
		cmocka_unit_test_setup_teardown(a_chunk_that_is_not_whole_waits, begin, end),
		cmocka_unit_test_setup_teardown(it_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(what_was_lost_is_said_where_it_was, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
