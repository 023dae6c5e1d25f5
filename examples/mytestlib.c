/*
 * mytestlib.c - the library that the exec examples call. It runs in whichever process executes the
 * operation, and prints there.
 */
#include "common/mydata.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <vaccel.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int mytestfunc(struct vaccel_arg *input, size_t nr_in, struct vaccel_arg *output,
			size_t nr_out);
EXPORTED int mytestfunc_nonser(struct vaccel_arg *input, size_t nr_in, struct vaccel_arg *output,
			       size_t nr_out);

static int failed(const char *what, int code)
{
	fprintf(stderr, "%s\n", what);
	return code;
}

/* Both functions take one argument and give one. */
static int begin(struct vaccel_arg *input, size_t nr_in, struct vaccel_arg *output, size_t nr_out,
		 struct vaccel_arg_array *inputs, struct vaccel_arg_array *outputs)
{
	int ret;

	if (nr_in != 1 || nr_out != 1)
		return failed("Invalid number of arguments", VACCEL_EINVAL);
	printf("I got nr_in: %zu, nr_out: %zu\n", nr_in, nr_out);
	ret = vaccel_arg_array_wrap(inputs, input, nr_in);
	if (ret)
		return failed("Failed to parse input args", ret);
	ret = vaccel_arg_array_wrap(outputs, output, nr_out);
	return ret ? failed("Failed to parse output args", ret) : VACCEL_OK;
}

/* Gives twice the number that it gets. */
int mytestfunc(struct vaccel_arg *input, size_t nr_in, struct vaccel_arg *output, size_t nr_out)
{
	struct vaccel_arg_array inputs, outputs;
	int ret = begin(input, nr_in, output, nr_out, &inputs, &outputs);
	int32_t number;

	if (ret)
		return ret;
	ret = vaccel_arg_array_get_int32(&inputs, &number);
	if (ret)
		return failed("Failed to unpack input", ret);
	printf("I got input: %" PRId32 "\n", number);
	number = (int32_t)(2 * (uint32_t)number);
	ret = vaccel_arg_array_set_int32(&outputs, &number);
	if (ret)
		return failed("Failed to pack output", ret);
	printf("Will return output: %" PRId32 "\n", number);
	return VACCEL_OK;
}

static void reverse(struct mydata *data)
{
	for (uint32_t i = 0; i < data->count / 2; i++) {
		uint32_t *other = &data->array[data->count - 1 - i];
		const uint32_t number = data->array[i];

		data->array[i] = *other;
		*other = number;
	}
}

/* Gives the numbers that it gets in reverse order. */
int mytestfunc_nonser(struct vaccel_arg *input, size_t nr_in, struct vaccel_arg *output,
		      size_t nr_out)
{
	struct vaccel_arg_array inputs, outputs;
	int ret = begin(input, nr_in, output, nr_out, &inputs, &outputs);
	struct mydata data;

	if (ret)
		return ret;
	ret = vaccel_arg_array_get_serialized(&inputs, VACCEL_ARG_CUSTOM, MYDATA_TYPE_ID, &data,
					      sizeof(data), mydata_deserialize);
	if (ret)
		return failed("Failed to unpack input arg", ret);
	reverse(&data);
	ret = vaccel_arg_array_set_serialized(&outputs, VACCEL_ARG_CUSTOM, MYDATA_TYPE_ID, &data,
					      sizeof(data), mydata_serialize);
	free(data.array);
	return ret ? failed("Failed to pack output arg", ret) : VACCEL_OK;
}
