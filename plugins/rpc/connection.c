/*
 * connection.c - the process's connection to its agent: made, shared, found lost, and left alone in
 * a forked child.
 *
 * `current` is the connection that new sessions get. It is held by one count of its own and one of
 * each session; a lost one is let go when the next session comes, and lives until its last session
 * has been released. The lock is held while connecting, so that threads that start together share
 * what the first of them makes.
 */
#include "frame.h"
#include "peer.pb-c.h"
#include "rpc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_PEER "luaccel.v1.Peer"

/* A peer that does not even refuse the Hello by then is taken for a plain one. */
#define HELLO_TIMEOUT_NS (INT64_C(5) * 1000 * 1000 * 1000)

static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpc_connection *current;
static struct rpc_connection *inherited_unused; /* of forked children; under the lock */
static pid_t process;

/*
 * In a forked child: the parent's connection is not ours to use or to close in the peer's eyes, and
 * another thread of the parent may have held the lock. The structure stays for the copies of the
 * parent's sessions, which name it.
 */
static void forked_child(void)
{
	struct rpc_connection *inherited = current;

	current = NULL;
	process = getpid();
	current_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	if (!inherited)
		return;
	ttrpc_client_abandon(inherited->client);
	rpc_connection_unref(inherited); /* it is nobody's current one */
}

/* At the plugin's init, before any session. */
int rpc_connection_setup(void)
{
	static bool done;
	int error;

	process = getpid();
	if (done)
		return VACCEL_OK;
	error = pthread_atfork(NULL, NULL, forked_child);
	if (error)
		return rpc_fail(VACCEL_ENOMEM, "the rpc plugin cannot prepare for fork: %s",
				strerror(error));
	done = true;
	return VACCEL_OK;
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
	pthread_mutex_lock(&current_lock);
	conn->next_inherited = inherited_unused;
	inherited_unused = conn;
	pthread_mutex_unlock(&current_lock);
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

/* Was it made by the process that forked this one? */
bool rpc_connection_inherited(const struct rpc_connection *conn)
{
	return conn->pid != process;
}

static struct rpc_connection *connection_new(const char *uri)
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
				"cannot reach the agent at %s: %s; start vaccelrt-agent -a %s, or "
				"set VACCEL_RPC_ADDRESS",
				conn->uri, strerror(-error), conn->uri);
	}
}

static int dial(struct rpc_connection *conn)
{
	const struct ttrpc_client_options options = { .frame_max = conn->frame_max };
	struct ttrpc_address address;
	char reason[256];
	int ret;

	ret = ttrpc_address_parse(conn->uri, &address, reason, sizeof(reason));
	if (ret == -ENOMEM)
		return fail_dial(conn, ret, reason);
	if (ret)
		return rpc_fail(VACCEL_EINVAL, "VACCEL_RPC_ADDRESS: %s", reason);
	ret = ttrpc_client_new(&address, &options, &conn->client, reason, sizeof(reason));
	ttrpc_address_release(&address);
	return ret ? fail_dial(conn, ret, reason) : VACCEL_OK;
}

/*
 * Tell the peer who we are. One that does not know this service is a plain vAccel peer, and nothing
 * beyond the original is used with it.
 */
static int say_hello(struct rpc_connection *conn)
{
	Luaccel__V1__HelloRequest hello = LUACCEL__V1__HELLO_REQUEST__INIT;
	struct ttrpc_answer answer;
	char build[] = "luaccel " VACCEL_VERSION;
	int ret;

	hello.version = 1;
	hello.build = build;
	hello.frame_max = TTRPC_FRAME_DEFAULT;
	ret = ttrpc_client_call(conn->client, SERVICE_PEER, "Hello", &hello.base,
				&luaccel__v1__hello_response__descriptor, HELLO_TIMEOUT_NS,
				&answer);
	if (ret == -ECONNRESET || ret == -ENOMEM)
		return rpc_fail_call(conn, "Hello", &hello.base, ret);
	if (ret)
		return VACCEL_OK;
	if (answer.status.code == TTRPC_OK) {
		uint64_t frame_max =
			((const Luaccel__V1__HelloResponse *)answer.response)->frame_max;

		if (frame_max > 0 && frame_max < conn->frame_max) {
			conn->frame_max = (size_t)frame_max;
			ttrpc_client_set_frame_max(conn->client, conn->frame_max);
		}
	}
	ttrpc_answer_release(&answer);
	return VACCEL_OK;
}

/* With current_lock held. current is set before the Hello, so that a fork meanwhile finds it. */
static int make_current(void)
{
	struct rpc_connection *conn = connection_new(rpc_address_uri());
	int ret;

	if (!conn)
		return rpc_fail(VACCEL_ENOMEM, "no memory for a connection to the agent");
	ret = dial(conn);
	if (ret == VACCEL_OK) {
		current = conn;
		ret = say_hello(conn);
	}
	if (ret != VACCEL_OK) {
		current = NULL;
		rpc_connection_unref(conn);
	}
	return ret;
}

/* With current_lock held. */
static void let_go_current(void)
{
	struct rpc_connection *conn = current;

	current = NULL;
	if (conn)
		rpc_connection_unref(conn);
}

/* The connection for a new session, counted for the caller. *fresh: it was made by this call. */
int rpc_connection_get(struct rpc_connection **conn, bool *fresh)
{
	int ret = VACCEL_OK;

	pthread_mutex_lock(&current_lock);
	if (current && rpc_connection_lost(current))
		let_go_current();
	*fresh = !current;
	if (!current)
		ret = make_current();
	if (ret == VACCEL_OK) {
		atomic_fetch_add(&current->refs, 1);
		*conn = current;
	}
	pthread_mutex_unlock(&current_lock);
	return ret;
}

/* At the plugin's fini, after the last session. */
void rpc_connection_close(void)
{
	pthread_mutex_lock(&current_lock);
	let_go_current();
	pthread_mutex_unlock(&current_lock);
}
