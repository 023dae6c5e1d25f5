/*
 * noop.c - run the operation that does nothing.
 *
 *     noop [ITERATIONS]
 */
#include "common/example.h"

static int run(void *sess)
{
	return vaccel_noop(sess);
}

int main(int argc, char **argv)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("noop");
	const int iterations = example_count(argc > 1 ? argv[1] : NULL);
	struct vaccel_session sess;
	const struct example_operation operation = { .run = run, .context = &sess };
	int ret;

	if (argc > 2 || !iterations)
		return example_usage(argv[0], "[iterations]");
	ret = example_session(&sess, 0);
	if (ret)
		return ret;
	ret = example_repeat(&operation, iterations, &region);
	ret = example_session_end(ret, &sess);
	example_profile(&region);
	return ret;
}
