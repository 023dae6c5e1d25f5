/*
 * depth.c - estimate how far away what an image shows is.
 *
 *     depth IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return vaccel_image_depth(call->sess, call->image.data, call->name, call->image.size,
				  sizeof(call->name));
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "depth estimation",
						      .region = "depth",
						      .run = run };

	return image_main(argc, argv, &example);
}
