/*
 * arg.h - one typed argument of a generic operation.
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

#ifdef __cplusplus
}
#endif

#endif
