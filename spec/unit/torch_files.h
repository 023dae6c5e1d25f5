/*
 * torch_files.h - the fixtures of the torch plugin's unit tests, read whole.
 */
#ifndef TORCH_FILES_H
#define TORCH_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file {
	uint8_t *data;
	size_t size;
};

/* Read FOLDER/NAME; a missing file fails the test. The caller frees data. */
struct file file_read(const char *folder, const char *name);

#endif
