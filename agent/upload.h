/*
 * upload.h - an upload under way: what was offered, what has come of it, and its end. Shared by
 * upload_offer.c, which begins it, and service_upload.c, which takes the pieces. The loop's thread.
 */
#ifndef AGENT_UPLOAD_H
#define AGENT_UPLOAD_H

#include "peer.pb-c.h"
#include "service.h"

enum { UPLOAD_WINDOW = 8, UPLOAD_PIECE_MAX = 512 << 10 };

struct upload {
	struct service_stream stream; /* first */
	struct ttrpc_request *request;
	struct agent *agent;
	const Luaccel__V1__UploadOffer *offer; /* in the request; NULL before it came */
	struct resource *resource;	       /* counted; let go of when the upload ends */
	size_t nr_wanted;		       /* of its parts */
	size_t at;			       /* the part that comes: all before are whole */
	uint64_t written;
	struct ttrpc_data *pieces[UPLOAD_WINDOW]; /* oldest first; a worker may write the first */
	size_t nr_pieces;
	bool busy;    /* it does */
	bool flooded; /* more came than may be under way */
	bool done;    /* answered, or an operation does that */
	ev_timer idle;
	/* the worker's, while busy */
	struct pass pass;
	struct job job;
	ProtobufCBinaryData piece;
	bool last;
	int code;
	char why[160];
};

/*
 * Each answers the request, when no worker is busy, and lets go of the resource; the upload may be
 * gone then. False, for who returns it.
 */
__attribute__((format(printf, 2, 3))) bool upload_refuse(struct upload *upload, const char *format,
							 ...);
bool upload_refuse_code(struct upload *upload, int code, const char *reason);
bool upload_refuse_limit(struct upload *upload, int code, const char *why);
/* The same, but for the answer: it is the caller's to give to the request. */
struct ttrpc_request *upload_give_up(struct upload *upload);

/* Say how it goes. False: it has been refused, since its peer reads no answers. */
bool upload_answer(struct upload *upload, const Luaccel__V1__UploadResponse *response);

/*
 * The offer, which lives as long as the request (NULL: none was made): check it and the limits,
 * find what is here, ask for the rest. False: it has been refused.
 */
bool upload_take_offer(struct upload *upload, const Luaccel__V1__UploadOffer *offer);

#endif
