/*
 * resize.c - separable bilinear resampling: rows first, straight from the bytes, then columns.
 *
 * Any thread; nothing is shared. Memory beyond the output is one row of the source and the weights
 * of both axes, each at most two times the source's side.
 */
#include "resize.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* For each place along an axis of the output: which source places it is made of, and how much. */
struct axis {
	uint32_t *first;
	uint32_t *count;
	float *weights; /* `most` for each place */
	uint32_t most;
};

static void axis_release(struct axis *axis)
{
	free(axis->first);
	free(axis->count);
	free(axis->weights);
}

static void axis_place(struct axis *axis, uint32_t place, uint32_t source, double scale)
{
	double reach = fmax(scale, 1.0);
	double centre = (place + 0.5) * scale;
	double low = fmax(centre - reach + 0.5, 0.0);
	double high = fmin(centre + reach + 0.5, source);
	uint32_t first = (uint32_t)low;
	uint32_t count = (uint32_t)high - first;
	float *weights = axis->weights + (size_t)place * axis->most;
	double sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += fmax(1.0 - fabs((first + i + 0.5 - centre) / reach), 0.0);
	for (uint32_t i = 0; i < count; i++)
		weights[i] =
			(float)(fmax(1.0 - fabs((first + i + 0.5 - centre) / reach), 0.0) / sum);
	axis->first[place] = first;
	axis->count[place] = count;
}

static int axis_init(struct axis *axis, uint32_t source, uint32_t target)
{
	double scale = (double)source / target;

	axis->most = 2 * (uint32_t)ceil(fmax(scale, 1.0)) + 1;
	axis->first = calloc(target, sizeof(*axis->first));
	axis->count = calloc(target, sizeof(*axis->count));
	axis->weights = calloc((size_t)target * axis->most, sizeof(*axis->weights));
	if (!axis->first || !axis->count || !axis->weights)
		return ENOMEM;
	for (uint32_t place = 0; place < target; place++)
		axis_place(axis, place, source, scale);
	return 0;
}

/* One row of the output, still as wide as the source. */
static void blend_rows(const struct image *image, const struct axis *rows, uint32_t y, float *sum)
{
	size_t stride = (size_t)image->width * image->channels;
	const float *weights = rows->weights + (size_t)y * rows->most;

	for (size_t x = 0; x < stride; x++)
		sum[x] = 0;
	for (uint32_t i = 0; i < rows->count[y]; i++) {
		const uint8_t *row = image->pixels + (rows->first[y] + i) * stride;

		for (size_t x = 0; x < stride; x++)
			sum[x] += weights[i] * row[x];
	}
}

static void blend_columns(const float *row, uint32_t channels, const struct axis *columns,
			  uint32_t width, float *out)
{
	for (uint32_t x = 0; x < width; x++) {
		const float *weights = columns->weights + (size_t)x * columns->most;
		const float *source = row + (size_t)columns->first[x] * channels;

		for (uint32_t c = 0; c < channels; c++) {
			float sum = 0;

			for (uint32_t i = 0; i < columns->count[x]; i++)
				sum += weights[i] * source[(size_t)i * channels + c];
			*out++ = sum;
		}
	}
}

int resize_bilinear(const struct image *image, float *out, uint32_t width, uint32_t height,
		    struct fault *fault)
{
	struct axis rows = { 0 }, columns = { 0 };
	float *row = malloc((size_t)image->width * image->channels * sizeof(*row));
	int ret = ENOMEM;

	if (!row || axis_init(&rows, image->height, height) ||
	    axis_init(&columns, image->width, width)) {
		fault_set(fault, ENOMEM, "no memory to resize an image of %ux%u pixels",
			  image->width, image->height);
		goto out;
	}
	for (uint32_t y = 0; y < height; y++) {
		blend_rows(image, &rows, y, row);
		blend_columns(row, image->channels, &columns, width,
			      out + (size_t)y * width * image->channels);
	}
	ret = 0;
out:
	free(row);
	axis_release(&rows);
	axis_release(&columns);
	return ret;
}
