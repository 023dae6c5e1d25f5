/*
 * depth_generic.c - estimate how far away what an image shows is, through vaccel_genop().
 *
 *     depth_generic IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return image_genop(call, VACCEL_OP_IMAGE_DEPTH, false);
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "depth estimation",
						      .region = "depth",
						      .run = run };

	return image_main(argc, argv, &example);
}
