/*
 * resource.h - models, libraries and data that sessions work with.
 *
 * A resource is created once and registered with each session that uses it. The struct is the
 * caller's memory and a view of a record that the library keeps; it must stay where it is until
 * it is released.
 */
#ifndef VACCEL_RESOURCE_H
#define VACCEL_RESOURCE_H

#include "blob.h"
#include "id.h"
#include "list.h"
#include "utils/enum.h"
#include "utils/path.h"
#include <pthread.h>
#include <stddef.h>

#ifdef __cplusplus
#include <atomic>
#ifndef atomic_uint
typedef std::atomic<unsigned int> atomic_uint;
#endif
#else
#include <stdatomic.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_RESOURCE_TYPE_ENUM_LIST(ITEM)                                                       \
	ITEM(LIB, 0, VACCEL_RESOURCE)                                                              \
	ITEM(DATA, VACCEL_RESOURCE)                                                                \
	ITEM(MODEL, VACCEL_RESOURCE)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_resource_type, VACCEL_RESOURCE,
			       VACCEL_RESOURCE_TYPE_ENUM_LIST)

struct vaccel_resource {
	/* its number, 0 once released */
	vaccel_id_t id;

	/* its number on the other side, set by a remote plugin */
	vaccel_id_t remote_id;

	/* library, data or model */
	vaccel_resource_type_t type;

	/* what the paths are */
	vaccel_path_type_t path_type;

	/* paths or URLs that it was created from, NULL if from memory */
	char **paths;

	/* how many */
	size_t nr_paths;

	/* directory for its files, NULL if it needs none */
	char *rundir;

	/* its files and buffers */
	struct vaccel_blob **blobs;

	/* how many */
	size_t nr_blobs;

	/* link of the library's list of resources of this type */
	struct vaccel_list_entry entry;

	/* sessions that it is registered with */
	struct vaccel_list_entry sessions;

	/* guards that list */
	pthread_mutex_t sessions_lock;

	/* number of sessions that it is registered with */
	atomic_uint refcount;

	/* for the plugin */
	void *plugin_priv;
};

/* The resource with this id. */
int vaccel_resource_get_by_id(struct vaccel_resource **res, vaccel_id_t id);

/* The oldest resource of a type. */
int vaccel_resource_get_by_type(struct vaccel_resource **res, vaccel_resource_type_t type);

/* All resources of a type, oldest first; the caller frees the array. */
int vaccel_resource_get_all_by_type(struct vaccel_resource ***res, size_t *nr_found,
				    vaccel_resource_type_t type);

/* Number of sessions that it is registered with, or -VACCEL_EINVAL. */
long int vaccel_resource_refcount(const struct vaccel_resource *res);

/* A resource of a file, a directory or a URL. */
int vaccel_resource_init(struct vaccel_resource *res, const char *path,
			 vaccel_resource_type_t type);

/* A resource of several files. */
int vaccel_resource_init_multi(struct vaccel_resource *res, const char **paths, size_t nr_paths,
			       vaccel_resource_type_t type);

/* A resource of bytes: written to a file, or with mem_only used where they are. */
int vaccel_resource_init_from_buf(struct vaccel_resource *res, const void *buf, size_t nr_bytes,
				  vaccel_resource_type_t type, const char *filename, bool mem_only);

/* A resource of copies of these blobs. */
int vaccel_resource_init_from_blobs(struct vaccel_resource *res, const struct vaccel_blob **blobs,
				    size_t nr_blobs, vaccel_resource_type_t type);

/* Unregister from every session and free everything but the struct. */
int vaccel_resource_release(struct vaccel_resource *res);

/* The same four on a new resource, to be given back by vaccel_resource_delete(). */
int vaccel_resource_new(struct vaccel_resource **res, const char *path,
			vaccel_resource_type_t type);
int vaccel_resource_multi_new(struct vaccel_resource **res, const char **paths, size_t nr_paths,
			      vaccel_resource_type_t type);
int vaccel_resource_from_buf(struct vaccel_resource **res, const void *buf, size_t nr_bytes,
			     vaccel_resource_type_t type, const char *filename, bool mem_only);
int vaccel_resource_from_blobs(struct vaccel_resource **res, const struct vaccel_blob **blobs,
			       size_t nr_blobs, vaccel_resource_type_t type);

/* Release and free a resource. */
int vaccel_resource_delete(struct vaccel_resource *res);

struct vaccel_session;

/* Make the resource usable in a session; the plugin is told. */
int vaccel_resource_register(struct vaccel_resource *res, struct vaccel_session *sess);

/* End that; the plugin is told. */
int vaccel_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess);

/* Fetch what the other side changed in the resource's buffers. */
int vaccel_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess);

/*
 * The directory of a resource that was created from one: copied into out_path, or into new
 * memory of the caller's if alloc_path is given.
 */
int vaccel_resource_directory(struct vaccel_resource *res, char *out_path, size_t out_path_size,
			      char **alloc_path);

#ifdef __cplusplus
}
#endif

#endif
