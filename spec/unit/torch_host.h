/*
 * torch_host.h - a program with the torch plugin, and models and answers made by Python for it.
 */
#ifndef TORCH_HOST_H
#define TORCH_HOST_H

#include "luaccel.h"
#include "vaccel.h"
#include <stddef.h>

/* Group setup and teardown: a folder, what Python makes in it, and libvaccel with the plugin. */
int host_setup(void **state);
int host_teardown(void **state);

/* The path of a file that Python made (random/..., odd/..., labels.txt); until the next call. */
const char *host_path(const char *name);

/*
 * A session with one model. On the heap, so that they are still there when a test has failed and
 * libvaccel cleans up.
 */
struct host {
	struct vaccel_session session;
	struct vaccel_resource model;
};

struct host *host_open(const char *model_path);

/* The session alone; the caller makes and registers the model. */
struct host *host_new(void);

void host_close(struct host *host);

/* Classify and return the code; `tag` receives "LABEL (P)". */
int host_classify(struct host *host, const void *image, size_t size, char *tag, size_t size_tag);

/* The label alone: cuts " (P)" off, which must be there. */
void host_label(char *tag);

/* Run the model on one tensor; the caller deletes what is in `out`. */
int host_run(struct host *host, struct vaccel_torch_tensor *in, struct vaccel_torch_tensor **out,
	     int nr_out);

/* A tensor over the caller's bytes. */
struct vaccel_torch_tensor host_tensor(void *data, size_t size, int type, int64_t nr_dims,
				       int64_t *dims);

/* Fails unless the last error of this thread contains the words. */
void host_expect_error(const char *words);

#endif
