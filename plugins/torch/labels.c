/*
 * labels.c - reads the names of classes. Any thread; nothing is shared.
 */
#include "labels.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines + (size && text[size - 1] != '\n');
}

/* End the line with a NUL; EINVAL when nothing printable would be left of it. */
static int end_line(char *line, size_t length)
{
	if (length && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return EINVAL;
	}
	return length ? 0 : EINVAL;
}

static int split(struct labels *labels, size_t size, struct fault *fault)
{
	char *line = labels->text;
	char *end = labels->text + size;

	for (size_t i = 0; i < labels->count; i++) {
		char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		if (end_line(line, (size_t)(stop - line)))
			return fault_set(fault, EINVAL,
					 "luaccel/labels line %zu: empty, or not plain text",
					 i + 1);
		labels->label[i] = line;
		line = stop + 1;
	}
	return 0;
}

int labels_parse(const char *text, size_t size, struct labels *labels, struct fault *fault)
{
	int ret;

	*labels = (struct labels){ 0 };
	if (size > LABELS_MAX_BYTES || count_lines(text, size) > LABELS_MAX)
		return fault_set(fault, EINVAL, "luaccel/labels has more than %u lines or %u bytes",
				 LABELS_MAX, LABELS_MAX_BYTES);
	labels->count = count_lines(text, size);
	if (!labels->count)
		return fault_set(fault, EINVAL, "luaccel/labels is empty");
	labels->text = malloc(size + 1);
	labels->label = calloc(labels->count, sizeof(*labels->label));
	if (!labels->text || !labels->label) {
		ret = fault_set(fault, ENOMEM, "no memory for %zu labels", labels->count);
		goto fail;
	}
	memcpy(labels->text, text, size);
	labels->text[size] = '\0';
	ret = split(labels, size, fault);
	if (!ret)
		return 0;
fail:
	labels_release(labels);
	return ret;
}

void labels_release(struct labels *labels)
{
	free(labels->label);
	free(labels->text);
	*labels = (struct labels){ 0 };
}
