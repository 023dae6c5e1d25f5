/*
 * service_image.c - ImageClassification.
 */
#include "image.pb-c.h"
#include "service.h"
#include <stdlib.h>

/* On the wire the tags are always so many bytes, and there is no image name. */
enum { TAGS_SIZE = 1024 };

static int classify(struct operation *operation, struct vaccel_session *leg,
		    struct vaccel_resource *model)
{
	const Vaccel__Image__Request *request = (const Vaccel__Image__Request *)operation->message;
	unsigned char name[TAGS_SIZE] = { 0 };

	(void)model; /* the plugin finds the session's own */
	operation->result = calloc(1, TAGS_SIZE);
	if (!operation->result)
		return VACCEL_ENOMEM;
	operation->bytes_out = TAGS_SIZE;
	return vaccel_image_classification(leg, request->image.data, operation->result, name,
					   request->image.len, TAGS_SIZE, sizeof(name));
}

static void classified(struct operation *operation)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	response.tags.data = operation->result;
	response.tags.len = TAGS_SIZE;
	operation_reply(operation, &response.base);
}

static void release(struct operation *operation)
{
	free(operation->result);
}

static const struct operation_class classify_class = {
	.method = "Image classification",
	.kind = OPERATION_RUN,
	.run = classify,
	.reply = classified,
	.release = release,
	.pure = true,
};

static void image_classification(struct connection *connection, struct ttrpc_request *request,
				 const ProtobufCMessage *message)
{
	const Vaccel__Image__Request *image = (const Vaccel__Image__Request *)message;
	struct session *session = service_session(connection, image->session_id, request);

	if (session)
		service_start(&classify_class, VACCEL_OP_IMAGE_CLASSIFY, session, NULL, request,
			      message);
}

const struct method image_methods[] = {
	{ "ImageClassification", &vaccel__image__request__descriptor, image_classification },
	{ NULL, NULL, NULL },
};
