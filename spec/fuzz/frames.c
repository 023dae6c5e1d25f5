/*
 * frames.c - fuzz target: runtime/ttrpc/reader.c and frame.c.
 *
 *     input: how to cut (1 byte) | the stream
 *
 * The stream is fed in pieces, as two ways of receiving would have it, and must come out as the
 * frames that lie in it, whatever the pieces, in memory that what arrived accounts for.
 */
#include "fuzz.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 68 << 10 }; /* what a body may take from its first byte */

struct stream {
	struct ttrpc_reader reader;
	const uint8_t *frame; /* where the frame in progress begins */
	const uint8_t *end;
	uint32_t random; /* where to cut next */
};

static size_t cut(struct stream *stream, size_t most)
{
	size_t n;

	stream->random = stream->random * 1103515245 + 12345;
	n = (stream->random >> 16) % 64;
	/* Now and then a long piece. */
	n = n == 63 ? most : n + 1;
	return n < most ? n : most;
}

static void check_header(struct stream *stream)
{
	const struct ttrpc_frame_header *header = &stream->reader.header;
	uint8_t bytes[TTRPC_HEADER_SIZE];

	fuzz_check((size_t)(stream->end - stream->frame) >= sizeof(bytes));
	ttrpc_frame_header_pack(header, bytes);
	fuzz_check(memcmp(bytes, stream->frame, sizeof(bytes)) == 0);
	/* As a server skips data, and what is too long for it. */
	if (header->type == TTRPC_DATA && header->stream_id % 2)
		ttrpc_reader_discard(&stream->reader);
}

static void check_frame(struct stream *stream)
{
	size_t length = stream->reader.header.length;
	bool discarded = stream->reader.discarding;
	const uint8_t *body = stream->frame + TTRPC_HEADER_SIZE;
	uint8_t *got;

	fuzz_check((size_t)(stream->end - body) >= length && stream->reader.have == length);
	got = ttrpc_reader_take(&stream->reader);
	fuzz_check(discarded || length == 0 ? !got : memcmp(got, body, length) == 0);
	free(got);
	stream->frame = body + length;
}

static void check_memory(const struct stream *stream)
{
	const struct ttrpc_reader *reader = &stream->reader;

	fuzz_check(reader->capacity <= FIRST || reader->capacity <= 2 * reader->have);
	fuzz_check(reader->discarding ? !reader->body : reader->have <= reader->header.length);
}

static void feed(struct stream *stream, const uint8_t *data, size_t size)
{
	int event;

	do {
		event = ttrpc_reader_feed(&stream->reader, &data, &size);
		check_memory(stream);
		fuzz_check(event == READER_MORE || event == READER_HEADER || event == READER_FRAME);
		if (event == READER_HEADER)
			check_header(stream);
		else if (event == READER_FRAME)
			check_frame(stream);
	} while (event != READER_MORE);
	fuzz_check(size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };
	struct stream stream = { .random = fuzz_byte(&input) };

	stream.frame = input.at;
	stream.end = input.end;
	while (fuzz_left(&input) > 0) {
		size_t n = cut(&stream, fuzz_left(&input)), room;
		uint8_t *space = ttrpc_reader_space(&stream.reader, &room);
		const uint8_t *bytes;

		n = space && room < n ? room : n;
		bytes = fuzz_bytes(&input, &n);
		if (space) {
			memcpy(space, bytes, n);
			ttrpc_reader_filled(&stream.reader, n);
			n = 0;
		}
		feed(&stream, bytes, n);
	}
	fuzz_check(ttrpc_reader_within_frame(&stream.reader) == (stream.frame < stream.end));
	ttrpc_reader_release(&stream.reader);
	return 0;
}
