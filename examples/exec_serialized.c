/*
 * exec_serialized.c - send a type of the program's own to a function of a library and take one
 * back; common/mydata.h makes bytes of it on both sides.
 *
 *     exec_serialized LIBRARY [ITERATIONS]
 */
#include "common/example.h"
#include "common/mydata.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 6 };

struct context {
	struct vaccel_session *sess;
	struct vaccel_resource *library;
	struct example_args args;
};

static void show(const char *name, const struct mydata *data)
{
	printf("%s: ", name);
	for (uint32_t i = 0; i < data->count; i++)
		printf("%" PRIu32 " ", data->array[i]);
	printf("\n");
}

static int take_output(struct vaccel_arg_array *write, struct mydata *output)
{
	vaccel_arg_array_reset_position(write);
	return vaccel_arg_array_get_serialized(write, VACCEL_ARG_CUSTOM, MYDATA_TYPE_ID, output,
					       sizeof(*output), mydata_deserialize);
}

static int run(void *context)
{
	struct context *c = context;

	return vaccel_exec_with_resource(c->sess, c->library, "mytestfunc_nonser",
					 c->args.read.args, c->args.read.count, c->args.write.args,
					 c->args.write.count);
}

static int add_data(struct vaccel_arg_array *array, const struct mydata *data)
{
	return vaccel_arg_array_add_serialized(array, VACCEL_ARG_CUSTOM, MYDATA_TYPE_ID, data,
					       sizeof(*data), mydata_serialize);
}

static int run_and_show(struct context *c, int iterations, struct vaccel_prof_region *region)
{
	const struct example_operation operation = { .run = run, .context = c };

	for (int i = 0; i < iterations; i++) {
		struct mydata output;
		int ret = example_repeat(&operation, 1, region);

		if (ret)
			return ret;
		ret = take_output(&c->args.write, &output);
		if (ret)
			return example_report("Failed to unpack output arg", ret);
		show("Output", &output);
		free(output.array);
	}
	return VACCEL_OK;
}

/* What comes back is as long as what is sent, so the same goes into the place for it. */
static int run_with_args(struct context *c, int iterations, struct vaccel_prof_region *region)
{
	uint32_t numbers[NUMBERS];
	const struct mydata input = { NUMBERS, numbers };
	int ret = example_args_init(&c->args);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < NUMBERS; i++)
		numbers[i] = 2 * i;
	show("Input", &input);
	ret = add_data(&c->args.read, &input);
	if (!ret)
		ret = add_data(&c->args.write, &input);
	if (ret)
		example_report("Could not pack the arguments", ret);
	else
		ret = run_and_show(c, iterations, region);
	return example_args_end(ret, &c->args);
}

static int run_in_session(struct vaccel_resource *library, int iterations)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("mytestfunc");
	struct vaccel_session sess;
	struct context context = { .sess = &sess, .library = library };
	int ret = example_session(&sess, VACCEL_PLUGIN_DEBUG);

	if (ret)
		return ret;
	ret = vaccel_resource_register(library, &sess);
	if (ret) {
		example_report("Could not register lib with session", ret);
	} else {
		ret = run_with_args(&context, iterations, &region);
		ret = example_end(ret, "Could not unregister lib from session",
				  vaccel_resource_unregister(library, &sess));
	}
	ret = example_session_end(ret, &sess);
	example_profile(&region);
	return ret;
}

int main(int argc, char **argv)
{
	const int iterations = example_count(argc > 2 ? argv[2] : NULL);
	struct vaccel_resource library;
	int ret;

	if (argc < 2 || argc > 3 || !iterations)
		return example_usage(argv[0], "<lib_file> [iterations]");
	ret = vaccel_resource_init(&library, argv[1], VACCEL_RESOURCE_LIB);
	if (ret)
		return example_report("Could not initialize lib resource", ret);
	ret = run_in_session(&library, iterations);
	return example_end(ret, "Could not release lib resource",
			   vaccel_resource_release(&library));
}
