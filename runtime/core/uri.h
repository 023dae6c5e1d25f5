/*
 * uri.h - what a resource may be created from.
 */
#ifndef URI_H
#define URI_H

#include "core.h"

/*
 * file://PATH, http[s]:// or ftp:// URLs, or a bare path. *path is the local path or the whole
 * URL, the caller's to free.
 */
int uri_parse(const char *uri, char **path, vaccel_path_type_t *type);

#endif
