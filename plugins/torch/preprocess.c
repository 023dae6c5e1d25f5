/*
 * preprocess.c - reads the description, and carries it out. Any thread; nothing is shared.
 */
#include "preprocess.h"
#include "resize.h"
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 256

/* What has been read, and where. */
struct parser {
	struct preprocess *pre;
	struct fault *fault;
	locale_t locale; /* "C": the host's program may write its decimals with a comma */
	unsigned int line;
	unsigned int seen; /* a bit for each key */
	float mean[3], std[3];
	unsigned int nr_mean, nr_std;
};

struct key {
	const char *name;
	int (*read)(struct parser *p, const char *value);
};

static int bad_value(struct parser *p, const char *value, const char *expected)
{
	return fault_set(p->fault, EINVAL, "luaccel/preprocess line %u: \"%s\" is not %s", p->line,
			 value, expected);
}

static int read_side(struct parser *p, const char *value, uint32_t *side)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || !n || n > PREPROCESS_MAX_SIDE)
		return bad_value(p, value, "a number of 1 to 4096");
	*side = (uint32_t)n;
	return 0;
}

/* One number, or `most` of them with blanks between. */
static int read_numbers(struct parser *p, const char *value, float *numbers, unsigned int most,
			unsigned int *nr)
{
	const char *at = value;

	for (*nr = 0; *at; (*nr)++) {
		char *end;
		double n = strtod_l(at, &end, p->locale);

		if (end == at || (*end && !isblank((unsigned char)*end)) || *nr == most ||
		    !isfinite((float)n))
			return bad_value(p, value,
					 most == 1 ? "a number" : "one number or one per channel");
		numbers[*nr] = (float)n;
		for (at = end; isblank((unsigned char)*at); at++)
			;
	}
	return *nr ? 0 : bad_value(p, value, "a number");
}

/* One of two words. */
static int read_choice(struct parser *p, const char *value, const char *yes, const char *no,
		       bool *chosen)
{
	if (strcmp(value, yes) && strcmp(value, no))
		return fault_set(p->fault, EINVAL,
				 "luaccel/preprocess line %u: \"%s\" is neither %s nor %s", p->line,
				 value, yes, no);
	*chosen = !strcmp(value, yes);
	return 0;
}

static int read_width(struct parser *p, const char *value)
{
	return read_side(p, value, &p->pre->width);
}

static int read_height(struct parser *p, const char *value)
{
	return read_side(p, value, &p->pre->height);
}

static int read_channels(struct parser *p, const char *value)
{
	bool rgb = false;
	int ret = read_choice(p, value, "rgb", "gray", &rgb);

	p->pre->channels = rgb ? 3 : 1;
	return ret;
}

static int read_resize(struct parser *p, const char *value)
{
	return strcmp(value, "bilinear") ? bad_value(p, value, "bilinear") : 0;
}

static int read_scale(struct parser *p, const char *value)
{
	unsigned int nr;

	return read_numbers(p, value, &p->pre->scale, 1, &nr);
}

static int read_mean(struct parser *p, const char *value)
{
	return read_numbers(p, value, p->mean, 3, &p->nr_mean);
}

static int read_std(struct parser *p, const char *value)
{
	int ret = read_numbers(p, value, p->std, 3, &p->nr_std);

	for (unsigned int i = 0; !ret && i < p->nr_std; i++) {
		if (p->std[i] <= 0)
			ret = bad_value(p, value, "above zero");
	}
	return ret;
}

static int read_invert(struct parser *p, const char *value)
{
	return read_choice(p, value, "yes", "no", &p->pre->invert);
}

static int read_layout(struct parser *p, const char *value)
{
	return read_choice(p, value, "nchw", "nhwc", &p->pre->channels_first);
}

static int read_output(struct parser *p, const char *value)
{
	return read_choice(p, value, "logits", "probabilities", &p->pre->logits);
}

/* The first three have no default. */
static const struct key keys[] = {
	{ "width", read_width },   { "height", read_height }, { "channels", read_channels },
	{ "resize", read_resize }, { "scale", read_scale },   { "mean", read_mean },
	{ "std", read_std },	   { "invert", read_invert }, { "layout", read_layout },
	{ "output", read_output },
};
#define NR_KEYS	    (sizeof(keys) / sizeof(keys[0]))
#define NR_REQUIRED 3

/* Cut blanks off both ends, in place. */
static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static int read_line(struct parser *p, char *line)
{
	char *name = trim(line);
	char *equals = strchr(name, '=');

	if (!*name || *name == '#')
		return 0;
	if (!equals)
		return fault_set(p->fault, EINVAL,
				 "luaccel/preprocess line %u: \"%s\" is not KEY = VALUE", p->line,
				 name);
	*equals = '\0';
	name = trim(name);
	for (unsigned int i = 0; i < NR_KEYS; i++) {
		if (strcmp(name, keys[i].name))
			continue;
		if (p->seen & 1U << i)
			return fault_set(p->fault, EINVAL,
					 "luaccel/preprocess line %u: %s is set twice", p->line,
					 name);
		p->seen |= 1U << i;
		return keys[i].read(p, trim(equals + 1));
	}
	return fault_set(p->fault, EINVAL, "luaccel/preprocess line %u: unknown key \"%s\"",
			 p->line, name);
}

static int read_lines(struct parser *p, const char *text, size_t size)
{
	int ret = 0;

	for (p->line = 1; !ret && size; p->line++) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		char line[MAX_LINE];

		if (length >= sizeof(line) || memchr(text, '\0', length))
			return fault_set(p->fault, EINVAL,
					 "luaccel/preprocess line %u: too long, or not text",
					 p->line);
		memcpy(line, text, length);
		line[length] = '\0';
		ret = read_line(p, line);
		text += end ? length + 1 : length;
		size -= end ? length + 1 : length;
	}
	return ret;
}

/* One number stands for every channel. */
static int spread(struct parser *p, const char *name, const float *from, unsigned int nr, float *to)
{
	if (nr != 1 && nr != p->pre->channels)
		return fault_set(p->fault, EINVAL,
				 "luaccel/preprocess: %s has %u numbers for %u channel%s", name, nr,
				 p->pre->channels, p->pre->channels == 1 ? "" : "s");
	for (unsigned int c = 0; c < p->pre->channels; c++)
		to[c] = from[nr == 1 ? 0 : c];
	return 0;
}

int preprocess_parse(const char *text, size_t size, struct preprocess *pre, struct fault *fault)
{
	struct parser p = {
		.pre = pre,
		.fault = fault,
		.std = { 1 },
		.nr_mean = 1,
		.nr_std = 1,
	};
	int ret;

	*pre = (struct preprocess){ .scale = 1.0F / 255, .channels_first = true, .logits = true };
	if (size > PREPROCESS_MAX_BYTES)
		return fault_set(fault, EINVAL, "luaccel/preprocess has more than %u bytes",
				 PREPROCESS_MAX_BYTES);
	p.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!p.locale)
		return fault_set(fault, ENOMEM, "no memory to read luaccel/preprocess");
	ret = read_lines(&p, text, size);
	freelocale(p.locale);
	for (unsigned int i = 0; !ret && i < NR_REQUIRED; i++) {
		if (!(p.seen & 1U << i))
			ret = fault_set(fault, EINVAL, "luaccel/preprocess does not set %s",
					keys[i].name);
	}
	if (!ret)
		ret = spread(&p, "mean", p.mean, p.nr_mean, pre->mean);
	if (!ret)
		ret = spread(&p, "std", p.std, p.nr_std, pre->std);
	return ret;
}

size_t preprocess_values(const struct preprocess *pre)
{
	return (size_t)pre->width * pre->height * pre->channels;
}

void preprocess_dims(const struct preprocess *pre, int64_t dims[4])
{
	dims[0] = 1;
	dims[1] = pre->channels_first ? pre->channels : pre->height;
	dims[2] = pre->channels_first ? pre->height : pre->width;
	dims[3] = pre->channels_first ? pre->width : pre->channels;
}

int preprocess_apply(const struct preprocess *pre, const struct image *image, float *out,
		     struct fault *fault)
{
	size_t area = (size_t)pre->width * pre->height;
	float *pixels = malloc(preprocess_values(pre) * sizeof(*pixels));
	int ret;

	if (!pixels)
		return fault_set(fault, ENOMEM, "no memory for an input of %ux%u pixels",
				 pre->width, pre->height);
	ret = resize_bilinear(image, pixels, pre->width, pre->height, fault);
	for (size_t i = 0; !ret && i < area; i++) {
		for (size_t c = 0; c < pre->channels; c++) {
			float v = pixels[i * pre->channels + c];

			v = ((pre->invert ? 255 - v : v) * pre->scale - pre->mean[c]) / pre->std[c];
			out[pre->channels_first ? c * area + i : i * pre->channels + c] = v;
		}
	}
	free(pixels);
	return ret;
}
