/*
 * arg_list.c - the deprecated argument lists: a fixed number of places, filled in order. A list
 * owns the bytes of the places that idcs_allocated_space marks; their `owned` is never set, so that
 * nobody else frees them. Any thread, one at a time for each list.
 */
#include "last_error.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Makes bytes of a value, from malloc(). */
typedef void *list_serializer(void *data, uint32_t *size);

static void free_list(struct vaccel_arg_list *list)
{
	free(list->list);
	free(list->idcs_allocated_space);
	free(list);
}

static struct vaccel_arg_list *create(uint32_t size)
{
	struct vaccel_arg_list *list;

	if (!size || size > INT_MAX)
		return NULL;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->size = size;
	list->list = calloc(size, sizeof(*list->list));
	list->idcs_allocated_space = calloc(size, sizeof(*list->idcs_allocated_space));
	if (!list->list || !list->idcs_allocated_space) {
		free_list(list);
		return NULL;
	}
	return list;
}

struct vaccel_arg_list *vaccel_args_init(uint32_t size)
{
	const unsigned mark = error_mark();
	struct vaccel_arg_list *list = create(size);

	error_settle(mark, list ? VACCEL_OK : VACCEL_EINVAL);
	return list;
}

/* Whether there is a free place. */
static bool has_room(const struct vaccel_arg_list *list)
{
	if (list->curr_idx >= 0 && (uint32_t)list->curr_idx < list->size)
		return true;
	luaccel_set_error("the list was made for %u arguments and has them", list->size);
	return false;
}

/* Fill the next place, for which there has to be room. */
static int take_place(struct vaccel_arg_list *list, void *buf, uint32_t size,
		      vaccel_arg_type_t type, uint32_t custom_id, bool ours)
{
	list->list[list->curr_idx] = (struct vaccel_arg){
		.buf = buf, .size = size, .type = type, .custom_type_id = custom_id
	};
	list->idcs_allocated_space[list->curr_idx] = ours;
	list->curr_idx++;
	return VACCEL_OK;
}

static int add_serial(struct vaccel_arg_list *list, void *buf, uint32_t size)
{
	if (!list || !buf || !size || !has_room(list))
		return VACCEL_EINVAL;
	return take_place(list, buf, size, VACCEL_ARG_RAW, 0, false);
}

int vaccel_add_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, add_serial(args, buf, size));
}

int vaccel_expect_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, add_serial(args, buf, size));
}

/* The serializer's bytes, from malloc(); NULL when it makes none. */
static void *serialize(list_serializer *serializer, void *data, uint32_t *size)
{
	void *bytes;

	*size = 0;
	bytes = serializer(data, size);
	if (bytes && !*size) {
		free(bytes);
		bytes = NULL;
	}
	return bytes;
}

static int add_nonserial(struct vaccel_arg_list *list, void *data, uint32_t type,
			 list_serializer *serializer)
{
	uint32_t size;
	void *bytes;

	if (!list || !data || !serializer || !has_room(list))
		return VACCEL_EINVAL;
	bytes = serialize(serializer, data, &size);
	if (!bytes)
		return VACCEL_EINVAL;
	return take_place(list, bytes, size, VACCEL_ARG_CUSTOM, type, true);
}

int vaccel_add_nonserial_arg(struct vaccel_arg_list *args, void *buf, uint32_t type,
			     void *(*serializer)(void *, uint32_t *))
{
	const unsigned mark = error_mark();

	return error_settle(mark, add_nonserial(args, buf, type, serializer));
}

static int expect_nonserial(struct vaccel_arg_list *list, uint32_t size)
{
	void *bytes;

	if (!list || !size || !has_room(list))
		return VACCEL_EINVAL;
	bytes = calloc(1, size);
	if (!bytes)
		return VACCEL_ENOMEM;
	return take_place(list, bytes, size, VACCEL_ARG_RAW, 0, true);
}

int vaccel_expect_nonserial_arg(struct vaccel_arg_list *args, uint32_t expected_size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, expect_nonserial(args, expected_size));
}

void *vaccel_extract_serial_arg(struct vaccel_arg *args, int idx)
{
	return args && idx >= 0 ? args[idx].buf : NULL;
}

void *vaccel_extract_nonserial_arg(struct vaccel_arg *args, int idx,
				   void *(*deserializer)(void *, uint32_t))
{
	if (!args || idx < 0 || !deserializer || args[idx].size > UINT32_MAX)
		return NULL;
	return deserializer(args[idx].buf, (uint32_t)args[idx].size);
}

static int write_serial(struct vaccel_arg *args, int idx, const void *buf)
{
	if (!args || idx < 0 || !buf || !args[idx].buf)
		return VACCEL_EINVAL;
	memcpy(args[idx].buf, buf, args[idx].size);
	return VACCEL_OK;
}

int vaccel_write_serial_arg(struct vaccel_arg *args, int idx, void *buf)
{
	const unsigned mark = error_mark();

	return error_settle(mark, write_serial(args, idx, buf));
}

static int write_nonserial(struct vaccel_arg *args, int idx, void *data,
			   list_serializer *serializer)
{
	int ret = VACCEL_OK;
	uint32_t size;
	void *bytes;

	if (!args || idx < 0 || !data || !serializer)
		return VACCEL_EINVAL;
	bytes = serialize(serializer, data, &size);
	if (!bytes)
		return VACCEL_EINVAL;
	if (args[idx].buf && size <= args[idx].size) {
		memcpy(args[idx].buf, bytes, size);
	} else {
		luaccel_set_error("argument %d has room for %zu bytes, its new value has %u", idx,
				  args[idx].size, size);
		ret = VACCEL_EINVAL;
	}
	free(bytes);
	return ret;
}

int vaccel_write_nonserial_arg(struct vaccel_arg *args, int idx, void *buf,
			       void *(*serializer)(void *, uint32_t *))
{
	const unsigned mark = error_mark();

	return error_settle(mark, write_nonserial(args, idx, buf, serializer));
}

int vaccel_delete_args(struct vaccel_arg_list *args)
{
	const unsigned mark = error_mark();

	if (!args || !args->list || !args->size || !args->idcs_allocated_space)
		return error_settle(mark, VACCEL_EINVAL);
	for (uint32_t i = 0; i < args->size; i++)
		if (args->idcs_allocated_space[i])
			free(args->list[i].buf);
	free_list(args);
	return VACCEL_OK;
}
