/*
 * genop.h - Genop, whether its arguments came in one request or in a stream of them. The loop's
 * thread.
 */
#ifndef AGENT_GENOP_H
#define AGENT_GENOP_H

#include "genop.pb-c.h"
#include "service.h"

/* Check the arguments and start the operation, or refuse. `genop` lives as long as the request. */
void genop_start(struct connection *connection, struct ttrpc_request *request,
		 const Vaccel__Genop__Request *genop);

#endif
