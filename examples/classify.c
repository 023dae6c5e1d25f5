/*
 * classify.c - classify an image.
 *
 *     classify IMAGE [ITERATIONS [MODEL]]
 *
 * What classifies it is not this program's business: VACCEL_PLUGINS says which plugin serves the
 * session. MODEL is a file that the plugin needs, such as a TorchScript model. The exit status is
 * the code of the call that failed.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <luaccel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vaccel.h>

enum { TEXT_MAX = 512 };

struct image {
	void *data;
	size_t size;
};

/* One line on stderr: what, the code, and why if the library knows. */
static int report(const char *what, int code)
{
	char reason[1024];

	if (luaccel_last_error(reason, sizeof(reason)))
		fprintf(stderr, "%s: %d (%s)\n", what, code, reason);
	else
		fprintf(stderr, "%s: %d (%s)\n", what, code, strerror(code));
	return code;
}

static int read_all(FILE *file, struct image *image)
{
	long size;

	if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
		return errno;
	if (size == 0 || size == LONG_MAX)
		return VACCEL_EINVAL;
	image->size = (size_t)size;
	image->data = malloc(image->size);
	if (!image->data)
		return VACCEL_ENOMEM;
	return fread(image->data, 1, image->size, file) == image->size ? VACCEL_OK : VACCEL_EIO;
}

static int read_image(const char *path, struct image *image)
{
	FILE *file = fopen(path, "rb");
	int ret = file ? read_all(file, image) : errno;

	if (file)
		fclose(file);
	if (ret)
		fprintf(stderr, "Could not read image %s: %d (%s)\n", path, ret, strerror(ret));
	return ret;
}

static int classify(struct vaccel_session *sess, const struct image *image, int iterations)
{
	for (int i = 0; i < iterations; i++) {
		unsigned char text[TEXT_MAX] = "";
		unsigned char name[TEXT_MAX] = "";
		const int ret = vaccel_image_classification(
			sess, image->data, text, name, image->size, sizeof(text), sizeof(name));

		if (ret)
			return report("Could not run op", ret);
		printf("classification tags: %.*s\n", TEXT_MAX, (char *)text);
		printf("classification imagename: %.*s\n", TEXT_MAX, (char *)name);
	}
	return VACCEL_OK;
}

static int classify_with_model(struct vaccel_session *sess, const struct image *image,
			       int iterations, const char *path)
{
	struct vaccel_resource model;
	int ret, released;

	ret = vaccel_resource_init(&model, path, VACCEL_RESOURCE_MODEL);
	if (ret)
		return report("Could not create model resource", ret);
	ret = vaccel_resource_register(&model, sess);
	if (ret) {
		report("Could not register model to session", ret);
	} else {
		ret = classify(sess, image, iterations);
		released = vaccel_resource_unregister(&model, sess);
		if (released)
			ret = report("Could not unregister model from session", released);
	}
	released = vaccel_resource_release(&model);
	if (released)
		ret = report("Could not release model", released);
	return ret;
}

static int run(const struct image *image, int iterations, const char *model)
{
	struct vaccel_session sess;
	int ret, released;

	ret = vaccel_session_init(&sess, 0);
	if (ret)
		return report("Could not initialize session", ret);
	printf("Initialized session with id: %" PRId64 "\n", sess.id);
	printf("Image size is: %zuB\n", image->size);
	if (model)
		ret = classify_with_model(&sess, image, iterations, model);
	else
		ret = classify(&sess, image, iterations);
	released = vaccel_session_release(&sess);
	if (released)
		ret = report("Could not release session", released);
	return ret;
}

int main(int argc, char **argv)
{
	struct image image = { NULL, 0 };
	int iterations = 1;
	int ret;

	if (argc > 2)
		iterations = atoi(argv[2]);
	if (argc < 2 || argc > 4 || iterations < 1) {
		fprintf(stderr, "Usage: %s IMAGE [ITERATIONS [MODEL]]\n", argv[0]);
		return VACCEL_EINVAL;
	}
	ret = read_image(argv[1], &image);
	if (!ret)
		ret = run(&image, iterations, argc == 4 ? argv[3] : NULL);
	free(image.data);
	return ret;
}
