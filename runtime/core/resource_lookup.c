/*
 * resource_lookup.c - finding resources, and what one can be asked. Any thread.
 */
#include "bootstrap.h"
#include "last_error.h"
#include "registry_state.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int get_by_id(struct vaccel_resource **res, vaccel_id_t id)
{
	const struct table_entry *entry;
	int ret = VACCEL_ENOENT;

	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!res)
		return VACCEL_EINVAL;
	registry_lock();
	entry = table_find(&registry.resources.table, (uint64_t)id);
	if (entry) {
		*res = container_of(entry, struct resource_record, record.by_id)->resource;
		ret = VACCEL_OK;
	}
	registry_unlock();
	return ret;
}

int vaccel_resource_get_by_id(struct vaccel_resource **res, vaccel_id_t id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_by_id(res, id));
}

static struct vaccel_resource *ordered(struct vaccel_list_entry *entry)
{
	return container_of(entry, struct resource_record, record.order)->resource;
}

static int get_by_type(struct vaccel_resource **res, vaccel_resource_type_t type)
{
	int ret = VACCEL_ENOENT;

	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!res || type >= VACCEL_RESOURCE_MAX)
		return VACCEL_EINVAL;
	registry_lock();
	if (!list_empty(&registry.resources.order[type])) {
		*res = ordered(registry.resources.order[type].next);
		ret = VACCEL_OK;
	}
	registry_unlock();
	return ret;
}

int vaccel_resource_get_by_type(struct vaccel_resource **res, vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_by_type(res, type));
}

static int get_all_by_type(struct vaccel_resource ***res, size_t *nr_found,
			   vaccel_resource_type_t type)
{
	struct vaccel_resource **found = NULL;
	size_t count = 0;

	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!res || !nr_found || type >= VACCEL_RESOURCE_MAX)
		return VACCEL_EINVAL;
	*nr_found = 0;
	registry_lock();
	list_for_each(entry, &registry.resources.order[type]) count++;
	if (count)
		found = calloc(count, sizeof(struct vaccel_resource *));
	if (found) {
		count = 0;
		list_for_each(entry, &registry.resources.order[type]) found[count++] =
			ordered(entry);
	}
	registry_unlock();
	if (!found)
		return count ? VACCEL_ENOMEM : VACCEL_ENOENT;
	*res = found;
	*nr_found = count;
	return VACCEL_OK;
}

int vaccel_resource_get_all_by_type(struct vaccel_resource ***res, size_t *nr_found,
				    vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_all_by_type(res, nr_found, type));
}

long int vaccel_resource_refcount(const struct vaccel_resource *res)
{
	if (!res)
		return -fail(VACCEL_EINVAL, "Refcounting invalid resource");
	return (long)atomic_load(&res->refcount);
}

static int directory(const struct vaccel_resource *res, char *out_path, size_t out_path_size,
		     char **alloc_path)
{
	const char *path;

	if (!res || (!alloc_path && !out_path))
		return VACCEL_EINVAL;
	if (res->id <= 0)
		return fail(VACCEL_EINVAL, "Cannot return directory for uninitialized resource");
	if (res->path_type != VACCEL_PATH_LOCAL_DIR)
		return fail(VACCEL_ENOTSUP, "Cannot return directory for resource not created from "
					    "a directory");
	path = res->rundir ? res->rundir : res->paths[0];
	if (alloc_path) {
		*alloc_path = strdup(path);
		return *alloc_path ? VACCEL_OK : VACCEL_ENOMEM;
	}
	if (strlen(path) >= out_path_size)
		return fail(VACCEL_EINVAL, "Buffer size too small for directory path");
	memcpy(out_path, path, strlen(path) + 1);
	return VACCEL_OK;
}

int vaccel_resource_directory(struct vaccel_resource *res, char *out_path, size_t out_path_size,
			      char **alloc_path)
{
	const unsigned mark = error_mark();

	return error_settle(mark, directory(res, out_path, out_path_size, alloc_path));
}
