/*
 * fault_server.c - see fault_server.h. Everything below answer() runs in a child for one
 * connection, which ends when its client hangs up.
 */
#include "fault_server.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHORT = 1000, REQUEST_MAX = 4096 };

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

/* The client has gone when it fails. */
static void put(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		const ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(0);
		at += sent;
		size -= (size_t)sent;
	}
}

static void say(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

static void put_body(int fd, size_t size)
{
	unsigned char block[4096];

	for (size_t i = 0; i < size;) {
		size_t filled = 0;

		while (filled < sizeof(block) && i < size)
			block[filled++] = fault_server_byte(i++);
		put(fd, block, filled);
	}
}

static void put_length(int fd, const char *length)
{
	say(fd, OK_HEAD "Content-Length: ");
	say(fd, length);
	say(fd, "\r\n\r\n");
}

/* Until the client goes. */
static void wait_for_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void good(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "100000");
	put_body(fd, FAULT_SERVER_BODY);
}

/* Its end is the end of the connection. */
static void unsized(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Connection: close\r\n\r\n");
	put_body(fd, FAULT_SERVER_BODY);
}

static void chunked(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"); /* 100000 */
	put_body(fd, FAULT_SERVER_BODY);
	say(fd, "\r\n0\r\n\r\n");
}

static void broken_chunks(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n186a0\r\n");
	put_body(fd, SHORT);
}

static void bad_chunks(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\nnumber\r\n");
}

static void empty(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "0");
}

/* More is announced than comes. */
static void breaks_off(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "100000");
	put_body(fd, SHORT);
}

static void reset(int fd, unsigned port)
{
	const struct linger at_once = { .l_onoff = 1 };

	(void)port;
	put_length(fd, "100000");
	put_body(fd, SHORT);
	usleep(100000); /* so that the client has it */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Less is announced than comes. */
static void overflows(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "1000");
	put_body(fd, FAULT_SERVER_BODY);
}

static void huge(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "1152921504606846976");
	put_body(fd, SHORT);
}

static void no_number(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "99999999999999999999999999");
	put_body(fd, SHORT);
}

static void negative(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "-5");
	put_body(fd, SHORT);
}

static void endless(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Connection: close\r\n\r\n");
	for (;;)
		put_body(fd, FAULT_SERVER_BODY);
}

static void endless_chunks(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n");
	for (;;) {
		say(fd, "186a0\r\n");
		put_body(fd, FAULT_SERVER_BODY);
		say(fd, "\r\n");
	}
}

static void endless_headers(int fd, unsigned port)
{
	(void)port;
	say(fd, OK_HEAD);
	for (;;)
		say(fd, "X-More: and more and more and more and more and more and more\r\n");
}

static void endless_continue(int fd, unsigned port)
{
	(void)port;
	for (;;)
		say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void silent(int fd, unsigned port)
{
	(void)port;
	wait_for_end(fd);
}

static void stalls(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "100000");
	put_body(fd, SHORT);
	wait_for_end(fd);
}

/* A byte now and then. */
static void trickles(int fd, unsigned port)
{
	(void)port;
	put_length(fd, "100000");
	for (;;) {
		put_body(fd, 1);
		usleep(50000);
	}
}

static void closes(int fd, unsigned port)
{
	(void)fd;
	(void)port;
}

static void garbage(int fd, unsigned port)
{
	(void)port;
	say(fd, "220 This is something else\r\n");
}

static void missing(int fd, unsigned port)
{
	(void)port;
	say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
}

static void redirect(int fd, const char *where)
{
	say(fd, "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: ");
	say(fd, where);
	say(fd, "\r\n\r\n");
}

static void redirect_here(int fd, unsigned port, const char *how)
{
	char where[128];

	snprintf(where, sizeof(where), "http://127.0.0.1:%u/%s/m", port, how);
	redirect(fd, where);
}

static void moved(int fd, unsigned port)
{
	redirect_here(fd, port, "good");
}

static void circle(int fd, unsigned port)
{
	redirect_here(fd, port, "circle");
}

static void to_file(int fd, unsigned port)
{
	(void)port;
	redirect(fd, "file:///etc/passwd");
}

static void to_ftp(int fd, unsigned port)
{
	(void)port;
	redirect(fd, "ftp://127.0.0.1/m");
}

static const struct {
	const char *how;
	void (*answer)(int fd, unsigned port);
} ways[] = {
	{ "good", good },
	{ "unsized", unsized },
	{ "chunked", chunked },
	{ "broken-chunks", broken_chunks },
	{ "bad-chunks", bad_chunks },
	{ "empty", empty },
	{ "breaks-off", breaks_off },
	{ "reset", reset },
	{ "overflows", overflows },
	{ "huge", huge },
	{ "no-number", no_number },
	{ "negative", negative },
	{ "endless", endless },
	{ "endless-chunks", endless_chunks },
	{ "endless-headers", endless_headers },
	{ "endless-continue", endless_continue },
	{ "silent", silent },
	{ "stalls", stalls },
	{ "trickles", trickles },
	{ "closes", closes },
	{ "garbage", garbage },
	{ "missing", missing },
	{ "moved", moved },
	{ "circle", circle },
	{ "to-file", to_file },
	{ "to-ftp", to_ftp },
};

static void answer(int fd, unsigned port)
{
	char request[REQUEST_MAX + 1], how[32] = "";
	size_t length = 0;

	do {
		const ssize_t got = recv(fd, request + length, REQUEST_MAX - length, 0);

		if (got <= 0)
			return;
		length += (size_t)got;
		request[length] = '\0';
	} while (!strstr(request, "\r\n\r\n") && length < REQUEST_MAX);
	sscanf(request, "GET /%31[^/]/", how);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].how, how) == 0) {
			ways[i].answer(fd, port);
			return;
		}
	}
	missing(fd, port);
}

__attribute__((noreturn)) static void serve(int listener, unsigned port, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		const int fd = accept(listener, NULL, NULL);

		if (fd < 0 || fork() != 0) {
			close(fd);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(fd, port);
		_exit(0);
	}
}

int fault_server_start(struct fault_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const pid_t us = getpid();

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 64) || getsockname(listener, (struct sockaddr *)&address, &size))
		return -1;
	server->port = ntohs(address.sin_port);
	server->pid = fork();
	if (server->pid == 0)
		serve(listener, server->port, us);
	close(listener);
	return server->pid < 0 ? -1 : 0;
}

void fault_server_stop(struct fault_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}
