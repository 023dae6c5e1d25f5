/*
 * content.c - see content.h.
 */
#include "content.h"
#include "agent.h"
#include "log.h"
#include "vaccel.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int contents_init(struct contents *contents)
{
	memset(contents, 0, sizeof(*contents));
	if (getrandom(contents->key, DIGEST_SIZE, 0) != DIGEST_SIZE ||
	    getrandom(contents->decoy, DIGEST_SIZE, 0) != DIGEST_SIZE)
		return -EIO;
	return 0;
}

/* Addresses are as good as random. */
static struct content **bucket_of(struct contents *contents, const uint8_t *address)
{
	return &contents->buckets[(address[0] | (unsigned)address[1] << 8) % CONTENT_BUCKETS];
}

/* All of the bucket is looked at, wherever the content is. */
static struct content *look_up(struct contents *contents, const uint8_t *address)
{
	struct content *at, *found = NULL;

	for (at = *bucket_of(contents, address); at; at = at->next)
		if (digest_equal(at->address, address))
			found = at;
	return found;
}

struct content *content_find(struct agent *agent, const uint8_t address[DIGEST_SIZE], size_t size,
			     const uint8_t proof[DIGEST_SIZE], const uint8_t nonce[DIGEST_SIZE])
{
	struct content *found = look_up(&agent->contents, address);
	uint8_t right[DIGEST_SIZE];
	bool proved;

	digest_proof(found ? found->root : agent->contents.decoy, nonce, right);
	proved = digest_equal(proof, right);
	return found && proved && found->size == size ? content_ref(found) : NULL;
}

struct content *content_new(struct agent *agent, bool executable)
{
	struct content *content = calloc(1, sizeof(*content));

	if (!content)
		return NULL;
	if (asprintf(&content->path, "%s/content.%lu", vaccel_rundir(), ++agent->contents.made) <
	    0) {
		free(content);
		return NULL;
	}
	content->agent = agent;
	content->refs = 1;
	content->executable = executable;
	digest_begin(&content->digest, agent->contents.key);
	return content;
}

struct content *content_ref(struct content *content)
{
	content->refs++;
	return content;
}

/* Giving back gigabytes takes time: a worker does it. */
static void reap_run(struct job *job)
{
	struct content *content = (struct content *)((char *)job - offsetof(struct content, reap));

	if (unlink(content->path) && errno != ENOENT) /* it may have failed to be made */
		log_warn("cannot remove %s: %s", content->path, strerror(errno));
}

static void reap_done(struct job *job)
{
	struct content *content = (struct content *)((char *)job - offsetof(struct content, reap));

	content->agent->nr_operations--;
	free(content->path);
	free(content);
}

void content_unref(struct content *content)
{
	if (--content->refs)
		return;
	if (content->at) {
		*content->at = content->next;
		if (content->next)
			content->next->at = content->at;
	}
	content->agent->nr_operations++;
	content->reap = (struct job){ .run = reap_run, .done = reap_done };
	pool_submit(content->agent->pool, &content->reap);
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		const ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

/* It never changes from here on, even by the path that plugins see. */
static int seal(struct content *content, int fd)
{
	digest_end(&content->digest, content->root);
	digest_address(content->root, content->address);
	content->sealed = true;
	return fchmod(fd, content->executable ? S_IRUSR | S_IXUSR : S_IRUSR) ? errno : 0;
}

int content_write(struct content *content, const void *bytes, size_t size, bool last, char *why,
		  size_t whysize)
{
	const int create = content->size ? 0 : O_CREAT | O_EXCL;
	const int fd = open(content->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | create,
			    S_IRUSR | S_IWUSR);
	int ret = fd < 0 ? errno : write_all(fd, bytes, size);

	if (!ret) {
		content->size += size;
		digest_add(&content->digest, bytes, size);
	}
	if (!ret && last)
		ret = seal(content, fd);
	if (fd >= 0 && close(fd) && !ret)
		ret = errno;
	if (ret)
		snprintf(why, whysize, "the agent cannot keep the bytes in its run directory: %s",
			 strerror(ret));
	return ret;
}

struct content *content_publish(struct content *content)
{
	struct contents *contents = &content->agent->contents;
	struct content *other = look_up(contents, content->address);
	struct content **bucket = bucket_of(contents, content->address);

	if (other) {
		content_ref(other);
		content_unref(content);
		return other;
	}
	content->next = *bucket;
	if (content->next)
		content->next->at = &content->next;
	content->at = bucket;
	*bucket = content;
	return content;
}
