/*
 * exec.c - call a function of a library that lies where the operation runs.
 *
 *     exec LIBRARY [ITERATIONS]
 */
#include "common/exec.h"

static int run(void *context)
{
	struct exec_call *call = context;

	return vaccel_exec(&call->sess, call->library, "mytestfunc", call->args.read.args,
			   call->args.read.count, call->args.write.args, call->args.write.count);
}

int main(int argc, char **argv)
{
	return exec_main(argc, argv, VACCEL_PLUGIN_DEBUG, NULL, run);
}
