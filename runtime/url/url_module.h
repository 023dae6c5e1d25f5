/*
 * url_module.h - what the core asks of libluaccel-url.so, which brings libcurl in.
 *
 * The module knows nothing of resources, files and logs: bytes and progress go to the two
 * functions of a request, on the thread that fetches. The core loads it once and never unloads it.
 */
#ifndef URL_MODULE_H
#define URL_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUACCEL_URL_FILE    "libluaccel-url.so"
#define LUACCEL_URL_SYMBOL  "luaccel_url"
#define LUACCEL_URL_VERSION 1

enum url_result {
	URL_OK,
	URL_FAILED,    /* why has words */
	URL_STOPPED,   /* take() said no */
	URL_TOO_LARGE, /* it says so before its first byte */
	URL_NO_MEMORY,
};

struct url_request {
	const char *url;
	long timeout;	   /* seconds to connect in, and seconds that it may be slower than */
	long slowest;	   /* bytes a second */
	int64_t max_bytes; /* of a length that is announced; take() counts the rest */

	/* The next bytes; false ends the transfer. */
	bool (*take)(void *ctx, const void *data, size_t size);

	/* So many bytes of total, which is 0 when nobody knows it, after so many seconds. */
	void (*progress)(void *ctx, int64_t now, int64_t total, double seconds);
	void *ctx;

	char why[256];
};

/* Any thread may call these once start() has succeeded. */
struct luaccel_url {
	unsigned version;
	bool (*start)(void); /* once */
	bool (*valid)(const char *url);
	enum url_result (*fetch)(struct url_request *request);
};

#endif
