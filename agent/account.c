/*
 * account.c - see account.h.
 */
#include "account.h"
#include "log.h"
#include "vaccel.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_BURST_SECONDS = 10 };

struct peer_key {
	char listener[64];
	char name[80]; /* as in lines: "uid:0" */
};

struct peer_account {
	struct account account;
	struct accounts *accounts;
	struct peer_key key;
	double log_tokens, log_at;
	unsigned long log_dropped;
	struct peer_account *next, **at; /* in its bucket */
};

static const char *const holders[] = {
	[ACCOUNT_CONNECTION] = "this connection",
	[ACCOUNT_PEER] = "this peer",
	[ACCOUNT_TOTAL] = "the agent",
};

/* FNV-1a. A peer cannot choose its credential, so nothing secret is needed. */
static size_t bucket_of(const struct peer_key *key)
{
	const unsigned char *at = (const unsigned char *)key;
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash % ACCOUNT_BUCKETS;
}

void accounts_init(struct accounts *accounts, const struct limits *limits)
{
	*accounts = (struct accounts){
		.limits = limits,
		.total = { .level = ACCOUNT_TOTAL,
			   .refs = 1,
			   .max = limits->account[ACCOUNT_TOTAL] },
	};
}

static struct account *account_init(struct account *account, struct account *parent,
				    const struct limits *limits, struct gate *gate)
{
	account->parent = parent;
	account->level = parent->level - 1;
	account->refs = 1;
	account->max = limits->account[account->level];
	account->gate = gate;
	return account;
}

static struct peer_account *peer_new(struct accounts *accounts, const struct peer_key *key)
{
	struct peer_account *peer = calloc(1, sizeof(*peer));
	struct gate *gate = gate_new((unsigned)accounts->limits->executing_peer, NULL);
	struct peer_account **bucket = &accounts->buckets[bucket_of(key)];

	if (!peer || !gate) {
		free(peer);
		if (gate)
			gate_unref(gate);
		return NULL;
	}
	account_init(&peer->account, &accounts->total, accounts->limits, gate);
	peer->account.peer = peer;
	peer->accounts = accounts;
	peer->key = *key;
	peer->log_tokens = (double)accounts->limits->log * LOG_BURST_SECONDS;
	peer->next = *bucket;
	if (peer->next)
		peer->next->at = &peer->next;
	peer->at = bucket;
	*bucket = peer;
	return peer;
}

static struct account *find_peer(struct accounts *accounts, const struct peer_key *key)
{
	struct peer_account *peer = accounts->buckets[bucket_of(key)];

	while (peer && memcmp(&peer->key, key, sizeof(*key)) != 0)
		peer = peer->next;
	if (peer)
		return account_ref(&peer->account);
	peer = peer_new(accounts, key);
	return peer ? &peer->account : NULL;
}

struct account *account_open(struct accounts *accounts, const char *listener,
			     const struct ttrpc_peer *peer)
{
	struct peer_key key = { .listener = "" };
	struct account *account = calloc(1, sizeof(*account));
	struct account *parent;
	struct gate *gate;

	snprintf(key.listener, sizeof(key.listener), "%s", listener);
	ttrpc_peer_str(peer, key.name, sizeof(key.name));
	parent = account ? find_peer(accounts, &key) : NULL;
	if (!parent)
		goto free_account;
	gate = gate_new((unsigned)accounts->limits->executing, parent->gate);
	if (!gate)
		goto unref_parent;
	account->peer = parent->peer;
	return account_init(account, parent, accounts->limits, gate);

unref_parent:
	account_unref(parent);
free_account:
	free(account);
	return NULL;
}

struct account *account_ref(struct account *account)
{
	account->refs++;
	return account;
}

/* Whoever took something still counts it, so nothing is left when nobody does. */
static void check_empty(const struct account *account)
{
	size_t kind;

	for (kind = 0; kind < ACCOUNT_KINDS; kind++) {
		if (!account->used[kind])
			continue;
		log_error("accounts: %zu of kind %zu are left of %s", account->used[kind], kind,
			  account->peer->key.name);
		assert(!"an account ends with something charged to it");
	}
}

static void say_dropped(struct peer_account *peer)
{
	if (peer->log_dropped)
		log_warn("%lu lines about %s were not written: limit log allows %zu a second",
			 peer->log_dropped, peer->key.name, peer->accounts->limits->log);
	peer->log_dropped = 0;
}

static void peer_free(struct peer_account *peer)
{
	say_dropped(peer);
	log_debug("peer %s of %s has gone: nothing is left of it", peer->key.name,
		  peer->key.listener);
	*peer->at = peer->next;
	if (peer->next)
		peer->next->at = peer->at;
	free(peer);
}

void account_unref(struct account *account)
{
	struct account *parent = account->parent;

	if (--account->refs)
		return;
	check_empty(account);
	gate_unref(account->gate);
	if (account->level == ACCOUNT_PEER)
		return peer_free(account->peer);
	free(account);
	account_unref(parent);
}

static bool is_bytes(enum account_kind kind)
{
	return kind >= ACCOUNT_HELD;
}

/* Has the level more than it may, or would it with `more`? */
static int check_level(const struct account *account, enum account_kind kind, size_t more,
		       char *why, size_t size)
{
	const size_t max = account->max[kind], used = account->used[kind];

	if (!max || (used <= max && more <= max - used))
		return VACCEL_OK;
	if (is_bytes(kind))
		snprintf(why, size, "limit %s: %s holds %zu bytes and may hold %zu: no room for %s",
			 limits_name(account->level, kind), holders[account->level], used, max,
			 more ? "these" : "more");
	else
		snprintf(why, size, "limit %s: %s has %zu and may have %zu",
			 limits_name(account->level, kind), holders[account->level], used, max);
	return is_bytes(kind) ? VACCEL_ENOMEM : VACCEL_EUSERS;
}

int account_take(struct account *account, enum account_kind kind, size_t amount, char *why,
		 size_t size)
{
	struct account *level;
	int ret;

	for (level = account; level; level = level->parent) {
		ret = check_level(level, kind, amount, why, size);
		if (ret)
			return ret;
	}
	account_set(account, kind, 0, amount);
	return VACCEL_OK;
}

void account_give(struct account *account, enum account_kind kind, size_t amount)
{
	account_set(account, kind, amount, 0);
}

void account_set(struct account *account, enum account_kind kind, size_t before, size_t now)
{
	struct account *level;

	if (before == now)
		return;
	for (level = account; level; level = level->parent) {
		assert(level->used[kind] >= before);
		level->used[kind] += now - before;
	}
}

int account_is_over(const struct account *account, enum account_kind kind, char *why, size_t size)
{
	const struct account *level;
	int ret = VACCEL_OK;

	for (level = account; !ret && level; level = level->parent)
		ret = check_level(level, kind, 0, why, size);
	return ret;
}

const char *account_over_shared(const struct account *account, enum account_kind kind)
{
	const struct account *level;

	for (level = account->parent; level; level = level->parent)
		if (level->max[kind] && level->used[kind] > level->max[kind])
			return limits_name(level->level, kind);
	return NULL;
}

size_t accounts_most(const struct accounts *accounts, enum account_level level,
		     enum account_kind kind)
{
	const struct peer_account *peer;
	size_t i, most = 0;

	if (level == ACCOUNT_TOTAL)
		return accounts->total.used[kind];
	for (i = 0; i < ACCOUNT_BUCKETS; i++)
		for (peer = accounts->buckets[i]; peer; peer = peer->next)
			if (peer->account.used[kind] > most)
				most = peer->account.used[kind];
	return most;
}

unsigned account_pressure(const struct account *account, bool transient, const char **name)
{
	static const enum account_kind kinds[] = { ACCOUNT_HELD, ACCOUNT_DECODED, ACCOUNT_MEMORY };
	unsigned highest = 0, percent;
	size_t i;

	while (account->parent)
		account = account->parent;
	for (i = 0; i < (transient ? 2 : 3); i++) {
		percent = (unsigned)(account->used[kinds[i]] * 100 / account->max[kinds[i]]);
		if (percent <= highest)
			continue;
		highest = percent;
		*name = limits_name(ACCOUNT_TOTAL, kinds[i]);
	}
	return highest;
}

bool account_may_log(struct account *account, double now)
{
	struct peer_account *peer = account->peer;
	const double rate = (double)peer->accounts->limits->log;
	const double most = rate * LOG_BURST_SECONDS;

	if (!(rate > 0))
		return true;
	peer->log_tokens += (now - peer->log_at) * rate;
	peer->log_at = now;
	if (peer->log_tokens > most)
		peer->log_tokens = most;
	if (peer->log_tokens < 1) {
		peer->log_dropped++;
		return false;
	}
	peer->log_tokens--;
	say_dropped(peer);
	return true;
}
