/*
 * control.h - the operator's socket: service luaccel.v1.Control (runtime/proto/control.proto).
 *
 * A ttrpc server of its own on the agent's loop, so that it answers whatever guests do: their
 * limits are not its, and it stays open while the agent drains. The socket file is 0600, and a peer
 * that is neither root nor the agent's user is refused whatever the file's mode has become. The
 * loop's thread.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "connection.h"
#include "lifecycle.h"

struct control {
	struct lifecycle *life;
	struct ttrpc_server *server;
};

/* Listen at `uri`, a unix address. 0, or a negative errno with the sentence in err. */
int control_new(struct lifecycle *life, const char *uri, struct control **control, char *err,
		size_t errsize);
/* NULL is fine, here and below. */
void control_free(struct control *control);

/* Has every answer left? */
bool control_is_quiet(const struct control *control);

/* ---- control_list.c: the answers that list things */

void control_info(struct control *control, struct ttrpc_request *request,
		  const ProtobufCMessage *message);
void control_sessions(struct control *control, struct ttrpc_request *request,
		      const ProtobufCMessage *message);

#endif
