/*
 * tf_inference.c - run a TensorFlow model on an image as a tensor.
 *
 *     tf_inference IMAGE MODEL LABELS [ITERATIONS]
 */
#include "common/inference.h"
#include <inttypes.h>
#include <stdio.h>

/* Where a saved model takes its input and gives its output. */
static const struct vaccel_tf_node in_node = { .name = (char *)"serving_default_data" };
static const struct vaccel_tf_node out_node = { .name = (char *)"PartitionedCall" };

/* Print what TensorFlow said about an operation, and empty it. */
static int take_status(int ret, const char *operation, struct vaccel_tf_status *status)
{
	printf("Session %s status => code:%" PRIu8 " message:%s\n", operation, status->code,
	       status->message ? status->message : "(null)");
	return example_end(ret, "Could not release status", vaccel_tf_status_release(status));
}

static int show(const struct inference *inference, const struct vaccel_tf_tensor *out)
{
	printf("Success!\n");
	printf("Output tensor => type:%u nr_dims:%d size:%zuB\n", (unsigned)out->data_type,
	       out->nr_dims, out->size);
	return inference_show(inference, out->data, out->size);
}

static int run(struct inference *inference, struct vaccel_tf_tensor *in,
	       struct vaccel_prof_region *region)
{
	struct vaccel_tf_status status = { .code = 0 };
	struct vaccel_tf_tensor *out = NULL;
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_tf_model_run(&inference->sess, &inference->model, NULL, &in_node, &in, 1,
				  &out_node, &out, 1, &status);
	vaccel_prof_region_stop(region);
	if (ret)
		example_report("Could not run op", ret);
	ret = take_status(ret, "run", &status);
	if (!out)
		return ret;
	if (!ret)
		ret = show(inference, out);
	return example_end(ret, "Could not delete output tensor", vaccel_tf_tensor_delete(out));
}

static int run_all(struct inference *inference, struct vaccel_prof_region *region)
{
	struct vaccel_tf_tensor *in;
	int ret = vaccel_tf_tensor_new(&in, INFERENCE_DIMS, inference->dims, VACCEL_TF_FLOAT);

	if (ret)
		return example_report("Could not create input tensor", ret);
	ret = vaccel_tf_tensor_set_data(in, inference->data, inference->size);
	for (int i = 0; i < inference->iterations && !ret; i++)
		ret = run(inference, in, region);
	return example_end(ret, "Could not delete input tensor", vaccel_tf_tensor_delete(in));
}

static int load(struct inference *inference, struct vaccel_prof_region *region)
{
	struct vaccel_tf_status status = { .code = 0 };
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_tf_model_load(&inference->sess, &inference->model, &status);
	vaccel_prof_region_stop(region);
	if (ret)
		example_report("Could not load graph from model", ret);
	return take_status(ret, "load", &status);
}

static int unload(struct inference *inference, struct vaccel_prof_region *region)
{
	struct vaccel_tf_status status = { .code = 0 };
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_tf_model_unload(&inference->sess, &inference->model, &status);
	vaccel_prof_region_stop(region);
	if (ret)
		example_report("Could not unload tf model", ret);
	return take_status(ret, "delete", &status);
}

static int work(struct inference *inference)
{
	struct vaccel_prof_region regions[] = { VACCEL_PROF_REGION_INIT("tf_model_load"),
						VACCEL_PROF_REGION_INIT("tf_model_unload"),
						VACCEL_PROF_REGION_INIT("tf_model_run") };
	int ret = load(inference, &regions[0]);

	if (!ret) {
		int unloaded;

		ret = run_all(inference, &regions[2]);
		unloaded = unload(inference, &regions[1]);
		ret = ret ? ret : unloaded;
	}
	for (int i = 0; i < 3; i++)
		example_profile(&regions[i]);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct inference_example example = {
		.arguments = "<image_file> <model_dir> <labels_file> [iterations]", .work = work
	};

	return inference_main(argc, argv, &example);
}
