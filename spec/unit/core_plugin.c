/*
 * core_plugin.c - loading plugins, and the words for each way in which it fails.
 */
#include "core_test.h"

static int start_empty(void **state)
{
	(void)state;
	return start_with(NULL);
}

static void failures_say_why(void **state)
{
	static const struct {
		const char *lib;
		int code;
		const char *reason;
	} cases[] = {
		{ "libvaccel-absent.so", VACCEL_ENOENT,
		  "Could not dlopen plugin libvaccel-absent.so: libvaccel-absent.so: cannot open "
		  "shared object file" },
		{ "/absent/x.so", VACCEL_ENOENT, "/absent/x.so: cannot open shared object file" },
		{ "/etc/hostname", VACCEL_ENOENT, "/etc/hostname" },
		{ FAKE("none"), VACCEL_ELIBBAD, "is not a vaccel plugin" },
		{ FAKE("nameless"), VACCEL_EINVAL, "Plugin needs to have a name" },
		{ FAKE("old"), VACCEL_EINVAL, "built w/ 1.0.0, used w/ " VACCEL_VERSION },
		{ FAKE("broken"), VACCEL_ENODEV, "no device /dev/fake; plug one in" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vaccel_plugin_load(cases[i].lib), cases[i].code);
		assert_reason(cases[i].reason);
		assert_null(luaccel_core(LUACCEL_CORE_VERSION)->plugin_next(NULL));
	}
	assert_int_equal(vaccel_plugin_load(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_parse_and_load(NULL), VACCEL_EINVAL);
}

static void nearby_versions_load(void **state)
{
	(void)state;
	assert_int_equal(vaccel_plugin_load(FAKE("near")), 0);
}

static void versions_can_be_ignored(void **state)
{
	struct vaccel_config config;

	(void)state;
	vaccel_config_init(&config, FAKE("old"), VACCEL_LOG_MAX, NULL, false, true);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	vaccel_config_release(&config);
}

static void lists_skip_empty_items_and_stop_at_a_failure(void **state)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);

	(void)state;
	assert_int_equal(vaccel_plugin_parse_and_load(""), 0);
	assert_int_equal(vaccel_plugin_parse_and_load("::" FAKE("local") ":"), 0);
	assert_int_equal(vaccel_plugin_parse_and_load("/absent.so:" NOOP_PLUGIN), VACCEL_ENOENT);
	assert_null(core->plugin_next(core->plugin_next(NULL)));
}

/* Beside libvaccel.so, so that a checkout works without LD_LIBRARY_PATH. */
static void bare_names_are_found_beside_the_library(void **state)
{
	(void)state;
	unsetenv("LD_LIBRARY_PATH");
	assert_int_equal(vaccel_plugin_load("libvaccel-noop.so"), 0);
}

static void a_library_is_loaded_once(void **state)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);
	struct vaccel_plugin *plugin, *again;

	(void)state;
	assert_null(luaccel_core(99));
	assert_int_equal(core->plugin_load(FAKE("local"), &plugin), 0);
	assert_string_equal(plugin->info->name, "fake-local");
	assert_int_equal(core->plugin_load(FAKE("local"), &again), VACCEL_EEXIST);
	assert_ptr_equal(again, plugin);
	assert_int_equal(fake_of(FAKE("local"))->inits, 1);
	assert_int_equal(core->plugin_load("/absent.so", &again), VACCEL_ENOENT);
	assert_null(again);
	assert_ptr_equal(core->plugin_next(NULL), plugin);
	assert_null(core->plugin_next(plugin));
}

static void what_a_plugin_may_export(void **state)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);
	struct vaccel_plugin *local, *noop;

	(void)state;
	assert_int_equal(core->plugin_load(FAKE("local"), &local), 0);
	assert_int_equal(core->plugin_load(NOOP_PLUGIN, &noop), 0);
	assert_int_equal(core->plugin_configure(local, "threads", "2"), 0);
	assert_int_equal(core->plugin_configure(local, "colour", "2"), VACCEL_EINVAL);
	assert_reason("option colour is unknown");
	assert_int_equal(core->plugin_configure(noop, "threads", "2"), VACCEL_ENOTSUP);
	assert_reason("plugin noop takes no options");
	assert_int_equal(core->plugin_reentrant(local), 0);
	assert_true(core->plugin_reentrant(noop) & LUACCEL_OP(VACCEL_OP_IMAGE_CLASSIFY));
	assert_false(core->plugin_reentrant(noop) & LUACCEL_OP(VACCEL_OP_MAX));
}

static void fini_comes_once_and_a_failed_bootstrap_unloads(void **state)
{
	void *handle = dlopen(FAKE("local"), RTLD_LAZY); /* keeps the counters mapped */
	const struct fake *fake = dlsym(handle, "fake");
	int finis;

	(void)state;
	assert_non_null(fake);
	finis = fake->finis;
	assert_int_equal(start_with(FAKE("local")), 0);
	assert_int_equal(vaccel_cleanup(), 0);
	assert_int_equal(fake->finis, finis + 1);
	assert_int_equal(start_with(FAKE("local") ":/absent.so"), VACCEL_ENOENT);
	assert_int_equal(fake->finis, finis + 2);
	assert_false(vaccel_is_initialized());
	assert_false(exists(vaccel_rundir()));
	dlclose(handle);
}

static void register_ops_arguments(void **state)
{
	struct vaccel_op op = { .type = VACCEL_OP_NOOP };

	(void)state;
	assert_int_equal(vaccel_plugin_register_ops(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_register_ops(&op, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_register_ops(&op, 25), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_register_op(&op), VACCEL_EINVAL); /* no owner */
}

static void with_settings(void **state)
{
	struct vaccel_config config;

	(void)state;
	vaccel_config_init(&config, NOOP_PLUGIN, VACCEL_LOG_MAX, NULL, true, true);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	assert_true(vaccel_is_initialized());
	assert_string_equal(vaccel_config()->plugins, NOOP_PLUGIN);
	assert_true(vaccel_config()->version_ignore);
	assert_non_null(strstr(vaccel_rundir(), "vaccel"));
	/* Once more, with what runs. */
	assert_int_equal(vaccel_bootstrap_with_config((struct vaccel_config *)vaccel_config()), 0);
	assert_string_equal(vaccel_config()->plugins, NOOP_PLUGIN);
	assert_int_equal(vaccel_cleanup(), 0);
	assert_null(vaccel_config()->plugins);
	vaccel_config_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(failures_say_why, start_empty, stop),
		cmocka_unit_test_setup_teardown(nearby_versions_load, start_empty, stop),
		cmocka_unit_test_setup_teardown(versions_can_be_ignored, start_empty, stop),
		cmocka_unit_test_setup_teardown(lists_skip_empty_items_and_stop_at_a_failure,
						start_empty, stop),
		cmocka_unit_test_setup_teardown(bare_names_are_found_beside_the_library,
						start_empty, stop),
		cmocka_unit_test_setup_teardown(a_library_is_loaded_once, start_empty, stop),
		cmocka_unit_test_setup_teardown(what_a_plugin_may_export, start_empty, stop),
		cmocka_unit_test(fini_comes_once_and_a_failed_bootstrap_unloads),
		cmocka_unit_test_setup_teardown(register_ops_arguments, start_empty, stop),
		cmocka_unit_test(with_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
