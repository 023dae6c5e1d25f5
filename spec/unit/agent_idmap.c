/*
 * agent_idmap.c - the id table against a plain array, and the histogram's median against sorting.
 */
#include "cmocka_all.h"
#include "histogram.h"
#include "idmap.h"
#include <stdlib.h>

enum { IDS = 5000 };

static void a_table_finds_what_was_put_and_not_removed(void **state)
{
	static int values[IDS + 1];
	struct idmap map = { 0 };
	size_t at = 0, seen = 0;
	int64_t id;

	(void)state;
	for (id = 1; id <= IDS; id++)
		assert_int_equal(idmap_put(&map, id, &values[id]), 0);
	for (id = 1; id <= IDS; id += 2)
		idmap_remove(&map, id);
	for (id = 1; id <= IDS; id++)
		assert_ptr_equal(idmap_get(&map, id), id % 2 ? NULL : &values[id]);
	while (idmap_next(&map, &at))
		seen++;
	assert_int_equal(seen, IDS / 2);
	assert_int_equal(map.count, IDS / 2);
	idmap_release(&map);
}

static void ids_that_cannot_be_are_unknown(void **state)
{
	struct idmap map = { 0 };
	int value;

	(void)state;
	assert_null(idmap_get(&map, 1));
	assert_int_equal(idmap_put(&map, 7, &value), 0);
	assert_null(idmap_get(&map, 0));
	assert_null(idmap_get(&map, -7));
	assert_null(idmap_get(&map, INT64_MAX));
	idmap_remove(&map, 8);
	assert_ptr_equal(idmap_get(&map, 7), &value);
	idmap_release(&map);
}

/* A table that is filled and emptied for ever keeps its size. */
static void removed_slots_are_used_again(void **state)
{
	struct idmap map = { 0 };
	int value;
	int64_t id;

	(void)state;
	for (id = 1; id < 100000; id++) {
		assert_int_equal(idmap_put(&map, id, &value), 0);
		idmap_remove(&map, id);
	}
	assert_in_range(map.capacity, 1, 64);
	idmap_release(&map);
}

static void an_id_that_was_removed_comes_back(void **state)
{
	struct idmap map = { 0 };
	size_t at = 0;
	int first, second;

	(void)state;
	assert_int_equal(idmap_put(&map, 5, &first), 0);
	idmap_remove(&map, 5);
	assert_int_equal(idmap_put(&map, 5, &second), 0);
	assert_ptr_equal(idmap_get(&map, 5), &second);
	assert_int_equal(map.count, 1);
	idmap_remove(&map, 5);
	assert_null(idmap_get(&map, 5));
	assert_null(idmap_next(&map, &at));
	assert_int_equal(map.count, 0);
	idmap_release(&map);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void the_median_is_right_within_an_eighth(void **state)
{
	static uint64_t samples[1001];
	struct histogram histogram = { 0 };
	uint64_t median, told;
	size_t i;

	(void)state;
	srand(1);
	for (i = 0; i < 1001; i++) {
		samples[i] = (uint64_t)rand() >> (rand() % 31);
		histogram_add(&histogram, samples[i]);
	}
	qsort(samples, 1001, sizeof(samples[0]), compare);
	median = samples[500];
	told = histogram_median(&histogram);
	assert_true(told <= median && median - told <= told / 8 + 1);
	assert_int_equal(histogram.largest, samples[1000]);
}

static void an_empty_or_huge_histogram_is_no_trouble(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	assert_int_equal(histogram_median(&histogram), 0);
	histogram_add(&histogram, UINT64_MAX);
	assert_int_equal(histogram.largest, UINT64_MAX);
	assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_finds_what_was_put_and_not_removed),
		cmocka_unit_test(ids_that_cannot_be_are_unknown),
		cmocka_unit_test(removed_slots_are_used_again),
		cmocka_unit_test(an_id_that_was_removed_comes_back),
		cmocka_unit_test(the_median_is_right_within_an_eighth),
		cmocka_unit_test(an_empty_or_huge_histogram_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
