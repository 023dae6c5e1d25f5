/*
 * encode.h - what the senders of frames need beside message.h. Private to runtime/ttrpc.
 */
#ifndef TTRPC_ENCODE_H
#define TTRPC_ENCODE_H

#include "message.h"

/*
 * Bulk of at least so many bytes is referenced where it lies; what is shorter is copied. Nothing
 * that protobuf-c builds on its stack is nearly as long.
 */
enum { TTRPC_REFERENCE_MIN = 512 };

/* Give a packed frame its stream id and its flags. */
void ttrpc_out_set_stream(struct ttrpc_out *out, uint32_t stream_id, uint8_t flags);

/* Pack a data frame: the message alone, or nothing. Errors as of ttrpc_out_request(). */
int ttrpc_out_data(struct ttrpc_out *out, uint32_t stream_id, uint8_t flags,
		   const ProtobufCMessage *message, size_t max);

/* Pack a frame that is a header alone, with stream number 0. */
int ttrpc_out_header(struct ttrpc_out *out, uint8_t type);

#endif
