/*
 * torch_host.c - what the tests of the torch plugin share. Python runs before libvaccel starts.
 */
#include "torch_host.h"
#include "cmocka_all.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/unit-torch-XXXXXX";

const char *host_path(const char *name)
{
	static _Thread_local char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void python(const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command), "cd %s && /usr/bin/python3 %s %s", folder,
		 TORCH_REFERENCE, arguments);
	if (system(command))
		fail_msg("failed: %s", command);
}

int host_setup(void **state)
{
	struct vaccel_config config;
	char arguments[1024];
	unsigned int seed = (unsigned int)time(NULL) % 100000;

	(void)state;
	assert_non_null(mkdtemp(folder));
	print_message("random model: torch_reference.py make-random %u\n", seed);
	snprintf(arguments, sizeof(arguments), "make-random %u random", seed);
	python(arguments);
	python("make-odd odd");
	python("classify " EXAMPLE_DATA "/digits.pt " EXAMPLE_DATA "/heldout.bin > labels.txt");

	assert_int_equal(
		vaccel_config_init(&config, TORCH_PLUGIN, VACCEL_LOG_ERROR, NULL, false, false),
		VACCEL_OK);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	return vaccel_config_release(&config);
}

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *walk)
{
	(void)file;
	(void)kind;
	(void)walk;
	return remove(path);
}

int host_teardown(void **state)
{
	(void)state;
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct host *host_new(void)
{
	struct host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	assert_int_equal(vaccel_session_init(&host->session, VACCEL_PLUGIN_TORCH), VACCEL_OK);
	return host;
}

struct host *host_open(const char *model_path)
{
	struct host *host = host_new();

	assert_int_equal(vaccel_resource_init(&host->model, model_path, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&host->model, &host->session), VACCEL_OK);
	return host;
}

void host_close(struct host *host)
{
	assert_int_equal(vaccel_resource_unregister(&host->model, &host->session), VACCEL_OK);
	assert_null(host->model.plugin_priv);
	assert_int_equal(vaccel_resource_release(&host->model), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&host->session), VACCEL_OK);
	free(host);
}

int host_classify(struct host *host, const void *image, size_t size, char *tag, size_t size_tag)
{
	unsigned char name[8] = "unused";
	int ret = vaccel_image_classification(&host->session, image, (unsigned char *)tag, name,
					      size, size_tag, sizeof(name));

	assert_string_equal((char *)name, "");
	return ret;
}

void host_label(char *tag)
{
	char *end = strstr(tag, " (");

	assert_non_null(end);
	*end = '\0';
}

int host_run(struct host *host, struct vaccel_torch_tensor *in, struct vaccel_torch_tensor **out,
	     int nr_out)
{
	return vaccel_torch_model_run(&host->session, &host->model, NULL, &in, 1, out, nr_out);
}

struct vaccel_torch_tensor host_tensor(void *data, size_t size, int type, int64_t nr_dims,
				       int64_t *dims)
{
	return (struct vaccel_torch_tensor){
		.data = data,
		.size = size,
		.nr_dims = nr_dims,
		.dims = dims,
		.data_type = (enum vaccel_torch_data_type)type,
	};
}

void host_expect_error(const char *words)
{
	char reason[1024] = "";

	luaccel_last_error(reason, sizeof(reason));
	if (!strstr(reason, words))
		fail_msg("\"%s\" does not say \"%s\"", reason, words);
}
