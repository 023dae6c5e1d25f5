/*
 * shared.c - see shared.h.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Later than the headers of the oldest system that we build on. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* A page of counters, each in a cache line of its own. */
enum { COUNTERS = 4096, TO_AGENT = 0, TO_CLIENT = 128 };
enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static int memory_of(size_t size)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("luaccel", flags | MFD_NOEXEC_SEAL);
	int err;

	if (fd < 0 && errno == EINVAL) /* a kernel before 6.3 */
		fd = memfd_create("luaccel", flags);
	if (fd < 0)
		return -errno;
	/* What cannot be had is refused here, where later it would be a signal. */
	if (ftruncate(fd, (off_t)size) == 0 && fallocate(fd, 0, 0, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* A forked child has no part in its parent's connection. */
static int map(struct ttrpc_shared *shared, int fd, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	madvise(base, size, MADV_DONTFORK);
	*shared = (struct ttrpc_shared){
		.base = base,
		.size = size,
		.ring = (size - COUNTERS) / 2,
	};
	return 0;
}

/* Our end writes one ring and reads the other. */
static void take_end(struct ttrpc_shared *shared, bool agent)
{
	uint8_t *base = shared->base, *rings = base + COUNTERS;

	shared->out.data = agent ? rings + shared->ring : rings;
	shared->out.taken = (void *)(base + (agent ? TO_CLIENT : TO_AGENT));
	shared->in.data = agent ? rings : rings + shared->ring;
	shared->in.counter = (void *)(base + (agent ? TO_AGENT : TO_CLIENT));
}

int ttrpc_shared_create(struct ttrpc_shared *shared, size_t size, int *fd)
{
	int memory, err;

	if (size < TTRPC_SHARED_SIZE_MIN || size > TTRPC_SHARED_SIZE_MAX)
		return -EINVAL;
	size -= size % (2 * COUNTERS); /* whole pages, and two equal rings */
	size -= COUNTERS;
	memory = memory_of(size);
	if (memory < 0)
		return memory;
	err = map(shared, memory, size);
	if (err) {
		close(memory);
		return err;
	}
	take_end(shared, true);
	shared->made = true;
	*fd = memory;
	return 0;
}

int ttrpc_shared_adopt(struct ttrpc_shared *shared, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;
	size_t size;
	int err;

	if (seals < 0 || fstat(fd, &status) < 0)
		return -EINVAL;
	if (!(seals & F_SEAL_SHRINK))
		return -EPERM;
	if (status.st_size <= COUNTERS || (uintmax_t)status.st_size > TTRPC_SHARED_SIZE_MAX)
		return -EINVAL;
	size = (size_t)status.st_size;
	if ((size - COUNTERS) % 2)
		return -EINVAL;
	err = map(shared, fd, size);
	if (!err)
		take_end(shared, false);
	return err;
}

void ttrpc_shared_release(struct ttrpc_shared *shared)
{
	if (!shared->base)
		return;
	/* Pages that a peer kept would be ours still, and on nobody's account. */
	if (shared->made)
		madvise(shared->base, shared->size, MADV_REMOVE);
	munmap(shared->base, shared->size);
	shared->base = NULL;
}

size_t ttrpc_shared_room(const struct ttrpc_shared *shared)
{
	/* Acquired: the other end has read before we write again. */
	uint64_t taken = atomic_load_explicit(shared->out.taken, memory_order_acquire);
	uint64_t waiting = shared->out.put - taken;

	return waiting <= shared->ring ? shared->ring - (size_t)waiting : 0;
}

/* How many of `size` bytes from a place on lie before the end of the ring. */
static size_t before_end(const struct ttrpc_shared *shared, uint64_t place, size_t size)
{
	size_t left = shared->ring - (size_t)(place % shared->ring);

	return size < left ? size : left;
}

void ttrpc_shared_put(struct ttrpc_shared *shared, const void *data, size_t size)
{
	size_t first = before_end(shared, shared->out.put, size);

	memcpy(shared->out.data + shared->out.put % shared->ring, data, first);
	memcpy(shared->out.data, (const uint8_t *)data + first, size - first);
	shared->out.put += size;
}

bool ttrpc_shared_take(struct ttrpc_shared *shared, void *to, size_t size)
{
	const uint64_t place = shared->in.taken;
	size_t first = before_end(shared, place, size);

	if (size > shared->ring - (size_t)(place - shared->in.published))
		return false;
	if (to) {
		memcpy(to, shared->in.data + place % shared->ring, first);
		memcpy((uint8_t *)to + first, shared->in.data, size - first);
	}
	shared->in.taken += size;
	return true;
}

void ttrpc_shared_publish(struct ttrpc_shared *shared)
{
	if (shared->in.published == shared->in.taken)
		return;
	shared->in.published = shared->in.taken;
	atomic_store_explicit(shared->in.counter, shared->in.published, memory_order_release);
}
