/*
 * preprocess.h - how a model wants its images: the extra file luaccel/preprocess of a TorchScript
 * model, and what it describes done to an image. README.md beside this file documents the format.
 */
#ifndef TORCH_PREPROCESS_H
#define TORCH_PREPROCESS_H

#include "fault.h"
#include "image.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREPROCESS_MAX_BYTES 65536U
#define PREPROCESS_MAX_SIDE  4096U

struct preprocess {
	uint32_t width;
	uint32_t height;
	uint32_t channels; /* 1 or 3 */
	float scale;
	float mean[3];
	float std[3];
	bool invert;
	bool channels_first; /* layout nchw, else nhwc */
	bool logits;	     /* the model's output needs a softmax, else it has probabilities */
};

/*
 * Read a description of `size` bytes, which need not end with a NUL. EINVAL with a sentence that
 * names the line in *fault.
 */
int preprocess_parse(const char *text, size_t size, struct preprocess *pre, struct fault *fault);

/* How many floats preprocess_apply() writes. */
size_t preprocess_values(const struct preprocess *pre);

/* The dimensions of the model's input, a batch of one image. */
void preprocess_dims(const struct preprocess *pre, int64_t dims[4]);

/*
 * Resize and normalise an image with pre->channels channels: (pixel * scale - mean) / std, for
 * each channel, of 255 - pixel where invert is set. ENOMEM with the reason in *fault.
 */
int preprocess_apply(const struct preprocess *pre, const struct image *image, float *out,
		     struct fault *fault);

#endif
