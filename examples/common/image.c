/*
 * image.c - see image.h.
 */
#include "image.h"
#include <stdio.h>
#include <stdlib.h>

struct context {
	const struct image_example *example;
	struct image_call call;
	int iterations;
	struct vaccel_prof_region region;
};

static int run_once(void *context)
{
	struct context *c = context;

	return c->example->run(&c->call);
}

static void show(const void *context)
{
	const struct context *c = context;

	if (c->example->tags)
		printf("%s tags: %.*s\n", c->example->what, IMAGE_TEXT_MAX, (char *)c->call.tags);
	printf("%s imagename: %.*s\n", c->example->what, IMAGE_TEXT_MAX, (char *)c->call.name);
}

static int run(struct context *c)
{
	const struct example_operation operation = { .run = run_once, .show = show, .context = c };

	return example_repeat(&operation, c->iterations, &c->region);
}

static int run_with_model(struct context *c, const char *path)
{
	struct vaccel_resource model;
	int ret = vaccel_resource_init(&model, path, VACCEL_RESOURCE_MODEL);

	if (ret)
		return example_report("Could not create model resource", ret);
	ret = vaccel_resource_register(&model, c->call.sess);
	if (ret) {
		example_report("Could not register model to session", ret);
	} else {
		ret = run(c);
		ret = example_end(ret, "Could not unregister model from session",
				  vaccel_resource_unregister(&model, c->call.sess));
	}
	return example_end(ret, "Could not release model", vaccel_resource_release(&model));
}

static int run_in_session(struct context *c, const char *model)
{
	struct vaccel_session sess;
	int ret = example_session(&sess, 0);

	if (ret)
		return ret;
	c->call.sess = &sess;
	if (c->example->shows_size)
		printf("Image size is: %zuB\n", c->call.image.size);
	ret = model ? run_with_model(c, model) : run(c);
	ret = example_session_end(ret, &sess);
	example_profile(&c->region);
	return ret;
}

int image_main(int argc, char **argv, const struct image_example *example)
{
	struct context context = { .example = example,
				   .region = VACCEL_PROF_REGION_INIT(example->region) };
	int ret;

	context.iterations = example_count(argc > 2 ? argv[2] : NULL);
	if (argc < 2 || argc > 4 || !context.iterations)
		return example_usage(argv[0], "<image_file> [iterations] [model_path]");
	ret = example_read(argv[1], &context.call.image);
	if (!ret)
		ret = run_in_session(&context, argc == 4 ? argv[3] : NULL);
	free(context.call.image.data);
	return ret;
}

static int add_args(struct example_args *args, struct image_call *call, uint8_t *op, bool tags)
{
	int ret = vaccel_arg_array_add_uint8(&args->read, op);

	if (!ret)
		ret = vaccel_arg_array_add_buffer(&args->read, call->image.data, call->image.size);
	if (!ret)
		ret = vaccel_arg_array_add_uchar_array(&args->write, call->name,
						       sizeof(call->name));
	if (!ret && tags)
		ret = vaccel_arg_array_add_uchar_array(&args->write, call->tags,
						       sizeof(call->tags));
	return ret ? example_report("Could not pack the arguments", ret) : VACCEL_OK;
}

int image_genop(struct image_call *call, vaccel_op_type_t op, bool tags)
{
	struct example_args args;
	uint8_t number = (uint8_t)op;
	int ret = example_args_init(&args);

	if (ret)
		return ret;
	ret = add_args(&args, call, &number, tags);
	if (!ret)
		ret = example_genop(call->sess, &args);
	return example_args_end(ret, &args);
}
