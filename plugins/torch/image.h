/*
 * image.h - JPEG and PNG files in memory become pixels.
 *
 * The bytes are a stranger's. Dimensions are bounded before anything is allocated, and a file that
 * is cut short or damaged anywhere is refused, not guessed at: half an image has no class.
 */
#ifndef TORCH_IMAGE_H
#define TORCH_IMAGE_H

#include "fault.h"
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAX_BYTES	 (UINT32_C(256) << 20) /* of a file */
#define IMAGE_MAX_SIDE	 65535U
#define IMAGE_MAX_PIXELS (UINT32_C(64) << 20) /* times 4 bytes at most: 256 MiB */

/* Rows from the top, pixels from the left, 1 (gray) or 3 (red, green, blue) bytes for each. */
struct image {
	uint32_t width;
	uint32_t height;
	uint32_t channels;
	uint8_t *pixels;
};

/*
 * Decode a JPEG or PNG file into `channels` (1 or 3) bytes a pixel. Transparency is dropped, deep
 * PNGs are scaled to 8 bits, colour becomes gray by the ITU-R 601 weights: what Pillow's convert()
 * does. EINVAL or ENOMEM with the reason in *fault; *image is then empty.
 * The caller releases *image with image_release().
 */
int image_decode(const void *bytes, size_t size, uint32_t channels, struct image *image,
		 struct fault *fault);

void image_release(struct image *image);

/* For the decoders: check the dimensions that a file claims, then allocate its pixels. */
int image_allocate(struct image *image, uint64_t width, uint64_t height, uint32_t channels,
		   struct fault *fault);

/* For the decoders: one row of red, green, blue to gray; `gray` may be `rgb`. */
void image_row_to_gray(const uint8_t *rgb, uint8_t *gray, uint32_t width);

/* The decoder for each format, called by image_decode(). */
int image_decode_jpeg(const uint8_t *bytes, size_t size, uint32_t channels, struct image *image,
		      struct fault *fault);
int image_decode_png(const uint8_t *bytes, size_t size, uint32_t channels, struct image *image,
		     struct fault *fault);

#endif
