/*
 * mbench.c - a plugin whose one operation keeps a processor busy for as long as it is told, on the
 * caller's thread. Any thread.
 */
#include <inttypes.h>
#include <luaccel.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vaccel.h>

#define NS_PER_MS INT64_C(1000000)

enum { MS_MAX = 300000, DIGITS_MAX = 15 };

static struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("vaccel_mbench_plugin");

static int invalid(const char *why)
{
	vaccel_error("[mbench] %s", why);
	luaccel_set_error("mbench: %s", why);
	return VACCEL_EINVAL;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

/* Decimal digits with or without a final NUL: nothing beyond the argument is read. */
static long read_ms(const struct vaccel_arg *arg)
{
	char digits[DIGITS_MAX + 1] = "";

	if (arg->buf)
		memcpy(digits, arg->buf, arg->size < DIGITS_MAX ? arg->size : DIGITS_MAX);
	return strtol(digits, NULL, 10);
}

static int burn(int64_t ms)
{
	int64_t start;

	vaccel_prof_region_start(&region);
	start = now_ns();
	while (now_ns() - start < ms * NS_PER_MS)
		;
	vaccel_prof_region_stop(&region);
	vaccel_debug("[mbench] %" PRId64 " ms elapsed", ms);
	return VACCEL_OK;
}

static int mbench(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		  struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		  size_t nr_write)
{
	long ms;

	(void)write;
	(void)nr_write;
	if (!sess || !library || !fn_symbol)
		return invalid("Invalid input arguments");
	vaccel_debug("Calling mbench for session %" PRId64, sess->id);
	if (strcmp(library, "mbench") != 0 && strcmp(fn_symbol, "mbench") != 0)
		return invalid("neither library nor function is mbench");
	if (nr_read < 2 || !read)
		return invalid("two arguments are needed: milliseconds as digits, and any data");
	ms = read_ms(&read[0]);
	if (ms < 1 || ms > MS_MAX)
		return invalid("the first argument is no number from 1 to 300000 milliseconds");
	return burn(ms);
}

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(exec, VACCEL_OP_EXEC, mbench),
};

LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_EXEC));

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	vaccel_prof_region_print(&region);
	vaccel_prof_region_release(&region);
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "mbench", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_SOFTWARE | VACCEL_PLUGIN_GENERIC | VACCEL_PLUGIN_CPU,
	      .init = init, .fini = fini)
