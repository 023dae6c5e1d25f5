/*
 * odd_plugin.c - a plugin whose shape is told by the environment when it is loaded: what it lacks,
 * what fails. It has no operation. ODD_SHAPE is words, as the constructor below reads them;
 * ODD_REGISTER and ODD_UNREGISTER are codes that those callbacks return.
 */
#include <stdbool.h>
#include <string.h>
#include <vaccel.h>

static bool is(const char *word)
{
	const char *shape = getenv("ODD_SHAPE"), *at = shape ? strstr(shape, word) : NULL;

	return at && (at == shape || at[-1] == ' ');
}

static int code_of(const char *variable)
{
	const char *code = getenv(variable);

	return code ? atoi(code) : VACCEL_OK;
}

static int init(void)
{
	return is("init-fails") ? VACCEL_ENODEV : VACCEL_OK;
}

static int fini(void)
{
	return VACCEL_OK;
}

static int session_init(struct vaccel_session *sess, uint32_t flags)
{
	(void)flags;
	sess->remote_id = 1;
	return is("session-init-fails") ? VACCEL_EBUSY : VACCEL_OK;
}

static int session_release(struct vaccel_session *sess)
{
	(void)sess;
	return is("session-release-fails") ? VACCEL_EIO : VACCEL_OK;
}

static int session_update(struct vaccel_session *sess, uint32_t flags)
{
	(void)sess;
	(void)flags;
	return VACCEL_OK;
}

static int resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	if (sess->is_virtio && !is("no-remote-id"))
		res->remote_id = 1;
	return code_of("ODD_REGISTER");
}

static int resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)res;
	(void)sess;
	return code_of("ODD_UNREGISTER");
}

static int resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	(void)res;
	(void)sess;
	return VACCEL_OK;
}

/* What vaccel_exec() calls here, with the exec plugin. */
__attribute__((visibility("default"))) int odd_function(struct vaccel_arg *read, size_t nr_read,
							struct vaccel_arg *write, size_t nr_write);
__attribute__((visibility("default"))) int odd_function_fails(struct vaccel_arg *read,
							      size_t nr_read,
							      struct vaccel_arg *write,
							      size_t nr_write);

int odd_function(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	(void)read;
	(void)nr_read;
	(void)write;
	(void)nr_write;
	return 0;
}

int odd_function_fails(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		       size_t nr_write)
{
	return 1 + odd_function(read, nr_read, write, nr_write);
}

VACCEL_PLUGIN(.name = "odd", .version = "1", .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_CPU, .init = init, .fini = fini, .session_init = session_init,
	      .session_release = session_release, .session_update = session_update,
	      .resource_register = resource_register, .resource_unregister = resource_unregister,
	      .resource_sync = resource_sync)

__attribute__((constructor)) static void take_shape(void)
{
	struct vaccel_plugin_info *info = vaccel_this_plugin.info;
	const char *shape = getenv("ODD_SHAPE"), *version;

	info->is_virtio = is("virtio");
	if (is("no-name"))
		info->name = NULL;
	if (is("no-version"))
		info->version = NULL;
	if (is("no-init"))
		info->init = NULL;
	if (is("no-fini"))
		info->fini = NULL;
	version = is("vaccel-version=") ? strchr(shape, '=') + 1 : VACCEL_VERSION;
	info->vaccel_version = is("no-vaccel-version") ? NULL : version;
	if (is("no-session-init"))
		info->session_init = NULL;
	if (is("no-session-release"))
		info->session_release = NULL;
	if (is("no-session-update"))
		info->session_update = NULL;
	if (is("no-resource-register"))
		info->resource_register = NULL;
	if (is("no-resource-unregister"))
		info->resource_unregister = NULL;
	if (is("no-resource-sync"))
		info->resource_sync = NULL;
}
