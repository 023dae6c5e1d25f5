/*
 * witness_models.c - models, of which the witness believes everything: a run returns its inputs,
 * and TensorFlow's status bears the testimony. A model whose bytes are an order `FAIL CODE` fails
 * to load with the code, and says so in the status; a node or, without nodes, an input whose bytes
 * are that order fails the run. TensorFlow Lite's status is 7, 9 for a run that fails. What is
 * frail runs no model of Torch.
 */
#include "luaccel.h"
#include "witness.h"
#include <stdlib.h>
#include <string.h>

enum { STATUS_FINE = 0, STATUS_LITE = 7, STATUS_FAILED = 9 };

static long ordered_by(struct vaccel_resource *model)
{
	const struct vaccel_blob *blob = model->nr_blobs ? model->blobs[0] : NULL;

	return blob && blob->data ? ordered(blob->data, blob->size, "FAIL ") : -1;
}

static int tell(struct vaccel_tf_status *status, uint8_t code, const char *message)
{
	return status ? vaccel_tf_status_init(status, code, message) : VACCEL_OK;
}

/* The code; with the testimony, or word of the failure, in the status. */
static int answer_tf(struct vaccel_tf_status *status, long failure, uint64_t hash)
{
	char text[128];

	if (failure > 0) {
		tell(status, STATUS_FAILED, "the graph does as it was told");
		return (int)failure;
	}
	witness_say(text, sizeof(text), hash);
	return tell(status, STATUS_FINE, text);
}

/*
 * ECHO(tf): echo_tf() gives the first inputs as outputs; all or none. It goes through the hash and
 * looks for orders.
 */
#define ECHO(family)                                                                               \
	static int echo_##family(struct vaccel_##family##_tensor *const *in, int nr_in,            \
				 struct vaccel_##family##_tensor **out, int nr_out,                \
				 uint64_t *hash)                                                   \
	{                                                                                          \
		int code = VACCEL_OK, done;                                                        \
                                                                                                   \
		*hash = WITNESS_HASH;                                                              \
		for (int i = 0; i < nr_in; i++)                                                    \
			*hash = hash_on(*hash, in[i]->data, in[i]->size);                          \
		if (nr_in > 0 && ordered(in[0]->data, in[0]->size, "FAIL ") > 0)                   \
			return (int)ordered(in[0]->data, in[0]->size, "FAIL ");                    \
		if (nr_out > nr_in) {                                                              \
			luaccel_set_error("%s echoes: %d inputs cannot give %d outputs",           \
					  WITNESS_NAME, nr_in, nr_out);                            \
			return VACCEL_EINVAL;                                                      \
		}                                                                                  \
		for (done = 0; done < nr_out; done++) {                                            \
			const struct vaccel_##family##_tensor *from = in[done];                    \
                                                                                                   \
			code = vaccel_##family##_tensor_allocate(&out[done], from->nr_dims,        \
								 from->dims, from->data_type,      \
								 from->size);                      \
			if (code)                                                                  \
				break;                                                             \
			if (from->size)                                                            \
				memcpy(out[done]->data, from->data, from->size);                   \
		}                                                                                  \
		while (code && done-- > 0) {                                                       \
			vaccel_##family##_tensor_delete(out[done]);                                \
			out[done] = NULL;                                                          \
		}                                                                                  \
		return code;                                                                       \
	}

ECHO(tf)
ECHO(tflite)
ECHO(torch)

int witness_tf_load(struct vaccel_session *sess, struct vaccel_resource *model,
		    struct vaccel_tf_status *status)
{
	testify("tf_load", model, sess);
	return answer_tf(status, ordered_by(model), WITNESS_HASH);
}

int witness_tf_unload(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tf_status *status)
{
	testify("tf_unload", model, sess);
	return answer_tf(status, -1, WITNESS_HASH);
}

int witness_tf_run(struct vaccel_session *sess, struct vaccel_resource *model,
		   const struct vaccel_tf_buffer *run_options,
		   const struct vaccel_tf_node *in_nodes, struct vaccel_tf_tensor *const *in,
		   int nr_in, const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out,
		   int nr_out, struct vaccel_tf_status *status)
{
	uint64_t hash;
	long failure = -1;
	int code;

	testify("tf_run", model, sess);
	if (nr_in)
		failure = ordered(in_nodes[0].name, strlen(in_nodes[0].name), "FAIL ");
	if (failure > 0)
		return answer_tf(status, failure, 0);
	code = echo_tf(in, nr_in, out, nr_out, &hash);
	if (code)
		return code;
	for (int i = 0; i < nr_in; i++)
		hash = hash_on(hash, in_nodes[i].name, strlen(in_nodes[i].name));
	for (int i = 0; i < nr_out; i++)
		hash = hash_on(hash, out_nodes[i].name, strlen(out_nodes[i].name));
	if (run_options)
		hash = hash_on(hash, run_options->data, run_options->size);
	return answer_tf(status, -1, hash);
}

int witness_tflite_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const long failure = ordered_by(model);

	testify("tflite_load", model, sess);
	return failure > 0 ? (int)failure : VACCEL_OK;
}

int witness_tflite_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	testify("tflite_unload", model, sess);
	return VACCEL_OK;
}

int witness_tflite_run(struct vaccel_session *sess, struct vaccel_resource *model,
		       struct vaccel_tflite_tensor *const *in, int nr_in,
		       struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status)
{
	uint64_t hash;
	int code;

	testify("tflite_run", model, sess);
	code = echo_tflite(in, nr_in, out, nr_out, &hash);
	if (status)
		*status = code ? STATUS_FAILED : STATUS_LITE;
	return code;
}

int witness_torch_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	testify("load", model, sess);
	return VACCEL_OK;
}

int witness_torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_torch_buffer *run_options,
		      struct vaccel_torch_tensor *const *in, int nr_in,
		      struct vaccel_torch_tensor **out, int nr_out)
{
	uint64_t hash;

	(void)sess;
	(void)model;
	(void)run_options;
#ifdef WITNESS_FRAIL
	luaccel_set_error("%s runs no models", WITNESS_NAME);
	return VACCEL_EIO;
#endif
	return echo_torch(in, nr_in, out, nr_out, &hash);
}
