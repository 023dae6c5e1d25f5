/*
 * core_arg_list.c - the deprecated argument lists, as older programs and plugins use them: one side
 * packs and expects, the other extracts and writes. The calls need no bootstrap.
 */
#include "core_test.h"

/* Text of a number, in memory of its own. */
static void *pack(void *data, uint32_t *size)
{
	char *text = NULL;

	if (asprintf(&text, "%d", *(int *)data) < 0)
		return NULL;
	*size = (uint32_t)strlen(text) + 1;
	return text;
}

static void *unpack(void *buf, uint32_t size)
{
	int *value = malloc(sizeof(*value));

	assert_int_equal(size, strlen(buf) + 1);
	assert_non_null(value);
	*value = (int)strtol(buf, NULL, 10);
	return value;
}

static void *pack_nothing(void *data, uint32_t *size)
{
	(void)data;
	*size = 4;
	return NULL;
}

static void *pack_empty(void *data, uint32_t *size)
{
	(void)data;
	*size = 0;
	return malloc(1);
}

static void assert_place(const struct vaccel_arg_list *list, int place, vaccel_arg_type_t type,
			 uint32_t custom_id, size_t size, bool ours)
{
	assert_int_equal(list->curr_idx, place + 1);
	assert_int_equal(list->list[place].type, type);
	assert_int_equal(list->list[place].custom_type_id, custom_id);
	assert_int_equal(list->list[place].size, size);
	assert_false(list->list[place].owned);
	assert_int_equal(list->idcs_allocated_space[place], ours);
}

static void a_list_is_filled_in_order(void **state)
{
	struct vaccel_arg_list *list = vaccel_args_init(4);
	int value = 15;

	(void)state;
	assert_non_null(list);
	assert_int_equal(list->size, 4);
	assert_int_equal(list->curr_idx, 0);
	assert_int_equal(vaccel_add_serial_arg(list, &value, sizeof(value)), 0);
	assert_place(list, 0, VACCEL_ARG_RAW, 0, sizeof(value), false);
	assert_ptr_equal(list->list[0].buf, &value);
	assert_int_equal(vaccel_add_nonserial_arg(list, &value, 7, pack), 0);
	assert_place(list, 1, VACCEL_ARG_CUSTOM, 7, 3, true);
	assert_string_equal(list->list[1].buf, "15");
	assert_int_equal(vaccel_expect_serial_arg(list, &value, sizeof(value)), 0);
	assert_place(list, 2, VACCEL_ARG_RAW, 0, sizeof(value), false);
	assert_int_equal(vaccel_expect_nonserial_arg(list, 5), 0);
	assert_place(list, 3, VACCEL_ARG_RAW, 0, 5, true);
	assert_memory_equal(list->list[3].buf, "\0\0\0\0\0", 5);

	assert_int_equal(vaccel_add_serial_arg(list, &value, sizeof(value)), VACCEL_EINVAL);
	assert_reason("made for 4 arguments");
	assert_int_equal(vaccel_add_nonserial_arg(list, &value, 7, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(list, &value, sizeof(value)), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(list, 5), VACCEL_EINVAL);
	assert_int_equal(list->curr_idx, 4);
	assert_int_equal(vaccel_delete_args(list), 0);
}

static void what_cannot_be_packed_is_refused(void **state)
{
	struct vaccel_arg_list *list;
	int value = 15;

	(void)state;
	assert_null(vaccel_args_init(0));
	assert_null(vaccel_args_init(UINT32_MAX));
	assert_int_equal(vaccel_delete_args(NULL), VACCEL_EINVAL);
	list = vaccel_args_init(1);
	assert_non_null(list);
	assert_int_equal(vaccel_add_serial_arg(NULL, &value, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(list, NULL, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(list, &value, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(NULL, &value, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(list, NULL, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(list, &value, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(NULL, &value, 7, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(list, NULL, 7, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(list, &value, 7, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(list, &value, 7, pack_nothing), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(list, &value, 7, pack_empty), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(NULL, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(list, 0), VACCEL_EINVAL);
	assert_int_equal(list->curr_idx, 0);
	assert_int_equal(vaccel_delete_args(list), 0);
}

static void the_other_side_extracts_and_writes(void **state)
{
	struct vaccel_arg_list *read = vaccel_args_init(2), *write = vaccel_args_init(2);
	int in = 15, out = 0, answer = 42, longer = 4242;
	int *unpacked;

	(void)state;
	assert_int_equal(vaccel_add_serial_arg(read, &in, sizeof(in)), 0);
	assert_int_equal(vaccel_add_nonserial_arg(read, &in, 7, pack), 0);
	assert_int_equal(vaccel_expect_serial_arg(write, &out, sizeof(out)), 0);
	assert_int_equal(vaccel_expect_nonserial_arg(write, 4), 0);

	assert_ptr_equal(vaccel_extract_serial_arg(read->list, 0), &in);
	assert_null(vaccel_extract_serial_arg(NULL, 0));
	assert_null(vaccel_extract_serial_arg(read->list, -1));
	unpacked = vaccel_extract_nonserial_arg(read->list, 1, unpack);
	assert_int_equal(*unpacked, 15);
	free(unpacked);
	assert_null(vaccel_extract_nonserial_arg(NULL, 1, unpack));
	assert_null(vaccel_extract_nonserial_arg(read->list, -1, unpack));
	assert_null(vaccel_extract_nonserial_arg(read->list, 1, NULL));

	assert_int_equal(vaccel_write_serial_arg(write->list, 0, &answer), 0);
	assert_int_equal(out, 42);
	assert_int_equal(vaccel_write_serial_arg(NULL, 0, &answer), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_serial_arg(write->list, -1, &answer), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_serial_arg(write->list, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, &answer, pack), 0);
	assert_memory_equal(write->list[1].buf, "42\0\0", 4);
	assert_int_equal(vaccel_write_nonserial_arg(NULL, 1, &answer, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, -1, &answer, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, NULL, pack), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, &answer, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, &answer, pack_nothing),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, &answer, pack_empty),
			 VACCEL_EINVAL);
	/* The original wrote beyond the end. */
	assert_int_equal(vaccel_write_nonserial_arg(write->list, 1, &longer, pack), VACCEL_EINVAL);
	assert_reason("room for 4 bytes, its new value has 5");
	assert_memory_equal(write->list[1].buf, "42\0\0", 4);
	assert_int_equal(vaccel_delete_args(write), 0);
	assert_int_equal(vaccel_delete_args(read), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_filled_in_order),
		cmocka_unit_test(what_cannot_be_packed_is_refused),
		cmocka_unit_test(the_other_side_extracts_and_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
