/*
 * url.h - resources from elsewhere, through libluaccel-url.so and libcurl.
 *
 * Settings, read at each download:
 *   LUACCEL_URL_TIMEOUT    seconds within which a connection is made, and for which a transfer may
 *                          be slower than 1 KiB/s; 30
 *   LUACCEL_URL_MAX_BYTES  the largest file; 4 GiB
 */
#ifndef URL_H
#define URL_H

#include "core.h"
#include <sys/types.h>

/* What libcurl says; without it everything is taken for a URL. */
bool url_valid(const char *url);

/*
 * Download to a new file in dir that bears the URL's last component as its name; *path is the
 * caller's to free. ENOTSUP without libcurl, EINVAL or ENAMETOOLONG for a URL that names no file,
 * the errno when none can be made, EIO when it cannot be written, EREMOTEIO for all that the
 * other side can do wrong. Whatever failed, no file is left.
 */
int url_download(const char *url, const char *dir, mode_t mode, char **path);

/* Around fork(). */
void url_lock(void);
void url_unlock(void);

#endif
