/*
 * op.h - operations and the functions of plugins that implement them.
 */
#ifndef VACCEL_OP_H
#define VACCEL_OP_H

#include "list.h"
#include "utils/enum.h"
#include "utils/str.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_OP_TYPE_ENUM_LIST(ITEM)                                                             \
	ITEM(NOOP, 0, VACCEL_OP)                                                                   \
	ITEM(EXEC, VACCEL_OP)                                                                      \
	ITEM(EXEC_WITH_RESOURCE, VACCEL_OP)                                                        \
	ITEM(IMAGE_CLASSIFY, VACCEL_OP)                                                            \
	ITEM(IMAGE_DETECT, VACCEL_OP)                                                              \
	ITEM(IMAGE_SEGMENT, VACCEL_OP)                                                             \
	ITEM(IMAGE_POSE, VACCEL_OP)                                                                \
	ITEM(IMAGE_DEPTH, VACCEL_OP)                                                               \
	ITEM(TF_MODEL_LOAD, VACCEL_OP)                                                             \
	ITEM(TF_MODEL_UNLOAD, VACCEL_OP)                                                           \
	ITEM(TF_MODEL_RUN, VACCEL_OP)                                                              \
	ITEM(TFLITE_MODEL_LOAD, VACCEL_OP)                                                         \
	ITEM(TFLITE_MODEL_UNLOAD, VACCEL_OP)                                                       \
	ITEM(TFLITE_MODEL_RUN, VACCEL_OP)                                                          \
	ITEM(TORCH_MODEL_LOAD, VACCEL_OP)                                                          \
	ITEM(TORCH_MODEL_RUN, VACCEL_OP)                                                           \
	ITEM(TORCH_SGEMM, VACCEL_OP)                                                               \
	ITEM(BLAS_SGEMM, VACCEL_OP)                                                                \
	ITEM(FPGA_ARRAYCOPY, VACCEL_OP)                                                            \
	ITEM(FPGA_MMULT, VACCEL_OP)                                                                \
	ITEM(FPGA_PARALLEL, VACCEL_OP)                                                             \
	ITEM(FPGA_VECTORADD, VACCEL_OP)                                                            \
	ITEM(MINMAX, VACCEL_OP)                                                                    \
	ITEM(OPENCV, VACCEL_OP)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_op_type, VACCEL_OP, VACCEL_OP_TYPE_ENUM_LIST)

/* The operation's name in lower case, without prefix: "image_classify". */
static inline char *vaccel_op_type_to_lower(vaccel_op_type_t op_type, char *lower, size_t size)
{
	vaccel_str_to_lower(vaccel_op_type_to_base_str(op_type), lower, size, NULL);
	return lower;
}

struct vaccel_plugin;

struct vaccel_op {
	/* operation that func implements */
	vaccel_op_type_t type;

	/* the function; its parameters follow from the type */
	void *func;

	/* plugin that it belongs to */
	struct vaccel_plugin *owner;
};

/* The plugin that this translation unit belongs to; VACCEL_PLUGIN() of plugin.h defines it. */
extern struct vaccel_plugin vaccel_this_plugin;

/* Initialiser of one entry of a plugin's operation table; name is for the reader alone. */
#define VACCEL_OP_INIT(name, type, func)                                                           \
	{                                                                                          \
		(type), (func), (&vaccel_this_plugin)                                              \
	}

#ifdef __cplusplus
}
#endif

#endif
