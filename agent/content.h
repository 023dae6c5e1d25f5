/*
 * content.h - bytes that peers have uploaded, each content once, whoever holds it.
 *
 * A content is a file of its own in the agent's run directory, without a descriptor between
 * pieces. It is written piece by piece on workers, one at a time, and sealed: it has its digest
 * then, is read-only and never changes. Resources show it by links and private mappings, so what
 * one holder writes no other sees. It is counted, by those that receive it and by resources; with
 * the last count the file goes.
 *
 * The store finds contents for peers that prove that they hold the bytes (digest.h). What may be
 * learnt from it:
 * - Who has the bytes may learn that somebody sent them to this agent while they are kept here.
 *   That is what sharing is, and why small contents, which could be guessed one by one, are not
 *   shared by our clients.
 * - Who has not the bytes learns nothing: an address that is not here and a proof that is wrong
 *   take the same path, compare as much and get the same answer; so does an address that was
 *   overheard with the proof of another connection.
 *
 * Everything is the loop's thread's, but for what is said to be a worker's.
 */
#ifndef AGENT_CONTENT_H
#define AGENT_CONTENT_H

#include "digest.h"
#include "pool.h"
#include <stdbool.h>

enum { CONTENT_BUCKETS = 1024 };

struct agent;

struct contents {
	uint8_t key[DIGEST_SIZE];   /* for roots; peers of ours know it */
	uint8_t decoy[DIGEST_SIZE]; /* root of what is not here; nobody knows it */
	unsigned long made;
	struct content *buckets[CONTENT_BUCKETS];
};

struct content {
	struct agent *agent;
	unsigned refs;
	char *path;	 /* of its file */
	size_t size;	 /* so far; a worker's while it writes */
	bool sealed;	 /* it is whole: root and address are set */
	bool executable; /* by its owner: dlopen() may want that */
	uint8_t root[DIGEST_SIZE], address[DIGEST_SIZE];
	struct content *next, **at; /* in its bucket; at is NULL while it is not found there */
	struct digest digest;
	struct job reap;
};

/* 0, or a negative errno: no random numbers to be had. */
int contents_init(struct contents *contents);

/*
 * The content of that address and size, counted for the caller, when the proof is right for the
 * nonce; else NULL.
 */
struct content *content_find(struct agent *agent, const uint8_t address[DIGEST_SIZE], size_t size,
			     const uint8_t proof[DIGEST_SIZE], const uint8_t nonce[DIGEST_SIZE]);

/* An empty one, counted once. NULL: out of memory. */
struct content *content_new(struct agent *agent, bool executable);
struct content *content_ref(struct content *content);
void content_unref(struct content *content);

/*
 * Append; with `last` it is sealed. A worker's, one piece at a time. VACCEL_OK, or a code with the
 * reason in why.
 */
int content_write(struct content *content, const void *bytes, size_t size, bool last, char *why,
		  size_t whysize);

/*
 * Let others find a sealed content by its address. Returns it, or the one that has been here
 * before, counted in its place.
 */
struct content *content_publish(struct content *content);

#endif
