/*
 * exec.c - a plugin that calls functions of shared libraries, in this process and on the caller's
 * thread. The functions are somebody else's: README.md beside this file says what that means.
 */
#include "libraries.h"
#include "log.h"
#include "settings.h"
#include <dlfcn.h>
#include <inttypes.h>
#include <string.h>

/* What a library's function is. */
typedef int (*function)(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
			size_t nr_write);

/* What a function is called with. */
struct call {
	const char *symbol;
	struct vaccel_arg *read;
	size_t nr_read;
	struct vaccel_arg *write;
	size_t nr_write;
};

static bool call_valid(const struct call *call)
{
	return call->symbol && (call->read || !call->nr_read) && (call->write || !call->nr_write);
}

static void show_args(const char *name, const struct vaccel_arg *args, size_t count)
{
	char type[VACCEL_ENUM_STR_MAX];

	for (size_t i = 0; i < count; i++) {
		exec_debug("%s[%zu].size: %zu", name, i, args[i].size);
		vaccel_arg_type_name(args[i].type, type, sizeof(type));
		exec_debug("%s[%zu].type: %s", name, i, type);
	}
}

static int call_function(void *handle, const struct call *call)
{
	function fn;
	void *symbol;
	int ret;

	exec_debug("Symbol: %s", call->symbol);
	symbol = dlsym(handle, call->symbol);
	if (!symbol)
		return exec_fail(VACCEL_ENOSYS, "dlsym failed: %s", dlerror());
	show_args("read", call->read, call->nr_read);
	show_args("write", call->write, call->nr_write);
	memcpy(&fn, &symbol, sizeof(fn));
	ret = fn(call->read, call->nr_read, call->write, call->nr_write);
	if (ret)
		luaccel_set_error("exec: function %s returned %d", call->symbol, ret);
	return ret ? VACCEL_EBACKEND : VACCEL_OK;
}

static int exec_noop(struct vaccel_session *sess)
{
	if (!sess)
		return exec_fail(VACCEL_EINVAL, "Invalid session");
	exec_debug("session:%" PRId64 " Calling no-op", sess->id);
	exec_debug("[noop]");
	return VACCEL_OK;
}

/* The library stays open unless the settings say otherwise: opening it again is cheap then. */
static int exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const struct call call = { fn_symbol, read, nr_read, write, nr_write };
	void *handle;
	int ret;

	/* Without a name, dlopen() would give this program itself. */
	if (!sess || !library || !*library || !call_valid(&call))
		return exec_fail(VACCEL_EINVAL, "Invalid input arguments");
	exec_debug("session:%" PRId64 " Calling exec", sess->id);
	exec_debug("Library: %s", library);
	handle = dlopen(library, setting_dlopen_mode());
	if (!handle)
		return exec_fail(VACCEL_EINVAL, "dlopen failed: %s", dlerror());
	ret = call_function(handle, &call);
	if (setting_dlclose_enabled(false) && dlclose(handle) && !ret)
		return exec_fail(VACCEL_EINVAL, "dlclose failed: %s", dlerror());
	return ret;
}

static int exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
			      const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			      struct vaccel_arg *write, size_t nr_write)
{
	const struct call call = { fn_symbol, read, nr_read, write, nr_write };
	struct libraries *libraries;
	int ret;

	if (!sess || !resource || !call_valid(&call))
		return exec_fail(VACCEL_EINVAL, "Invalid input arguments");
	exec_debug("session:%" PRId64 " Calling exec_with_resource", sess->id);
	if (!resource->nr_blobs)
		return exec_fail(VACCEL_EINVAL, "No library provided");
	exec_debug("Number of libraries: %zu", resource->nr_blobs);
	ret = libraries_get(resource, &libraries);
	if (ret) {
		exec_error("Failed to load resource libraries");
		return ret;
	}
	ret = call_function(libraries_main(libraries), &call);
	libraries_put(libraries);
	return ret;
}

/* The core has counted this session out already; other sessions may go on with the libraries. */
static int resource_unregister(struct vaccel_resource *resource, struct vaccel_session *sess)
{
	(void)sess;
	if (resource->type != VACCEL_RESOURCE_LIB || vaccel_resource_refcount(resource) > 0)
		return VACCEL_OK;
	return libraries_forget(resource);
}

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, exec_noop),
	VACCEL_OP_INIT(exec, VACCEL_OP_EXEC, exec),
	VACCEL_OP_INIT(exec_with_resource, VACCEL_OP_EXEC_WITH_RESOURCE, exec_with_resource),
};

/*
 * The plugin itself stands any number of calls at once. The libraries were written for one at a
 * time in a session, so only no-op may run beside others.
 */
LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_NOOP));

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "exec", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_SOFTWARE | VACCEL_PLUGIN_GENERIC | VACCEL_PLUGIN_CPU,
	      .init = init, .fini = fini, .resource_unregister = resource_unregister)
