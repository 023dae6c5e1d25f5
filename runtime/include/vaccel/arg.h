/*
 * arg.h - typed arguments of operations that take them as lists: one argument, an array of them
 * that is written and read in order, and the list of older programs.
 */
#ifndef VACCEL_ARG_H
#define VACCEL_ARG_H

#include "utils/enum.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_ARG_TYPE_ENUM_LIST(ITEM)                                                            \
	ITEM(RAW, 0, VACCEL_ARG)                                                                   \
	ITEM(INT8, VACCEL_ARG)                                                                     \
	ITEM(INT8_ARRAY, VACCEL_ARG)                                                               \
	ITEM(INT16, VACCEL_ARG)                                                                    \
	ITEM(INT16_ARRAY, VACCEL_ARG)                                                              \
	ITEM(INT32, VACCEL_ARG)                                                                    \
	ITEM(INT32_ARRAY, VACCEL_ARG)                                                              \
	ITEM(INT64, VACCEL_ARG)                                                                    \
	ITEM(INT64_ARRAY, VACCEL_ARG)                                                              \
	ITEM(UINT8, VACCEL_ARG)                                                                    \
	ITEM(UINT8_ARRAY, VACCEL_ARG)                                                              \
	ITEM(UINT16, VACCEL_ARG)                                                                   \
	ITEM(UINT16_ARRAY, VACCEL_ARG)                                                             \
	ITEM(UINT32, VACCEL_ARG)                                                                   \
	ITEM(UINT32_ARRAY, VACCEL_ARG)                                                             \
	ITEM(UINT64, VACCEL_ARG)                                                                   \
	ITEM(UINT64_ARRAY, VACCEL_ARG)                                                             \
	ITEM(FLOAT32, VACCEL_ARG)                                                                  \
	ITEM(FLOAT32_ARRAY, VACCEL_ARG)                                                            \
	ITEM(FLOAT64, VACCEL_ARG)                                                                  \
	ITEM(FLOAT64_ARRAY, VACCEL_ARG)                                                            \
	ITEM(BOOL, VACCEL_ARG)                                                                     \
	ITEM(BOOL_ARRAY, VACCEL_ARG)                                                               \
	ITEM(CHAR, VACCEL_ARG)                                                                     \
	ITEM(CHAR_ARRAY, VACCEL_ARG)                                                               \
	ITEM(UCHAR, VACCEL_ARG)                                                                    \
	ITEM(UCHAR_ARRAY, VACCEL_ARG)                                                              \
	ITEM(STRING, VACCEL_ARG)                                                                   \
	ITEM(BUFFER, VACCEL_ARG)                                                                   \
	ITEM(CUSTOM, VACCEL_ARG)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_arg_type, VACCEL_ARG, VACCEL_ARG_TYPE_ENUM_LIST)

struct vaccel_arg {
	/* the bytes */
	void *buf;

	/* how many */
	size_t size;

	/* what they are */
	vaccel_arg_type_t type;

	/* the caller's own type number, for VACCEL_ARG_CUSTOM */
	uint32_t custom_type_id;

	/* true if the bytes are freed with the argument */
	bool owned;
};

/* Fill an argument with a copy of buf; a NULL buf with a size gives zeroed bytes. */
int vaccel_arg_init(struct vaccel_arg *arg, const void *buf, size_t size, vaccel_arg_type_t type,
		    uint32_t custom_id);

/* Fill an argument with buf itself, which stays the caller's. */
int vaccel_arg_init_from_buf(struct vaccel_arg *arg, void *buf, size_t size, vaccel_arg_type_t type,
			     uint32_t custom_id);

/* Free what the argument owns and mark it unusable. */
int vaccel_arg_release(struct vaccel_arg *arg);

/* The same two on a new argument, to be given back by vaccel_arg_delete(). */
int vaccel_arg_new(struct vaccel_arg **arg, const void *buf, size_t size, vaccel_arg_type_t type,
		   uint32_t custom_id);
int vaccel_arg_from_buf(struct vaccel_arg **arg, void *buf, size_t size, vaccel_arg_type_t type,
			uint32_t custom_id);

/* Release and free an argument. */
int vaccel_arg_delete(struct vaccel_arg *arg);

/*
 * What numbers an argument can hold: X(name in functions, type in C, enumerator of one, enumerator
 * of many).
 */
#define VACCEL_ARG_NUMERIC_TYPES(X)                                                                \
	X(int8, int8_t, VACCEL_ARG_INT8, VACCEL_ARG_INT8_ARRAY)                                    \
	X(int16, int16_t, VACCEL_ARG_INT16, VACCEL_ARG_INT16_ARRAY)                                \
	X(int32, int32_t, VACCEL_ARG_INT32, VACCEL_ARG_INT32_ARRAY)                                \
	X(int64, int64_t, VACCEL_ARG_INT64, VACCEL_ARG_INT64_ARRAY)                                \
	X(uint8, uint8_t, VACCEL_ARG_UINT8, VACCEL_ARG_UINT8_ARRAY)                                \
	X(uint16, uint16_t, VACCEL_ARG_UINT16, VACCEL_ARG_UINT16_ARRAY)                            \
	X(uint32, uint32_t, VACCEL_ARG_UINT32, VACCEL_ARG_UINT32_ARRAY)                            \
	X(uint64, uint64_t, VACCEL_ARG_UINT64, VACCEL_ARG_UINT64_ARRAY)                            \
	X(float, float, VACCEL_ARG_FLOAT32, VACCEL_ARG_FLOAT32_ARRAY)                              \
	X(double, double, VACCEL_ARG_FLOAT64, VACCEL_ARG_FLOAT64_ARRAY)                            \
	X(bool, bool, VACCEL_ARG_BOOL, VACCEL_ARG_BOOL_ARRAY)                                      \
	X(char, char, VACCEL_ARG_CHAR, VACCEL_ARG_CHAR_ARRAY)                                      \
	X(uchar, unsigned char, VACCEL_ARG_UCHAR, VACCEL_ARG_UCHAR_ARRAY)

/* Whether bytes are a value of the caller's own type. */
typedef bool (*vaccel_arg_type_validator_fn)(const void *buf, size_t size, uint32_t custom_id);

/* Make bytes of a value: *buf from malloc(), which the argument then owns. VACCEL_OK or a code. */
typedef int (*vaccel_arg_serializer_fn)(const void *data, size_t data_size, uint32_t custom_id,
					void **buf, size_t *size);

/* Make a value of data_size bytes of bytes. VACCEL_OK or a code. */
typedef int (*vaccel_arg_deserializer_fn)(const void *buf, size_t size, uint32_t custom_id,
					  size_t data_size, void *data);

struct vaccel_arg_array {
	/* the arguments */
	struct vaccel_arg *args;

	/* how many there are */
	size_t count;

	/* how many there is memory for */
	size_t capacity;

	/* the next one that get and set functions see */
	size_t position;

	/* true if the memory is the array's: it grows, and is freed with the array */
	bool owned;
};

/* Start an empty array with memory for some arguments; 0 leaves the number to the library. */
int vaccel_arg_array_init(struct vaccel_arg_array *array, size_t initial_capacity);

/* Release every argument and free what the array owns. */
int vaccel_arg_array_release(struct vaccel_arg_array *array);

/* A new empty array, to be given back by vaccel_arg_array_delete(). */
int vaccel_arg_array_new(struct vaccel_arg_array **array, size_t initial_capacity);

/* Release and free an array. */
int vaccel_arg_array_delete(struct vaccel_arg_array *array);

/* Make an array of arguments that stay the caller's; it cannot grow. */
int vaccel_arg_array_wrap(struct vaccel_arg_array *array, struct vaccel_arg *args, size_t count);

/* Release every argument and keep the memory. */
void vaccel_arg_array_clear(struct vaccel_arg_array *array);

/*
 * Append an argument that refers to the caller's memory, which must stay until the array is
 * released or cleared. VACCEL_EINVAL: no such value; VACCEL_ERANGE: a wrapped array is full;
 * VACCEL_ENOMEM.
 */

int vaccel_arg_array_add_raw(struct vaccel_arg_array *array, void *buf, size_t size);
int vaccel_arg_array_add_string(struct vaccel_arg_array *array, char *str);
int vaccel_arg_array_add_buffer(struct vaccel_arg_array *array, void *buf, size_t size);

/* A value of the caller's own type; the validator has to accept it. */
int vaccel_arg_array_add_custom(struct vaccel_arg_array *array, uint32_t custom_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator);

/* What the serializer makes of a value; those bytes are the argument's own. */
int vaccel_arg_array_add_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer);

#define VACCEL_ARG_ARRAY_DECLARE_ADD_FUNCS(name, ctype, scalar, many)                              \
	int vaccel_arg_array_add_##name(struct vaccel_arg_array *array, ctype *value);             \
	int vaccel_arg_array_add_##name##_array(struct vaccel_arg_array *array, ctype *values,     \
						size_t count);

VACCEL_ARG_NUMERIC_TYPES(VACCEL_ARG_ARRAY_DECLARE_ADD_FUNCS)

/*
 * Append arguments of another array, as they are or with copies of their bytes. VACCEL_ERANGE: src
 * has no such arguments.
 */

int vaccel_arg_array_add_range(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			       size_t start_idx, size_t count, bool copy);

/* From src's position on. */
int vaccel_arg_array_add_remaining(struct vaccel_arg_array *dest,
				   const struct vaccel_arg_array *src, bool copy);

int vaccel_arg_array_add_all(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			     bool copy);

/*
 * Read the argument at the array's position and go on to the next; arrays, strings and buffers are
 * the argument's own memory, not copies. VACCEL_ERANGE: there is none left; VACCEL_EINVAL: it is of
 * another type or size. A failure leaves the position.
 */

int vaccel_arg_array_get_raw(struct vaccel_arg_array *array, void **buf, size_t *size);
int vaccel_arg_array_get_string(struct vaccel_arg_array *array, char **str);
int vaccel_arg_array_get_buffer(struct vaccel_arg_array *array, void **buf, size_t *size);
int vaccel_arg_array_get_custom(struct vaccel_arg_array *array, uint32_t expected_id, void **buf,
				size_t *size, vaccel_arg_type_validator_fn validator);
int vaccel_arg_array_get_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t expected_type,
				    uint32_t expected_custom_id, void *data, size_t expected_size,
				    vaccel_arg_deserializer_fn deserializer);

#define VACCEL_ARG_ARRAY_DECLARE_GET_FUNCS(name, ctype, scalar, many)                              \
	int vaccel_arg_array_get_##name(struct vaccel_arg_array *array, ctype *value);             \
	int vaccel_arg_array_get_##name##_array(struct vaccel_arg_array *array, ctype **values,    \
						size_t *count);

VACCEL_ARG_NUMERIC_TYPES(VACCEL_ARG_ARRAY_DECLARE_GET_FUNCS)

/*
 * Write into the memory of the argument at the array's position and go on to the next. Codes as
 * for reading; what is longer than the argument is VACCEL_EINVAL.
 */

int vaccel_arg_array_set_raw(struct vaccel_arg_array *array, void *buf, size_t size);
int vaccel_arg_array_set_string(struct vaccel_arg_array *array, char *str);
int vaccel_arg_array_set_buffer(struct vaccel_arg_array *array, void *buf, size_t size);
int vaccel_arg_array_set_custom(struct vaccel_arg_array *array, uint32_t expected_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator);
int vaccel_arg_array_set_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t expected_type,
				    uint32_t expected_custom_id, void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer);

#define VACCEL_ARG_ARRAY_DECLARE_SET_FUNCS(name, ctype, scalar, many)                              \
	int vaccel_arg_array_set_##name(struct vaccel_arg_array *array, ctype *value);             \
	int vaccel_arg_array_set_##name##_array(struct vaccel_arg_array *array, ctype *values,     \
						size_t count);

VACCEL_ARG_NUMERIC_TYPES(VACCEL_ARG_ARRAY_DECLARE_SET_FUNCS)

/* All arguments from the position on, which stays; at the end NULL and 0. */
int vaccel_arg_array_get_remaining(struct vaccel_arg_array *array, struct vaccel_arg **args,
				   size_t *count);
size_t vaccel_arg_array_remaining_count(const struct vaccel_arg_array *array);

/* Where the next get or set happens; a position beyond the end is the end. */
size_t vaccel_arg_array_position(const struct vaccel_arg_array *array);
void vaccel_arg_array_set_position(struct vaccel_arg_array *array, size_t position);
void vaccel_arg_array_reset_position(struct vaccel_arg_array *array);

/* How many arguments there are, and where: 0 and NULL without an array. */
size_t vaccel_arg_array_count(const struct vaccel_arg_array *array);
struct vaccel_arg *vaccel_arg_array_raw(struct vaccel_arg_array *array);

/* Deprecated: the list of older programs. Its size is fixed when it is made. */

struct vaccel_arg_list {
	/* how many there is room for */
	uint32_t size;

	/* the arguments */
	struct vaccel_arg *list;

	/* the next free one */
	int curr_idx;

	/* those whose bytes the list owns */
	int *idcs_allocated_space;
};

__attribute__((deprecated("use vaccel_arg_array_new()"))) struct vaccel_arg_list *
vaccel_args_init(uint32_t size);

__attribute__((deprecated("use vaccel_arg_array_add_raw()"))) int
vaccel_add_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size);

__attribute__((deprecated("use vaccel_arg_array_add_serialized()"))) int
vaccel_add_nonserial_arg(struct vaccel_arg_list *args, void *buf, uint32_t type,
			 void *(*serializer)(void *, uint32_t *));

__attribute__((deprecated("use vaccel_arg_array_add_raw()"))) int
vaccel_expect_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size);

__attribute__((deprecated("use vaccel_arg_array_add_buffer()"))) int
vaccel_expect_nonserial_arg(struct vaccel_arg_list *args, uint32_t expected_size);

__attribute__((deprecated("use vaccel_arg_array_get_raw()"))) void *
vaccel_extract_serial_arg(struct vaccel_arg *args, int idx);

__attribute__((deprecated("use vaccel_arg_array_get_serialized()"))) void *
vaccel_extract_nonserial_arg(struct vaccel_arg *args, int idx,
			     void *(*deserializer)(void *, uint32_t));

__attribute__((deprecated("use vaccel_arg_array_set_raw()"))) int
vaccel_write_serial_arg(struct vaccel_arg *args, int idx, void *buf);

__attribute__((deprecated("use vaccel_arg_array_set_serialized()"))) int
vaccel_write_nonserial_arg(struct vaccel_arg *args, int idx, void *buf,
			   void *(*serializer)(void *, uint32_t *));

__attribute__((deprecated("use vaccel_arg_array_delete()"))) int
vaccel_delete_args(struct vaccel_arg_list *args);

#ifdef __cplusplus
}
#endif

#endif
