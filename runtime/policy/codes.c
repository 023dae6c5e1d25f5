/*
 * codes.c - the names of vAccel's error codes, for reject { code = "EBUSY" }.
 */
#include "engine.h"

#include "vaccel/error.h"

#include <string.h>

/* One a line: clang-format does not settle on how else. */
/* clang-format off */
#define CODES(X) \
	X(EINVAL) \
	X(ENOMEM) \
	X(ENOTSUP) \
	X(EINPROGRESS) \
	X(EBUSY) \
	X(EEXIST) \
	X(ENOENT) \
	X(ELIBBAD) \
	X(ENODEV) \
	X(EIO) \
	X(ESESS) \
	X(EBACKEND) \
	X(ENOEXEC) \
	X(ENAMETOOLONG) \
	X(EUSERS) \
	X(EPERM) \
	X(ELOOP) \
	X(EMLINK) \
	X(ENOSPC) \
	X(ENOTDIR) \
	X(EROFS) \
	X(EACCES) \
	X(EBADF) \
	X(EREMOTEIO) \
	X(EFAULT) \
	X(ERANGE) \
	X(EAGAIN) \
	X(ENOSYS)
/* clang-format on */

static const struct {
	const char *name;
	int code;
} codes[] = {
#define X(name) { #name, VACCEL_##name },
	CODES(X)
#undef X
};

const char *policy_code_name(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return NULL;
}

int policy_code_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	return 0;
}
