/*
 * enum.h - enums whose values know their names.
 *
 * An enum is one list macro: LIST(ITEM) calls ITEM(NAME, PREFIX), or ITEM(NAME, VALUE, PREFIX),
 * for each value. VACCEL_ENUM_DEF_WITH_STR_FUNCS(x, PREFIX, LIST) makes of it the type x_t with
 * the values PREFIX_NAME and a last PREFIX_MAX, and the functions
 *
 *     x_to_str(v)            "PREFIX_NAME"
 *     x_to_base_str(v)       "NAME"
 *     x_name(v, buf, size)   "name", in buf
 *
 * Values that are not in the list have the name MAX.
 */
#ifndef VACCEL_UTILS_ENUM_H
#define VACCEL_UTILS_ENUM_H

#include "str.h"
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room for any name. */
enum { VACCEL_ENUM_STR_MAX = 128 };

#define VACCEL_ENUM_DEF_WITH_STR_FUNCS(name, prefix, LIST)                                         \
	typedef enum { VACCEL_ENUM_DEF_ITEMS(prefix, LIST) } name##_t;                             \
	VACCEL_ENUM_DEF_STR_FUNCS(name, prefix, LIST)

#define VACCEL_ENUM_DEF_ITEMS(prefix, LIST)                                                        \
	LIST(VACCEL_ENUM_ITEM)                                                                     \
	VACCEL_ENUM_ITEM(MAX, prefix)

#define VACCEL_ENUM_DEF_STR_FUNCS(name, prefix, LIST)                                              \
	static inline const char *name##_to_str(name##_t value)                                    \
	{                                                                                          \
		switch (value) {                                                                   \
			LIST(VACCEL_ENUM_STR_CASE)                                                 \
		default:                                                                           \
			return VACCEL_ENUM_STR(MAX, prefix);                                       \
		}                                                                                  \
	}                                                                                          \
                                                                                                   \
	static inline const char *name##_to_base_str(name##_t value)                               \
	{                                                                                          \
		switch (value) {                                                                   \
			LIST(VACCEL_ENUM_BASE_STR_CASE)                                            \
		default:                                                                           \
			return "MAX";                                                              \
		}                                                                                  \
	}                                                                                          \
                                                                                                   \
	static inline char *name##_name(name##_t value, char *lower, size_t size)                  \
	{                                                                                          \
		if (!lower || !size)                                                               \
			return NULL;                                                               \
		vaccel_str_to_lower(name##_to_base_str(value), lower, size, NULL);                 \
		return lower;                                                                      \
	}

/* Enumerator of one item. */
#define VACCEL_ENUM_ITEM(...)                                                                      \
	VACCEL_ENUM_GET_MACRO(__VA_ARGS__, VACCEL_ENUM_ITEM_WITH_VALUE,                            \
			      VACCEL_ENUM_ITEM_NO_VALUE, )                                         \
	(__VA_ARGS__),
#define VACCEL_ENUM_ITEM_NO_VALUE(name, prefix)		 prefix##_##name
#define VACCEL_ENUM_ITEM_WITH_VALUE(name, value, prefix) prefix##_##name = value

/* Switch case that returns the whole name of one item. */
#define VACCEL_ENUM_STR_CASE(...)                                                                  \
	VACCEL_ENUM_GET_MACRO(__VA_ARGS__, VACCEL_ENUM_STR_CASE_WITH_VALUE,                        \
			      VACCEL_ENUM_STR_CASE_NO_VALUE, )                                     \
	(__VA_ARGS__)
#define VACCEL_ENUM_STR_CASE_NO_VALUE(name, prefix)                                                \
	case prefix##_##name:                                                                      \
		return VACCEL_ENUM_STR(name, prefix);
#define VACCEL_ENUM_STR_CASE_WITH_VALUE(name, value, prefix)                                       \
	VACCEL_ENUM_STR_CASE_NO_VALUE(name, prefix)
#define VACCEL_ENUM_STR(name, prefix) #prefix "_" #name

/* Switch case that returns the name of one item without its prefix. */
#define VACCEL_ENUM_BASE_STR_CASE(...)                                                             \
	VACCEL_ENUM_GET_MACRO(__VA_ARGS__, VACCEL_ENUM_BASE_STR_CASE_WITH_VALUE,                   \
			      VACCEL_ENUM_BASE_STR_CASE_NO_VALUE, )                                \
	(__VA_ARGS__)
#define VACCEL_ENUM_BASE_STR_CASE_NO_VALUE(name, prefix)                                           \
	case prefix##_##name:                                                                      \
		return #name;
#define VACCEL_ENUM_BASE_STR_CASE_WITH_VALUE(name, value, prefix)                                  \
	VACCEL_ENUM_BASE_STR_CASE_NO_VALUE(name, prefix)

/* The fourth argument: picks a macro by the number of arguments before it. */
#define VACCEL_ENUM_GET_MACRO(_1, _2, _3, macro, ...) macro

#ifdef __cplusplus
}
#endif

#endif
