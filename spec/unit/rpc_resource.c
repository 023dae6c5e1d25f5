/*
 * rpc_resource.c - the rpc plugin's resources: what is sent, when it is sent again, and what comes
 * back.
 */
#include "frame.h"
#include "resource.pb-c.h"
#include "rpc_fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t bytes[] = { 1, 2, 3, 4, 5 };

/* What the agent was last asked to register, as text. */
struct seen {
	char what[512];
	int whole;    /* requests with blobs or paths */
	size_t blobs; /* SyncResource: how many the agent answers, and of what size */
	size_t size;
};

static void append(char what[512], const char *format, ...)
{
	size_t length = strlen(what);
	va_list args;

	va_start(args, format);
	vsnprintf(what + length, 512 - length, format, args);
	va_end(args);
}

static bool note_register(const struct fake_call *call)
{
	const Vaccel__Resource__RegisterRequest *request;
	struct seen *seen = call->fake->user;

	if (strcmp(call->method, "RegisterResource") != 0)
		return false;
	request = (const void *)fake_request(call, &vaccel__resource__register_request__descriptor);
	seen->what[0] = '\0';
	append(seen->what, "session %ld resource %ld type %u", (long)request->session_id,
	       (long)request->resource_id, request->resource_type);
	for (size_t i = 0; i < request->n_blobs; i++) {
		const Vaccel__Resource__Blob *blob = request->blobs[i];

		append(seen->what, "; blob %s type %u size %u bytes %zu from %d", blob->name,
		       blob->type, blob->size, blob->data.len, blob->data.data[0]);
	}
	for (size_t i = 0; i < request->n_paths; i++)
		append(seen->what, "; path %s", request->paths[i]);
	if (request->n_blobs + request->n_paths > 0)
		seen->whole++;
	return false;
}

static void open_session(struct fake *fake, struct vaccel_session *sess, struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	fake->user = seen;
	fake->script = note_register;
	assert_int_equal(vaccel_session_init(sess, 0), VACCEL_OK);
}

static void buffer(struct vaccel_resource *res)
{
	assert_int_equal(vaccel_resource_init_from_buf(res, bytes, sizeof(bytes),
						       VACCEL_RESOURCE_MODEL, "m.pt", true),
			 VACCEL_OK);
}

static void test_buffer(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	open_session(*state, &sess, &seen);
	buffer(&res);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what, "session 1000 resource 0 type 2; "
				       "blob m.pt type 1 size 5 bytes 5 from 1");
	assert_int_equal(res.remote_id, 1001);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(((struct fake *)*state)->unregisters, 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void make_file(const char *dir, const char *name, const char *text, char path[160])
{
	FILE *file;

	snprintf(path, 160, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_file(void **state)
{
	struct fake *fake = *state;
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;
	char path[160];

	make_file(fake->dir, "data.bin", "hello", path);
	open_session(fake, &sess, &seen);
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what, "session 1000 resource 0 type 1; "
				       "blob data.bin type 2 size 5 bytes 5 from 104");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	unlink(path);
}

/* A library and what it needs: one resource, in the order that they were given in. */
static void test_several_files(void **state)
{
	struct fake *fake = *state;
	char first[160], second[160];
	const char *paths[] = { first, second };
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	make_file(fake->dir, "libneeded.so", "n", first);
	make_file(fake->dir, "libmine.so", "mine", second);
	open_session(fake, &sess, &seen);
	assert_int_equal(vaccel_resource_init_multi(&res, paths, 2, VACCEL_RESOURCE_LIB),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what, "session 1000 resource 0 type 0; "
				       "blob libneeded.so type 2 size 1 bytes 1 from 110; "
				       "blob libmine.so type 2 size 4 bytes 4 from 109");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	unlink(first);
	unlink(second);
}

/* Every file of it, whichever folder it is in, by its own name. */
static void test_directory(void **state)
{
	struct fake *fake = *state;
	char dir[96], inner[128], first[160], second[160];
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	snprintf(dir, sizeof(dir), "%s/model", fake->dir);
	snprintf(inner, sizeof(inner), "%s/variables", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkdir(inner, 0700), 0);
	make_file(dir, "saved_model.pb", "graph", first);
	make_file(inner, "variables.index", "ab", second);
	open_session(fake, &sess, &seen);
	assert_int_equal(vaccel_resource_init(&res, dir, VACCEL_RESOURCE_MODEL), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 2);
	assert_non_null(strstr(seen.what, "; blob saved_model.pb type 2 size 5 bytes 5 from 103"));
	assert_non_null(strstr(seen.what, "; blob variables.index type 2 size 2 bytes 2 from 97"));
	assert_null(strstr(seen.what, "path"));
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	unlink(second);
	unlink(first);
	rmdir(inner);
	rmdir(dir);
}

/* Memory stays memory, and what was written to a file is mapped from there. */
static void test_blobs(void **state)
{
	struct fake *fake = *state;
	struct vaccel_blob memory, file;
	const struct vaccel_blob *blobs[] = { &memory, &file };
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	assert_int_equal(vaccel_blob_init_from_buf(&memory, bytes, 3, false, "m", NULL, false),
			 VACCEL_OK);
	assert_int_equal(
		vaccel_blob_init_from_buf(&file, bytes + 3, 2, false, "f", fake->dir, false),
		VACCEL_OK);
	open_session(fake, &sess, &seen);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what, "session 1000 resource 0 type 1; "
				       "blob m type 1 size 3 bytes 3 from 1; "
				       "blob f type 2 size 2 bytes 2 from 4");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&memory), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&file), VACCEL_OK);
}

static void test_urls(void **state)
{
	const char *urls[] = { "http://example.org/a.pt", "https://example.org/b.pt" };
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	open_session(*state, &sess, &seen);
	assert_int_equal(vaccel_resource_init_multi(&res, urls, 2, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what,
			    "session 1000 resource 0 type 2; path http://example.org/a.pt; "
			    "path https://example.org/b.pt");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

/* Bytes once for a connection; then ids, until nobody there has it any more. */
static void test_sent_once_for_a_connection(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session first, second;
	struct vaccel_resource res;
	struct seen seen;

	open_session(fake, &first, &seen);
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	buffer(&res);
	assert_int_equal(vaccel_resource_register(&res, &first), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_string_equal(seen.what, "session 1001 resource 1002 type 0");
	/* again on a session that has it: allowed, and counted once */
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_int_equal(seen.whole, 1);
	assert_int_equal(vaccel_resource_unregister(&res, &first), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &first), VACCEL_OK);
	assert_string_equal(seen.what, "session 1000 resource 1002 type 0");
	assert_int_equal(vaccel_resource_unregister(&res, &first), VACCEL_OK);
	assert_int_equal(vaccel_resource_unregister(&res, &second), VACCEL_OK);
	/* the agent has freed it */
	assert_int_equal(vaccel_resource_register(&res, &first), VACCEL_OK);
	assert_int_equal(seen.whole, 2);
	assert_int_equal(res.remote_id, 1003);
	assert_int_equal(vaccel_session_release(&first), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_sent_whole_after_a_loss(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session lost, sess;
	struct vaccel_resource res;
	struct seen seen;

	open_session(fake, &lost, &seen);
	buffer(&res);
	assert_int_equal(vaccel_resource_register(&res, &lost), VACCEL_OK);
	fake_stop(fake);
	fake_listen(fake);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(seen.what, "session 1002 resource 0 type 2; "
				       "blob m.pt type 1 size 5 bytes 5 from 1");
	/* the lost session's end is quiet and leaves the other's alone */
	assert_int_equal(vaccel_resource_unregister(&res, &lost), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&lost), VACCEL_OK);
	assert_int_equal(fake->unregisters, 0);
	assert_int_equal(vaccel_torch_model_load(&sess, &res), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(fake->unregisters, 1);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static bool refuse_register(const struct fake_call *call)
{
	static const struct ttrpc_status status = {
		.code = TTRPC_INTERNAL,
		.message = "FFI error: 12",
		.detail_type_url = "x",
		.detail = (const uint8_t *)"\x10\x0c",
		.detail_size = 2,
	};

	if (strcmp(call->method, "RegisterResource") != 0)
		return false;
	fake_fail(call, &status);
	return true;
}

static bool answer_no_resource(const struct fake_call *call)
{
	Vaccel__Resource__RegisterResponse response = VACCEL__RESOURCE__REGISTER_RESPONSE__INIT;

	if (strcmp(call->method, "RegisterResource") != 0)
		return false;
	fake_reply(call, &response.base);
	return true;
}

static void test_register_that_fails(void **state)
{
	struct fake *fake = *state;
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	open_session(fake, &sess, &seen);
	buffer(&res);
	fake->script = refuse_register;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_ENOMEM);
	fake->script = answer_no_resource;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "0, which is no resource"));
	fake->script = note_register;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(seen.whole, 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static bool slow_register(const struct fake_call *call)
{
	if (strcmp(call->method, "RegisterResource") == 0)
		usleep(20 * 1000);
	return note_register(call);
}

struct registering {
	struct vaccel_session *sess;
	struct vaccel_resource *res;
	int ret;
};

static void *register_it(void *arg)
{
	struct registering *registering = arg;

	registering->ret = vaccel_resource_register(registering->res, registering->sess);
	return NULL;
}

/* Threads that register the same resource at once send it once. */
static void test_registered_by_threads(void **state)
{
	enum { THREADS = 4 };
	struct fake *fake = *state;
	struct vaccel_session *sessions[THREADS];
	struct registering registering[THREADS];
	pthread_t threads[THREADS];
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	open_session(fake, &sess, &seen);
	fake->script = slow_register;
	buffer(&res);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(vaccel_session_new(&sessions[i], 0), VACCEL_OK);
		registering[i] = (struct registering){ sessions[i], &res, -1 };
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, register_it, &registering[i]),
				 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(registering[i].ret, VACCEL_OK);
	}
	assert_int_equal(fake->registers, THREADS);
	assert_int_equal(seen.whole, 1);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(vaccel_session_delete(sessions[i]), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

/* Blobs of nines, as many and as long as the test says. */
static bool answer_sync(const struct fake_call *call)
{
	Vaccel__Resource__SyncResponse response = VACCEL__RESOURCE__SYNC_RESPONSE__INIT;
	Vaccel__Resource__Blob blob = VACCEL__RESOURCE__BLOB__INIT;
	const struct seen *seen = call->fake->user;
	Vaccel__Resource__Blob *list[] = { &blob, &blob };
	uint8_t nines[64];

	if (strcmp(call->method, "SyncResource") != 0)
		return false;
	memset(nines, 9, sizeof(nines));
	blob.data.data = nines;
	blob.data.len = seen->size;
	blob.size = 0xffffffff;
	response.n_blobs = seen->blobs;
	response.blobs = list;
	fake_reply(call, &response.base);
	return true;
}

static void test_sync(void **state)
{
	static const struct {
		size_t blobs, size;
	} lies[] = { { 0, 0 }, { 2, 8 }, { 1, 9 }, { 1, 7 }, { 1, 0 } };
	struct fake *fake = *state;
	uint8_t ours[8], before[8], nines[8];
	struct vaccel_resource res;
	struct vaccel_session sess;
	struct seen seen;

	memset(ours, 1, sizeof(ours));
	memset(before, 1, sizeof(before));
	memset(nines, 9, sizeof(nines));
	open_session(fake, &sess, &seen);
	assert_int_equal(vaccel_resource_init_from_buf(&res, ours, sizeof(ours),
						       VACCEL_RESOURCE_DATA, "d", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake->script = answer_sync;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		seen.blobs = lies[i].blobs;
		seen.size = lies[i].size;
		assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EBACKEND);
		assert_memory_equal(ours, before, sizeof(ours));
	}
	seen.blobs = 1;
	seen.size = sizeof(ours);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_memory_equal(ours, nines, sizeof(ours));
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_buffer),
		RIG(test_file),
		RIG(test_several_files),
		RIG(test_directory),
		RIG(test_blobs),
		RIG(test_urls),
		RIG(test_sent_once_for_a_connection),
		RIG(test_sent_whole_after_a_loss),
		RIG(test_register_that_fails),
		RIG(test_registered_by_threads),
		RIG(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
