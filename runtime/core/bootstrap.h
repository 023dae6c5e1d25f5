/*
 * bootstrap.h - whether the library runs, and why not.
 */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

/* Set the reason "vAccel is not initialised: ..." and return code. */
int bootstrap_missing(int code);

#endif
