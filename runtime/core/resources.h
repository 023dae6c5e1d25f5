/*
 * resources.h - creating resources, public and hidden, and bringing them into sessions.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include "registry.h"
#include <sys/types.h>

/* Blobs whose bytes are in files of the caller's, see luaccel_core.h. */
int resource_from_files(struct vaccel_resource **res, const struct vaccel_blob **blobs,
			size_t nr_blobs, vaccel_resource_type_t type);

/* End a resource: EINVAL when it is ending already. With force nothing stops it. */
int resource_release(struct resource_record *record, bool force);

/* Paths become blobs, as a session needs them: with their bytes mapped if it is remote. */
int resource_load(struct resource_record *record, bool remote);

/* Make <run directory>/resource.N; remove it and what is in it. */
int resource_make_rundir(struct vaccel_resource *res);
void resource_drop_rundir(struct vaccel_resource *res);

/* What its files are created with. */
mode_t resource_file_mode(const struct vaccel_resource *res);

/* Delete blobs and the array. */
void resource_drop_blobs(struct vaccel_resource *res);

/* Tell the plugin that a registration, which is out of the lists, has ended; free it. */
int resource_leave(struct registration *registration);

/* A hidden resource that shares another's bytes, see luaccel_core.h. */
int resource_share(const struct vaccel_resource *shared, struct vaccel_resource **hidden);
int resource_unshare(struct vaccel_resource *hidden);

/* Download the shared one's URLs, once for all that share it, and share the files. */
int resource_load_shared(struct vaccel_resource *hidden);

#endif
