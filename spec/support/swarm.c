/*
 * swarm.c - many peers of an agent in one process, good and bad, by the bytes of the protocol; it
 * shares no code with what is tested. One thread. `swarm MODE ADDRESS NUMBERS...`, ADDRESS is the
 * path of a unix socket:
 *
 *   idle N1 N2     N1 connections that have had an answer each, then N2 in all; says "open N" after
 *                  each step and waits for a line of input before the next
 *   churn N        N times: connect, and with every tenth connection a call; close
 *   calls N        N small calls on 4 connections, 32 at once on each; a session that does nothing
 *                  is updated
 *   drip N SECONDS N connections that send a frame at 1 byte a second, while a good client calls:
 *                  first alone, then beside them; says the good one's median and p99 of each
 *   deaf N         N connections that send calls until no more is taken and never read
 *   split          a call's frame in two parts, for each offset; then byte by byte
 *
 * Each ends with one line "done ..." and status 0, or says what went wrong with status 1.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 10, FRAME_MAX = 512, REQUEST = 1, RESPONSE = 2 };

static const char service[] = "vaccel.sync.agent.AgentService";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connect_one(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	return fd;
}

static uint8_t *put_bytes(uint8_t *at, unsigned field, const void *bytes, size_t size)
{
	*at++ = (uint8_t)(field << 3 | 2);
	*at++ = (uint8_t)size; /* below 128 */
	memcpy(at, bytes, size);
	return at + size;
}

/* The frame of a request; payloads here are short. */
static size_t request(uint8_t *frame, uint32_t stream, const char *method, const void *payload,
		      size_t size)
{
	uint8_t *end = put_bytes(frame + HEADER, 1, service, strlen(service));
	size_t length;

	end = put_bytes(end, 2, method, strlen(method));
	end = put_bytes(end, 3, payload, size);
	length = (size_t)(end - frame) - HEADER;
	frame[0] = frame[1] = frame[8 + 1] = 0;
	frame[2] = (uint8_t)(length >> 8);
	frame[3] = (uint8_t)length;
	frame[4] = (uint8_t)(stream >> 24);
	frame[5] = (uint8_t)(stream >> 16);
	frame[6] = (uint8_t)(stream >> 8);
	frame[7] = (uint8_t)stream;
	frame[8] = REQUEST;
	return length + HEADER;
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0)
			die("send: %s", strerror(errno));
		bytes += n;
		size -= (size_t)n;
	}
}

static void receive_all(int fd, uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = recv(fd, bytes, size, 0);

		if (n <= 0)
			die("receive: %s", n ? strerror(errno) : "the agent hung up");
		bytes += n;
		size -= (size_t)n;
	}
}

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The body of the next frame, an answer to `stream` without a failure. */
static size_t response(int fd, uint32_t stream, uint8_t *body)
{
	uint8_t head[HEADER];
	size_t size;

	receive_all(fd, head, HEADER);
	size = big_endian(head);
	if (size > FRAME_MAX || head[8] != RESPONSE || big_endian(head + 4) != stream)
		die("a frame of %zu bytes, type %u, stream %u", size, head[8],
		    big_endian(head + 4));
	receive_all(fd, body, size);
	if (size < 2 || body[0] != 0x0a || body[1] != 0)
		die("a failure: %.*s", (int)size, (char *)body);
	return size;
}

static size_t put_id(uint8_t *payload, uint64_t id)
{
	size_t n = 0;

	payload[n++] = 1 << 3;
	for (; id > 127; id >>= 7)
		payload[n++] = (uint8_t)(id | 0x80);
	payload[n++] = (uint8_t)id;
	return n;
}

/* CreateSession; the frame of an UpdateSession for it, whose stream is still to be set. */
static size_t create_session(int fd, uint8_t *update)
{
	uint8_t frame[FRAME_MAX], body[FRAME_MAX], payload[16];
	size_t at = 5, shift = 0; /* 0a 00, 12 n, 08 */
	uint64_t id = 0;

	send_all(fd, frame, request(frame, 1, "CreateSession", "", 0));
	response(fd, 1, body);
	do
		id |= (uint64_t)(body[at] & 0x7f) << shift;
	while (shift += 7, body[at++] & 0x80);
	return request(update, 3, "UpdateSession", payload, put_id(payload, id));
}

static void set_stream(uint8_t *frame, uint32_t stream)
{
	frame[4] = (uint8_t)(stream >> 24);
	frame[5] = (uint8_t)(stream >> 16);
	frame[6] = (uint8_t)(stream >> 8);
	frame[7] = (uint8_t)stream;
}

static void step(size_t open)
{
	char line[16];

	printf("open %zu\n", open);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(EXIT_SUCCESS);
}

static void idle(size_t first, size_t all)
{
	uint8_t frame[FRAME_MAX];

	for (size_t i = 1; i <= all; i++) {
		create_session(connect_one(), frame);
		if (i == first)
			step(i);
	}
	step(all);
	printf("done %zu\n", all);
}

static void churn(size_t count)
{
	uint8_t frame[FRAME_MAX];
	double start = now();

	for (size_t i = 0; i < count; i++) {
		int fd = connect_one();

		if (i % 10 == 0)
			create_session(fd, frame);
		close(fd);
	}
	printf("done %zu in %.1f s\n", count, now() - start);
}

static void calls(size_t count)
{
	enum { PEERS = 4, AHEAD = 32 };
	uint8_t update[PEERS][FRAME_MAX], body[FRAME_MAX], batch[AHEAD * FRAME_MAX];
	size_t size[PEERS], done = 0;
	int fds[PEERS];
	double start = now();

	for (int i = 0; i < PEERS; i++) {
		fds[i] = connect_one();
		size[i] = create_session(fds[i], update[i]);
	}
	for (uint32_t stream = 3; done < count; stream += 2 * AHEAD) {
		for (int i = 0; i < PEERS; i++) {
			for (unsigned n = 0; n < AHEAD; n++) {
				set_stream(update[i], stream + 2 * n);
				memcpy(batch + n * size[i], update[i], size[i]);
			}
			send_all(fds[i], batch, AHEAD * size[i]);
		}
		for (int i = 0; i < PEERS; i++)
			for (unsigned n = 0; n < AHEAD; n++, done++)
				response(fds[i], stream + 2 * n, body);
	}
	printf("done %zu in %.1f s\n", done, now() - start);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Bytes that come at one a second for each of the peers, spread over the second. */
struct drip {
	int *fds;
	size_t count;
	uint8_t frame[FRAME_MAX];
	double start;
	uint64_t sent; /* in all: byte sent / count of peer sent % count */
};

static void drip_on(struct drip *drip)
{
	uint64_t due = (uint64_t)((now() - drip->start) * (double)drip->count);

	for (; drip->count && drip->sent < due; drip->sent++)
		send_all(drip->fds[drip->sent % drip->count],
			 drip->frame + drip->sent / drip->count, 1);
}

/* The p99 of small calls for so long, with the drip going on between them. */
static double good_client(struct drip *drip, double seconds, const char *name)
{
	enum { MOST = 1 << 20 };
	static double took[MOST];
	uint8_t update[FRAME_MAX], body[FRAME_MAX];
	int fd = connect_one();
	size_t size = create_session(fd, update), count;
	const double end = now() + seconds;

	for (count = 0; count < MOST && now() < end; count++) {
		const uint32_t stream = 3 + 2 * (uint32_t)count;
		double start;

		drip_on(drip);
		set_stream(update, stream);
		start = now();
		send_all(fd, update, size);
		response(fd, stream, body);
		took[count] = now() - start;
	}
	close(fd);
	qsort(took, count, sizeof(took[0]), compare);
	printf("%s calls %zu median %.1f p99 %.1f largest %.1f us\n", name, count,
	       took[count / 2] * 1e6, took[count - 1 - count / 100] * 1e6, took[count - 1] * 1e6);
	return took[count - 1 - count / 100];
}

static void drips(size_t count, double seconds)
{
	struct drip drip = { .count = 0 };
	double alone = good_client(&drip, seconds, "alone"), beside;

	drip.fds = calloc(count, sizeof(*drip.fds));
	if (!drip.fds)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		drip.fds[i] = connect_one();
	request(drip.frame, 1, "CreateSession", "0123456789012345678901234567890", 30);
	drip.count = count;
	drip.start = now();
	beside = good_client(&drip, seconds, "beside");
	printf("done %zu ratio %.2f bytes %llu\n", count, beside / alone,
	       (unsigned long long)drip.sent);
	free(drip.fds);
}

static void deaf(size_t count)
{
	uint8_t frame[FRAME_MAX];
	struct pollfd *peers = calloc(count, sizeof(*peers));
	uint32_t *streams = calloc(count, sizeof(*streams));
	uint8_t(*updates)[FRAME_MAX] = calloc(count, FRAME_MAX);
	size_t size = 0, sent = 0, gone = 0;

	if (!peers || !streams || !updates)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		peers[i] = (struct pollfd){ .fd = connect_one(), .events = POLLOUT };
		size = create_session(peers[i].fd, frame);
		memcpy(updates[i], frame, FRAME_MAX);
		streams[i] = 3;
	}
	/* Until every one of them has been hung up on. */
	while (gone < count && poll(peers, count, 60000) > 0) {
		for (size_t i = 0; i < count; i++) {
			if (peers[i].revents & (POLLHUP | POLLERR)) {
				peers[i].fd = -1 - peers[i].fd;
				gone++;
			} else if (peers[i].revents & POLLOUT) {
				ssize_t n;

				set_stream(updates[i], streams[i]);
				n = send(peers[i].fd, updates[i], size,
					 MSG_NOSIGNAL | MSG_DONTWAIT);
				if (n > 0 && (size_t)n < size)
					peers[i].events = 0; /* the rest would have to follow */
				streams[i] += 2;
				sent += n > 0;
			}
		}
	}
	printf("done %zu gone %zu sent %zu\n", count, gone, sent);
	free(peers);
	free(streams);
	free(updates);
}

static void split(void)
{
	const struct timespec pause = { .tv_nsec = 200000 };
	uint8_t update[FRAME_MAX], body[FRAME_MAX];
	int fd = connect_one();
	size_t size = create_session(fd, update);
	uint32_t stream = 3;

	for (size_t at = 1; at < size; at++, stream += 2) {
		set_stream(update, stream);
		send_all(fd, update, at);
		nanosleep(&pause, NULL);
		send_all(fd, update + at, size - at);
		response(fd, stream, body);
	}
	for (int round = 0; round < 10; round++, stream += 2) {
		set_stream(update, stream);
		for (size_t at = 0; at < size; at++) {
			send_all(fd, update + at, 1);
			nanosleep(&pause, NULL);
		}
		response(fd, stream, body);
	}
	printf("done %zu offsets\n", size - 1);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	const size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	const size_t m = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	struct rlimit files;

	if (argc < 3 || strlen(argv[2]) >= sizeof(address.sun_path))
		die("usage: swarm MODE PATH NUMBERS...");
	memcpy(address.sun_path, argv[2], strlen(argv[2]) + 1);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(mode, "idle"))
		idle(n, m);
	else if (!strcmp(mode, "churn"))
		churn(n);
	else if (!strcmp(mode, "calls"))
		calls(n);
	else if (!strcmp(mode, "drip"))
		drips(n, (double)m);
	else if (!strcmp(mode, "deaf"))
		deaf(n);
	else if (!strcmp(mode, "split"))
		split();
	else
		die("no such mode: %s", mode);
	return EXIT_SUCCESS;
}
