/*
 * labels.h - the names of a model's classes: its extra file luaccel/labels, one label a line.
 */
#ifndef TORCH_LABELS_H
#define TORCH_LABELS_H

#include "fault.h"
#include <stddef.h>

#define LABELS_MAX	 65536U
#define LABELS_MAX_BYTES (4U << 20)

struct labels {
	char *text; /* owns what `label` points to */
	const char **label;
	size_t count;
};

/*
 * Read a list of `size` bytes, which need not end with a NUL; line ends may be those of DOS.
 * EINVAL or ENOMEM with the reason in *fault; *labels is then empty.
 * The caller releases *labels with labels_release().
 */
int labels_parse(const char *text, size_t size, struct labels *labels, struct fault *fault);

void labels_release(struct labels *labels);

#endif
