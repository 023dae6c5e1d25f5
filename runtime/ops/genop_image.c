/*
 * genop_image.c - generic inference on an image. To read: the image; to write: an image's name, and
 * for a classification the text after it. Any thread.
 */
#include "genop_args.h"

int genop_image(const struct genop *op)
{
	const bool text = op->type == VACCEL_OP_IMAGE_CLASSIFY;
	const struct vaccel_arg *img = op->read, *out = op->write;
	int ret = genop_check_counts(op, 1, text ? 2 : 1);

	if (!ret)
		ret = genop_check_type(op, "img", img, VACCEL_ARG_BUFFER);
	if (!ret)
		ret = genop_check_type(op, "out_imgname", &out[0], VACCEL_ARG_UCHAR_ARRAY);
	if (!ret && text)
		ret = genop_check_type(op, "out_text", &out[1], VACCEL_ARG_UCHAR_ARRAY);
	if (ret)
		return ret;
	switch (op->type) {
	case VACCEL_OP_IMAGE_CLASSIFY:
		return vaccel_image_classification(op->sess, img->buf, out[1].buf, out[0].buf,
						   img->size, out[1].size, out[0].size);
	case VACCEL_OP_IMAGE_DETECT:
		return vaccel_image_detection(op->sess, img->buf, out->buf, img->size, out->size);
	case VACCEL_OP_IMAGE_SEGMENT:
		return vaccel_image_segmentation(op->sess, img->buf, out->buf, img->size,
						 out->size);
	case VACCEL_OP_IMAGE_POSE:
		return vaccel_image_pose(op->sess, img->buf, out->buf, img->size, out->size);
	default:
		return vaccel_image_depth(op->sess, img->buf, out->buf, img->size, out->size);
	}
}
