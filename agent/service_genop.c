/*
 * service_genop.c - Genop: operations as lists of arguments.
 *
 * Arguments are used where the request has them, those that are written to as well: the reply
 * sends them from there.
 */
#include "genop.pb-c.h"
#include "reply.h"
#include "service.h"
#include <stdio.h>
#include <stdlib.h>

static void fill(struct vaccel_arg *args, Vaccel__Genop__Arg *const *from, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		args[i] = (struct vaccel_arg){
			.buf = from[i]->buf.data,
			.size = from[i]->buf.len,
			.type = (vaccel_arg_type_t)from[i]->arg_type,
			.custom_type_id = from[i]->custom_type_id,
		};
}

static int genop(struct operation *operation, struct vaccel_session *leg,
		 struct vaccel_resource *model)
{
	const Vaccel__Genop__Request *request = (const Vaccel__Genop__Request *)operation->message;
	size_t nr_read = request->n_read_args, nr_write = request->n_write_args;
	struct vaccel_arg *args = calloc(nr_read + nr_write, sizeof(*args));
	size_t i;
	int ret;

	(void)model;
	if (!args)
		return VACCEL_ENOMEM;
	fill(args, request->read_args, nr_read);
	fill(args + nr_read, request->write_args, nr_write);
	ret = vaccel_genop(leg, args, (int)nr_read, nr_write ? args + nr_read : NULL,
			   (int)nr_write);
	for (i = 0; i < nr_write; i++)
		operation->bytes_out += args[nr_read + i].size;
	free(args);
	return ret;
}

static void answered(struct operation *operation)
{
	const Vaccel__Genop__Request *request = (const Vaccel__Genop__Request *)operation->message;
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;

	response.n_write_args = request->n_write_args;
	response.write_args = request->write_args;
	operation_reply(operation, &response.base);
}

static const struct operation_class genop_class = {
	.method = "Genop",
	.kind = OPERATION_RUN,
	.run = genop,
	.reply = answered,
};

/* True when every argument is one; the request has been answered otherwise. */
static bool acceptable(struct ttrpc_request *request, Vaccel__Genop__Arg *const *args, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const Vaccel__Genop__Arg *arg = args[i];

		if (arg->size != arg->buf.len) {
			reply_conversion(request, "argument size differs from its data's");
			return false;
		}
		if (!arg->size || arg->arg_type >= VACCEL_ARG_MAX) {
			reply_vaccel(request, VACCEL_EINVAL, "");
			return false;
		}
	}
	return true;
}

/* The operation that the first argument names; VACCEL_OP_MAX when it names none. */
static vaccel_op_type_t operation_of(const Vaccel__Genop__Request *genop)
{
	const Vaccel__Genop__Arg *first = genop->n_read_args ? genop->read_args[0] : NULL;

	if (!first || first->arg_type != VACCEL_ARG_UINT8 || first->buf.len != 1 ||
	    first->buf.data[0] >= VACCEL_OP_MAX)
		return VACCEL_OP_MAX;
	return (vaccel_op_type_t)first->buf.data[0];
}

static void call_genop(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	const Vaccel__Genop__Request *genop = (const Vaccel__Genop__Request *)message;
	struct session *session = service_session(connection, genop->session_id, request);
	vaccel_op_type_t type;

	if (!session || !acceptable(request, genop->read_args, genop->n_read_args) ||
	    !acceptable(request, genop->write_args, genop->n_write_args))
		return;
	type = operation_of(genop);
	if (type == VACCEL_OP_MAX)
		return reply_vaccel(request, VACCEL_EINVAL, "");
	if (type == VACCEL_OP_EXEC || type == VACCEL_OP_EXEC_WITH_RESOURCE)
		return reply_refused(request, VACCEL_EPERM,
				     "this agent runs no libraries of its peers");
	service_start(&genop_class, type, session, NULL, request, message);
}

const struct method genop_methods[] = {
	{ "Genop", &vaccel__genop__request__descriptor, call_genop },
	{ NULL, NULL, NULL },
};
