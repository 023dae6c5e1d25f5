/*
 * inference.c - see inference.h.
 */
#include "inference.h"
#include "fault.h"
#include "image.h"
#include "preprocess.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What models that were trained on ImageNet want. */
static const struct preprocess imagenet = {
	.width = 224,
	.height = 224,
	.channels = 3,
	.scale = 1.0F / 255,
	.mean = { 0.485F, 0.456F, 0.406F },
	.std = { 0.229F, 0.224F, 0.225F },
};

static int failed(const char *what, const char *path, int code, const struct fault *fault)
{
	fprintf(stderr, "%s %s: %d (%s)\n", what, path, code, fault->text);
	return code;
}

static int read_description(const char *model, bool channels_first, struct preprocess *pre)
{
	struct example_file file;
	struct fault fault;
	char path[PATH_MAX];
	int ret;

	*pre = imagenet;
	pre->channels_first = channels_first;
	snprintf(path, sizeof(path), "%s.preprocess", model);
	if (access(path, F_OK))
		return VACCEL_OK;
	ret = example_read(path, &file);
	if (ret)
		return ret;
	ret = preprocess_parse(file.data, file.size, pre, &fault);
	free(file.data);
	return ret ? failed("Could not understand", path, ret, &fault) : VACCEL_OK;
}

static int prepare(struct inference *inference, const struct image *image,
		   const struct preprocess *pre, struct fault *fault)
{
	const size_t values = preprocess_values(pre);

	inference->size = values * sizeof(float);
	inference->data = malloc(inference->size);
	if (!inference->data)
		return fault_set(fault, VACCEL_ENOMEM, "no memory for %zu numbers", values);
	preprocess_dims(pre, inference->dims);
	return preprocess_apply(pre, image, inference->data, fault);
}

static int load_image(struct inference *inference, const char *path, const struct preprocess *pre)
{
	struct example_file file;
	struct image image;
	struct fault fault;
	int ret = example_read(path, &file);

	if (ret)
		return ret;
	ret = image_decode(file.data, file.size, pre->channels, &image, &fault);
	free(file.data);
	if (!ret) {
		ret = prepare(inference, &image, pre, &fault);
		image_release(&image);
	}
	return ret ? failed("Could not load and preprocess image", path, ret, &fault) : VACCEL_OK;
}

static int add_label(struct inference *inference, const char *line)
{
	char **labels = realloc(inference->labels, (inference->nr_labels + 1) * sizeof(*labels));

	if (!labels)
		return VACCEL_ENOMEM;
	inference->labels = labels;
	labels[inference->nr_labels] = strdup(line);
	if (!labels[inference->nr_labels])
		return VACCEL_ENOMEM;
	inference->nr_labels++;
	return VACCEL_OK;
}

/* One label a line, in the order of the scores. */
static int load_labels(struct inference *inference, const char *path)
{
	FILE *stream = fopen(path, "r");
	char line[256];
	int ret = VACCEL_OK;

	if (!stream)
		return example_report("Could not open the labels", VACCEL_EINVAL);
	while (!ret && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\r\n")] = '\0';
		ret = add_label(inference, line);
	}
	if (!ret && !inference->nr_labels)
		ret = VACCEL_EINVAL;
	fclose(stream);
	return ret ? example_report("Could not load the labels", ret) : VACCEL_OK;
}

int inference_show(const struct inference *inference, const float *scores, size_t size)
{
	size_t count = size / sizeof(*scores);
	size_t best = 0;

	if (count > inference->nr_labels)
		count = inference->nr_labels;
	if (!scores || !count)
		return example_report("Could not process result", VACCEL_EINVAL);
	for (size_t i = 1; i < count; i++) {
		if (scores[i] > scores[best])
			best = i;
	}
	printf("Prediction: %s\n", inference->labels[best]);
	return VACCEL_OK;
}

static int run_with_model(struct inference *inference, const struct inference_example *example)
{
	int ret = vaccel_resource_register(&inference->model, &inference->sess);

	if (ret)
		return example_report("Could not register model with session", ret);
	ret = example->work(inference);
	return example_end(ret, "Could not unregister model from session",
			   vaccel_resource_unregister(&inference->model, &inference->sess));
}

static int run_in_session(struct inference *inference, const struct inference_example *example)
{
	int ret = vaccel_session_init(&inference->sess, 0);

	if (ret)
		return example_report("Could not initialize vAccel session", ret);
	printf("Initialized vAccel session %" PRId64 "\n", inference->sess.id);
	ret = run_with_model(inference, example);
	return example_session_end(ret, &inference->sess);
}

static int run(struct inference *inference, const struct inference_example *example,
	       const char *model)
{
	int ret = vaccel_resource_init(&inference->model, model, VACCEL_RESOURCE_MODEL);

	if (ret)
		return example_report("Could not initialize model resource", ret);
	printf("Initialized model resource %" PRId64 "\n", inference->model.id);
	ret = run_in_session(inference, example);
	return example_end(ret, "Could not release resource",
			   vaccel_resource_release(&inference->model));
}

int inference_main(int argc, char **argv, const struct inference_example *example)
{
	struct inference inference = { .iterations = example_count(argc > 4 ? argv[4] : NULL) };
	struct preprocess pre;
	int ret;

	if (argc < 4 || argc > 5 || !inference.iterations)
		return example_usage(argv[0], example->arguments);
	ret = read_description(argv[2], example->channels_first, &pre);
	if (!ret)
		ret = load_image(&inference, argv[1], &pre);
	if (!ret)
		ret = load_labels(&inference, argv[3]);
	if (!ret)
		ret = run(&inference, example, argv[2]);
	for (size_t i = 0; i < inference.nr_labels; i++)
		free(inference.labels[i]);
	free(inference.labels);
	free(inference.data);
	return ret;
}
