/*
 * shared.h - memory that the two ends of a connection share. Private to runtime/ttrpc.
 *
 *     | counters | ring to the agent | ring to its client |
 *
 * The agent makes it, of a fixed size that nobody can change, and hands a descriptor to its client;
 * neither keeps the descriptor. A ring is written by one end and read by the other, in order. That
 * bytes are there is said by frames on the socket (segments.h), and never by the memory; that they
 * were taken is said by a counter in it. Each end keeps its own place to itself and believes the
 * other's counter only as far as it can be true: one that lies spoils its own bytes and nothing
 * else. What is taken is copied, once, before anybody looks at it, since the other end may change
 * it at any time.
 *
 * One thread at a time writes (room, put), one reads (take, publish); they may be different ones.
 */
#ifndef TTRPC_SHARED_H
#define TTRPC_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The least that is worth making; and the most that a client takes from an agent. */
#define TTRPC_SHARED_SIZE_MIN ((size_t)256 << 10)
#define TTRPC_SHARED_SIZE_MAX ((size_t)256 << 20)

/* Frames of at least so many bytes go through it. Measured: docs/architecture.md. */
enum { TTRPC_SHARED_FRAME_MIN = 64 << 10 };

struct ttrpc_shared {
	/* private */
	void *base;
	size_t size, ring; /* bytes in all; of each ring */
	bool made;	   /* here, and not come from elsewhere */
	struct {
		uint8_t *data;
		uint64_t put;
		_Atomic uint64_t *taken; /* the other end's counter */
	} out;
	struct {
		const uint8_t *data;
		uint64_t taken, published;
		_Atomic uint64_t *counter; /* ours */
	} in;
};

/*
 * The agent's end: at most `size` bytes, all of them there, and a descriptor for the client, which
 * is the caller's to close. Negative errno; -EINVAL: less than TTRPC_SHARED_SIZE_MIN.
 */
int ttrpc_shared_create(struct ttrpc_shared *shared, size_t size, int *fd);
/*
 * The client's end, out of a descriptor that came; it stays the caller's. -EPERM: its size could
 * be changed under us; -EINVAL: it is no such memory.
 */
int ttrpc_shared_adopt(struct ttrpc_shared *shared, int fd);
/* Whoever made it takes the memory back, also from one who keeps the descriptor. */
void ttrpc_shared_release(struct ttrpc_shared *shared);

/* How many bytes can be put now; 0 when the other end's counter cannot be true. */
size_t ttrpc_shared_room(const struct ttrpc_shared *shared);
/* At most as many as there is room for. */
void ttrpc_shared_put(struct ttrpc_shared *shared, const void *data, size_t size);

/*
 * The next bytes; `to` is NULL to skip them. False: more than can be there, since the other end
 * was last told what was taken.
 */
bool ttrpc_shared_take(struct ttrpc_shared *shared, void *to, size_t size);
/* Tell the other end what was taken. */
void ttrpc_shared_publish(struct ttrpc_shared *shared);

#endif
