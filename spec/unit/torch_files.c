/*
 * torch_files.c - the fixtures of the torch plugin's unit tests.
 */
#include "torch_files.h"
#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>

struct file file_read(const char *folder, const char *name)
{
	char path[4096];
	struct file file;
	long size;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "rb");
	if (!in)
		fail_msg("cannot open %s", path);
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	size = ftell(in);
	assert_true(size > 0);
	rewind(in);
	file.size = (size_t)size;
	file.data = malloc(file.size);
	assert_non_null(file.data);
	assert_int_equal(fread(file.data, 1, file.size, in), file.size);
	fclose(in);
	return file;
}
