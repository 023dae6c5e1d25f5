/*
 * genop.c - a generic operation on the agent: lists of arguments there and back.
 *
 * Arguments travel by reference; write arguments travel both ways, as the wire has it.
 */
#include "genop.pb-c.h"
#include "rpc.h"
#include <stdlib.h>
#include <string.h>

struct wire_args {
	Vaccel__Genop__Arg **list;
	Vaccel__Genop__Arg *args;
};

static void describe_arg(const struct vaccel_arg *arg, Vaccel__Genop__Arg *wire)
{
	vaccel__genop__arg__init(wire);
	wire->buf.data = arg->buf;
	wire->buf.len = arg->size;
	wire->size = (uint32_t)arg->size; /* a larger one does not fit a frame */
	wire->arg_type = (uint32_t)arg->type;
	wire->custom_type_id = arg->custom_type_id;
}

/* read, then write; an empty list is no error. */
static int describe_args(struct wire_args *wire, const struct vaccel_arg *read, size_t nr_read,
			 const struct vaccel_arg *write, size_t nr_write)
{
	size_t count = nr_read + nr_write;

	wire->list = calloc(count + 1, sizeof(*wire->list));
	wire->args = calloc(count + 1, sizeof(*wire->args));
	if (!wire->list || !wire->args)
		return rpc_fail(VACCEL_ENOMEM, "no memory for an operation of %zu arguments",
				count);
	for (size_t i = 0; i < count; i++) {
		describe_arg(i < nr_read ? &read[i] : &write[i - nr_read], &wire->args[i]);
		wire->list[i] = &wire->args[i];
	}
	return VACCEL_OK;
}

/*
 * The agent's write arguments into the caller's: as many, and none longer, or nothing is written.
 * Of a shorter one the rest stays as it was, and its size becomes that of what came.
 */
static int take_back(struct vaccel_arg *write, size_t nr_write,
		     const Vaccel__Genop__Response *response)
{
	if (response->n_write_args != nr_write)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered an operation with %zu write arguments; it has "
				"%zu",
				response->n_write_args, nr_write);
	for (size_t i = 0; i < nr_write; i++) {
		if (response->write_args[i]->buf.len > write[i].size)
			return rpc_fail(VACCEL_EBACKEND,
					"the agent answered an operation with %zu bytes for write "
					"argument %zu, which has %zu",
					response->write_args[i]->buf.len, i, write[i].size);
	}
	for (size_t i = 0; i < nr_write; i++) {
		write[i].size = response->write_args[i]->buf.len;
		if (write[i].size > 0)
			memcpy(write[i].buf, response->write_args[i]->buf.data, write[i].size);
	}
	return VACCEL_OK;
}

int rpc_genop(struct vaccel_session *sess, const struct vaccel_arg *read, size_t nr_read,
	      struct vaccel_arg *write, size_t nr_write)
{
	Vaccel__Genop__Request request = VACCEL__GENOP__REQUEST__INIT;
	struct wire_args wire = { 0 };
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	ret = describe_args(&wire, read, nr_read, write, nr_write);
	if (ret != VACCEL_OK)
		goto free_wire;
	request.session_id = sess->remote_id;
	request.n_read_args = nr_read;
	request.read_args = wire.list;
	request.n_write_args = nr_write;
	request.write_args = wire.list + nr_read;
	ret = rpc_call(session->conn, "Genop", &request.base, &vaccel__genop__response__descriptor,
		       &answer);
	if (ret != VACCEL_OK)
		goto free_wire;
	ret = take_back(write, nr_write, (const Vaccel__Genop__Response *)answer.response);
	ttrpc_answer_release(&answer);
free_wire:
	free(wire.args);
	free(wire.list);
	return ret;
}
