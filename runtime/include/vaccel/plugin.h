/*
 * plugin.h - what a plugin is made of, and how one is loaded.
 *
 * A plugin is a shared library with one VACCEL_PLUGIN() and an init function that registers its
 * operations.
 */
#ifndef VACCEL_PLUGIN_H
#define VACCEL_PLUGIN_H

#include "list.h"
#include "op.h"
#include "resource.h"
#include "session.h"
#include "utils/enum.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits that say what a plugin is; a session's flags ask for them. */
#define VACCEL_PLUGIN_TYPE_ENUM_LIST(ITEM)                                                         \
	ITEM(CPU, 0x0001, VACCEL_PLUGIN)                                                           \
	ITEM(GPU, 0x0002, VACCEL_PLUGIN)                                                           \
	ITEM(FPGA, 0x0004, VACCEL_PLUGIN)                                                          \
	ITEM(SOFTWARE, 0x0008, VACCEL_PLUGIN)                                                      \
	ITEM(TENSORFLOW, 0x0010, VACCEL_PLUGIN)                                                    \
	ITEM(TORCH, 0x0020, VACCEL_PLUGIN)                                                         \
	ITEM(JETSON, 0x0040, VACCEL_PLUGIN)                                                        \
	ITEM(GENERIC, 0x0080, VACCEL_PLUGIN)                                                       \
	ITEM(DEBUG, 0x0100, VACCEL_PLUGIN)                                                         \
	ITEM(REMOTE, 0x4000, VACCEL_PLUGIN)                                                        \
	ITEM(ALL, 0xffff, VACCEL_PLUGIN)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_plugin_type, VACCEL_PLUGIN, VACCEL_PLUGIN_TYPE_ENUM_LIST)

struct vaccel_plugin_info {
	/* its name; required */
	const char *name;

	/* its version, for people; required */
	const char *version;

	/* VACCEL_VERSION that it was compiled with; required unless versions are ignored */
	const char *vaccel_version;

	/* called once when it is loaded; required */
	int (*init)(void);

	/* called once before it is unloaded; required */
	int (*fini)(void);

	/* true if it carries sessions to another side; it needs the functions below then */
	bool is_virtio;

	/* an OR of vaccel_plugin_type_t */
	vaccel_plugin_type_t type;

	/* sessions of a remote plugin; session_init sets sess->remote_id */
	int (*session_init)(struct vaccel_session *sess, uint32_t flags);
	int (*session_release)(struct vaccel_session *sess);
	int (*session_update)(struct vaccel_session *sess, uint32_t flags);

	/* resources; for a remote plugin resource_register sets res->remote_id */
	int (*resource_register)(struct vaccel_resource *res, struct vaccel_session *sess);
	int (*resource_unregister)(struct vaccel_resource *res, struct vaccel_session *sess);
	int (*resource_sync)(struct vaccel_resource *res, struct vaccel_session *sess);
};

struct vaccel_plugin {
	/* what dlopen gave */
	void *dl_handle;

	/* link of the library's list of plugins */
	struct vaccel_list_entry entry;

	/* its operations, by type; NULL where it has none */
	struct vaccel_op *ops[VACCEL_OP_MAX];

	/* what it says of itself */
	struct vaccel_plugin_info *info;
};

/*
 * Define the plugin of this library; the arguments are designated initialisers of struct
 * vaccel_plugin_info. C only.
 */
#define VACCEL_PLUGIN(...)                                                                         \
	static struct vaccel_plugin_info _vaccel_plugin_info = { __VA_ARGS__ };                    \
	__attribute__((visibility("hidden"))) struct vaccel_plugin vaccel_this_plugin = {          \
		.dl_handle = NULL,                                                                 \
		.entry = LIST_ENTRY_INIT(vaccel_this_plugin.entry),                                \
		.ops = { NULL },                                                                   \
		.info = &_vaccel_plugin_info,                                                      \
	};                                                                                         \
	__attribute__((visibility("default"))) const struct vaccel_plugin *vaccel_plugin =         \
		&vaccel_this_plugin;

/* Make a table of operations the plugin's; the table must stay. */
int vaccel_plugin_register_ops(struct vaccel_op *ops, size_t nr_ops);

/* Load a plugin: a path, or a name that the system's library search finds. */
int vaccel_plugin_load(const char *lib);

/* Load each plugin of a list with ':' between names; stops at the first that fails. */
int vaccel_plugin_parse_and_load(const char *lib_str);

/* Make one operation the plugin's. */
static inline int vaccel_plugin_register_op(struct vaccel_op *op)
{
	return vaccel_plugin_register_ops(op, 1);
}

/* Deprecated names of older plugins. */

#define VACCEL_MODULE(...)                                                                         \
	_Pragma("GCC warning \"VACCEL_MODULE() is deprecated, use VACCEL_PLUGIN()\"")              \
		VACCEL_PLUGIN(__VA_ARGS__)

__attribute__((deprecated("use vaccel_plugin_register_op()"))) static inline int
register_plugin_function(struct vaccel_op *plugin_op)
{
	return vaccel_plugin_register_op(plugin_op);
}

__attribute__((deprecated("use vaccel_plugin_register_ops()"))) static inline int
register_plugin_functions(struct vaccel_op *plugin_ops, size_t nr_ops)
{
	return vaccel_plugin_register_ops(plugin_ops, nr_ops);
}

#ifdef __cplusplus
}
#endif

#endif
