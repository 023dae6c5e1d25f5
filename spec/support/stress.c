/*
 * stress.c - many threads on one library: each makes sessions and resources of every kind, runs
 * operations on them and lets them go, and uses what other threads share meanwhile.
 *
 * stress THREADS ROUNDS [twin], with VACCEL_PLUGINS=libvaccel-tally.so:libvaccel-tally-remote.so.
 * It prints totals, and what the plugins witnessed (tally.h); 0 when every call did what it should,
 * no id was alive twice and the run directory is empty. With `twin` the witness is told of one.
 *
 * Each thread has a place where it shares a session and a resource for some rounds. Others use them
 * under the place's lock for reading; when the owner takes them back it deletes them without the
 * lock, so that they end while sessions and resources that they are registered with end, too.
 */
#include "luaccel.h"
#include "tally.h"
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, SHARED_FOR = 8, KINDS = 4, COMPLAINTS = 20 };

#define DATA_FILE "stress.data"

static const uint8_t data[] = "what resources are made of";
static const char *const kinds[KINDS] = { "memory", "disk", "file", "blobs" };

struct worker {
	pthread_t thread;
	unsigned number;

	/* shared with the others */
	pthread_rwlock_t lock;
	struct vaccel_session *session;
	struct vaccel_resource *resource;

	vaccel_id_t last_session, last_resource;
	uint64_t sessions, resources[KINDS], registrations, operations;
};

static struct worker workers[THREADS_MAX];
static unsigned threads, rounds;
static atomic_uint failures;

static void failed(int line, const char *what)
{
	char reason[256];

	if (atomic_fetch_add(&failures, 1) >= COMPLAINTS)
		return;
	luaccel_last_error(reason, sizeof(reason));
	fprintf(stderr, "stress.c:%d: %s: %s\n", line, what, reason);
}

#define expect(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			failed(__LINE__, #condition);                                              \
	} while (0)

/* What a thread is given rises: nothing is handed out again. */
static void rises(vaccel_id_t *last, vaccel_id_t id)
{
	expect(id > *last);
	*last = id;
}

static int from_blobs(struct vaccel_resource **made, struct vaccel_resource *own)
{
	struct vaccel_blob memory, file;
	const struct vaccel_blob *blobs[] = { &memory, &file };
	int ret;

	expect(!vaccel_blob_init_from_buf(&memory, data, sizeof(data), true, "m", NULL, false));
	expect(!vaccel_blob_init(&file, DATA_FILE));
	ret = own ? vaccel_resource_init_from_blobs(own, blobs, 2, VACCEL_RESOURCE_DATA)
		  : vaccel_resource_from_blobs(made, blobs, 2, VACCEL_RESOURCE_DATA);
	expect(!vaccel_blob_release(&memory));
	expect(!vaccel_blob_release(&file));
	return ret;
}

/* A resource in `own`, or a new one in *made. */
static int make(unsigned kind, struct vaccel_resource **made, struct vaccel_resource *own)
{
	const bool memory = kind == 0;

	switch (kind) {
	case 0:
	case 1:
		return own ? vaccel_resource_init_from_buf(own, data, sizeof(data),
							   VACCEL_RESOURCE_MODEL, "d", memory)
			   : vaccel_resource_from_buf(made, data, sizeof(data),
						      VACCEL_RESOURCE_MODEL, "d", memory);
	case 2:
		return own ? vaccel_resource_init(own, DATA_FILE, VACCEL_RESOURCE_MODEL)
			   : vaccel_resource_new(made, DATA_FILE, VACCEL_RESOURCE_MODEL);
	default:
		return from_blobs(made, own);
	}
}

/* NULL when it failed, which is complained about then. */
static struct vaccel_resource *begin_resource(struct worker *worker, unsigned kind,
					      struct vaccel_resource *own)
{
	struct vaccel_resource *resource = own;
	const int ret = make(kind, &resource, own);

	expect(!ret);
	if (ret)
		return NULL;
	worker->resources[kind]++;
	rises(&worker->last_resource, resource->id);
	return resource;
}

static struct vaccel_session *begin_session(struct worker *worker, uint32_t flags,
					    struct vaccel_session *own)
{
	struct vaccel_session *session = own;
	const int ret = own ? vaccel_session_init(own, flags) : vaccel_session_new(&session, flags);

	expect(!ret);
	if (ret)
		return NULL;
	worker->sessions++;
	rises(&worker->last_session, session->id);
	return session;
}

static void join(struct worker *worker, struct vaccel_resource *resource,
		 struct vaccel_session *session)
{
	expect(!vaccel_resource_register(resource, session));
	expect(vaccel_session_has_resource(session, resource));
	worker->registrations++;
}

/* Begin what others may use. A remote plugin writes into a resource: before it is shared. */
static void lend(struct worker *worker, unsigned kind)
{
	struct vaccel_session *session = begin_session(worker, VACCEL_PLUGIN_REMOTE, NULL);
	struct vaccel_resource *resource = begin_resource(worker, kind, NULL);

	if (session && resource)
		join(worker, resource, session);
	pthread_rwlock_wrlock(&worker->lock);
	worker->session = session;
	worker->resource = resource;
	pthread_rwlock_unlock(&worker->lock);
}

static void take_back(struct worker *worker, bool session_first)
{
	struct vaccel_session *session = worker->session;
	struct vaccel_resource *resource = worker->resource;

	pthread_rwlock_wrlock(&worker->lock);
	worker->session = NULL;
	worker->resource = NULL;
	pthread_rwlock_unlock(&worker->lock);
	if (session && session_first)
		expect(!vaccel_session_delete(session));
	if (resource)
		expect(!vaccel_resource_delete(resource));
	if (session && !session_first)
		expect(!vaccel_session_delete(session));
}

/* Use what another thread shares, and leave some of it registered. */
static void visit(struct worker *worker, struct worker *host, struct vaccel_session *session,
		  struct vaccel_resource *resource, unsigned round)
{
	pthread_rwlock_rdlock(&host->lock);
	if (host->resource) {
		join(worker, host->resource, session);
		if (round % 3 == 0)
			expect(!vaccel_resource_unregister(host->resource, session));
	}
	if (host->session && host != worker) {
		join(worker, resource, host->session);
		expect(!vaccel_noop(host->session));
		worker->operations++;
		if (round % 5 == 0)
			expect(!vaccel_resource_unregister(resource, host->session));
	}
	pthread_rwlock_unlock(&host->lock);
}

static void classify(struct vaccel_session *session, unsigned number)
{
	unsigned char text[sizeof(number)];

	expect(!vaccel_image_classification(session, &number, text, NULL, sizeof(number),
					    sizeof(text), 0));
	expect(!memcmp(text, &number, sizeof(number)));
}

static void classify_generic(struct vaccel_session *session, unsigned number)
{
	unsigned char name[sizeof(number)], text[sizeof(number)];
	uint8_t op = VACCEL_OP_IMAGE_CLASSIFY;
	struct vaccel_arg_array read, write;

	expect(!vaccel_arg_array_init(&read, 1));
	expect(!vaccel_arg_array_init(&write, 0));
	expect(!vaccel_arg_array_add_uint8(&read, &op));
	expect(!vaccel_arg_array_add_buffer(&read, &number, sizeof(number)));
	expect(!vaccel_arg_array_add_uchar_array(&write, name, sizeof(name)));
	expect(!vaccel_arg_array_add_uchar_array(&write, text, sizeof(text)));
	expect(!vaccel_genop(session, vaccel_arg_array_raw(&read),
			     (int)vaccel_arg_array_count(&read), vaccel_arg_array_raw(&write),
			     (int)vaccel_arg_array_count(&write)));
	expect(!memcmp(text, &number, sizeof(number)) && !memcmp(name, &number, sizeof(number)));
	expect(!vaccel_arg_array_release(&read));
	expect(!vaccel_arg_array_release(&write));
}

static void end_session(struct vaccel_session *session, bool own)
{
	expect(!(own ? vaccel_session_release(session) : vaccel_session_delete(session)));
}

static void end_resource(struct vaccel_resource *resource, bool own)
{
	expect(!(own ? vaccel_resource_release(resource) : vaccel_resource_delete(resource)));
}

static void one_round(struct worker *worker, unsigned round)
{
	const bool own = round % 2, session_first = round / 2 % 2;
	struct worker *host = &workers[(worker->number + round) % threads];
	const unsigned number = worker->number * rounds + round;
	struct vaccel_session own_session, *session;
	struct vaccel_resource own_resource, *resource;

	session = begin_session(worker, round % 3 ? 0 : VACCEL_PLUGIN_REMOTE,
				own ? &own_session : NULL);
	if (!session)
		return;
	resource = begin_resource(worker, round % KINDS, own ? &own_resource : NULL);
	if (!resource) {
		end_session(session, own);
		return;
	}
	join(worker, resource, session);
	expect(!vaccel_noop(session));
	classify(session, number);
	classify_generic(session, number);
	worker->operations += 3;
	visit(worker, host, session, resource, round);
	if (session_first)
		end_session(session, own);
	end_resource(resource, own);
	if (!session_first)
		end_session(session, own);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned round = 0; round < rounds; round++) {
		if (round % SHARED_FOR == 0) {
			take_back(worker, round / SHARED_FOR % 2);
			lend(worker, round / SHARED_FOR % KINDS);
		}
		one_round(worker, round);
	}
	take_back(worker, true);
	return NULL;
}

static void run_all(void)
{
	for (unsigned i = 0; i < threads; i++) {
		workers[i].number = i;
		pthread_rwlock_init(&workers[i].lock, NULL);
	}
	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			perror("pthread_create");
			exit(1);
		}
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
}

/* Names in the run directory; -1 when there is none. */
static int rundir_entries(void)
{
	DIR *dir = opendir(vaccel_rundir());
	int entries = -2;

	if (!dir)
		return -1;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries;
}

static bool report(double seconds)
{
	uint64_t sessions = 0, resources[KINDS] = { 0 }, registrations = 0, operations = 0;
	const struct tally tally = tally_count();
	const int left = rundir_entries();

	for (unsigned i = 0; i < threads; i++) {
		sessions += workers[i].sessions;
		registrations += workers[i].registrations;
		operations += workers[i].operations;
		for (unsigned kind = 0; kind < KINDS; kind++)
			resources[kind] += workers[i].resources[kind];
	}
	printf("stress: %u threads, %u rounds, %.1f s: %" PRIu64 " sessions, resources", threads,
	       rounds, seconds, sessions);
	for (unsigned kind = 0; kind < KINDS; kind++)
		printf(" %s %" PRIu64, kinds[kind], resources[kind]);
	printf(", %" PRIu64 " registrations, %" PRIu64 " operations, %u failures\n", registrations,
	       operations, atomic_load(&failures));
	printf("witness: %" PRIu64 " begun, %" PRIu64 " used, %" PRIu64 " alive, %" PRIu64
	       " twins, %" PRIu64 " mistakes\n",
	       tally.begun, tally.used, tally.alive, tally.twins, tally.mistakes);
	printf("rundir: %s %d left\n", vaccel_rundir(), left);
	return !failures && !tally.alive && !tally.twins && !tally.mistakes && !left &&
	       tally.used == operations;
}

static void tell_of_a_twin(void)
{
	int one, other;

	tally_begin(TALLY_SESSION, 1, &one);
	tally_begin(TALLY_SESSION, 1, &other);
	tally_end(TALLY_SESSION, 1, &one);
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	FILE *file;

	if (argc < 3 || (threads = (unsigned)atoi(argv[1])) < 1 || threads > THREADS_MAX ||
	    (rounds = (unsigned)atoi(argv[2])) < 1) {
		fprintf(stderr, "Usage: stress THREADS ROUNDS [twin]\n");
		return 2;
	}
	file = fopen(DATA_FILE, "w");
	if (!file || fwrite(data, sizeof(data), 1, file) != 1 || fclose(file)) {
		perror(DATA_FILE);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	run_all();
	clock_gettime(CLOCK_MONOTONIC, &end);
	unlink(DATA_FILE);
	if (argc > 3)
		tell_of_a_twin();
	return !report((double)(end.tv_sec - start.tv_sec) +
		       (double)(end.tv_nsec - start.tv_nsec) / 1e9);
}
