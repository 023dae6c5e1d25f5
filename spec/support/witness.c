/*
 * witness.c - a plugin that testifies: in which process a call ran, the how-manieth it was, and
 * what bytes arrived. It proves in the specs where the policy sent a call.
 *
 * Image classification answers `pid=PID n=NUMBER hash=FNV1A64 plugin=NAME`, unless the image is an
 * order: `SLEEP MS ...` takes that long, `FAIL CODE ...` returns the code with a reason, `CODE
 * CODE` without one. Torch load says yes, torch run returns its inputs. With WITNESS_LOG in the
 * environment a line `pid=PID event=register|unregister|load resource=ID session=ID plugin=NAME` is
 * appended there.
 *
 * One source, several plugins, by definitions: WITNESS_NAME (as a string), and at most one of
 *   WITNESS_REFUSE    a transport whose sessions are refused (EBUSY)
 *   WITNESS_PICKY     resources are refused (ENOTSUP)
 *   WITNESS_MUTE      no operation but noop
 *   WITNESS_SHARED    classifications may run at once on one session
 *
 * Any thread may call it. Nothing is shared but the counter.
 */
#include "luaccel.h"
#include "vaccel.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int witness_noop(struct vaccel_session *sess)
{
	(void)sess;
	return VACCEL_OK;
}

#ifndef WITNESS_MUTE

static atomic_uint calls;

/* One write, so that lines of several processes do not mix. */
static void testify(const char *event, const struct vaccel_resource *res,
		    const struct vaccel_session *sess)
{
	const char *path = getenv("WITNESS_LOG");
	char line[256];
	int fd, length;

	if (!path)
		return;
	length = snprintf(line, sizeof(line),
			  "pid=%d event=%s resource=%" PRId64 " session=%" PRId64 " plugin=%s\n",
			  (int)getpid(), event, res->id, sess->id, WITNESS_NAME);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		fprintf(stderr, "%s: cannot append to %s\n", WITNESS_NAME, path);
	if (fd >= 0)
		close(fd);
}

static uint64_t hash_of(const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The number after an order such as "SLEEP "; -1 when the image is not that order. */
static long ordered(const void *img, size_t size, const char *order)
{
	size_t length = strlen(order);
	char digits[16] = "";

	if (size <= length || memcmp(img, order, length) != 0)
		return -1;
	size -= length;
	if (size > sizeof(digits) - 1)
		size = sizeof(digits) - 1;
	memcpy(digits, (const char *)img + length, size);
	return strtol(digits, NULL, 10);
}

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

static int witness_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
			    unsigned char *out_imgname, size_t len_img, size_t len_out_text,
			    size_t len_out_imgname)
{
	unsigned int number = atomic_fetch_add(&calls, 1) + 1;
	long sleep = ordered(img, len_img, "SLEEP ");
	long failure = ordered(img, len_img, "FAIL ");
	long code = ordered(img, len_img, "CODE ");

	(void)sess;
	if (sleep > 0)
		sleep_ms(sleep);
	if (failure > 0) {
		luaccel_set_error("%s fails as ordered", WITNESS_NAME);
		return (int)failure;
	}
	if (code > 0)
		return (int)code;
	if (out_text && len_out_text)
		snprintf((char *)out_text, len_out_text,
			 "pid=%d n=%u hash=%016" PRIx64 " plugin=%s", (int)getpid(), number,
			 hash_of(img, len_img), WITNESS_NAME);
	if (out_imgname && len_out_imgname)
		snprintf((char *)out_imgname, len_out_imgname, "%s", WITNESS_NAME);
	return VACCEL_OK;
}

static int witness_torch_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	testify("load", model, sess);
	return VACCEL_OK;
}

static int witness_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
			     const struct vaccel_torch_buffer *run_options,
			     struct vaccel_torch_tensor *const *in, int nr_in,
			     struct vaccel_torch_tensor **out, int nr_out)
{
	int done;

	(void)sess;
	(void)model;
	(void)run_options;
	if (nr_out > nr_in) {
		luaccel_set_error("%s echoes: %d inputs cannot give %d outputs", WITNESS_NAME,
				  nr_in, nr_out);
		return VACCEL_EINVAL;
	}
	for (done = 0; done < nr_out; done++) {
		const struct vaccel_torch_tensor *from = in[done];
		int code = vaccel_torch_tensor_allocate(&out[done], from->nr_dims, from->dims,
							from->data_type, from->size);

		if (code)
			goto undo;
		memcpy(out[done]->data, from->data, from->size);
	}
	return VACCEL_OK;
undo:
	while (done-- > 0)
		vaccel_torch_tensor_delete(out[done]);
	return VACCEL_ENOMEM;
}

static int witness_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
#ifdef WITNESS_PICKY
	(void)res;
	(void)sess;
	luaccel_set_error("%s takes no resources", WITNESS_NAME);
	return VACCEL_ENOTSUP;
#else
	testify("register", res, sess);
#ifdef WITNESS_REFUSE
	res->remote_id = res->id;
#endif
	return VACCEL_OK;
#endif
}

static int witness_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	testify("unregister", res, sess);
	return VACCEL_OK;
}

#endif /* WITNESS_MUTE */

#ifdef WITNESS_REFUSE

static int refuse_session(struct vaccel_session *sess, uint32_t flags)
{
	(void)sess;
	(void)flags;
	luaccel_set_error("%s takes no sessions", WITNESS_NAME);
	return VACCEL_EBUSY;
}

static int release_session(struct vaccel_session *sess)
{
	(void)sess;
	return VACCEL_OK;
}

#endif

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(ops[0], VACCEL_OP_NOOP, witness_noop),
#ifndef WITNESS_MUTE
	VACCEL_OP_INIT(ops[1], VACCEL_OP_IMAGE_CLASSIFY, witness_classify),
	VACCEL_OP_INIT(ops[2], VACCEL_OP_TORCH_MODEL_LOAD, witness_torch_load),
	VACCEL_OP_INIT(ops[3], VACCEL_OP_TORCH_MODEL_RUN, witness_torch_run),
#endif
};

#ifdef WITNESS_SHARED
LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_IMAGE_CLASSIFY));
#endif

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = WITNESS_NAME, .version = "1", .vaccel_version = VACCEL_VERSION, .init = init,
	      .fini = fini, .type = VACCEL_PLUGIN_DEBUG | VACCEL_PLUGIN_CPU,
#ifndef WITNESS_MUTE
	      .resource_register = witness_register, .resource_unregister = witness_unregister,
#endif
#ifdef WITNESS_REFUSE
	      .is_virtio = true, .session_init = refuse_session, .session_release = release_session,
#endif
)
