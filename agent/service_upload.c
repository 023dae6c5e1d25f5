/*
 * service_upload.c - Upload, for peers of our own: a resource whose bytes come in pieces, or need
 * not come because they are here.
 *
 *     offer ── what is wanted ──▶ pieces, each written by a worker ──▶ the resource is registered
 *
 * A piece goes to its content (content.h) as it comes, and its frame is freed, so an upload of any
 * size holds no more than UPLOAD_WINDOW pieces of memory. A peer that sends more than that ahead is
 * refused: its connection never waits for a disk. Pieces take their turn with the peer's operations
 * (gate.h).
 *
 * What is claimed must fit the limits before the first piece is asked for, what has come is charged
 * when it comes, and what is here already is charged in full to each holder. Whatever goes wrong,
 * the upload lets go of its resource and nothing is left of it: the names, sizes and digests of the
 * offer bind the peer.
 */
#include "reply.h"
#include "upload.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing more is taken. The resource is the caller's to let go of. */
static struct resource *settle(struct upload *upload)
{
	struct resource *resource = upload->resource;

	upload->done = true;
	upload->resource = NULL;
	ev_timer_stop(ttrpc_conn_loop(upload->request->conn), &upload->idle);
	return resource;
}

/* The request is to be answered after this, and may be gone then. */
struct ttrpc_request *upload_give_up(struct upload *upload)
{
	struct resource *resource = settle(upload);

	if (resource)
		resource_unref(resource);
	return upload->request;
}

bool upload_refuse(struct upload *upload, const char *format, ...)
{
	char reason[160];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	reply_status(upload_give_up(upload), TTRPC_INVALID_ARGUMENT, "Upload: %s", reason);
	return false;
}

bool upload_refuse_code(struct upload *upload, int code, const char *reason)
{
	reply_vaccel(upload_give_up(upload), code, reason);
	return false;
}

bool upload_refuse_limit(struct upload *upload, int code, const char *why)
{
	reply_limit(upload_give_up(upload), code, why);
	return false;
}

/* The peer has gone, or has an answer. */
static void abandon(struct upload *upload)
{
	reply_status(upload_give_up(upload), TTRPC_CANCELLED, "cut");
}

static bool is_in_vain(const struct upload *upload)
{
	return upload->request->cut || !ttrpc_conn_is_open(upload->request->conn);
}

static bool decode(struct upload *upload, struct ttrpc_data *data,
		   const Luaccel__V1__UploadRequest **message)
{
	ProtobufCMessage *decoded;
	char reason[120] = "";
	int code = ttrpc_data_decode(data, &luaccel__v1__upload_request__descriptor, &decoded,
				     reason, sizeof(reason));

	if (code == -EBADMSG)
		return upload_refuse(upload, "%s", reason);
	if (code)
		return upload_refuse_limit(upload, VACCEL_ENOMEM, reason);
	*message = (const Luaccel__V1__UploadRequest *)decoded;
	return true;
}

/* The first part that is not whole comes next. */
static void go_to_next_part(struct upload *upload)
{
	const struct resource *resource = upload->resource;

	while (upload->at < resource->nr_parts && resource->parts[upload->at].content &&
	       resource->parts[upload->at].content->sealed)
		upload->at++;
}

/* A peer that reads no answer to its pieces is sent no more of them. */
bool upload_answer(struct upload *upload, const Luaccel__V1__UploadResponse *response)
{
	int code = ttrpc_request_send(upload->request, &response->base, NULL, NULL);

	if (code == -EAGAIN)
		return upload_refuse(upload, "the answers to its pieces are not read");
	return code ? upload_refuse_code(upload, VACCEL_ENOMEM, "out of memory") : true;
}

/* The message stays: names and digests are in it. */
static bool take_offer(struct upload *upload, struct ttrpc_data *data)
{
	const Luaccel__V1__UploadRequest *message;

	if (!decode(upload, data, &message) || !upload_take_offer(upload, message->offer))
		return false;
	go_to_next_part(upload);
	return true;
}

/* A peer that sends too much ahead is told so when the worker has ended, and gets no further. */
static void keep_piece(struct upload *upload, struct ttrpc_data *data)
{
	upload->flooded |= upload->nr_pieces == UPLOAD_WINDOW;
	if (upload->flooded)
		ttrpc_data_free(data);
	else
		upload->pieces[upload->nr_pieces++] = data;
}

static void drop_piece(struct upload *upload)
{
	ttrpc_data_free(upload->pieces[0]);
	upload->nr_pieces--;
	memmove(upload->pieces, upload->pieces + 1, upload->nr_pieces * sizeof(*upload->pieces));
}

static void step(struct upload *upload);

static struct upload *upload_of(struct job *job)
{
	return (struct upload *)((char *)job - offsetof(struct upload, job));
}

static void write_run(struct job *job)
{
	struct upload *upload = upload_of(job);

	upload->code =
		content_write(upload->resource->parts[upload->at].content, upload->piece.data,
			      upload->piece.len, upload->last, upload->why, sizeof(upload->why));
}

/* The part has all its bytes: are they those that were offered? Then others may have them. */
static bool finish_part(struct upload *upload)
{
	const ProtobufCBinaryData *address = &upload->offer->blobs[upload->at]->address;
	struct resource_part *part = &upload->resource->parts[upload->at];

	if (address->len && !digest_equal(part->content->address, address->data))
		return upload_refuse(
			upload,
			"the bytes of blob %zu are not those that were offered; do not "
			"change them meanwhile",
			upload->at);
	if (address->len && upload->resource->type != VACCEL_RESOURCE_LIB)
		part->content = content_publish(part->content);
	go_to_next_part(upload);
	return true;
}

static void write_done(struct job *job)
{
	struct upload *upload = upload_of(job);
	Luaccel__V1__UploadResponse response = LUACCEL__V1__UPLOAD_RESPONSE__INIT;

	upload->busy = false;
	upload->agent->nr_operations--;
	gate_leave(upload->resource->account->gate);
	if (is_in_vain(upload))
		return abandon(upload);
	if (upload->code) {
		upload_refuse_code(upload, upload->code, upload->why);
		return;
	}
	upload->written += upload->piece.len;
	drop_piece(upload);
	if (upload->last && !finish_part(upload))
		return;
	response.written = upload->written;
	ttrpc_request_progressed(upload->request);
	ev_timer_again(ttrpc_conn_loop(upload->request->conn), &upload->idle);
	if (upload_answer(upload, &response))
		step(upload);
}

static void admitted(struct pass *pass)
{
	struct upload *upload = (struct upload *)((char *)pass - offsetof(struct upload, pass));

	upload->job = (struct job){ .run = write_run, .done = write_done };
	pool_submit(upload->agent->pool, &upload->job);
}

/* Does the piece fit what was offered, and what the peer may have? */
static bool take_piece(struct upload *upload, const ProtobufCBinaryData *piece)
{
	struct resource *resource = upload->resource;
	struct resource_part *part;
	size_t left;
	char why[160];
	int ret;

	if (upload->at == resource->nr_parts)
		return upload_refuse(upload, "a piece comes after the last byte that was wanted");
	part = &resource->parts[upload->at];
	left = part->size - (part->content ? part->content->size : 0);
	if (!piece->len || piece->len > UPLOAD_PIECE_MAX || piece->len > left)
		return upload_refuse(upload, "a piece of %zu bytes comes where 1 to %zu may",
				     piece->len, left < UPLOAD_PIECE_MAX ? left : UPLOAD_PIECE_MAX);
	ret = resource_charge(resource, part->type, piece->len, why, sizeof(why));
	if (ret)
		return upload_refuse_limit(upload, ret, why);
	if (!part->content)
		part->content = content_new(upload->agent, resource->type == VACCEL_RESOURCE_LIB);
	if (!part->content)
		return upload_refuse_code(upload, VACCEL_ENOMEM, "out of memory");
	upload->piece = *piece;
	upload->last = piece->len == left;
	return true;
}

static void begin_piece(struct upload *upload)
{
	const Luaccel__V1__UploadRequest *message;

	if (!decode(upload, upload->pieces[0], &message) || !take_piece(upload, &message->piece))
		return;
	upload->busy = true;
	upload->agent->nr_operations++;
	upload->pass.admitted = admitted;
	gate_enter(upload->resource->account->gate, &upload->pass);
}

static void uploaded(struct operation *operation)
{
	Luaccel__V1__UploadResponse response = LUACCEL__V1__UPLOAD_RESPONSE__INIT;

	response.resource_id = operation->resource->id;
	operation_reply(operation, &response.base);
}

static const struct operation_class upload_class = {
	.method = "Upload resource",
	.kind = OPERATION_REGISTER,
	.reply = uploaded,
};

/* From here on it is registered as any other. The session may have gone meanwhile. */
static void hand_on(struct upload *upload)
{
	struct ttrpc_request *request = upload->request;
	const Luaccel__V1__UploadOffer *offer = upload->offer;
	struct resource *resource = settle(upload);
	struct session *session =
		service_session(ttrpc_conn_user(request->conn), offer->session_id, request);

	if (session)
		service_start(&upload_class, VACCEL_OP_NOOP, session, resource, request,
			      &offer->base);
	resource_unref(resource);
}

static void step(struct upload *upload)
{
	const struct resource *resource = upload->resource;

	if (upload->busy)
		return;
	if (upload->flooded)
		upload_refuse(upload, "more than %d pieces are under way", UPLOAD_WINDOW);
	else if (upload->nr_pieces)
		begin_piece(upload);
	else if (upload->at == resource->nr_parts && (upload->request->ended || !upload->nr_wanted))
		hand_on(upload);
	else if (upload->request->ended)
		upload_refuse(upload, "it ends before the last byte of blob %zu", upload->at);
}

static void go_on(struct ttrpc_request *request)
{
	struct upload *upload = request->user;
	struct ttrpc_data *data;

	if (upload->done)
		return;
	if (request->cut && upload->busy)
		return; /* write_done() looks */
	if (request->cut)
		return abandon(upload);
	ev_timer_again(ttrpc_conn_loop(upload->request->conn), &upload->idle);
	while ((data = ttrpc_request_take(request)))
		if (upload->offer)
			keep_piece(upload, data);
		else if (!take_offer(upload, data))
			return;
	if (upload->offer)
		step(upload);
	else if (request->ended)
		upload_refuse(upload, "it ends before its offer");
}

/* Like a frame that does not complete. It is no fault of the peer while we write, or do not read.
 */
static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct upload *upload = timer->data;

	(void)loop;
	(void)events;
	if (upload->busy || !ttrpc_conn_is_reading(upload->request->conn))
		return;
	reply_status(upload_give_up(upload), TTRPC_DEADLINE_EXCEEDED,
		     "limit frame-timeout: nothing more of the upload came for %zu s",
		     upload->agent->limits.frame_timeout);
}

static void begin(struct connection *connection, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	(void)message;
	if (!upload)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	upload->stream.go_on = go_on;
	upload->request = request;
	upload->agent = connection->agent;
	request->user = upload;
	request->forget = free;
	ev_timer_init(&upload->idle, on_idle, 0., (double)upload->agent->limits.frame_timeout);
	upload->idle.data = upload;
	go_on(request);
}

const struct method upload_methods[] = {
	{ "Upload", NULL, begin },
	{ NULL, NULL, NULL },
};
