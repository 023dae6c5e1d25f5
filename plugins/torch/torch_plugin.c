/*
 * torch_plugin.c - the vAccel plugin that runs TorchScript models on libtorch's CPU kernels.
 *
 * The operations run on the caller's thread, any number of them at once. The plugin itself is
 * light: libtorch comes in with the first model (bridge.c). README.md beside this file describes
 * the operations, the options and how a model describes itself.
 */
#include "bridge.h"
#include "fault.h"
#include "luaccel.h"
#include "model.h"
#include "tensors.h"
#include "vaccel.h"
#include <stdlib.h>
#include <string.h>

LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_IMAGE_CLASSIFY) | LUACCEL_OP(VACCEL_OP_TORCH_MODEL_LOAD) |
		  LUACCEL_OP(VACCEL_OP_TORCH_MODEL_RUN));

__attribute__((visibility("default"))) int luaccel_plugin_configure(const char *key,
								    const char *value);

/* Tell the caller and the log why; returns the code. */
static int failed(int code, const struct fault *fault)
{
	luaccel_set_error("%s", fault->text);
	vaccel_error("[torch] %s", fault->text);
	return code;
}

static int image_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			  unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			  size_t len_out_imgname)
{
	struct vaccel_resource *resource;
	struct model *model;
	struct fault fault;
	int ret;

	if (!out_text)
		len_out_text = 0;
	if (out_imgname && len_out_imgname)
		out_imgname[0] = '\0'; /* no image comes out of a classification */
	if (vaccel_session_resource_by_type(sess, &resource, VACCEL_RESOURCE_MODEL)) {
		ret = fault_set(
			&fault, VACCEL_EINVAL,
			"session %lld has no model; register a model with this session first",
			(long long)sess->id);
		return failed(ret, &fault);
	}
	ret = model_get(resource, true, &model, &fault);
	if (ret)
		return failed(ret, &fault);
	ret = classifier_run(&model->classifier, img, len_img, (char *)out_text, len_out_text,
			     &fault);
	model_put(model);
	return ret ? failed(ret, &fault) : VACCEL_OK;
}

static int model_load(struct vaccel_session *sess, struct vaccel_resource *resource)
{
	struct model *model;
	struct fault fault;
	int ret = model_get(resource, true, &model, &fault);

	(void)sess;
	if (ret)
		return failed(ret, &fault);
	model_put(model);
	return VACCEL_OK;
}

static int run(const struct model *model, struct vaccel_torch_tensor *const *in, int nr_in,
	       struct vaccel_torch_tensor **out, int nr_out, struct fault *fault)
{
	struct bridge_tensor *inputs;
	struct bridge_result *result;
	struct fault why;
	int ret = tensors_view(in, nr_in, &inputs, fault);

	if (ret)
		return ret;
	ret = model->bridge->run(model->module, inputs, (size_t)nr_in, &result, &why);
	free(inputs);
	if (ret)
		return fault_set(fault, ret, "model %s %s", model->name, why.text);
	ret = tensors_from_result(model->bridge, result, out, nr_out, fault);
	model->bridge->result_delete(result);
	return ret;
}

static int model_run(struct vaccel_session *sess, struct vaccel_resource *resource,
		     const struct vaccel_torch_buffer *run_options,
		     struct vaccel_torch_tensor *const *in, int nr_in,
		     struct vaccel_torch_tensor **out, int nr_out)
{
	struct model *model;
	struct fault fault;
	int ret = model_get(resource, false, &model, &fault);

	(void)sess;
	(void)run_options; /* libtorch has none */
	if (ret)
		return failed(ret, &fault);
	ret = run(model, in, nr_in, out, nr_out, &fault);
	model_put(model);
	return ret ? failed(ret, &fault) : VACCEL_OK;
}

/* The core has counted this session out already. */
static int resource_unregister(struct vaccel_resource *resource, struct vaccel_session *sess)
{
	(void)sess;
	if (resource->type == VACCEL_RESOURCE_MODEL && vaccel_resource_refcount(resource) <= 0)
		model_forget(resource);
	return VACCEL_OK;
}

int luaccel_plugin_configure(const char *key, const char *value)
{
	struct fault fault;
	char *end;
	long threads;
	int ret;

	if (strcmp(key, "threads")) {
		ret = fault_set(&fault, VACCEL_EINVAL,
				"plugin torch has no option \"%s\"; it has: threads", key);
		return failed(ret, &fault);
	}
	threads = strtol(value, &end, 10);
	if (end == value || *end || threads != (int)threads)
		ret = fault_set(&fault, VACCEL_EINVAL, "threads = %s is not a number of threads",
				value);
	else
		ret = bridge_set_threads((int)threads, &fault);
	return ret ? failed(ret, &fault) : VACCEL_OK;
}

static struct vaccel_op operations[] = {
	VACCEL_OP_INIT(image_classify, VACCEL_OP_IMAGE_CLASSIFY, image_classify),
	VACCEL_OP_INIT(torch_model_load, VACCEL_OP_TORCH_MODEL_LOAD, model_load),
	VACCEL_OP_INIT(torch_model_run, VACCEL_OP_TORCH_MODEL_RUN, model_run),
};

static int init(void)
{
	bridge_prepare();
	return vaccel_plugin_register_ops(operations, sizeof(operations) / sizeof(operations[0]));
}

/* Sessions and their models are gone by now; libtorch stays, as it cannot be unloaded. */
static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "torch", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .init = init, .fini = fini, .type = VACCEL_PLUGIN_TORCH | VACCEL_PLUGIN_CPU,
	      .resource_unregister = resource_unregister)
