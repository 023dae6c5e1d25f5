/*
 * exec_generic.c - call a function of a library that lies where the operation runs, through
 * vaccel_genop().
 *
 *     exec_generic LIBRARY [ITERATIONS]
 */
#include "common/exec.h"

static uint8_t op = VACCEL_OP_EXEC;
static char function[] = "mytestfunc";

static int begin(struct exec_call *call)
{
	struct vaccel_arg_array *read = &call->args.read;
	int ret = vaccel_arg_array_add_uint8(read, &op);

	if (!ret)
		ret = vaccel_arg_array_add_string(read, call->library);
	if (!ret)
		ret = vaccel_arg_array_add_string(read, function);
	return ret ? example_report("Could not pack the function", ret) : VACCEL_OK;
}

static int run(void *context)
{
	struct exec_call *call = context;

	return example_genop(&call->sess, &call->args);
}

int main(int argc, char **argv)
{
	return exec_main(argc, argv, 0, begin, run);
}
