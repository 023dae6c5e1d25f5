/*
 * rpc.h - the parts of the rpc plugin and what they share.
 *
 *   vaccel_session ── priv ── rpc_session ──┐
 *   vaccel_session ── priv ── rpc_session ──┴─▶ rpc_connection ── ttrpc_client ── agent
 *                                                    └── rpc_resource: what the agent holds of ours
 *
 * A process has one connection, made when its first session needs it and shared by all threads. A
 * session belongs to the connection that it was opened on and counts it: when the connection is
 * lost the session is lost, and the next session_init connects anew.
 *
 * Every function that returns a code has, when it fails, left the reason with luaccel_set_error().
 * All of it may run on any thread of the application.
 */
#ifndef RPC_H
#define RPC_H

#include "client.h"
#include "luaccel.h"
#include "vaccel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define RPC_LOG "[rpc] "

/* An agent has one of the two, or both. */
#define RPC_SERVICE_SYNC  "vaccel.sync.agent.AgentService"
#define RPC_SERVICE_ASYNC "vaccel.asynchronous.agent.AgentService"

enum { RPC_RESOURCE_BUCKETS = 64 };

struct rpc_resource;

struct rpc_connection {
	struct ttrpc_client *client;
	char *uri;		       /* where it leads, for messages */
	pid_t pid;		       /* the process that made it */
	size_t frame_max;	       /* the largest request that the agent takes */
	atomic_uint refs;	       /* its sessions, and one while it is the current one */
	_Atomic(const char *) service; /* the name under which this agent serves */

	pthread_mutex_t lock;	/* the table below, and the lists of its sessions */
	pthread_cond_t settled; /* a resource is no longer busy */
	struct rpc_resource *resources[RPC_RESOURCE_BUCKETS];

	struct rpc_connection *next_inherited;
};

struct rpc_session {
	struct rpc_connection *conn;
	struct rpc_registration *registrations;
};

/* connection.c */
int rpc_connection_setup(void);
void rpc_connection_close(void);
int rpc_connection_get(struct rpc_connection **conn, bool *fresh);
void rpc_connection_unref(struct rpc_connection *conn);
bool rpc_connection_lost(const struct rpc_connection *conn);
bool rpc_connection_inherited(const struct rpc_connection *conn);

/* call.c */
int rpc_exchange(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer);
int rpc_outcome(const struct rpc_connection *conn, const char *method,
		const ProtobufCMessage *request, int ret, struct ttrpc_answer *answer);
int rpc_call(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
	     const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer);

/* address.c */
void rpc_address_setup(void);
const char *rpc_address_uri(void);

/* errors.c */
__attribute__((format(printf, 2, 3))) int rpc_fail(int code, const char *format, ...);
int rpc_fail_call(const struct rpc_connection *conn, const char *method,
		  const ProtobufCMessage *request, int error);
int rpc_fail_status(const struct rpc_connection *conn, const char *method,
		    const struct ttrpc_status *status);

/* session.c */
int rpc_session_init(struct vaccel_session *sess, uint32_t flags);
int rpc_session_update(struct vaccel_session *sess, uint32_t flags);
int rpc_session_release(struct vaccel_session *sess);
int rpc_session_of(const struct vaccel_session *sess, struct rpc_session **session);

/* resource.c */
int rpc_resource_register(struct vaccel_resource *res, struct vaccel_session *sess);
int rpc_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess);
int rpc_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess);
int rpc_resource_remote_id(struct rpc_session *session, const struct vaccel_resource *res,
			   int64_t *remote_id);
void rpc_resource_forget_session(struct rpc_session *session);

/* genop.c */
int rpc_genop(struct vaccel_session *sess, const struct vaccel_arg *read, size_t nr_read,
	      struct vaccel_arg *write, size_t nr_write);

/* image.c */
int rpc_image_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		       unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		       size_t len_out_imgname);
int rpc_image_detect(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		     size_t len_img, size_t len_out_imgname);
int rpc_image_segment(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname);
int rpc_image_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		   size_t len_img, size_t len_out_imgname);
int rpc_image_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		    size_t len_img, size_t len_out_imgname);

/* torch.c */
int rpc_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model);
int rpc_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_torch_buffer *run_options,
			struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			struct vaccel_torch_tensor **outputs, int nr_outputs);

#endif
