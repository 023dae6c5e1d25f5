/*
 * resource.c - resources of the agent behind resources of the application.
 *
 * A remote id is worth something on the connection that it came from, for as long as a session of
 * it has the resource registered. So each connection keeps a table of what the agent holds for it,
 * and each session a list of what it has registered there:
 *
 *   rpc_connection ── rpc_resource { res, remote_id, sessions } ◀── rpc_registration ── rpc_session
 *
 * The first session of a connection sends the resource whole, further ones its id alone, and with
 * the last that unregisters it the agent has freed it. The connection's lock guards all of this and
 * is never held across a call; a resource is `busy` instead while its bytes or its end are under
 * way, and who wants the same one waits.
 *
 * The slot res->plugin_priv stays free: a resource may be registered with a local plugin too.
 */
#include "empty.pb-c.h"
#include "resource.pb-c.h"
#include "rpc.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct rpc_resource {
	struct rpc_resource *next; /* in its bucket */
	const struct vaccel_resource *res;
	int64_t remote_id; /* 0 until the agent has it */
	size_t sessions;
	bool busy;
};

struct rpc_registration {
	struct rpc_registration *next; /* of its session */
	struct rpc_resource *resource;
};

static struct rpc_resource **bucket_of(struct rpc_connection *conn,
				       const struct vaccel_resource *res)
{
	/* Neighbours in memory differ above the size of the struct. */
	return &conn->resources[((uintptr_t)res / sizeof(*res)) % RPC_RESOURCE_BUCKETS];
}

static struct rpc_resource *find_resource(struct rpc_connection *conn,
					  const struct vaccel_resource *res)
{
	struct rpc_resource *resource = *bucket_of(conn, res);

	while (resource && resource->res != res)
		resource = resource->next;
	return resource;
}

/* The link that holds the session's registration of `res`, or the end of its list. */
static struct rpc_registration **find_registration(struct rpc_session *session,
						   const struct vaccel_resource *res)
{
	struct rpc_registration **link = &session->registrations;

	while (*link && (*link)->resource->res != res)
		link = &(*link)->next;
	return link;
}

static void drop_if_unused(struct rpc_connection *conn, struct rpc_resource *resource)
{
	struct rpc_resource **link = bucket_of(conn, resource->res);

	if (resource->sessions > 0 || resource->busy)
		return;
	while (*link != resource)
		link = &(*link)->next;
	*link = resource->next;
	free(resource);
}

static void remove_registration(struct rpc_registration **link)
{
	struct rpc_registration *registration = *link;

	*link = registration->next;
	registration->resource->sessions--;
	free(registration);
}

/* Find or add the resource and have it for ourselves until settle(). NULL: no memory. */
static struct rpc_resource *claim(struct rpc_connection *conn, const struct vaccel_resource *res)
{
	struct rpc_resource *resource;

	pthread_mutex_lock(&conn->lock);
	while ((resource = find_resource(conn, res)) && resource->busy)
		pthread_cond_wait(&conn->settled, &conn->lock);
	if (!resource) {
		resource = calloc(1, sizeof(*resource));
		if (resource) {
			resource->res = res;
			resource->next = *bucket_of(conn, res);
			*bucket_of(conn, res) = resource;
		}
	}
	if (resource)
		resource->busy = true;
	pthread_mutex_unlock(&conn->lock);
	return resource;
}

/* With the lock held: the resource is anybody's again, or gone when no session has it. */
static void settle(struct rpc_connection *conn, struct rpc_resource *resource)
{
	resource->busy = false;
	drop_if_unused(conn, resource);
	pthread_cond_broadcast(&conn->settled);
}

/* The agent has it as remote_id, for this session too. Takes the registration over. */
static void settle_registered(struct rpc_session *session, struct rpc_resource *resource,
			      int64_t remote_id, struct rpc_registration *registration)
{
	struct rpc_connection *conn = session->conn;

	pthread_mutex_lock(&conn->lock);
	resource->remote_id = remote_id;
	/* Registering again is allowed and changes nothing. */
	if (!*find_registration(session, resource->res)) {
		registration->resource = resource;
		registration->next = session->registrations;
		session->registrations = registration;
		resource->sessions++;
		registration = NULL;
	}
	settle(conn, resource);
	pthread_mutex_unlock(&conn->lock);
	free(registration);
}

/* The session has it no longer (or never had). */
static void settle_unregistered(struct rpc_session *session, struct rpc_resource *resource)
{
	struct rpc_connection *conn = session->conn;
	struct rpc_registration **link;

	pthread_mutex_lock(&conn->lock);
	link = find_registration(session, resource->res);
	if (*link)
		remove_registration(link);
	settle(conn, resource);
	pthread_mutex_unlock(&conn->lock);
}

/* The session ends: what it still has registered is not its any more. */
void rpc_resource_forget_session(struct rpc_session *session)
{
	struct rpc_connection *conn = session->conn;

	pthread_mutex_lock(&conn->lock);
	while (session->registrations) {
		struct rpc_resource *resource = session->registrations->resource;

		remove_registration(&session->registrations);
		drop_if_unused(conn, resource);
	}
	pthread_mutex_unlock(&conn->lock);
}

/* Is what the agent calls a resource one? */
int rpc_resource_check_id(const struct rpc_connection *conn, const char *method, int64_t remote_id)
{
	if (remote_id > 0)
		return VACCEL_OK;
	return rpc_fail(VACCEL_EBACKEND,
			"the agent at %s answered %s with %" PRId64 ", which is no resource",
			conn->uri, method, remote_id);
}

/* RegisterResource, answered with the agent's id for it. */
static int call_register(struct rpc_session *session,
			 const Vaccel__Resource__RegisterRequest *request, int64_t *remote_id)
{
	struct ttrpc_answer answer;
	int ret = rpc_call(session->conn, "RegisterResource", &request->base,
			   &vaccel__resource__register_response__descriptor, &answer);

	if (ret != VACCEL_OK)
		return ret;
	*remote_id = ((const Vaccel__Resource__RegisterResponse *)answer.response)->resource_id;
	ttrpc_answer_release(&answer);
	return rpc_resource_check_id(session->conn, "RegisterResource", *remote_id);
}

/* The bytes of a blob, which stay where they are. */
int rpc_resource_bytes(struct vaccel_blob *blob, uint8_t **bytes, size_t *size)
{
	*size = 0;
	*bytes = vaccel_blob_data(blob, size);
	if (*bytes && *size > 0)
		return VACCEL_OK;
	return rpc_fail(VACCEL_EINVAL, "cannot send \"%s\" to the agent: it has no data",
			blob->name ? blob->name : "");
}

/* What one blob looks like on the wire. */
static int describe_blob(struct vaccel_blob *blob, Vaccel__Resource__Blob *wire)
{
	int ret;

	vaccel__resource__blob__init(wire);
	ret = rpc_resource_bytes(blob, &wire->data.data, &wire->data.len);
	wire->size = (uint32_t)wire->data.len; /* a larger one does not fit a frame */
	wire->type = (uint32_t)blob->type;
	if (blob->name)
		wire->name = blob->name;
	return ret;
}

static int register_blobs(struct rpc_session *session, const struct vaccel_resource *res,
			  Vaccel__Resource__RegisterRequest *request, int64_t *remote_id)
{
	Vaccel__Resource__Blob **list = calloc(res->nr_blobs, sizeof(*list));
	Vaccel__Resource__Blob *blobs = calloc(res->nr_blobs, sizeof(*blobs));
	int ret = VACCEL_OK;

	if (!list || !blobs)
		ret = rpc_fail(VACCEL_ENOMEM, "no memory to register %zu blobs", res->nr_blobs);
	for (size_t i = 0; ret == VACCEL_OK && i < res->nr_blobs; i++) {
		list[i] = &blobs[i];
		ret = describe_blob(res->blobs[i], &blobs[i]);
	}
	if (ret == VACCEL_OK) {
		request->n_blobs = res->nr_blobs;
		request->blobs = list;
		ret = call_register(session, request, remote_id);
	}
	free(blobs);
	free(list);
	return ret;
}

/* URLs go as they are, for the agent to fetch; everything else goes as bytes, if it has to. */
static int register_whole(struct rpc_session *session, const struct vaccel_resource *res,
			  Vaccel__Resource__RegisterRequest *request, int64_t *remote_id)
{
	request->resource_type = (uint32_t)res->type;
	if (res->path_type == VACCEL_PATH_REMOTE_FILE && res->nr_paths > 0) {
		request->n_paths = res->nr_paths;
		request->paths = res->paths;
		return call_register(session, request, remote_id);
	}
	if (rpc_upload_is_better(session->conn, res))
		return rpc_upload(session, request->session_id, res, remote_id);
	if (res->nr_blobs > 0)
		return register_blobs(session, res, request, remote_id);
	return rpc_fail(VACCEL_EINVAL,
			"resource %" PRId64 " has neither blobs nor URLs to send to the agent",
			res->id);
}

int rpc_resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	Vaccel__Resource__RegisterRequest request = VACCEL__RESOURCE__REGISTER_REQUEST__INIT;
	struct rpc_registration *registration;
	struct rpc_resource *resource;
	struct rpc_session *session;
	int64_t remote_id = 0;
	int ret = rpc_session_of(sess, &session);

	if (ret != VACCEL_OK)
		return ret;
	registration = malloc(sizeof(*registration));
	resource = registration ? claim(session->conn, res) : NULL;
	if (!resource) {
		free(registration);
		return rpc_fail(VACCEL_ENOMEM, "no memory to register resource %" PRId64, res->id);
	}
	request.session_id = sess->remote_id;
	request.resource_id = resource->remote_id;
	if (request.resource_id)
		ret = call_register(session, &request, &remote_id);
	else
		ret = register_whole(session, res, &request, &remote_id);
	if (ret != VACCEL_OK) {
		settle_unregistered(session, resource);
		free(registration);
		return ret;
	}
	if (res->remote_id != remote_id)
		res->remote_id = remote_id;
	settle_registered(session, resource, remote_id, registration);
	return VACCEL_OK;
}

/* UnregisterResource; on a lost connection the agent has done so already. */
static int call_unregister(struct rpc_session *session, int64_t session_id, int64_t remote_id)
{
	Vaccel__Resource__UnregisterRequest request = VACCEL__RESOURCE__UNREGISTER_REQUEST__INIT;
	struct ttrpc_answer answer;
	int ret;

	request.session_id = session_id;
	request.resource_id = remote_id;
	ret = rpc_exchange(session->conn, "UnregisterResource", &request.base,
			   &vaccel__empty__descriptor, &answer);
	if (ret == -ECONNRESET)
		return VACCEL_OK;
	ret = rpc_outcome(session->conn, "UnregisterResource", &request.base, ret, &answer);
	if (ret == VACCEL_OK)
		ttrpc_answer_release(&answer);
	return ret;
}

/* Our end goes whatever the agent says, as libvaccel's has. A forked child has nothing to say. */
int rpc_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	struct rpc_session *session = sess->priv;
	struct rpc_resource *resource;
	int ret;

	if (session && rpc_connection_inherited(session->conn))
		return VACCEL_OK;
	ret = rpc_session_of(sess, &session);
	if (ret != VACCEL_OK)
		return ret;
	resource = claim(session->conn, res);
	if (!resource)
		return rpc_fail(VACCEL_ENOMEM, "no memory to unregister resource %" PRId64,
				res->id);
	ret = call_unregister(session, sess->remote_id, resource->remote_id);
	settle_unregistered(session, resource);
	return ret;
}

/* The agent's id of a resource that this session has registered. */
int rpc_resource_remote_id(struct rpc_session *session, const struct vaccel_resource *res,
			   int64_t *remote_id)
{
	struct rpc_connection *conn = session->conn;
	struct rpc_registration *registration;

	pthread_mutex_lock(&conn->lock);
	registration = *find_registration(session, res);
	*remote_id = registration ? registration->resource->remote_id : 0;
	pthread_mutex_unlock(&conn->lock);
	if (!registration)
		return rpc_fail(VACCEL_EPERM,
				"resource %" PRId64 " is not registered with this session; "
				"register it first",
				res->id);
	return VACCEL_OK;
}

/*
 * Only what is the caller's own memory is written, and only when the agent's blobs are as many and
 * as long as ours; otherwise nothing is.
 */
static int copy_back(struct vaccel_resource *res, const Vaccel__Resource__SyncResponse *response)
{
	if (response->n_blobs != res->nr_blobs)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered SyncResource with %zu blobs; resource %" PRId64
				" has %zu",
				response->n_blobs, res->id, res->nr_blobs);
	for (size_t i = 0; i < res->nr_blobs; i++) {
		if (response->blobs[i]->data.len != res->blobs[i]->size)
			return rpc_fail(VACCEL_EBACKEND,
					"the agent answered SyncResource with %zu bytes for "
					"\"%s\", which has %zu",
					response->blobs[i]->data.len, res->blobs[i]->name,
					res->blobs[i]->size);
	}
	for (size_t i = 0; i < res->nr_blobs; i++) {
		if (res->blobs[i]->type == VACCEL_BLOB_BUFFER)
			memcpy(res->blobs[i]->data, response->blobs[i]->data.data,
			       res->blobs[i]->size);
	}
	return VACCEL_OK;
}

int rpc_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	Vaccel__Resource__SyncRequest request = VACCEL__RESOURCE__SYNC_REQUEST__INIT;
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret == VACCEL_OK)
		ret = rpc_resource_remote_id(session, res, &request.resource_id);
	if (ret == VACCEL_OK)
		ret = rpc_call(session->conn, "SyncResource", &request.base,
			       &vaccel__resource__sync_response__descriptor, &answer);
	if (ret != VACCEL_OK)
		return ret;
	ret = copy_back(res, (const Vaccel__Resource__SyncResponse *)answer.response);
	ttrpc_answer_release(&answer);
	return ret;
}
