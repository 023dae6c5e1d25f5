/*
 * torch_models.c - models and tensors of every kind: what must work, and what must be refused with
 * a sentence and no harm. torch_reference.py make-odd makes the models.
 */
#include "cmocka_all.h"
#include "torch_files.h"
#include "torch_host.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGITS	   EXAMPLE_DATA "/digits.pt"
#define NR_THREADS 6
#define NR_RUNS	   200

static struct host *open_odd(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "odd/%s.pt", name);
	return host_open(host_path(path));
}

static struct host *load_odd(const char *name)
{
	struct host *host = open_odd(name);

	assert_int_equal(vaccel_torch_model_load(&host->session, &host->model), VACCEL_OK);
	return host;
}

static void every_type_comes_back_as_it_went(void **state)
{
	static const int sizes[] = { 0, 1, 1, 2, 4, 8, 2, 4 };
	uint8_t bytes[6 * 8];
	int64_t dims[] = { 2, 3 };
	struct host *host;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	host = load_odd("echo");
	for (int type = VACCEL_TORCH_BYTE; type <= VACCEL_TORCH_FLOAT; type++) {
		size_t size = 6 * (size_t)sizes[type];
		struct vaccel_torch_tensor *out, in = host_tensor(bytes, size, type, 2, dims);

		assert_int_equal(host_run(host, &in, &out, 1), VACCEL_OK);
		assert_int_equal(out->data_type, type);
		assert_int_equal(out->nr_dims, 2);
		assert_int_equal(out->dims[1], 3);
		assert_int_equal(out->size, size);
		assert_memory_equal(out->data, bytes, size);
		assert_true(out->owned);
		assert_ptr_not_equal(out->data, in.data);
		vaccel_torch_tensor_delete(out);
	}
	host_close(host);
}

static void several_tensors_go_in_and_come_out(void **state)
{
	float x[] = { 1, 2, 3 }, y[] = { 10, 20, 30 };
	int64_t dims[] = { 3 };
	struct vaccel_torch_tensor *out[3],
		a = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims),
		b = host_tensor(y, sizeof(y), VACCEL_TORCH_FLOAT, 1, dims), *in[] = { &a, &b };
	struct host *host;

	(void)state;
	host = load_odd("several");
	assert_int_equal(vaccel_torch_model_run(&host->session, &host->model, NULL, in, 2, out, 3),
			 VACCEL_OK);
	assert_float_equal(((float *)out[0]->data)[2], 33, 0);
	/* A number alone is a tensor of one. */
	assert_int_equal(out[1]->nr_dims, 1);
	assert_int_equal(out[1]->dims[0], 1);
	assert_float_equal(((float *)out[1]->data)[0], 66, 0);
	assert_int_equal(out[2]->size, 0);
	assert_int_equal(out[2]->dims[0], 0);
	assert_int_equal(out[2]->dims[1], 3);
	for (int i = 0; i < 3; i++)
		vaccel_torch_tensor_delete(out[i]);

	assert_int_equal(vaccel_torch_model_run(&host->session, &host->model, NULL, in, 2, out, 2),
			 VACCEL_EINVAL);
	host_expect_error("2 output tensors are asked for; the model gives 3");
	assert_int_equal(vaccel_torch_model_run(&host->session, &host->model, NULL, in, 2, out, 4),
			 VACCEL_EINVAL);
	host_expect_error("4 output tensors are asked for; the model gives 3");
	assert_int_equal(vaccel_torch_model_run(&host->session, &host->model, NULL, in, 1, out, 3),
			 VACCEL_EINVAL);
	host_expect_error("model several.pt fails: forward() is missing value for argument 'y'");
	host_close(host);
}

static void the_callers_tensor_is_not_written_to(void **state)
{
	float x[] = { 1, 2 };
	int64_t dims[] = { 2 };
	struct vaccel_torch_tensor *out,
		in = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims);
	struct host *host;

	(void)state;
	host = load_odd("changer");
	assert_int_equal(host_run(host, &in, &out, 1), VACCEL_OK);
	assert_float_equal(((float *)out->data)[1], 3, 0);
	assert_float_equal(x[1], 2, 0);
	vaccel_torch_tensor_delete(out);
	host_close(host);
}

static void bad_tensors_are_refused(void **state)
{
	float x[64] = { 0 };
	int64_t good[] = { 1, 1, 8, 8 }, negative[] = { -1, -1, 8, 8 }, many[65] = { 0 },
		wraps[] = { INT64_C(1) << 62, 4, 1, 1 }, flat[] = { 64 };
	const struct {
		struct vaccel_torch_tensor tensor;
		const char *words;
	} bad[] = {
		{ host_tensor(x, 255, VACCEL_TORCH_FLOAT, 4, good),
		  "input tensor 0 has 255 bytes of data; its type and dimensions call for 256" },
		{ host_tensor(x, 257, VACCEL_TORCH_FLOAT, 4, good), "call for 256" },
		{ host_tensor(NULL, 256, VACCEL_TORCH_FLOAT, 4, good),
		  "input tensor 0 has 0 bytes of data" },
		{ host_tensor(x, 256, VACCEL_TORCH_LONG, 4, good), "call for 512" },
		{ host_tensor(x, 256, VACCEL_TORCH_FLOAT, 4, negative), "impossible dimensions" },
		{ host_tensor(x, 0, VACCEL_TORCH_FLOAT, 4, wraps), "impossible dimensions" },
		{ host_tensor(x, 0, VACCEL_TORCH_FLOAT, 65, many), "impossible dimensions" },
		{ host_tensor(x, 256, VACCEL_TORCH_FLOAT, 0, good), "impossible dimensions" },
		{ host_tensor(x, 256, VACCEL_TORCH_FLOAT, -4, good), "impossible dimensions" },
		{ host_tensor(x, 256, VACCEL_TORCH_FLOAT, 4, NULL), "impossible dimensions" },
		{ host_tensor(x, 256, 0, 4, good), "unknown type (0)" },
		{ host_tensor(x, 256, 8, 4, good), "unknown type (8)" },
		{ host_tensor(x, 256, VACCEL_TORCH_FLOAT, 1, flat), "model digits.pt fails: " },
		{ host_tensor(x, 256, VACCEL_TORCH_INT, 4, good), "model digits.pt fails: " },
	};
	struct vaccel_torch_tensor *out = (void *)x, *none = NULL;
	struct host *host;

	(void)state;
	host = host_open(DIGITS);
	assert_int_equal(vaccel_torch_model_load(&host->session, &host->model), VACCEL_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vaccel_torch_tensor in = bad[i].tensor;

		assert_int_equal(host_run(host, &in, &out, 1), VACCEL_EINVAL);
		host_expect_error(bad[i].words);
	}
	assert_int_equal(host_run(host, NULL, &out, 1), VACCEL_EINVAL);
	host_expect_error("input tensor 0 is NULL");
	assert_int_equal(
		vaccel_torch_model_run(&host->session, &host->model, NULL, &none, 0, &out, 1),
		VACCEL_EINVAL);
	host_expect_error("a run takes 1 to 1024 input tensors, not 0");
	assert_int_equal(
		vaccel_torch_model_run(&host->session, &host->model, NULL, NULL, 1, &out, 1),
		VACCEL_EINVAL);
	assert_ptr_equal(out, x);
	host_close(host);
}

static void what_vaccel_cannot_carry_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *words;
	} bad[] = {
		{ "double", "model double.pt gives a tensor of Double" },
		{ "text", "model text.pt gives String, not a tensor" },
		{ "nested", "model nested.pt gives a tuple of GenericList, not of tensors" },
	};
	float x[] = { 1 };
	int64_t dims[] = { 1 };
	struct vaccel_torch_tensor *out,
		in = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct host *host;

		host = load_odd(bad[i].name);
		assert_int_equal(host_run(host, &in, &out, 1), VACCEL_EINVAL);
		host_expect_error(bad[i].words);
		host_close(host);
	}
}

static void bad_models_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *words;
	} bad[] = {
		{ "saver", "model saver.pt uses aten::save, which opens files" },
		{ "reader", "model reader.pt uses aten::from_file, which opens files" },
		{ "weights", "model weights.pt is not TorchScript: " },
		{ "silent", "model silent.pt has no forward()" },
		{ "nan", "model nan.pt gives NaN as a score" },
		{ "mislabelled",
		  "model mislabelled.pt gives 3 scores for an image, but names 2 labels" },
		{ "misdescribed",
		  "model misdescribed.pt is badly described: luaccel/preprocess line 4: unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct host *host;
		char tag[32];

		host = open_odd(bad[i].name);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(vaccel_torch_model_load(&host->session, &host->model),
					 VACCEL_EINVAL);
			host_expect_error(bad[i].words);
			assert_null(host->model.plugin_priv);
		}
		assert_int_equal(host_classify(host, "x", 1, tag, sizeof(tag)), VACCEL_EINVAL);
		host_expect_error(bad[i].words);
		host_close(host);
	}
	assert_int_equal(access("/tmp/luaccel-torch-saver-was-here", F_OK), -1);
}

static int load_bytes(void *bytes, size_t size)
{
	struct host *host;
	int ret;

	host = host_new();
	assert_int_equal(vaccel_resource_init_from_buf(&host->model, bytes, size,
						       VACCEL_RESOURCE_MODEL, "digits.pt", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&host->model, &host->session), VACCEL_OK);
	ret = vaccel_torch_model_load(&host->session, &host->model);
	host_close(host);
	return ret;
}

static void what_is_no_model_is_refused(void **state)
{
	struct file model = file_read(EXAMPLE_DATA, "digits.pt");
	char text[] = "this is no model";

	(void)state;
	assert_int_equal(load_bytes(text, strlen(text)), VACCEL_EINVAL);
	host_expect_error(
		"model digits.pt is not TorchScript: it is no zip archive, or is cut short");
	assert_int_equal(load_bytes(text, 1), VACCEL_EINVAL);
	for (size_t size = model.size - 1; size > 100; size -= size / 7) {
		assert_int_equal(load_bytes(model.data, size), VACCEL_EINVAL);
		host_expect_error("is cut short");
	}
	assert_int_equal(load_bytes(model.data, model.size), VACCEL_OK);
	free(model.data);
}

static void images_need_a_model_that_takes_them(void **state)
{
	struct file image = file_read(EXAMPLE_DATA "/images", "digit-5.png");
	struct vaccel_session session;
	unsigned char tag[32], name[8];
	struct host *host;

	(void)state;
	assert_int_equal(vaccel_session_init(&session, VACCEL_PLUGIN_TORCH), VACCEL_OK);
	assert_int_equal(vaccel_image_classification(&session, image.data, tag, name, image.size,
						     sizeof(tag), sizeof(name)),
			 VACCEL_EINVAL);
	host_expect_error("has no model; register a model with this session first");
	assert_int_equal(vaccel_session_release(&session), VACCEL_OK);

	host = open_odd("echo");
	assert_int_equal(host_classify(host, image.data, image.size, (char *)tag, sizeof(tag)),
			 VACCEL_EINVAL);
	host_expect_error("model echo.pt takes tensors, not images");
	host_close(host);

	host = open_odd("unlabelled");
	assert_int_equal(host_classify(host, image.data, image.size, (char *)tag, sizeof(tag)),
			 VACCEL_OK);
	assert_string_equal((char *)tag, "1 (0.625)");
	host_close(host);
	free(image.data);
}

static void a_bad_image_is_refused(void **state)
{
	struct file image = file_read(EXAMPLE_DATA "/images", "digit-5.jpg");
	struct host *host;
	char tag[32];

	(void)state;
	host = host_open(DIGITS);
	assert_int_equal(host_classify(host, "%PDF-1.4", 8, tag, sizeof(tag)), VACCEL_EINVAL);
	host_expect_error("image is neither JPEG nor PNG (first bytes 25 50 44 46)");
	assert_int_equal(host_classify(host, image.data, image.size / 2, tag, sizeof(tag)),
			 VACCEL_EINVAL);
	host_expect_error("JPEG is cut short");
	assert_int_equal(host_classify(host, image.data, 0, tag, sizeof(tag)), VACCEL_EINVAL);
	host_expect_error("image is empty");
	assert_int_equal(host_classify(host, NULL, 100, tag, sizeof(tag)), VACCEL_EINVAL);
	assert_int_equal(host_classify(host, image.data, image.size, tag, sizeof(tag)), VACCEL_OK);
	host_close(host);
	free(image.data);
}

/* What a model prints is not the program's output. */
static void a_model_cannot_print(void **state)
{
	float x[] = { 21 };
	int64_t dims[] = { 1 };
	struct vaccel_torch_tensor *out,
		in = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims);
	FILE *caught = tmpfile();
	struct host *host;
	int terminal;

	(void)state;
	assert_non_null(caught);
	host = load_odd("printer");
	fflush(stdout);
	terminal = dup(STDOUT_FILENO);
	dup2(fileno(caught), STDOUT_FILENO);
	assert_int_equal(host_run(host, &in, &out, 1), VACCEL_OK);
	fflush(stdout);
	dup2(terminal, STDOUT_FILENO);
	close(terminal);
	assert_float_equal(((float *)out->data)[0], 42, 0);
	assert_int_equal(lseek(fileno(caught), 0, SEEK_END), 0);
	vaccel_torch_tensor_delete(out);
	fclose(caught);
	host_close(host);
}

static void *count(void *argument)
{
	float x[] = { 0 };
	int64_t dims[] = { 1 };
	struct host *host = argument;

	for (int i = 0; i < NR_RUNS; i++) {
		struct vaccel_torch_tensor *out[2],
			in = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims);

		if (host_run(host, &in, out, 2))
			return host;
		vaccel_torch_tensor_delete(out[0]);
		vaccel_torch_tensor_delete(out[1]);
	}
	return NULL;
}

/* Runs of such a model come one after the other, or counts would be lost. */
static void a_model_that_changes_itself_keeps_count(void **state)
{
	float x[] = { 0 };
	int64_t dims[] = { 1 };
	struct vaccel_torch_tensor *out[2],
		in = host_tensor(x, sizeof(x), VACCEL_TORCH_FLOAT, 1, dims);
	pthread_t threads[NR_THREADS];
	struct host *host;
	void *failed;

	(void)state;
	host = load_odd("counter");
	for (int i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, host), 0);
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(host_run(host, &in, out, 2), VACCEL_OK);
	assert_float_equal(((float *)out[0]->data)[0], (NR_THREADS * NR_RUNS + 1), 0);
	assert_int_equal(((int64_t *)out[1]->data)[0], (NR_THREADS * NR_RUNS + 1) * 100);
	vaccel_torch_tensor_delete(out[0]);
	vaccel_torch_tensor_delete(out[1]);
	host_close(host);
}

static void options_are_checked(void **state)
{
	int (*configure)(const char *, const char *);
	void *plugin = dlopen(TORCH_PLUGIN, RTLD_LAZY | RTLD_NOLOAD);

	(void)state;
	assert_non_null(plugin);
	*(void **)&configure = dlsym(plugin, "luaccel_plugin_configure");
	assert_non_null(configure);
	assert_int_equal(configure("colour", "blue"), VACCEL_EINVAL);
	host_expect_error("plugin torch has no option \"colour\"; it has: threads");
	assert_int_equal(configure("threads", "two"), VACCEL_EINVAL);
	host_expect_error("threads = two is not a number of threads");
	assert_int_equal(configure("threads", "0"), VACCEL_EINVAL);
	assert_int_equal(configure("threads", "257"), VACCEL_EINVAL);
	host_expect_error("threads = 257; it can be 1 to 256");
	assert_int_equal(configure("threads", "1"), VACCEL_OK);
	assert_int_equal(configure("threads", "2"), VACCEL_OK);
	assert_int_equal(load_bytes("x", 1), VACCEL_EINVAL);
	assert_int_equal(configure("threads", "2"), VACCEL_OK);
	assert_int_equal(configure("threads", "1"), VACCEL_EBUSY);
	host_expect_error("libtorch runs already, with threads = 2");
	dlclose(plugin);
}

/* libtorch's threads do not live in a forked child, where it would wait for them for ever. */
static void a_forked_child_is_refused(void **state)
{
	struct vaccel_plugin **plugin;
	struct host *host;
	int status;
	pid_t child;
	void *handle = dlopen(TORCH_PLUGIN, RTLD_LAZY | RTLD_NOLOAD);

	(void)state;
	assert_non_null(handle);
	plugin = dlsym(handle, "vaccel_plugin");
	assert_non_null(plugin);
	host = host_open(DIGITS);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* The plugin itself: libvaccel has reasons of its own to refuse a child. */
		int (*load)(struct vaccel_session *, struct vaccel_resource *);

		*(void **)&load = (*plugin)->ops[VACCEL_OP_TORCH_MODEL_LOAD]->func;
		_exit(load(&host->session, &host->model) == VACCEL_ESESS ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	host_close(host);
	dlclose(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked), /* first: it is about the first load */
		cmocka_unit_test(every_type_comes_back_as_it_went),
		cmocka_unit_test(several_tensors_go_in_and_come_out),
		cmocka_unit_test(the_callers_tensor_is_not_written_to),
		cmocka_unit_test(bad_tensors_are_refused),
		cmocka_unit_test(what_vaccel_cannot_carry_is_refused),
		cmocka_unit_test(bad_models_are_refused),
		cmocka_unit_test(what_is_no_model_is_refused),
		cmocka_unit_test(images_need_a_model_that_takes_them),
		cmocka_unit_test(a_bad_image_is_refused),
		cmocka_unit_test(a_model_cannot_print),
		cmocka_unit_test(a_model_that_changes_itself_keeps_count),
		cmocka_unit_test(a_forked_child_is_refused),
	};

	return cmocka_run_group_tests(tests, host_setup, host_teardown);
}
