/*
 * exec_with_resource.c - call a function of libraries that the program brings along: one from a
 * file, one from bytes, both in one session.
 *
 *     exec_with_resource LIBRARY [ITERATIONS]
 */
#include "common/example.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct program {
	struct vaccel_session sess;
	struct vaccel_resource from_file;
	struct vaccel_resource from_bytes;
	struct example_file bytes;
	int iterations;
	struct vaccel_prof_region region;
};

struct call {
	struct vaccel_session *sess;
	struct vaccel_resource *library;
	const char *name; /* of the output */
	int32_t input;
	int32_t output;
	struct example_args args;
};

static int run(void *context)
{
	struct call *call = context;

	return vaccel_exec_with_resource(call->sess, call->library, "mytestfunc",
					 call->args.read.args, call->args.read.count,
					 call->args.write.args, call->args.write.count);
}

static void show(const void *context)
{
	const struct call *call = context;

	printf("%s: %" PRId32 "\n", call->name, call->output);
}

static int run_library(struct program *program, struct vaccel_resource *library, const char *name)
{
	struct call call = {
		.sess = &program->sess, .library = library, .name = name, .input = 10
	};
	const struct example_operation operation = { .run = run, .show = show, .context = &call };
	int ret = example_args_init(&call.args);

	if (ret)
		return ret;
	ret = vaccel_arg_array_add_int32(&call.args.read, &call.input);
	if (!ret)
		ret = vaccel_arg_array_add_int32(&call.args.write, &call.output);
	if (ret)
		example_report("Could not pack the arguments", ret);
	else
		ret = example_repeat(&operation, program->iterations, &program->region);
	return example_args_end(ret, &call.args);
}

/* With a library registered for as long as `work` takes. */
static int with_registered(struct program *program, struct vaccel_resource *library,
			   int (*work)(struct program *program))
{
	int ret = vaccel_resource_register(library, &program->sess);

	if (ret)
		return example_report("Could not register lib with session", ret);
	ret = work(program);
	return example_end(ret, "Could not unregister lib from session",
			   vaccel_resource_unregister(library, &program->sess));
}

static int run_both(struct program *program)
{
	const int ret = run_library(program, &program->from_file, "output1");

	return ret ? ret : run_library(program, &program->from_bytes, "output2");
}

static int run_with_bytes(struct program *program)
{
	int ret = vaccel_resource_init_from_buf(&program->from_bytes, program->bytes.data,
						program->bytes.size, VACCEL_RESOURCE_LIB, "lib.so",
						false);

	if (ret)
		return example_report("Could not initialize lib resource 2 from buffer", ret);
	ret = with_registered(program, &program->from_bytes, run_both);
	return example_end(ret, "Could not release lib resource 2",
			   vaccel_resource_release(&program->from_bytes));
}

static int run_in_session(struct program *program)
{
	int ret = example_session(&program->sess, 0);

	if (ret)
		return ret;
	ret = with_registered(program, &program->from_file, run_with_bytes);
	return example_session_end(ret, &program->sess);
}

static int run_with_file(struct program *program, const char *path)
{
	int ret = vaccel_resource_init(&program->from_file, path, VACCEL_RESOURCE_LIB);

	if (ret)
		return example_report("Could not initialize lib resource", ret);
	ret = run_in_session(program);
	return example_end(ret, "Could not release lib resource",
			   vaccel_resource_release(&program->from_file));
}

int main(int argc, char **argv)
{
	struct program program = { .iterations = example_count(argc > 2 ? argv[2] : NULL),
				   .region = VACCEL_PROF_REGION_INIT("mytestfunc") };
	int ret;

	if (argc < 2 || argc > 3 || !program.iterations)
		return example_usage(argv[0], "<lib_file> [iterations]");
	ret = example_read(argv[1], &program.bytes);
	if (ret)
		return ret;
	ret = run_with_file(&program, argv[1]);
	free(program.bytes.data);
	example_profile(&program.region);
	return ret;
}
