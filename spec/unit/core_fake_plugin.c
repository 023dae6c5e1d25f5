/*
 * core_fake_plugin.c - the plugins that the core's tests load: local, remote, and broken in
 * various ways, as the definitions say. They count what is called.
 */
#include "core_fake_ops.h"
#include <luaccel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_NO_PLUGIN

#ifndef FAKE_VERSION
#define FAKE_VERSION VACCEL_VERSION
#endif

__attribute__((visibility("default"))) struct fake fake;

#ifdef FAKE_OPS
static int register_ops(void)
{
	return vaccel_plugin_register_ops(fake_ops, VACCEL_OP_MAX);
}
#else
static int fake_noop(struct vaccel_session *sess)
{
	(void)sess;
	return VACCEL_OK;
}

static struct vaccel_op ops[] = { VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, fake_noop) };

static int register_ops(void)
{
	return vaccel_plugin_register_ops(ops, 1);
}
#endif

static int init(void)
{
	fake = (struct fake){ .inits = fake.inits + 1, .finis = fake.finis };
	if (register_ops())
		return VACCEL_EINVAL;
#ifdef FAKE_BROKEN
	luaccel_set_error("no device /dev/fake; plug one in");
	return VACCEL_ENODEV;
#else
	return VACCEL_OK;
#endif
}

static int fini(void)
{
	fake.finis++;
	if (getenv("FAKE_REPORT"))
		printf("fini %d after %d releases\n", fake.finis, fake.session_releases);
	return VACCEL_OK;
}

static int resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	fake.registers++;
	if (res->nr_blobs) {
		fake.data = res->blobs[0]->data;
		fake.data_mapped = res->blobs[0]->type == VACCEL_BLOB_MAPPED;
	}
	if (sess->is_virtio && !fake.register_ret)
		res->remote_id = 700 + fake.registers;
	return fake.register_ret;
}

static int resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)res;
	(void)sess;
	fake.unregisters++;
	return fake.unregister_ret;
}

#ifdef FAKE_VIRTIO
static int session_init(struct vaccel_session *sess, uint32_t flags)
{
	fake.session_inits++;
	fake.flags = flags;
	if (!fake.session_init_ret)
		sess->remote_id = 500 + fake.session_inits;
	return fake.session_init_ret;
}

static int session_release(struct vaccel_session *sess)
{
	(void)sess;
	fake.session_releases++;
	return VACCEL_OK;
}

static int session_update(struct vaccel_session *sess, uint32_t flags)
{
	(void)sess;
	fake.session_updates++;
	fake.flags = flags;
	return VACCEL_OK;
}

static int resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)sess;
	fake.syncs++;
	memset(res->blobs[0]->data, 'S', res->blobs[0]->size);
	return VACCEL_OK;
}
#else
__attribute__((visibility("default"))) int luaccel_plugin_configure(const char *key,
								    const char *value)
{
	if (strcmp(key, "threads") == 0)
		return atoi(value) > 0 ? VACCEL_OK : VACCEL_EINVAL;
	luaccel_set_error("option %s is unknown; threads is known", key);
	return VACCEL_EINVAL;
}
#endif

VACCEL_PLUGIN(
#ifndef FAKE_NAMELESS
		.name = "fake-" FAKE_NAME,
#endif
		.version = "1.2", .vaccel_version = FAKE_VERSION, .type = FAKE_TYPE, .init = init,
		.fini = fini, .resource_register = resource_register,
		.resource_unregister = resource_unregister,
#ifdef FAKE_VIRTIO
		.is_virtio = true, .session_init = session_init, .session_release = session_release,
		.session_update = session_update, .resource_sync = resource_sync,
#endif
)

#endif
