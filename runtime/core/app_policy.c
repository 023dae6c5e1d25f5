/*
 * app_policy.c - see app_policy.h.
 */
#include "app_policy.h"
#include "last_error.h"
#include "library.h"
#include "logging.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

#define VARIABLE   "VACCEL_POLICY"
#define OWN_POLICY "luaccel_own_policy"

/*
 * Its calls of Lua must not find a Lua that the program has: they would be made there. Sanitizers
 * do not work with that, and their programs have none.
 */
#ifdef LUACCEL_SANITIZED
enum { MODULE_FLAGS = RTLD_NOW | RTLD_LOCAL };
#else
enum { MODULE_FLAGS = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND };
#endif

enum { WHY_MAX = 1024 };

atomic_bool app_policy_loaded;

/* Set once, by the first bootstrap that needs it; the module stays. */
static _Atomic(const struct luaccel_policy *) module;

static int load_module(void)
{
	void *handle = library_beside_us(LUACCEL_POLICY_FILE, MODULE_FLAGS);
	const struct luaccel_policy *found = handle ? dlsym(handle, LUACCEL_POLICY_SYMBOL) : NULL;
	const char *words = found ? NULL : dlerror();

	if (found && found->version == LUACCEL_POLICY_VERSION) {
		atomic_store(&module, found);
		return VACCEL_OK;
	}
	return fail(VACCEL_ENOENT,
		    VARIABLE " is set, and " LUACCEL_POLICY_FILE
			     " cannot be loaded: %s; install it "
			     "beside libvaccel.so, or unset " VARIABLE,
		    words ? words : "it does not fit this libvaccel.so");
}

/* The engine's lines: what scripts print, and hooks that fail. */
static void log_line(void *ctx, const char *line)
{
	(void)ctx;
	log_warn("%s", line);
}

int app_policy_start(void)
{
	const char *scripts = getenv(VARIABLE);
	char why[WHY_MAX];
	int ret = VACCEL_OK;

	if (!scripts || !*scripts || dlsym(RTLD_DEFAULT, OWN_POLICY))
		return VACCEL_OK;
	if (!atomic_load(&module))
		ret = load_module();
	if (ret)
		return ret;
	ret = atomic_load(&module)->open(luaccel_core(LUACCEL_CORE_VERSION), scripts, log_line, why,
					 sizeof(why));
	if (ret)
		return fail(ret, VARIABLE ": %s", why);
	log_info("Loaded policy %s", scripts);
	atomic_store(&app_policy_loaded, true);
	return VACCEL_OK;
}

void app_policy_stop(void)
{
	if (atomic_exchange(&app_policy_loaded, false))
		atomic_load(&module)->close();
}

void app_policy_abandon(void)
{
	atomic_store(&app_policy_loaded, false);
}

int app_policy_route(struct session_record *record, uint32_t hint, struct policy_route *route)
{
	char why[WHY_MAX] = "";
	int ret = atomic_load(&module)->route(record->session->id, hint, &record->policy, route,
					      why, sizeof(why));

	if (ret)
		return fail(ret, "%s", why);
	record->routed = route->count > 0;
	return VACCEL_OK;
}

void app_policy_entered(struct session_record *record, const char *uri)
{
	const struct policy_place place = { record->session->plugin, uri };

	atomic_load(&module)->entered(record->policy, &place);
}

void app_policy_leave(struct session_record *record)
{
	if (record->policy)
		atomic_load(&module)->leave(record->policy);
	record->policy = NULL;
}

static const char *path_at(const void *of, size_t i)
{
	const struct vaccel_resource *res = of;

	return res->paths[i];
}

static const char *blob_at(const void *of, size_t i)
{
	const struct vaccel_resource *res = of;

	return res->blobs[i]->name;
}

/* Blobs of paths are made by the first registration, by whichever thread that is. */
int app_policy_resource(const struct session_record *record, const struct vaccel_resource *res)
{
	char name[VACCEL_ENUM_STR_MAX], why[WHY_MAX] = "";
	struct policy_resource resource = {
		.id = res->id,
		.type = vaccel_resource_type_name(res->type, name, sizeof(name)),
		.bytes = res->nr_paths ? SIZE_MAX : 0,
		.nr_names = res->nr_paths ? res->nr_paths : res->nr_blobs,
		.name = res->nr_paths ? path_at : blob_at,
		.of = res,
	};
	int ret;

	for (size_t i = 0; !res->nr_paths && i < res->nr_blobs; i++)
		resource.bytes += res->blobs[i]->size;
	if (!record->policy)
		return VACCEL_OK;
	ret = atomic_load(&module)->take(record->policy, &resource, why, sizeof(why));
	return ret ? fail(ret, "%s", why) : VACCEL_OK;
}

/* What scripts see of an operation. An application's have no numbers of their own. */
static struct policy_op describe(vaccel_op_type_t type, size_t bytes_in, char *name, size_t size)
{
	return (struct policy_op){
		.name = vaccel_op_type_name(type, name, size),
		.bytes_in = bytes_in,
	};
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct app_policy_call {
	struct policy_view *view;
	vaccel_op_type_t type;
	size_t bytes_in;
	uint64_t came_us, began_us; /* it began when it was admitted */
};

struct app_policy_call *app_policy_begin(const struct vaccel_session *sess, vaccel_op_type_t type,
					 size_t bytes_in, int *code)
{
	const struct session_record *record = registry_session(sess);
	char name[VACCEL_ENUM_STR_MAX], why[WHY_MAX] = "";
	const struct policy_op op = describe(type, bytes_in, name, sizeof(name));
	struct app_policy_call *call;
	uint64_t came_us;

	*code = VACCEL_OK;
	if (!record || !record->policy)
		return NULL;
	came_us = now_us();
	call = malloc(sizeof(*call));
	*code = call ? atomic_load(&module)->admit(record->policy, &op, why, sizeof(why))
		     : VACCEL_ENOMEM;
	if (*code) {
		fail(*code, "%s", call ? why : "out of memory for the policy's view");
		free(call);
		return NULL;
	}
	*call = (struct app_policy_call){ record->policy, type, bytes_in, came_us, now_us() };
	return call;
}

void app_policy_end(struct app_policy_call *call, int code)
{
	char name[VACCEL_ENUM_STR_MAX];
	const struct policy_op op = describe(call->type, call->bytes_in, name, sizeof(name));
	const struct policy_result result = {
		.code = code,
		.queue_us = call->began_us - call->came_us,
		.service_us = now_us() - call->began_us,
		.bytes_out = SIZE_MAX,
	};

	atomic_load(&module)->done(call->view, &op, &result);
	free(call);
}

void app_policy_lock(void)
{
	if (atomic_load(&module))
		atomic_load(&module)->lock();
}

void app_policy_unlock(void)
{
	if (atomic_load(&module))
		atomic_load(&module)->unlock();
}

void app_policy_unlock_in_child(void)
{
	if (atomic_load(&module))
		atomic_load(&module)->unlock_in_child();
}
