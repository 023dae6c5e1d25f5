/*
 * image.c - inference on an image that is not looked at. Any thread.
 */
#include "noop.h"

/* The file of the session's first model, if it has one. */
static const char *model_path(struct vaccel_session *sess)
{
	struct vaccel_resource *model;

	if (vaccel_session_resource_by_type(sess, &model, VACCEL_RESOURCE_MODEL) ||
	    !model->nr_blobs || !model->blobs[0]->path)
		return "(null)";
	return model->blobs[0]->path;
}

static int begin(const char *name, struct vaccel_session *sess, const void *img, size_t len_img)
{
	if (!sess || !img)
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling Image %s for session %" PRId64, name, sess->id);
	noop_debug("Dumping arguments for Image %s:", name);
	noop_debug("model: %s", model_path(sess));
	noop_debug("len_img: %zu", len_img);
	return VACCEL_OK;
}

static void answer(unsigned char *out, size_t len, const char *text)
{
	if (!out)
		return;
	noop_debug("will return a dummy result");
	snprintf((char *)out, len, "%s", text);
}

static void show_imgname_length(size_t len_out_imgname)
{
	if (len_out_imgname)
		noop_debug("len_out_imgname: %zu", len_out_imgname);
}

static void answer_imgname(unsigned char *out_imgname, size_t len_out_imgname)
{
	answer(out_imgname, len_out_imgname, "This is a dummy imgname!");
}

int noop_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		  unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		  size_t len_out_imgname)
{
	const int ret = begin("classification", sess, img, len_img);

	if (ret)
		return ret;
	noop_debug("len_out_text: %zu", len_out_text);
	show_imgname_length(len_out_imgname);
	answer(out_text, len_out_text, "This is a dummy classification tag!");
	answer_imgname(out_imgname, len_out_imgname);
	return VACCEL_OK;
}

/* The operations that give an image alone; name is as the log shows it. */
static int make_image(const char *name, struct vaccel_session *sess, const void *img,
		      unsigned char *out_imgname, size_t len_img, size_t len_out_imgname)
{
	const int ret = begin(name, sess, img, len_img);

	if (ret)
		return ret;
	show_imgname_length(len_out_imgname);
	answer_imgname(out_imgname, len_out_imgname);
	return VACCEL_OK;
}

int noop_detect(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		size_t len_img, size_t len_out_imgname)
{
	return make_image("detection", sess, img, out_imgname, len_img, len_out_imgname);
}

int noop_segment(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		 size_t len_img, size_t len_out_imgname)
{
	return make_image("segmentation", sess, img, out_imgname, len_img, len_out_imgname);
}

int noop_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
	      size_t len_img, size_t len_out_imgname)
{
	return make_image("pose", sess, img, out_imgname, len_img, len_out_imgname);
}

int noop_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
	       size_t len_img, size_t len_out_imgname)
{
	return make_image("depth", sess, img, out_imgname, len_img, len_out_imgname);
}
