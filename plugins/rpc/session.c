/*
 * session.c - sessions of the agent behind sessions of the application.
 */
#include "empty.pb-c.h"
#include "rpc.h"
#include "session.pb-c.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/*
 * CreateSession on this connection. *again: it was at rest and turned out lost only now (the agent
 * was restarted), so that another one is worth a try; no sentence is left then.
 */
static int create(struct rpc_connection *conn, bool fresh, uint32_t flags,
		  const struct luaccel_target *target, int64_t *remote_id, bool *again)
{
	Vaccel__Session__CreateRequest request = VACCEL__SESSION__CREATE_REQUEST__INIT;
	struct ttrpc_answer answer;
	int ret;

	request.flags = flags;
	if (target && !conn->plain) {
		request.n_luaccel_via = target->nr_via;
		request.luaccel_via = (uint64_t *)target->via; /* only read */
	}
	ret = rpc_exchange(conn, "CreateSession", &request.base,
			   &vaccel__session__create_response__descriptor, &answer);
	*again = ret == -ECONNRESET && !fresh && !atomic_load(&conn->severed);
	if (*again)
		return VACCEL_ESESS;
	ret = rpc_outcome(conn, "CreateSession", &request.base, ret, &answer);
	if (ret != VACCEL_OK)
		return ret;
	*remote_id = ((const Vaccel__Session__CreateResponse *)answer.response)->session_id;
	ttrpc_answer_release(&answer);
	if (*remote_id <= 0)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent at %s answered CreateSession with %" PRId64
				", which is no session",
				conn->uri, *remote_id);
	return VACCEL_OK;
}

/* Connect if need be, and create. */
static int connect_and_create(uint32_t flags, const struct luaccel_target *target,
			      struct rpc_connection **conn, int64_t *remote_id)
{
	bool fresh, again;
	int ret;

	do {
		ret = rpc_connection_get(target, conn, &fresh);
		if (ret != VACCEL_OK)
			return ret;
		ret = create(*conn, fresh, flags, target, remote_id, &again);
		if (ret != VACCEL_OK)
			rpc_connection_unref(*conn);
	} while (again);
	return ret;
}

int rpc_session_init_at(struct vaccel_session *sess, uint32_t flags,
			const struct luaccel_target *target)
{
	struct rpc_session *session;
	int64_t remote_id = 0;
	int ret;

	vaccel_debug(RPC_LOG "Initializing new remote session");
	session = calloc(1, sizeof(*session));
	if (!session)
		return rpc_fail(VACCEL_ENOMEM, "no memory for a session");
	ret = connect_and_create(flags & ~(uint32_t)VACCEL_PLUGIN_REMOTE, target, &session->conn,
				 &remote_id);
	if (ret != VACCEL_OK) {
		free(session);
		return ret;
	}
	sess->remote_id = remote_id;
	sess->priv = session;
	vaccel_debug(RPC_LOG "Initialized remote session %" PRId64, sess->remote_id);
	return VACCEL_OK;
}

int rpc_session_init(struct vaccel_session *sess, uint32_t flags)
{
	return rpc_session_init_at(sess, flags, NULL);
}

/* The session's end of ours, if this process may use it. */
int rpc_session_of(const struct vaccel_session *sess, struct rpc_session **session)
{
	*session = sess->priv;
	if (!*session)
		return rpc_fail(VACCEL_ESESS,
				"session %" PRId64 " has no agent: it was opened as a local one; "
				"open it with VACCEL_PLUGIN_REMOTE",
				sess->id);
	if (rpc_connection_inherited((*session)->conn))
		return rpc_fail(VACCEL_ESESS,
				"session %" PRId64 " belongs to process %d, which forked this one; "
				"open a session here",
				sess->id, (int)(*session)->conn->pid);
	return VACCEL_OK;
}

int rpc_session_update(struct vaccel_session *sess, uint32_t flags)
{
	Vaccel__Session__UpdateRequest request = VACCEL__SESSION__UPDATE_REQUEST__INIT;
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	request.session_id = sess->remote_id;
	request.flags = flags & ~(uint32_t)VACCEL_PLUGIN_REMOTE;
	ret = rpc_call(session->conn, "UpdateSession", &request.base, &vaccel__empty__descriptor,
		       &answer);
	if (ret == VACCEL_OK)
		ttrpc_answer_release(&answer);
	return ret;
}

/* DestroySession; on a lost connection the agent has done so already. */
static int destroy(struct rpc_connection *conn, int64_t remote_id)
{
	Vaccel__Session__DestroyRequest request = VACCEL__SESSION__DESTROY_REQUEST__INIT;
	struct ttrpc_answer answer;
	int ret;

	request.session_id = remote_id;
	ret = rpc_exchange(conn, "DestroySession", &request.base, &vaccel__empty__descriptor,
			   &answer);
	if (ret == -ECONNRESET)
		return VACCEL_OK;
	ret = rpc_outcome(conn, "DestroySession", &request.base, ret, &answer);
	if (ret == VACCEL_OK)
		ttrpc_answer_release(&answer);
	return ret;
}

/* Frees our end whatever the agent says. In a forked child there is nothing to say to it. */
int rpc_session_release(struct vaccel_session *sess)
{
	struct rpc_session *session = sess->priv;
	int ret = VACCEL_OK;

	if (!session)
		return rpc_session_of(sess, &session);
	vaccel_debug(RPC_LOG "Releasing remote session %" PRId64, sess->remote_id);
	if (!rpc_connection_inherited(session->conn)) {
		ret = destroy(session->conn, sess->remote_id);
		rpc_resource_forget_session(session);
	}
	rpc_connection_unref(session->conn);
	free(session);
	sess->priv = NULL;
	return ret;
}
