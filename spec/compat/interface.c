/*
 * interface.c - what of the binary interface can be seen only when it runs: that the library has
 * each function, the names of enumerators, bits in their byte, and what the macros make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "interface.h"

#include <dlfcn.h>
#include <string.h>

static void every_function_is_in_the_library(void **state)
{
	void *library = dlopen(VACCEL_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	(void)state;
	assert_non_null(library);
	for (size_t i = 0; i < nr_functions; i++) {
		void *found = dlsym(library, functions[i].name);

		if (!found)
			fail_msg("%s is not in the library", functions[i].name);
		if (found != (void *)functions[i].address)
			fail_msg("%s is linked to something else", functions[i].name);
	}
	dlclose(library);
	print_message("%zu functions\n", nr_functions);
	assert_int_equal(nr_functions, 273);
}

static void lower(const char *text, char *out)
{
	size_t i = 0;

	for (; text[i]; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	out[i] = '\0';
}

static void every_enumerator_knows_its_name(void **state)
{
	char wanted[VACCEL_ENUM_STR_MAX];
	char name[VACCEL_ENUM_STR_MAX];
	size_t count = 0;

	(void)state;
#define CONSTANT(name, value)
#define ENUMERATOR(type, name, value)
#define NAMED(type, prefix, base, enumerator, value)                                               \
	count++;                                                                                   \
	assert_string_equal(type##_to_str(enumerator), #enumerator);                               \
	assert_string_equal(type##_to_base_str(enumerator), #base);                                \
	lower(#base, wanted);                                                                      \
	assert_ptr_equal(type##_name(enumerator, name, sizeof(name)), name);                       \
	assert_string_equal(name, wanted);                                                         \
	assert_string_equal(type##_to_str((type##_t)99999), #prefix "_MAX");                       \
	assert_string_equal(type##_to_base_str((type##_t)99999), "MAX");                           \
	assert_null(type##_name(enumerator, NULL, sizeof(name)));                                  \
	assert_null(type##_name(enumerator, name, 0));
#include "enums.inc"
	print_message("%zu names of enumerators\n", count);
	assert_int_equal(count, 85);
	assert_string_equal(vaccel_op_type_to_lower(VACCEL_OP_OPENCV, name, sizeof(name)),
			    "opencv");
	assert_string_equal(vaccel_plugin_type_to_base_str(VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_GPU),
			    "MAX");
}

static void slog_bits_are_in_their_byte(void **state)
{
	const SLogConfig config[] = {
		{ .nTraceTid = 1 }, { .nToScreen = 1 }, { .nToFile = 1 }, { .nFlush = 1 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
		assert_int_equal(((const unsigned char *)&config[i])[2308], 1 << i);
}

static void macros_make_a_plugin(void **state)
{
	void *library = dlopen(MACROS_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	const struct vaccel_plugin **plugin;
	struct vaccel_prof_region *region;
	struct vaccel_list_entry *list;
	const char *(*colour_of_4)(char *, size_t);
	char name[VACCEL_ENUM_STR_MAX];

	(void)state;
	assert_non_null(library);
	assert_null(dlsym(library, "vaccel_this_plugin"));
	plugin = dlsym(library, "vaccel_plugin");
	assert_non_null(plugin);
	assert_null((*plugin)->dl_handle);
	assert_ptr_equal((*plugin)->entry.next, &(*plugin)->entry);
	assert_ptr_equal((*plugin)->entry.prev, &(*plugin)->entry);
	for (size_t i = 0; i < VACCEL_OP_MAX; i++)
		assert_null((*plugin)->ops[i]);
	assert_string_equal((*plugin)->info->name, "macros");
	assert_string_equal((*plugin)->info->vaccel_version, "0.8.0");
	assert_int_equal((*plugin)->info->type, 0x101);

	/* init() is called by hand: registering needs no running library */
	assert_int_equal((*plugin)->info->init(), VACCEL_OK);
	assert_ptr_equal((*plugin)->ops[VACCEL_OP_NOOP]->owner, *plugin);
	assert_int_equal((*plugin)->ops[VACCEL_OP_EXEC]->type, VACCEL_OP_EXEC);
	assert_ptr_equal((*plugin)->ops[VACCEL_OP_NOOP]->func,
			 (*plugin)->ops[VACCEL_OP_EXEC]->func);

	region = dlsym(library, "region");
	assert_string_equal(region->name, "region");
	assert_true(!region->name_owned && !region->nr_entries && !region->samples);
	assert_int_equal(region->size, 0);
	list = dlsym(library, "list");
	assert_true(list->next == list && list->prev == list);

	*(void **)&colour_of_4 = dlsym(library, "colour_of_4");
	assert_string_equal(colour_of_4(name, sizeof(name)), "green");
	dlclose(library);
}

const char *cxx_op_name(vaccel_op_type_t type);

static void a_cxx_program_links(void **state)
{
	(void)state;
	assert_string_equal(cxx_op_name(VACCEL_OP_TORCH_MODEL_RUN), "VACCEL_OP_TORCH_MODEL_RUN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_function_is_in_the_library),
		cmocka_unit_test(every_enumerator_knows_its_name),
		cmocka_unit_test(slog_bits_are_in_their_byte),
		cmocka_unit_test(macros_make_a_plugin),
		cmocka_unit_test(a_cxx_program_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
