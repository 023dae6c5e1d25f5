/*
 * url_progress.h - how far a download is, in the log.
 */
#ifndef URL_PROGRESS_H
#define URL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct url_progress {
	double logged; /* seconds from the start to the last line */
	bool complete; /* the line that says 100 % is written */
};

/* Log it, unless the last line is too near. total is 0 when nobody knows it. */
void url_progress(struct url_progress *progress, int64_t now, int64_t total, double seconds);

#endif
