/*
 * path.h - kinds of paths that a resource can be created from.
 */
#ifndef VACCEL_UTILS_PATH_H
#define VACCEL_UTILS_PATH_H

#include "enum.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_PATH_TYPE_ENUM_LIST(ITEM)                                                           \
	ITEM(LOCAL_FILE, 0, VACCEL_PATH)                                                           \
	ITEM(LOCAL_DIR, VACCEL_PATH)                                                               \
	ITEM(REMOTE_FILE, VACCEL_PATH)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_path_type, VACCEL_PATH, VACCEL_PATH_TYPE_ENUM_LIST)

#ifdef __cplusplus
}
#endif

#endif
