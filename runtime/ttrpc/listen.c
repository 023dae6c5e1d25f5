/*
 * listen.c - ttrpc_address_listen(): a listening socket.
 *
 * A socket file outlives the process that made it. Whether one is stale is asked of the socket
 * itself: it is replaced only if nobody answers there.
 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int stream_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int cannot_listen(const struct ttrpc_address *address, int code, char *err, size_t errsize)
{
	const char *remedy = "choose another address";

	if (code == -EADDRINUSE && address->transport != TTRPC_TCP)
		remedy = "an agent runs there already; stop it or choose another address";
	else if (code == -EADDRINUSE)
		remedy = "something listens there already; stop it or choose another port";
	else if (code == -EACCES || code == -EPERM)
		remedy = "give this user the right to, or choose another address";
	else if (code == -ENOENT && address->transport == TTRPC_UNIX)
		remedy = "make the folder first";
	else if (code == -EAFNOSUPPORT && address->transport == TTRPC_VSOCK)
		remedy = "load the kernel module vhost_vsock (host) or vmw_vsock_virtio_transport "
			 "(guest)";
	return ttrpc_socket_error(code, err, errsize, "cannot listen on %s: %s; %s", address->uri,
				  strerror(-code), remedy);
}

/* 0 if nobody answers at a socket file that is in the way, and it has been removed. */
static int remove_stale(const struct ttrpc_address *address, const struct sockaddr *sa,
			socklen_t size, char *err, size_t errsize)
{
	struct stat st;
	int fd, code = 0;

	if (lstat(address->path, &st) < 0)
		return cannot_listen(address, -errno, err, errsize);
	if (!S_ISSOCK(st.st_mode))
		return ttrpc_socket_error(-EADDRINUSE, err, errsize,
					  "cannot listen on %s: a file that is no socket is there; "
					  "remove it or choose another path",
					  address->uri);
	fd = stream_socket(AF_UNIX);
	if (fd < 0)
		return cannot_listen(address, fd, err, errsize);
	if (connect(fd, sa, size) == 0 || errno != ECONNREFUSED)
		code = -EADDRINUSE;
	close(fd);
	if (code)
		return cannot_listen(address, code, err, errsize);
	if (unlink(address->path) < 0 && errno != ENOENT)
		return cannot_listen(address, -errno, err, errsize);
	return 0;
}

static int bind_unix(int fd, const struct ttrpc_address *address, mode_t mode, char *err,
		     size_t errsize)
{
	struct sockaddr_storage storage;
	const struct sockaddr *sa = (const struct sockaddr *)&storage;
	socklen_t size = ttrpc_sockaddr_of(address, &storage);
	bool file = address->path[0] != '@';
	int code;

	/* The file takes over the socket's mode: it is at no time more open than asked. */
	if (file && mode && fchmod(fd, mode) < 0)
		return cannot_listen(address, -errno, err, errsize);
	code = bind(fd, sa, size) < 0 ? -errno : 0;
	if (code == -EADDRINUSE && file) {
		code = remove_stale(address, sa, size, err, errsize);
		if (code)
			return code;
		code = bind(fd, sa, size) < 0 ? -errno : 0;
	}
	/* And gets what the umask took away. */
	if (!code && file && mode && chmod(address->path, mode) < 0)
		code = -errno;
	return code ? cannot_listen(address, code, err, errsize) : 0;
}

static int bind_vsock(int fd, const struct ttrpc_address *address, bool *any_cid, char *err,
		      size_t errsize)
{
	struct sockaddr_storage storage;
	struct sockaddr_vm *sa = (void *)&storage;
	socklen_t size = ttrpc_sockaddr_of(address, &storage);
	int code = bind(fd, (struct sockaddr *)&storage, size) < 0 ? -errno : 0;

	/* The CID is another machine's: take what arrives for any that is ours. */
	if (code == -EADDRNOTAVAIL) {
		sa->svm_cid = VMADDR_CID_ANY;
		code = bind(fd, (struct sockaddr *)&storage, size) < 0 ? -errno : 0;
	}
	if (any_cid)
		*any_cid = sa->svm_cid == VMADDR_CID_ANY;
	return code ? cannot_listen(address, code, err, errsize) : 0;
}

static int bound_tcp(const struct addrinfo *ai)
{
	int fd = stream_socket(ai->ai_family);
	int on = 1;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		int code = -errno;

		close(fd);
		return code;
	}
	return fd;
}

static int open_tcp(const struct ttrpc_address *address, char *err, size_t errsize)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	const struct addrinfo *choice;
	struct addrinfo *list;
	char port[16];
	int fd, code;

	snprintf(port, sizeof(port), "%u", (unsigned)address->port);
	code = getaddrinfo(address->host, port, &hints, &list);
	if (code)
		return ttrpc_socket_error(-EADDRNOTAVAIL, err, errsize,
					  "cannot listen on %s: %s; use a number of this machine",
					  address->uri, gai_strerror(code));
	/* A name that has both means its IPv4 number: existing clients know no other. */
	choice = list;
	while (choice && choice->ai_family != AF_INET)
		choice = choice->ai_next;
	fd = bound_tcp(choice ? choice : list);
	freeaddrinfo(list);
	return fd < 0 ? cannot_listen(address, fd, err, errsize) : fd;
}

static int open_local(const struct ttrpc_address *address,
		      const struct ttrpc_listen_options *options, bool *any_cid, char *err,
		      size_t errsize)
{
	bool is_unix = address->transport == TTRPC_UNIX;
	int fd = stream_socket(is_unix ? AF_UNIX : AF_VSOCK);
	int code;

	if (fd < 0)
		return cannot_listen(address, fd, err, errsize);
	if (is_unix)
		code = bind_unix(fd, address, options ? options->mode : 0, err, errsize);
	else
		code = bind_vsock(fd, address, any_cid, err, errsize);
	if (code) {
		close(fd);
		return code;
	}
	return fd;
}

int ttrpc_address_listen(const struct ttrpc_address *address,
			 const struct ttrpc_listen_options *options, bool *any_cid, char *err,
			 size_t errsize)
{
	int backlog = options && options->backlog > 0 ? options->backlog : SOMAXCONN;
	int fd, code;

	if (any_cid)
		*any_cid = false;
	if (address->transport == TTRPC_TCP)
		fd = open_tcp(address, err, errsize);
	else
		fd = open_local(address, options, any_cid, err, errsize);
	if (fd < 0 || listen(fd, backlog) == 0)
		return fd;
	code = cannot_listen(address, -errno, err, errsize);
	ttrpc_address_unlink(address);
	close(fd);
	return code;
}
