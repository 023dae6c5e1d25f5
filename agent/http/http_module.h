/*
 * http_module.h - what the agent asks of libluaccel-metrics.so, which brings libmicrohttpd in.
 *
 * The module has no thread: the agent's loop waits for its descriptor and calls run(). It knows
 * nothing of metrics but that there is a text of them.
 */
#ifndef HTTP_MODULE_H
#define HTTP_MODULE_H

#include <stddef.h>

#define LUACCEL_METRICS_FILE	"libluaccel-metrics.so"
#define LUACCEL_METRICS_SYMBOL	"luaccel_metrics"
#define LUACCEL_METRICS_VERSION 1

struct luaccel_http;

struct luaccel_metrics {
	unsigned version;
	/*
	 * Serve at a listening, non-blocking socket, which is the module's from here on. text() is
	 * called for each request, within run(): malloc()ed, or NULL. NULL: it cannot be served,
	 * and the socket is closed.
	 */
	struct luaccel_http *(*start)(int fd, char *(*text)(void *ctx, size_t *size), void *ctx);
	/* Readable when run() has something to do. */
	int (*fd)(const struct luaccel_http *http);
	/* Do what there is. The seconds after which it wants to be called anyhow, or -1. */
	double (*run)(struct luaccel_http *http);
	void (*stop)(struct luaccel_http *http);
};

#endif
