/*
 * service_genop.c - Genop: operations as lists of arguments.
 *
 * Arguments are used where the request has them, those that are written to as well: the reply
 * sends them from there. Operations that take numbers get a copy of what is not aligned in the
 * frame, and what they wrote is copied back.
 */
#include "allow.h"
#include "borrow.h"
#include "genop.h"
#include "luaccel.h"
#include "profile.h"
#include "reply.h"
#include "service.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What vaccel_genop() takes; on a worker. */
struct args {
	struct vaccel_arg *list; /* to read, then to write */
	void **copies;		 /* of each argument, or NULL */
	size_t nr_read, nr_write;
};

static Vaccel__Genop__Arg *wire_arg(const Vaccel__Genop__Request *request, size_t i)
{
	return i < request->n_read_args ? request->read_args[i]
					: request->write_args[i - request->n_read_args];
}

/* Images and their names are bytes. */
static bool takes_numbers(vaccel_op_type_t type)
{
	return type < VACCEL_OP_IMAGE_CLASSIFY || type > VACCEL_OP_IMAGE_DEPTH;
}

/* Arguments `from` to `end`, as one region of the profile. */
static int args_fill(struct args *args, const struct operation *operation, size_t i, size_t end,
		     enum profile_region region)
{
	const Vaccel__Genop__Request *request = (const Vaccel__Genop__Request *)operation->message;
	int ret = VACCEL_OK;

	profile_begin(operation->result, region);
	for (; !ret && i < end; i++) {
		const Vaccel__Genop__Arg *from = wire_arg(request, i);

		args->list[i] = (struct vaccel_arg){
			.buf = from->buf.data,
			.size = from->buf.len,
			.type = (vaccel_arg_type_t)from->arg_type,
			.custom_type_id = from->custom_type_id,
		};
		if (takes_numbers(operation->type))
			ret = borrow(from->buf.data, from->buf.len, &args->list[i].buf,
				     &args->copies[i]);
	}
	profile_end(operation->result, region);
	return ret;
}

static int args_make(struct args *args, const struct operation *operation)
{
	const Vaccel__Genop__Request *request = (const Vaccel__Genop__Request *)operation->message;
	size_t count = request->n_read_args + request->n_write_args;
	int ret;

	args->nr_read = request->n_read_args;
	args->nr_write = request->n_write_args;
	args->list = calloc(count, sizeof(*args->list));
	args->copies = calloc(count, sizeof(void *));
	if (!args->list || !args->copies)
		return VACCEL_ENOMEM;
	ret = args_fill(args, operation, 0, args->nr_read, PROFILE_READ_ARGS);
	return ret ? ret : args_fill(args, operation, args->nr_read, count, PROFILE_WRITE_ARGS);
}

/*
 * What became of one argument goes to where the reply takes it from. A library may have made it
 * shorter, or put other memory there; for more than the peer has room for there is none.
 */
static int arg_written(const struct vaccel_arg *arg, Vaccel__Genop__Arg *to)
{
	if (arg->size > to->buf.len)
		return VACCEL_EBACKEND;
	if (arg->size && arg->buf != to->buf.data)
		memcpy(to->buf.data, arg->buf, arg->size);
	to->buf.len = arg->size;
	to->size = (uint32_t)arg->size;
	to->arg_type = (uint32_t)arg->type;
	to->custom_type_id = arg->custom_type_id;
	return VACCEL_OK;
}

static int args_written(const struct args *args, struct operation *operation)
{
	const Vaccel__Genop__Request *request = (const Vaccel__Genop__Request *)operation->message;
	size_t i;
	int ret = VACCEL_OK;

	for (i = 0; !ret && i < args->nr_write; i++) {
		ret = arg_written(&args->list[args->nr_read + i], request->write_args[i]);
		operation->bytes_out += request->write_args[i]->buf.len;
	}
	if (ret)
		luaccel_set_error("the operation made write argument %zu longer than it was", i);
	return ret;
}

static void args_free(struct args *args)
{
	size_t i;

	for (i = 0; args->copies && i < args->nr_read + args->nr_write; i++)
		free(args->copies[i]);
	for (i = 0; args->list && i < args->nr_read + args->nr_write; i++)
		vaccel_arg_release(&args->list[i]); /* memory that a library put there */
	free(args->copies);
	free(args->list);
}

/*
 * The library is the session's own: its id names it to this agent, and to libvaccel only what
 * stands for it on one backend.
 */
static int exec_with_resource(struct vaccel_session *leg, struct vaccel_resource *library,
			      const struct args *args, struct vaccel_arg *write)
{
	enum { NUMBER, RESOURCE, SYMBOL, OWN };
	const struct vaccel_arg *symbol = &args->list[SYMBOL];

	return vaccel_exec_with_resource(leg, library, symbol->buf,
					 args->nr_read > OWN ? &args->list[OWN] : NULL,
					 args->nr_read - OWN, write, args->nr_write);
}

static int call(struct operation *operation, struct vaccel_session *leg,
		struct vaccel_resource *resource, const struct args *args)
{
	struct vaccel_arg *write = args->nr_write ? args->list + args->nr_read : NULL;

	if (operation->type == VACCEL_OP_NOOP)
		return vaccel_noop(leg);
	if (operation->type == VACCEL_OP_EXEC_WITH_RESOURCE)
		return exec_with_resource(leg, resource, args, write);
	return vaccel_genop(leg, args->list, (int)args->nr_read, write, (int)args->nr_write);
}

static int genop(struct operation *operation, struct vaccel_session *leg,
		 struct vaccel_resource *resource)
{
	struct profile_samples *samples = profile_samples_new();
	struct args args = { 0 };
	int ret;

	operation->result = samples;
	ret = args_make(&args, operation);
	if (ret)
		goto free_args;
	profile_begin(samples, PROFILE_GENOP);
	ret = call(operation, leg, resource, &args);
	profile_end(samples, PROFILE_GENOP);
	if (ret)
		goto free_args;
	profile_begin(samples, PROFILE_RESPONSE);
	ret = args_written(&args, operation);
	profile_end(samples, PROFILE_RESPONSE);

free_args:
	args_free(&args);
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

/* With profiling off there are no samples. */
static void release(struct operation *operation)
{
	profile_add(&operation->session->profile, operation->result);
	free(operation->result);
}

/* Arguments to write have bytes of their own; those to read are the same. */
static const ProtobufCMessage *copy(const ProtobufCMessage *message, struct ttrpc_arena *arena)
{
	const Vaccel__Genop__Request *from = (const Vaccel__Genop__Request *)message;
	const size_t count = from->n_write_args;
	Vaccel__Genop__Request *to = ttrpc_arena_alloc(arena, sizeof(*to));
	Vaccel__Genop__Arg **list = ttrpc_arena_alloc(arena, (count + 1) * sizeof(*list));
	Vaccel__Genop__Arg *args = ttrpc_arena_alloc(arena, (count + 1) * sizeof(*args));
	size_t i;

	if (!to || !list || !args)
		return NULL;
	*to = *from;
	to->write_args = list;
	for (i = 0; i < count; i++) {
		args[i] = *from->write_args[i];
		list[i] = &args[i];
		args[i].buf.data = ttrpc_arena_alloc(arena, args[i].buf.len);
		if (!args[i].buf.data)
			return NULL;
		memcpy(args[i].buf.data, from->write_args[i]->buf.data, args[i].buf.len);
	}
	return &to->base;
}

static const struct operation_class genop_class = {
	.method = "Genop",
	.kind = OPERATION_RUN,
	.run = genop,
	.copy = copy,
	.reply = answered,
	.release = release,
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

/* The library that an exec_with_resource names, or NULL: the request has then been answered. */
static struct resource *library_of(struct connection *connection, struct ttrpc_request *request,
				   const Vaccel__Genop__Request *genop)
{
	Vaccel__Genop__Arg *const *read = genop->read_args;
	struct resource *library;
	int64_t id;

	if (genop->n_read_args < 3 || read[1]->arg_type != VACCEL_ARG_INT64 ||
	    read[1]->buf.len != sizeof(id) || read[2]->arg_type != VACCEL_ARG_STRING ||
	    read[2]->buf.data[read[2]->buf.len - 1]) {
		reply_vaccel(request, VACCEL_EINVAL,
			     "exec_with_resource takes a resource's id (INT64) and a function's "
			     "name (STRING, with its NUL)");
		return NULL;
	}
	memcpy(&id, read[1]->buf.data, sizeof(id));
	library = connection_resource(connection, id);
	if (!library) {
		char reason[80];

		snprintf(reason, sizeof(reason), "Unknown resource %" PRId64, id);
		reply_vaccel(request, VACCEL_ENOENT, reason);
	}
	return library;
}

void genop_start(struct connection *connection, struct ttrpc_request *request,
		 const Vaccel__Genop__Request *genop)
{
	struct session *session = service_session(connection, genop->session_id, request);
	struct resource *library = NULL;
	vaccel_op_type_t type;

	if (!session || !acceptable(request, genop->read_args, genop->n_read_args) ||
	    !acceptable(request, genop->write_args, genop->n_write_args))
		return;
	type = operation_of(genop);
	/* In vAccel's protocol there is no noop. */
	if (type == VACCEL_OP_MAX || (type == VACCEL_OP_NOOP && !connection->ours))
		return reply_vaccel(request, VACCEL_EINVAL, "");
	if ((type == VACCEL_OP_EXEC || type == VACCEL_OP_EXEC_WITH_RESOURCE) &&
	    !connection->agent->allow->exec)
		return reply_refused(
			request, VACCEL_EPERM,
			"this agent calls no functions of libraries for its peers; its "
			"operator permits it with --allow exec");
	if (type == VACCEL_OP_EXEC_WITH_RESOURCE) {
		library = library_of(connection, request, genop);
		if (!library)
			return;
	}
	service_start(&genop_class, type, session, library, request, &genop->base);
}

static void call_genop(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	genop_start(connection, request, (const Vaccel__Genop__Request *)message);
}

const struct method genop_methods[] = {
	{ "Genop", &vaccel__genop__request__descriptor, call_genop },
	{ NULL, NULL, NULL },
};
