/*
 * torch.c - loading and running PyTorch models. The model must be registered with the session.
 * Any thread.
 */
#include "dispatch.h"
#include <inttypes.h>

typedef int (*load_fn)(struct vaccel_session *sess, struct vaccel_resource *model);
typedef int (*run_fn)(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_torch_buffer *run_options,
		      struct vaccel_torch_tensor *const *inputs, int nr_inputs,
		      struct vaccel_torch_tensor **outputs, int nr_outputs);

static int check_model(struct vaccel_session *sess, struct vaccel_resource *model)
{
	if (!sess || !model)
		return VACCEL_EINVAL;
	if (model->type != VACCEL_RESOURCE_MODEL)
		return fail(VACCEL_EINVAL, "Invalid resource type: expected VACCEL_RESOURCE_MODEL");
	if (!vaccel_session_has_resource(sess, model))
		return fail(VACCEL_EPERM,
			    "Resource %" PRId64 " is not registered to session %" PRId64, model->id,
			    sess->id);
	return VACCEL_OK;
}

int vaccel_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const unsigned mark = error_mark();
	const int ret = check_model(sess, model);
	load_fn load;

	if (unlikely(ret))
		return error_settle(mark, ret);
	load = (load_fn)op_func(sess, VACCEL_OP_TORCH_MODEL_LOAD);
	return error_settle(mark, likely(load) ? load(sess, model) : VACCEL_ENOTSUP);
}

int vaccel_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			   const struct vaccel_torch_buffer *run_options,
			   struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			   struct vaccel_torch_tensor **outputs, int nr_outputs)
{
	const unsigned mark = error_mark();
	const int ret = check_model(sess, model);
	run_fn run;

	if (unlikely(ret))
		return error_settle(mark, ret);
	run = (run_fn)op_func(sess, VACCEL_OP_TORCH_MODEL_RUN);
	if (unlikely(!run))
		return error_settle(mark, VACCEL_ENOTSUP);
	return error_settle(mark,
			    run(sess, model, run_options, inputs, nr_inputs, outputs, nr_outputs));
}
