/*
 * torch_bridge.h - the C face of libtorch.
 *
 * libvaccel-torch-bridge.so implements it; it is loaded, and libtorch with it (155 MB resident,
 * half a second), when the first model is. It exports one symbol, luaccel_torch_bridge. No C++
 * exception passes it: each becomes EINVAL or ENOMEM. What load() and run() write to *fault follows
 * the words "model NAME ": "is not TorchScript: ...", "fails: ...".
 */
#ifndef TORCH_BRIDGE_H
#define TORCH_BRIDGE_H

#include "fault.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TORCH_BRIDGE_VERSION 1
#define TORCH_BRIDGE_SYMBOL  "luaccel_torch_bridge"

/* The extra files of a model that describe it. */
enum bridge_extra {
	BRIDGE_PREPROCESS, /* luaccel/preprocess */
	BRIDGE_LABELS,	   /* luaccel/labels */
	BRIDGE_EXTRA_MAX
};

/* A view of a tensor that somebody else owns. Dense, row-major; type is a vaccel_torch_data_type.
 */
struct bridge_tensor {
	const void *data;
	size_t size;
	const int64_t *dims;
	size_t nr_dims;
	int type;
};

struct bridge_module; /* a loaded model */
struct bridge_result; /* the outputs of one run */

struct torch_bridge {
	unsigned int version;

	/* Once, before anything else: how many threads an operation may use. */
	int (*start)(int threads, struct fault *fault);

	/* Load TorchScript from memory, which may go afterwards. */
	int (*load)(const void *bytes, size_t size, struct bridge_module **module,
		    struct fault *fault);
	void (*unload)(struct bridge_module *module);

	/* An extra file of the model: its bytes, NULL when it has none. Lives as long as it. */
	const char *(*extra)(const struct bridge_module *module, enum bridge_extra extra,
			     size_t *size);

	/*
	 * Call forward() with the tensors, which are copied. Any number of threads at once; the
	 * runs of a model that changes itself are put one after the other.
	 */
	int (*run)(struct bridge_module *module, const struct bridge_tensor *in, size_t nr_in,
		   struct bridge_result **result, struct fault *fault);
	size_t (*nr_outputs)(const struct bridge_result *result);
	struct bridge_tensor (*output)(const struct bridge_result *result, size_t index);
	void (*result_delete)(struct bridge_result *result);
};

#ifdef __cplusplus
}
#endif

#endif
