/*
 * id.h - the type of session and resource ids: 1 and up; 0 is none, negative an error code.
 */
#ifndef VACCEL_ID_H
#define VACCEL_ID_H

#include <stdint.h>

typedef int64_t vaccel_id_t;

#endif
