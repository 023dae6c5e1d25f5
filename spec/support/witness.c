/*
 * witness.c - a plugin that testifies: in which process a call ran, the how-manieth it was, and
 * what bytes arrived. It proves in the specs where the policy sent a call.
 *
 * Operations answer `pid=PID n=NUMBER hash=FNV1A64 plugin=NAME`, unless they are ordered otherwise:
 * those of models are in witness_models.c, the others in witness_calls.c. With WITNESS_LOG in the
 * environment a line `pid=PID event=EVENT resource=ID session=ID plugin=NAME` is appended there:
 * register, unregister, load (of Torch), tf_load, tf_unload, tf_run, tflite_load, tflite_unload,
 * tflite_run, exec (of a resource).
 *
 * One source, several plugins, by definitions: WITNESS_NAME (as a string), and at most one of
 *   WITNESS_REFUSE    a transport whose sessions are refused (EBUSY)
 *   WITNESS_PICKY     resources are refused (ENOTSUP)
 *   WITNESS_MUTE      no operation but noop
 *   WITNESS_MODELS    no operations but those of models
 *   WITNESS_SHARED    classifications may run at once on one session
 *   WITNESS_CALM      of a testimony there is the hash alone: equal calls get equal answers
 *   WITNESS_FRAIL     what runs writes what it should not, and fails (EIO); models load
 *
 * Any thread may call it. Nothing is shared but the counter.
 */
#include "witness.h"
#include "luaccel.h"
#include "vaccel.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int witness_noop(struct vaccel_session *sess)
{
	(void)sess;
	return VACCEL_OK;
}

#ifndef WITNESS_MUTE

static atomic_uint calls;

/* One write, so that lines of several processes do not mix. */
void testify(const char *event, const struct vaccel_resource *res,
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

uint64_t hash_on(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

unsigned witness_say(void *text, size_t size, uint64_t hash)
{
	const unsigned number = atomic_fetch_add(&calls, 1) + 1;

#ifdef WITNESS_CALM
	if (text && size)
		snprintf(text, size, "hash=%016" PRIx64, hash);
#else
	if (text && size)
		snprintf(text, size, "pid=%d n=%u hash=%016" PRIx64 " plugin=%s", (int)getpid(),
			 number, hash, WITNESS_NAME);
#endif
	return number;
}

long ordered(const void *text, size_t size, const char *order)
{
	size_t length = strlen(order);
	char digits[16] = "";

	if (size <= length || memcmp(text, order, length) != 0)
		return -1;
	size -= length;
	if (size > sizeof(digits) - 1)
		size = sizeof(digits) - 1;
	memcpy(digits, (const char *)text + length, size);
	return strtol(digits, NULL, 10);
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
	VACCEL_OP_INIT(ops[1], VACCEL_OP_TORCH_MODEL_LOAD, witness_torch_load),
	VACCEL_OP_INIT(ops[2], VACCEL_OP_TORCH_MODEL_RUN, witness_torch_run),
	VACCEL_OP_INIT(ops[3], VACCEL_OP_TF_MODEL_LOAD, witness_tf_load),
	VACCEL_OP_INIT(ops[4], VACCEL_OP_TF_MODEL_UNLOAD, witness_tf_unload),
	VACCEL_OP_INIT(ops[5], VACCEL_OP_TF_MODEL_RUN, witness_tf_run),
	VACCEL_OP_INIT(ops[6], VACCEL_OP_TFLITE_MODEL_LOAD, witness_tflite_load),
	VACCEL_OP_INIT(ops[7], VACCEL_OP_TFLITE_MODEL_UNLOAD, witness_tflite_unload),
	VACCEL_OP_INIT(ops[8], VACCEL_OP_TFLITE_MODEL_RUN, witness_tflite_run),
#ifndef WITNESS_MODELS
	VACCEL_OP_INIT(ops[9], VACCEL_OP_IMAGE_CLASSIFY, witness_classify),
	VACCEL_OP_INIT(ops[10], VACCEL_OP_IMAGE_DETECT, witness_image),
	VACCEL_OP_INIT(ops[11], VACCEL_OP_IMAGE_SEGMENT, witness_image),
	VACCEL_OP_INIT(ops[12], VACCEL_OP_IMAGE_POSE, witness_image),
	VACCEL_OP_INIT(ops[13], VACCEL_OP_IMAGE_DEPTH, witness_image),
	VACCEL_OP_INIT(ops[14], VACCEL_OP_EXEC, witness_exec),
	VACCEL_OP_INIT(ops[15], VACCEL_OP_EXEC_WITH_RESOURCE, witness_exec_with_resource),
	VACCEL_OP_INIT(ops[16], VACCEL_OP_BLAS_SGEMM, witness_sgemm),
	VACCEL_OP_INIT(ops[17], VACCEL_OP_MINMAX, witness_minmax),
#endif
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
