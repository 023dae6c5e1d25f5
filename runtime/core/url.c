/*
 * url.c - resources from elsewhere: the module that downloads, and the files it fills.
 *
 * libluaccel-url.so lies beside libvaccel.so, is loaded when the first URL comes and stays. When
 * it cannot be loaded the next URL tries again. Any thread; a download runs on its caller's.
 */
#include "url.h"
#include "environment.h"
#include "files.h"
#include "last_error.h"
#include "library.h"
#include "logging.h"
#include "url_module.h"
#include "url_progress.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES (4UL << 30)

enum {
	TIMEOUT = 30,
	TIMEOUT_MAX = 24 * 60 * 60,
	SLOWEST = 1024, /* bytes a second */
	WHY_MAX = 256,
};

static struct {
	pthread_mutex_t lock;
	const struct luaccel_url *loaded;
} module = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct download {
	int fd;
	int64_t bytes;
	int64_t max_bytes;
	int write_error;
	struct url_progress progress;
};

void url_lock(void)
{
	pthread_mutex_lock(&module.lock);
}

void url_unlock(void)
{
	pthread_mutex_unlock(&module.lock);
}

static const struct luaccel_url *load_locked(char *why)
{
	void *handle = library_beside_us(LUACCEL_URL_FILE, RTLD_LAZY);
	const struct luaccel_url *url = handle ? dlsym(handle, LUACCEL_URL_SYMBOL) : NULL;
	const char *words = url ? NULL : dlerror();

	if (url && url->version == LUACCEL_URL_VERSION && url->start())
		return url;
	snprintf(why, WHY_MAX, "%s", words ? words : "it does not fit this libvaccel.so");
	if (handle)
		dlclose(handle);
	return NULL;
}

/* The module; NULL, with the reason, when there is none. */
static const struct luaccel_url *load(char *why)
{
	const struct luaccel_url *loaded;

	url_lock();
	if (!module.loaded)
		module.loaded = load_locked(why);
	loaded = module.loaded;
	url_unlock();
	return loaded;
}

bool url_valid(const char *url)
{
	char why[WHY_MAX];
	const struct luaccel_url *loaded = load(why);

	if (!loaded)
		log_debug("No check of %s: %s", url, why);
	return !loaded || loaded->valid(url);
}

static bool take(void *ctx, const void *data, size_t size)
{
	struct download *download = ctx;

	if (size > (size_t)(download->max_bytes - download->bytes))
		return false;
	download->write_error = file_write_all(download->fd, data, size);
	download->bytes += (int64_t)size;
	return !download->write_error;
}

static void on_progress(void *ctx, int64_t now, int64_t total, double seconds)
{
	struct download *download = ctx;

	url_progress(&download->progress, now, total, seconds);
}

static int failed(const struct url_request *request, const struct download *download,
		  enum url_result result)
{
	if (result == URL_NO_MEMORY)
		return VACCEL_ENOMEM;
	if (result == URL_FAILED) {
		log_error("CURL: %s", request->why);
		return fail(VACCEL_EREMOTEIO, "Could not download file from %s: %s", request->url,
			    request->why);
	}
	if (download->write_error)
		return fail(VACCEL_EIO, "Could not download file from %s: writing it failed: %s",
			    request->url, strerror(download->write_error));
	return fail(VACCEL_EREMOTEIO,
		    "Could not download file from %s: it is larger than %jd bytes, which "
		    "LUACCEL_URL_MAX_BYTES allows",
		    request->url, (intmax_t)request->max_bytes);
}

static int fetch(const struct luaccel_url *loaded, const char *url, int fd)
{
	const unsigned long timeout = environment_limit("LUACCEL_URL_TIMEOUT", TIMEOUT);
	const unsigned long max_bytes = environment_limit("LUACCEL_URL_MAX_BYTES", MAX_BYTES);
	struct download download = {
		.fd = fd,
		.max_bytes = max_bytes < INT64_MAX ? (int64_t)max_bytes : INT64_MAX,
	};
	struct url_request request = {
		.url = url,
		.timeout = timeout < TIMEOUT_MAX ? (long)timeout : TIMEOUT_MAX,
		.slowest = SLOWEST,
		.max_bytes = download.max_bytes,
		.take = take,
		.progress = on_progress,
		.ctx = &download,
	};
	enum url_result result;

	log_debug("Downloading %s", url);
	result = loaded->fetch(&request);
	if (result != URL_OK)
		return failed(&request, &download, result);
	log_debug("Download completed successfully");
	return VACCEL_OK;
}

/* The file's name: what follows the last '/', a query included. */
static int check_name(const char *url, const char *name)
{
	if (strlen(name) > NAME_MAX)
		return fail(VACCEL_ENAMETOOLONG,
			    "Could not download file from %.64s...: its name is longer than %d "
			    "bytes",
			    url, NAME_MAX);
	if (!file_name_is_plain(name))
		return fail(VACCEL_EINVAL,
			    "Could not download file from %s: it does not end in a file name", url);
	return VACCEL_OK;
}

int url_download(const char *url, const char *dir, mode_t mode, char **path)
{
	const char *name = file_last_component(url);
	const struct luaccel_url *loaded;
	char why[WHY_MAX];
	int fd, ret;

	loaded = load(why);
	if (!loaded)
		return fail(VACCEL_ENOTSUP,
			    "Could not download file from %s: " LUACCEL_URL_FILE
			    " or libcurl is missing (%s); install them, or download the file and "
			    "give its path",
			    url, why);
	ret = check_name(url, name);
	if (!ret)
		ret = file_create(dir, name, false, mode, path, &fd);
	if (ret)
		return ret;
	ret = fetch(loaded, url, fd);
	close(fd);
	if (ret) {
		unlink(*path);
		free(*path);
	}
	return ret;
}
