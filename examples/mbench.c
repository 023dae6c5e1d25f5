/*
 * mbench.c - keep the plugin mbench busy for a time, with the bytes of a file as a load that has to
 * be carried there.
 *
 *     mbench MILLISECONDS FILE [ITERATIONS]
 */
#include "common/example.h"
#include <stdlib.h>
#include <string.h>

struct context {
	struct vaccel_session sess;
	struct vaccel_arg read[2];
};

static int run(void *context)
{
	struct context *c = context;

	return vaccel_exec(&c->sess, "mbench", "mbench", c->read, 2, NULL, 0);
}

static int run_in_session(char *time, const struct example_file *file, int iterations)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("mbench");
	struct context context = { .read = { { .buf = time, .size = strlen(time) + 1 },
					     { .buf = file->data, .size = file->size } } };
	const struct example_operation operation = { .run = run, .context = &context };
	int ret = example_session(&context.sess, 0);

	if (ret)
		return ret;
	ret = example_repeat(&operation, iterations, &region);
	ret = example_session_end(ret, &context.sess);
	example_profile(&region);
	return ret;
}

int main(int argc, char **argv)
{
	const int iterations = example_count(argc > 3 ? argv[3] : NULL);
	struct example_file file;
	int ret;

	if (argc < 3 || argc > 4 || !iterations)
		return example_usage(argv[0], "<time_ms> <lib_file> [iterations]");
	ret = example_read(argv[2], &file);
	if (!ret)
		ret = run_in_session(argv[1], &file, iterations);
	free(file.data);
	return ret;
}
