/*
 * uri.c - paths and URLs of resources. Any thread.
 */
#include "uri.h"
#include "files.h"
#include "last_error.h"
#include "logging.h"
#include "url.h"
#include <stdlib.h>
#include <string.h>

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static int parse_local(const char *path, vaccel_path_type_t *type)
{
	if (strlen(path) >= PATH_MAX)
		return fail(VACCEL_ENAMETOOLONG, "Path %.64s... is too long", path);
	if (file_is_directory(path))
		*type = VACCEL_PATH_LOCAL_DIR;
	else if (file_is_regular(path))
		*type = VACCEL_PATH_LOCAL_FILE;
	else
		return fail(VACCEL_EINVAL, "Invalid path %s: not a readable file or directory",
			    path);
	return VACCEL_OK;
}

int uri_parse(const char *uri, char **path, vaccel_path_type_t *type)
{
	const char *separator = strstr(uri, "://");
	const char *local = uri;
	int ret;

	if (separator && (starts_with(uri, "http") || starts_with(uri, "ftp"))) {
		if (strlen(uri) >= PATH_MAX)
			return fail(VACCEL_ENAMETOOLONG, "URL %.64s... is too long", uri);
		if (!url_valid(uri))
			return fail(VACCEL_EINVAL,
				    "Invalid path %s: not a URL that libcurl understands", uri);
		*type = VACCEL_PATH_REMOTE_FILE;
	} else {
		if (separator && !starts_with(uri, "file"))
			return fail(VACCEL_EINVAL,
				    "Unsupported URI prefix for %s; use file://, http://, "
				    "https:// or ftp://",
				    uri);
		if (separator) {
			local = separator + strlen("://");
		} else {
			log_warn("Path does not seem to have a `<prefix>://`");
			log_warn("Assuming %s is a local path", uri);
		}
		ret = parse_local(local, type);
		if (ret)
			return ret;
	}
	*path = strdup(local);
	return *path ? VACCEL_OK : VACCEL_ENOMEM;
}
