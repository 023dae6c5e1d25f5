/*
 * listeners.c - see listeners.h.
 */
#include "listeners.h"
#include "log.h"
#include "server.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool set_name(struct listen_option *listen, const char *value)
{
	int length = snprintf(listen->name, sizeof(listen->name), "%s", value);

	return length > 0 && (size_t)length < sizeof(listen->name);
}

static bool set_mode(struct listen_option *listen, const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	listen->options.mode = (mode_t)mode;
	return end > value && !*end && mode > 0 && mode <= 0777;
}

static bool set_owner(struct listen_option *listen, const char *value)
{
	char rest;

	listen->has_owner = sscanf(value, "%u:%u%c", &listen->uid, &listen->gid, &rest) == 2;
	return listen->has_owner;
}

static int set(struct listen_option *listen, const char *item, char *err, size_t errsize)
{
	bool is_file = listen->address.transport == TTRPC_UNIX && listen->address.path[0] != '@';

	if (!strncmp(item, "name=", 5) && set_name(listen, item + 5))
		return 0;
	if (is_file && !strncmp(item, "mode=", 5) && set_mode(listen, item + 5))
		return 0;
	if (is_file && !strncmp(item, "owner=", 6) && set_owner(listen, item + 6))
		return 0;
	if (listen->address.transport == TTRPC_UNIX && !strcmp(item, "shm=off")) {
		listen->options.shares_nothing = true;
		return 0;
	}
	snprintf(err, errsize,
		 "an address takes name=N, a unix one shm=off, and that of a socket file "
		 "mode=0660 (octal) and owner=UID:GID, not \"%s\"",
		 item);
	return -EINVAL;
}

int listen_parse(struct listen_option *listen, const char *text, char *err, size_t errsize)
{
	char *copy = strdup(text), *rest = copy, *item;
	int ret;

	*listen = (struct listen_option){ .has_owner = false };
	if (!copy) {
		snprintf(err, errsize, "out of memory");
		return -ENOMEM;
	}
	item = strsep(&rest, ",");
	ret = ttrpc_address_parse(item, &listen->address, err, errsize);
	if (ret)
		goto free_copy;
	snprintf(listen->name, sizeof(listen->name), "%s", item);
	while (!ret && (item = strsep(&rest, ",")))
		ret = set(listen, item, err, errsize);
	if (ret)
		listen_release(listen);

free_copy:
	free(copy);
	return ret;
}

void listen_release(struct listen_option *listen)
{
	ttrpc_address_release(&listen->address);
}

int listen_check_plaintext(const struct listen_option *listen, bool plaintext, char *err,
			   size_t errsize)
{
	if (plaintext || ttrpc_address_is_loopback(&listen->address))
		return 0;
	snprintf(err, errsize,
		 "%s is reachable from the network, unencrypted and for anyone; --allow plaintext "
		 "if that is meant",
		 listen->address.uri);
	return -EPERM;
}

int listen_give(const struct listen_option *listen, char *err, size_t errsize)
{
	int code;

	if (!listen->has_owner || !chown(listen->address.path, listen->uid, listen->gid))
		return 0;
	code = -errno;
	snprintf(err, errsize, "%s: cannot be given to owner %u:%u: %s", listen->address.uri,
		 listen->uid, listen->gid, strerror(-code));
	return code;
}

static unsigned local_cid(void)
{
	int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
	unsigned cid = VMADDR_CID_ANY;

	if (fd < 0)
		return cid;
	if (ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid))
		cid = VMADDR_CID_ANY;
	close(fd);
	return cid;
}

static void say_address(const struct ttrpc_listener *listener)
{
	const struct ttrpc_address *address = ttrpc_listener_address(listener);

	log_info("vaccel ttRPC server started. address: %s", address->uri);
	if (ttrpc_listener_any_cid(listener))
		log_warn(
			"%s: CID %u is not this machine's (%d): every guest is accepted; to admit "
			"only CID %u: session_route = function (s) if s.peer.cid ~= %u then return "
			"reject(\"not this guest\") end end",
			address->uri, address->cid, (int)local_cid(), address->cid, address->cid);
	if (!ttrpc_address_is_loopback(address))
		log_warn("%s: nothing is encrypted: anyone on that network can read and change "
			 "what sessions send, and can have sessions",
			 address->uri);
}

struct listener *listeners_find(const struct listeners *listeners, const char *uri)
{
	struct listener *at;

	for (at = listeners->first; at; at = at->next)
		if (!strcmp(at->asked.address.uri, uri) ||
		    !strcmp(ttrpc_listener_address(at->socket)->uri, uri))
			break;
	return at;
}

static int open_socket(struct listeners *listeners, struct listener *listener, char *err,
		       size_t errsize)
{
	const struct listen_option *asked = &listener->asked;
	int ret = listen_check_plaintext(asked, listeners->plaintext, err, errsize);

	if (!ret)
		ret = ttrpc_server_listen(listeners->server, &asked->address, &asked->options,
					  asked->name, &listener->socket, err, errsize);
	if (ret)
		return ret;
	ret = listen_give(asked, err, errsize);
	if (ret)
		ttrpc_listener_free(listener->socket);
	return ret;
}

struct listener *listeners_add(struct listeners *listeners, const char *text, char *err,
			       size_t errsize)
{
	struct listener *listener = calloc(1, sizeof(*listener)), **last = &listeners->first;

	if (!listener) {
		snprintf(err, errsize, "out of memory");
		return NULL;
	}
	if (listen_parse(&listener->asked, text, err, errsize))
		goto free_listener;
	if (open_socket(listeners, listener, err, errsize))
		goto release_asked;
	listener->fresh = true;
	while (*last)
		last = &(*last)->next;
	*last = listener;
	say_address(listener->socket);
	return listener;

release_asked:
	listen_release(&listener->asked);
free_listener:
	free(listener);
	return NULL;
}

static void drop(struct listeners *listeners, struct listener *listener)
{
	struct listener **at = &listeners->first;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	ttrpc_listener_free(listener->socket);
	listen_release(&listener->asked);
	free(listener);
}

void listeners_remove(struct listeners *listeners, struct listener *listener)
{
	log_info("%s: no longer listening; its connections stay",
		 ttrpc_listener_address(listener->socket)->uri);
	drop(listeners, listener);
}

void listeners_settle(struct listeners *listeners, bool good)
{
	struct listener *at, *next;

	for (at = listeners->first; at; at = next) {
		next = at->next;
		if (at->fresh && !good)
			listeners_remove(listeners, at);
		else
			at->fresh = false;
	}
}

void listeners_close(struct listeners *listeners)
{
	while (listeners->first)
		drop(listeners, listeners->first);
}
