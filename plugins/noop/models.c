/*
 * models.c - models of TensorFlow, TensorFlow Lite and Torch, which are not loaded; running one
 * copies its inputs. Any thread.
 */
#include "noop.h"
#include "tensors.h"

/* What each of these operations begins with; model_name is what the log calls a missing model. */
static int begin(const char *operation, const struct vaccel_session *sess,
		 const struct vaccel_resource *model, const char *model_name)
{
	if (!sess)
		return noop_invalid("Invalid session");
	if (!model)
		return noop_invalid("Invalid %s", model_name);
	noop_debug("Calling %s for session %" PRId64, operation, sess->id);
	return VACCEL_OK;
}

static int tell_status(struct vaccel_tf_status *status)
{
	return status ? vaccel_tf_status_init(status, 0, "Operation handled by noop plugin")
		      : VACCEL_OK;
}

int noop_tf_load(struct vaccel_session *sess, struct vaccel_resource *model,
		 struct vaccel_tf_status *status)
{
	const int ret = begin("tf_model_load", sess, model, "TensorFlow model");

	return ret ? ret : tell_status(status);
}

int noop_tf_unload(struct vaccel_session *sess, struct vaccel_resource *model,
		   struct vaccel_tf_status *status)
{
	const int ret = begin("tf_model_unload", sess, model, "TensorFlow model");

	return ret ? ret : tell_status(status);
}

int noop_tf_run(struct vaccel_session *sess, struct vaccel_resource *model,
		const struct vaccel_tf_buffer *run_options, const struct vaccel_tf_node *in_nodes,
		struct vaccel_tf_tensor *const *in, int nr_in,
		const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out, int nr_out,
		struct vaccel_tf_status *status)
{
	const struct tensors tensors = { TENSOR_TF, in, in_nodes, nr_in, out, out_nodes, nr_out };
	int ret = begin("tf_model_run", sess, model, "TensorFlow model");

	if (ret)
		return ret;
	if (run_options)
		noop_debug("Run options -> %p, %zu", run_options->data, run_options->size);
	if ((nr_in > 0 && !in_nodes) || (nr_out > 0 && !out_nodes))
		return noop_invalid("Tensors without nodes");
	ret = tensors_copy(&tensors);
	if (ret)
		return ret;
	ret = tell_status(status);
	if (ret)
		tensors_drop(&tensors);
	return ret;
}

int noop_tflite_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return begin("tflite_model_load", sess, model, "model");
}

int noop_tflite_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return begin("tflite_model_unload", sess, model, "model");
}

int noop_tflite_run(struct vaccel_session *sess, struct vaccel_resource *model,
		    struct vaccel_tflite_tensor *const *in, int nr_in,
		    struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status)
{
	const struct tensors tensors = { TENSOR_TFLITE, in, NULL, nr_in, out, NULL, nr_out };
	int ret = begin("tflite_model_run", sess, model, "model");

	if (!ret)
		ret = tensors_copy(&tensors);
	if (!ret && status)
		*status = 0;
	return ret;
}

int noop_torch_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const struct vaccel_blob *blob;
	const int ret = begin("torch_model_load", sess, model, "model path");

	if (ret)
		return ret;
	if (!model->nr_blobs)
		return noop_invalid("The model has no file");
	blob = model->blobs[0];
	switch (blob->type) {
	case VACCEL_BLOB_FILE:
		noop_debug("Loading model from file %s", blob->path);
		return VACCEL_OK;
	case VACCEL_BLOB_MAPPED:
		noop_debug("Mapped model, loading from file %s", blob->path);
		return VACCEL_OK;
	case VACCEL_BLOB_BUFFER:
		noop_debug("Loading model from buffer of length: %zu", blob->size);
		return VACCEL_OK;
	default:
		return noop_invalid("The model blob has an invalid type.");
	}
}

int noop_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
		   const struct vaccel_torch_buffer *run_options,
		   struct vaccel_torch_tensor *const *in, int nr_in,
		   struct vaccel_torch_tensor **out, int nr_out)
{
	const struct tensors tensors = { TENSOR_TORCH, in, NULL, nr_in, out, NULL, nr_out };
	const int ret = begin("torch_model_run", sess, model, "model path");

	(void)run_options;
	return ret ? ret : tensors_copy(&tensors);
}
