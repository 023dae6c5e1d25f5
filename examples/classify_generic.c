/*
 * classify_generic.c - classify an image, through vaccel_genop().
 *
 *     classify_generic IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return image_genop(call, VACCEL_OP_IMAGE_CLASSIFY, true);
}

int main(int argc, char **argv)
{
	static const struct image_example example = {
		.what = "classification", .region = "classify", .tags = true, .run = run
	};

	return image_main(argc, argv, &example);
}
