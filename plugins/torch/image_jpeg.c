/*
 * image_jpeg.c - JPEG through libturbojpeg.
 *
 * The library prefers to finish with gray areas where data is missing or damaged, and to call that
 * a warning. Here the first warning is the end. Any thread: each call has its own decompressor.
 */
#include "image.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/* In a header the library does not see the end of the data as such. */
static bool has_end(const uint8_t *bytes, size_t size)
{
	static const uint8_t end[] = { 0xff, 0xd9 };

	return memmem(bytes, size, end, sizeof(end));
}

static int jpeg_fault(tjhandle tj, const uint8_t *bytes, size_t size, struct fault *fault)
{
	const char *words = tjGetErrorStr2(tj);

	if (strstr(words, "Premature end") || !has_end(bytes, size))
		return fault_set(fault, EINVAL, "JPEG is cut short");
	return fault_set(fault, EINVAL, "JPEG is damaged: %s", words);
}

/*
 * libjpeg gives cyan, magenta, yellow and black as stored, which all writers that matter do upside
 * down as Adobe did: 255 is no ink.
 */
static void cmyk_row(const uint8_t *cmyk, uint8_t *out, uint32_t width, uint32_t channels)
{
	for (uint32_t x = 0; x < width; x++, cmyk += 4) {
		uint8_t rgb[3];

		for (int i = 0; i < 3; i++)
			rgb[i] = (uint8_t)((cmyk[i] * cmyk[3] + 127) / 255);
		if (channels == 1)
			image_row_to_gray(rgb, out + x, 1);
		else
			memcpy(out + (size_t)x * 3, rgb, 3);
	}
}

static int decode_pixels(tjhandle tj, const uint8_t *bytes, size_t size, int format,
			 uint8_t *pixels, const struct image *image, struct fault *fault)
{
	if (tjDecompress2(tj, bytes, size, pixels, (int)image->width, 0, (int)image->height, format,
			  TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT))
		return jpeg_fault(tj, bytes, size, fault);
	return 0;
}

static int decode_cmyk(tjhandle tj, const uint8_t *bytes, size_t size, struct image *image,
		       struct fault *fault)
{
	size_t row = (size_t)image->width * 4;
	uint8_t *cmyk = malloc(row * image->height);
	int ret;

	if (!cmyk)
		return fault_set(fault, ENOMEM, "no memory for an image of %ux%u pixels",
				 image->width, image->height);
	ret = decode_pixels(tj, bytes, size, TJPF_CMYK, cmyk, image, fault);
	for (uint32_t y = 0; !ret && y < image->height; y++)
		cmyk_row(cmyk + y * row, image->pixels + (size_t)y * image->width * image->channels,
			 image->width, image->channels);
	free(cmyk);
	return ret;
}

int image_decode_jpeg(const uint8_t *bytes, size_t size, uint32_t channels, struct image *image,
		      struct fault *fault)
{
	int width = 0, height = 0, subsampling, colours, ret;
	tjhandle tj = tjInitDecompress();

	if (!tj)
		return fault_set(fault, ENOMEM, "no memory for a JPEG decoder");
	if (tjDecompressHeader3(tj, bytes, size, &width, &height, &subsampling, &colours)) {
		ret = jpeg_fault(tj, bytes, size, fault);
		goto out;
	}
	if (!width) {
		/* A file of tables alone is a valid header to the library. */
		ret = fault_set(fault, EINVAL,
				has_end(bytes, size) ? "JPEG has no image in it"
						     : "JPEG is cut short");
		goto out;
	}
	ret = image_allocate(image, (uint64_t)width, (uint64_t)height, channels, fault);
	if (ret)
		goto out;
	if (colours == TJCS_CMYK || colours == TJCS_YCCK)
		ret = decode_cmyk(tj, bytes, size, image, fault);
	else
		ret = decode_pixels(tj, bytes, size, channels == 1 ? TJPF_GRAY : TJPF_RGB,
				    image->pixels, image, fault);
	if (ret)
		image_release(image);
out:
	tjDestroy(tj);
	return ret;
}
