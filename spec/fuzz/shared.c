/*
 * shared.c - fuzz target: runtime/ttrpc/shared.c, segments.c and the part of reader.c that puts
 * segments together.
 *
 *     input: settings (1 byte): how long the rings are, whether some frames are skipped | steps
 *     step:  what (3 bits), which of two ends (1 bit), a number (4 bits) | what the step takes
 *
 * Two ends share memory as an agent and its client do, and send frames to each other, each over a
 * wire of its own that takes and gives pieces as the input says. An end may lie: by its counter, by
 * what it leaves in the ring, by bytes on the wire. Then what goes that way may be anything, but
 * nobody leaves the rings, and what goes the other way stays true. What nobody has lied about must
 * come out as it went in, all of it. The memory is made once; what lies behind the rings is
 * poisoned.
 */
#include "fuzz.h"
#include "reader.h"
#include "segments.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ENDS = 2,
	FRAMES = 64,
	BODY = 50000,
	OFFSETS = 251,
	WIRE = 1 << 17,
	IOVS = 4,
	FIRST = 68 << 10
};
enum setting { RINGS = 3, SKIP = 4 };
enum step { SEND, WRITE, READ, SETTLE, LIE_TAKEN, LIE_BYTES, LIE_WIRE, FLUSH };

struct end {
	struct ttrpc_shared shared;
	struct ttrpc_reader reader;
	bool broken; /* what came cannot be: it reads no more */
	/* What it sends: */
	bool lied; /* the other end may get anything */
	bool sending;
	struct ttrpc_sending state;
	struct ttrpc_out out;
	struct iovec iov[3];
	uint32_t sent, came; /* frames, whose number is their stream_id */
	size_t from, to;     /* on the wire */
	/* From here on it is as the run before has left it. */
	size_t lengths[FRAMES]; /* of what was sent */
	uint8_t frame[TTRPC_HEADER_SIZE + BODY];
	uint8_t wire[WIRE];
};

static struct ttrpc_shared agents, clients;
static uint8_t pattern[BODY + OFFSETS];
static struct end ends[ENDS];
static bool skipping;

static struct end *other(const struct end *end)
{
	return &ends[end == &ends[0]];
}

static const uint8_t *body_of(uint32_t number)
{
	return pattern + number % OFFSETS;
}

static void add(struct ttrpc_out *out, uint8_t *bytes, size_t size)
{
	if (size == 0)
		return;
	out->iov[out->nr_iov++] = (struct iovec){ bytes, size };
	out->size += size;
}

/* A frame: its length, from the input, grows faster than linearly; and where its iovecs are cut. */
static void begin(struct end *end, unsigned number, size_t size, size_t cut)
{
	const struct ttrpc_frame_header header = {
		.length = (uint32_t)(size * size % (BODY + 1)),
		.stream_id = end->sent,
		.type = TTRPC_DATA,
	};
	size_t first = header.length * cut / 512;

	if (end->sending || end->sent == FRAMES)
		return;
	ttrpc_frame_header_pack(&header, end->frame);
	memcpy(end->frame + TTRPC_HEADER_SIZE, body_of(end->sent), header.length);
	end->lengths[end->sent++] = header.length;
	end->out = (struct ttrpc_out){ .iov = end->iov };
	add(&end->out, end->frame, TTRPC_HEADER_SIZE);
	add(&end->out, end->frame + TTRPC_HEADER_SIZE, first);
	add(&end->out, end->frame + TTRPC_HEADER_SIZE + first, header.length - first);
	ttrpc_sending_init(&end->state, &end->out, number != 0);
	end->sending = true;
}

static void put_on_wire(struct end *end, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(end->wire + end->to, bytes, size);
	end->to += size;
}

/* As a socket takes it: at most `most` bytes of what is to be written next. */
static void write_some(struct end *end, size_t most)
{
	struct iovec iov[IOVS];
	size_t n, written = 0;

	if (!end->sending || end->to > WIRE / 2)
		return;
	fuzz_check(ttrpc_shared_room(&end->shared) <= end->shared.ring);
	n = ttrpc_sending_pending(&end->state, &end->out, &end->shared, iov, IOVS);
	for (size_t i = 0; i < n && written < most; i++) {
		size_t part = iov[i].iov_len < most - written ? iov[i].iov_len : most - written;

		put_on_wire(end, iov[i].iov_base, part);
		written += part;
	}
	fuzz_check(ttrpc_sending_advance(&end->state, &end->out, written) == 0);
	end->sending = !ttrpc_sending_is_done(&end->state);
}

static void check_frame(struct end *end)
{
	const struct ttrpc_frame_header header = end->reader.header;
	struct end *peer = other(end);
	bool skipped = end->reader.discarding;
	uint8_t *body;

	fuzz_check(end->reader.have == header.length);
	body = ttrpc_reader_take(&end->reader);
	if (!peer->lied) {
		fuzz_check(header.stream_id == peer->came && header.type == TTRPC_DATA);
		fuzz_check(peer->came < peer->sent && header.length == peer->lengths[peer->came]);
		fuzz_check(header.flags == 0 &&
			   (header.length == 0 || skipped ||
			    memcmp(body, body_of(peer->came), header.length) == 0));
	}
	peer->came++;
	free(body);
}

static void feed(struct end *end, const uint8_t *data, size_t size)
{
	const struct ttrpc_reader *reader = &end->reader;
	int event;

	do {
		event = ttrpc_reader_feed(&end->reader, &data, &size);
		fuzz_check(reader->capacity <= FIRST || reader->capacity <= 2 * reader->have);
		fuzz_check(end->shared.in.taken - end->shared.in.published <= end->shared.ring);
		if (event == READER_HEADER && skipping && reader->header.stream_id % 3 == 1)
			ttrpc_reader_discard(&end->reader);
		if (event == READER_FRAME)
			check_frame(end);
	} while (event > READER_MORE);
	fuzz_check(event == READER_MORE || other(end)->lied);
	end->broken = event < 0;
}

static void read_some(struct end *end, size_t most)
{
	struct end *peer = other(end);
	const uint8_t *bytes = peer->wire + peer->from;
	size_t n = peer->to - peer->from, room;
	uint8_t *space;

	if (end->broken)
		return;
	n = n < most ? n : most;
	space = n > 0 ? ttrpc_reader_space(&end->reader, &room) : NULL;
	n = space && room < n ? room : n;
	peer->from += n;
	if (peer->from == peer->to)
		peer->from = peer->to = 0;
	if (space) {
		memcpy(space, bytes, n);
		ttrpc_reader_filled(&end->reader, n);
		n = 0;
	}
	feed(end, bytes, n);
}

static void settle(struct end *end)
{
	if (!end->broken)
		ttrpc_reader_settle(&end->reader);
}

/* Everything that has begun arrives, whatever the counters say: nobody waits for a ring. */
static void flush(struct end *end)
{
	for (size_t turns = 0; end->sending || end->from < end->to; turns++) {
		fuzz_check(turns < BODY);
		write_some(end, WIRE / 2);
		read_some(other(end), WIRE);
		if (other(end)->broken)
			end->from = end->to = 0;
	}
	settle(other(end));
	fuzz_check(end->lied || end->came == end->sent);
}

/* The counter of what this end has taken from the other. */
static void lie_taken(struct end *end, unsigned number, struct fuzz_input *input)
{
	uint64_t taken = atomic_load(end->shared.in.counter);

	for (unsigned i = 0; i < 4; i++)
		taken = number & 1 ? taken + fuzz_byte(input) : taken << 16 | fuzz_u16(input);
	atomic_store(end->shared.in.counter, taken);
	other(end)->lied = true;
}

static void lie_bytes(struct end *end, size_t at, uint8_t byte)
{
	end->shared.out.data[at % end->shared.ring] ^= byte;
	end->lied = true;
}

static void lie_wire(struct end *end, struct fuzz_input *input, size_t size)
{
	const uint8_t *bytes = fuzz_bytes(input, &size);

	if (end->to > WIRE / 2)
		return;
	put_on_wire(end, bytes, size);
	end->lied = true;
}

static void step(struct fuzz_input *input)
{
	uint8_t byte = fuzz_byte(input);
	struct end *end = &ends[byte >> 3 & 1];
	unsigned number = byte >> 4;

	switch ((enum step)(byte & 7)) {
	case SEND: {
		size_t size = fuzz_byte(input);

		begin(end, number, size, fuzz_u16(input) % 512);
		break;
	}
	case WRITE:
		write_some(end, number == 15 ? WIRE / 2 : number * number + 1);
		break;
	case READ:
		read_some(end, number == 15 ? WIRE : number * number + 1);
		break;
	case SETTLE:
		settle(end);
		break;
	case LIE_TAKEN:
		lie_taken(end, number, input);
		break;
	case LIE_BYTES: {
		size_t at = fuzz_u16(input);

		lie_bytes(end, at, fuzz_byte(input));
		break;
	}
	case LIE_WIRE:
		lie_wire(end, input, number);
		break;
	case FLUSH:
		flush(end);
		break;
	}
}

static void start(unsigned settings)
{
	static const size_t rings[] = { 40000, 600, 7000, 1 };

	skipping = settings & SKIP;
	for (unsigned i = 0; i < ENDS; i++) {
		struct end *end = &ends[i];
		uint8_t *data;

		memset(end, 0, offsetof(struct end, lengths));
		end->shared = i == 0 ? agents : clients;
		end->reader.shared = &end->shared;
		data = end->shared.out.data;
		ASAN_UNPOISON_MEMORY_REGION(data, end->shared.ring);
		end->shared.ring = rings[settings & RINGS];
		ASAN_POISON_MEMORY_REGION(data + end->shared.ring, agents.ring - end->shared.ring);
		atomic_store(end->shared.in.counter, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };

	start(fuzz_byte(&input));
	while (fuzz_left(&input) > 0)
		step(&input);
	for (unsigned i = 0; i < ENDS; i++)
		flush(&ends[i]);
	for (unsigned i = 0; i < ENDS; i++)
		ttrpc_reader_release(&ends[i].reader);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 256);
	fuzz_check(ttrpc_shared_create(&agents, TTRPC_SHARED_SIZE_MIN, &fd) == 0);
	fuzz_check(ttrpc_shared_adopt(&clients, fd) == 0);
	close(fd);
	return 0;
}
