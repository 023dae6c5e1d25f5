/*
 * resize.h - an image of any size becomes one of a given size.
 */
#ifndef TORCH_RESIZE_H
#define TORCH_RESIZE_H

#include "fault.h"
#include "image.h"

/*
 * Bilinear with a filter that widens as the image shrinks, so that every pixel counts: what
 * Pillow's BILINEAR and torch's interpolate(mode="bilinear", antialias=True) compute, here in
 * single precision without rounding to bytes between. Same size: the pixels unchanged.
 *
 * Writes height * width * image->channels values of 0..255 to `out`, channels innermost.
 * ENOMEM with the reason in *fault.
 */
int resize_bilinear(const struct image *image, float *out, uint32_t width, uint32_t height,
		    struct fault *fault);

#endif
