/*
 * inference.h - the program that the inference examples are: a model, an image as a tensor, and the
 * label of the largest score. The examples differ in the framework.
 *
 * The image is made what the description MODEL.preprocess beside the model says
 * (plugins/torch/README.md has its keys), or else 224 by 224, red, green and blue, as models that
 * were trained on ImageNet want it.
 */
#ifndef EXAMPLE_INFERENCE_H
#define EXAMPLE_INFERENCE_H

#include "example.h"
#include <stdbool.h>

enum { INFERENCE_DIMS = 4 };

struct inference {
	struct vaccel_session sess;
	struct vaccel_resource model;
	float *data; /* the image */
	size_t size; /* of data, in bytes */
	int64_t dims[INFERENCE_DIMS];
	int iterations;
	char **labels;
	size_t nr_labels;
};

struct inference_example {
	const char *arguments; /* for the usage */
	bool channels_first;   /* of the tensor, unless the description says otherwise */
	int (*work)(struct inference *inference);
};

/* The program: its exit status. `work` loads, runs and unloads the model. */
int inference_main(int argc, char **argv, const struct inference_example *example);

/* Print the label of the largest of the scores that an output has. */
int inference_show(const struct inference *inference, const float *scores, size_t size);

#endif
