/*
 * image.c - what JPEG and PNG share: telling them apart, bounds, memory, gray.
 *
 * Any thread; nothing is shared. The pixels belong to the struct image.
 */
#include "image.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t jpeg_start[] = { 0xff, 0xd8, 0xff };
static const uint8_t png_start[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

static int unknown_format(const uint8_t *bytes, size_t size, struct fault *fault)
{
	char first[sizeof("00 00 00 00")] = "";

	for (size_t i = 0; i < size && i < 4; i++)
		snprintf(first + strlen(first), sizeof(first) - strlen(first), "%s%02x",
			 i ? " " : "", bytes[i]);
	return fault_set(fault, EINVAL, "image is neither JPEG nor PNG (first bytes %s)", first);
}

int image_decode(const void *bytes, size_t size, uint32_t channels, struct image *image,
		 struct fault *fault)
{
	*image = (struct image){ 0 };
	if (size > IMAGE_MAX_BYTES)
		return fault_set(fault, EINVAL,
				 "image has %zu bytes; at most %" PRIu32 " are taken", size,
				 IMAGE_MAX_BYTES);
	if (!bytes || !size)
		return fault_set(fault, EINVAL, "image is empty");
	if (size >= sizeof(jpeg_start) && !memcmp(bytes, jpeg_start, sizeof(jpeg_start)))
		return image_decode_jpeg(bytes, size, channels, image, fault);
	if (size >= sizeof(png_start) && !memcmp(bytes, png_start, sizeof(png_start)))
		return image_decode_png(bytes, size, channels, image, fault);
	return unknown_format(bytes, size, fault);
}

void image_release(struct image *image)
{
	free(image->pixels);
	*image = (struct image){ 0 };
}

int image_allocate(struct image *image, uint64_t width, uint64_t height, uint32_t channels,
		   struct fault *fault)
{
	if (!width || !height || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE ||
	    width * height > IMAGE_MAX_PIXELS)
		return fault_set(fault, EINVAL,
				 "image claims %" PRIu64 "x%" PRIu64 " pixels; 1 to %u on a side "
				 "and at most %" PRIu32 " together are taken",
				 width, height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
	image->pixels = malloc((size_t)(width * height) * channels);
	if (!image->pixels)
		return fault_set(fault, ENOMEM,
				 "no memory for an image of %" PRIu64 "x%" PRIu64 " pixels", width,
				 height);
	image->width = (uint32_t)width;
	image->height = (uint32_t)height;
	image->channels = channels;
	return 0;
}

void image_row_to_gray(const uint8_t *rgb, uint8_t *gray, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++, rgb += 3) {
		/* 0.299, 0.587, 0.114 in 16 bits, rounded, as Pillow has them. */
		uint32_t sum = rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U;

		gray[x] = (uint8_t)(sum >> 16);
	}
}
