/*
 * account.h - what peers make the agent hold, and how much they may.
 *
 *     whole agent ◀── peer (listener and credential) ◀── connection
 *
 * What is charged to a connection is charged to its peer and to the whole as well; the limits of
 * all three apply (limits.h has their names). A connection's account is counted by all that can
 * still be charged to it, sessions, resources and requests, and so may outlive the connection; a
 * peer's goes with the last of its connections' accounts, and must be at zero then. Taking and
 * giving back cost the same however many peers there are. The loop's thread.
 */
#ifndef AGENT_ACCOUNT_H
#define AGENT_ACCOUNT_H

#include "address.h"
#include "agent_limits.h"
#include "gate.h"
#include <stdbool.h>

enum { ACCOUNT_BUCKETS = 1024 };

struct account {
	struct account *parent; /* NULL: the whole */
	enum account_level level;
	unsigned refs;
	const size_t *max; /* a row of limits.account */
	size_t used[ACCOUNT_KINDS];
	struct gate *gate; /* how many operations run at once; NULL: the whole */
	struct peer_account *peer;
};

struct accounts {
	const struct limits *limits;
	struct account total;
	struct peer_account *buckets[ACCOUNT_BUCKETS];
};

void accounts_init(struct accounts *accounts, const struct limits *limits);

/* A connection's, counted once. NULL: out of memory. */
struct account *account_open(struct accounts *accounts, const char *listener,
			     const struct ttrpc_peer *peer);
struct account *account_ref(struct account *account);
void account_unref(struct account *account);

/*
 * Take `amount` if all three levels have room. 0, or the VACCEL_* code of contract.md, with the
 * limit's name in `why`; nothing is taken then.
 */
int account_take(struct account *account, enum account_kind kind, size_t amount, char *why,
		 size_t size);
void account_give(struct account *account, enum account_kind kind, size_t amount);

/* What is held already counts, whatever the limits say; account_is_over() says what they do. */
void account_set(struct account *account, enum account_kind kind, size_t before, size_t now);
/* 0 if `kind` is within the limits at all levels, or as account_take(). */
int account_is_over(const struct account *account, enum account_kind kind, char *why, size_t size);

/* The name of the first limit beyond the connection's own that `kind` exceeds, or NULL. */
const char *account_over_shared(const struct account *account, enum account_kind kind);

/* What the whole uses of `kind`, or the peer that uses most. */
size_t accounts_most(const struct accounts *accounts, enum account_level level,
		     enum account_kind kind);

/*
 * How full the agent's memory is, in per cent of that limit of the whole which is nearest, and
 * its name. Only what requests make it hold counts with `transient`; resources do without it.
 */
unsigned account_pressure(const struct account *account, bool transient, const char **name);

/* May a line about this peer be logged? Each peer has so many a second, and ten times that at once.
 */
bool account_may_log(struct account *account, double now);

#endif
