/*
 * tf_data.c - nodes and status of tf.h. Each owns its text. Any thread, one at a time for each.
 */
#include "last_error.h"
#include <stdlib.h>
#include <string.h>

static int fill_node(struct vaccel_tf_node *node, const char *name, int id)
{
	char *copy;

	if (!node || !name)
		return VACCEL_EINVAL;
	copy = strdup(name);
	if (!copy)
		return VACCEL_ENOMEM;
	*node = (struct vaccel_tf_node){ .name = copy, .id = id };
	return VACCEL_OK;
}

static int fill_status(struct vaccel_tf_status *status, uint8_t code, const char *message)
{
	char *copy;

	if (!status || !message)
		return VACCEL_EINVAL;
	copy = strdup(message);
	if (!copy)
		return VACCEL_ENOMEM;
	*status = (struct vaccel_tf_status){ .code = code, .message = copy };
	return VACCEL_OK;
}

int vaccel_tf_node_init(struct vaccel_tf_node *node, const char *name, int id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, fill_node(node, name, id));
}

int vaccel_tf_node_release(struct vaccel_tf_node *node)
{
	const unsigned mark = error_mark();

	if (!node)
		return error_settle(mark, VACCEL_EINVAL);
	free(node->name);
	*node = (struct vaccel_tf_node){ .id = -1 };
	return VACCEL_OK;
}

int vaccel_tf_node_new(struct vaccel_tf_node **node, const char *name, int id)
{
	const unsigned mark = error_mark();
	struct vaccel_tf_node *made;
	int ret;

	if (!node)
		return error_settle(mark, VACCEL_EINVAL);
	made = malloc(sizeof(*made));
	ret = made ? fill_node(made, name, id) : VACCEL_ENOMEM;
	if (ret)
		free(made);
	else
		*node = made;
	return error_settle(mark, ret);
}

int vaccel_tf_node_delete(struct vaccel_tf_node *node)
{
	const int ret = vaccel_tf_node_release(node);

	if (!ret)
		free(node);
	return ret;
}

int vaccel_tf_status_init(struct vaccel_tf_status *status, uint8_t code, const char *message)
{
	const unsigned mark = error_mark();

	return error_settle(mark, fill_status(status, code, message));
}

int vaccel_tf_status_release(struct vaccel_tf_status *status)
{
	const unsigned mark = error_mark();

	if (!status)
		return error_settle(mark, VACCEL_EINVAL);
	free(status->message);
	*status = (struct vaccel_tf_status){ .code = 0 };
	return VACCEL_OK;
}

int vaccel_tf_status_new(struct vaccel_tf_status **status, uint8_t code, const char *message)
{
	const unsigned mark = error_mark();
	struct vaccel_tf_status *made;
	int ret;

	if (!status)
		return error_settle(mark, VACCEL_EINVAL);
	made = malloc(sizeof(*made));
	ret = made ? fill_status(made, code, message) : VACCEL_ENOMEM;
	if (ret)
		free(made);
	else
		*status = made;
	return error_settle(mark, ret);
}

int vaccel_tf_status_delete(struct vaccel_tf_status *status)
{
	const int ret = vaccel_tf_status_release(status);

	if (!ret)
		free(status);
	return ret;
}
