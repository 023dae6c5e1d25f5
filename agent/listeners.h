/*
 * listeners.h - the addresses at which peers come in: those that the agent was started with, and
 * those that come and go while it runs.
 *
 * A listener is known by its address as it was asked for ("tcp://127.0.0.1:0" too), and has a name
 * for policies and accounts. A connection keeps the name and outlives its listener. The loop's
 * thread.
 */
#ifndef AGENT_LISTENERS_H
#define AGENT_LISTENERS_H

#include "address.h"
#include <stdbool.h>

struct ttrpc_server;

/* URI[,name=N,mode=0660,owner=UID:GID] */
struct listen_option {
	struct ttrpc_address address;
	struct ttrpc_listen_options options;
	bool has_owner;
	uid_t uid; /* of the socket file */
	gid_t gid;
	char name[64]; /* of the listener */
};

/* 0, or -EINVAL with the sentence in err. Only what succeeded is to be released. */
int listen_parse(struct listen_option *listen, const char *text, char *err, size_t errsize);
void listen_release(struct listen_option *listen);

/* 0, or -EPERM with the sentence: it is tcp beyond loopback, which --allow plaintext permits. */
int listen_check_plaintext(const struct listen_option *listen, bool plaintext, char *err,
			   size_t errsize);

/* Make the socket file its owner's. 0, or a negative errno with the sentence in err. */
int listen_give(const struct listen_option *listen, char *err, size_t errsize);

struct listener {
	struct listen_option asked;
	struct ttrpc_listener *socket;
	bool fresh; /* since listeners_settle() */
	struct listener *next;
};

struct listeners {
	struct ttrpc_server *server;
	bool plaintext; /* may be tcp beyond loopback */
	struct listener *first;
};

/* By the address that was asked for, or, of a port that was chosen, that there is. NULL: none. */
struct listener *listeners_find(const struct listeners *listeners, const char *uri);

/*
 * Listen at what a text such as -a takes asks for, and say so in the log. NULL, with the sentence
 * in err, when the text is wrong, the address is not allowed, or cannot be had.
 */
struct listener *listeners_add(struct listeners *listeners, const char *text, char *err,
			       size_t errsize);
/* Its connections stay. */
void listeners_remove(struct listeners *listeners, struct listener *listener);
/* Those since the last call are to stay, or to go again. */
void listeners_settle(struct listeners *listeners, bool good);
void listeners_close(struct listeners *listeners);

#endif
