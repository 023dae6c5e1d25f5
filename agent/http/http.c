/*
 * http.c - libluaccel-metrics.so: GET /metrics, by libmicrohttpd. See http_module.h.
 */
#include "http_module.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 16, SECONDS = 10, MEMORY = 16 << 10 };

struct luaccel_http {
	struct MHD_Daemon *daemon;
	char *(*text)(void *ctx, size_t *size);
	void *ctx;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      struct MHD_Response *response)
{
	enum MHD_Result ret = MHD_NO;

	if (!response)
		return ret;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, char *words)
{
	return answer(
		connection, status, "text/plain; charset=utf-8",
		MHD_create_response_from_buffer(strlen(words), words, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	static char unknown[] = "There is /metrics, and nothing else.\n", wrong[] = "GET it.\n",
		    failed[] = "out of memory\n";
	struct luaccel_http *http = ctx;
	size_t size;
	char *text;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)request;
	if (strcmp(url, "/metrics") != 0)
		return say(connection, MHD_HTTP_NOT_FOUND, unknown);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, wrong);
	text = http->text(http->ctx, &size);
	if (!text)
		return say(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, failed);
	return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		      MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE));
}

static struct luaccel_http *start(int fd, char *(*text)(void *ctx, size_t *size), void *ctx)
{
	struct luaccel_http *http = calloc(1, sizeof(*http));

	if (!http)
		goto close_fd;
	http->text = text;
	http->ctx = ctx;
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
					MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
					(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
					(unsigned)SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
					(size_t)MEMORY, MHD_OPTION_END);
	if (http->daemon)
		return http;
	free(http);

close_fd:
	close(fd);
	return NULL;
}

static int poll_fd(const struct luaccel_http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static double run(struct luaccel_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(http->daemon);
	return MHD_get_timeout(http->daemon, &ms) == MHD_YES ? (double)ms / 1e3 : -1;
}

static void stop(struct luaccel_http *http)
{
	MHD_stop_daemon(http->daemon);
	free(http);
}

extern const struct luaccel_metrics luaccel_metrics;

__attribute__((visibility("default"))) const struct luaccel_metrics luaccel_metrics = {
	.version = LUACCEL_METRICS_VERSION,
	.start = start,
	.fd = poll_fd,
	.run = run,
	.stop = stop,
};
