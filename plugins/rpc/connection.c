/*
 * connection.c - a connection to an agent: made, found lost, and left alone in a forked child.
 * agents.c says which one a session gets.
 */
#include "frame.h"
#include "peer.pb-c.h"
#include "rpc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A peer that does not even refuse the Hello by then is taken for a plain one. */
#define HELLO_TIMEOUT_NS (INT64_C(5) * 1000 * 1000 * 1000)

/* For an agent that is one of several: somebody waits for the next one. 0: as long as ttrpc does.
 */
enum { REMOTE_CONNECT_MS = 3000 };

static pthread_mutex_t inherited_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpc_connection *inherited_unused; /* of forked children; under the lock */
static pid_t process;

void rpc_connection_setup(void)
{
	process = getpid();
}

void rpc_connection_forked(void)
{
	process = getpid();
	inherited_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void connection_free(struct rpc_connection *conn)
{
	if (conn->client)
		ttrpc_client_unref(conn->client);
	pthread_cond_destroy(&conn->settled);
	pthread_mutex_destroy(&conn->lock);
	free(conn->uri);
	free(conn);
}

/* One that may be locked by a thread that is not here is never freed, and stays findable. */
static void keep_inherited(struct rpc_connection *conn)
{
	pthread_mutex_lock(&inherited_lock);
	conn->next_inherited = inherited_unused;
	inherited_unused = conn;
	pthread_mutex_unlock(&inherited_lock);
}

void rpc_connection_unref(struct rpc_connection *conn)
{
	if (atomic_fetch_sub(&conn->refs, 1) > 1)
		return;
	if (rpc_connection_inherited(conn))
		keep_inherited(conn);
	else
		connection_free(conn);
}

bool rpc_connection_lost(const struct rpc_connection *conn)
{
	return ttrpc_client_lost(conn->client);
}

/* Calls in flight and later ones have VACCEL_ESESS, and no session that was being opened connects
 * anew. */
void rpc_connection_sever(struct rpc_connection *conn)
{
	atomic_store(&conn->severed, true);
	ttrpc_client_sever(conn->client);
}

/* Was it made by the process that forked this one? */
bool rpc_connection_inherited(const struct rpc_connection *conn)
{
	return conn->pid != process;
}

static struct rpc_connection *connection_new(const char *uri, bool remote)
{
	struct rpc_connection *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->uri = strdup(uri);
	if (!conn->uri) {
		free(conn);
		return NULL;
	}
	conn->pid = process;
	conn->remote = remote;
	conn->frame_max = TTRPC_FRAME_DEFAULT;
	atomic_init(&conn->refs, 1);
	atomic_init(&conn->service, RPC_SERVICE_SYNC);
	pthread_mutex_init(&conn->lock, NULL);
	pthread_cond_init(&conn->settled, NULL);
	return conn;
}

/* The sentence for a connect that failed; `reason` is ttrpc's own. */
static int fail_dial(const struct rpc_connection *conn, int error, const char *reason)
{
	switch (error) {
	case -ENOMEM:
		return rpc_fail(VACCEL_ENOMEM, "no memory to connect to the agent at %s",
				conn->uri);
	case -EADDRNOTAVAIL: /* what became of a name is told by `reason` alone */
		return rpc_fail(VACCEL_EBACKEND, "%s", reason);
	case -EACCES:
	case -EPERM:
		return rpc_fail(VACCEL_EBACKEND,
				"cannot reach the agent at %s: %s; run as a user that may use its "
				"socket, or start it with -a %s,owner=%u:%u",
				conn->uri, strerror(-error), conn->uri, geteuid(), getegid());
	default:
		return rpc_fail(VACCEL_EBACKEND,
				"cannot reach the agent at %s: %s; start vaccelrt-agent -a %s%s",
				conn->uri, strerror(-error), conn->uri,
				conn->remote ? "" : ", or set VACCEL_RPC_ADDRESS");
	}
}

static int dial(struct rpc_connection *conn)
{
	const struct ttrpc_client_options options = {
		.frame_max = conn->frame_max,
		.connect_timeout_ms = conn->remote ? REMOTE_CONNECT_MS : 0,
	};
	struct ttrpc_address address;
	char reason[256];
	int ret;

	ret = ttrpc_address_parse(conn->uri, &address, reason, sizeof(reason));
	if (ret == -ENOMEM)
		return fail_dial(conn, ret, reason);
	if (ret)
		return rpc_fail(VACCEL_EINVAL, "VACCEL_RPC_ADDRESS: %s", reason);
	ret = rpc_address_timeout(&conn->timeout_ns);
	if (ret) {
		ttrpc_address_release(&address);
		return ret;
	}
	ret = ttrpc_client_new(&address, &options, &conn->client, reason, sizeof(reason));
	ttrpc_address_release(&address);
	return ret ? fail_dial(conn, ret, reason) : VACCEL_OK;
}

/* What the agent does beyond vAccel's protocol. */
static void take_features(struct rpc_connection *conn, const Luaccel__V1__HelloResponse *hello)
{
	const bool keyed = hello->content_key.len == sizeof(conn->content_key) &&
			   hello->content_nonce.len == sizeof(conn->content_nonce);

	for (size_t i = 0; i < hello->n_features; i++) {
		if (strcmp(hello->features[i], "noop") == 0)
			conn->takes_noop = true;
		if (strcmp(hello->features[i], "upload") == 0)
			conn->takes_uploads = keyed;
	}
	if (!conn->takes_uploads)
		return;
	memcpy(conn->content_key, hello->content_key.data, sizeof(conn->content_key));
	memcpy(conn->content_nonce, hello->content_nonce.data, sizeof(conn->content_nonce));
}

/*
 * Tell the peer who we are. One that does not know this service is a plain vAccel peer, and nothing
 * beyond the original is used with it.
 */
static int say_hello(struct rpc_connection *conn)
{
	Luaccel__V1__HelloRequest hello = LUACCEL__V1__HELLO_REQUEST__INIT;
	struct ttrpc_answer answer;
	char build[] = "luaccel " VACCEL_VERSION, shm[] = "shm";
	char *features[] = { shm };
	int ret;

	hello.version = 1;
	hello.build = build;
	hello.frame_max = TTRPC_FRAME_DEFAULT;
	hello.features = features;
	hello.n_features = ttrpc_client_share(conn->client) ? 1 : 0;
	ret = ttrpc_client_call(conn->client, RPC_SERVICE_PEER, "Hello", &hello.base,
				&luaccel__v1__hello_response__descriptor, HELLO_TIMEOUT_NS,
				&answer);
	if (ret == -ECONNRESET || ret == -ENOMEM)
		return rpc_fail_call(conn, "Hello", &hello.base, ret);
	if (ret == -ETIMEDOUT && conn->remote)
		return rpc_fail(VACCEL_EBACKEND, "the agent at %s does not answer", conn->uri);
	conn->plain = ret || answer.status.code != TTRPC_OK;
	if (ret)
		return VACCEL_OK;
	if (!conn->plain) {
		const Luaccel__V1__HelloResponse *response = (const void *)answer.response;
		const uint64_t frame_max = response->frame_max;

		take_features(conn, response);
		if (frame_max > 0 && frame_max < conn->frame_max) {
			conn->frame_max = (size_t)frame_max;
			ttrpc_client_set_frame_max(conn->client, conn->frame_max);
		}
	}
	ttrpc_answer_release(&answer);
	return VACCEL_OK;
}

/*
 * Connect to the agent at `uri` and say Hello; `remote` says that it is one of several that might
 * serve. *conn, counted once, is set before the Hello, so that a fork meanwhile finds it; it is
 * NULL after a failure.
 */
int rpc_connection_make(const char *uri, bool remote, struct rpc_connection **conn)
{
	struct rpc_connection *made = connection_new(uri, remote);
	int ret;

	if (!made)
		return rpc_fail(VACCEL_ENOMEM, "no memory for a connection to the agent");
	ret = dial(made);
	if (ret == VACCEL_OK) {
		*conn = made;
		ret = say_hello(made);
	}
	if (ret != VACCEL_OK) {
		*conn = NULL;
		rpc_connection_unref(made);
	}
	return ret;
}

/* A connection of its own for one question: any answer will do. Negative errno and the reason. */
static int ask(const struct ttrpc_address *address, char *reason, size_t size)
{
	const struct ttrpc_client_options options = { .connect_timeout_ms = REMOTE_CONNECT_MS };
	Luaccel__V1__HelloRequest hello = LUACCEL__V1__HELLO_REQUEST__INIT;
	struct ttrpc_client *client;
	struct ttrpc_answer answer;
	int ret = ttrpc_client_new(address, &options, &client, reason, size);

	if (ret)
		return ret;
	hello.version = 1;
	ret = ttrpc_client_call(client, RPC_SERVICE_PEER, "Hello", &hello.base,
				&luaccel__v1__hello_response__descriptor, HELLO_TIMEOUT_NS,
				&answer);
	if (ret == 0)
		ttrpc_answer_release(&answer);
	else
		snprintf(reason, size, "the agent at %s %s", address->uri,
			 ret == -ETIMEDOUT ? "does not answer" : "hung up");
	ttrpc_client_unref(client);
	return ret;
}

/* Without a line in the log: whoever asks again and again says what he finds. */
int rpc_connection_probe(const char *uri)
{
	struct ttrpc_address address;
	char reason[256];
	int ret = ttrpc_address_parse(uri, &address, reason, sizeof(reason));

	if (ret == 0) {
		ret = ask(&address, reason, sizeof(reason));
		ttrpc_address_release(&address);
	}
	if (ret == 0)
		return VACCEL_OK;
	luaccel_set_error("%s", reason);
	return ret == -ETIMEDOUT ? VACCEL_EAGAIN : VACCEL_EBACKEND;
}
