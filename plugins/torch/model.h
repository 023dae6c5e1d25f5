/*
 * model.h - TorchScript models, each loaded once for a resource and shared by its sessions.
 */
#ifndef TORCH_MODEL_H
#define TORCH_MODEL_H

#include "classifier.h"
#include "fault.h"
#include "torch_bridge.h"
#include "vaccel.h"
#include <stdbool.h>

#define MODEL_NAME_MAX 128

enum model_state { MODEL_LOADING, MODEL_READY, MODEL_FAILED };

/*
 * Counted: one reference is the resource's (plugin_priv), one each caller's of model_get(). All
 * below `fault` is read-only once the model is ready.
 */
struct model {
	unsigned int references;
	enum model_state state;
	int code; /* of a failed one, with fault */
	struct fault fault;
	char name[MODEL_NAME_MAX];
	const struct torch_bridge *bridge;
	struct bridge_module *module;
	struct classifier classifier;
};

/*
 * The resource's model. With `load` it is loaded if it is not, by this thread; who else asks
 * meanwhile waits. EINVAL for a resource that is no TorchScript model, or is not loaded where
 * `load` is not set; ENOMEM; an errno when its file cannot be read; what bridge_get() gives.
 * The caller gives it back with model_put().
 */
int model_get(struct vaccel_resource *resource, bool load, struct model **model,
	      struct fault *fault);

void model_put(struct model *model);

/* The resource's own reference goes; the model with it once nobody is running it. */
void model_forget(struct vaccel_resource *resource);

#endif
