/*
 * core_ops_genop.c - what vaccel_genop() refuses: for each operation a call that passes, and rows
 * that change one argument of it. The plugin is the fake one that has all operations; a refused
 * call does not reach it.
 */
#include "core_test.h"

enum { READS = 10, WRITES = 3 };

static struct vaccel_session sess;
static struct vaccel_resource lib, model, stranger;
static struct fake *fake;

static float a[12], b[20], c[15];
static int ints[4], copies[4];
static double numbers[3], kept[3], smallest, largest;
static unsigned char image[5], name[7], text[6];
static char string[] = "name", open_string[] = { 'n', 'a' };
static int64_t lib_id, model_id, stranger_id;

#define ARG(what, bytes, kind)                                                                     \
	{                                                                                          \
		.buf = (what), .size = (bytes), .type = VACCEL_ARG_##kind                          \
	}
#define ALL(array, kind) ARG(array, sizeof(array), kind)
#define LONG(number)	 ARG((&(int64_t){ number }), 8, INT64)
#define INT(number)	 ARG((&(int){ number }), 4, INT32)
#define FLOAT(number)	 ARG((&(float){ number }), 4, FLOAT32)
#define NAME		 ALL(string, STRING)
#define MANY		 (((int64_t)1 << 60) + 1)

/* A call that passes, without the operation's number. */
struct generic {
	struct vaccel_arg read[READS], write[WRITES];
	int nr_read, nr_write;
	bool open; /* more arguments are the plugin's matter */
};

static struct generic calls[VACCEL_OP_MAX] = {
	[VACCEL_OP_EXEC] = { { NAME, NAME }, { { .buf = NULL } }, 2, 0, true },
	[VACCEL_OP_EXEC_WITH_RESOURCE] = { { ARG(&lib_id, 8, INT64), NAME },
					   { { .buf = NULL } },
					   2,
					   0,
					   true },
	[VACCEL_OP_IMAGE_CLASSIFY] = { { ALL(image, BUFFER) },
				       { ALL(name, UCHAR_ARRAY), ALL(text, UCHAR_ARRAY) },
				       1,
				       2,
				       false },
	[VACCEL_OP_IMAGE_DETECT] = { { ALL(image, BUFFER) },
				     { ALL(name, UCHAR_ARRAY) },
				     1,
				     1,
				     false },
	[VACCEL_OP_IMAGE_SEGMENT] = { { ALL(image, BUFFER) },
				      { ALL(name, UCHAR_ARRAY) },
				      1,
				      1,
				      false },
	[VACCEL_OP_IMAGE_POSE] = { { ALL(image, BUFFER) },
				   { ALL(name, UCHAR_ARRAY) },
				   1,
				   1,
				   false },
	[VACCEL_OP_IMAGE_DEPTH] = { { ALL(image, BUFFER) },
				    { ALL(name, UCHAR_ARRAY) },
				    1,
				    1,
				    false },
	[VACCEL_OP_BLAS_SGEMM] = { { LONG(3), LONG(5), LONG(4), FLOAT(1), ALL(a, FLOAT32_ARRAY),
				     LONG(4), ALL(b, FLOAT32_ARRAY), LONG(5), FLOAT(0), LONG(5) },
				   { ALL(c, FLOAT32_ARRAY) },
				   10,
				   1,
				   false },
	[VACCEL_OP_FPGA_ARRAYCOPY] = { { ALL(ints, RAW) }, { ALL(copies, RAW) }, 1, 1, false },
	[VACCEL_OP_FPGA_MMULT] = { { ALL(a, RAW), ALL(a, RAW) }, { ALL(c, RAW) }, 2, 1, false },
	[VACCEL_OP_FPGA_PARALLEL] = { { ALL(a, RAW), ALL(a, RAW) },
				      { ALL(b, RAW), ALL(c, RAW) },
				      2,
				      2,
				      false },
	[VACCEL_OP_FPGA_VECTORADD] = { { ALL(a, RAW), ALL(a, RAW) }, { ALL(c, RAW) }, 2, 1, false },
	[VACCEL_OP_MINMAX] = { { ALL(numbers, RAW), INT(3), INT(-1), INT(1) },
			       { ALL(kept, RAW), ARG(&smallest, 8, RAW), ARG(&largest, 8, RAW) },
			       4,
			       3,
			       false },
	[VACCEL_OP_OPENCV] = { { { .buf = NULL } }, { { .buf = NULL } }, 1, 1, true },
};

static int run(struct vaccel_session *s, vaccel_op_type_t op, const struct generic *call)
{
	struct vaccel_arg read[1 + READS + 1] = { ARG(&(uint8_t){ (uint8_t)op }, 1, UINT8) };
	struct vaccel_arg write[WRITES + 1] = { { .buf = NULL } };

	memcpy(&read[1], call->read, sizeof(call->read));
	memcpy(write, call->write, sizeof(call->write));
	return vaccel_genop(s, read, 1 + call->nr_read, write, call->nr_write);
}

/* Whether the call ends with this code, and reaches the plugin exactly when that is 0. */
static void assert_run(const char *what, vaccel_op_type_t op, const struct generic *call, int code)
{
	const int before = fake->op_calls;
	const int ret = run(&sess, op, call);

	if (ret != code || fake->op_calls - before != !code)
		fail_msg("%s, %s: %d instead of %d, %d calls: %s", vaccel_op_type_to_str(op), what,
			 ret, code, fake->op_calls - before, last_error());
}

static void as_many_arguments_as_it_takes(void **state)
{
	(void)state;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		struct generic call = calls[op];
		const int more = call.open ? 0 : VACCEL_EINVAL;

		if (!call.nr_read)
			continue;
		assert_run("as it is", op, &call, 0);
		assert_int_equal(run(NULL, op, &call), VACCEL_EINVAL);
		call.nr_read++;
		assert_run("one more to read", op, &call, more);
		call.nr_read -= 2;
		assert_run("one less to read", op, &call,
			   op == VACCEL_OP_OPENCV ? 0 : VACCEL_EINVAL);
		call.nr_read++;
		call.nr_write++;
		assert_run("one more to write", op, &call, more);
		call.nr_write = -1;
		assert_run("less than none to write", op, &call, VACCEL_EINVAL);
	}
}

static const struct row {
	vaccel_op_type_t op;
	char list; /* 'r' or 'w' */
	int index; /* in the list */
	int code;
	const char *what;
	struct vaccel_arg arg; /* instead of the one that passes */
} rows[] = {
	{ VACCEL_OP_EXEC, 'r', 0, VACCEL_EINVAL, "a library that is no string", ALL(string, RAW) },
	{ VACCEL_OP_EXEC, 'r', 0, VACCEL_EINVAL, "an endless library", ALL(open_string, STRING) },
	{ VACCEL_OP_EXEC, 'r', 0, VACCEL_EINVAL, "an empty library", ARG(string, 0, STRING) },
	{ VACCEL_OP_EXEC, 'r', 0, VACCEL_EINVAL, "no library", ARG(NULL, 5, STRING) },
	{ VACCEL_OP_EXEC, 'r', 1, VACCEL_EINVAL, "a symbol that is no string",
	  ALL(string, CHAR_ARRAY) },
	{ VACCEL_OP_EXEC, 'r', 1, VACCEL_EINVAL, "an endless symbol", ALL(open_string, STRING) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_EINVAL, "an id of another type",
	  ARG(&lib_id, 8, UINT64) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_EINVAL, "half an id",
	  ARG(&lib_id, 4, INT64) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_EINVAL, "no id", ARG(NULL, 8, INT64) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_ENOENT, "an id of nothing", LONG(99999) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_EINVAL, "a model's id",
	  ARG(&model_id, 8, INT64) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 0, VACCEL_EPERM, "a stranger's id",
	  ARG(&stranger_id, 8, INT64) },
	{ VACCEL_OP_EXEC_WITH_RESOURCE, 'r', 1, VACCEL_EINVAL, "an endless symbol",
	  ALL(open_string, STRING) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'r', 0, VACCEL_EINVAL, "an image that is no buffer",
	  ALL(image, UCHAR_ARRAY) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'r', 0, VACCEL_EINVAL, "an empty image",
	  ARG(image, 0, BUFFER) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'r', 0, VACCEL_EINVAL, "no image", ARG(NULL, 5, BUFFER) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'w', 0, VACCEL_EINVAL, "a name of another type",
	  ALL(name, CHAR_ARRAY) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'w', 1, VACCEL_EINVAL, "a text of another type",
	  ALL(text, BUFFER) },
	{ VACCEL_OP_IMAGE_CLASSIFY, 'w', 1, VACCEL_EINVAL, "no text", ARG(NULL, 6, UCHAR_ARRAY) },
	{ VACCEL_OP_IMAGE_DETECT, 'r', 0, VACCEL_EINVAL, "an image that is no buffer",
	  ALL(image, RAW) },
	{ VACCEL_OP_IMAGE_SEGMENT, 'w', 0, VACCEL_EINVAL, "an empty name",
	  ARG(name, 0, UCHAR_ARRAY) },
	{ VACCEL_OP_IMAGE_POSE, 'w', 0, VACCEL_EINVAL, "a name of another type",
	  ALL(name, STRING) },
	{ VACCEL_OP_IMAGE_DEPTH, 'w', 0, VACCEL_EINVAL, "no name", ARG(NULL, 7, UCHAR_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "m of another type", INT(3) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "half an m", ARG(&lib_id, 4, INT64) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "no m", ARG(NULL, 8, INT64) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "fewer rows than none", LONG(-1) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "a row more than a has", LONG(4) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "rows that overflow", LONG(INT64_MAX) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, VACCEL_EINVAL, "rows whose bytes wrap", LONG(MANY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 0, 0, "no rows", LONG(0) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 1, VACCEL_EINVAL, "n of another type", FLOAT(5) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 1, VACCEL_EINVAL, "a column more than b and c have", LONG(6) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 1, 0, "a column less", LONG(4) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 1, VACCEL_EINVAL, "columns that overflow", LONG(INT64_MAX) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 2, VACCEL_EINVAL, "k beyond a and b", LONG(5) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 2, VACCEL_EINVAL, "k below none", LONG(INT64_MIN) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 3, VACCEL_EINVAL, "alpha of another type",
	  ARG(&smallest, 8, FLOAT64) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 3, VACCEL_EINVAL, "an array for alpha",
	  ARG(a, 4, FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 4, VACCEL_EINVAL, "a one value short",
	  ARG(a, sizeof(a) - 4, FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 4, VACCEL_EINVAL, "a one byte short",
	  ARG(a, sizeof(a) - 1, FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 4, VACCEL_EINVAL, "raw a", ALL(a, RAW) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 4, VACCEL_EINVAL, "no a",
	  ARG(NULL, sizeof(a), FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 5, VACCEL_EINVAL, "rows of a further apart", LONG(5) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 5, VACCEL_EINVAL, "rows of a backwards", LONG(-4) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 5, VACCEL_EINVAL, "rows of a endlessly apart",
	  LONG(INT64_MAX) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 6, VACCEL_EINVAL, "b one value short",
	  ARG(b, sizeof(b) - 4, FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 7, VACCEL_EINVAL, "rows of b further apart", LONG(6) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 8, VACCEL_EINVAL, "beta of another type", INT(0) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 9, VACCEL_EINVAL, "rows of c further apart", LONG(6) },
	{ VACCEL_OP_BLAS_SGEMM, 'r', 9, VACCEL_EINVAL, "ldc of another type", INT(5) },
	{ VACCEL_OP_BLAS_SGEMM, 'w', 0, VACCEL_EINVAL, "c one value short",
	  ARG(c, sizeof(c) - 4, FLOAT32_ARRAY) },
	{ VACCEL_OP_BLAS_SGEMM, 'w', 0, VACCEL_EINVAL, "c of another type", ALL(c, FLOAT64_ARRAY) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, 0, "an array of ints", ALL(ints, INT32_ARRAY) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, 0, "one int", ARG(ints, 4, INT32) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, 0, "four and a half ints", ARG(b, 18, BUFFER) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, 0, "nothing to copy", ARG(NULL, 0, RAW) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, VACCEL_EINVAL, "more ints than there is room for",
	  ARG(b, 20, RAW) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, VACCEL_EINVAL, "floats", ALL(a, FLOAT32_ARRAY) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'r', 0, VACCEL_EINVAL, "no ints", ARG(NULL, 16, RAW) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'w', 0, VACCEL_EINVAL, "room for one less",
	  ARG(copies, 12, RAW) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'w', 0, VACCEL_EINVAL, "room nowhere", ARG(NULL, 16, RAW) },
	{ VACCEL_OP_FPGA_ARRAYCOPY, 'w', 0, VACCEL_EINVAL, "room for text", ALL(copies, STRING) },
	{ VACCEL_OP_FPGA_MMULT, 'r', 0, VACCEL_EINVAL, "a longer than the rest", ALL(b, RAW) },
	{ VACCEL_OP_FPGA_MMULT, 'r', 0, VACCEL_EINVAL, "ints", ALL(ints, INT32_ARRAY) },
	{ VACCEL_OP_FPGA_MMULT, 'r', 1, VACCEL_EINVAL, "b one value short",
	  ARG(a, sizeof(a) - 4, FLOAT32_ARRAY) },
	{ VACCEL_OP_FPGA_MMULT, 'r', 1, 0, "b longer", ALL(b, FLOAT32_ARRAY) },
	{ VACCEL_OP_FPGA_MMULT, 'w', 0, VACCEL_EINVAL, "c one value short",
	  ARG(c, sizeof(a) - 4, RAW) },
	{ VACCEL_OP_FPGA_PARALLEL, 'r', 1, VACCEL_EINVAL, "b one value short",
	  ARG(a, sizeof(a) - 4, RAW) },
	{ VACCEL_OP_FPGA_PARALLEL, 'w', 0, VACCEL_EINVAL, "a short sum",
	  ARG(c, sizeof(a) - 4, RAW) },
	{ VACCEL_OP_FPGA_PARALLEL, 'w', 1, VACCEL_EINVAL, "a short product",
	  ARG(c, sizeof(a) - 1, RAW) },
	{ VACCEL_OP_FPGA_PARALLEL, 'w', 1, VACCEL_EINVAL, "a product of doubles",
	  ALL(numbers, FLOAT64_ARRAY) },
	{ VACCEL_OP_FPGA_VECTORADD, 'r', 1, VACCEL_EINVAL, "b one value short",
	  ARG(a, sizeof(a) - 4, RAW) },
	{ VACCEL_OP_FPGA_VECTORADD, 'r', 1, VACCEL_EINVAL, "b one value longer",
	  ARG(b, sizeof(a) + 4, RAW) },
	{ VACCEL_OP_FPGA_VECTORADD, 'w', 0, VACCEL_EINVAL, "c one value short",
	  ARG(c, sizeof(a) - 4, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 0, VACCEL_EINVAL, "one number short", ARG(numbers, 16, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 0, VACCEL_EINVAL, "floats", ARG(a, 24, FLOAT32_ARRAY) },
	{ VACCEL_OP_MINMAX, 'r', 0, VACCEL_EINVAL, "no numbers", ARG(NULL, 24, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 0, 0, "an array of doubles", ALL(numbers, FLOAT64_ARRAY) },
	{ VACCEL_OP_MINMAX, 'r', 1, 0, "fewer numbers than there are", INT(2) },
	{ VACCEL_OP_MINMAX, 'r', 1, 0, "no numbers wanted", INT(0) },
	{ VACCEL_OP_MINMAX, 'r', 1, 0, "a raw count", ARG((&(int){ 3 }), 4, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 1, VACCEL_EINVAL, "more numbers than there are", INT(4) },
	{ VACCEL_OP_MINMAX, 'r', 1, VACCEL_EINVAL, "fewer numbers than none", INT(-1) },
	{ VACCEL_OP_MINMAX, 'r', 1, VACCEL_EINVAL, "half a count", ARG(ints, 2, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 1, VACCEL_EINVAL, "no count", ARG(NULL, 4, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 1, VACCEL_EINVAL, "a count of another type", LONG(3) },
	{ VACCEL_OP_MINMAX, 'r', 2, VACCEL_EINVAL, "half a threshold", ARG(ints, 2, RAW) },
	{ VACCEL_OP_MINMAX, 'r', 3, VACCEL_EINVAL, "no threshold", ARG(NULL, 4, RAW) },
	{ VACCEL_OP_MINMAX, 'w', 0, VACCEL_EINVAL, "room for one less", ARG(kept, 16, RAW) },
	{ VACCEL_OP_MINMAX, 'w', 1, VACCEL_EINVAL, "half a minimum", ARG(&smallest, 4, RAW) },
	{ VACCEL_OP_MINMAX, 'w', 2, VACCEL_EINVAL, "no maximum", ARG(NULL, 8, RAW) },
};

static void each_argument_is_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct generic call = calls[row->op];

		*(row->list == 'r' ? &call.read[row->index] : &call.write[row->index]) = row->arg;
		assert_run(row->what, row->op, &call, row->code);
		if (row->code)
			assert_true(last_error()[0]);
	}
}

/* Nothing but its sides says how long a plugin counts through a matrix of no values. */
static void sides_of_matrices_without_values(void **state)
{
	static const int64_t long_side = (int64_t)1 << 53;
	static struct {
		int64_t sides[3]; /* m, n, k */
		int code;
	} sgemms[] = {
		{ { 0, 0, 0 }, 0 },
		{ { 0, 5, 4 }, 0 },
		{ { INT32_MAX, 0, 0 }, 0 },
		{ { long_side, 0, 0 }, VACCEL_EINVAL },
		{ { 0, long_side, 0 }, VACCEL_EINVAL },
		{ { 0, 0, long_side }, VACCEL_EINVAL },
		{ { long_side, 0, long_side }, VACCEL_EINVAL },
	};
	struct generic call = calls[VACCEL_OP_BLAS_SGEMM];

	(void)state;
	for (size_t i = 0; i < sizeof(sgemms) / sizeof(sgemms[0]); i++) {
		for (size_t side = 0; side < 3; side++)
			call.read[side] = (struct vaccel_arg)ARG(&sgemms[i].sides[side], 8, INT64);
		assert_run("without values", VACCEL_OP_BLAS_SGEMM, &call, sgemms[i].code);
	}
}

static void the_number_of_the_operation(void **state)
{
	uint8_t op = 0;
	struct vaccel_arg read = ARG(&op, 1, UINT8);

	(void)state;
	for (int number = 0; number < 256; number++) {
		int code = VACCEL_EINVAL;

		op = (uint8_t)number;
		if (number == VACCEL_OP_OPENCV)
			continue; /* takes no arguments too */
		if (number >= VACCEL_OP_TF_MODEL_LOAD && number <= VACCEL_OP_TORCH_SGEMM)
			code = VACCEL_ENOTSUP;
		assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 0), code);
		assert_true(last_error()[0]);
	}
	op = VACCEL_OP_OPENCV;
	assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 0), 0);
	assert_int_equal(vaccel_genop(&sess, &read, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, &read, -1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, NULL, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 1), VACCEL_EINVAL);
	read.type = VACCEL_ARG_INT8;
	assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 0), VACCEL_EINVAL);
	read = (struct vaccel_arg)ARG(ints, 4, UINT8);
	assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 0), VACCEL_EINVAL);
	read = (struct vaccel_arg)ARG(NULL, 1, UINT8);
	assert_int_equal(vaccel_genop(&sess, &read, 1, NULL, 0), VACCEL_EINVAL);
}

static void lists_that_are_not_there(void **state)
{
	struct vaccel_arg arg = { .buf = NULL };

	(void)state;
	assert_int_equal(vaccel_opencv_unpack(&sess, NULL, 0, NULL, 0), 0);
	assert_int_equal(vaccel_opencv_unpack(&sess, NULL, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_opencv_unpack(&sess, &arg, -1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_opencv_unpack(&sess, &arg, 1, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_opencv_unpack(&sess, &arg, 1, &arg, -1), VACCEL_EINVAL);
	assert_reason("Failed to parse args for opencv");
}

static int start_all(void **state)
{
	(void)state;
	if (start_with(FAKE("ops")) || vaccel_session_init(&sess, 0) ||
	    vaccel_resource_init_from_buf(&lib, "l", 1, VACCEL_RESOURCE_LIB, "l", true) ||
	    vaccel_resource_init_from_buf(&stranger, "l", 1, VACCEL_RESOURCE_LIB, "l", true) ||
	    vaccel_resource_init_from_buf(&model, "m", 1, VACCEL_RESOURCE_MODEL, "m", true) ||
	    vaccel_resource_register(&lib, &sess) || vaccel_resource_register(&model, &sess))
		return -1;
	fake = fake_of(FAKE("ops"));
	lib_id = lib.id;
	model_id = model.id;
	stranger_id = stranger.id;
	return 0;
}

static int stop_all(void **state)
{
	return vaccel_session_release(&sess) || vaccel_resource_release(&lib) ||
	       vaccel_resource_release(&model) || vaccel_resource_release(&stranger) || stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_arguments_as_it_takes),
		cmocka_unit_test(each_argument_is_checked),
		cmocka_unit_test(sides_of_matrices_without_values),
		cmocka_unit_test(the_number_of_the_operation),
		cmocka_unit_test(lists_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, start_all, stop_all);
}
