/*
 * address.c - where the agent is: the environment's word, else the default of the name that the
 * plugin was loaded under; and for how long its answers are waited for.
 */
#include "rpc.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RPC   "tcp://127.0.0.1:65500"
#define DEFAULT_VSOCK "vsock://2:2048"

enum { SECONDS_MAX = 1000000 };

static const char *default_uri = DEFAULT_RPC;

/* Once, at init: under which of its two names was this file loaded? */
void rpc_address_setup(void)
{
	static const char vsock_name[] = "libvaccel-vsock.so";
	const char *name;
	Dl_info info;

	if (!dladdr((const void *)&default_uri, &info) || !info.dli_fname)
		return;
	name = strrchr(info.dli_fname, '/');
	name = name ? name + 1 : info.dli_fname;
	if (strncmp(name, vsock_name, sizeof(vsock_name) - 1) == 0)
		default_uri = DEFAULT_VSOCK;
}

/* Read at each connect, so that a program may set it up to its first session. */
const char *rpc_address_uri(void)
{
	static const char *const variables[] = { "VACCEL_RPC_ADDRESS", "VACCEL_RPC_ADDR",
						 "VACCEL_VSOCK" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *uri = getenv(variables[i]);

		if (uri && *uri)
			return uri;
	}
	return default_uri;
}

/* What LUACCEL_RPC_TIMEOUT says, read at each connect; 0 when it says nothing. EINVAL. */
int rpc_address_timeout(int64_t *nanoseconds)
{
	const char *text = getenv("LUACCEL_RPC_TIMEOUT");
	double seconds;
	char *end;

	*nanoseconds = 0;
	if (!text || !*text)
		return VACCEL_OK;
	seconds = strtod(text, &end);
	if (*end || !(seconds >= 1e-3 && seconds <= SECONDS_MAX))
		return rpc_fail(
			VACCEL_EINVAL,
			"LUACCEL_RPC_TIMEOUT=%s is no number of seconds; give one from 0.001 "
			"to %d, or unset it to wait for any time",
			text, SECONDS_MAX);
	*nanoseconds = (int64_t)(seconds * 1e9);
	return VACCEL_OK;
}
