/*
 * agent_strand.c - turns are granted in order; shared ones together, exclusive ones alone.
 */
#include "cmocka_all.h"
#include "strand.h"
#include <string.h>

/* Each turn writes its letter when it is granted. */
struct lettered {
	struct turn turn;
	char letter;
};

static char granted[16];

static void write_letter(struct turn *turn)
{
	granted[strlen(granted)] = ((struct lettered *)turn)->letter;
}

static struct lettered make(char letter, bool exclusive)
{
	return (struct lettered){
		.turn = { .granted = write_letter, .exclusive = exclusive },
		.letter = letter,
	};
}

static int reset(void **state)
{
	(void)state;
	memset(granted, 0, sizeof(granted));
	return 0;
}

static void exclusive_turns_wait_for_each_other(void **state)
{
	struct lettered a = make('a', true), b = make('b', true);
	struct strand strand;

	(void)state;
	strand_init(&strand);
	strand_take(&strand, &a.turn);
	strand_take(&strand, &b.turn);
	assert_string_equal(granted, "a");
	strand_release(&strand, &a.turn);
	assert_string_equal(granted, "ab");
	assert_false(strand_idle(&strand));
	strand_release(&strand, &b.turn);
	assert_true(strand_idle(&strand));
}

static void shared_turns_run_together_but_do_not_overtake(void **state)
{
	struct lettered a = make('a', false), b = make('b', false), x = make('x', true),
			c = make('c', false);
	struct strand strand;

	(void)state;
	strand_init(&strand);
	strand_take(&strand, &a.turn);
	strand_take(&strand, &b.turn);
	strand_take(&strand, &x.turn);
	strand_take(&strand, &c.turn);
	assert_string_equal(granted, "ab");
	strand_release(&strand, &a.turn);
	assert_string_equal(granted, "ab");
	strand_release(&strand, &b.turn);
	assert_string_equal(granted, "abx");
	strand_release(&strand, &x.turn);
	assert_string_equal(granted, "abxc");
	strand_release(&strand, &c.turn);
	assert_true(strand_idle(&strand));
}

static void the_front_of_the_queue_goes_before_those_that_wait(void **state)
{
	struct lettered a = make('a', true), b = make('b', true), first = make('f', true);
	struct strand strand;

	(void)state;
	strand_init(&strand);
	strand_take(&strand, &a.turn);
	strand_take(&strand, &b.turn);
	strand_take_first(&strand, &first.turn);
	strand_release(&strand, &a.turn);
	assert_string_equal(granted, "af");
	strand_release(&strand, &first.turn);
	strand_release(&strand, &b.turn);
	assert_string_equal(granted, "afb");
	/* the queue's end is right after a turn at the front of an empty queue */
	strand_take(&strand, &a.turn);
	strand_take_first(&strand, &first.turn);
	strand_take(&strand, &b.turn);
	strand_release(&strand, &a.turn);
	strand_release(&strand, &first.turn);
	strand_release(&strand, &b.turn);
	assert_string_equal(granted, "afbafb");
	assert_true(strand_idle(&strand));
}

/* A turn that ends at once, as an operation of a session that is gone does. */
static struct strand *shortcut;
static unsigned ended;

static void end_at_once(struct turn *turn)
{
	ended++;
	strand_release(shortcut, turn);
}

static void a_long_queue_of_turns_that_end_at_once_takes_no_stack(void **state)
{
	enum { TURNS = 1000000 };
	struct turn *turns = test_calloc(TURNS, sizeof(*turns));
	struct lettered first = make('a', true);
	struct strand strand;
	int i;

	(void)state;
	strand_init(&strand);
	shortcut = &strand;
	ended = 0;
	strand_take(&strand, &first.turn);
	for (i = 0; i < TURNS; i++) {
		turns[i] = (struct turn){ .granted = end_at_once, .exclusive = i % 3 };
		strand_take(&strand, &turns[i]);
	}
	strand_release(&strand, &first.turn);
	assert_int_equal(ended, TURNS);
	assert_true(strand_idle(&strand));
	test_free(turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(exclusive_turns_wait_for_each_other, reset),
		cmocka_unit_test_setup(shared_turns_run_together_but_do_not_overtake, reset),
		cmocka_unit_test_setup(the_front_of_the_queue_goes_before_those_that_wait, reset),
		cmocka_unit_test_setup(a_long_queue_of_turns_that_end_at_once_takes_no_stack,
				       reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
