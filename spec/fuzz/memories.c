/*
 * memories.c - see memories.h. The linker gives these functions the calls of runtime/ttrpc/shared.c
 * (--wrap); what is not about a descriptor or a mapping of ours goes on to where it was meant for.
 */
#include "memories.h"
#include "fuzz.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORIES = 8, DESCRIPTORS = 64, ROOM = 256 << 10 };

struct memory {
	uint64_t size;
	int seals;
	unsigned descriptors, mappings;
};

static _Alignas(4096) uint8_t rooms[MEMORIES][ROOM];
static struct memory memories[MEMORIES];
static struct memory *opened[DESCRIPTORS]; /* NULL: it is free */
static struct memory *last;
static enum memories_want wanting;

/* The linker's names. */
int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_ftruncate(int fd, off_t size);
int __real_ftruncate(int fd, off_t size);
int __wrap_fallocate(int fd, int mode, off_t at, off_t size);
int __wrap_fcntl(int fd, int command, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fstat(int fd, struct stat *status);
int __real_fstat(int fd, struct stat *status);
int __wrap_close(int fd);
int __real_close(int fd);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_madvise(void *at, size_t size, int advice);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_munmap(void *at, size_t size);
int __real_munmap(void *at, size_t size);

static struct memory *find(int fd)
{
	if (fd < MEMORIES_FIRST || fd >= MEMORIES_FIRST + DESCRIPTORS)
		return NULL;
	fuzz_check(opened[fd - MEMORIES_FIRST]);
	return opened[fd - MEMORIES_FIRST];
}

static uint8_t *room_of(const struct memory *memory)
{
	return rooms[memory - memories];
}

/* NULL: not ours. */
static struct memory *mapped_at(const void *at)
{
	const uintptr_t offset = (uintptr_t)at - (uintptr_t)rooms;
	const size_t number = offset / ROOM;

	if (number >= MEMORIES)
		return NULL;
	fuzz_check(offset % ROOM == 0 && memories[number].mappings);
	return &memories[number];
}

static int open_descriptor(struct memory *memory)
{
	int i = 0;

	while (i < DESCRIPTORS && opened[i])
		i++;
	if (i == DESCRIPTORS)
		return -1;
	opened[i] = memory;
	memory->descriptors++;
	return MEMORIES_FIRST + i;
}

static int fail(int code)
{
	errno = code;
	return -1;
}

static int again(int fd)
{
	return open_descriptor(find(fd));
}

void memories_start(enum memories_want want)
{
	static const struct sockets_rights rights = { again, __wrap_close };

	sockets_pass(&rights);
	wanting = want;
	last = NULL;
}

static void resize(struct memory *memory, uint64_t size)
{
	uint8_t *room = room_of(memory);
	const size_t there = size < ROOM ? (size_t)size : ROOM;

	memory->size = size;
	ASAN_UNPOISON_MEMORY_REGION(room, ROOM);
	memset(room, 0, there);
	ASAN_POISON_MEMORY_REGION(room + there, ROOM - there);
}

int memories_open(uint64_t size, int seals)
{
	struct memory *memory = memories;
	int fd;

	while (memory < memories + MEMORIES && (memory->descriptors || memory->mappings))
		memory++;
	fd = memory < memories + MEMORIES ? open_descriptor(memory) : -1;
	if (fd < 0)
		return -1;
	memory->seals = seals;
	resize(memory, size);
	last = memory;
	return fd;
}

uint8_t *memories_last(size_t *size)
{
	if (!last || !last->mappings || last->size > ROOM)
		return NULL;
	*size = (size_t)last->size;
	return room_of(last);
}

unsigned memories_left(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < MEMORIES; i++)
		count += memories[i].descriptors + memories[i].mappings;
	return count;
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
	int fd;

	(void)name;
	fuzz_check((flags & MFD_CLOEXEC) && (flags & MFD_ALLOW_SEALING));
	if (wanting == WANT_NEW_KERNEL && (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING)))
		return fail(EINVAL);
	fd = wanting == WANT_DESCRIPTORS ? -1 : memories_open(0, 0);
	return fd < 0 ? fail(EMFILE) : fd;
}

int __wrap_ftruncate(int fd, off_t size)
{
	struct memory *memory = find(fd);

	if (!memory)
		return __real_ftruncate(fd, size);
	fuzz_check(!memory->seals && size >= 0 && size <= ROOM);
	resize(memory, (uint64_t)size);
	return 0;
}

int __wrap_fallocate(int fd, int mode, off_t at, off_t size)
{
	const struct memory *memory = find(fd);

	fuzz_check(memory && mode == 0 && at == 0 && (uint64_t)size == memory->size);
	return wanting == WANT_PAGES ? fail(ENOSPC) : 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
	struct memory *memory = find(fd);
	void *argument;
	va_list args;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	if (!memory)
		return __real_fcntl(fd, command, argument);
	fuzz_check(command == F_GET_SEALS || command == F_ADD_SEALS);
	if (memory->seals == MEMORIES_NO_SEALS)
		return fail(EINVAL);
	if (command == F_GET_SEALS)
		return memory->seals;
	memory->seals |= (int)(uintptr_t)argument;
	return 0;
}

int __wrap_fstat(int fd, struct stat *status)
{
	const struct memory *memory = find(fd);

	if (!memory)
		return __real_fstat(fd, status);
	memset(status, 0, sizeof(*status));
	status->st_size = (off_t)memory->size;
	return 0;
}

int __wrap_close(int fd)
{
	struct memory *memory = find(fd);

	if (!memory)
		return __real_close(fd);
	memory->descriptors--;
	opened[fd - MEMORIES_FIRST] = NULL;
	return 0;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	struct memory *memory = find(fd);

	if (!memory)
		return __real_mmap(at, size, protection, flags, fd, offset);
	fuzz_check(!at && memory->size == size && offset == 0);
	fuzz_check(protection == (PROT_READ | PROT_WRITE) && (flags & MAP_SHARED));
	if (wanting == WANT_ROOM || size > ROOM) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	memory->mappings++;
	return room_of(memory);
}

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_madvise(void *at, size_t size, int advice)
{
	const struct memory *memory = mapped_at(at);

	if (!memory)
		return __real_madvise(at, size, advice);
	fuzz_check(memory->size == size);
	if (advice == MADV_REMOVE)
		memset(at, 0, size);
	else
		fuzz_check(advice == MADV_DONTFORK);
	return 0;
}

int __wrap_munmap(void *at, size_t size)
{
	struct memory *memory = mapped_at(at);

	if (!memory)
		return __real_munmap(at, size);
	fuzz_check(memory->size == size);
	memory->mappings--;
	return 0;
}
