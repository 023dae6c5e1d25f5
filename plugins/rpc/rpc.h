/*
 * rpc.h - the parts of the rpc plugin and what they share.
 *
 *   vaccel_session ── priv ── rpc_session ──┐
 *   vaccel_session ── priv ── rpc_session ──┴─▶ rpc_connection ── ttrpc_client ── agent
 *                                                    └── rpc_resource: what the agent holds of ours
 *
 * A process has one connection to each agent that it uses, made when its first session there needs
 * it and shared by all threads: an application uses one, an agent may use several. A session
 * belongs to the connection that it was opened on and counts it: when the connection is lost the
 * session is lost, and the next session_init connects anew.
 *
 * Every function that returns a code has, when it fails, left the reason with luaccel_set_error().
 * All of it may run on any thread of the application.
 */
#ifndef RPC_H
#define RPC_H

#include "client.h"
#include "digest.h"
#include "error.pb-c.h"
#include "genop.pb-c.h"
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
/* One of ours has this too. */
#define RPC_SERVICE_PEER "luaccel.v1.Peer"

enum { RPC_RESOURCE_BUCKETS = 64 };

struct rpc_resource;

struct rpc_connection {
	struct ttrpc_client *client;
	char *uri;	    /* where it leads, for messages */
	pid_t pid;	    /* the process that made it */
	size_t frame_max;   /* the largest request that the agent takes */
	bool takes_noop;    /* it is one of ours, and its Hello says so */
	bool takes_uploads; /* likewise: these are for them */
	uint8_t content_key[DIGEST_SIZE], content_nonce[DIGEST_SIZE];
	bool plain;		       /* it is none of ours: it knew no Hello */
	bool remote;		       /* not the environment's: a target */
	int64_t timeout_ns;	       /* for an answer; 0: any time */
	atomic_bool severed;	       /* by us */
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

/* agents.c */
int rpc_agents_setup(void);
void rpc_agents_close(void);
int rpc_connection_get(const struct luaccel_target *target, struct rpc_connection **conn,
		       bool *fresh);

/* connection.c */
void rpc_connection_setup(void);
void rpc_connection_forked(void);
int rpc_connection_make(const char *uri, bool remote, struct rpc_connection **conn);
int rpc_connection_probe(const char *uri);
void rpc_connection_unref(struct rpc_connection *conn);
void rpc_connection_sever(struct rpc_connection *conn);
bool rpc_connection_lost(const struct rpc_connection *conn);
bool rpc_connection_inherited(const struct rpc_connection *conn);

/* call.c */
int rpc_exchange(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer);
int rpc_outcome(const struct rpc_connection *conn, const char *method,
		const ProtobufCMessage *request, int ret, struct ttrpc_answer *answer);
int rpc_call(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
	     const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer);
int rpc_check_size(const struct rpc_connection *conn, const char *method, size_t size);

/* address.c */
void rpc_address_setup(void);
const char *rpc_address_uri(void);
int rpc_address_timeout(int64_t *nanoseconds);

/* errors.c */
enum { RPC_DETAIL_BUDGET = 16 << 10 };
const Vaccel__Error *rpc_error_of(const struct ttrpc_status *status, struct ttrpc_arena *arena);
__attribute__((format(printf, 2, 3))) int rpc_fail(int code, const char *format, ...);
int rpc_fail_call(const struct rpc_connection *conn, const char *method,
		  const ProtobufCMessage *request, int error);
int rpc_fail_size(const struct rpc_connection *conn, const char *method, size_t size);
int rpc_fail_status(const struct rpc_connection *conn, const char *method,
		    const struct ttrpc_status *status);

/* session.c */
int rpc_session_init(struct vaccel_session *sess, uint32_t flags);
int rpc_session_init_at(struct vaccel_session *sess, uint32_t flags,
			const struct luaccel_target *target);
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
int rpc_resource_bytes(struct vaccel_blob *blob, uint8_t **bytes, size_t *size);
int rpc_resource_check_id(const struct rpc_connection *conn, const char *method, int64_t remote_id);

/* upload.c: is this resource, whose blobs have been read, better uploaded to this agent? */
bool rpc_upload_is_better(const struct rpc_connection *conn, const struct vaccel_resource *res);
/* Then it is registered with the session this way; the agent's id of it. */
int rpc_upload(struct rpc_session *session, int64_t session_id, const struct vaccel_resource *res,
	       int64_t *remote_id);

/*
 * genop.c: one operation as Genop has it. `head` are arguments of our making after the operation's
 * number, `read` the caller's after those. With `exact` every write argument must come back whole;
 * without, a shorter one is one that the operation shortened.
 */
struct rpc_genop {
	vaccel_op_type_t op;
	const struct vaccel_arg *head;
	size_t nr_head;
	const struct vaccel_arg *read;
	size_t nr_read;
	struct vaccel_arg *write;
	size_t nr_write;
	bool exact;
};

int rpc_genop(struct vaccel_session *sess, const struct rpc_genop *genop);

/* genop_stream.c: is it too long for one request to this agent, which takes it in several? */
bool rpc_genop_streams(const struct rpc_connection *conn, const Vaccel__Genop__Request *request);
/* As rpc_call(). */
int rpc_genop_stream(struct rpc_connection *conn, const Vaccel__Genop__Request *request,
		     struct ttrpc_answer *answer);
int rpc_noop(struct vaccel_session *sess);

/* An argument that refers to the caller's memory. */
static inline struct vaccel_arg rpc_arg(vaccel_arg_type_t type, const void *buf, size_t size)
{
	return (struct vaccel_arg){ .buf = (void *)buf, .size = size, .type = type };
}

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

/* exec.c */
int rpc_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
	     struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);
int rpc_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
			   const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			   struct vaccel_arg *write, size_t nr_write);
int rpc_opencv(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
	       struct vaccel_arg *write, int nr_write);

/* numeric.c */
int rpc_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha, float *a,
	      int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc);
int rpc_fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a);
int rpc_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a);
int rpc_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		      float mult_output[], size_t len_a);
int rpc_fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		  size_t len_b);
int rpc_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
	       int high_threshold, double *outdata, double *min, double *max);

/* model.c: a model that a session has registered, by the agent's ids */
struct rpc_model {
	struct rpc_session *session;
	int64_t session_id, id;
};

/* What TensorFlow and TensorFlow Lite say beside a code; begins as zeros. */
struct rpc_status {
	bool given; /* by the agent */
	uint8_t code;
	char *message; /* from malloc() */
};

int rpc_model_find(struct vaccel_session *sess, const struct vaccel_resource *res,
		   struct rpc_model *model);
int rpc_model_call(const struct rpc_model *model, const char *method,
		   const ProtobufCMessage *request, const ProtobufCMessageDescriptor *response_type,
		   struct rpc_status *status, struct ttrpc_answer *answer);
int rpc_model_command(struct vaccel_session *sess, const struct vaccel_resource *res,
		      const char *method, const ProtobufCMessageDescriptor *response_type,
		      struct rpc_status *status, struct ttrpc_answer *answer);
int rpc_model_plain_command(struct vaccel_session *sess, const struct vaccel_resource *res,
			    const char *method);
void rpc_status_take(struct rpc_status *status, const Vaccel__Status *from);
void rpc_status_settle(struct rpc_status *status, int ret);
void rpc_status_release(struct rpc_status *status);

/* tf.c */
int rpc_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tf_status *status);
int rpc_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			struct vaccel_tf_status *status);
int rpc_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
		     const struct vaccel_tf_buffer *run_options,
		     const struct vaccel_tf_node *in_nodes,
		     struct vaccel_tf_tensor *const *in_tensors, int nr_inputs,
		     const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out_tensors,
		     int nr_outputs, struct vaccel_tf_status *status);

/* tflite.c */
int rpc_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model);
int rpc_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model);
int rpc_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tflite_tensor *const *inputs, int nr_inputs,
			 struct vaccel_tflite_tensor **outputs, int nr_outputs, uint8_t *status);

/* torch.c */
int rpc_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model);
int rpc_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_torch_buffer *run_options,
			struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			struct vaccel_torch_tensor **outputs, int nr_outputs);

#endif
