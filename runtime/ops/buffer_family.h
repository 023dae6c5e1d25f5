/*
 * buffer_family.h - the functions of one family of buffers, defined where this is included, with
 *
 *   FAMILY  its name: vaccel_FAMILY_buffer, vaccel_FAMILY_buffer_init()
 *   BYTE    what its data points at
 *
 * set before, which this takes away again. A buffer owns its data. Any thread, one at a time for
 * each.
 */
#include "data.h"

int OF_FAMILY(buffer_init)(struct OF_FAMILY(buffer) * buffer, BYTE *data, size_t size)
{
	const unsigned mark = error_mark();

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	buffer->data = data;
	buffer->size = size;
	return VACCEL_OK;
}

int OF_FAMILY(buffer_release)(struct OF_FAMILY(buffer) * buffer)
{
	const unsigned mark = error_mark();

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
	return VACCEL_OK;
}

int OF_FAMILY(buffer_new)(struct OF_FAMILY(buffer) * *buffer, BYTE *data, size_t size)
{
	const unsigned mark = error_mark();
	struct OF_FAMILY(buffer) * made;

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	made = malloc(sizeof(*made));
	if (!made)
		return error_settle(mark, VACCEL_ENOMEM);
	*made = (struct OF_FAMILY(buffer)){ .data = data, .size = size };
	*buffer = made;
	return VACCEL_OK;
}

int OF_FAMILY(buffer_delete)(struct OF_FAMILY(buffer) * buffer)
{
	const int ret = OF_FAMILY(buffer_release)(buffer);

	if (!ret)
		free(buffer);
	return ret;
}

int OF_FAMILY(buffer_take_data)(struct OF_FAMILY(buffer) * buffer, void **data, size_t *size)
{
	const unsigned mark = error_mark();

	if (!buffer || !data || !size)
		return error_settle(mark, VACCEL_EINVAL);
	*data = buffer->data;
	*size = buffer->size;
	buffer->data = NULL;
	buffer->size = 0;
	return VACCEL_OK;
}

#undef FAMILY
#undef BYTE
