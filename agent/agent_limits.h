/*
 * agent_limits.h - the bounds of what peers may make the agent hold; names as --limit takes them.
 */
#ifndef AGENT_LIMITS_H
#define AGENT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

/* What is counted, see account.h: things, then bytes. */
enum account_kind {
	ACCOUNT_CONNECTIONS,
	ACCOUNT_SESSIONS,
	ACCOUNT_RESOURCES,
	ACCOUNT_STREAMS, /* requests open */
	ACCOUNT_HELD,	 /* bytes of frames, in and out, and of what was decoded */
	ACCOUNT_DECODED, /* of those: what was decoded, beside bulk bytes */
	ACCOUNT_MEMORY,	 /* bytes of resources */
	ACCOUNT_DISK,	 /* bytes of resources in files */
	ACCOUNT_SHM,	 /* bytes of memory shared with peers */
	ACCOUNT_KINDS,
};

enum account_level { ACCOUNT_CONNECTION, ACCOUNT_PEER, ACCOUNT_TOTAL, ACCOUNT_LEVELS };

struct limits {
	size_t account[ACCOUNT_LEVELS][ACCOUNT_KINDS]; /* 0: none at that level */
	size_t frame;				       /* bytes of one request */
	size_t shm;	  /* bytes to share with a peer on one connection; 0: none */
	size_t executing; /* of a connection's requests, at once; 0: half of the pool */
	size_t executing_peer;
	size_t frame_timeout; /* seconds for a frame to complete */
	size_t write_timeout; /* seconds without progress of a reader */
	size_t accepts;	      /* connections a second; 0: any number */
	size_t first_frame;   /* seconds until a connection's first request; 0: any time */
	size_t idle;	      /* seconds between a connection's requests; 0: any time */
	size_t deadline;      /* seconds for a request that has no deadline; 0: none */
	size_t deadline_max;  /* seconds that a request may ask for */
	size_t log;	      /* lines a second about one peer; 0: any number */
};

extern const struct limits limits_default;

/* The name of a limit of accounts: "sessions-peer". NULL: there is none at that level. */
const char *limits_name(enum account_level level, enum account_kind kind);

struct limits_entry {
	const char *name;
	size_t value; /* 0: off */
	bool counted; /* by accounts, as: */
	enum account_level level;
	enum account_kind kind;
};

/* The limit number i, from 0 on, as --limit names it; false: there are no more. */
bool limits_entry(const struct limits *limits, size_t i, struct limits_entry *entry);

/*
 * "NAME=VALUE,..."; 0, or -EINVAL with a sentence in err. Sizes take k, M and G; "off" is for what
 * need not be limited.
 */
int limits_parse(struct limits *limits, const char *text, char *err, size_t errsize);

#endif
