/*
 * rpc_name.c - the name under which the rpc plugin was loaded decides its default address. One
 * process can load one of the two, so this program is run once with each (argv: file, address).
 */
#include "rpc_fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct vaccel_session sess;

	if (argc != 3)
		return 2;
	unsetenv("VACCEL_RPC_ADDRESS");
	unsetenv("VACCEL_RPC_ADDR");
	unsetenv("VACCEL_VSOCK");
	rig_bootstrap(argv[1]);
	if (vaccel_session_init(&sess, 0) == VACCEL_OK) {
		fprintf(stderr, "an agent runs at %s: this test needs none there\n", argv[2]);
		return 1;
	}
	if (!strstr(rig_reason(), argv[2])) {
		fprintf(stderr, "expected %s in: %s\n", argv[2], rig_reason());
		return 1;
	}
	return vaccel_cleanup();
}
