/*
 * image.c - inference on one image. The plugin fills the caller's buffers. Any thread.
 */
#include "dispatch.h"

typedef int (*classify_fn)(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			   unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			   size_t len_out_imgname);
typedef int (*image_fn)(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname);

int vaccel_image_classification(struct vaccel_session *sess, const void *img,
				unsigned char *out_text, unsigned char *out_imgname, size_t len_img,
				size_t len_out_text, size_t len_out_imgname)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_IMAGE_CLASSIFY, len_img);
	const classify_fn classify = (classify_fn)call.func;

	return op_end(&call, likely(classify) ? classify(sess, img, out_text, out_imgname, len_img,
							 len_out_text, len_out_imgname)
					      : call.code);
}

/* The other four differ in their number alone. */
static int run_image(vaccel_op_type_t type, struct vaccel_session *sess, const void *img,
		     unsigned char *out_imgname, size_t len_img, size_t len_out_imgname)
{
	const struct op_call call = op_begin(sess, type, len_img);
	const image_fn run = (image_fn)call.func;

	return op_end(&call, likely(run) ? run(sess, img, out_imgname, len_img, len_out_imgname)
					 : call.code);
}

int vaccel_image_detection(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			   size_t len_img, size_t len_out_imgname)
{
	return run_image(VACCEL_OP_IMAGE_DETECT, sess, img, out_imgname, len_img, len_out_imgname);
}

int vaccel_image_segmentation(struct vaccel_session *sess, const void *img,
			      unsigned char *out_imgname, size_t len_img, size_t len_out_imgname)
{
	return run_image(VACCEL_OP_IMAGE_SEGMENT, sess, img, out_imgname, len_img, len_out_imgname);
}

int vaccel_image_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname)
{
	return run_image(VACCEL_OP_IMAGE_POSE, sess, img, out_imgname, len_img, len_out_imgname);
}

int vaccel_image_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		       size_t len_img, size_t len_out_imgname)
{
	return run_image(VACCEL_OP_IMAGE_DEPTH, sess, img, out_imgname, len_img, len_out_imgname);
}
