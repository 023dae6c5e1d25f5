/*
 * vsock.c - what a guest's call over vsock costs, against the same bytes sent raw over vsock to a
 * process of the host that answers as many as the agent does.
 *
 *     bench-vsock serve PORT                           on the host: the raw peer, for ever
 *     bench-vsock call CID:PORT CALLS SIZE [CALLS SIZE ...]
 *                                                      in the guest: CALLS with SIZE bytes each way
 *
 * The guest's session is on what VACCEL_PLUGINS and VACCEL_RPC_ADDRESS name. A connection to the
 * raw peer begins with the size of its messages, 8 bytes. One process for each connection.
 */
#include "subject.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

enum { LARGEST = 64 << 20 };

static int serve_one(int fd)
{
	unsigned char *buffer;
	uint64_t size;

	if (read_all(fd, &size, sizeof(size)) || size > LARGEST)
		return 1;
	buffer = calloc(1, size + TAGS + ENVELOPE);
	if (!buffer)
		return 1;
	answer_raw(fd, buffer, size);
	free(buffer);
	return 0;
}

static int serve(unsigned port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.svm_port = port;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
		perror("bench-vsock: serve");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	puts("bench-vsock serves");
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0 && !fork())
			_exit(serve_one(peer));
		if (peer >= 0)
			close(peer);
	}
}

static int dial(const char *where, uint64_t size)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sscanf(where, "%u:%u", &address.svm_cid, &address.svm_port) != 2 || fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    write_all(fd, &size, sizeof(size))) {
		perror(where);
		exit(1);
	}
	return fd;
}

static void compare(struct vaccel_session *session, const char *where, size_t rounds, size_t size)
{
	unsigned char *image = calloc(1, size + ENVELOPE);
	struct subject call = {
		.call = call_classify, .session = session, .image = image, .size = size
	};
	struct subject raw = { .call = call_raw, .image = image, .size = size + ENVELOPE };
	double *calls = samples_for(rounds), *raws = samples_for(rounds);
	double agent, socket;

	if (!image)
		exit(1);
	raw.fd = dial(where, raw.size);
	median(&call, 2);
	median(&raw, 2);
	/* In turn, so that the machine is in the same state for both. */
	for (size_t i = 0; i < rounds; i++) {
		calls[i] = sample(&call);
		raws[i] = sample(&raw);
	}
	agent = median_of(calls, rounds) / 1e3;
	socket = median_of(raws, rounds) / 1e3;
	printf("classify %9zu bytes  %10.1f us   raw vsock %10.1f us   %5.2f times\n", size, agent,
	       socket, agent / socket);
	fflush(stdout);
	close(raw.fd);
	free(image);
}

int main(int argc, char **argv)
{
	struct vaccel_session session;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve((unsigned)atoi(argv[2]));
	if (argc < 5 || argc % 2 == 0 || strcmp(argv[1], "call") != 0) {
		fprintf(stderr, "Usage: bench-vsock serve PORT\n"
				"       bench-vsock call CID:PORT CALLS SIZE [CALLS SIZE ...]\n");
		return 2;
	}
	if (vaccel_session_init(&session, VACCEL_PLUGIN_REMOTE)) {
		fprintf(stderr, "bench-vsock needs the rpc plugin and an agent\n");
		return 1;
	}
	for (int i = 3; i + 1 < argc; i += 2) {
		size_t rounds = strtoul(argv[i], NULL, 0), size = strtoul(argv[i + 1], NULL, 0);

		if (rounds && size <= LARGEST)
			compare(&session, argv[2], rounds, size);
	}
	return vaccel_session_release(&session);
}
