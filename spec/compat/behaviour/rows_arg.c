/*
 * rows_arg.c - rows for arguments and arrays of them.
 */
#include "behaviour.h"
#include <string.h>

static bool refuse(const void *buf, size_t size, uint32_t custom_id)
{
	(void)buf;
	(void)size;
	(void)custom_id;
	return false;
}

static bool accept_any(const void *buf, size_t size, uint32_t custom_id)
{
	return !refuse(buf, size, custom_id);
}

static int serialize(const void *data, size_t data_size, uint32_t custom_id, void **buf,
		     size_t *size)
{
	(void)custom_id;
	*buf = malloc(data_size);
	*size = data_size;
	memcpy(*buf, data, data_size);
	return VACCEL_OK;
}

static int deserialize(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
		       void *data)
{
	(void)custom_id;
	memcpy(data, buf, size < data_size ? size : data_size);
	return VACCEL_OK;
}

/* A bool whose byte is neither 0 nor 1. */
static bool *odd_bool(void)
{
	static uint8_t two = 2;
	void *byte = &two;

	return byte;
}

/* The same rows for each of the other types. */
#define TYPED_ROWS(name, ctype, scalar, many)                                                      \
	ROW(ARGS, arg_array_add_##name##_none, vaccel_arg_array_add_##name(&array, NULL))          \
	ROW(ARGS, arg_array_add_##name##_array_none,                                               \
	    vaccel_arg_array_add_##name##_array(&array, NULL, 1))                                  \
	ROW(ARGS, arg_array_add_##name##_array_of_0, ({                                            \
		    static ctype value;                                                            \
                                                                                                   \
		    vaccel_arg_array_add_##name##_array(&array, &value, 0);                        \
	    }))                                                                                    \
	ROW(ARGS, arg_array_get_##name##_of_a_string, ({                                           \
		    static ctype value;                                                            \
                                                                                                   \
		    vaccel_arg_array_set_position(&array, 1);                                      \
		    vaccel_arg_array_get_##name(&array, &value);                                   \
	    }))                                                                                    \
	ROW(ARGS, arg_array_get_##name##_after_the_end, ({                                         \
		    static ctype value;                                                            \
                                                                                                   \
		    vaccel_arg_array_set_position(&array, 2);                                      \
		    vaccel_arg_array_get_##name(&array, &value);                                   \
	    }))                                                                                    \
	ROW(ARGS, arg_array_get_##name##_array_of_a_string, ({                                     \
		    static ctype *values;                                                          \
                                                                                                   \
		    vaccel_arg_array_set_position(&array, 1);                                      \
		    vaccel_arg_array_get_##name##_array(&array, &values, &count);                  \
	    }))                                                                                    \
	ROW(ARGS, arg_array_set_##name##_of_a_string, ({                                           \
		    static ctype value;                                                            \
                                                                                                   \
		    vaccel_arg_array_set_position(&array, 1);                                      \
		    vaccel_arg_array_set_##name(&array, &value);                                   \
	    }))                                                                                    \
	ROW(ARGS, arg_array_set_##name##_array_after_the_end, ({                                   \
		    static ctype value;                                                            \
                                                                                                   \
		    vaccel_arg_array_set_position(&array, 2);                                      \
		    vaccel_arg_array_set_##name##_array(&array, &value, 1);                        \
	    }))

VACCEL_ARG_NUMERIC_TYPES(TYPED_ROWS)

ROW(BARE, arg_init_null, vaccel_arg_init(NULL, bytes, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_init_zero, vaccel_arg_init(&arg, bytes, 0, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_init_zeroed, vaccel_arg_init(&arg, NULL, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_init_from_buf_null, vaccel_arg_init_from_buf(NULL, bytes, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_init_from_buf_zero, vaccel_arg_init_from_buf(&arg, bytes, 0, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_init_from_buf_null_buf, vaccel_arg_init_from_buf(&arg, NULL, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_new_null, vaccel_arg_new(NULL, bytes, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_new_zero, vaccel_arg_new(&arg_out, bytes, 0, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_from_buf_null, vaccel_arg_from_buf(NULL, bytes, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_from_buf_null_buf, vaccel_arg_from_buf(&arg_out, NULL, 4, VACCEL_ARG_RAW, 0))
ROW(BARE, arg_release_null, vaccel_arg_release(NULL))
ROW(BARE, arg_delete_null, vaccel_arg_delete(NULL))
ROW(ARGS, arg_array_init_null, vaccel_arg_array_init(NULL, 1))
ROW(ARGS, arg_array_release_null, vaccel_arg_array_release(NULL))
ROW(ARGS, arg_array_release_twice,
    (vaccel_arg_array_release(&array), vaccel_arg_array_release(&array)))
ROW(ARGS, arg_array_new_null, vaccel_arg_array_new(NULL, 1))
ROW(ARGS, arg_array_delete_null, vaccel_arg_array_delete(NULL))
ROW(ARGS, arg_array_wrap_null, vaccel_arg_array_wrap(NULL, &arg, 1))
ROW(ARGS, arg_array_wrap_null_args, vaccel_arg_array_wrap(&array, NULL, 1))
ROW(ARGS, arg_array_wrap_nothing, vaccel_arg_array_wrap(&wrapped, NULL, 0))
ROW(ARGS, arg_array_add_wrapped, vaccel_arg_array_add_int32(&wrapped, &number))
ROW(ARGS, arg_array_add_raw_null, vaccel_arg_array_add_raw(NULL, bytes, 4))
ROW(ARGS, arg_array_add_raw_odd, vaccel_arg_array_add_raw(&array, NULL, 4))
ROW(ARGS, arg_array_add_raw_nothing, vaccel_arg_array_add_raw(&array, NULL, 0))
ROW(ARGS, arg_array_add_string_null, vaccel_arg_array_add_string(&array, NULL))
ROW(ARGS, arg_array_add_string_null_array, vaccel_arg_array_add_string(NULL, text))
ROW(ARGS, arg_array_add_buffer_null, vaccel_arg_array_add_buffer(&array, NULL, 4))
ROW(ARGS, arg_array_add_buffer_zero, vaccel_arg_array_add_buffer(&array, bytes, 0))
ROW(ARGS, arg_array_add_buffer_null_array, vaccel_arg_array_add_buffer(NULL, bytes, 4))
ROW(ARGS, arg_array_add_custom_no_validator, vaccel_arg_array_add_custom(&array, 7, bytes, 4, NULL))
ROW(ARGS, arg_array_add_custom_refused, vaccel_arg_array_add_custom(&array, 7, bytes, 4, refuse))
ROW(ARGS, arg_array_add_custom, vaccel_arg_array_add_custom(&array, 7, bytes, 4, accept_any))
ROW(ARGS, arg_array_add_serialized_no_serializer,
    vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, 7, bytes, 4, NULL))
ROW(ARGS, arg_array_add_serialized,
    vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, 7, bytes, 4, serialize))
ROW(ARGS, arg_array_add_int32_null, vaccel_arg_array_add_int32(&array, NULL))
ROW(ARGS, arg_array_add_int32_null_array, vaccel_arg_array_add_int32(NULL, &number))
ROW(ARGS, arg_array_add_int32_array_null, vaccel_arg_array_add_int32_array(&array, NULL, 2))
ROW(ARGS, arg_array_add_int32_array_zero, vaccel_arg_array_add_int32_array(&array, &number, 0))
ROW(ARGS, arg_array_add_int32_array_overflow,
    vaccel_arg_array_add_int32_array(&array, &number, SIZE_MAX / 2))
ROW(ARGS, arg_array_add_bool_two, vaccel_arg_array_add_bool(&array, odd_bool()))
ROW(ARGS, arg_array_add_range_start, vaccel_arg_array_add_range(&other_array, &array, 2, 1, false))
ROW(ARGS, arg_array_add_range_count, vaccel_arg_array_add_range(&other_array, &array, 1, 2, false))
ROW(ARGS, arg_array_add_range_overflow,
    vaccel_arg_array_add_range(&other_array, &array, 1, SIZE_MAX, false))
ROW(ARGS, arg_array_add_range_none, vaccel_arg_array_add_range(&other_array, &array, 1, 0, false))
ROW(ARGS, arg_array_add_range_null, vaccel_arg_array_add_range(&other_array, NULL, 0, 1, false))
ROW(ARGS, arg_array_add_range_null_dest, vaccel_arg_array_add_range(NULL, &array, 0, 1, false))
ROW(ARGS, arg_array_add_remaining_none,
    (vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_add_remaining(&other_array, &array, true)))
ROW(ARGS, arg_array_add_remaining_null, vaccel_arg_array_add_remaining(&other_array, NULL, true))
ROW(ARGS, arg_array_add_all_none, vaccel_arg_array_add_all(&array, &other_array, true))
ROW(ARGS, arg_array_add_all_null, vaccel_arg_array_add_all(&array, NULL, true))
ROW(ARGS, arg_array_get_int32_null, vaccel_arg_array_get_int32(&array, NULL))
ROW(ARGS, arg_array_get_int32_null_array, vaccel_arg_array_get_int32(NULL, &number))
ROW(ARGS, arg_array_get_int32_end,
    (vaccel_arg_array_set_position(&array, 99), vaccel_arg_array_get_int32(&array, &number)))
ROW(ARGS, arg_array_get_int32_type,
    (vaccel_arg_array_set_position(&array, 1), vaccel_arg_array_get_int32(&array, &number)))
ROW(ARGS, arg_array_get_int32, vaccel_arg_array_get_int32(&array, &number))
ROW(ARGS, arg_array_get_int32_array_type,
    vaccel_arg_array_get_int32_array(&array, &numbers, &count))
ROW(ARGS, arg_array_get_int32_array_null, vaccel_arg_array_get_int32_array(&array, NULL, &count))
ROW(ARGS, arg_array_get_int32_array_size,
    (array.args[0].type = VACCEL_ARG_INT32_ARRAY, array.args[0].size = 3,
     vaccel_arg_array_get_int32_array(&array, &numbers, &count)))
ROW(ARGS, arg_array_get_string_type, vaccel_arg_array_get_string(&array, &string))
ROW(ARGS, arg_array_get_string_no_nul,
    (vaccel_arg_array_set_position(&array, 1), array.args[1].size--,
     vaccel_arg_array_get_string(&array, &string)))
ROW(ARGS, arg_array_get_string_null, vaccel_arg_array_get_string(&array, NULL))
ROW(ARGS, arg_array_get_buffer_type, vaccel_arg_array_get_buffer(&array, &pointer, &count))
ROW(ARGS, arg_array_get_raw_type, vaccel_arg_array_get_raw(&array, &pointer, &count))
ROW(ARGS, arg_array_get_custom_type,
    vaccel_arg_array_get_custom(&array, 7, &pointer, &count, accept_any))
ROW(ARGS, arg_array_get_custom_id,
    (vaccel_arg_array_add_custom(&array, 7, bytes, 4, accept_any),
     vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_get_custom(&array, 8, &pointer, &count, accept_any)))
ROW(ARGS, arg_array_get_custom_refused,
    (vaccel_arg_array_add_custom(&array, 7, bytes, 4, accept_any),
     vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_get_custom(&array, 7, &pointer, &count, refuse)))
ROW(ARGS, arg_array_get_serialized_type,
    vaccel_arg_array_get_serialized(&array, VACCEL_ARG_CUSTOM, 7, text, 4, deserialize))
ROW(ARGS, arg_array_get_serialized_id,
    (vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, 7, bytes, 4, serialize),
     vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_get_serialized(&array, VACCEL_ARG_CUSTOM, 8, text, 4, deserialize)))
ROW(ARGS, arg_array_get_serialized_no_function,
    vaccel_arg_array_get_serialized(&array, VACCEL_ARG_INT32, 0, text, 4, NULL))
ROW(ARGS, arg_array_get_remaining_end,
    (vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_get_remaining(&array, &arg_out, &count)))
ROW(ARGS, arg_array_get_remaining_null, vaccel_arg_array_get_remaining(&array, NULL, &count))
ROW(ARGS, arg_array_set_int32_end,
    (vaccel_arg_array_set_position(&array, 2), vaccel_arg_array_set_int32(&array, &number)))
ROW(ARGS, arg_array_set_int32_type,
    (vaccel_arg_array_set_position(&array, 1), vaccel_arg_array_set_int32(&array, &number)))
ROW(ARGS, arg_array_set_int32_null, vaccel_arg_array_set_int32(&array, NULL))
ROW(ARGS, arg_array_set_string_long,
    (vaccel_arg_array_set_position(&array, 1), vaccel_arg_array_set_string(&array, long_text)))
ROW(ARGS, arg_array_set_buffer_type, vaccel_arg_array_set_buffer(&array, bytes, 4))
ROW(ARGS, arg_array_set_buffer_long,
    (vaccel_arg_array_add_buffer(&array, bytes, 2), vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_set_buffer(&array, bytes, 4)))
ROW(ARGS, arg_array_set_raw_none,
    (vaccel_arg_array_add_raw(&array, bytes, 4), vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_set_raw(&array, NULL, 0)))
ROW(ARGS, arg_array_set_custom_size,
    (vaccel_arg_array_add_custom(&array, 7, bytes, 4, accept_any),
     vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_set_custom(&array, 7, bytes, 3, accept_any)))
ROW(ARGS, arg_array_set_serialized_size,
    (vaccel_arg_array_add_serialized(&array, VACCEL_ARG_CUSTOM, 7, bytes, 4, serialize),
     vaccel_arg_array_set_position(&array, 2),
     vaccel_arg_array_set_serialized(&array, VACCEL_ARG_CUSTOM, 7, bytes, 3, serialize)))
ROW(ARGS, arg_array_count_null, (long)vaccel_arg_array_count(NULL))
ROW(ARGS, arg_array_position_null, (long)vaccel_arg_array_position(NULL))
ROW(ARGS, arg_array_set_position_beyond,
    (vaccel_arg_array_set_position(&array, 99), (long)vaccel_arg_array_position(&array)))
ROW(ARGS, arg_array_remaining_count_null, (long)vaccel_arg_array_remaining_count(NULL))
ROW(ARGS, arg_array_raw_null, address(vaccel_arg_array_raw(NULL)))
