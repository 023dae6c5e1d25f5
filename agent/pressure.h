/*
 * pressure.h - what the agent refuses before its memory is full, and which connections go then.
 *
 * Of a limit of the whole agent in bytes (held-total, decoded-total, memory-total) 80 % in use
 * refuse new sessions, 90 % new requests, but for those that give something back, and 95 % new
 * connections; what resources hold refuses no requests but registrations. From 95 % on, and when
 * so many of all connections are open, idle connections without a session are closed, for memory
 * the longest idle ones with a session after them. The limits idle and first-frame are kept here
 * too. The loop's thread.
 */
#ifndef AGENT_PRESSURE_H
#define AGENT_PRESSURE_H

#include "agent.h"

/* 0 or -ENOMEM; in agent->pressure. */
int pressure_new(struct agent *agent);
void pressure_free(struct agent *agent);

/* A connection has come: see to it that those that must go do. */
void pressure_watch(struct agent *agent);

/* 0, or the VACCEL_* code with a sentence in why. */
int pressure_refuses_sessions(const struct agent *agent, char *why, size_t size);
int pressure_refuses_requests(const struct agent *agent, char *why, size_t size);
int pressure_refuses_resources(const struct agent *agent, char *why, size_t size);
int pressure_refuses_connections(struct agent *agent, char *why, size_t size);

#endif
