/*
 * model.c - loads models and counts who uses them.
 *
 * One lock guards plugin_priv of every resource, and references and state of every model. It is
 * never held while a model is read, loaded or run.
 */
#include "model.h"
#include "bridge.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t settled = PTHREAD_COND_INITIALIZER; /* some model left MODEL_LOADING */

/* The bytes of a model, ours alone. */
struct bytes {
	uint8_t *data;
	size_t size;
};

static int read_whole(int fd, const char *name, struct bytes *bytes, struct fault *fault)
{
	size_t done = 0;

	while (done < bytes->size) {
		ssize_t n = read(fd, bytes->data + done, bytes->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set(fault, errno, "model %s cannot be read: %s", name,
					 strerror(errno));
		if (!n)
			return fault_set(fault, VACCEL_EIO, "model %s shrank while it was read",
					 name);
		done += (size_t)n;
	}
	return VACCEL_OK;
}

static int read_file(const char *path, const char *name, struct bytes *bytes, struct fault *fault)
{
	struct stat file;
	int ret;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fault_set(fault, errno, "model %s cannot be opened: %s", path,
				 strerror(errno));
	if (fstat(fd, &file) || !S_ISREG(file.st_mode) || file.st_size <= 0) {
		ret = fault_set(fault, VACCEL_EINVAL, "model %s is empty, or not a regular file",
				path);
		goto out;
	}
	bytes->size = (size_t)file.st_size;
	bytes->data = malloc(bytes->size);
	if (bytes->data)
		ret = read_whole(fd, name, bytes, fault);
	else
		ret = fault_set(fault, VACCEL_ENOMEM, "no memory for model %s of %zu bytes", name,
				bytes->size);
out:
	close(fd);
	return ret;
}

/* Bytes in memory are copied as well: who registered them may still write to them. */
static int read_blob(const struct vaccel_blob *blob, const char *name, struct bytes *bytes,
		     struct fault *fault)
{
	if (blob->type == VACCEL_BLOB_FILE && !blob->data && blob->path)
		return read_file(blob->path, name, bytes, fault);
	if (!blob->data || !blob->size)
		return fault_set(fault, VACCEL_EINVAL, "model %s has no bytes", name);
	bytes->size = blob->size;
	bytes->data = malloc(bytes->size);
	if (!bytes->data)
		return fault_set(fault, VACCEL_ENOMEM, "no memory for model %s of %zu bytes", name,
				 bytes->size);
	memcpy(bytes->data, blob->data, bytes->size);
	return VACCEL_OK;
}

static int load(struct model *model, const struct vaccel_resource *resource, struct fault *fault)
{
	struct bytes bytes = { 0 };
	struct fault why;
	int ret;

	if (resource->nr_blobs != 1)
		return fault_set(fault, VACCEL_EINVAL,
				 "model %s has %zu files; a TorchScript model is one", model->name,
				 resource->nr_blobs);
	ret = read_blob(resource->blobs[0], model->name, &bytes, fault);
	if (!ret)
		ret = bridge_get(&model->bridge, fault);
	if (ret)
		goto out;
	ret = model->bridge->load(bytes.data, bytes.size, &model->module, &why);
	if (ret) {
		fault_set(fault, ret, "model %s %s", model->name, why.text);
		goto out;
	}
	ret = classifier_init(&model->classifier, model->bridge, model->module, model->name, fault);
	if (ret) {
		model->bridge->unload(model->module);
		model->module = NULL;
		goto out;
	}
	vaccel_info("[torch] model %s loaded, %zu bytes, for %s", model->name, bytes.size,
		    model->classifier.described ? "images and tensors" : "tensors");
out:
	free(bytes.data);
	return ret;
}

static struct model *model_new(const struct vaccel_resource *resource)
{
	struct model *model = calloc(1, sizeof(*model));
	const char *name = resource->nr_blobs ? resource->blobs[0]->name : NULL;

	if (!model)
		return NULL;
	if (name)
		snprintf(model->name, sizeof(model->name), "%s", name);
	else
		snprintf(model->name, sizeof(model->name), "%lld", (long long)resource->id);
	model->state = MODEL_LOADING;
	return model;
}

/* With the lock held; returns the model when it was the last reference, for model_free(). */
static struct model *drop(struct model *model)
{
	return --model->references ? NULL : model;
}

/* Without the lock: freeing a large model takes a while. */
static void model_free(struct model *model)
{
	if (!model)
		return;
	if (model->module) {
		classifier_release(&model->classifier);
		model->bridge->unload(model->module);
	}
	free(model);
}

/* With the lock held, which is given up while the model is loaded. */
static int load_here(struct vaccel_resource *resource, struct model *model)
{
	int code;
	struct fault fault;

	pthread_mutex_unlock(&lock);
	code = load(model, resource, &fault);
	pthread_mutex_lock(&lock);
	model->state = code ? MODEL_FAILED : MODEL_READY;
	model->code = code;
	if (code) {
		model->fault = fault;
		/* The next one to ask tries anew. */
		if (resource->plugin_priv == model) {
			resource->plugin_priv = NULL;
			model->references--;
		}
	}
	pthread_cond_broadcast(&settled);
	return code;
}

int model_get(struct vaccel_resource *resource, bool load_it, struct model **result,
	      struct fault *fault)
{
	struct model *model, *gone = NULL;
	int ret;

	pthread_mutex_lock(&lock);
	model = resource->plugin_priv;
	if (model) {
		model->references++;
		while (model->state == MODEL_LOADING)
			pthread_cond_wait(&settled, &lock);
	} else if (load_it && (model = model_new(resource))) {
		model->references = 2;
		resource->plugin_priv = model;
		load_here(resource, model);
	}
	if (!model) {
		ret = load_it ? fault_set(fault, VACCEL_ENOMEM, "no memory for a model")
			      : fault_set(
					fault, VACCEL_EINVAL,
					"model %lld is not loaded; call vaccel_torch_model_load() "
					"before it is run",
					(long long)resource->id);
	} else if (model->state == MODEL_FAILED) {
		ret = model->code;
		*fault = model->fault;
		gone = drop(model);
	} else {
		ret = VACCEL_OK;
		*result = model;
	}
	pthread_mutex_unlock(&lock);
	model_free(gone);
	return ret;
}

void model_put(struct model *model)
{
	struct model *gone;

	pthread_mutex_lock(&lock);
	gone = drop(model);
	pthread_mutex_unlock(&lock);
	model_free(gone);
}

void model_forget(struct vaccel_resource *resource)
{
	struct model *gone = NULL;

	pthread_mutex_lock(&lock);
	if (resource->plugin_priv) {
		gone = drop(resource->plugin_priv);
		resource->plugin_priv = NULL;
	}
	pthread_mutex_unlock(&lock);
	model_free(gone);
}
