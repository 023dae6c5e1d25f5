/*
 * image.c - the five image operations.
 *
 * The wire has a method of its own for classification alone, and its answer has no image name: a
 * caller that wants one is served by Genop, as are the other four operations. An agent takes no
 * empty write argument; what the caller does not want goes to a scratch buffer.
 */
#include "image.pb-c.h"
#include "rpc.h"
#include <string.h>

/* What agents themselves give these texts. */
enum { SCRATCH_SIZE = 1024 };

/* At most size - 1 bytes, up to the first NUL, and a NUL. */
static void copy_text(unsigned char *to, size_t size, const uint8_t *text, size_t length)
{
	size_t count = length < size ? length : size - 1;

	count = count ? strnlen((const char *)text, count) : 0;
	if (count)
		memcpy(to, text, count);
	to[count] = '\0';
}

/* Text that came into the caller's own buffer ends within it, whatever the agent sent. */
static void end_text(const struct vaccel_arg *arg, size_t size)
{
	char *text = arg->buf;

	if (!memchr(text, '\0', arg->size))
		text[arg->size < size ? arg->size : size - 1] = '\0';
}

static int classify_for_tags(struct vaccel_session *sess, const void *img, size_t len_img,
			     unsigned char *out_text, size_t len_out_text)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	const Vaccel__Image__Response *response;
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret == VACCEL_OK)
		ret = rpc_check_size(session->conn, "ImageClassification", len_img);
	if (ret != VACCEL_OK)
		return ret;
	request.session_id = sess->remote_id;
	request.image.data = (uint8_t *)img;
	request.image.len = len_img;
	ret = rpc_call(session->conn, "ImageClassification", &request.base,
		       &vaccel__image__response__descriptor, &answer);
	if (ret != VACCEL_OK)
		return ret;
	response = (const Vaccel__Image__Response *)answer.response;
	if (out_text && len_out_text > 0)
		copy_text(out_text, len_out_text, response->tags.data, response->tags.len);
	ttrpc_answer_release(&answer);
	return VACCEL_OK;
}

struct text {
	unsigned char *buf;
	size_t size;
};

/* Operation `op` on an image by Genop, with one or two texts to write. */
static int image_genop(struct vaccel_session *sess, vaccel_op_type_t op, const void *img,
		       size_t len_img, const struct text *texts, size_t nr_texts)
{
	unsigned char scratch[SCRATCH_SIZE] = { 0 };
	const struct vaccel_arg image = rpc_arg(VACCEL_ARG_BUFFER, img, len_img);
	struct vaccel_arg write[2];
	int ret;

	if (!img)
		return rpc_fail(VACCEL_EINVAL, "no image was given");
	for (size_t i = 0; i < nr_texts; i++) {
		bool wanted = texts[i].buf && texts[i].size > 0;

		write[i] = rpc_arg(VACCEL_ARG_UCHAR_ARRAY, wanted ? texts[i].buf : scratch,
				   wanted ? texts[i].size : sizeof(scratch));
	}
	ret = rpc_genop(sess, &(struct rpc_genop){
				      .op = op,
				      .head = &image,
				      .nr_head = 1,
				      .write = write,
				      .nr_write = nr_texts,
			      });
	for (size_t i = 0; ret == VACCEL_OK && i < nr_texts; i++) {
		if (write[i].buf != scratch)
			end_text(&write[i], texts[i].size);
	}
	return ret;
}

int rpc_image_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		       unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		       size_t len_out_imgname)
{
	const struct text texts[] = { { out_imgname, len_out_imgname },
				      { out_text, len_out_text } };

	if (out_imgname && len_out_imgname > 0)
		return image_genop(sess, VACCEL_OP_IMAGE_CLASSIFY, img, len_img, texts, 2);
	if (!img)
		return rpc_fail(VACCEL_EINVAL, "no image was given");
	return classify_for_tags(sess, img, len_img, out_text, len_out_text);
}

int rpc_image_detect(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		     size_t len_img, size_t len_out_imgname)
{
	const struct text name = { out_imgname, len_out_imgname };

	return image_genop(sess, VACCEL_OP_IMAGE_DETECT, img, len_img, &name, 1);
}

int rpc_image_segment(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname)
{
	const struct text name = { out_imgname, len_out_imgname };

	return image_genop(sess, VACCEL_OP_IMAGE_SEGMENT, img, len_img, &name, 1);
}

int rpc_image_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		   size_t len_img, size_t len_out_imgname)
{
	const struct text name = { out_imgname, len_out_imgname };

	return image_genop(sess, VACCEL_OP_IMAGE_POSE, img, len_img, &name, 1);
}

int rpc_image_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		    size_t len_img, size_t len_out_imgname)
{
	const struct text name = { out_imgname, len_out_imgname };

	return image_genop(sess, VACCEL_OP_IMAGE_DEPTH, img, len_img, &name, 1);
}
