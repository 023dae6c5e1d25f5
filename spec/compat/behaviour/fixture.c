/*
 * fixture.c - what rows work on, set up in the process of each. See behaviour.h.
 */
#include "behaviour.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT = 8 }; /* of sessions and resources, for FULL */

struct vaccel_config config, *config_out;
struct vaccel_op op;
struct vaccel_session sess, other, *out;
struct vaccel_resource res, released, *found, **list;
struct vaccel_resource *model, *lib, *stranger, *strange_lib, *memory_lib, *folder;
struct vaccel_blob blob, no_blob, file_blob, other_blob, *blob_out;
struct vaccel_arg arg, *arg_out;
struct vaccel_arg_array array, other_array, wrapped;
struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("region");
const char *file_path, *dir_path, *empty_path;
char bytes_[16] = "bytes", text[256], long_text[64] = "a longer text than was there", *string;
uint8_t *const bytes = (uint8_t *)bytes_;
unsigned char ubytes[16];
int ints[4];
float floats[16];
double doubles[4];
int32_t number = 5, *numbers;
size_t count;
void *pointer;

/* A fixture that cannot be set up fails its rows. */
static void must(int code)
{
	if (code)
		abort();
}

static int bootstrap(const char *plugins, bool profiling, bool ignore)
{
	struct vaccel_config settings;
	int ret;

	must(vaccel_config_init(&settings, plugins, VACCEL_LOG_MAX, NULL, profiling, ignore));
	ret = vaccel_bootstrap_with_config(&settings);
	vaccel_config_release(&settings);
	return ret;
}

int bootstrap_with(const char *plugins)
{
	return bootstrap(plugins, false, false);
}

int load_odd(const char *shape)
{
	setenv("ODD_SHAPE", shape, 1);
	return vaccel_plugin_load(ODD_PLUGIN);
}

int with_env(const char *name, const char *value)
{
	setenv(name, value, 1);
	return vaccel_config_init_from_env(&config);
}

const char *long_path(void)
{
	static char path[PATH_MAX + 16];

	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, "file:///", strlen("file:///"));
	return path;
}

static const char *make_file(const char *name, const char *contents)
{
	char *path;
	FILE *file;

	if (asprintf(&path, "%s/%s", dir_path, name) < 0)
		abort();
	file = fopen(path, "w");
	if (!file || fputs(contents, file) < 0 || fclose(file))
		abort();
	return path;
}

static void make_files(void)
{
	dir_path = BEHAVIOUR_DIR;
	if (mkdir(dir_path, 0700) && access(dir_path, W_OK))
		abort();
	file_path = make_file("file", "contents");
	empty_path = make_file("empty", "");
}

static void make_blobs(void)
{
	must(vaccel_blob_init_from_buf(&blob, bytes, 5, false, "bytes", NULL, false));
	must(vaccel_blob_init(&file_blob, file_path));
}

static struct vaccel_resource *from_bytes(vaccel_resource_type_t type, bool memory)
{
	struct vaccel_resource *made;

	must(vaccel_resource_from_buf(&made, bytes, 5, type, "bytes", memory));
	return made;
}

void make(void)
{
	model = from_bytes(VACCEL_RESOURCE_MODEL, true);
	lib = from_bytes(VACCEL_RESOURCE_LIB, false);
	stranger = from_bytes(VACCEL_RESOURCE_MODEL, true);
	strange_lib = from_bytes(VACCEL_RESOURCE_LIB, false);
	memory_lib = from_bytes(VACCEL_RESOURCE_LIB, true);
	must(vaccel_resource_new(&folder, dir_path, VACCEL_RESOURCE_DATA));
}

static void make_session(bool registered)
{
	must(vaccel_session_init(&sess, 0));
	make();
	if (!registered)
		return;
	must(vaccel_resource_register(model, &sess));
	must(vaccel_resource_register(lib, &sess));
}

static void make_arrays(void)
{
	snprintf(text, sizeof(text), "text");
	must(vaccel_arg_array_init(&array, 0));
	must(vaccel_arg_array_add_int32(&array, &number));
	must(vaccel_arg_array_add_string(&array, text));
	must(vaccel_arg_array_init(&other_array, 1));
	must(vaccel_arg_init(&arg, bytes, 4, VACCEL_ARG_RAW, 0));
	must(vaccel_arg_array_wrap(&wrapped, &arg, 1));
}

static void fill_up(void)
{
	struct vaccel_resource *made;

	for (int i = 0; i < LIMIT; i++) {
		must(vaccel_session_new(&out, 0));
		must(vaccel_resource_from_buf(&made, bytes, 5, VACCEL_RESOURCE_DATA, NULL, true));
	}
}

void fixture_set_up(enum fixture fixture)
{
	static const char *const plugins[] = {
		[NONE] = NOOP_PLUGIN, [NOOP] = NOOP_PLUGIN,	[PROF] = NOOP_PLUGIN,
		[FULL] = NOOP_PLUGIN, [MUTE] = ODD_PLUGIN,	[REMOTE] = ODD_PLUGIN,
		[EXEC] = EXEC_PLUGIN, [MBENCH] = MBENCH_PLUGIN,
	};

	make_files();
	make_blobs();
	if (fixture == ARGS)
		make_arrays();
	if (fixture == BARE || fixture == ARGS)
		return;
	if (fixture == FULL) {
		setenv("LUACCEL_SESSIONS_MAX", "8", 1);
		setenv("LUACCEL_RESOURCES_MAX", "8", 1);
	}
	setenv("ODD_SHAPE", fixture == REMOTE ? "virtio" : "", 1);
	must(bootstrap(plugins[fixture], fixture == PROF, fixture == IGNORE));
	if (fixture == FULL)
		fill_up();
	else if (fixture != EMPTY && fixture != IGNORE)
		make_session(fixture != NONE);
}
