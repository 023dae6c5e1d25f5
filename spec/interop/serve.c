/*
 * serve.c - our server for containerd's ttrpc to call: the rig of the unit tests, until standard
 * input ends. Frames are limited to what that peer takes itself. Ends with status 0 if nothing was
 * left of any peer.
 */
#include "cmocka_all.h"
#include "ttrpc_rig.h"

#include <stdio.h>

int main(void)
{
	const struct ttrpc_server_limits limits = { .frame_max = TTRPC_FRAME_PLAIN };
	struct rig *rig = rig_start(&limits, NULL);

	printf("serving %s\n", rig->address.uri);
	fflush(stdout);
	while (getchar() != EOF)
		;
	rig_stop(rig);
	return 0;
}
