/*
 * exec.c - operations that take the caller's own arguments: functions of libraries, and opencv.
 *
 * A library's name is a path on the agent's side; a resource's library is one that this session has
 * registered, and travels as the agent's id of it.
 */
#include "rpc.h"
#include <string.h>

static struct vaccel_arg text_arg(const char *text)
{
	return rpc_arg(VACCEL_ARG_STRING, text, strlen(text) + 1);
}

int rpc_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
	     struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	if (!library || !fn_symbol)
		return rpc_fail(VACCEL_EINVAL, "no library or no function of it was named");
	const struct vaccel_arg head[] = { text_arg(library), text_arg(fn_symbol) };

	return rpc_genop(sess, &(struct rpc_genop){
				       .op = VACCEL_OP_EXEC,
				       .head = head,
				       .nr_head = 2,
				       .read = read,
				       .nr_read = nr_read,
				       .write = write,
				       .nr_write = nr_write,
			       });
}

int rpc_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
			   const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			   struct vaccel_arg *write, size_t nr_write)
{
	struct rpc_session *session;
	int64_t remote_id = 0;
	int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	if (!resource || !fn_symbol)
		return rpc_fail(VACCEL_EINVAL, "no library or no function of it was named");
	ret = rpc_resource_remote_id(session, resource, &remote_id);
	if (ret != VACCEL_OK)
		return ret;
	const struct vaccel_arg head[] = {
		rpc_arg(VACCEL_ARG_INT64, &remote_id, sizeof(remote_id)),
		text_arg(fn_symbol),
	};

	return rpc_genop(sess, &(struct rpc_genop){
				       .op = VACCEL_OP_EXEC_WITH_RESOURCE,
				       .head = head,
				       .nr_head = 2,
				       .read = read,
				       .nr_read = nr_read,
				       .write = write,
				       .nr_write = nr_write,
			       });
}

int rpc_opencv(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
	       struct vaccel_arg *write, int nr_write)
{
	if (nr_read < 0 || nr_write < 0)
		return rpc_fail(VACCEL_EINVAL, "opencv was given %d arguments to read, %d to write",
				nr_read, nr_write);
	return rpc_genop(sess, &(struct rpc_genop){
				       .op = VACCEL_OP_OPENCV,
				       .read = read,
				       .nr_read = (size_t)nr_read,
				       .write = write,
				       .nr_write = (size_t)nr_write,
			       });
}
