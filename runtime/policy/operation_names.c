/*
 * operation_names.c - see operation_names.h.
 */
#include "operation_names.h"
#include "vaccel/op.h"

#include <ctype.h>

/* vaccel_op_type_name() writes in lower case what is compared here where it stands. */
static bool is_name(const char *base, const char *name)
{
	while (*base && tolower((unsigned char)*base) == *name) {
		base++;
		name++;
	}
	return !*base && !*name;
}

int operation_by_name(const char *name)
{
	for (int type = 0; type < VACCEL_OP_MAX; type++)
		if (is_name(vaccel_op_type_to_base_str((vaccel_op_type_t)type), name))
			return type;
	return -1;
}

bool operation_is_idempotent(int type)
{
	switch (type) {
	case VACCEL_OP_EXEC:
	case VACCEL_OP_EXEC_WITH_RESOURCE:
	case VACCEL_OP_OPENCV:
		return false;
	default:
		return type >= 0 && type < VACCEL_OP_MAX;
	}
}

bool operation_is_load(int type)
{
	switch (type) {
	case VACCEL_OP_TF_MODEL_LOAD:
	case VACCEL_OP_TF_MODEL_UNLOAD:
	case VACCEL_OP_TFLITE_MODEL_LOAD:
	case VACCEL_OP_TFLITE_MODEL_UNLOAD:
	case VACCEL_OP_TORCH_MODEL_LOAD:
		return true;
	default:
		return false;
	}
}
