/*
 * arg.c - one typed argument. Any thread, one at a time for each argument.
 */
#include "last_error.h"
#include <stdlib.h>
#include <string.h>

static int init_copy(struct vaccel_arg *arg, const void *buf, size_t size, vaccel_arg_type_t type,
		     uint32_t custom_id)
{
	void *copy = NULL;

	if (!arg || (buf && !size))
		return VACCEL_EINVAL;
	if (size) {
		copy = buf ? malloc(size) : calloc(1, size);
		if (!copy)
			return VACCEL_ENOMEM;
	}
	if (buf)
		memcpy(copy, buf, size);
	*arg = (struct vaccel_arg){
		.buf = copy, .size = size, .type = type, .custom_type_id = custom_id, .owned = true
	};
	return VACCEL_OK;
}

static int init_wrap(struct vaccel_arg *arg, void *buf, size_t size, vaccel_arg_type_t type,
		     uint32_t custom_id)
{
	if (!arg || !buf != !size)
		return VACCEL_EINVAL;
	*arg = (struct vaccel_arg){
		.buf = buf, .size = size, .type = type, .custom_type_id = custom_id, .owned = false
	};
	return VACCEL_OK;
}

int vaccel_arg_init(struct vaccel_arg *arg, const void *buf, size_t size, vaccel_arg_type_t type,
		    uint32_t custom_id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init_copy(arg, buf, size, type, custom_id));
}

int vaccel_arg_init_from_buf(struct vaccel_arg *arg, void *buf, size_t size, vaccel_arg_type_t type,
			     uint32_t custom_id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init_wrap(arg, buf, size, type, custom_id));
}

int vaccel_arg_release(struct vaccel_arg *arg)
{
	const unsigned mark = error_mark();

	if (!arg)
		return error_settle(mark, VACCEL_EINVAL);
	if (arg->owned)
		free(arg->buf);
	*arg = (struct vaccel_arg){ .type = VACCEL_ARG_MAX };
	return VACCEL_OK;
}

/* Hand `filled` out in new memory, or give it back when there is none. */
static int publish(struct vaccel_arg **arg, struct vaccel_arg *filled)
{
	struct vaccel_arg *created = malloc(sizeof(*created));

	if (!created) {
		vaccel_arg_release(filled);
		return VACCEL_ENOMEM;
	}
	*created = *filled;
	*arg = created;
	return VACCEL_OK;
}

int vaccel_arg_new(struct vaccel_arg **arg, const void *buf, size_t size, vaccel_arg_type_t type,
		   uint32_t custom_id)
{
	const unsigned mark = error_mark();
	struct vaccel_arg filled;
	int ret = VACCEL_EINVAL;

	if (arg)
		ret = init_copy(&filled, buf, size, type, custom_id);
	if (!ret)
		ret = publish(arg, &filled);
	return error_settle(mark, ret);
}

int vaccel_arg_from_buf(struct vaccel_arg **arg, void *buf, size_t size, vaccel_arg_type_t type,
			uint32_t custom_id)
{
	const unsigned mark = error_mark();
	struct vaccel_arg filled;
	int ret = VACCEL_EINVAL;

	if (arg)
		ret = init_wrap(&filled, buf, size, type, custom_id);
	if (!ret)
		ret = publish(arg, &filled);
	return error_settle(mark, ret);
}

int vaccel_arg_delete(struct vaccel_arg *arg)
{
	const int ret = vaccel_arg_release(arg);

	if (!ret)
		free(arg);
	return ret;
}
