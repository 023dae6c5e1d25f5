/*
 * image_png.c - PNG through libpng.
 *
 * libpng leaves by longjmp when it fails. Everything that must survive that lives in struct reader,
 * which the caller of read_png() owns; read_png() itself has no variables that change after setjmp.
 * Any thread: each call has its own reader.
 */
#include "image.h"
#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Compressed text, profiles and the like, none of which is needed here. */
#define PNG_MAX_CHUNK_MEMORY (UINT32_C(8) << 20)
#define PNG_MAX_CHUNKS	     128

struct reader {
	const uint8_t *bytes;
	size_t left;
	bool cut_short;
	uint32_t channels;
	struct image *image;
	struct fault *fault;
	int code; /* of a failure that libpng knows nothing of; *fault is then set */
	png_structp png;
	png_infop info;
};

static void on_read(png_structp png, png_bytep out, size_t size)
{
	struct reader *reader = png_get_io_ptr(png);

	if (size > reader->left) {
		reader->cut_short = true;
		png_error(png, "end of data");
	}
	memcpy(out, reader->bytes, size);
	reader->bytes += size;
	reader->left -= size;
}

static _Noreturn void on_error(png_structp png, png_const_charp words)
{
	struct reader *reader = png_get_error_ptr(png);

	if (!reader->code) {
		reader->code = EINVAL;
		if (reader->cut_short)
			fault_set(reader->fault, EINVAL, "PNG is cut short");
		else
			fault_set(reader->fault, EINVAL, "PNG is damaged: %s", words);
	}
	png_longjmp(png, 1);
}

/* Unusual colour profiles and the like: they change no pixel here. */
static void on_warning(png_structp png, png_const_charp words)
{
	(void)png;
	(void)words;
}

/* Leave read_png() for a reason of ours; reader->code and *fault say which. */
static _Noreturn void give_up(struct reader *reader, int code)
{
	reader->code = code;
	png_error(reader->png, "");
}

/* Ask libpng for 8 bits a sample and no alpha. Returns whether the rows will have colour. */
static bool simplify(struct reader *reader)
{
	png_byte type = png_get_color_type(reader->png, reader->info);

	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(reader->png);
	else if (type == PNG_COLOR_TYPE_GRAY)
		png_set_expand_gray_1_2_4_to_8(reader->png);
	png_set_scale_16(reader->png);
	png_set_strip_alpha(reader->png);
	if (!(type & PNG_COLOR_MASK_COLOR) && reader->channels == 3)
		png_set_gray_to_rgb(reader->png);
	return type & PNG_COLOR_MASK_COLOR;
}

/*
 * Interlaced images come in passes, each completing what the one before left in the rows, so the
 * rows must stay as libpng made them until the last: gray is made of colour there.
 */
static void read_rows(struct reader *reader, bool narrow)
{
	struct image *image = reader->image;
	size_t stride = (size_t)image->width * image->channels;
	int passes = png_set_interlace_handling(reader->png);

	png_read_update_info(reader->png, reader->info);
	if (png_get_rowbytes(reader->png, reader->info) != stride)
		png_error(reader->png, "unexpected row size");
	for (int pass = 0; pass < passes; pass++) {
		for (uint32_t y = 0; y < image->height; y++)
			png_read_row(reader->png, image->pixels + y * stride, NULL);
	}
	png_read_end(reader->png, NULL);
	if (narrow) {
		/* In place: gray never overtakes the colour that it is made of. */
		image_row_to_gray(image->pixels, image->pixels, image->width * image->height);
		image->channels = 1;
	}
}

static int read_png(struct reader *reader)
{
	if (setjmp(png_jmpbuf(reader->png)))
		return reader->code;

	png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_chunk_malloc_max(reader->png, PNG_MAX_CHUNK_MEMORY);
	png_set_chunk_cache_max(reader->png, PNG_MAX_CHUNKS);
	png_set_read_fn(reader->png, reader, on_read);
	png_read_info(reader->png, reader->info);

	bool colour = simplify(reader);
	int code = image_allocate(reader->image, png_get_image_width(reader->png, reader->info),
				  png_get_image_height(reader->png, reader->info),
				  colour ? 3 : reader->channels, reader->fault);

	if (code)
		give_up(reader, code);
	read_rows(reader, colour && reader->channels == 1);
	return 0;
}

int image_decode_png(const uint8_t *bytes, size_t size, uint32_t channels, struct image *image,
		     struct fault *fault)
{
	struct reader reader = {
		.bytes = bytes,
		.left = size,
		.channels = channels,
		.image = image,
		.fault = fault,
	};
	int ret = ENOMEM;

	reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
	if (reader.png)
		reader.info = png_create_info_struct(reader.png);
	if (reader.info)
		ret = read_png(&reader);
	else
		fault_set(fault, ENOMEM, "no memory for a PNG decoder");
	png_destroy_read_struct(&reader.png, &reader.info, NULL);
	if (ret)
		image_release(image);
	return ret;
}
