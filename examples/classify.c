/*
 * classify.c - classify an image.
 *
 *     classify IMAGE [ITERATIONS [MODEL]]
 *
 * What classifies it is not this program's business: VACCEL_PLUGINS says which plugin serves the
 * session. MODEL is a file that the plugin needs, such as a TorchScript model. The exit status is
 * the code of the call that failed, as in all examples.
 */
#include "common/image.h"

static int run(struct image_call *call)
{
	return vaccel_image_classification(call->sess, call->image.data, call->tags, call->name,
					   call->image.size, sizeof(call->tags),
					   sizeof(call->name));
}

int main(int argc, char **argv)
{
	static const struct image_example example = { .what = "classification",
						      .region = "classify",
						      .tags = true,
						      .shows_size = true,
						      .run = run };

	return image_main(argc, argv, &example);
}
