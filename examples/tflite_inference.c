/*
 * tflite_inference.c - run a TensorFlow Lite model on an image as a tensor.
 *
 *     tflite_inference IMAGE MODEL LABELS [ITERATIONS]
 */
#include "common/inference.h"
#include <inttypes.h>
#include <stdio.h>

static int show(const struct inference *inference, const struct vaccel_tflite_tensor *out)
{
	printf("Success!\n");
	printf("Output tensor => type:%u nr_dims:%d size:%zuB\n", (unsigned)out->data_type,
	       out->nr_dims, out->size);
	return inference_show(inference, out->data, out->size);
}

static int run(struct inference *inference, struct vaccel_tflite_tensor *in,
	       struct vaccel_prof_region *region)
{
	struct vaccel_tflite_tensor *out = NULL;
	uint8_t status = 0;
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_tflite_model_run(&inference->sess, &inference->model, &in, 1, &out, 1,
				      &status);
	vaccel_prof_region_stop(region);
	printf("Session run status: %" PRIu8 "\n", status);
	if (ret)
		return example_report("Could not run model", ret);
	ret = show(inference, out);
	return example_end(ret, "Could not delete output tensor", vaccel_tflite_tensor_delete(out));
}

static int run_all(struct inference *inference, struct vaccel_prof_region *region)
{
	int32_t dims[INFERENCE_DIMS];
	struct vaccel_tflite_tensor *in;
	int ret;

	for (int i = 0; i < INFERENCE_DIMS; i++)
		dims[i] = (int32_t)inference->dims[i];
	ret = vaccel_tflite_tensor_new(&in, INFERENCE_DIMS, dims, VACCEL_TFLITE_FLOAT32);
	if (ret)
		return example_report("Could not create input tensor", ret);
	ret = vaccel_tflite_tensor_set_data(in, inference->data, inference->size);
	for (int i = 0; i < inference->iterations && !ret; i++)
		ret = run(inference, in, region);
	return example_end(ret, "Could not delete input tensor", vaccel_tflite_tensor_delete(in));
}

static int unload(struct inference *inference, struct vaccel_prof_region *region)
{
	int ret;

	vaccel_prof_region_start(region);
	ret = vaccel_tflite_model_unload(&inference->sess, &inference->model);
	vaccel_prof_region_stop(region);
	return ret;
}

static int work(struct inference *inference)
{
	struct vaccel_prof_region regions[] = { VACCEL_PROF_REGION_INIT("tflite_model_load"),
						VACCEL_PROF_REGION_INIT("tflite_model_unload"),
						VACCEL_PROF_REGION_INIT("tflite_model_run") };
	int ret;

	vaccel_prof_region_start(&regions[0]);
	ret = vaccel_tflite_model_load(&inference->sess, &inference->model);
	vaccel_prof_region_stop(&regions[0]);
	if (ret) {
		example_report("Could not load model", ret);
	} else {
		ret = run_all(inference, &regions[2]);
		ret = example_end(ret, "Could not unload model", unload(inference, &regions[1]));
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
