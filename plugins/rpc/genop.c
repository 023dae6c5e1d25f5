/*
 * genop.c - a generic operation on the agent: its number and its arguments there, what it wrote
 * back.
 *
 * Arguments travel by reference; write arguments travel both ways, as the wire has it.
 */
#include "genop.pb-c.h"
#include "rpc.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct wire_args {
	Vaccel__Genop__Arg **list;
	Vaccel__Genop__Arg *args;
	size_t count; /* described so far */
};

/* More of them than an `int` counts are not a caller's list. */
static int allocate_args(struct wire_args *wire, const struct rpc_genop *genop)
{
	size_t count;

	if (genop->nr_read > INT_MAX || genop->nr_write > INT_MAX ||
	    (genop->nr_read > 0 && !genop->read) || (genop->nr_write > 0 && !genop->write))
		return rpc_fail(VACCEL_EINVAL,
				"an operation's list of arguments is missing or its count wrong: "
				"%zu to read, %zu to write",
				genop->nr_read, genop->nr_write);
	count = 1 + genop->nr_head + genop->nr_read + genop->nr_write;
	wire->list = calloc(count, sizeof(*wire->list));
	wire->args = calloc(count, sizeof(*wire->args));
	if (!wire->list || !wire->args)
		return rpc_fail(VACCEL_ENOMEM, "no memory for an operation of %zu arguments",
				count);
	return VACCEL_OK;
}

static int describe_args(const struct rpc_connection *conn, struct wire_args *wire,
			 const struct vaccel_arg *args, size_t nr_args)
{
	for (size_t i = 0; i < nr_args; i++) {
		Vaccel__Genop__Arg *arg = &wire->args[wire->count];
		int ret;

		if (!args[i].size || !args[i].buf)
			return rpc_fail(VACCEL_EINVAL,
					"argument %zu of an operation has %zu bytes%s; an agent "
					"takes arguments of one byte or more",
					wire->count, args[i].size,
					args[i].buf ? "" : ", but no memory");
		ret = rpc_check_size(conn, "Genop", args[i].size);
		if (ret != VACCEL_OK)
			return ret;
		vaccel__genop__arg__init(arg);
		arg->buf.data = args[i].buf;
		arg->buf.len = args[i].size;
		arg->size = (uint32_t)args[i].size; /* a frame has less than 4 GiB */
		arg->arg_type = (uint32_t)args[i].type;
		arg->custom_type_id = args[i].custom_type_id;
		wire->list[wire->count++] = arg;
	}
	return VACCEL_OK;
}

/* What an operation of these arguments may write into them: as many, of their type, none longer. */
static int check_answer(const struct rpc_genop *genop, const Vaccel__Genop__Response *response)
{
	if (response->n_write_args != genop->nr_write)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered an operation with %zu write arguments; it has "
				"%zu",
				response->n_write_args, genop->nr_write);
	for (size_t i = 0; i < genop->nr_write; i++) {
		const struct vaccel_arg *asked = &genop->write[i];
		const Vaccel__Genop__Arg *came = response->write_args[i];

		if (came->arg_type != (uint32_t)asked->type)
			return rpc_fail(VACCEL_EBACKEND,
					"the agent answered an operation with type %u for write "
					"argument %zu, which is of type %u",
					came->arg_type, i, (unsigned)asked->type);
		if (came->buf.len > asked->size || (genop->exact && came->buf.len != asked->size))
			return rpc_fail(VACCEL_EBACKEND,
					"the agent answered an operation with %zu bytes for write "
					"argument %zu, which has %zu",
					came->buf.len, i, asked->size);
	}
	return VACCEL_OK;
}

/*
 * The agent's write arguments into the caller's, or nothing is written. Of a shorter one the rest
 * stays as it was, and its size becomes that of what came.
 */
static int take_back(const struct rpc_genop *genop, const Vaccel__Genop__Response *response)
{
	int ret = check_answer(genop, response);

	if (ret != VACCEL_OK)
		return ret;
	for (size_t i = 0; i < genop->nr_write; i++) {
		struct vaccel_arg *arg = &genop->write[i];

		arg->size = response->write_args[i]->buf.len;
		if (arg->size > 0)
			memcpy(arg->buf, response->write_args[i]->buf.data, arg->size);
	}
	return VACCEL_OK;
}

static int call_genop(struct rpc_session *session, int64_t session_id, struct wire_args *wire,
		      const struct rpc_genop *genop)
{
	Vaccel__Genop__Request request = VACCEL__GENOP__REQUEST__INIT;
	struct ttrpc_answer answer;
	int ret;

	request.session_id = session_id;
	request.n_read_args = wire->count - genop->nr_write;
	request.read_args = wire->list;
	request.n_write_args = genop->nr_write;
	request.write_args = wire->list + request.n_read_args;
	if (rpc_genop_streams(session->conn, &request))
		ret = rpc_genop_stream(session->conn, &request, &answer);
	else
		ret = rpc_call(session->conn, "Genop", &request.base,
			       &vaccel__genop__response__descriptor, &answer);
	if (ret != VACCEL_OK)
		return ret;
	ret = take_back(genop, (const Vaccel__Genop__Response *)answer.response);
	ttrpc_answer_release(&answer);
	return ret;
}

int rpc_genop(struct vaccel_session *sess, const struct rpc_genop *genop)
{
	uint8_t number = (uint8_t)genop->op;
	const struct vaccel_arg op = rpc_arg(VACCEL_ARG_UINT8, &number, sizeof(number));
	struct wire_args wire = { 0 };
	struct rpc_session *session;
	int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	ret = allocate_args(&wire, genop);
	if (ret == VACCEL_OK)
		ret = describe_args(session->conn, &wire, &op, 1);
	if (ret == VACCEL_OK)
		ret = describe_args(session->conn, &wire, genop->head, genop->nr_head);
	if (ret == VACCEL_OK)
		ret = describe_args(session->conn, &wire, genop->read, genop->nr_read);
	if (ret == VACCEL_OK)
		ret = describe_args(session->conn, &wire, genop->write, genop->nr_write);
	if (ret == VACCEL_OK)
		ret = call_genop(session, sess->remote_id, &wire, genop);
	free(wire.args);
	free(wire.list);
	return ret;
}

/* Nothing at all, as Genop's operation 0: vAccel's own agents refuse it. */
int rpc_noop(struct vaccel_session *sess)
{
	struct rpc_session *session;
	const int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	if (!session->conn->takes_noop)
		return rpc_fail(VACCEL_ENOTSUP,
				"noop has no form in vAccel's protocol, and the agent at %s speaks "
				"nothing beyond it",
				session->conn->uri);
	return rpc_genop(sess, &(struct rpc_genop){ .op = VACCEL_OP_NOOP });
}
