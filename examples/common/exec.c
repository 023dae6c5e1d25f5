/*
 * exec.c - see exec.h.
 */
#include "exec.h"
#include <inttypes.h>
#include <stdio.h>

static void show(const void *context)
{
	printf("output: %" PRId32 "\n", ((const struct exec_call *)context)->output);
}

static int add_numbers(struct exec_call *call)
{
	int ret = vaccel_arg_array_add_int32(&call->args.read, &call->input);

	if (!ret)
		ret = vaccel_arg_array_add_int32(&call->args.write, &call->output);
	return ret ? example_report("Could not pack the arguments", ret) : VACCEL_OK;
}

static int run_with_args(struct exec_call *call, const struct example_operation *operation,
			 int iterations, int (*begin)(struct exec_call *call))
{
	int ret = example_args_init(&call->args);

	if (ret)
		return ret;
	if (begin)
		ret = begin(call);
	if (!ret)
		ret = add_numbers(call);
	if (!ret)
		ret = example_repeat(operation, iterations, &call->region);
	return example_args_end(ret, &call->args);
}

int exec_main(int argc, char **argv, uint32_t flags, int (*begin)(struct exec_call *call),
	      int (*run)(void *call))
{
	struct exec_call call = { .region = VACCEL_PROF_REGION_INIT("mytestfunc"), .input = 10 };
	const struct example_operation operation = { .run = run, .show = show, .context = &call };
	const int iterations = example_count(argc > 2 ? argv[2] : NULL);
	int ret;

	if (argc < 2 || argc > 3 || !iterations)
		return example_usage(argv[0], "<lib_file> [iterations]");
	call.library = argv[1];
	ret = example_session(&call.sess, flags);
	if (ret)
		return ret;
	ret = run_with_args(&call, &operation, iterations, begin);
	ret = example_session_end(ret, &call.sess);
	example_profile(&call.region);
	return ret;
}
