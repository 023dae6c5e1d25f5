/*
 * connect.c - ttrpc_address_connect(): a connected socket, within a time.
 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FULL_BACKLOG_MS = 2 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left until `deadline` (-1: there is none), for poll(). */
static int left_ms(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = deadline - now_ms();
	return left > 0 ? (int)left : 0;
}

/* The connection attempt of fd has begun; how does it end? */
static int await_connected(int fd, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int code = 0, n;
	socklen_t size = sizeof(code);

	do
		n = poll(&pfd, 1, left_ms(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		return -errno;
	return -code;
}

static int connect_fd(int fd, const struct sockaddr *sa, socklen_t size, int64_t deadline)
{
	for (;;) {
		if (connect(fd, sa, size) == 0)
			return 0;
		if (errno == EINPROGRESS)
			return await_connected(fd, deadline);
		/* A unix listener whose backlog is full cannot be polled for. */
		if (errno != EINTR && (errno != EAGAIN || sa->sa_family != AF_UNIX))
			return -errno;
		if (left_ms(deadline) == 0)
			return -ETIMEDOUT;
		poll(NULL, 0, FULL_BACKLOG_MS);
	}
}

/* A connected, blocking socket, or a negative errno. */
static int connect_sockaddr(const struct sockaddr *sa, socklen_t size, int64_t deadline)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code;

	if (fd < 0)
		return -errno;
	code = connect_fd(fd, sa, size, deadline);
	if (!code && fcntl(fd, F_SETFL, 0) < 0)
		code = -errno;
	if (code) {
		close(fd);
		return code;
	}
	return fd;
}

/* Who waits for an answer has nothing to send, and would never hear that the peer's machine went.
 */
static void keep_alive(int fd)
{
	static const int on = 1, idle = 20, interval = 10, count = 3; /* seconds, and how many */

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static int connect_tcp(const struct ttrpc_address *address, int64_t deadline, char *err,
		       size_t errsize)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char port[16];
	int fd = -EADDRNOTAVAIL, code;

	snprintf(port, sizeof(port), "%u", (unsigned)address->port);
	code = getaddrinfo(address->host, port, &hints, &list);
	if (code)
		return ttrpc_socket_error(-EADDRNOTAVAIL, err, errsize,
					  "cannot resolve %s: %s; check the name or use a number",
					  address->uri, gai_strerror(code));
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = connect_sockaddr(ai->ai_addr, ai->ai_addrlen, deadline);
	freeaddrinfo(list);
	if (fd >= 0) {
		ttrpc_socket_nodelay(fd);
		keep_alive(fd);
	} else {
		ttrpc_socket_error(fd, err, errsize, "cannot connect to %s: %s; is an agent there?",
				   address->uri, strerror(-fd));
	}
	return fd;
}

int ttrpc_address_connect(const struct ttrpc_address *address, int timeout_ms, char *err,
			  size_t errsize)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	struct sockaddr_storage sa;
	socklen_t size;
	int fd;

	if (address->transport == TTRPC_TCP)
		return connect_tcp(address, deadline, err, errsize);
	size = ttrpc_sockaddr_of(address, &sa);
	fd = connect_sockaddr((const struct sockaddr *)&sa, size, deadline);
	if (fd < 0)
		ttrpc_socket_error(fd, err, errsize, "cannot connect to %s: %s; is an agent there?",
				   address->uri, strerror(-fd));
	return fd;
}
