/*
 * answers.c - see answers.h.
 */
#include "answers.h"
#include "agent.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Of allocated memory, about: with less, a bucket holds some answers more. */
enum { BYTES_A_BUCKET = 1024, BUCKETS_MIN = 64, BUCKETS_MAX = 1 << 20 };

static struct answer **bucket_of(const struct answers *answers, const uint8_t *digest)
{
	size_t hash;

	memcpy(&hash, digest, sizeof(hash));
	return &answers->buckets[hash & (answers->nr_buckets - 1)];
}

/* ---- one answer */

void answer_unref(struct answer *answer)
{
	if (--answer->refs)
		return;
	answer->agent->answers_bytes -= answer->size;
	free(answer);
}

static void unlink_use(struct answers *answers, struct answer *answer)
{
	*(answer->newer ? &answer->newer->older : &answers->newest) = answer->older;
	*(answer->older ? &answer->older->newer : &answers->oldest) = answer->newer;
}

static void link_newest(struct answers *answers, struct answer *answer)
{
	answer->newer = NULL;
	answer->older = answers->newest;
	*(answer->older ? &answer->older->newer : &answers->oldest) = answer;
	answers->newest = answer;
}

static void drop(struct answers *answers, struct answer *answer)
{
	unlink_use(answers, answer);
	*answer->at = answer->next;
	if (answer->next)
		answer->next->at = answer->at;
	answers->used -= answer->size;
	answers->count--;
	answer_unref(answer);
}

static void drop_beyond(struct answers *answers, size_t bytes)
{
	while (answers->oldest && answers->used > bytes)
		drop(answers, answers->oldest);
}

static struct answer *look_up(const struct answers *answers, const uint8_t *digest)
{
	struct answer *at = *bucket_of(answers, digest);

	while (at && !digest_equal(at->digest, digest))
		at = at->next;
	return at;
}

struct answer *answers_find(struct answers *answers, const uint8_t digest[DIGEST_SIZE])
{
	struct answer *answer = look_up(answers, digest);

	if (!answer)
		return NULL;
	if ((double)(agent_now_us() - answer->kept_us) > answers->what.seconds * 1e6) {
		drop(answers, answer);
		return NULL;
	}
	unlink_use(answers, answer);
	link_newest(answers, answer);
	answer->refs++;
	return answer;
}

static void insert(struct answers *answers, struct answer *answer)
{
	struct answer **bucket = bucket_of(answers, answer->digest);

	answer->at = bucket;
	answer->next = *bucket;
	if (answer->next)
		answer->next->at = &answer->next;
	*bucket = answer;
	link_newest(answers, answer);
	answers->used += answer->size;
	answers->count++;
}

/* Another of the same digest may have been kept since: equal operations ran at once. */
void answers_keep(struct answers *answers, const uint8_t digest[DIGEST_SIZE],
		  const ProtobufCMessage *response, size_t bytes_out)
{
	const size_t length = protobuf_c_message_get_packed_size(response);
	const size_t size = sizeof(struct answer) + length;
	struct answer *answer = look_up(answers, digest);

	if (answer)
		drop(answers, answer);
	if (!answers->live || size > answers->what.bytes)
		return;
	drop_beyond(answers, answers->what.bytes - size);
	answer = malloc(size);
	if (!answer)
		return;
	*answer = (struct answer){
		.agent = answers->agent,
		.refs = 1,
		.type = response->descriptor,
		.size = size,
		.bytes_out = bytes_out,
		.kept_us = agent_now_us(),
		.length = length,
	};
	memcpy(answer->digest, digest, DIGEST_SIZE);
	protobuf_c_message_pack(response, answer->packed);
	answer->agent->answers_bytes += size;
	insert(answers, answer);
}

/* ---- stores */

static size_t buckets_for(size_t bytes)
{
	size_t count = BUCKETS_MIN;

	while (count < BUCKETS_MAX && count < bytes / BYTES_A_BUCKET)
		count *= 2;
	return count;
}

static struct answers *answers_new(struct agent *agent, const struct policy_answers *what)
{
	struct answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return NULL;
	answers->nr_buckets = buckets_for(what->bytes);
	answers->buckets = calloc(answers->nr_buckets, sizeof(*answers->buckets));
	if (!answers->buckets || getrandom(answers->key, DIGEST_SIZE, 0) != DIGEST_SIZE) {
		free(answers->buckets);
		free(answers);
		return NULL;
	}
	answers->agent = agent;
	answers->refs = 1; /* the agent's */
	answers->live = true;
	answers->next = agent->answers;
	answers->in_agent = &agent->answers;
	if (answers->next)
		answers->next->in_agent = &answers->next;
	agent->answers = answers;
	return answers;
}

struct answers *answers_ref(struct answers *answers)
{
	answers->refs++;
	return answers;
}

void answers_unref(struct answers *answers)
{
	if (--answers->refs)
		return;
	drop_beyond(answers, 0);
	free(answers->buckets);
	free(answers);
}

struct answers *answers_for(struct agent *agent, const struct policy_answers *what)
{
	struct answers *answers = agent->answers;

	if (!what->id)
		return NULL;
	while (answers && answers->what.id != what->id)
		answers = answers->next;
	if (!answers)
		answers = answers_new(agent, what);
	if (!answers)
		return NULL;
	answers->what = *what; /* after a reload its numbers may be others */
	drop_beyond(answers, what->bytes);
	return answers_ref(answers);
}

/* No script has it any more. */
static void retire(struct answers *answers)
{
	*answers->in_agent = answers->next;
	if (answers->next)
		answers->next->in_agent = answers->in_agent;
	answers->live = false;
	drop_beyond(answers, 0);
	answers_unref(answers);
}

void answers_settle(struct agent *agent)
{
	struct answers *answers, *next;

	for (answers = agent->answers; answers; answers = next) {
		next = answers->next;
		if (!agent->policy || !policy_answers_live(agent->policy, answers->what.id))
			retire(answers);
	}
}
