/*
 * reply.h - failures on the wire, in the forms that vAccel's clients know. Each answers the
 * request, which is gone afterwards. The loop's thread.
 */
#ifndef AGENT_REPLY_H
#define AGENT_REPLY_H

#include "server.h"

/* A ttrpc status without details: the client's program gets EIO. */
__attribute__((format(printf, 3, 4))) void reply_status(struct ttrpc_request *request, int code,
							const char *format, ...);

/* An operation failed with a VACCEL_* code; reason may be empty. */
void reply_vaccel(struct ttrpc_request *request, int vaccel_code, const char *reason);

/* One whose family of models has a status of its own failed; message may be empty. */
void reply_model(struct ttrpc_request *request, int vaccel_code, int status, const char *message);

/* The agent refuses: by policy, by --allow; over a limit; while draining. */
void reply_refused(struct ttrpc_request *request, int vaccel_code, const char *reason);
void reply_limit(struct ttrpc_request *request, int vaccel_code, const char *reason);
void reply_draining(struct ttrpc_request *request);

/* Strings on the wire are UTF-8, whatever peers and plugins make them of: in place. */
void reply_make_utf8(char *text);

/* What the original's bindings call an invalid argument and a failed conversion. */
void reply_invalid_argument(struct ttrpc_request *request, const char *what);
void reply_invalid_id(struct ttrpc_request *request, long long id);
void reply_conversion(struct ttrpc_request *request, const char *what);

#endif
