/*
 * mydata.c - see mydata.h. The bytes may be another program's: nothing beyond them is read.
 */
#include "mydata.h"
#include <stdlib.h>
#include <string.h>
#include <vaccel.h>

int mydata_serialize(const void *data, size_t data_size, uint32_t custom_id, void **buf,
		     size_t *size)
{
	const struct mydata *mydata = data;
	uint32_t *bytes;

	if (!mydata || !buf || !size || custom_id != MYDATA_TYPE_ID ||
	    data_size != sizeof(*mydata) || (mydata->count && !mydata->array))
		return VACCEL_EINVAL;
	*size = ((size_t)mydata->count + 1) * sizeof(*bytes);
	bytes = malloc(*size);
	if (!bytes)
		return VACCEL_ENOMEM;
	bytes[0] = mydata->count;
	if (mydata->count)
		memcpy(&bytes[1], mydata->array, mydata->count * sizeof(*bytes));
	*buf = bytes;
	return VACCEL_OK;
}

int mydata_deserialize(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
		       void *data)
{
	struct mydata *mydata = data;
	uint32_t count;

	if (!buf || !mydata || custom_id != MYDATA_TYPE_ID || data_size != sizeof(*mydata) ||
	    size < sizeof(count))
		return VACCEL_EINVAL;
	memcpy(&count, buf, sizeof(count));
	if (count > size / sizeof(count) - 1)
		return VACCEL_EINVAL;
	mydata->array = malloc(size - sizeof(count) + 1);
	if (!mydata->array)
		return VACCEL_ENOMEM;
	mydata->count = count;
	memcpy(mydata->array, (const char *)buf + sizeof(count), count * sizeof(count));
	return VACCEL_OK;
}
