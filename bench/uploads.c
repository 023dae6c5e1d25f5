/*
 * uploads.c - what it takes to register a model with an agent: in one frame, as vAccel's protocol
 * has it; by an upload, the first time; and by an upload when the agent has the bytes.
 *
 * bench-uploads BYTES ROUNDS, with VACCEL_PLUGINS naming the rpc plugin and an agent at
 * VACCEL_RPC_ADDRESS. It prints medians and their ratio to the one frame, which a model of more
 * than 256 MiB does not fit. The model is a file, with other bytes in each round, and so it is with
 * the agent. The second time is that of another process.
 */
#include "client.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "subject.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVICE	  "vaccel.sync.agent.AgentService"
#define FRAME_MAX ((size_t)250 << 20)

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(int code, const char *what)
{
	if (!code)
		return;
	fprintf(stderr, "bench-uploads: %s: %d\n", what, code);
	exit(1);
}

static double upload(const char *path, struct vaccel_resource *res, struct vaccel_session *session)
{
	double started;

	check(vaccel_session_init(session, 0), "session");
	check(vaccel_resource_init(res, path, VACCEL_RESOURCE_MODEL), "resource");
	started = seconds();
	check(vaccel_resource_register(res, session), "register");
	return seconds() - started;
}

static void let_go(struct vaccel_resource *res, struct vaccel_session *session)
{
	check(vaccel_resource_release(res), "release");
	check(vaccel_session_release(session), "end of session");
}

/* In another process, which has another connection. */
static double upload_again(const char *path)
{
	struct vaccel_resource res;
	struct vaccel_session session;
	double result = 0;
	int fds[2];
	pid_t child;

	check(pipe(fds), "pipe");
	child = fork();
	if (!child) {
		result = upload(path, &res, &session);
		let_go(&res, &session);
		_exit(write_all(fds[1], &result, sizeof(result)) ? 1 : 0);
	}
	close(fds[1]);
	check(read_all(fds[0], &result, sizeof(result)), "the other process");
	close(fds[0]);
	waitpid(child, NULL, 0);
	return result;
}

static struct ttrpc_client *connect_agent(void)
{
	const struct ttrpc_client_options options = { 0 };
	struct ttrpc_address address;
	struct ttrpc_client *client;
	char reason[256];

	check(ttrpc_address_parse(getenv("VACCEL_RPC_ADDRESS"), &address, reason, sizeof(reason)),
	      "address");
	check(ttrpc_client_new(&address, &options, &client, reason, sizeof(reason)), "agent");
	ttrpc_address_release(&address);
	return client;
}

static double one_frame(unsigned char *bytes, size_t size)
{
	Vaccel__Session__CreateRequest create = VACCEL__SESSION__CREATE_REQUEST__INIT;
	Vaccel__Resource__RegisterRequest request = VACCEL__RESOURCE__REGISTER_REQUEST__INIT;
	Vaccel__Resource__Blob blob = VACCEL__RESOURCE__BLOB__INIT, *list = &blob;
	struct ttrpc_client *client = connect_agent();
	struct ttrpc_answer answer;
	double started, result;
	char name[] = "m";

	check(ttrpc_client_call(client, SERVICE, "CreateSession", &create.base,
				&vaccel__session__create_response__descriptor, 0, &answer),
	      "session");
	request.session_id =
		((const Vaccel__Session__CreateResponse *)(void *)answer.response)->session_id;
	ttrpc_answer_release(&answer);
	blob.type = VACCEL_BLOB_MAPPED;
	blob.name = name;
	blob.data = (ProtobufCBinaryData){ size, bytes };
	request.blobs = &list;
	request.n_blobs = 1;
	request.resource_type = VACCEL_RESOURCE_MODEL;
	started = seconds();
	check(ttrpc_client_call(client, SERVICE, "RegisterResource", &request.base,
				&vaccel__resource__register_response__descriptor, 0, &answer),
	      "one frame");
	result = seconds() - started;
	check(answer.status.code, "one frame");
	ttrpc_answer_release(&answer);
	ttrpc_client_unref(client);
	return result;
}

/* A model of so many bytes, mapped; its path is made from a pattern. */
static unsigned char *make_model(char *path, size_t size)
{
	int fd = mkstemp(path);
	void *bytes;

	check(fd < 0 || ftruncate(fd, (off_t)size), path);
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(bytes == MAP_FAILED, path);
	close(fd);
	memset(bytes, 'm', size);
	return bytes;
}

static void print(size_t size, double frame, double first, double again)
{
	printf("model %10zu KiB", size >> 10);
	if (frame > 0)
		printf("   one frame %9.2f ms", frame * 1e3);
	printf("   upload %9.2f ms   of what is there %9.2f ms", first * 1e3, again * 1e3);
	if (frame > 0)
		printf("    %.2f and %.2f times", first / frame, again / frame);
	printf("\n");
}

int main(int argc, char **argv)
{
	const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	double *first, *again, *frame;
	char path[] = "/tmp/bench-uploads-XXXXXX";
	unsigned char *bytes;

	if (size < sizeof(size_t) || !rounds)
		return 2;
	bytes = make_model(path, size);
	first = samples_for(rounds);
	again = samples_for(rounds);
	frame = samples_for(rounds);
	for (size_t i = 0; i < rounds; i++) {
		struct vaccel_resource res;
		struct vaccel_session session;

		memcpy(bytes, &i, sizeof(i));
		frame[i] = size < FRAME_MAX ? one_frame(bytes, size) : 0;
		first[i] = upload(path, &res, &session);
		again[i] = upload_again(path);
		let_go(&res, &session);
	}
	unlink(path);
	print(size, median_of(frame, rounds), median_of(first, rounds), median_of(again, rounds));
	return 0;
}
