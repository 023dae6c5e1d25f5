/*
 * fault_server.h - an HTTP server on a port of 127.0.0.1 that answers as badly as it is asked to.
 *
 * It is a child of the caller's, each connection is a child of its own, and all end with the
 * caller or by fault_server_stop(). What it does is the first component of the path:
 * http://127.0.0.1:PORT/HOW/anything.
 */
#ifndef FAULT_SERVER_H
#define FAULT_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct fault_server {
	pid_t pid;
	unsigned port;
};

/* Byte i of every body that it sends. */
static inline unsigned char fault_server_byte(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

/* How long the body of a proper answer is. */
#define FAULT_SERVER_BODY ((size_t)100000)

/* 0, or -1 with errno. */
int fault_server_start(struct fault_server *server);
void fault_server_stop(struct fault_server *server);

#endif
