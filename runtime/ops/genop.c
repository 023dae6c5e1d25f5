/*
 * genop.c - operations through typed arguments: counts and types are checked here, then the
 * operation's own function is called. Any thread.
 */
#include "dispatch.h"

static int check_count(vaccel_op_type_t type, const char *kind, int count, int expected)
{
	char name[VACCEL_ENUM_STR_MAX];

	if (count == expected)
		return VACCEL_OK;
	return fail(VACCEL_EINVAL, "Wrong number of %s arguments for %s: %d (expected %d)", kind,
		    vaccel_op_type_name(type, name, sizeof(name)), count, expected);
}

static int check_arg(vaccel_op_type_t op, const char *what, const struct vaccel_arg *arg,
		     vaccel_arg_type_t type)
{
	char name[VACCEL_ENUM_STR_MAX];

	if (arg->type == type && arg->buf && arg->size)
		return VACCEL_OK;
	return fail(VACCEL_EINVAL, "Failed to unpack %s arg for %s: it must be a non-empty %s",
		    what, vaccel_op_type_name(op, name, sizeof(name)),
		    vaccel_arg_type_to_str(type));
}

/* read: the image; write: its name, and for a classification the text after it. */
static int check_image(vaccel_op_type_t type, const struct vaccel_arg *read, int nr_read,
		       const struct vaccel_arg *write, int nr_write)
{
	const int expected = type == VACCEL_OP_IMAGE_CLASSIFY ? 2 : 1;
	int ret = check_count(type, "read", nr_read, 1);

	if (!ret)
		ret = check_count(type, "write", nr_write, expected);
	if (!ret && !write)
		ret = VACCEL_EINVAL;
	if (!ret)
		ret = check_arg(type, "img", &read[0], VACCEL_ARG_BUFFER);
	if (!ret)
		ret = check_arg(type, "out_imgname", &write[0], VACCEL_ARG_UCHAR_ARRAY);
	if (!ret && expected == 2)
		ret = check_arg(type, "out_text", &write[1], VACCEL_ARG_UCHAR_ARRAY);
	return ret;
}

static int run_image(vaccel_op_type_t type, struct vaccel_session *sess,
		     const struct vaccel_arg *read, int nr_read, const struct vaccel_arg *write,
		     int nr_write)
{
	const int ret = check_image(type, read, nr_read, write, nr_write);

	if (ret)
		return ret;
	switch (type) {
	case VACCEL_OP_IMAGE_CLASSIFY:
		return vaccel_image_classification(sess, read[0].buf, write[1].buf, write[0].buf,
						   read[0].size, write[1].size, write[0].size);
	case VACCEL_OP_IMAGE_DETECT:
		return vaccel_image_detection(sess, read[0].buf, write[0].buf, read[0].size,
					      write[0].size);
	case VACCEL_OP_IMAGE_SEGMENT:
		return vaccel_image_segmentation(sess, read[0].buf, write[0].buf, read[0].size,
						 write[0].size);
	case VACCEL_OP_IMAGE_POSE:
		return vaccel_image_pose(sess, read[0].buf, write[0].buf, read[0].size,
					 write[0].size);
	default:
		return vaccel_image_depth(sess, read[0].buf, write[0].buf, read[0].size,
					  write[0].size);
	}
}

static int run(struct vaccel_session *sess, const struct vaccel_arg *read, int nr_read,
	       const struct vaccel_arg *write, int nr_write)
{
	const uint8_t *number;
	vaccel_op_type_t type;

	if (nr_read < 1 || !read)
		return fail(VACCEL_EINVAL, "Missing operation type");
	if (read[0].type != VACCEL_ARG_UINT8 || read[0].size != sizeof(uint8_t) || !read[0].buf)
		return fail(VACCEL_EINVAL, "Failed to unpack operation type for genop: it must be "
					   "a VACCEL_ARG_UINT8");
	number = read[0].buf;
	type = (vaccel_op_type_t)*number;
	if (type == VACCEL_OP_NOOP || type >= VACCEL_OP_MAX)
		return fail(VACCEL_EINVAL, "Invalid operation type %d", (int)type);
	if (type < VACCEL_OP_IMAGE_CLASSIFY || type > VACCEL_OP_IMAGE_DEPTH)
		return fail(VACCEL_ENOTSUP, "Operation not implemented for %s",
			    vaccel_op_type_to_str(type));
	return run_image(type, sess, &read[1], nr_read - 1, write, nr_write);
}

int vaccel_genop(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		 struct vaccel_arg *write, int nr_write)
{
	const unsigned mark = error_mark();

	return error_settle(mark, run(sess, read, nr_read, write, nr_write));
}
