/*
 * agent_answers.c - the store behind cache { }: what is kept is found as it was, for a time, within
 * bounds, and by nobody when its scripts have gone.
 */
#include "agent.h"
#include "answers.h"
#include "cmocka_all.h"
#include "image.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum { MANY = 1000, ANSWER = 1000 };

static struct agent agent;
static uint64_t now_us;

/* What main.c has. */
uint64_t agent_now_us(void)
{
	return now_us;
}

static struct answers *store(uint64_t id, size_t bytes)
{
	const struct policy_answers what = { .id = id, .bytes = bytes, .seconds = 10 };
	struct answers *answers = answers_for(&agent, &what);

	assert_non_null(answers);
	return answers;
}

static const uint8_t *digest_of(unsigned number)
{
	static uint8_t digest[DIGEST_SIZE];

	memset(digest, 0, sizeof(digest));
	memcpy(digest, &number, sizeof(number));
	return digest;
}

static void keep(struct answers *answers, unsigned number, size_t size)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	response.tags.data = calloc(1, size);
	response.tags.len = size;
	memset(response.tags.data, (int)(number % 251), size);
	answers_keep(answers, digest_of(number), &response.base, number);
	free(response.tags.data);
}

/* Is it there, whole and right? */
static bool has(struct answers *answers, unsigned number, size_t size)
{
	struct answer *answer = answers_find(answers, digest_of(number));
	Vaccel__Image__Response *response;

	if (!answer)
		return false;
	assert_int_equal(answer->bytes_out, number);
	assert_ptr_equal(answer->type, &vaccel__image__response__descriptor);
	response = vaccel__image__response__unpack(NULL, answer->length, answer->packed);
	assert_int_equal(response->tags.len, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(response->tags.data[i], number % 251);
	vaccel__image__response__free_unpacked(response, NULL);
	answer_unref(answer);
	return true;
}

static void what_is_kept_is_found_until_it_is_too_old(void **state)
{
	struct answers *answers = store(1, 1 << 20);

	(void)state;
	assert_false(has(answers, 7, ANSWER));
	keep(answers, 7, ANSWER);
	assert_true(has(answers, 7, ANSWER));
	assert_false(has(answers, 8, ANSWER));
	now_us += 10000000;
	assert_true(has(answers, 7, ANSWER));
	now_us++;
	assert_false(has(answers, 7, ANSWER));
	assert_int_equal(agent.answers_bytes, 0);
	keep(answers, 9, 0); /* empty ones are answers too */
	assert_true(has(answers, 9, 0));
	answers_unref(answers);
}

static void memory_is_bounded_and_what_is_used_stays(void **state)
{
	struct answers *answers = store(1, 100 * ANSWER);

	(void)state;
	for (unsigned i = 1; i < MANY; i++) {
		keep(answers, i, ANSWER);
		assert_true(has(answers, 1, ANSWER));
		assert_in_range(agent.answers_bytes, 1, 100 * ANSWER);
		assert_int_equal(agent.answers_bytes, answers->used);
	}
	assert_true(has(answers, MANY - 1, ANSWER));
	assert_false(has(answers, 2, ANSWER));
	assert_in_range(answers->count, 50, 100);
	answers_unref(answers);
}

static void what_is_too_large_moves_nothing_out(void **state)
{
	struct answers *answers = store(1, 100 * ANSWER);

	(void)state;
	keep(answers, 1, ANSWER);
	keep(answers, 2, 100 * ANSWER);
	assert_false(has(answers, 2, 100 * ANSWER));
	assert_true(has(answers, 1, ANSWER));
	keep(answers, 3, 99 * ANSWER); /* there is room for it alone */
	assert_true(has(answers, 3, 99 * ANSWER));
	assert_false(has(answers, 1, ANSWER));
	answers_unref(answers);
}

static void a_later_answer_takes_the_place_of_an_earlier(void **state)
{
	struct answers *answers = store(1, 1 << 20);

	(void)state;
	keep(answers, 1, ANSWER);
	keep(answers, 1, 2 * ANSWER);
	assert_true(has(answers, 1, 2 * ANSWER));
	assert_int_equal(answers->count, 1);
	answers_unref(answers);
}

static void one_that_is_on_its_way_stays_whole(void **state)
{
	struct answers *answers = store(1, 100 * ANSWER);
	struct answer *answer;
	size_t bytes;

	(void)state;
	keep(answers, 1, ANSWER);
	answer = answers_find(answers, digest_of(1));
	bytes = agent.answers_bytes;
	keep(answers, 2, 99 * ANSWER);
	assert_false(has(answers, 1, ANSWER));
	assert_int_equal(answer->packed[answer->length - 1], 1);
	assert_true(agent.answers_bytes > answers->used);
	answers_unref(answers);
	answers_settle(&agent); /* no script has it */
	assert_int_equal(agent.answers_bytes, bytes);
	answer_unref(answer);
}

static void stores_are_apart_and_found_by_number(void **state)
{
	struct answers *one = store(1, 1 << 20), *two = store(2, 1 << 20),
		       *again = store(1, 1 << 20);

	(void)state;
	assert_ptr_equal(one, again);
	keep(one, 5, ANSWER);
	assert_false(has(two, 5, ANSWER));
	assert_memory_not_equal(one->key, two->key, DIGEST_SIZE);
	answers_unref(again);
	answers_unref(two);
	answers_unref(one);
	again = store(1, 500); /* smaller, after a reload */
	assert_ptr_equal(again, one);
	assert_false(has(again, 5, ANSWER));
	answers_unref(again);
	assert_null(answers_for(&agent, &(struct policy_answers){ .id = 0, .bytes = 1 << 20 }));
}

static void without_its_script_it_keeps_nothing(void **state)
{
	struct answers *answers = store(1, 1 << 20), *other;

	(void)state;
	keep(answers, 1, ANSWER);
	answers_settle(&agent);
	assert_int_equal(agent.answers_bytes, 0);
	assert_false(has(answers, 1, ANSWER)); /* a session has it still */
	keep(answers, 1, ANSWER);
	assert_false(has(answers, 1, ANSWER));
	other = store(1, 1 << 20);
	assert_ptr_not_equal(other, answers);
	answers_unref(answers);
	answers_unref(other);
}

static int nothing_is_left(void **state)
{
	(void)state;
	answers_settle(&agent);
	assert_null(agent.answers);
	assert_int_equal(agent.answers_bytes, 0);
	return 0;
}

#define ANSWERS_TEST(name) cmocka_unit_test_teardown(name, nothing_is_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ANSWERS_TEST(what_is_kept_is_found_until_it_is_too_old),
		ANSWERS_TEST(memory_is_bounded_and_what_is_used_stays),
		ANSWERS_TEST(what_is_too_large_moves_nothing_out),
		ANSWERS_TEST(a_later_answer_takes_the_place_of_an_earlier),
		ANSWERS_TEST(one_that_is_on_its_way_stays_whole),
		ANSWERS_TEST(stores_are_apart_and_found_by_number),
		ANSWERS_TEST(without_its_script_it_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
