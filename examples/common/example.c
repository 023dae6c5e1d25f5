/*
 * example.c - see example.h.
 */
#include "example.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <luaccel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int example_report(const char *what, int code)
{
	char reason[1024];

	if (luaccel_last_error(reason, sizeof(reason)))
		fprintf(stderr, "%s: %d (%s)\n", what, code, reason);
	else
		fprintf(stderr, "%s: %d (%s)\n", what, code, strerror(code));
	return code;
}

int example_end(int ret, const char *what, int ended)
{
	if (ended)
		example_report(what, ended);
	return ret ? ret : ended;
}

int example_usage(const char *program, const char *arguments)
{
	fprintf(stderr, "Usage: %s %s\n", program, arguments);
	return VACCEL_EINVAL;
}

int example_count(const char *argument)
{
	long number;
	char *end;

	if (!argument)
		return 1;
	errno = 0;
	number = strtol(argument, &end, 10);
	if (errno || end == argument || *end || number < 1 || number > INT_MAX)
		return 0;
	return (int)number;
}

static int read_all(FILE *stream, struct example_file *file)
{
	long size;

	if (fseek(stream, 0, SEEK_END) || (size = ftell(stream)) < 0 || fseek(stream, 0, SEEK_SET))
		return errno;
	if (size == 0 || size == LONG_MAX)
		return VACCEL_EINVAL;
	file->size = (size_t)size;
	file->data = malloc(file->size);
	if (!file->data)
		return VACCEL_ENOMEM;
	return fread(file->data, 1, file->size, stream) == file->size ? VACCEL_OK : VACCEL_EIO;
}

int example_read(const char *path, struct example_file *file)
{
	FILE *stream = fopen(path, "rb");
	int ret;

	*file = (struct example_file){ NULL, 0 };
	ret = stream ? read_all(stream, file) : errno;
	if (stream)
		fclose(stream);
	if (ret) {
		fprintf(stderr, "Could not read file %s: %d (%s)\n", path, ret, strerror(ret));
		free(file->data);
		file->data = NULL;
	}
	return ret;
}

int example_session(struct vaccel_session *sess, uint32_t flags)
{
	const int ret = vaccel_session_init(sess, flags);

	if (ret)
		return example_report("Could not initialize session", ret);
	printf("Initialized session with id: %" PRId64 "\n", sess->id);
	return VACCEL_OK;
}

int example_session_end(int ret, struct vaccel_session *sess)
{
	return example_end(ret, "Could not release session", vaccel_session_release(sess));
}

int example_repeat(const struct example_operation *operation, int iterations,
		   struct vaccel_prof_region *region)
{
	for (int i = 0; i < iterations; i++) {
		int ret;

		vaccel_prof_region_start(region);
		ret = operation->run(operation->context);
		vaccel_prof_region_stop(region);
		if (ret)
			return example_report(
				operation->failure ? operation->failure : "Could not run op", ret);
		if (operation->show)
			operation->show(operation->context);
	}
	return VACCEL_OK;
}

void example_profile(struct vaccel_prof_region *region)
{
	vaccel_prof_region_print(region);
	vaccel_prof_region_release(region);
}

int example_args_init(struct example_args *args)
{
	int ret = vaccel_arg_array_init(&args->read, 0);

	if (ret)
		return example_report("Could not initialize read args array", ret);
	ret = vaccel_arg_array_init(&args->write, 0);
	if (!ret)
		return VACCEL_OK;
	vaccel_arg_array_release(&args->read);
	return example_report("Could not initialize write args array", ret);
}

int example_args_end(int ret, struct example_args *args)
{
	ret = example_end(ret, "Could not release write args array",
			  vaccel_arg_array_release(&args->write));
	return example_end(ret, "Could not release read args array",
			   vaccel_arg_array_release(&args->read));
}

int example_genop(struct vaccel_session *sess, struct example_args *args)
{
	return vaccel_genop(sess, args->read.args, (int)args->read.count, args->write.args,
			    (int)args->write.count);
}
