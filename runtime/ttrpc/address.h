/*
 * address.h - where a ttrpc peer is: unix:///path, unix://@abstract, vsock://CID:PORT,
 * tcp://HOST:PORT (HOST may be [IPv6]), and who is at the other end of a socket.
 *
 * Pure functions over descriptors; no state, any thread. Errors are negative errno values, and a
 * sentence in err (which names the address, the reason and the remedy) whenever err is given.
 */
#ifndef TTRPC_ADDRESS_H
#define TTRPC_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum ttrpc_transport { TTRPC_UNIX, TTRPC_VSOCK, TTRPC_TCP };

struct ttrpc_address {
	enum ttrpc_transport transport;
	char *uri;     /* as given, for messages; owned */
	char *path;    /* unix: path, or "@name" of the abstract namespace; owned */
	char *host;    /* tcp: name or number without brackets; owned */
	uint32_t cid;  /* vsock */
	uint32_t port; /* vsock and tcp */
};

/* -EINVAL with a sentence for anything that is not an address. */
int ttrpc_address_parse(const char *uri, struct ttrpc_address *address, char *err, size_t errsize);
void ttrpc_address_release(struct ttrpc_address *address);

/* Whether it leads nowhere beyond this machine: every address but tcp ones with another host. */
bool ttrpc_address_is_loopback(const struct ttrpc_address *address);

/*
 * Whether bytes sent there are relayed elsewhere: a hypervisor with hybrid vsock has guests' port N
 * as the socket file NAME_N.
 */
bool ttrpc_address_is_hybrid(const struct ttrpc_address *address);

/* A connected, blocking, close-on-exec socket (TCP_NODELAY for tcp) within timeout_ms (-1: no
 * limit). */
int ttrpc_address_connect(const struct ttrpc_address *address, int timeout_ms, char *err,
			  size_t errsize);

struct ttrpc_listen_options {
	mode_t mode;	     /* unix socket file; 0 leaves it to the umask */
	int backlog;	     /* 0: SOMAXCONN */
	bool shares_nothing; /* no peer gets shared memory there */
};

/*
 * A listening, non-blocking, close-on-exec socket. A stale unix socket file is replaced; one that
 * answers is -EADDRINUSE ("... an agent runs there already"). A vsock CID that is not local binds
 * any CID: *any_cid says so when it is given.
 */
int ttrpc_address_listen(const struct ttrpc_address *address,
			 const struct ttrpc_listen_options *options, bool *any_cid, char *err,
			 size_t errsize);

/* Remove the socket file of a unix listener (not of an abstract one, not of the others). */
void ttrpc_address_unlink(const struct ttrpc_address *address);

/* Who is at the other end of an accepted socket; what a transport does not tell is absent. */
struct ttrpc_peer {
	enum ttrpc_transport transport;
	bool has_credentials; /* unix: uid, gid, pid */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool has_cid; /* vsock */
	uint32_t cid;
	char addr[64]; /* tcp: numeric address without the port, else "" */
};

int ttrpc_peer_of(int fd, struct ttrpc_peer *peer);

/* "uid:0", "cid:42", "127.0.0.1": the peer in log lines. Returns buf. */
const char *ttrpc_peer_str(const struct ttrpc_peer *peer, char *buf, size_t size);

#endif
