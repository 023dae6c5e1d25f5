/*
 * pose.c - find how the people in an image stand.
 *
 *     pose IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return vaccel_image_pose(call->sess, call->image.data, call->name, call->image.size,
				 sizeof(call->name));
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "pose estimation",
						      .region = "pose",
						      .run = run };

	return image_main(argc, argv, &example);
}
