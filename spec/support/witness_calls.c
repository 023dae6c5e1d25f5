/*
 * witness_calls.c - the operations beside models and classifications. What has room for text is
 * given the testimony; the hash is of all that there was to read. What takes numbers refuses
 * (EFAULT) those that lie where no C compiler would put them. A classification can be ordered by
 * the image itself: `SLEEP MS ...` takes that long, `FAIL CODE ...` returns the code with a reason,
 * `CODE CODE` without one.
 *
 * What is frail fails after it has written to where it was to.
 */
#include "luaccel.h"
#include "witness.h"
#include <stdalign.h>
#include <string.h>
#include <time.h>

#ifdef WITNESS_FRAIL
static const int outcome = VACCEL_EIO;
#else
static const int outcome = VACCEL_OK;
#endif

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

int witness_classify(struct vaccel_session *sess, const void *img, unsigned char *out_text,
		     unsigned char *out_imgname, size_t len_img, size_t len_out_text,
		     size_t len_out_imgname)
{
	long sleep = ordered(img, len_img, "SLEEP ");
	long failure = ordered(img, len_img, "FAIL ");
	long code = ordered(img, len_img, "CODE ");

	(void)sess;
	if (sleep > 0)
		sleep_ms(sleep);
	if (failure > 0) {
		luaccel_set_error("%s fails as ordered", WITNESS_NAME);
		return (int)failure;
	}
	if (code > 0)
		return (int)code;
	witness_say(out_text, len_out_text, hash_on(WITNESS_HASH, img, len_img));
	if (out_imgname && len_out_imgname)
		snprintf((char *)out_imgname, len_out_imgname, "%s", WITNESS_NAME);
	return outcome;
}

static uint64_t hash_args(uint64_t hash, const struct vaccel_arg *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = hash_on(hash, args[i].buf, args[i].size);
	return hash;
}

static int call(const char *symbol, uint64_t hash, const struct vaccel_arg *read, size_t nr_read,
		const struct vaccel_arg *write, size_t nr_write)
{
	const long failure = ordered(symbol, strlen(symbol), "FAIL ");

	if (failure > 0) {
		luaccel_set_error("%s fails as ordered", WITNESS_NAME);
		return (int)failure;
	}
	hash = hash_on(hash, symbol, strlen(symbol));
	hash = hash_args(hash, read, nr_read);
	for (size_t i = 0; i < nr_write; i++)
		witness_say(write[i].buf, write[i].size, hash);
	return VACCEL_OK;
}

int witness_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		 struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	(void)sess;
	return call(fn_symbol, hash_on(WITNESS_HASH, library, strlen(library)), read, nr_read,
		    write, nr_write);
}

/* Of a library, the bytes of the last file. */
int witness_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *library,
			       const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			       struct vaccel_arg *write, size_t nr_write)
{
	const uint8_t *bytes;
	size_t size;

	testify("exec", library, sess);
	if (!library->nr_blobs || !vaccel_blob_path(library->blobs[library->nr_blobs - 1])) {
		luaccel_set_error("%s wants a library that is a file", WITNESS_NAME);
		return VACCEL_EINVAL;
	}
	bytes = vaccel_blob_data(library->blobs[library->nr_blobs - 1], &size);
	if (!bytes)
		return VACCEL_EIO;
	return call(fn_symbol, hash_on(WITNESS_HASH, bytes, size), read, nr_read, write, nr_write);
}

int witness_image(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		  size_t len_img, size_t len_out_imgname)
{
	(void)sess;
	witness_say(out_imgname, len_out_imgname, hash_on(WITNESS_HASH, img, len_img));
	return outcome;
}

static int is_aligned(const void *numbers, size_t alignment)
{
	if (!((uintptr_t)numbers % alignment))
		return 1;
	luaccel_set_error("%s cannot read numbers at %p", WITNESS_NAME, numbers);
	return 0;
}

/* c becomes a[0] * b[0] + beta * c everywhere. */
int witness_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		  float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	(void)sess;
	(void)k;
	(void)alpha;
	(void)lda;
	(void)ldb;
	if (!is_aligned(a, alignof(float)) || !is_aligned(b, alignof(float)) ||
	    !is_aligned(c, alignof(float)))
		return VACCEL_EFAULT;
	for (int64_t row = 0; row < m; row++)
		for (int64_t column = 0; column < n; column++)
			c[row * ldc + column] = a[0] * b[0] + beta * c[row * ldc + column];
	return outcome;
}

int witness_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
		   int high_threshold, double *outdata, double *min, double *max)
{
	(void)sess;
	if (!is_aligned(indata, alignof(double)) || !is_aligned(outdata, alignof(double)) ||
	    !is_aligned(min, alignof(double)) || !is_aligned(max, alignof(double)))
		return VACCEL_EFAULT;
	if (ndata > 0)
		memcpy(outdata, indata, (size_t)ndata * sizeof(*outdata));
	*min = low_threshold;
	*max = high_threshold;
	return VACCEL_OK;
}
