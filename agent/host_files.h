/*
 * host_files.h - files of this host that a peer names, beneath directories that the operator
 * allows.
 *
 * What was checked is what is used: each file is opened once, without following any link and never
 * out of the directory, and kept open. libvaccel and plugins, which open files by their paths, are
 * given a path in the agent's own run directory where a link leads to that open file:
 *
 *     /models/net.pt  ──▶  RUNDIR/host.XXXXXX/0/net.pt  ──▶  /proc/PID/fd/N
 *
 * So nobody who may change what is beneath the directory can put another file in the place of one
 * that was accepted; its bytes are as writable as the operator has made them. A directory becomes a
 * directory of such links, with all that is in it. A worker's thread, one at a time for each.
 */
#ifndef AGENT_HOST_FILES_H
#define AGENT_HOST_FILES_H

#include "allow.h"

/*
 * Of one resource; and of the whole agent, and at most an eighth of the descriptor limit: each
 * holds a descriptor.
 */
enum { HOST_FILES_MAX = 256, HOST_FILES_TOTAL = 1024 };

struct host_files;

/*
 * Open what the URIs name. Those that are URLs stay what they are. VACCEL_* codes, with the reason
 * in words: EINVAL for what is not there, EPERM for what leads out.
 */
int host_files_open(const struct allow *allow, char *const *uris, size_t count,
		    struct host_files **files);
/* As many as there were URIs, for vaccel_resource_multi_new(). */
const char **host_files_uris(const struct host_files *files);
/* The URI that was given as the i-th. */
const char *host_files_asked(const struct host_files *files, size_t i);
/* Of a resource that has gone. */
void host_files_free(struct host_files *files);

/* An O_PATH descriptor, or -1 with errno: EXDEV when it leads out, ELOOP when it has a link. */
int host_files_open_beneath(int dir, const char *path);

#endif
