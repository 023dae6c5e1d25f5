/*
 * model.c - what TensorFlow, TensorFlow Lite and PyTorch models share: finding one, loading and
 * unloading it, and the status that TensorFlow gives beside a code. A model is a resource that the
 * session has registered.
 */
#include "empty.pb-c.h"
#include "frame.h"
#include "rpc.h"
#include "torch.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 1024 };

int rpc_model_find(struct vaccel_session *sess, const struct vaccel_resource *res,
		   struct rpc_model *model)
{
	int ret = rpc_session_of(sess, &model->session);

	if (ret != VACCEL_OK)
		return ret;
	if (!res)
		return rpc_fail(VACCEL_EINVAL, "no model was given");
	model->session_id = sess->remote_id;
	return rpc_resource_remote_id(model->session, res, &model->id);
}

/* A code beyond a byte stays a failure's. */
void rpc_status_take(struct rpc_status *status, const Vaccel__Status *from)
{
	if (!from)
		return;
	status->given = true;
	status->code = from->code < UINT8_MAX ? (uint8_t)from->code : UINT8_MAX;
	free(status->message);
	status->message = strdup(from->message);
}

/* What a failure says of itself: its own status, if its details have one. */
static void take_failure(struct rpc_status *status, const struct ttrpc_status *failure)
{
	const Vaccel__Error *error;
	struct ttrpc_arena arena;

	ttrpc_arena_init(&arena, RPC_DETAIL_BUDGET);
	error = rpc_error_of(failure, &arena);
	if (error && error->type == VACCEL__ERROR_TYPE__FFI_WITH_STATUS)
		rpc_status_take(status, error->status);
	ttrpc_arena_release(&arena);
}

/* A call for a model, as rpc_call(); a failure's status is kept. */
int rpc_model_call(const struct rpc_model *model, const char *method,
		   const ProtobufCMessage *request, const ProtobufCMessageDescriptor *response_type,
		   struct rpc_status *status, struct ttrpc_answer *answer)
{
	struct rpc_connection *conn = model->session->conn;
	int ret = rpc_exchange(conn, method, request, response_type, answer);

	if (ret == 0 && answer->status.code != TTRPC_OK)
		take_failure(status, &answer->status);
	return rpc_outcome(conn, method, request, ret, answer);
}

/* The requests to load and to unload have the same two fields in all families. */
int rpc_model_command(struct vaccel_session *sess, const struct vaccel_resource *res,
		      const char *method, const ProtobufCMessageDescriptor *response_type,
		      struct rpc_status *status, struct ttrpc_answer *answer)
{
	Vaccel__Torch__ModelLoadRequest request = VACCEL__TORCH__MODEL_LOAD_REQUEST__INIT;
	struct rpc_model model;
	int ret = rpc_model_find(sess, res, &model);

	if (ret != VACCEL_OK)
		return ret;
	request.session_id = model.session_id;
	request.model_id = model.id;
	return rpc_model_call(&model, method, &request.base, response_type, status, answer);
}

/* For those whose answer is empty. */
int rpc_model_plain_command(struct vaccel_session *sess, const struct vaccel_resource *res,
			    const char *method)
{
	struct rpc_status status = { 0 };
	struct ttrpc_answer answer;
	int ret =
		rpc_model_command(sess, res, method, &vaccel__empty__descriptor, &status, &answer);

	if (ret == VACCEL_OK)
		ttrpc_answer_release(&answer);
	rpc_status_release(&status);
	return ret;
}

/*
 * At a call's end: the status as the caller is to have it. A failure without a status of its own
 * is 255, and its sentence.
 */
void rpc_status_settle(struct rpc_status *status, int ret)
{
	char sentence[SENTENCE_MAX] = "";

	if (status->given)
		return;
	if (ret != VACCEL_OK) {
		luaccel_last_error(sentence, sizeof(sentence));
		status->code = UINT8_MAX;
	}
	status->message = strdup(sentence);
}

void rpc_status_release(struct rpc_status *status)
{
	free(status->message);
	status->message = NULL;
}
