/*
 * url.c - downloads by libcurl, for whoever loads this module; see url_module.h.
 *
 * What a URL's server can do to us is bounded here: protocols, redirections, headers, the time
 * until it answers and the time that it may dawdle. How many bytes it may send, take() decides.
 *
 * Stateless but for libcurl's own globals. Any thread.
 */
#include "url_module.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum {
	REDIRECTIONS_MAX = 5,
	HEADERS_MAX = 256 * 1024, /* bytes, of all answers to one request */
	PROTOCOLS_MAX = 32,	  /* bytes of the list */
};

struct transfer {
	struct url_request *request;
	CURL *curl;
	size_t header_bytes;
	bool stopped; /* by take() */
	char words[CURL_ERROR_SIZE];
};

static bool start(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Out of memory it is not known to be none; fetching it will tell. */
static bool valid(const char *url)
{
	CURLU *parsed = curl_url();
	CURLUcode ret = CURLUE_OK;

	if (parsed)
		ret = curl_url_set(parsed, CURLUPART_URL, url, 0);
	curl_url_cleanup(parsed);
	return ret == CURLUE_OK || ret == CURLUE_OUT_OF_MEMORY;
}

static size_t on_data(char *data, size_t one, size_t size, void *ctx)
{
	struct transfer *transfer = ctx;

	(void)one;
	transfer->stopped = !transfer->request->take(transfer->request->ctx, data, size);
	return transfer->stopped ? CURL_WRITEFUNC_ERROR : size;
}

/* Headers are counted, as nothing else stops a server that never comes to their end. */
static size_t on_header(char *data, size_t one, size_t size, void *ctx)
{
	struct transfer *transfer = ctx;

	(void)data;
	(void)one;
	transfer->header_bytes += size;
	return transfer->header_bytes <= HEADERS_MAX ? size : CURL_WRITEFUNC_ERROR;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	const struct transfer *transfer = ctx;
	double seconds = 0;

	(void)up_total;
	(void)up_now;
	curl_easy_getinfo(transfer->curl, CURLINFO_TOTAL_TIME, &seconds);
	transfer->request->progress(transfer->request->ctx, now, total, seconds);
	return 0;
}

/* Those of the wanted protocols that this libcurl has, as CURLOPT_PROTOCOLS_STR wants them. */
static void list_protocols(const char *wanted, char *list)
{
	const char *const *has = curl_version_info(CURLVERSION_NOW)->protocols;
	size_t length = 0;

	list[0] = '\0';
	for (; *has; has++) {
		const char *found = strstr(wanted, *has);
		const size_t end = strlen(*has);

		if (!found || (found[end] && found[end] != ' ') || length + end + 2 > PROTOCOLS_MAX)
			continue;
		length += (size_t)snprintf(list + length, PROTOCOLS_MAX - length, "%s%s",
					   length ? "," : "", *has);
	}
}

static CURLcode set_limits(CURL *curl, const struct url_request *request)
{
	char first[PROTOCOLS_MAX], redirected[PROTOCOLS_MAX];
	CURLcode ret;

	list_protocols("http https ftp ftps", first);
	list_protocols("http https", redirected);
	ret = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, first);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, redirected);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTIONS_MAX);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, request->timeout);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request->timeout);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, request->slowest);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
				       (curl_off_t)request->max_bytes);
	return ret;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
	CURL *curl = transfer->curl;
	CURLcode ret = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);

	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->words);
	return ret;
}

static CURLcode configure(struct transfer *transfer)
{
	CURL *curl = transfer->curl;
	CURLcode ret = set_limits(curl, transfer->request);

	if (!ret)
		ret = set_callbacks(transfer);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_URL, transfer->request->url);
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	/* The process's signals are the application's. */
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that does not answer holds its thread up, and not us when time is over. */
	if (!ret)
		ret = curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	return ret;
}

static enum url_result result_of(const struct transfer *transfer, CURLcode code)
{
	struct url_request *request = transfer->request;

	if (code == CURLE_OK)
		return URL_OK;
	if (transfer->stopped)
		return URL_STOPPED;
	if (code == CURLE_OUT_OF_MEMORY)
		return URL_NO_MEMORY;
	if (code == CURLE_FILESIZE_EXCEEDED)
		return URL_TOO_LARGE;
	if (transfer->header_bytes > HEADERS_MAX)
		snprintf(request->why, sizeof(request->why), "its headers are longer than %d bytes",
			 HEADERS_MAX);
	else
		snprintf(request->why, sizeof(request->why), "%s",
			 transfer->words[0] ? transfer->words : curl_easy_strerror(code));
	return URL_FAILED;
}

static enum url_result fetch(struct url_request *request)
{
	struct transfer transfer = { .request = request, .curl = curl_easy_init() };
	CURLcode code;

	request->why[0] = '\0';
	if (!transfer.curl)
		return URL_NO_MEMORY;
	code = configure(&transfer);
	if (!code)
		code = curl_easy_perform(transfer.curl);
	curl_easy_cleanup(transfer.curl);
	return result_of(&transfer, code);
}

__attribute__((visibility("default"))) extern const struct luaccel_url luaccel_url;

const struct luaccel_url luaccel_url = {
	.version = LUACCEL_URL_VERSION,
	.start = start,
	.valid = valid,
	.fetch = fetch,
};
