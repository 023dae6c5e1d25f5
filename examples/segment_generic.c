/*
 * segment_generic.c - divide an image into the things that it shows, through vaccel_genop().
 *
 *     segment_generic IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return image_genop(call, VACCEL_OP_IMAGE_SEGMENT, false);
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "segmentation",
						      .region = "segment",
						      .run = run };

	return image_main(argc, argv, &example);
}
