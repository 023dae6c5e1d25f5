/*
 * detect.c - find the objects in an image.
 *
 *     detect IMAGE [ITERATIONS [MODEL]]
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return vaccel_image_detection(call->sess, call->image.data, call->name, call->image.size,
				      sizeof(call->name));
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "detection",
						      .region = "detect",
						      .run = run };

	return image_main(argc, argv, &example);
}
