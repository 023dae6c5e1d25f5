/*
 * image.h - inference on one encoded image (JPEG, PNG).
 *
 * Each writes NUL-terminated text into the caller's buffers: out_imgname receives the name of an
 * output image, if the plugin makes one, and out_text the tags of a classification.
 */
#ifndef VACCEL_OPS_IMAGE_H
#define VACCEL_OPS_IMAGE_H

#include "vaccel/session.h"
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

int vaccel_image_classification(struct vaccel_session *sess, const void *img,
				unsigned char *out_text, unsigned char *out_imgname, size_t len_img,
				size_t len_out_text, size_t len_out_imgname);

int vaccel_image_detection(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			   size_t len_img, size_t len_out_imgname);

int vaccel_image_segmentation(struct vaccel_session *sess, const void *img,
			      unsigned char *out_imgname, size_t len_img, size_t len_out_imgname);

int vaccel_image_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname);

int vaccel_image_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		       size_t len_img, size_t len_out_imgname);

#ifdef __cplusplus
}
#endif

#endif
