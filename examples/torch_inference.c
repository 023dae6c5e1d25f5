/*
 * torch_inference.c - run a TorchScript model on an image as a tensor.
 *
 *     torch_inference IMAGE MODEL LABELS [ITERATIONS]
 */
#include "common/inference.h"
#include <inttypes.h>
#include <stdio.h>

struct context {
	struct inference *inference;
	struct vaccel_torch_tensor *in;
};

static int show(const struct inference *inference, const struct vaccel_torch_tensor *out)
{
	printf("Success!\n");
	printf("Result Tensor :\n");
	printf("Output tensor => type:%u nr_dims:%" PRId64 " size:%zuB\n", (unsigned)out->data_type,
	       out->nr_dims, out->size);
	return inference_show(inference, out->data, out->size);
}

static int run(struct context *context, struct vaccel_prof_region *region)
{
	struct inference *inference = context->inference;
	struct vaccel_torch_tensor *out = NULL;
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_torch_model_run(&inference->sess, &inference->model, NULL, &context->in, 1,
				     &out, 1);
	vaccel_prof_region_stop(region);
	if (ret)
		return example_report("Could not run op", ret);
	ret = show(inference, out);
	return example_end(ret, "Could not delete output tensor", vaccel_torch_tensor_delete(out));
}

static int run_all(struct inference *inference, struct vaccel_prof_region *region)
{
	struct context context = { .inference = inference };
	int ret = vaccel_torch_tensor_new(&context.in, INFERENCE_DIMS, inference->dims,
					  VACCEL_TORCH_FLOAT);

	if (ret)
		return example_report("Could not create input tensor", ret);
	ret = vaccel_torch_tensor_set_data(context.in, inference->data, inference->size);
	for (int i = 0; i < inference->iterations && !ret; i++)
		ret = run(&context, region);
	return example_end(ret, "Could not delete input tensor",
			   vaccel_torch_tensor_delete(context.in));
}

static int work(struct inference *inference)
{
	struct vaccel_prof_region load = VACCEL_PROF_REGION_INIT("torch_model_load");
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("torch_model_run");
	int ret;

	vaccel_prof_region_start(&load);
	ret = vaccel_torch_model_load(&inference->sess, &inference->model);
	vaccel_prof_region_stop(&load);
	if (ret)
		example_report("Could not load model", ret);
	else
		ret = run_all(inference, &region);
	example_profile(&load);
	example_profile(&region);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct inference_example example = {
		.arguments = "<image_file> <model_file> <labels_file> [iterations]",
		.channels_first = true,
		.work = work
	};

	return inference_main(argc, argv, &example);
}
