/*
 * detect_generic.c - find the objects in an image, through vaccel_genop().
 *
 *     detect_generic IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return image_genop(call, VACCEL_OP_IMAGE_DETECT, false);
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "detection",
						      .region = "detect",
						      .run = run };

	return image_main(argc, argv, &example);
}
