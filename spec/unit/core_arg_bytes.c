/*
 * core_arg_bytes.c - what argument arrays hold beside numbers: raw bytes, strings, buffers, values
 * of a program's own types, checked by its validator or made by its serializer; and arguments taken
 * over from another array.
 */
#include "core_test.h"

enum { KIND = 77 };

static struct vaccel_arg_array array;

static int make_array(void **state)
{
	(void)state;
	return vaccel_arg_array_init(&array, 1);
}

static int release_array(void **state)
{
	(void)state;
	return vaccel_arg_array_release(&array);
}

static void raw_bytes_may_be_none(void **state)
{
	char bytes[] = "raw", text[] = "text";
	void *buf;
	size_t size = 1;

	(void)state;
	assert_int_equal(vaccel_arg_array_add_raw(NULL, bytes, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_raw(&array, NULL, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_raw(&array, bytes, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_raw(&array, bytes, 4), 0);
	assert_int_equal(vaccel_arg_array_add_raw(&array, NULL, 0), 0);
	assert_int_equal(vaccel_arg_array_add_string(&array, text), 0);

	assert_int_equal(vaccel_arg_array_get_raw(NULL, &buf, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_raw(&array, NULL, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_raw(&array, &buf, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_raw(&array, &buf, &size), 0);
	assert_ptr_equal(buf, bytes);
	assert_int_equal(size, 4);
	assert_int_equal(vaccel_arg_array_get_raw(&array, &buf, &size), 0);
	assert_null(buf);
	assert_int_equal(size, 0);
	assert_int_equal(vaccel_arg_array_get_raw(&array, &buf, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_position(&array), 2);

	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_set_raw(NULL, text, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_raw(&array, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_raw(&array, NULL, 4), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 5), VACCEL_EINVAL);
	assert_reason("room for 4 bytes, not for 5");
	assert_string_equal(bytes, "raw");
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 2), 0);
	assert_string_equal(bytes, "tew");
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_raw(&array, NULL, 0), 0);
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 4), VACCEL_EINVAL);
	vaccel_arg_array_set_position(&array, 3);
	assert_int_equal(vaccel_arg_array_set_raw(&array, text, 4), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_get_raw(&array, &buf, &size), VACCEL_ERANGE);
}

static void strings_end(void **state)
{
	char text[] = "eleven chars", shorter[] = "new", longer[] = "thirteen chars";
	char *str = NULL;

	(void)state;
	assert_int_equal(vaccel_arg_array_add_string(NULL, text), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_string(&array, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_string(&array, text), 0);
	assert_int_equal(array.args[0].size, sizeof(text));
	assert_int_equal(array.args[0].type, VACCEL_ARG_STRING);
	assert_int_equal(vaccel_arg_array_get_string(NULL, &str), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_string(&array, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), 0);
	assert_ptr_equal(str, text);
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), VACCEL_ERANGE);

	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_set_string(NULL, shorter), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, longer), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), 0);
	assert_memory_equal(text, "new\0\0\0\0\0\0\0\0\0", sizeof(text));
	assert_int_equal(array.args[0].size, sizeof(text));

	/* One without an end is not got, but can be given one. */
	memset(text, 'x', sizeof(text));
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), VACCEL_EINVAL);
	assert_reason("without an end");
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), 0);
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), 0);

	vaccel_arg_array_reset_position(&array);
	array.args[0].size = 0;
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), VACCEL_EINVAL);
	array.args[0].size = sizeof(text);
	array.args[0].buf = NULL;
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), VACCEL_EINVAL);
	array.args[0] = (struct vaccel_arg){ text, sizeof(text), VACCEL_ARG_BUFFER, 0, false };
	assert_int_equal(vaccel_arg_array_get_string(&array, &str), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_string(&array, shorter), VACCEL_EINVAL);
	assert_int_equal(array.position, 0);
}

static void buffers_have_bytes(void **state)
{
	char bytes[] = "buffer", other[] = "BUFFERS";
	size_t size = 0;
	void *buf = NULL;

	(void)state;
	assert_int_equal(vaccel_arg_array_add_buffer(NULL, bytes, 7), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_buffer(&array, NULL, 7), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_buffer(&array, bytes, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_buffer(&array, bytes, 7), 0);
	assert_int_equal(array.args[0].type, VACCEL_ARG_BUFFER);
	assert_int_equal(vaccel_arg_array_get_buffer(NULL, &buf, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_buffer(&array, NULL, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_buffer(&array, &buf, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(NULL, other, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 8), VACCEL_EINVAL);
	assert_int_equal(array.position, 0);
	assert_int_equal(vaccel_arg_array_get_buffer(&array, &buf, &size), 0);
	assert_ptr_equal(buf, bytes);
	assert_int_equal(size, 7);
	assert_int_equal(vaccel_arg_array_get_buffer(&array, &buf, &size), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 1), VACCEL_ERANGE);
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 3), 0);
	assert_string_equal(bytes, "BUFfer");

	vaccel_arg_array_reset_position(&array);
	array.args[0].type = VACCEL_ARG_RAW;
	assert_int_equal(vaccel_arg_array_get_buffer(&array, &buf, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 3), VACCEL_EINVAL);
	array.args[0].type = VACCEL_ARG_BUFFER;
	array.args[0].buf = NULL;
	assert_int_equal(vaccel_arg_array_get_buffer(&array, &buf, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_buffer(&array, other, 3), VACCEL_EINVAL);
	assert_int_equal(array.position, 0);
}

/* Four bytes, of which the first is even. */
static bool even(const void *buf, size_t size, uint32_t custom_id)
{
	return custom_id == KIND && buf && size == 4 && *(const uint8_t *)buf % 2 == 0;
}

static bool anything(const void *buf, size_t size, uint32_t custom_id)
{
	(void)buf;
	(void)size;
	(void)custom_id;
	return true;
}

static void own_types_are_what_the_validator_accepts(void **state)
{
	uint8_t value[5] = { 2, 3, 4, 5, 6 }, odd[4] = { 1 }, other[4] = { 8, 8, 8, 8 };
	size_t size = 0;
	void *buf = NULL;

	(void)state;
	assert_int_equal(vaccel_arg_array_add_custom(NULL, KIND, value, 4, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND, value, 4, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND, odd, 4, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND, NULL, 4, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND, value, 0, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND + 1, value, 4, even),
			 VACCEL_EINVAL);
	assert_int_equal(array.count, 0);
	assert_int_equal(vaccel_arg_array_add_custom(&array, KIND, value, 4, even), 0);
	assert_int_equal(array.args[0].type, VACCEL_ARG_CUSTOM);
	assert_int_equal(array.args[0].custom_type_id, KIND);
	assert_false(array.args[0].owned);

	assert_int_equal(vaccel_arg_array_get_custom(NULL, KIND, &buf, &size, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, NULL, &size, even),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, &size, NULL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_custom(&array, 1, &buf, &size, anything),
			 VACCEL_EINVAL);
	assert_reason("custom type 77, asked for as 1");
	value[0] = 1;
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, &size, even),
			 VACCEL_EINVAL);
	value[0] = 2;
	assert_int_equal(array.position, 0);
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, &size, even), 0);
	assert_ptr_equal(buf, value);
	assert_int_equal(size, 4);
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, NULL, even), 0);
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, NULL, even),
			 VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, other, 4, even), VACCEL_ERANGE);

	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_set_custom(NULL, KIND, other, 4, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, other, 4, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, 1, other, 4, anything), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, odd, 4, even), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, NULL, 4, anything),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, other, 3, anything),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, value, 5, anything),
			 VACCEL_EINVAL);
	assert_int_equal(array.position, 0);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, other, 4, even), 0);
	assert_memory_equal(value, "\x08\x08\x08\x08\x06", 5);
	vaccel_arg_array_reset_position(&array);
	array.args[0].type = VACCEL_ARG_RAW;
	assert_int_equal(vaccel_arg_array_get_custom(&array, KIND, &buf, NULL, anything),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_custom(&array, KIND, other, 4, anything),
			 VACCEL_EINVAL);
}

/* Numbers as text of their length; the id that the callbacks last saw. */
static uint32_t seen_id;

static int serialize(const void *data, size_t data_size, uint32_t custom_id, void **buf,
		     size_t *size)
{
	char *text;

	seen_id = custom_id;
	if (!data || data_size != sizeof(int))
		return VACCEL_EIO;
	if (asprintf(&text, "%d", *(const int *)data) < 0)
		return VACCEL_ENOMEM;
	*buf = text;
	*size = strlen(text) + 1;
	return VACCEL_OK;
}

static int deserialize(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
		       void *data)
{
	seen_id = custom_id;
	if (!buf || !size || data_size != sizeof(int))
		return VACCEL_EIO;
	*(int *)data = (int)strtol(buf, NULL, 10);
	return VACCEL_OK;
}

static int add_int(vaccel_arg_type_t type, uint32_t id, int value)
{
	return vaccel_arg_array_add_serialized(&array, type, id, &value, sizeof(value), serialize);
}

static int get_int(vaccel_arg_type_t type, uint32_t id, int *value)
{
	return vaccel_arg_array_get_serialized(&array, type, id, value, sizeof(*value),
					       deserialize);
}

static int set_int(vaccel_arg_type_t type, uint32_t id, int value)
{
	return vaccel_arg_array_set_serialized(&array, type, id, &value, sizeof(value), serialize);
}

static void what_a_serializer_makes_is_the_arguments(void **state)
{
	int value = 1234;

	(void)state;
	assert_int_equal(vaccel_arg_array_add_serialized(NULL, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), serialize),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), NULL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value, 3,
							 serialize),
			 VACCEL_EIO);
	assert_int_equal(vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, KIND, NULL,
							 sizeof(value), serialize),
			 VACCEL_EIO);
	/* Text of five bytes is no number; what was made of it is freed. */
	assert_int_equal(add_int(VACCEL_ARG_INT64, 0, 1234), VACCEL_EINVAL);
	assert_int_equal(add_int(VACCEL_ARG_MAX, 0, 1234), VACCEL_EINVAL);
	assert_int_equal(array.count, 0);

	assert_int_equal(add_int(VACCEL_ARG_CUSTOM, KIND, 1234), 0);
	assert_int_equal(seen_id, KIND);
	assert_true(array.args[0].owned);
	assert_int_equal(array.args[0].custom_type_id, KIND);
	assert_string_equal(array.args[0].buf, "1234");
	assert_int_equal(array.args[0].size, 5);
	assert_int_equal(add_int(VACCEL_ARG_STRING, 9, -56), 0);
	assert_int_equal(seen_id, 9);
	assert_int_equal(array.args[1].type, VACCEL_ARG_STRING);

	assert_int_equal(get_int(VACCEL_ARG_CUSTOM, KIND, &value), 0);
	assert_int_equal(value, 1234);
	assert_int_equal(seen_id, KIND);
	assert_int_equal(get_int(VACCEL_ARG_STRING, 9, &value), 0);
	assert_int_equal(value, -56);
	assert_int_equal(seen_id, 0);
	assert_int_equal(get_int(VACCEL_ARG_STRING, 9, &value), VACCEL_ERANGE);
	assert_int_equal(set_int(VACCEL_ARG_STRING, 9, 1), VACCEL_ERANGE);
}

static void what_is_not_that_type_is_not_got(void **state)
{
	int value = 0;

	(void)state;
	assert_int_equal(add_int(VACCEL_ARG_CUSTOM, KIND, 1234), 0);
	assert_int_equal(vaccel_arg_array_get_serialized(NULL, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), deserialize),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_serialized(&array, VACCEL_ARG_CUSTOM, KIND, NULL,
							 sizeof(value), deserialize),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), NULL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value, 1,
							 deserialize),
			 VACCEL_EIO);
	assert_int_equal(get_int(VACCEL_ARG_CUSTOM, KIND + 1, &value), VACCEL_EINVAL);
	assert_int_equal(get_int(VACCEL_ARG_STRING, KIND, &value), VACCEL_EINVAL);
	assert_int_equal(get_int(VACCEL_ARG_MAX, KIND, &value), VACCEL_EINVAL);
	array.args[0].type = VACCEL_ARG_STRING;
	((char *)array.args[0].buf)[4] = '5';
	assert_int_equal(get_int(VACCEL_ARG_STRING, 0, &value), VACCEL_EINVAL);
	assert_int_equal(set_int(VACCEL_ARG_STRING, 0, 4321), VACCEL_EINVAL);
	assert_int_equal(array.position, 0);
	assert_int_equal(value, 0);
}

static void what_is_set_fits_exactly(void **state)
{
	int value = 4321;

	(void)state;
	assert_int_equal(add_int(VACCEL_ARG_CUSTOM, KIND, 1234), 0);
	assert_int_equal(add_int(VACCEL_ARG_STRING, 9, 5678), 0);
	assert_int_equal(vaccel_arg_array_set_serialized(NULL, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), serialize),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_serialized(&array, VACCEL_ARG_CUSTOM, KIND, NULL,
							 sizeof(value), serialize),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value,
							 sizeof(value), NULL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_set_serialized(&array, VACCEL_ARG_CUSTOM, KIND, &value, 0,
							 serialize),
			 VACCEL_EIO);
	assert_int_equal(set_int(VACCEL_ARG_CUSTOM, KIND + 1, 4321), VACCEL_EINVAL);
	assert_int_equal(set_int(VACCEL_ARG_STRING, KIND, 4321), VACCEL_EINVAL);
	assert_int_equal(set_int(VACCEL_ARG_CUSTOM, KIND, 321), VACCEL_EINVAL);
	assert_reason("has 5 bytes, its new value 4");
	assert_int_equal(set_int(VACCEL_ARG_CUSTOM, KIND, 54321), VACCEL_EINVAL);
	assert_string_equal(array.args[0].buf, "1234");
	assert_int_equal(array.position, 0);
	assert_int_equal(set_int(VACCEL_ARG_CUSTOM, KIND, 4321), 0);
	assert_int_equal(seen_id, KIND);
	assert_string_equal(array.args[0].buf, "4321");
	assert_int_equal(set_int(VACCEL_ARG_STRING, 9, 8765), 0);
	assert_int_equal(seen_id, 0);
	assert_string_equal(array.args[1].buf, "8765");
}

static void a_range_is_taken_over(void **state)
{
	struct vaccel_arg_array source;
	int32_t values[6] = { 10, 11, 12, 13, 14, 15 }, got;

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&source, 6), 0);
	assert_int_equal(vaccel_arg_array_add_all(&array, &source, true), 0);
	assert_int_equal(vaccel_arg_array_add_remaining(&array, &source, true), 0);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 0, 0, true), VACCEL_ERANGE);
	for (int i = 0; i < 6; i++)
		assert_int_equal(vaccel_arg_array_add_int32(&source, &values[i]), 0);

	assert_int_equal(vaccel_arg_array_add_range(NULL, &source, 1, 3, true), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_range(&array, NULL, 1, 3, true), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 6, 0, true), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 1, 6, true), VACCEL_ERANGE);
	assert_reason("6 arguments from 1 on asked for, there are 6");
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 1, SIZE_MAX, true),
			 VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, SIZE_MAX, 2, true),
			 VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 1, 0, true), 0);
	assert_int_equal(array.count, 0);
	assert_int_equal(array.capacity, 1);

	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 1, 3, false), 0);
	assert_int_equal(array.capacity, 4);
	assert_ptr_equal(array.args[0].buf, &values[1]);
	assert_false(array.args[2].owned);
	assert_int_equal(vaccel_arg_array_add_range(&array, &source, 4, 2, true), 0);
	assert_int_equal(array.count, 5);
	assert_int_equal(array.capacity, 8);
	assert_true(array.args[3].owned);
	assert_ptr_not_equal(array.args[3].buf, &values[4]);
	assert_int_equal(*(int32_t *)array.args[4].buf, 15);

	vaccel_arg_array_set_position(&source, 5);
	assert_int_equal(vaccel_arg_array_add_remaining(NULL, &source, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_remaining(&array, NULL, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_remaining(&array, &source, false), 0);
	assert_int_equal(array.count, 6);
	assert_ptr_equal(array.args[5].buf, &values[5]);
	assert_int_equal(source.position, 5);
	assert_int_equal(vaccel_arg_array_get_int32(&source, &got), 0);
	assert_int_equal(vaccel_arg_array_add_remaining(&array, &source, false), 0);
	assert_int_equal(array.count, 6);

	assert_int_equal(vaccel_arg_array_add_all(NULL, &source, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_all(&array, NULL, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_all(&array, &source, true), 0);
	assert_int_equal(array.count, 12);
	/* Onto itself, which grows meanwhile. */
	assert_int_equal(vaccel_arg_array_add_all(&array, &array, true), 0);
	assert_int_equal(array.count, 24);
	assert_int_equal(*(int32_t *)array.args[23].buf, 15);
	assert_true(array.args[12].owned);
	assert_int_equal(vaccel_arg_array_release(&source), 0);
}

/* Without bytes there is nothing to copy, and the copy owns nothing. */
static void an_argument_without_bytes_is_taken_over(void **state)
{
	struct vaccel_arg source[] = {
		{ .type = VACCEL_ARG_RAW },
		{ .buf = source, .type = VACCEL_ARG_RAW },
		{ .size = 4, .type = VACCEL_ARG_RAW },
	};
	struct vaccel_arg_array wrapped;

	(void)state;
	assert_int_equal(vaccel_arg_array_wrap(&wrapped, source, 3), 0);
	assert_int_equal(vaccel_arg_array_add_all(&array, &wrapped, true), 0);
	assert_int_equal(array.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(array.args[i].buf, source[i].buf);
		assert_int_equal(array.args[i].size, source[i].size);
		assert_false(array.args[i].owned);
	}
}

#define with_array(test) cmocka_unit_test_setup_teardown(test, make_array, release_array)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_array(raw_bytes_may_be_none),
		with_array(strings_end),
		with_array(buffers_have_bytes),
		with_array(own_types_are_what_the_validator_accepts),
		with_array(what_a_serializer_makes_is_the_arguments),
		with_array(what_is_not_that_type_is_not_got),
		with_array(what_is_set_fits_exactly),
		with_array(a_range_is_taken_over),
		with_array(an_argument_without_bytes_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
