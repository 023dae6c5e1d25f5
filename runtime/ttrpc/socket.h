/*
 * socket.h - what connecting and listening share. Private to runtime/ttrpc.
 */
#ifndef TTRPC_SOCKET_H
#define TTRPC_SOCKET_H

#include "address.h"

/* The address of a unix or vsock socket, as the kernel has it; its size. */
socklen_t ttrpc_sockaddr_of(const struct ttrpc_address *address, struct sockaddr_storage *sa);

/* snprintf into err if it is given; returns code. */
__attribute__((format(printf, 4, 5))) int ttrpc_socket_error(int code, char *err, size_t errsize,
							     const char *format, ...);

void ttrpc_socket_nodelay(int fd);

#endif
