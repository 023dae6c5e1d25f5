/*
 * torch_preprocess.c - a model's description of its images and labels, and what is done with them.
 */
#include "cmocka_all.h"
#include "labels.h"
#include "preprocess.h"
#include "resize.h"
#include "torch_files.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES "width = 4\nheight = 2\n"
#define GRAY  SIZES "channels = gray\n"
#define RGB   SIZES "channels = rgb\n"

static void a_description_is_read(void **state)
{
	static const char text[] = "# of a model\r\n\n  width=16 \nheight =\t20\r\nchannels = rgb\n"
				   "resize = bilinear\nscale = 1e-2\nmean = 0.1  0.2 0.3\n"
				   "std = 0.5\ninvert = yes\nlayout = nhwc\noutput = probabilities";
	struct fault fault = { "" };
	struct preprocess pre;
	int64_t dims[4];

	(void)state;
	assert_int_equal(preprocess_parse(text, strlen(text), &pre, &fault), 0);
	assert_int_equal(pre.width, 16);
	assert_int_equal(pre.height, 20);
	assert_int_equal(pre.channels, 3);
	assert_float_equal(pre.scale, 0.01, 1e-9);
	for (int c = 0; c < 3; c++) {
		assert_float_equal(pre.mean[c], (0.1 * (c + 1)), 1e-7);
		assert_float_equal(pre.std[c], 0.5, 1e-9);
	}
	assert_true(pre.invert);
	assert_false(pre.channels_first);
	assert_false(pre.logits);
	preprocess_dims(&pre, dims);
	assert_int_equal(dims[0], 1);
	assert_int_equal(dims[1], 20);
	assert_int_equal(dims[2], 16);
	assert_int_equal(dims[3], 3);
}

static void what_is_not_said_has_a_default(void **state)
{
	struct fault fault = { "" };
	struct preprocess pre;
	int64_t dims[4];

	(void)state;
	assert_int_equal(preprocess_parse(GRAY, strlen(GRAY), &pre, &fault), 0);
	assert_float_equal(pre.scale, (1.0 / 255), 1e-9);
	assert_float_equal(pre.mean[0], 0, 0);
	assert_float_equal(pre.std[0], 1, 0);
	assert_false(pre.invert);
	assert_true(pre.channels_first);
	assert_true(pre.logits);
	preprocess_dims(&pre, dims);
	assert_int_equal(dims[1], 1);
	assert_int_equal(dims[2], 2);
	assert_int_equal(dims[3], 4);
	assert_int_equal(preprocess_values(&pre), 8);
}

static void a_bad_description_is_refused_by_line(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} bad[] = {
		{ "", "luaccel/preprocess does not set width" },
		{ "width = 8\nheight = 8\n", "luaccel/preprocess does not set channels" },
		{ "width = 0", "line 1: \"0\" is not a number of 1 to 4096" },
		{ "width = 4097", "line 1: \"4097\" is not a number of 1 to 4096" },
		{ "width = -8", "line 1: \"-8\" is not a number of 1 to 4096" },
		{ "width = 8x", "line 1: \"8x\" is not a number of 1 to 4096" },
		{ "width = 99999999999999999999",
		  "line 1: \"99999999999999999999\" is not a number" },
		{ "width =", "line 1: \"\" is not a number of 1 to 4096" },
		{ "width = 8\nwidth = 8", "line 2: width is set twice" },
		{ "channels = cmyk", "line 1: \"cmyk\" is neither rgb nor gray" },
		{ "resize = lanczos", "line 1: \"lanczos\" is not bilinear" },
		{ "scale = 1 2", "line 1: \"1 2\" is not a number" },
		{ "scale = nan", "line 1: \"nan\" is not a number" },
		{ "scale = 1e99", "line 1: \"1e99\" is not a number" },
		{ "mean = 1 2 3 4", "line 1: \"1 2 3 4\" is not one number or one per channel" },
		{ "mean = 1,2", "line 1: \"1,2\" is not one number or one per channel" },
		{ "std =", "line 1: \"\" is not a number" },
		{ "std = 1 0 1", "line 1: \"1 0 1\" is not above zero" },
		{ RGB "mean = 1 2", "luaccel/preprocess: mean has 2 numbers for 3 channels" },
		{ GRAY "std = 1 2 3", "luaccel/preprocess: std has 3 numbers for 1 channel" },
		{ "invert = maybe", "line 1: \"maybe\" is neither yes nor no" },
		{ "layout = chwn", "line 1: \"chwn\" is neither nchw nor nhwc" },
		{ "output = text", "line 1: \"text\" is neither logits nor probabilities" },
		{ "# fine\nwidth 8", "line 2: \"width 8\" is not KEY = VALUE" },
		{ "colour = blue", "line 1: unknown key \"colour\"" },
		{ "\n\nwi\x01th = 8", "line 3: unknown key \"wi th\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault fault = { "" };
		struct preprocess pre;

		assert_int_equal(preprocess_parse(bad[i].text, strlen(bad[i].text), &pre, &fault),
				 EINVAL);
		if (!strstr(fault.text, bad[i].words))
			fail_msg("%s: %s", bad[i].text, fault.text);
	}
}

static void a_description_that_is_no_text_is_refused(void **state)
{
	struct fault fault = { "" };
	struct preprocess pre;
	char *text = calloc(1, PREPROCESS_MAX_BYTES + 1);

	(void)state;
	assert_non_null(text);
	assert_int_equal(preprocess_parse(text, 10, &pre, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/preprocess line 1: too long, or not text");
	memset(text, ' ', PREPROCESS_MAX_BYTES + 1);
	assert_int_equal(preprocess_parse(text, PREPROCESS_MAX_BYTES, &pre, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/preprocess line 1: too long, or not text");
	assert_int_equal(preprocess_parse(text, PREPROCESS_MAX_BYTES + 1, &pre, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/preprocess has more than 65536 bytes");
	free(text);
}

static struct image green_image(void)
{
	struct file rgb = file_read(TORCH_IMAGES, "rgb.rgb");
	struct image image = { .width = 13, .height = 9, .channels = 1, .pixels = malloc(13 * 9) };

	assert_non_null(image.pixels);
	for (size_t i = 0; i < 13 * 9; i++)
		image.pixels[i] = rgb.data[i * 3 + 1];
	free(rgb.data);
	return image;
}

static void check_resize(const struct image *image, uint32_t width, uint32_t height,
			 const char *expected)
{
	struct file file = file_read(TORCH_IMAGES, expected);
	struct fault fault = { "" };
	float *out = malloc(file.size), *wanted = (float *)(void *)file.data;

	assert_non_null(out);
	assert_int_equal(file.size, width * height * sizeof(float));
	assert_int_equal(resize_bilinear(image, out, width, height, &fault), 0);
	for (size_t i = 0; i < (size_t)width * height; i++)
		assert_float_equal(out[i], wanted[i], 1e-3);
	free(out);
	free(file.data);
}

static void resizing_gives_what_pillow_gives(void **state)
{
	struct image image = green_image();

	(void)state;
	check_resize(&image, 5, 4, "green-5x4.f32");
	check_resize(&image, 20, 17, "green-20x17.f32");
	image_release(&image);
}

static void the_same_size_changes_nothing(void **state)
{
	struct image image = green_image();
	struct fault fault = { "" };
	float out[13 * 9];

	(void)state;
	assert_int_equal(resize_bilinear(&image, out, 13, 9, &fault), 0);
	for (int i = 0; i < 13 * 9; i++)
		assert_float_equal(out[i], image.pixels[i], 0);
	image_release(&image);
}

/* At every ratio the weights of each place sum up to one and reach no pixel outside. */
static void one_colour_stays_one_colour(void **state)
{
	static const uint32_t sides[] = { 1, 2, 3, 7, 8, 9, 64, 1023 };
	const size_t nr = sizeof(sides) / sizeof(sides[0]);

	(void)state;
	for (size_t i = 0; i < nr * nr; i++) {
		uint32_t from = sides[i / nr], to = sides[i % nr];
		struct image image = { from, 3, 3, malloc((size_t)from * 9) };
		float *out = malloc((size_t)to * 2 * 3 * sizeof(*out));
		struct fault fault = { "" };

		assert_non_null(image.pixels);
		assert_non_null(out);
		for (uint32_t p = 0; p < from * 9; p++)
			image.pixels[p] = (uint8_t)(p % 3 * 100 + 13);
		assert_int_equal(resize_bilinear(&image, out, to, 2, &fault), 0);
		for (uint32_t p = 0; p < to * 6; p++)
			assert_float_equal(out[p], (p % 3 * 100 + 13), 1e-3);
		free(out);
		image_release(&image);
	}
}

static void apply(const char *text, float *out)
{
	uint8_t pixels[2 * 3] = { 0, 51, 102, 153, 204, 255 };
	struct image image = { 2, 1, 3, pixels };
	struct fault fault = { "" };
	struct preprocess pre;

	assert_int_equal(preprocess_parse(text, strlen(text), &pre, &fault), 0);
	assert_int_equal(preprocess_values(&pre), 6);
	assert_int_equal(preprocess_apply(&pre, &image, out, &fault), 0);
}

static void assert_floats(const float *got, const float *wanted)
{
	for (int i = 0; i < 6; i++)
		assert_float_equal(got[i], wanted[i], 1e-6);
}

static void pixels_become_what_the_model_wants(void **state)
{
	static const char size[] = "width=2\nheight=1\nchannels=rgb\n";
	float out[6];
	char text[256];

	(void)state;
	apply(size, out);
	assert_floats(out, (float[]){ 0, 0.6F, 0.2F, 0.8F, 0.4F, 1 });
	snprintf(text, sizeof(text), "%slayout = nhwc\ninvert = yes\nscale = 1\n", size);
	apply(text, out);
	assert_floats(out, (float[]){ 255, 204, 153, 102, 51, 0 });
	snprintf(text, sizeof(text), "%smean = 0 0.2 0.4\nstd = 1 2 0.5\n", size);
	apply(text, out);
	assert_floats(out, (float[]){ 0, 0.6F, 0, 0.3F, 0, 1.2F });
}

static void labels_are_lines(void **state)
{
	static const char text[] = "ash\r\ncommon hazel\n\xc3\xa9rable";
	struct fault fault = { "" };
	struct labels labels;

	(void)state;
	assert_int_equal(labels_parse(text, strlen(text), &labels, &fault), 0);
	assert_int_equal(labels.count, 3);
	assert_string_equal(labels.label[0], "ash");
	assert_string_equal(labels.label[1], "common hazel");
	assert_string_equal(labels.label[2], "\xc3\xa9rable");
	labels_release(&labels);
	assert_int_equal(labels_parse("one\n", 4, &labels, &fault), 0);
	assert_int_equal(labels.count, 1);
	labels_release(&labels);
}

static void bad_labels_are_refused(void **state)
{
	struct fault fault = { "" };
	struct labels labels;
	size_t size = (LABELS_MAX + 1) * 2;
	char *many = malloc(size);

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i < size; i += 2)
		memcpy(many + i, "x\n", 2);
	assert_int_equal(labels_parse("", 0, &labels, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/labels is empty");
	assert_int_equal(labels_parse("a\n\nb\n", 5, &labels, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/labels line 2: empty, or not plain text");
	assert_int_equal(labels_parse("a\nb\0c\n", 6, &labels, &fault), EINVAL);
	assert_string_equal(fault.text, "luaccel/labels line 2: empty, or not plain text");
	assert_int_equal(labels_parse(many, size - 2, &labels, &fault), 0);
	labels_release(&labels);
	assert_int_equal(labels_parse(many, size, &labels, &fault), EINVAL);
	assert_string_equal(fault.text,
			    "luaccel/labels has more than 65536 lines or 4194304 bytes");
	assert_null(labels.text);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_is_read),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(a_bad_description_is_refused_by_line),
		cmocka_unit_test(a_description_that_is_no_text_is_refused),
		cmocka_unit_test(resizing_gives_what_pillow_gives),
		cmocka_unit_test(the_same_size_changes_nothing),
		cmocka_unit_test(one_colour_stays_one_colour),
		cmocka_unit_test(pixels_become_what_the_model_wants),
		cmocka_unit_test(labels_are_lines),
		cmocka_unit_test(bad_labels_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
