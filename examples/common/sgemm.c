/*
 * sgemm.c - see sgemm.h.
 */
#include "sgemm.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct sgemm_call call; /* filled in at run time: megabytes that the file need not have */

static void fill(float *matrix)
{
	for (int i = 0; i < SGEMM_SIDE; i++) {
		for (int j = 0; j < SGEMM_SIDE; j++)
			matrix[i * SGEMM_SIDE + j] = (float)i * (float)j / SGEMM_SIDE;
	}
}

static int write_result(const char *path)
{
	FILE *stream = fopen(path, "wb");
	int ret = stream ? VACCEL_OK : errno;

	if (stream && fwrite(call.c, sizeof(float), SGEMM_ELEMENTS, stream) != SGEMM_ELEMENTS)
		ret = VACCEL_EIO;
	if (stream && fclose(stream) && !ret)
		ret = errno;
	return ret ? example_report("Could not write the results", ret) : VACCEL_OK;
}

int sgemm_main(int argc, char **argv, int (*run)(void *call))
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("sgemm");
	const struct example_operation operation = { .run = run,
						     .context = &call,
						     .failure = "Could not run sgemm" };
	const int iterations = example_count(argc > 1 ? argv[1] : NULL);
	int ret;

	if (argc > 3 || !iterations)
		return example_usage(argv[0], "[iterations] [out_file]");
	call.side = SGEMM_SIDE;
	call.alpha = 32412;
	call.beta = 2123;
	fill(call.a);
	fill(call.b);
	fill(call.c);
	ret = example_session(&call.sess, 0);
	if (ret)
		return ret;
	ret = example_repeat(&operation, iterations, &region);
	if (!ret && argc == 3)
		ret = write_result(argv[2]);
	ret = example_session_end(ret, &call.sess);
	example_profile(&region);
	return ret;
}
