/*
 * libraries.h - the shared libraries of a LIB resource, opened once and shared by its sessions.
 */
#ifndef EXEC_LIBRARIES_H
#define EXEC_LIBRARIES_H

#include <vaccel.h>

/* Handles of a resource's files, in their order: the last is the main library. */
struct libraries;

/*
 * The resource's libraries, opened if they are not. VACCEL_EINVAL when one cannot be opened, and
 * VACCEL_ENOMEM. The caller gives them back with libraries_put().
 */
int libraries_get(struct vaccel_resource *resource, struct libraries **result);

/* End of that; closes them if libraries_forget() said so and nobody else is using them. */
void libraries_put(struct libraries *libraries);

/* The handle of the main library. */
void *libraries_main(const struct libraries *libraries);

/* The resource lets go of them. They are closed, if the settings say so, after their last use. */
int libraries_forget(struct vaccel_resource *resource);

#endif
