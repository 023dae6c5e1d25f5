/*
 * rpc_fake.h - a scripted agent for the rpc plugin's tests, and libvaccel with the plugin loaded.
 *
 * The agent listens on a unix socket in a directory of its own; one thread accepts and one serves
 * each connection. Without a script it behaves as a vAccel agent does. A script sees each call
 * first, on the connection's thread, and returns true for what it has answered (or left without an
 * answer) itself.
 */
#ifndef RPC_FAKE_H
#define RPC_FAKE_H

#include "cmocka_all.h"
#include "luaccel.h"
#include "message.h"
#include "vaccel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define FAKE_SYNC  "vaccel.sync.agent.AgentService"
#define FAKE_ASYNC "vaccel.asynchronous.agent.AgentService"

struct fake;

struct fake_call {
	struct fake *fake;
	int fd;
	uint32_t stream_id;
	const char *service;
	const char *method;
	ProtobufCBinaryData payload;
	struct ttrpc_arena *arena;
};

typedef bool (*fake_script)(const struct fake_call *call);

/* Settings are the test's to change while no call is in flight; the script at any time. */
struct fake {
	char dir[64];
	char path[96];
	char uri[112];

	_Atomic(fake_script) script;
	const char *service; /* the one that it has; FAKE_SYNC */
	bool plain;	     /* knows no Hello */
	uint64_t frame_max;  /* what its Hello says */
	char *feature;	     /* ... and can do beyond vAccel's protocol, or NULL */
	ProtobufCBinaryData content_key, content_nonce; /* ... with these */
	void *user;					/* the script's */

	atomic_int connections; /* accepted so far */
	atomic_int closed;	/* ... and gone */
	atomic_int creates, updates, destroys, registers, unregisters, syncs, classifies, genops,
		loads, unloads, runs, hellos, genop_streams, uploads;
	atomic_int refused; /* calls on a service that it has not */

	/* private */
	atomic_long next_id;
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	struct fake_conn *conns;
};

/* Make the directory and set VACCEL_RPC_ADDRESS; then start listening there. */
void fake_init(struct fake *fake);
void fake_listen(struct fake *fake);
/* Hang up on every client. */
void fake_hang_up(struct fake *fake);
/* ... and stop listening; fake_listen() may follow. */
void fake_stop(struct fake *fake);
void fake_release(struct fake *fake);

/* For scripts. */
const ProtobufCMessage *fake_request(const struct fake_call *call,
				     const ProtobufCMessageDescriptor *type);
void fake_reply(const struct fake_call *call, const ProtobufCMessage *message);
void fake_fail(const struct fake_call *call, const struct ttrpc_status *status);
/* A message of a stream. */
void fake_send(const struct fake_call *call, const ProtobufCMessage *message);
void fake_raw(const struct fake_call *call, const void *bytes, size_t size);
void fake_close(const struct fake_call *call);

/* cmocka's setup and teardown: an agent that listens, libvaccel bootstrapped with the plugin. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Bootstrap with this plugin file. */
void rig_bootstrap(const char *plugin);
/* Classify an image of this size (at most 4096) whose first byte is 7. */
int rig_classify(struct vaccel_session *sess, size_t size, char text[64]);
/* The calling thread's last reason. */
const char *rig_reason(void);
/* Wait until the counter is at least `value`; the test fails after five seconds. */
void rig_wait(atomic_int *counter, int value);
double rig_seconds(void);

#endif
