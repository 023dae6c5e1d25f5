/*
 * client.c - fuzz target: what an application gets when its agent lies. The public calls, through
 * libvaccel, the rpc plugin and runtime/ttrpc's client, to the agent of fake_agent.c.
 *
 *     input: calls, and the agent's answers to them, as they are wanted
 *     call:  which (4 bits), a number (4 bits)
 *
 * Every array is on the heap and as long as it has to be, so that sanitizers see a byte too many.
 */
#include "fake_agent.h"
#include "fuzz.h"
#include "fuzz_vaccel.h"
#include "luaccel.h"
#include "luaccel_core.h"
#include "sockets.h"
#include "vaccel.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

enum { OUTS = 2, MODEL = 32 };

struct world {
	struct vaccel_session sess;
	bool open, registered;
	unsigned number; /* of the call */
	void *out[OUTS];
};

static struct vaccel_resource model;
static struct vaccel_plugin *plugin;

static void *take(size_t size)
{
	void *p = malloc(size);

	fuzz_check(p);
	memset(p, 'x', size);
	return p;
}

/* What the caller got is all there. */
static void look_at(const void *data, size_t size)
{
	fuzz_check(size == 0 || (data && !__asan_region_is_poisoned((void *)data, size)));
}

static void classify(struct world *world)
{
	unsigned char *image = take(16), *tags = take(8), *name = take(8);
	int ret = vaccel_image_classification(&world->sess, image, tags,
					      world->number & 1 ? name : NULL, 16, 8,
					      world->number & 1 ? 8 : 0);

	fuzz_check(ret != VACCEL_OK || memchr(tags, '\0', 8));
	free(image);
	free(tags);
	free(name);
}

static void other_images(struct world *world)
{
	static int (*const calls[])(struct vaccel_session *, const void *, unsigned char *, size_t,
				    size_t) = {
		vaccel_image_detection,
		vaccel_image_segmentation,
		vaccel_image_pose,
		vaccel_image_depth,
	};
	unsigned char *image = take(16), *name = take(8);

	calls[world->number % 4](&world->sess, image, name, 16, 8);
	free(image);
	free(name);
}

static void exec(struct world *world)
{
	struct vaccel_arg read, write[OUTS];

	fuzz_check(vaccel_arg_init(&read, "abcd", 4, VACCEL_ARG_BUFFER, 0) == 0);
	fuzz_check(vaccel_arg_init(&write[0], NULL, 12, VACCEL_ARG_INT32_ARRAY, 0) == 0);
	fuzz_check(vaccel_arg_init(&write[1], NULL, 8, VACCEL_ARG_CUSTOM, 7) == 0);
	if (world->number & 1)
		vaccel_exec_with_resource(&world->sess, &model, "function", &read, 1, write, OUTS);
	else
		vaccel_exec(&world->sess, "library", "function", &read, 1, write, OUTS);
	for (int i = 0; i < OUTS; i++) {
		look_at(write[i].buf, write[i].size);
		vaccel_arg_release(&write[i]);
	}
	vaccel_arg_release(&read);
}

static void sgemm(struct world *world)
{
	float *a = take(16), *b = take(16), *c = take(16);

	vaccel_sgemm(&world->sess, 2, 2, 2, 1.f, a, 2, b, 2, 0.f, c, 2);
	free(a);
	free(b);
	free(c);
}

static void minmax(struct world *world)
{
	double *in = take(4 * sizeof(*in)), *out = take(4 * sizeof(*out)), min, max;

	vaccel_minmax(&world->sess, in, 4, 1, 2, out, &min, &max);
	free(in);
	free(out);
}

static void fpga(struct world *world)
{
	float *a = take(16), *b = take(16), *c = take(16), *d = take(16);
	int *from = take(16), *to = take(16);

	switch (world->number % 4) {
	case 0:
		vaccel_fpga_arraycopy(&world->sess, from, to, 4);
		break;
	case 1:
		vaccel_fpga_mmult(&world->sess, a, b, c, 2);
		break;
	case 2:
		vaccel_fpga_parallel(&world->sess, a, b, c, d, 2);
		break;
	default:
		vaccel_fpga_vadd(&world->sess, a, b, c, 4, 4);
		break;
	}
	free(a);
	free(b);
	free(c);
	free(d);
	free(from);
	free(to);
}

static void tf_command(struct world *world)
{
	struct vaccel_tf_status status = { 0 };

	if (world->number & 1)
		vaccel_tf_model_unload(&world->sess, &model, &status);
	else
		vaccel_tf_model_load(&world->sess, &model, &status);
	vaccel_tf_status_release(&status);
}

static void tf_run(struct world *world)
{
	static char name[] = "node";
	const struct vaccel_tf_node nodes[OUTS] = { { name, 0 }, { name, 1 } };
	const int64_t dims[] = { 1, 2 };
	struct vaccel_tf_tensor *in, *out[OUTS] = { NULL };
	struct vaccel_tf_status status = { 0 };
	int ret, count = 1 + (int)(world->number & 1);

	fuzz_check(vaccel_tf_tensor_allocate(&in, 2, dims, VACCEL_TF_FLOAT, 8) == 0);
	ret = vaccel_tf_model_run(&world->sess, &model, NULL, nodes, &in, 1, nodes, out, count,
				  &status);
	for (int i = 0; ret == VACCEL_OK && i < count; i++) {
		look_at(out[i]->data, out[i]->size);
		look_at(out[i]->dims, (size_t)out[i]->nr_dims * sizeof(*out[i]->dims));
		vaccel_tf_tensor_delete(out[i]);
	}
	vaccel_tf_status_release(&status);
	vaccel_tf_tensor_delete(in);
}

static void tflite_command(struct world *world)
{
	if (world->number & 1)
		vaccel_tflite_model_unload(&world->sess, &model);
	else
		vaccel_tflite_model_load(&world->sess, &model);
}

static void tflite_run(struct world *world)
{
	const int32_t dims[] = { 1, 2 };
	struct vaccel_tflite_tensor *in, *out[OUTS] = { NULL };
	int ret, count = 1 + (int)(world->number & 1);
	uint8_t status;

	fuzz_check(vaccel_tflite_tensor_allocate(&in, 2, dims, VACCEL_TFLITE_FLOAT32, 8) == 0);
	ret = vaccel_tflite_model_run(&world->sess, &model, &in, 1, out, count, &status);
	for (int i = 0; ret == VACCEL_OK && i < count; i++) {
		look_at(out[i]->data, out[i]->size);
		look_at(out[i]->dims, (size_t)out[i]->nr_dims * sizeof(*out[i]->dims));
		vaccel_tflite_tensor_delete(out[i]);
	}
	vaccel_tflite_tensor_delete(in);
}

static void torch_run(struct world *world)
{
	const int64_t dims[] = { 1, 2 };
	struct vaccel_torch_tensor *in, *out[OUTS] = { NULL };
	int ret, count = 1 + (int)(world->number & 1);

	fuzz_check(vaccel_torch_tensor_allocate(&in, 2, dims, VACCEL_TORCH_FLOAT, 8) == 0);
	ret = vaccel_torch_model_run(&world->sess, &model, NULL, &in, 1, out, count);
	for (int i = 0; ret == VACCEL_OK && i < count; i++) {
		look_at(out[i]->data, out[i]->size);
		look_at(out[i]->dims, (size_t)out[i]->nr_dims * sizeof(*out[i]->dims));
		vaccel_torch_tensor_delete(out[i]);
	}
	vaccel_torch_tensor_delete(in);
}

static void torch_load(struct world *world)
{
	vaccel_torch_model_load(&world->sess, &model);
}

static void resource(struct world *world)
{
	switch (world->number % 4) {
	case 0:
		world->registered |= vaccel_resource_register(&model, &world->sess) == VACCEL_OK;
		break;
	case 1:
		if (world->registered)
			vaccel_resource_unregister(&model, &world->sess);
		world->registered = false;
		break;
	default:
		vaccel_resource_sync(&model, &world->sess);
		break;
	}
}

static void update(struct world *world)
{
	vaccel_session_update(&world->sess, VACCEL_PLUGIN_REMOTE | world->number);
}

static void noop(struct world *world)
{
	vaccel_noop(&world->sess);
}

/* An agent that does not let a resource go keeps the session open. */
static void release(struct world *world)
{
	world->open = vaccel_session_release(&world->sess) != VACCEL_OK;
	world->registered = false;
}

static void (*const calls[16])(struct world *world) = {
	resource, classify,   other_images, exec,	    sgemm,	minmax, fpga, tf_command,
	tf_run,	  tflite_run, torch_run,    tflite_command, torch_load, update, noop, release,
};

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t byte = fuzz_byte(input);

	world->number = byte >> 4;
	if (!world->open)
		world->open = vaccel_session_init(&world->sess, VACCEL_PLUGIN_REMOTE) == VACCEL_OK;
	if (world->open)
		calls[byte & 15](world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };
	struct world world = { .open = false };

	fuzz_descriptors_note();
	fake_agent_start(&input);
	while (fuzz_left(&input) > 0)
		step(&world, &input);
	/* The agent has hung up by now. */
	if (world.open)
		release(&world);
	fuzz_check(!world.open);
	/* What the plugin does when it is unloaded: let go of its connection. */
	plugin->info->fini();
	fake_agent_stop();
	fuzz_check(sockets_open() == 0);
	fuzz_descriptors_check();
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("VACCEL_RPC_ADDRESS", "unix:///fuzz", 1);
	fuzz_start_vaccel(FUZZ_PLUGIN, false);
	plugin = luaccel_core(LUACCEL_CORE_VERSION)->plugin_next(NULL);
	fuzz_check(plugin);
	fuzz_check(vaccel_resource_init_from_buf(&model, take(MODEL), MODEL, VACCEL_RESOURCE_MODEL,
						 "model", true) == 0);
	return 0;
}
