/*
 * address.c - the text of an address, and the other end of a socket.
 */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#define SYNTAX "use unix:///PATH, unix://@NAME, vsock://CID:PORT or tcp://HOST:PORT"

__attribute__((format(printf, 3, 4))) static int invalid(char *err, size_t errsize,
							 const char *format, ...)
{
	va_list args;

	if (err && errsize > 0) {
		va_start(args, format);
		vsnprintf(err, errsize, format, args);
		va_end(args);
	}
	return -EINVAL;
}

/* Decimal digits only, at most `max`. */
static bool parse_number(const char *text, uint64_t max, uint32_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

static int parse_unix(const char *rest, struct ttrpc_address *address, char *err, size_t errsize)
{
	const size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!*rest || strcmp(rest, "@") == 0)
		return invalid(err, errsize, "%s: the path is missing; " SYNTAX, address->uri);
	if (strlen(rest) > longest)
		return invalid(err, errsize,
			       "%s: the path has %zu bytes, a socket's path at most %zu; "
			       "use a shorter one",
			       address->uri, strlen(rest), longest);
	address->transport = TTRPC_UNIX;
	address->path = strdup(rest);
	return address->path ? 0 : -ENOMEM;
}

static int parse_vsock(const char *rest, struct ttrpc_address *address, char *err, size_t errsize)
{
	const char *colon = strchr(rest, ':');
	char *cid = colon ? strndup(rest, (size_t)(colon - rest)) : NULL;
	bool ok = cid && parse_number(cid, UINT32_MAX, &address->cid) &&
		  parse_number(colon + 1, UINT32_MAX - 1, &address->port);

	free(cid);
	if (!ok)
		return invalid(err, errsize,
			       "%s: a vsock address is vsock://CID:PORT, two numbers such as "
			       "vsock://2:2048",
			       address->uri);
	address->transport = TTRPC_VSOCK;
	return 0;
}

/* The host is what is before the last colon, in brackets if it has colons of its own. */
static char *tcp_host(const char *rest, const char *colon)
{
	size_t size = (size_t)(colon - rest);
	bool bracketed = size > 2 && rest[0] == '[' && rest[size - 1] == ']';
	char *host;

	if (size == 0 || (!bracketed && strpbrk(rest, ":[]") != colon))
		return NULL;
	host = bracketed ? strndup(rest + 1, size - 2) : strndup(rest, size);
	for (char *c = host; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return host;
}

static int parse_tcp(const char *rest, struct ttrpc_address *address, char *err, size_t errsize)
{
	const char *colon = strrchr(rest, ':');

	if (colon && parse_number(colon + 1, UINT16_MAX, &address->port))
		address->host = tcp_host(rest, colon);
	if (!address->host)
		return invalid(err, errsize,
			       "%s: a tcp address is tcp://HOST:PORT, an IPv6 number in brackets: "
			       "tcp://[::1]:65500",
			       address->uri);
	address->transport = TTRPC_TCP;
	return 0;
}

static int parse_uri(struct ttrpc_address *address, char *err, size_t errsize)
{
	const char *uri = address->uri;
	const char *mark = strstr(uri, "://");
	const char *rest = mark ? mark + 3 : NULL;
	size_t scheme = mark ? (size_t)(mark - uri) : 0;

	if (!mark || strstr(rest, "://"))
		return invalid(err, errsize, "Invalid server address uri \"%s\"; " SYNTAX, uri);
	if (scheme == 4 && memcmp(uri, "unix", 4) == 0)
		return parse_unix(rest, address, err, errsize);
	if (scheme == 5 && memcmp(uri, "vsock", 5) == 0)
		return parse_vsock(rest, address, err, errsize);
	if (scheme == 3 && strncasecmp(uri, "tcp", 3) == 0)
		return parse_tcp(rest, address, err, errsize);
	return invalid(err, errsize, "Unsupported protocol in \"%s\"; " SYNTAX, uri);
}

int ttrpc_address_parse(const char *uri, struct ttrpc_address *address, char *err, size_t errsize)
{
	int code;

	memset(address, 0, sizeof(*address));
	address->uri = strdup(uri);
	if (!address->uri)
		return -ENOMEM;
	code = parse_uri(address, err, errsize);
	if (code)
		ttrpc_address_release(address);
	return code;
}

void ttrpc_address_release(struct ttrpc_address *address)
{
	free(address->uri);
	free(address->path);
	free(address->host);
	memset(address, 0, sizeof(*address));
}

void ttrpc_address_unlink(const struct ttrpc_address *address)
{
	if (address->transport == TTRPC_UNIX && address->path[0] != '@')
		unlink(address->path);
}

/* Numeric, and an IPv4 peer of an IPv6 socket by its IPv4 number. */
static void tcp_peer(const struct sockaddr_storage *sa, struct ttrpc_peer *peer)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;

	peer->transport = TTRPC_TCP;
	if (sa->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, peer->addr, sizeof(peer->addr));
	else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], peer->addr, sizeof(peer->addr));
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, peer->addr, sizeof(peer->addr));
}

static int unix_peer(int fd, struct ttrpc_peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	peer->transport = TTRPC_UNIX;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	peer->has_credentials = true;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	peer->pid = credentials.pid;
	return 0;
}

int ttrpc_peer_of(int fd, struct ttrpc_peer *peer)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t size = sizeof(sa);

	memset(peer, 0, sizeof(*peer));
	if (getpeername(fd, (struct sockaddr *)&sa, &size) < 0)
		return -errno;
	switch (sa.ss_family) {
	case AF_UNIX:
		return unix_peer(fd, peer);
	case AF_VSOCK:
		peer->transport = TTRPC_VSOCK;
		peer->has_cid = true;
		peer->cid = ((const struct sockaddr_vm *)(const void *)&sa)->svm_cid;
		return 0;
	case AF_INET:
	case AF_INET6:
		tcp_peer(&sa, peer);
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

const char *ttrpc_peer_str(const struct ttrpc_peer *peer, char *buf, size_t size)
{
	if (peer->has_credentials)
		snprintf(buf, size, "uid:%ju", (uintmax_t)peer->uid);
	else if (peer->has_cid)
		snprintf(buf, size, "cid:%" PRIu32, peer->cid);
	else
		snprintf(buf, size, "%s", peer->addr[0] ? peer->addr : "unknown");
	return buf;
}

bool ttrpc_address_is_hybrid(const struct ttrpc_address *address)
{
	const char *port = address->transport == TTRPC_UNIX ? strrchr(address->path, '_') : NULL;

	return port && port[1] && strspn(port + 1, "0123456789") == strlen(port + 1);
}

bool ttrpc_address_is_loopback(const struct ttrpc_address *address)
{
	struct in_addr number;

	if (address->transport != TTRPC_TCP || !strcmp(address->host, "localhost") ||
	    !strcmp(address->host, "::1"))
		return true;
	return inet_pton(AF_INET, address->host, &number) == 1 &&
	       ntohl(number.s_addr) >> 24 == IN_LOOPBACKNET;
}
