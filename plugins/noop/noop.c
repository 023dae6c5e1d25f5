/*
 * noop.c - a plugin that computes nothing: it logs its arguments at debug level and answers
 * something fixed. Stateless, so any thread may call it at any time.
 */
#include <inttypes.h>
#include <luaccel.h>
#include <stdlib.h>
#include <string.h>
#include <vaccel.h>

#define noop_debug(...) vaccel_debug("[noop] " __VA_ARGS__)
#define noop_error(...) vaccel_error("[noop] " __VA_ARGS__)

static int noop_noop(struct vaccel_session *sess)
{
	noop_debug("Calling no-op for session %" PRId64, sess->id);
	return VACCEL_OK;
}

/* The file of the session's first model, if it has one. */
static const char *model_path(struct vaccel_session *sess)
{
	struct vaccel_resource *model;

	if (vaccel_session_resource_by_type(sess, &model, VACCEL_RESOURCE_MODEL) ||
	    !model->nr_blobs || !model->blobs[0]->path)
		return "(null)";
	return model->blobs[0]->path;
}

/* What all image operations do; name is as the log shows it. */
static int image(const char *name, struct vaccel_session *sess, const void *img,
		 unsigned char *out_text, unsigned char *out_imgname, size_t len_img,
		 size_t len_out_text, size_t len_out_imgname)
{
	if (!sess || !img) {
		noop_error("Invalid input arguments");
		return VACCEL_EINVAL;
	}
	noop_debug("Calling Image %s for session %" PRId64, name, sess->id);
	noop_debug("Dumping arguments for Image %s:", name);
	noop_debug("model: %s", model_path(sess));
	noop_debug("len_img: %zu", len_img);
	if (len_out_text)
		noop_debug("len_out_text: %zu", len_out_text);
	if (len_out_imgname)
		noop_debug("len_out_imgname: %zu", len_out_imgname);
	if (out_text) {
		noop_debug("will return a dummy result");
		snprintf((char *)out_text, len_out_text, "This is a dummy classification tag!");
	}
	if (out_imgname) {
		noop_debug("will return a dummy result");
		snprintf((char *)out_imgname, len_out_imgname, "This is a dummy imgname!");
	}
	return VACCEL_OK;
}

static int noop_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			 unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			 size_t len_out_imgname)
{
	return image("classification", sess, img, out_text, out_imgname, len_img, len_out_text,
		     len_out_imgname);
}

static int noop_detect(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		       size_t len_img, size_t len_out_imgname)
{
	return image("detection", sess, img, NULL, out_imgname, len_img, 0, len_out_imgname);
}

static int noop_segment(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname)
{
	return image("segmentation", sess, img, NULL, out_imgname, len_img, 0, len_out_imgname);
}

static int noop_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		     size_t len_img, size_t len_out_imgname)
{
	return image("pose", sess, img, NULL, out_imgname, len_img, 0, len_out_imgname);
}

static int noop_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname)
{
	return image("depth", sess, img, NULL, out_imgname, len_img, 0, len_out_imgname);
}

static int noop_torch_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const struct vaccel_blob *blob;

	if (!sess || !model || !model->nr_blobs) {
		noop_error("%s", sess ? "Invalid model" : "Invalid session");
		return VACCEL_EINVAL;
	}
	noop_debug("Calling torch_model_load for session %" PRId64, sess->id);
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
		noop_error("The model blob has an invalid type.");
		return VACCEL_EINVAL;
	}
}

static void dump_tensor(const struct vaccel_torch_tensor *tensor)
{
	noop_debug("\t#dims: %" PRId64 " -> {", tensor->nr_dims);
	for (int64_t i = 0; i < tensor->nr_dims; i++)
		noop_debug("\t\t%" PRId64, tensor->dims[i]);
	noop_debug("\t}");
	noop_debug("\tData type: %d", (int)tensor->data_type);
	noop_debug("\tData -> %p, %zu B", tensor->data, tensor->size);
}

static int copy_tensor(struct vaccel_torch_tensor **copy, const struct vaccel_torch_tensor *tensor)
{
	const int ret = vaccel_torch_tensor_allocate(copy, tensor->nr_dims, tensor->dims,
						     tensor->data_type, tensor->size);

	if (!ret && tensor->size)
		memcpy((*copy)->data, tensor->data, tensor->size);
	return ret;
}

static int copy_tensors(struct vaccel_torch_tensor *const *in, struct vaccel_torch_tensor **out,
			int nr_out)
{
	for (int i = 0; i < nr_out; i++) {
		const int ret = copy_tensor(&out[i], in[i]);

		if (!ret)
			continue;
		while (i--) {
			vaccel_torch_tensor_delete(out[i]);
			out[i] = NULL;
		}
		return ret;
	}
	return VACCEL_OK;
}

static int noop_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
			  const struct vaccel_torch_buffer *run_options,
			  struct vaccel_torch_tensor *const *in, int nr_in,
			  struct vaccel_torch_tensor **out, int nr_out)
{
	(void)run_options;
	if (!sess || !model) {
		noop_error("%s", sess ? "Invalid model" : "Invalid session");
		return VACCEL_EINVAL;
	}
	noop_debug("Calling torch_model_run for session %" PRId64, sess->id);
	noop_debug("Number of inputs: %d", nr_in);
	for (int i = 0; i < nr_in; i++) {
		if (!in[i] || (in[i]->size && !in[i]->data)) {
			noop_error("Input tensor %d has no data", i);
			return VACCEL_EINVAL;
		}
		dump_tensor(in[i]);
	}
	noop_debug("Number of outputs: %d", nr_out);
	if (nr_out > nr_in || nr_out < 0) {
		luaccel_set_error("noop copies inputs: it cannot make %d outputs of %d inputs",
				  nr_out, nr_in);
		return VACCEL_EINVAL;
	}
	return copy_tensors(in, out, nr_out);
}

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, noop_noop),
	VACCEL_OP_INIT(classify, VACCEL_OP_IMAGE_CLASSIFY, noop_classify),
	VACCEL_OP_INIT(detect, VACCEL_OP_IMAGE_DETECT, noop_detect),
	VACCEL_OP_INIT(segment, VACCEL_OP_IMAGE_SEGMENT, noop_segment),
	VACCEL_OP_INIT(pose, VACCEL_OP_IMAGE_POSE, noop_pose),
	VACCEL_OP_INIT(depth, VACCEL_OP_IMAGE_DEPTH, noop_depth),
	VACCEL_OP_INIT(torch_load, VACCEL_OP_TORCH_MODEL_LOAD, noop_torch_load),
	VACCEL_OP_INIT(torch_run, VACCEL_OP_TORCH_MODEL_RUN, noop_torch_run),
};

LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_NOOP) | LUACCEL_OP(VACCEL_OP_IMAGE_CLASSIFY) |
		  LUACCEL_OP(VACCEL_OP_IMAGE_DETECT) | LUACCEL_OP(VACCEL_OP_IMAGE_SEGMENT) |
		  LUACCEL_OP(VACCEL_OP_IMAGE_POSE) | LUACCEL_OP(VACCEL_OP_IMAGE_DEPTH) |
		  LUACCEL_OP(VACCEL_OP_TORCH_MODEL_LOAD) | LUACCEL_OP(VACCEL_OP_TORCH_MODEL_RUN));

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "noop", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_DEBUG, .init = init, .fini = fini)
