/*
 * torch_plugin.c - the plugin agrees with Python: on every held-out digit, on random models, from
 * many threads, from files and from memory.
 */
#include "cmocka_all.h"
#include "torch_files.h"
#include "torch_host.h"
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS	       EXAMPLE_DATA "/digits.pt"
#define NR_HELDOUT     450
#define LEAST_ACCURACY 0.97
#define TOLERANCE      1e-5
#define NR_THREADS     6

/* One digit of the held-out set, and what Python says of it. */
struct digit {
	const uint8_t *png;
	size_t size;
	int label;
	int python;
};

static void read_heldout(struct file *file, struct digit *digits)
{
	struct file labels = file_read(host_path(""), "labels.txt");
	size_t at = 0;

	*file = file_read(EXAMPLE_DATA, "heldout.bin");
	assert_int_equal(labels.size, NR_HELDOUT * strlen("0\n"));
	for (int i = 0; i < NR_HELDOUT; i++) {
		uint32_t size;

		assert_true(at + 5 <= file->size);
		memcpy(&size, file->data + at, sizeof(size));
		digits[i].png = file->data + at + 5;
		digits[i].size = size;
		digits[i].label = file->data[at + 4];
		digits[i].python = labels.data[i * 2] - '0';
		at += 5 + size;
		assert_true(at <= file->size);
	}
	assert_int_equal(at, file->size);
	free(labels.data);
}

/* How many are right; -1 when one is not what Python says. */
static int classify_all(struct host *host, const struct digit *digits)
{
	int right = 0;

	for (int i = 0; i < NR_HELDOUT; i++) {
		char tag[64] = "";

		if (host_classify(host, digits[i].png, digits[i].size, tag, sizeof(tag)) ||
		    strncmp(tag + 1, " (", 2) || tag[0] - '0' != digits[i].python)
			return -1;
		right += tag[0] - '0' == digits[i].label;
	}
	return right;
}

static void every_heldout_digit_is_what_python_says(void **state)
{
	struct digit digits[NR_HELDOUT];
	struct file file;
	struct host *host;
	int right;

	(void)state;
	read_heldout(&file, digits);
	host = host_open(DIGITS);
	right = classify_all(host, digits);
	print_message("%d of %d right\n", right, NR_HELDOUT);
	assert_true(right >= LEAST_ACCURACY * NR_HELDOUT);
	host_close(host);
	free(file.data);
}

struct worker {
	pthread_t thread;
	struct host *host;
	const struct digit *digits;
	pthread_barrier_t *start;
	int right;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(worker->start);
	worker->right = classify_all(worker->host, worker->digits);
	return NULL;
}

/* The first classification loads the model: here all threads are first. */
static void many_threads_share_a_model(void **state)
{
	struct worker workers[NR_THREADS];
	struct digit digits[NR_HELDOUT];
	pthread_barrier_t start;
	struct file file;
	struct host *host;

	(void)state;
	read_heldout(&file, digits);
	host = host_open(DIGITS);
	pthread_barrier_init(&start, NULL, NR_THREADS);
	for (int i = 0; i < NR_THREADS; i++) {
		workers[i] = (struct worker){ .host = host, .digits = digits, .start = &start };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].right, workers[0].right);
		assert_true(workers[i].right > 0);
	}
	pthread_barrier_destroy(&start);
	host_close(host);
	free(file.data);
}

static void images_of_any_size_are_recognised(void **state)
{
	static const char *const names[] = { "0", "1", "2", "3",   "4", "5",
					     "6", "7", "8", "3-2", "9", "8-2" };
	struct host *host;

	(void)state;
	host = host_open(DIGITS);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) * 2; i++) {
		char name[64], tag[64];
		struct file image;

		snprintf(name, sizeof(name), "digit-%s.%s", names[i / 2], i % 2 ? "jpg" : "png");
		image = file_read(EXAMPLE_DATA "/images", name);
		assert_int_equal(host_classify(host, image.data, image.size, tag, sizeof(tag)),
				 VACCEL_OK);
		if (tag[0] != names[i / 2][0])
			fail_msg("%s: %s", name, tag);
		free(image.data);
	}
	host_close(host);
}

/* "FILE:2x7", a part of a line of runs.txt. */
struct run_file {
	struct file file;
	int64_t dims[4];
	int64_t nr_dims;
};

static struct run_file read_run_file(char *text)
{
	struct run_file run = { .nr_dims = 0 };
	char *rest, *dims = strchr(text, ':');

	assert_non_null(dims);
	*dims++ = '\0';
	run.file = file_read(host_path("random"), text);
	for (char *n = strtok_r(dims, "x", &rest); n; n = strtok_r(NULL, "x", &rest)) {
		assert_true(run.nr_dims < 4);
		run.dims[run.nr_dims++] = atoi(n);
	}
	return run;
}

static void expect_output(struct vaccel_torch_tensor *tensor, char *expected)
{
	struct run_file run = read_run_file(expected);
	const float *got = tensor->data, *wanted = (const float *)(const void *)run.file.data;

	assert_int_equal(tensor->data_type, VACCEL_TORCH_FLOAT);
	assert_true(tensor->owned);
	assert_int_equal(tensor->nr_dims, run.nr_dims);
	assert_memory_equal(tensor->dims, run.dims, (size_t)run.nr_dims * sizeof(*run.dims));
	assert_int_equal(tensor->size, run.file.size);
	for (size_t i = 0; i < tensor->size / sizeof(*got); i++) {
		if (!(fabsf(got[i] - wanted[i]) <= TOLERANCE))
			fail_msg("value %zu: %f instead of %f", i, (double)got[i],
				 (double)wanted[i]);
	}
	free(run.file.data);
	assert_int_equal(vaccel_torch_tensor_delete(tensor), VACCEL_OK);
}

static void random_models_give_what_python_gives(void **state)
{
	char input[64], scores[64], features[64];
	FILE *runs = fopen(host_path("random/runs.txt"), "r");
	struct host *host;
	int nr = 0;

	(void)state;
	assert_non_null(runs);
	host = host_open(host_path("random/model.pt"));
	assert_int_equal(vaccel_torch_model_load(&host->session, &host->model), VACCEL_OK);
	for (; fscanf(runs, "%63s %63s %63s", input, scores, features) == 3; nr++) {
		struct run_file run = read_run_file(input);
		struct vaccel_torch_tensor *out[2],
			in = host_tensor(run.file.data, run.file.size, VACCEL_TORCH_FLOAT,
					 run.nr_dims, run.dims);

		assert_int_equal(host_run(host, &in, out, 2), VACCEL_OK);
		expect_output(out[0], scores);
		expect_output(out[1], features);
		free(run.file.data);
	}
	assert_int_equal(nr, 12);
	fclose(runs);
	host_close(host);
}

static void random_images_have_the_labels_that_python_gives(void **state)
{
	char name[64], label[64], tag[64];
	FILE *images = fopen(host_path("random/images.txt"), "r");
	struct host *host;
	int nr = 0;

	(void)state;
	assert_non_null(images);
	host = host_open(host_path("random/model.pt"));
	for (; fscanf(images, "%63s %63[^\n]", name, label) == 2; nr++) {
		struct file image = file_read(host_path("random"), name);

		assert_int_equal(host_classify(host, image.data, image.size, tag, sizeof(tag)),
				 VACCEL_OK);
		host_label(tag);
		assert_string_equal(tag, label);
		free(image.data);
	}
	assert_int_equal(nr, 8);
	fclose(images);
	host_close(host);
}

static int run_zeros(struct vaccel_session *session, struct vaccel_resource *model)
{
	float zeros[64] = { 0 };
	int64_t dims[] = { 1, 1, 8, 8 };
	struct vaccel_torch_tensor *out,
		in = host_tensor(zeros, sizeof(zeros), VACCEL_TORCH_FLOAT, 4, dims),
		*ins[] = { &in };
	int ret = vaccel_torch_model_run(session, model, NULL, ins, 1, &out, 1);

	if (!ret)
		vaccel_torch_tensor_delete(out);
	return ret;
}

static void sessions_share_a_loaded_model(void **state)
{
	struct vaccel_session second;
	struct host *host;
	void *loaded;

	(void)state;
	host = host_open(DIGITS);
	assert_int_equal(vaccel_session_init(&second, VACCEL_PLUGIN_TORCH), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&host->model, &second), VACCEL_OK);
	assert_int_equal(run_zeros(&host->session, &host->model), VACCEL_EINVAL);
	host_expect_error("is not loaded; call vaccel_torch_model_load() before it is run");

	assert_int_equal(vaccel_torch_model_load(&host->session, &host->model), VACCEL_OK);
	loaded = host->model.plugin_priv;
	assert_non_null(loaded);
	assert_int_equal(vaccel_torch_model_load(&second, &host->model), VACCEL_OK);
	assert_ptr_equal(host->model.plugin_priv, loaded);
	assert_int_equal(run_zeros(&second, &host->model), VACCEL_OK);

	assert_int_equal(vaccel_resource_unregister(&host->model, &second), VACCEL_OK);
	assert_ptr_equal(host->model.plugin_priv, loaded);
	assert_int_equal(run_zeros(&host->session, &host->model), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	host_close(host);
}

static void check_buffer(bool memory_only)
{
	struct file model = file_read(EXAMPLE_DATA, "digits.pt");
	struct file image = file_read(EXAMPLE_DATA "/images", "digit-5.png");
	struct host *host;
	char tag[32];

	host = host_new();
	assert_int_equal(vaccel_resource_init_from_buf(&host->model, model.data, model.size,
						       VACCEL_RESOURCE_MODEL, "digits.pt",
						       memory_only),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&host->model, &host->session), VACCEL_OK);
	assert_int_equal(host_classify(host, image.data, image.size, tag, sizeof(tag)), VACCEL_OK);
	/* What was loaded does not live on in the caller's bytes. */
	memset(model.data, 0, model.size);
	assert_int_equal(host_classify(host, image.data, image.size, tag, sizeof(tag)), VACCEL_OK);
	host_label(tag);
	assert_string_equal(tag, "5");
	host_close(host);
	free(image.data);
	free(model.data);
}

static void a_model_can_come_from_memory(void **state)
{
	(void)state;
	check_buffer(true);
	check_buffer(false);
}

static void a_short_buffer_gets_what_fits(void **state)
{
	struct file image = file_read(EXAMPLE_DATA "/images", "digit-5.png");
	char whole[32] = "", cut[32];
	struct host *host;

	(void)state;
	host = host_open(DIGITS);
	assert_int_equal(host_classify(host, image.data, image.size, whole, sizeof(whole)),
			 VACCEL_OK);
	assert_int_equal(strlen(whole), strlen("5 (0.999)"));
	for (size_t size = 1; size <= strlen(whole); size++) {
		memset(cut, '#', sizeof(cut));
		assert_int_equal(host_classify(host, image.data, image.size, cut, size), VACCEL_OK);
		assert_int_equal(strlen(cut), size - 1);
		assert_memory_equal(cut, whole, size - 1);
		assert_int_equal(cut[size], '#');
	}
	host_close(host);
	free(image.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_share_a_model),
		cmocka_unit_test(every_heldout_digit_is_what_python_says),
		cmocka_unit_test(images_of_any_size_are_recognised),
		cmocka_unit_test(random_models_give_what_python_gives),
		cmocka_unit_test(random_images_have_the_labels_that_python_gives),
		cmocka_unit_test(sessions_share_a_loaded_model),
		cmocka_unit_test(a_model_can_come_from_memory),
		cmocka_unit_test(a_short_buffer_gets_what_fits),
	};

	return cmocka_run_group_tests(tests, host_setup, host_teardown);
}
