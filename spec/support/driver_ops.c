/*
 * driver_ops.c - see driver.h: the commands that run operations.
 */
#include "driver.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIMS = 8, OUTPUTS = 4 };

/* 64-bit FNV-1a, the same as the witness computes. */
static uint64_t hash_of(const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void classify(const char *name, const char *image, size_t size, bool with_name)
{
	struct vaccel_session *sess = session(name);
	unsigned char tags[TEXT_SIZE] = "", imgname[TEXT_SIZE] = "";
	int code = TIMED(vaccel_image_classification(sess, image, tags, with_name ? imgname : NULL,
						     size, sizeof(tags),
						     with_name ? sizeof(imgname) : 0));

	if (code) {
		say_error(code);
		return;
	}
	begin_ok();
	printf(" hash=%016" PRIx64 " image=", hash_of(image, size));
	for (const unsigned char *c = imgname; *c; c++)
		putchar(*c == ' ' ? '_' : *c); /* a value has no spaces */
	print_text((const char *)tags);
	end_line();
}

static void classify_file(char **word, bool with_name)
{
	size_t size;
	char *image = read_file(word[2], &size);

	if (image)
		classify(word[1], image, size, with_name);
	free(image);
}

void cmd_classify(char **word)
{
	classify_file(word, false);
}

void cmd_named(char **word)
{
	classify_file(word, true);
}

void cmd_say(char **word)
{
	classify(word[1], word[2], strlen(word[2]), false);
}

/* Classify the text with room for so many bytes of tags. */
void cmd_tags(char **word)
{
	size_t size = strtoul(word[2], NULL, 0);
	unsigned char *tags = calloc(1, size + 1);
	int code;

	if (!tags) {
		say_misuse("out of memory");
		return;
	}
	code = TIMED(vaccel_image_classification(session(word[1]), word[3], tags, NULL,
						 strlen(word[3]), size, 0));
	if (code)
		say_error(code);
	else
		say_ok("text=%s", (char *)tags);
	free(tags);
}

/* FILE is records of u32 size (little-endian), u8 label, image; the label is Python's affair. */
void cmd_heldout(char **word)
{
	enum { HEAD = 5 };
	unsigned char tags[TEXT_SIZE];
	uint64_t begun = now_ns();
	size_t size, at, length;
	char *bytes = read_file(word[2], &size), *labels = NULL;
	FILE *out = bytes ? open_memstream(&labels, &length) : NULL;
	int code = VACCEL_OK;

	for (at = 0; out && !code && at + HEAD <= size;) {
		const uint8_t *head = (const uint8_t *)bytes + at;
		uint32_t image = (uint32_t)head[0] | (uint32_t)head[1] << 8 |
				 (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;

		at += HEAD;
		if (image > size - at)
			break;
		code = TIMED(vaccel_image_classification(session(word[1]), bytes + at, tags, NULL,
							 image, sizeof(tags), 0));
		at += image;
		if (!code)
			fprintf(out, "%.*s ", (int)strcspn((char *)tags, " :,\n"), (char *)tags);
	}
	if (out)
		fclose(out);
	started = begun;
	if (code)
		say_error(code);
	else if (!labels || at != size)
		say_misuse("heldout");
	else
		say_ok("text=%s", labels);
	free(labels);
	free(bytes);
}

/* Bytes that differ for each process and call, so that a right hash proves where they came from. */
static char *random_bytes(size_t size)
{
	char *bytes = malloc(size ? size : 1);
	uint64_t state = now_ns() ^ ((uint64_t)getpid() << 32);

	for (size_t i = 0; bytes && i < size; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bytes[i] = (char)(state >> 56);
	}
	return bytes;
}

void cmd_fill(char **word)
{
	size_t size = strtoul(word[2], NULL, 0);
	char *bytes = random_bytes(size);

	if (bytes)
		classify(word[1], bytes, size, false);
	else
		say_misuse("out of memory");
	free(bytes);
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void cmd_loop(char **word)
{
	struct vaccel_session *sess = session(word[1]);
	size_t count = strtoul(word[2], NULL, 0), size = strtoul(word[3], NULL, 0);
	uint64_t *times = calloc(count ? count : 1, sizeof(*times));
	char *bytes = random_bytes(size);
	unsigned char tags[TEXT_SIZE];
	int code = VACCEL_OK;

	if (!bytes || !times || !count) {
		say_misuse("count");
		goto out;
	}
	for (size_t i = 0; i < count && !code; i++) {
		code = TIMED(vaccel_image_classification(sess, bytes, tags, NULL, size,
							 sizeof(tags), 0));
		times[i] = (ended - started) / 1000;
	}
	if (code) {
		say_error(code);
		goto out;
	}
	qsort(times, count, sizeof(*times), compare_u64);
	say_ok("median=%" PRIu64 " p99=%" PRIu64 " max=%" PRIu64 " text=", times[count / 2],
	       times[count * 99 / 100], times[count - 1]);
out:
	free(bytes);
	free(times);
}

void cmd_load(char **word)
{
	answer(TIMED(vaccel_torch_model_load(session(word[1]), resource(word[2]))));
}

/* "2x1x8x8" as dims; how many there are, 0 for none that can be read. */
static int parse_dims(const char *text, int64_t dims[DIMS])
{
	int count = 0;
	char *end;

	for (; count < DIMS; text = end + 1) {
		dims[count++] = strtoll(text, &end, 10);
		if (*end != 'x')
			break;
	}
	return *end ? 0 : count;
}

/* To file OUT0 for the first; an error has been answered when it is not 0. */
static int write_tensor(const char *out, int number, const struct vaccel_torch_tensor *tensor)
{
	char path[TEXT_SIZE];
	FILE *file;
	size_t written = 0;

	snprintf(path, sizeof(path), "%s%d", out, number);
	file = fopen(path, "wb");
	if (file) {
		written = fwrite(tensor->data, 1, tensor->size, file);
		fclose(file);
	}
	if (file && written == tensor->size)
		return 0;
	say_misuse(path);
	return -EIO;
}

static void print_shapes(struct vaccel_torch_tensor *const *tensors, int count)
{
	begin_ok();
	printf(" text=");
	for (int i = 0; i < count; i++) {
		printf("%stype %d", i ? ", " : "", (int)tensors[i]->data_type);
		for (int64_t d = 0; d < tensors[i]->nr_dims; d++)
			printf("%s%" PRId64, d ? "x" : " ", tensors[i]->dims[d]);
	}
	end_line();
}

static void run_model(char **word, struct vaccel_torch_tensor *in)
{
	struct vaccel_torch_tensor *out[OUTPUTS] = { NULL };
	int count = atoi(word[5]), code, failed = 0;

	if (count < 0 || count > OUTPUTS) {
		say_misuse("count");
		return;
	}
	code = TIMED(vaccel_torch_model_run(session(word[1]), resource(word[2]), NULL, &in, 1, out,
					    count));
	if (code) {
		say_error(code);
		return;
	}
	for (int i = 0; i < count && !failed; i++)
		failed = write_tensor(word[6], i, out[i]);
	if (!failed)
		print_shapes(out, count);
	for (int i = 0; i < count; i++)
		vaccel_torch_tensor_delete(out[i]);
}

void cmd_run(char **word)
{
	struct vaccel_torch_tensor *in = NULL;
	int64_t dims[DIMS];
	int nr_dims = parse_dims(word[4], dims);
	size_t size;
	char *bytes = read_file(word[3], &size);

	if (!bytes)
		return;
	if (!nr_dims || vaccel_torch_tensor_new(&in, nr_dims, dims, VACCEL_TORCH_FLOAT) ||
	    vaccel_torch_tensor_set_data(in, bytes, size))
		say_misuse("dims");
	else
		run_model(word, in);
	if (in)
		vaccel_torch_tensor_delete(in);
	free(bytes);
}

void cmd_noop(char **word)
{
	answer(TIMED(vaccel_noop(session(word[1]))));
}

/* What churn is at; after an error its objects stay, as a careless program's would. */
static struct {
	const char *step;
	struct vaccel_session *sess;
	struct vaccel_resource *res;
} churn;

/* One session with one resource and some operations; the first code that is not OK. */
static int churn_once(const char *bytes, size_t size)
{
	unsigned char tags[TEXT_SIZE];
	int code;

	churn.step = "session";
	code = TIMED(vaccel_session_new(&churn.sess, 0));
	if (code)
		return code;
	churn.step = "register";
	code = vaccel_resource_from_buf(&churn.res, bytes, size, VACCEL_RESOURCE_MODEL, "churn.bin",
					true);
	if (!code)
		code = TIMED(vaccel_resource_register(churn.res, churn.sess));
	for (int i = 0; i < 5 && !code; i++) {
		churn.step = "classify";
		code = TIMED(vaccel_image_classification(churn.sess, bytes, tags, NULL, size,
							 sizeof(tags), 0));
	}
	if (code)
		return code;
	churn.step = "unregister";
	code = TIMED(vaccel_resource_unregister(churn.res, churn.sess));
	if (code)
		return code;
	churn.step = "release";
	code = vaccel_resource_delete(churn.res);
	return code ? code : TIMED(vaccel_session_delete(churn.sess));
}

void cmd_churn(char **word)
{
	size_t size;
	char *bytes = read_file(word[1], &size);
	int code = VACCEL_OK;

	if (!bytes || !keep_bytes(bytes))
		return;
	printf("%sCHURN", prefix); /* not an answer: the spec knows that it has begun */
	end_line();
	while (!code)
		code = churn_once(bytes, size);
	say_error_at(code, churn.step);
}
