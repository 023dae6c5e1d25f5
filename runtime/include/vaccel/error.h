/*
 * error.h - return codes. Functions return them positive; what returns an id negates them.
 * luaccel_last_error() of luaccel.h has the reason in words.
 */
#ifndef VACCEL_ERROR_H
#define VACCEL_ERROR_H

#include <errno.h>

enum {
	VACCEL_OK = 0,
	VACCEL_EINVAL = EINVAL,		    /* argument that makes no sense */
	VACCEL_ENOMEM = ENOMEM,		    /* no memory */
	VACCEL_ENOTSUP = ENOTSUP,	    /* no plugin does this */
	VACCEL_EINPROGRESS = EINPROGRESS,   /* still running */
	VACCEL_EBUSY = EBUSY,		    /* in use, or draining */
	VACCEL_EEXIST = EEXIST,		    /* is there already */
	VACCEL_ENOENT = ENOENT,		    /* no such thing */
	VACCEL_ELIBBAD = ELIBBAD,	    /* a library that is no plugin */
	VACCEL_ENODEV = ENODEV,		    /* no such device */
	VACCEL_EIO = EIO,		    /* reading or writing failed */
	VACCEL_ESESS = ECONNRESET,	    /* session lost, or library not initialised */
	VACCEL_EBACKEND = EPROTO,	    /* the backend failed */
	VACCEL_ENOEXEC = ENOEXEC,	    /* cannot be executed */
	VACCEL_ENAMETOOLONG = ENAMETOOLONG, /* name too long */
	VACCEL_EUSERS = EUSERS,		    /* too many sessions or resources */
	VACCEL_EPERM = EPERM,		    /* not allowed, or not registered */
	VACCEL_ELOOP = ELOOP,		    /* too many symbolic links */
	VACCEL_EMLINK = EMLINK,		    /* too many links */
	VACCEL_ENOSPC = ENOSPC,		    /* no space left */
	VACCEL_ENOTDIR = ENOTDIR,	    /* not a directory */
	VACCEL_EROFS = EROFS,		    /* read-only file system */
	VACCEL_EACCES = EACCES,		    /* no permission */
	VACCEL_EBADF = EBADF,		    /* bad file descriptor */
	VACCEL_EREMOTEIO = EREMOTEIO,	    /* the other side's file could not be had */
	VACCEL_EFAULT = EFAULT,		    /* bad address */
	VACCEL_ERANGE = ERANGE,		    /* out of range */
	VACCEL_EAGAIN = EAGAIN,		    /* not now, try again */
	VACCEL_ENOSYS = ENOSYS,		    /* no such function */
};

#endif
