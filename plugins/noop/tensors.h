/*
 * tensors.h - tensors of TensorFlow, TensorFlow Lite and Torch as one: three structs that say the
 * same in members of different types.
 */
#ifndef NOOP_TENSORS_H
#define NOOP_TENSORS_H

#include <vaccel.h>

enum tensor_family { TENSOR_TF, TENSOR_TFLITE, TENSOR_TORCH };

/*
 * A list of tensors and what belongs to them. `in` is a `struct vaccel_..._tensor *const *`, `out`
 * a `struct vaccel_..._tensor **` of the family; nodes are TensorFlow's, NULL for the others.
 */
struct tensors {
	enum tensor_family family;
	const void *in;
	const struct vaccel_tf_node *in_nodes;
	int nr_in;
	void *out;
	const struct vaccel_tf_node *out_nodes;
	int nr_out;
};

/*
 * Log the inputs, and make output i a new tensor that is a copy of input i. VACCEL_EINVAL for more
 * outputs than inputs and for tensors without dimensions or data; no output is made then.
 */
int tensors_copy(const struct tensors *tensors);

/* Delete what tensors_copy() made. */
void tensors_drop(const struct tensors *tensors);

#endif
