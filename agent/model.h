/*
 * model.h - loading and unloading a model of any family. A session's registration remembers which
 * families it has been loaded for, by these bits, so that it can be repeated on another backend.
 */
#ifndef AGENT_MODEL_H
#define AGENT_MODEL_H

#include "vaccel.h"

struct work;

enum model_family {
	MODEL_TORCH = 1,
	MODEL_TF = 2,
	MODEL_TFLITE = 4,
};

/* One family of a set of them; the set is not empty. */
static inline enum model_family model_first(unsigned families)
{
	return (enum model_family)(families & -families);
}

/*
 * On a worker. VACCEL_* codes; a family with a status of its own leaves it in the work. A torch
 * model cannot be unloaded.
 */
int model_load(enum model_family family, struct work *work, struct vaccel_session *leg,
	       struct vaccel_resource *model);
int model_unload(enum model_family family, struct work *work, struct vaccel_session *leg,
		 struct vaccel_resource *model);

/* Keep what TensorFlow said with the work that asked for it, and release it. */
void model_tell(struct work *work, struct vaccel_tf_status *status);

#endif
