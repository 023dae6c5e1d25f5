/*
 * plugin.c - a plugin of nothing but the macros that plugins and programs are written with. It
 * must compile without a warning; interface.c loads it.
 */
#include <vaccel.h>

static int start(void)
{
	return VACCEL_OK;
}

static int noop(struct vaccel_session *sess)
{
	(void)sess;
	vaccel_trace("a line with %s", "its place");
	vaccel_debug("no arguments");
	return VACCEL_OK;
}

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, noop),
	VACCEL_OP_INIT(exec, VACCEL_OP_EXEC, noop),
};

/* For interface.c, which finds them by name. */
__attribute__((visibility("default"))) struct vaccel_prof_region region =
	VACCEL_PROF_REGION_INIT("region");
__attribute__((visibility("default"))) struct vaccel_list_entry list = LIST_ENTRY_INIT(list);

/* X of a list of types is called with a name, a type in C and two enumerators. */
#define NUMERIC(name, ctype, scalar, many)                                                         \
	_Static_assert((many) == (scalar) + 1 && sizeof(ctype) <= sizeof(uint64_t), #name);
VACCEL_ARG_NUMERIC_TYPES(NUMERIC)

#define DECLARED(name, ctype, scalar, many)                                                        \
	_Static_assert(__builtin_types_compatible_p(__typeof__(vaccel_arg_array_add_##name),       \
						    int(struct vaccel_arg_array *, ctype *)),      \
		       #name);                                                                     \
	_Static_assert(__builtin_types_compatible_p(__typeof__(vaccel_arg_array_get_##name),       \
						    int(struct vaccel_arg_array *, ctype *)),      \
		       #name);                                                                     \
	_Static_assert(__builtin_types_compatible_p(__typeof__(vaccel_arg_array_set_##name),       \
						    int(struct vaccel_arg_array *, ctype *)),      \
		       #name);
VACCEL_ARG_NUMERIC_TYPES(DECLARED)

/* A program can have enums of the same make. */
#define COLOURS(ITEM) ITEM(RED, 3, COLOUR) ITEM(GREEN, COLOUR)
VACCEL_ENUM_DEF_WITH_STR_FUNCS(colour, COLOUR, COLOURS)

__attribute__((visibility("default"))) const char *colour_of_4(char *name, size_t size)
{
	_Static_assert(COLOUR_GREEN == 4 && COLOUR_MAX == 5, "values count on");
	return SLOG_FLAGS_CHECK(7, SLOG_NOTE) ? colour_name(COLOUR_GREEN, name, size)
					      : colour_to_str(COLOUR_MAX);
}

static int init(void)
{
	return start() || vaccel_plugin_register_op(&ops[1]) || vaccel_plugin_register_ops(ops, 1);
}

VACCEL_PLUGIN(.name = "macros", .version = "1.0", .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_DEBUG, .init = init, .fini = start)
