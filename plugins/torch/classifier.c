/*
 * classifier.c - from an image's bytes to the name of its class. Runs on the caller's thread.
 */
#include "classifier.h"
#include "image.h"
#include "vaccel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP_RUNS 2

struct best {
	size_t class;
	double probability;
};

/* The class with the highest score, and how sure the model is. */
static int choose(const struct classifier *classifier, const struct bridge_tensor *scores,
		  struct best *best, struct fault *fault)
{
	const float *score = scores->data;
	size_t count = scores->size / sizeof(*score);
	double sum = 0;

	if (scores->type != VACCEL_TORCH_FLOAT || !count)
		return fault_set(fault, VACCEL_EINVAL,
				 "model %s gives no float scores for an image", classifier->name);
	if (classifier->labels.count && classifier->labels.count != count)
		return fault_set(fault, VACCEL_EINVAL,
				 "model %s gives %zu scores for an image, but names %zu labels",
				 classifier->name, count, classifier->labels.count);
	best->class = 0;
	for (size_t i = 0; i < count; i++) {
		if (isnan(score[i]))
			return fault_set(fault, VACCEL_EINVAL, "model %s gives NaN as a score",
					 classifier->name);
		if (score[i] > score[best->class])
			best->class = i;
	}
	for (size_t i = 0; i < count; i++)
		sum += exp((double)score[i] - (double)score[best->class]);
	best->probability = classifier->pre.logits ? 1 / sum : (double)score[best->class];
	return VACCEL_OK;
}

static int run(const struct classifier *classifier, const float *values, struct best *best,
	       struct fault *fault)
{
	struct fault why;
	int64_t dims[4];
	struct bridge_tensor scores, input = {
		.data = values,
		.size = preprocess_values(&classifier->pre) * sizeof(*values),
		.dims = dims,
		.nr_dims = 4,
		.type = VACCEL_TORCH_FLOAT,
	};
	struct bridge_result *result;
	int ret;

	preprocess_dims(&classifier->pre, dims);
	ret = classifier->bridge->run(classifier->module, &input, 1, &result, &why);
	if (ret)
		return fault_set(fault, ret, "model %s %s", classifier->name, why.text);
	if (classifier->bridge->nr_outputs(result)) {
		scores = classifier->bridge->output(result, 0);
		ret = choose(classifier, &scores, best, fault);
	} else {
		ret = fault_set(fault, VACCEL_EINVAL, "model %s gives no scores for an image",
				classifier->name);
	}
	classifier->bridge->result_delete(result);
	return ret;
}

static int warm_up(const struct classifier *classifier, struct fault *fault)
{
	struct best best;
	int ret = VACCEL_OK;
	float *values = calloc(preprocess_values(&classifier->pre), sizeof(*values));

	if (!values)
		return fault_set(fault, VACCEL_ENOMEM, "no memory for an image's values");
	for (int i = 0; !ret && i < WARM_UP_RUNS; i++)
		ret = run(classifier, values, &best, fault);
	free(values);
	return ret;
}

static int read_description(struct classifier *classifier, struct fault *fault)
{
	struct fault why;
	const char *text;
	size_t size;
	int ret = VACCEL_OK;

	text = classifier->bridge->extra(classifier->module, BRIDGE_PREPROCESS, &size);
	if (!text)
		return VACCEL_OK;
	classifier->described = true;
	ret = preprocess_parse(text, size, &classifier->pre, &why);
	text = classifier->bridge->extra(classifier->module, BRIDGE_LABELS, &size);
	if (!ret && text)
		ret = labels_parse(text, size, &classifier->labels, &why);
	if (ret)
		fault_set(fault, ret, "model %s is badly described: %s", classifier->name,
			  why.text);
	return ret;
}

int classifier_init(struct classifier *classifier, const struct torch_bridge *bridge,
		    struct bridge_module *module, const char *name, struct fault *fault)
{
	int ret;

	*classifier = (struct classifier){ .bridge = bridge, .module = module, .name = name };
	ret = read_description(classifier, fault);
	if (!ret && classifier->described)
		ret = warm_up(classifier, fault);
	if (ret)
		classifier_release(classifier);
	return ret;
}

void classifier_release(struct classifier *classifier)
{
	labels_release(&classifier->labels);
}

/* By hand: printf would write a comma where the program's locale has one. */
static void write_tag(const struct classifier *classifier, const struct best *best, char *tag,
		      size_t size)
{
	double p = fmin(fmax(best->probability, 0), 1);
	int thousandths = (int)lround(p * 1000);

	if (classifier->labels.count)
		snprintf(tag, size, "%s (%d.%03d)", classifier->labels.label[best->class],
			 thousandths / 1000, thousandths % 1000);
	else
		snprintf(tag, size, "%zu (%d.%03d)", best->class, thousandths / 1000,
			 thousandths % 1000);
}

/*
 * The bytes may lie in memory that their sender still writes to, and decoders read some of them
 * twice; so they are copied first.
 */
static int decode(const struct classifier *classifier, const void *bytes, size_t size,
		  struct image *image, struct fault *fault)
{
	void *copy = NULL;
	int ret;

	if (bytes && size && size <= IMAGE_MAX_BYTES) {
		copy = malloc(size);
		if (!copy)
			return fault_set(fault, VACCEL_ENOMEM,
					 "no memory for an image of %zu bytes", size);
		memcpy(copy, bytes, size);
	}
	ret = image_decode(copy, size, classifier->pre.channels, image, fault);
	free(copy);
	return ret;
}

int classifier_run(const struct classifier *classifier, const void *bytes, size_t size_bytes,
		   char *tag, size_t size, struct fault *fault)
{
	struct image image = { 0 };
	struct best best;
	float *values = NULL;
	int ret;

	if (!classifier->described)
		return fault_set(fault, VACCEL_EINVAL,
				 "model %s takes tensors, not images: it has no extra file "
				 "luaccel/preprocess, which plugins/torch/README.md describes",
				 classifier->name);
	ret = decode(classifier, bytes, size_bytes, &image, fault);
	if (ret)
		goto out;
	values = malloc(preprocess_values(&classifier->pre) * sizeof(*values));
	if (!values) {
		ret = fault_set(fault, VACCEL_ENOMEM, "no memory for an image's values");
		goto out;
	}
	ret = preprocess_apply(&classifier->pre, &image, values, fault);
	if (!ret)
		ret = run(classifier, values, &best, fault);
	if (!ret)
		write_tag(classifier, &best, tag, size);
out:
	free(values);
	image_release(&image);
	return ret;
}
