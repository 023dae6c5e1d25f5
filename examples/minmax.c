/*
 * minmax.c - the smallest and largest of numbers, which are one a line in a file.
 *
 *     minmax COUNT FILE LOW HIGH [ITERATIONS]
 */
#include "common/example.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct context {
	struct vaccel_session sess;
	int count;
	int low;
	int high;
	double *in;
	double *out;
	double min;
	double max;
};

static int run(void *context)
{
	struct context *c = context;

	return vaccel_minmax(&c->sess, c->in, c->count, c->low, c->high, c->out, &c->min, &c->max);
}

static void show(const void *context)
{
	const struct context *c = context;

	printf("min: %lf max: %lf\n", c->min, c->max);
}

static int read_numbers(const char *path, const struct context *c)
{
	FILE *stream = fopen(path, "r");
	int ret = VACCEL_OK;

	if (!stream)
		return example_report("Could not open input data file", errno);
	for (int i = 0; i < c->count && !ret; i++) {
		if (fscanf(stream, "%lf", &c->in[i]) != 1)
			ret = example_report("Could not read value from file", VACCEL_EIO);
	}
	fclose(stream);
	return ret;
}

static int run_in_session(struct context *c, int iterations)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("minmax");
	const struct example_operation operation = {
		.run = run, .show = show, .context = c, .failure = "Could not run kernel"
	};
	int ret = vaccel_session_init(&c->sess, 0);

	if (ret)
		return example_report("Could not initialize vAccel session", ret);
	ret = example_repeat(&operation, iterations, &region);
	ret = example_session_end(ret, &c->sess);
	example_profile(&region);
	return ret;
}

int main(int argc, char **argv)
{
	const int iterations = example_count(argc > 5 ? argv[5] : NULL);
	struct context context = { .count = argc > 1 ? example_count(argv[1]) : 0 };
	int ret;

	if (argc < 5 || argc > 6 || !iterations || !context.count)
		return example_usage(argv[0], "<data_length> <indata_file> <low_threshold> "
					      "<high_threshold> [iterations]");
	context.low = atoi(argv[3]);
	context.high = atoi(argv[4]);
	context.in = calloc((size_t)context.count, sizeof(double));
	context.out = calloc((size_t)context.count, sizeof(double));
	if (context.in && context.out)
		ret = read_numbers(argv[2], &context);
	else
		ret = example_report("Could not allocate memory", VACCEL_ENOMEM);
	if (!ret)
		ret = run_in_session(&context, iterations);
	free(context.in);
	free(context.out);
	return ret;
}
