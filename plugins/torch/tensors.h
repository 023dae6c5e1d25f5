/*
 * tensors.h - vAccel's tensors to the bridge and back.
 */
#ifndef TORCH_TENSORS_H
#define TORCH_TENSORS_H

#include "fault.h"
#include "torch_bridge.h"
#include "vaccel.h"

#define TENSORS_MAX	1024 /* of one run, in or out */
#define TENSOR_MAX_DIMS 64   /* libtorch's own limit */

/*
 * Views of `count` tensors in *views, each checked: a known type, dimensions of 0 or more, and
 * exactly as many bytes as they say. EINVAL or ENOMEM with the reason in *fault.
 * The caller frees *views; the tensors must outlive them.
 */
int tensors_view(struct vaccel_torch_tensor *const *tensors, int count,
		 struct bridge_tensor **views, struct fault *fault);

/*
 * The outputs of a run as new tensors that own their data. `count` must be the number that the
 * model gives. A tensor without dimensions becomes one of dimension 1, since vAccel has none.
 * EINVAL or ENOMEM with the reason in *fault; `tensors` is then untouched.
 */
int tensors_from_result(const struct torch_bridge *bridge, const struct bridge_result *result,
			struct vaccel_torch_tensor **tensors, int count, struct fault *fault);

#endif
