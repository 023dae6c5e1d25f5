/*
 * sockets.c - see sockets.h. What is imitated is a connected pair of unix(7) stream sockets:
 * SO_SNDBUF bounds what waits for the other end, an end that is closed before it has read all
 * resets the other, and reading takes what is left first.
 *
 * On one thread. A call that would wait for ever is a find; a poll() with a timeout has it at once.
 */
#include "sockets.h"
#include "fuzz.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ENDS = 1024, ROOM = 192 << 10, PASSED = 8, DESCRIPTORS = 8 };

#define OURS __attribute__((visibility("default")))

/* Descriptors on their way, with the bytes of one message. */
struct passed {
	size_t from, to; /* of all that came to this end */
	int fd[DESCRIPTORS];
	unsigned count;
};

struct end {
	bool open;
	bool no_more;		      /* nothing comes after what is here */
	bool broken;		      /* nothing can be sent */
	bool reset;		      /* the other end closed before it had read all */
	size_t room;		      /* for what this end sends */
	size_t from, to;	      /* what has come, in `bytes` */
	uint8_t *bytes;		      /* ROOM of them */
	size_t taken;		      /* of all that came */
	struct passed passed[PASSED]; /* oldest first */
	unsigned nr_passed;
};

static struct end ends[ENDS]; /* a pair is an even one and the next */
static unsigned nr_open;
static const struct sockets_rights *rights;

static struct end *find(int fd)
{
	if (fd < SOCKETS_FIRST || fd >= SOCKETS_FIRST + ENDS)
		return NULL;
	return &ends[fd - SOCKETS_FIRST];
}

/* An end that the caller must have open. */
static struct end *use(int fd)
{
	struct end *end = find(fd);

	fuzz_check(end && end->open);
	return end;
}

static struct end *other(const struct end *end)
{
	return &ends[(end - ends) ^ 1];
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	fuzz_check(function);
	return function;
}

unsigned sockets_open(void)
{
	return nr_open;
}

void sockets_pass(const struct sockets_rights *how)
{
	rights = how;
}

/* Not where leak checks look for pointers, and nothing of it is there before it is written. */
__attribute__((constructor)) static void make_room(void)
{
	uint8_t *all = mmap(NULL, (size_t)ENDS * ROOM, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct rlimit files;

	fuzz_check(all != MAP_FAILED);
	for (size_t i = 0; i < ENDS; i++)
		ends[i].bytes = all + i * ROOM;
	fuzz_check(getrlimit(RLIMIT_NOFILE, &files) == 0);
	if (files.rlim_cur > SOCKETS_FIRST)
		files.rlim_cur = SOCKETS_FIRST;
	fuzz_check(setrlimit(RLIMIT_NOFILE, &files) == 0);
}

static void start(struct end *end)
{
	end->open = true;
	nr_open++;
	end->no_more = end->broken = end->reset = false;
	end->room = ROOM;
	end->from = end->to = end->taken = 0;
	end->nr_passed = 0;
}

/* The first that are on their way get no further. */
static void lose(struct end *end, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < end->passed[i].count; k++)
			rights->close(end->passed[i].fd[k]);
	}
	end->nr_passed -= count;
	memmove(end->passed, end->passed + count, end->nr_passed * sizeof(*end->passed));
}

OURS int socketpair(int domain, int type, int protocol, int fds[2])
{
	int i = 0;

	(void)protocol;
	fuzz_check(domain == AF_UNIX && (type & SOCK_STREAM));
	while (i < ENDS && (ends[i].open || ends[i + 1].open))
		i += 2;
	fuzz_check(i < ENDS);
	for (int k = 0; k < 2; k++) {
		start(&ends[i + k]);
		fds[k] = SOCKETS_FIRST + i + k;
	}
	return 0;
}

OURS int close(int fd)
{
	static int (*kernel)(int);
	struct end *end = find(fd), *peer;

	if (!end) {
		if (!kernel)
			kernel = (int (*)(int))next("close");
		return kernel(fd);
	}
	fuzz_check(end->open);
	peer = other(end);
	end->open = false;
	nr_open--;
	lose(end, end->nr_passed);
	peer->no_more = peer->broken = true;
	peer->reset = peer->reset || end->from < end->to;
	return 0;
}

OURS int shutdown(int fd, int how)
{
	struct end *end = use(fd), *peer = other(end);

	if (how != SHUT_RD)
		end->broken = peer->no_more = true;
	if (how != SHUT_WR)
		end->no_more = peer->broken = true;
	return 0;
}

static size_t room_of(const struct end *end)
{
	const struct end *peer = other(end);
	size_t waiting = peer->to - peer->from;

	return waiting < end->room ? end->room - waiting : 0;
}

OURS ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	struct end *end = use(fd), *peer = other(end);
	size_t room = room_of(end);

	fuzz_check(flags & MSG_NOSIGNAL);
	if (end->broken) {
		errno = EPIPE;
		return -1;
	}
	if (room == 0 && size > 0) {
		fuzz_check(flags & MSG_DONTWAIT);
		errno = EAGAIN;
		return -1;
	}
	size = size < room ? size : room;
	if (peer->to + size > ROOM) {
		memmove(peer->bytes, peer->bytes + peer->from, peer->to - peer->from);
		peer->to -= peer->from;
		peer->from = 0;
	}
	memcpy(peer->bytes + peer->to, bytes, size);
	peer->to += size;
	return (ssize_t)size;
}

/* What goes with the next `size` bytes from this end. */
static void pass(struct end *peer, const struct msghdr *msg, size_t size)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	struct passed *passed = &peer->passed[peer->nr_passed];
	const size_t begin = peer->taken + (peer->to - peer->from) - size;
	size_t at = 0;

	if (!header)
		return;
	fuzz_check(rights && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS);
	if (peer->nr_passed == PASSED)
		return;
	*passed = (struct passed){ .from = begin, .to = begin + size };
	for (; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
		int fd;

		fuzz_check(passed->count < DESCRIPTORS);
		memcpy(&fd, CMSG_DATA(header) + at, sizeof(fd));
		fd = rights->again(fd);
		if (fd >= 0)
			passed->fd[passed->count++] = fd;
	}
	peer->nr_passed++;
}

OURS ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t sent = 0, n = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		n = send(fd, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len, flags);
		if (n < 0)
			break;
		sent += n;
		if ((size_t)n < msg->msg_iov[i].iov_len)
			break;
	}
	if (sent > 0)
		pass(other(use(fd)), msg, (size_t)sent);
	return sent > 0 ? sent : n;
}

/* The first of those that come with what is before `end`, into msg; what has no room is lost. */
static void receive_passed(struct end *end, struct msghdr *msg)
{
	struct passed *passed = &end->passed[0];
	struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	unsigned count = 0;

	while (count < passed->count && header &&
	       CMSG_SPACE((count + 1) * sizeof(int)) <= msg->msg_controllen)
		count++;
	msg->msg_flags = count < passed->count ? MSG_CTRUNC : 0;
	if (count > 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), passed->fd, count * sizeof(int));
	}
	msg->msg_controllen = count > 0 ? CMSG_SPACE(count * sizeof(int)) : 0;
	memmove(passed->fd, passed->fd + count, (passed->count - count) * sizeof(int));
	passed->count -= count;
	lose(end, 1);
}

OURS ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	struct end *end = use(fd);
	size_t waiting = end->to - end->from;

	if (waiting == 0 && end->reset) {
		end->reset = false;
		errno = ECONNRESET;
		return -1;
	}
	if (waiting == 0 && !end->no_more) {
		fuzz_check(flags & MSG_DONTWAIT);
		errno = EAGAIN;
		return -1;
	}
	size = size < waiting ? size : waiting;
	memcpy(bytes, end->bytes + end->from, size);
	end->from += size;
	end->taken += size;
	if (end->from == end->to)
		end->from = end->to = 0;
	while (end->nr_passed > 0 && end->passed[0].from < end->taken)
		lose(end, 1);
	return (ssize_t)size;
}

/* Not beyond a message with descriptors. */
OURS ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct end *end = use(fd);
	const struct passed *passed = end->nr_passed > 0 ? &end->passed[0] : NULL;
	size_t size = msg->msg_iov[0].iov_len;

	fuzz_check(msg->msg_iovlen == 1);
	if (passed && passed->to - end->taken < size)
		size = passed->to - end->taken;
	if (passed && passed->from < end->taken + size)
		receive_passed(end, msg);
	else
		msg->msg_controllen = 0;
	return recv(fd, msg->msg_iov[0].iov_base, size, flags);
}

static short ready(const struct end *end, short wanted)
{
	short events = 0;

	if (!end->open)
		return POLLNVAL;
	if (end->from < end->to || end->no_more || end->reset)
		events |= POLLIN;
	if (room_of(end) > 0 || end->broken)
		events |= POLLOUT;
	events &= wanted;
	if (end->no_more && end->broken)
		events |= POLLHUP;
	if (end->reset)
		events |= POLLERR;
	return events;
}

/*
 * The kernel's descriptors do not wait either. libFuzzer's alarm, which comes every few seconds,
 * must not be taken for no events: runs would depend on the time.
 */
static int poll_kernel(struct pollfd *pfd, nfds_t count)
{
	static int (*kernel)(struct pollfd *, nfds_t, int);
	int found;

	if (!kernel)
		kernel = (int (*)(struct pollfd *, nfds_t, int))next("poll");
	do
		found = kernel(pfd, count, 0);
	while (found < 0 && errno == EINTR);
	return found;
}

OURS int poll(struct pollfd *pfd, nfds_t count, int timeout)
{
	int found = 0;

	for (nfds_t i = 0, run; i < count; i += run) {
		const struct end *end = find(pfd[i].fd);

		run = 1;
		if (end) {
			pfd[i].revents = ready(end, pfd[i].events);
			found += pfd[i].revents != 0;
			continue;
		}
		while (i + run < count && !find(pfd[i + run].fd))
			run++;
		found += poll_kernel(pfd + i, run);
	}
	fuzz_check(found > 0 || timeout >= 0);
	return found;
}

OURS int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	struct end *end = use(fd);

	(void)size;
	if (level == SOL_SOCKET && name == SO_SNDBUF)
		end->room = (size_t) * (const int *)value;
	return 0;
}

/* The peer is this process. */
OURS int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	static struct ucred credentials;

	if (credentials.pid == 0)
		credentials = (struct ucred){ .pid = getpid(), .uid = getuid(), .gid = getgid() };
	use(fd);
	fuzz_check(level == SOL_SOCKET && name == SO_PEERCRED && *size == sizeof(credentials));
	memcpy(value, &credentials, sizeof(credentials));
	return 0;
}

OURS int getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	use(fd);
	address->sa_family = AF_UNIX;
	*size = sizeof(address->sa_family);
	return 0;
}

OURS int getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	return getpeername(fd, address, size);
}
