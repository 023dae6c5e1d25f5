/*
 * allow.h - what the operator permits peers beyond the default, by --allow.
 *
 *   exec       call functions of libraries: exec by a path on this host, exec_with_resource
 *   lib        send libraries, or name them (which needs url or path too)
 *   url        have http and https URLs downloaded
 *   path=DIR   name files and directories beneath DIR
 *   plaintext  (the operator's own) listen on tcp beyond loopback
 *
 * Filled in from the command line before anything else runs, and not changed any more: any thread
 * may read it.
 */
#ifndef AGENT_ALLOW_H
#define AGENT_ALLOW_H

#include "vaccel.h"
#include <stdbool.h>
#include <stddef.h>

enum { ALLOW_DIRS_MAX = 16 };

struct allow_dir {
	char *path; /* absolute, without a slash at its end */
	int fd;	    /* -1: not opened yet */
};

struct allow {
	bool exec, lib, url, plaintext;
	struct allow_dir dirs[ALLOW_DIRS_MAX];
	size_t nr_dirs;
};

/* "exec,path=/models": adds to what is allowed. 0, or -EINVAL with a sentence in err. */
int allow_parse(struct allow *allow, const char *text, char *err, size_t errsize);

/* Open the directories, so that it is them and no others. 0, or -1 with a sentence in err. */
int allow_open(struct allow *allow, char *err, size_t errsize);
void allow_release(struct allow *allow);

/* "exec, path=/models"; empty when there is nothing. */
void allow_describe(const struct allow *allow, char *buf, size_t size);

/*
 * May a peer name this path or URL? 0, or EPERM (or EINVAL when it is neither) with a sentence.
 * *dir and *beneath are set for a path: where it is to be opened.
 */
int allow_uri(const struct allow *allow, const char *uri, const struct allow_dir **dir,
	      const char **beneath, char *reason, size_t size);

#endif
