/*
 * segment.c - divide an image into the things that it shows.
 *
 *     segment IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return vaccel_image_segmentation(call->sess, call->image.data, call->name, call->image.size,
					 sizeof(call->name));
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "segmentation",
						      .region = "segment",
						      .run = run };

	return image_main(argc, argv, &example);
}
