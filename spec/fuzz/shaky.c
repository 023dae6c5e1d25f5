/*
 * shaky.c - a plugin for the fuzz target agent: it says no in every way that moves a session on to
 * the next backend, and knows few operations, none of which may overlap with another.
 *
 * Sessions whose hint has bit 15 are refused, resources of type DATA too, and models whose first
 * byte is '!' do not load. Stateless.
 */
#include "luaccel.h"
#include "vaccel.h"

#include <stdint.h>
#include <string.h>

static int shaky_session(struct vaccel_session *sess, uint32_t flags)
{
	(void)sess;
	return flags & 0x8000 ? VACCEL_EBUSY : VACCEL_OK;
}

static int shaky_release(struct vaccel_session *sess)
{
	(void)sess;
	return VACCEL_OK;
}

static int shaky_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)sess;
	if (res->type == VACCEL_RESOURCE_DATA) {
		luaccel_set_error("shaky takes no data");
		return VACCEL_ENOTSUP;
	}
	res->remote_id = res->id;
	return VACCEL_OK;
}

static int shaky_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)res;
	(void)sess;
	return VACCEL_OK;
}

static int shaky_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			  unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			  size_t len_out_imgname)
{
	(void)sess;
	if (len_img == 0)
		return VACCEL_EINVAL;
	if (out_text)
		memset(out_text, *(const unsigned char *)img, len_out_text);
	if (out_imgname)
		memset(out_imgname, 0, len_out_imgname);
	return VACCEL_OK;
}

static int shaky_torch_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	size_t size = 0;
	const uint8_t *data = model->nr_blobs ? vaccel_blob_data(model->blobs[0], &size) : NULL;

	(void)sess;
	return data && size > 0 && data[0] == '!' ? VACCEL_EINVAL : VACCEL_OK;
}

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(ops[0], VACCEL_OP_IMAGE_CLASSIFY, shaky_classify),
	VACCEL_OP_INIT(ops[1], VACCEL_OP_TORCH_MODEL_LOAD, shaky_torch_load),
};

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "shaky", .version = "1", .vaccel_version = VACCEL_VERSION, .init = init,
	      .fini = fini, .type = VACCEL_PLUGIN_DEBUG, .is_virtio = true,
	      .session_init = shaky_session, .session_release = shaky_release,
	      .resource_register = shaky_register, .resource_unregister = shaky_unregister)
