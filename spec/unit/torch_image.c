/*
 * torch_image.c - decoding of good, cut, damaged and lying JPEG and PNG files.
 *
 * The files are in torch_images/; torch_images.py there made them, and what they must decode to.
 */
#include "cmocka_all.h"
#include "image.h"
#include "torch_files.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  13
#define HEIGHT 9

struct sample {
	const char *name; /* without its suffix */
	const char *suffix;
	int tolerance; /* JPEG decoders may round differently */
};

static const struct sample samples[] = {
	{ "gray", ".png", 0 },
	{ "gray1", ".png", 0 },
	{ "gray16", ".png", 0 },
	{ "gray-alpha", ".png", 0 },
	{ "rgb", ".png", 0 },
	{ "rgb16", ".png", 0 },
	{ "rgba", ".png", 0 },
	{ "interlaced", ".png", 0 },
	{ "palette", ".png", 0 },
	{ "palette256", ".png", 0 },
	{ "palette-transparent", ".png", 0 },
	{ "jpeg-gray", ".jpg", 1 },
	{ "jpeg-rgb", ".jpg", 2 },
	{ "jpeg-420", ".jpg", 2 },
	{ "jpeg-progressive", ".jpg", 2 },
	{ "jpeg-cmyk", ".jpg", 2 },
};
#define NR_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static struct file read_sample(const struct sample *sample, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", sample->name, suffix);
	return file_read(TORCH_IMAGES, name);
}

static void check_pixels(const struct sample *sample, uint32_t channels)
{
	struct file file = read_sample(sample, sample->suffix);
	struct file pixels = read_sample(sample, channels == 1 ? ".gray" : ".rgb");
	struct fault fault = { "" };
	struct image image;

	if (image_decode(file.data, file.size, channels, &image, &fault))
		fail_msg("%s: %s", sample->name, fault.text);
	assert_int_equal(image.width, WIDTH);
	assert_int_equal(image.height, HEIGHT);
	assert_int_equal(image.channels, channels);
	assert_int_equal(pixels.size, WIDTH * HEIGHT * channels);
	for (size_t i = 0; i < pixels.size; i++) {
		if (abs(image.pixels[i] - pixels.data[i]) > sample->tolerance)
			fail_msg("%s, %u channels, byte %zu: %d instead of %d", sample->name,
				 channels, i, image.pixels[i], pixels.data[i]);
	}
	image_release(&image);
	free(pixels.data);
	free(file.data);
}

static void every_kind_decodes_to_its_pixels(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SAMPLES; i++) {
		check_pixels(&samples[i], 1);
		check_pixels(&samples[i], 3);
	}
}

/* The bytes end where the allocation does, so that a sanitizer sees one that is read beyond. */
static int decode_copy(const uint8_t *bytes, size_t size, struct image *image, struct fault *fault)
{
	uint8_t *copy = malloc(size);
	int ret;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	ret = image_decode(copy, size, 3, image, fault);
	free(copy);
	return ret;
}

static void cut_anywhere_it_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SAMPLES; i++) {
		struct file file = read_sample(&samples[i], samples[i].suffix);

		for (size_t size = 1; size < file.size; size++) {
			struct fault fault = { "" };
			struct image image;

			if (!decode_copy(file.data, size, &image, &fault))
				fail_msg("%s cut to %zu of %zu bytes decodes", samples[i].name,
					 size, file.size);
			assert_null(image.pixels);
			if (size >= 8 && strcmp(fault.text, "PNG is cut short") &&
			    strcmp(fault.text, "JPEG is cut short"))
				fail_msg("%s cut to %zu bytes: %s", samples[i].name, size,
					 fault.text);
		}
		free(file.data);
	}
}

static void one_wrong_bit_never_does_harm(void **state)
{
	unsigned int refused = 0;

	(void)state;
	for (size_t i = 0; i < NR_SAMPLES; i++) {
		struct file file = read_sample(&samples[i], samples[i].suffix);

		for (size_t bit = 0; bit < file.size * 8; bit++) {
			struct fault fault = { "" };
			struct image image;

			file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			if (decode_copy(file.data, file.size, &image, &fault)) {
				refused++;
				assert_null(image.pixels);
				assert_true(fault.text[0]);
			} else {
				assert_int_equal(image.channels, 3);
				assert_true(image.width * image.height <= IMAGE_MAX_PIXELS);
				image_release(&image);
			}
			file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		free(file.data);
	}
	/* PNG has a checksum over nearly everything. */
	assert_true(refused > 10000);
}

static void expect_refusal(const char *name, const char *words)
{
	struct file file = file_read(TORCH_IMAGES, name);
	struct fault fault = { "" };
	struct image image;

	assert_int_equal(image_decode(file.data, file.size, 3, &image, &fault), EINVAL);
	assert_string_equal(fault.text, words);
	assert_null(image.pixels);
	free(file.data);
}

static void dimensions_are_bounded_before_memory_is(void **state)
{
	(void)state;
	expect_refusal("huge.png",
		       "image claims 2147483647x2147483647 pixels; 1 to 65535 on a side "
		       "and at most 67108864 together are taken");
	expect_refusal("huge.jpg", "image claims 65000x65000 pixels; 1 to 65535 on a side and at "
				   "most 67108864 together are taken");
	expect_refusal("above.png", "image claims 8192x8193 pixels; 1 to 65535 on a side and at "
				    "most 67108864 together are taken");
}

static void the_largest_image_is_taken(void **state)
{
	struct file file = file_read(TORCH_IMAGES, "limit.png");
	struct fault fault = { "" };
	struct image image;

	(void)state;
	assert_int_equal(image_decode(file.data, file.size, 1, &image, &fault), 0);
	assert_int_equal(image.width, 8192);
	assert_int_equal(image.pixels[IMAGE_MAX_PIXELS - 1], 0);
	image_release(&image);
	free(file.data);
}

static void what_is_no_image_is_named(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *words;
	} none[] = {
		{ "%PDF-1.4", 8, "image is neither JPEG nor PNG (first bytes 25 50 44 46)" },
		{ "\x89P", 2, "image is neither JPEG nor PNG (first bytes 89 50)" },
		{ "\xff\xd8\xfe\x00", 4,
		  "image is neither JPEG nor PNG (first bytes ff d8 fe 00)" },
		{ "", 0, "image is empty" },
		{ NULL, 4, "image is empty" },
		{ "x", (size_t)IMAGE_MAX_BYTES + 1,
		  "image has 268435457 bytes; at most 268435456 are taken" },
		{ "\xff\xd8\xff\xd9", 4, "JPEG has no image in it" },
		{ "\xff\xd8\xff\xe0\x7f\xff", 6, "JPEG is cut short" },
		{ "\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82", 20,
		  "PNG is damaged: IEND: out of place" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct fault fault = { "" };
		struct image image;

		assert_int_equal(image_decode(none[i].bytes, none[i].size, 3, &image, &fault),
				 EINVAL);
		assert_string_equal(fault.text, none[i].words);
		assert_null(image.pixels);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_decodes_to_its_pixels),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(one_wrong_bit_never_does_harm),
		cmocka_unit_test(dimensions_are_bounded_before_memory_is),
		cmocka_unit_test(the_largest_image_is_taken),
		cmocka_unit_test(what_is_no_image_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
