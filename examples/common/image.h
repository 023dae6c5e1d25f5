/*
 * image.h - the program that all image examples are: a session, perhaps a model, an image, an
 * operation on it. The examples differ in the operation.
 */
#ifndef EXAMPLE_IMAGE_H
#define EXAMPLE_IMAGE_H

#include "example.h"
#include <stdbool.h>

enum { IMAGE_TEXT_MAX = 512 };

struct image_call {
	struct vaccel_session *sess;
	struct example_file image;
	unsigned char tags[IMAGE_TEXT_MAX];
	unsigned char name[IMAGE_TEXT_MAX];
};

struct image_example {
	const char *what;   /* as the output calls it */
	const char *region; /* of the profile */
	bool tags;	    /* it gives tags too */
	bool shows_size;    /* of the image, before the first operation */
	int (*run)(struct image_call *call);
};

/* The program: its exit status. */
int image_main(int argc, char **argv, const struct image_example *example);

/* Run an image operation as a generic one; tags as above. */
int image_genop(struct image_call *call, vaccel_op_type_t op, bool tags);

#endif
