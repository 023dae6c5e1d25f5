/*
 * plugins_mydata.c - the exec examples' own type: to bytes and back, and bytes that lie.
 */
#include "cmocka_all.h"
#include "mydata.h"
#include <stdlib.h>
#include <vaccel.h>

static int from(const void *bytes, size_t size, struct mydata *data)
{
	return mydata_deserialize(bytes, size, MYDATA_TYPE_ID, sizeof(*data), data);
}

static void comes_back(void **state)
{
	uint32_t numbers[] = { 7, 8, 9 };
	const struct mydata data = { 3, numbers };
	struct mydata back;
	uint32_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(
		mydata_serialize(&data, sizeof(data), MYDATA_TYPE_ID, (void **)&bytes, &size), 0);
	assert_int_equal(size, 16);
	assert_int_equal(bytes[0], 3);
	assert_int_equal(from(bytes, size, &back), 0);
	assert_int_equal(back.count, 3);
	assert_memory_equal(back.array, numbers, sizeof(numbers));
	free(back.array);
	free(bytes);
}

static void may_be_empty(void **state)
{
	const struct mydata data = { 0, NULL };
	struct mydata back;
	void *bytes;
	size_t size;

	(void)state;
	assert_int_equal(mydata_serialize(&data, sizeof(data), MYDATA_TYPE_ID, &bytes, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(from(bytes, size, &back), 0);
	assert_int_equal(back.count, 0);
	free(back.array);
	free(bytes);
}

static void refuses_what_lies(void **state)
{
	uint32_t bytes[] = { 3, 1, 2 };
	struct mydata data = { 1, NULL };
	void *made;
	size_t size;

	(void)state;
	assert_int_equal(from(bytes, sizeof(bytes), &data), VACCEL_EINVAL);
	bytes[0] = UINT32_MAX;
	assert_int_equal(from(bytes, sizeof(bytes), &data), VACCEL_EINVAL);
	bytes[0] = 1;
	assert_int_equal(from(bytes, 3, &data), VACCEL_EINVAL);
	assert_int_equal(from(NULL, sizeof(bytes), &data), VACCEL_EINVAL);
	assert_int_equal(from(bytes, sizeof(bytes), NULL), VACCEL_EINVAL);
	assert_int_equal(mydata_deserialize(bytes, sizeof(bytes), 99, sizeof(data), &data),
			 VACCEL_EINVAL);
	assert_int_equal(mydata_deserialize(bytes, sizeof(bytes), MYDATA_TYPE_ID, 1, &data),
			 VACCEL_EINVAL);
	data = (struct mydata){ 1, NULL };
	assert_int_equal(mydata_serialize(&data, sizeof(data), MYDATA_TYPE_ID, &made, &size),
			 VACCEL_EINVAL);
	assert_int_equal(mydata_serialize(NULL, sizeof(data), MYDATA_TYPE_ID, &made, &size),
			 VACCEL_EINVAL);
	assert_int_equal(mydata_serialize(&data, 1, MYDATA_TYPE_ID, &made, &size), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(may_be_empty),
		cmocka_unit_test(refuses_what_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
