/*
 * fake_agent.h - the other end of the rpc plugin's connection, made of a fuzz target's input, in
 * the plugin's own thread.
 *
 * The plugin is linked so that its connect, recv(), recvmsg() and poll() come here (--wrap). When
 * it waits for bytes, the next record of the input becomes bytes on its socket; after the last
 * record the agent hangs up. A record is
 *
 *     what (4 bits), in pieces of how many bytes (4 bits, 0: whole) | what it takes
 */
#ifndef FAKE_AGENT_H
#define FAKE_AGENT_H

#include "fuzz.h"

enum fake_answer {
	FAKE_HONEST,   /* what a good agent would say, as for all numbers that are not here */
	FAKE_PAYLOAD,  /* size | message: success, with this message */
	FAKE_ENVELOPE, /* size | message: this ttrpc.Response */
	FAKE_STATUS,   /* code | size | message: failure, with this vaccel.Error as its detail */
	FAKE_FRAME,    /* type | flags | stream less ours | size | body */
	FAKE_RAW,      /* size | bytes of any kind */
	FAKE_HANG_UP,
	FAKE_SILENCE, /* no answer in time; who waits for ever is hung up on */
	FAKE_LIE,     /* which (3 bits), by how much (5 bits): the same with a wrong number in it */
};

/* The agent's answers are taken from here on, until it is told otherwise. */
void fake_agent_start(struct fuzz_input *input);

/* Close its end. */
void fake_agent_stop(void);

#endif
