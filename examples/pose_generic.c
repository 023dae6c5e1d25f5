/*
 * pose_generic.c - find how the people in an image stand, through vaccel_genop().
 *
 *     pose_generic IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return image_genop(call, VACCEL_OP_IMAGE_POSE, false);
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "pose estimation",
						      .region = "pose",
						      .run = run };

	return image_main(argc, argv, &example);
}
