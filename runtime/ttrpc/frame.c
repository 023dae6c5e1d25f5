/*
 * frame.c - the ten bytes in front of every frame. Pure functions.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>

void ttrpc_frame_header_pack(const struct ttrpc_frame_header *header,
			     uint8_t out[TTRPC_HEADER_SIZE])
{
	const uint32_t words[2] = { htonl(header->length), htonl(header->stream_id) };

	memcpy(out, words, sizeof(words));
	out[8] = header->type;
	out[9] = header->flags;
}

void ttrpc_frame_header_unpack(const uint8_t in[TTRPC_HEADER_SIZE],
			       struct ttrpc_frame_header *header)
{
	uint32_t words[2];

	memcpy(words, in, sizeof(words));
	header->length = ntohl(words[0]);
	header->stream_id = ntohl(words[1]);
	header->type = in[8];
	header->flags = in[9];
}
