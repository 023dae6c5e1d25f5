/*
 * tally_plugin.c - the plugins of the stress program: they tell tally.h of every session and
 * resource that they hear of, and operations answer with what they got. Any thread.
 *
 * One source, two plugins: TALLY_REMOTE makes the one that hears of sessions, as a transport does.
 * The other begins and ends a session with the first and last resource that is registered there.
 */
#include "tally.h"
#include <string.h>

static int use(const struct vaccel_session *sess)
{
	tally_use(TALLY_SESSION, sess->id, sess);
	return VACCEL_OK;
}

static int tally_noop(struct vaccel_session *sess)
{
	return use(sess);
}

static int tally_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			  unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			  size_t len_out_imgname)
{
	if (len_img > len_out_text || (out_imgname && len_img > len_out_imgname))
		return VACCEL_EINVAL;
	memcpy(out_text, img, len_img);
	if (out_imgname)
		memcpy(out_imgname, img, len_img);
	return use(sess);
}

static int on_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	tally_begin(TALLY_RESOURCE, res->id, res);
	tally_begin(TALLY_SESSION, sess->id, sess);
#ifdef TALLY_REMOTE
	/* A resource that is shared got it before it was. */
	if (!res->remote_id)
		res->remote_id = res->id;
#endif
	return VACCEL_OK;
}

static int on_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	tally_end(TALLY_RESOURCE, res->id, res);
	tally_end(TALLY_SESSION, sess->id, sess);
	return VACCEL_OK;
}

#ifdef TALLY_REMOTE

static int on_session_init(struct vaccel_session *sess, uint32_t flags)
{
	(void)flags;
	tally_begin(TALLY_SESSION, sess->id, sess);
	sess->remote_id = sess->id;
	return VACCEL_OK;
}

static int on_session_release(struct vaccel_session *sess)
{
	tally_end(TALLY_SESSION, sess->id, sess);
	return VACCEL_OK;
}

#endif

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(ops[0], VACCEL_OP_NOOP, tally_noop),
	VACCEL_OP_INIT(ops[1], VACCEL_OP_IMAGE_CLASSIFY, tally_classify),
};

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.version = "1", .vaccel_version = VACCEL_VERSION, .init = init, .fini = fini,
	      .resource_register = on_register, .resource_unregister = on_unregister,
#ifdef TALLY_REMOTE
	      .name = "tally-remote", .type = VACCEL_PLUGIN_REMOTE, .is_virtio = true,
	      .session_init = on_session_init, .session_release = on_session_release
#else
	      .name = "tally", .type = VACCEL_PLUGIN_CPU
#endif
)
