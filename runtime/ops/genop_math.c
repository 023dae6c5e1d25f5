/*
 * genop_math.c - generic arithmetic: sgemm, the FPGA kernels, minmax. Arguments must be as long as
 * their sizes and counts say. Any thread.
 */
#include "genop_args.h"
#include "older.h"
#include <inttypes.h>
#include <string.h>

/* What sgemm is called with beside its matrices. */
struct sgemm {
	int64_t m, n, k, lda, ldb, ldc;
	float alpha, beta;
};

static int get_scalars(const struct genop *op, struct sgemm *sgemm)
{
	const struct {
		const char *what;
		int index;
		vaccel_arg_type_t type;
		void *value;
		size_t size;
	} scalars[] = {
		{ "m", 0, VACCEL_ARG_INT64, &sgemm->m, sizeof(sgemm->m) },
		{ "n", 1, VACCEL_ARG_INT64, &sgemm->n, sizeof(sgemm->n) },
		{ "k", 2, VACCEL_ARG_INT64, &sgemm->k, sizeof(sgemm->k) },
		{ "alpha", 3, VACCEL_ARG_FLOAT32, &sgemm->alpha, sizeof(sgemm->alpha) },
		{ "lda", 5, VACCEL_ARG_INT64, &sgemm->lda, sizeof(sgemm->lda) },
		{ "ldb", 7, VACCEL_ARG_INT64, &sgemm->ldb, sizeof(sgemm->ldb) },
		{ "beta", 8, VACCEL_ARG_FLOAT32, &sgemm->beta, sizeof(sgemm->beta) },
		{ "ldc", 9, VACCEL_ARG_INT64, &sgemm->ldc, sizeof(sgemm->ldc) },
	};
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < sizeof(scalars) / sizeof(scalars[0]); i++)
		ret = genop_get_value(op, scalars[i].what, &op->read[scalars[i].index],
				      scalars[i].type, scalars[i].value, scalars[i].size);
	return ret;
}

/*
 * Row-major: the last row need not be as long as the step from one to the next. A matrix without
 * values has no bytes that bound its sides, and whoever counts through one of them is to come to an
 * end.
 */
static int check_matrix(const struct genop *op, const char *what, const struct vaccel_arg *arg,
			int64_t rows, int64_t columns, int64_t step)
{
	int64_t count = 0;
	int ret = genop_check_type(op, what, arg, VACCEL_ARG_FLOAT32_ARRAY);

	if (ret)
		return ret;
	if (rows < 0 || columns < 0 || step < 0 ||
	    (rows && columns ? __builtin_mul_overflow(rows - 1, step, &count) ||
				       __builtin_add_overflow(count, columns, &count)
			     : rows > INT32_MAX || columns > INT32_MAX))
		return fail(VACCEL_EINVAL,
			    "Failed to unpack %s arg for blas_sgemm: there is no matrix of %" PRId64
			    " by %" PRId64 " with %" PRId64 " from row to row",
			    what, rows, columns, step);
	return genop_check_values(op, what, arg, VACCEL_ARG_FLOAT32, sizeof(float), (size_t)count);
}

int genop_sgemm(const struct genop *op)
{
	const struct vaccel_arg *read = op->read, *c = op->write;
	struct sgemm s;
	int ret = genop_check_counts(op, 10, 1);

	if (!ret)
		ret = get_scalars(op, &s);
	if (!ret)
		ret = check_matrix(op, "a", &read[4], s.m, s.k, s.lda);
	if (!ret)
		ret = check_matrix(op, "b", &read[6], s.k, s.n, s.ldb);
	if (!ret)
		ret = check_matrix(op, "c", c, s.m, s.n, s.ldc);
	if (ret)
		return ret;
	return vaccel_sgemm(op->sess, s.m, s.n, s.k, s.alpha, read[4].buf, s.lda, read[6].buf,
			    s.ldb, s.beta, c->buf, s.ldc);
}

/* All arguments of an FPGA kernel are vectors as long as the first. */
static int check_vectors(const struct genop *op, int nr_read, int nr_write, vaccel_arg_type_t one,
			 size_t size, size_t *length)
{
	int ret = genop_check_counts(op, nr_read, nr_write);

	if (ret)
		return ret;
	*length = op->read[0].size / size;
	for (int i = 0; !ret && i < nr_read; i++)
		ret = genop_check_values(op, i ? "b" : "a", &op->read[i], one, size, *length);
	for (int i = 0; !ret && i < nr_write; i++)
		ret = genop_check_values(op, i ? "second out" : "out", &op->write[i], one, size,
					 *length);
	return ret;
}

int genop_arraycopy(const struct genop *op)
{
	size_t length;
	const int ret = check_vectors(op, 1, 1, VACCEL_ARG_INT32, sizeof(int), &length);

	if (ret)
		return ret;
	return fpga_arraycopy(op->sess, op->read[0].buf, op->write[0].buf, length);
}

int genop_mmult(const struct genop *op)
{
	size_t length;
	const int ret = check_vectors(op, 2, 1, VACCEL_ARG_FLOAT32, sizeof(float), &length);

	if (ret)
		return ret;
	return fpga_mmult(op->sess, op->read[0].buf, op->read[1].buf, op->write[0].buf, length);
}

int genop_parallel(const struct genop *op)
{
	size_t length;
	const int ret = check_vectors(op, 2, 2, VACCEL_ARG_FLOAT32, sizeof(float), &length);

	if (ret)
		return ret;
	return fpga_parallel(op->sess, op->read[0].buf, op->read[1].buf, op->write[0].buf,
			     op->write[1].buf, length);
}

/* A plugin may go by either length, so the second is not to be longer either. */
int genop_vadd(const struct genop *op)
{
	size_t length, length_b;
	const int ret = check_vectors(op, 2, 1, VACCEL_ARG_FLOAT32, sizeof(float), &length);

	if (ret)
		return ret;
	length_b = op->read[1].size / sizeof(float);
	if (length_b != length)
		return fail(VACCEL_EINVAL,
			    "Failed to unpack b arg for fpga_vectoradd: it has %zu values, a has "
			    "%zu",
			    length_b, length);
	return fpga_vadd(op->sess, op->read[0].buf, op->read[1].buf, op->write[0].buf, length,
			 length_b);
}

static int get_int(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		   int *value)
{
	const int ret = genop_check_values(op, what, arg, VACCEL_ARG_INT32, sizeof(*value), 1);

	if (!ret)
		memcpy(value, arg->buf, sizeof(*value));
	return ret;
}

static int check_doubles(const struct genop *op, const char *what, const struct vaccel_arg *arg,
			 size_t count)
{
	return genop_check_values(op, what, arg, VACCEL_ARG_FLOAT64, sizeof(double), count);
}

int genop_minmax(const struct genop *op)
{
	const struct vaccel_arg *read = op->read, *write = op->write;
	int ndata = 0, low, high;
	int ret = genop_check_counts(op, 4, 3);

	if (!ret)
		ret = get_int(op, "ndata", &read[1], &ndata);
	if (!ret && ndata < 0)
		ret = fail(VACCEL_EINVAL, "Failed to unpack ndata arg for minmax: %d is negative",
			   ndata);
	if (!ret)
		ret = get_int(op, "low_threshold", &read[2], &low);
	if (!ret)
		ret = get_int(op, "high_threshold", &read[3], &high);
	if (!ret)
		ret = check_doubles(op, "indata", &read[0], (size_t)ndata);
	if (!ret)
		ret = check_doubles(op, "outdata", &write[0], (size_t)ndata);
	if (!ret)
		ret = check_doubles(op, "min", &write[1], 1);
	if (!ret)
		ret = check_doubles(op, "max", &write[2], 1);
	if (ret)
		return ret;
	return minmax(op->sess, read[0].buf, ndata, low, high, write[0].buf, write[1].buf,
		      write[2].buf);
}
