/*
 * luaccel.h - the operator's program: what its files share.
 *
 *   main.c      the command line
 *   call.c      calls on the control socket, and what is said when one fails
 *   json.c      JSON on stdout
 *   info.c, sessions.c, listen.c, ping.c    a family of commands each
 *   check.c     policy check, which needs no agent
 *   record.c    policy record
 *   lua.c       policy test, explain and replay, which are written in Lua (lua/luaccel/)
 *
 * One thread; each command makes its calls, prints, and ends with an exit status.
 */
#ifndef LUACCEL_PROGRAM_H
#define LUACCEL_PROGRAM_H

#include "client.h"
#include "control.pb-c.h"
#include <stdbool.h>
#include <stdint.h>

#define CONTROL_SERVICE "luaccel.v1.Control"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_NOBODY = 3 };

/* Of one kind, in policy explain. */
enum { QUESTIONS_MAX = 64 };

struct luaccel {
	const char *control; /* --control; NULL: where one is looked for */
	bool json;
	unsigned count;	      /* of pings */
	unsigned show;	      /* so many differences, of a replay */
	double seconds;	      /* of a recording; 0: no end of its own */
	const char *backends; /* that scripts may name undeclared, "a,b"; NULL: none */
	const char *down;     /* of the backends, "a,b"; NULL: none */
	/* --session and --op, with a NULL behind the last */
	const char *sessions[QUESTIONS_MAX + 1], *ops[QUESTIONS_MAX + 1];
};

/*
 * Commands: their words after the command's own name, as many as it takes, and a NULL. An exit
 * status.
 */
int info_command(const struct luaccel *luaccel, char **words);
int sessions_command(const struct luaccel *luaccel, char **words);
int session_command(const struct luaccel *luaccel, char **words);
int close_command(const struct luaccel *luaccel, char **words);
int drain_command(const struct luaccel *luaccel, char **words);
int reload_command(const struct luaccel *luaccel, char **words);
int listen_list_command(const struct luaccel *luaccel, char **words);
int listen_add_command(const struct luaccel *luaccel, char **words);
int listen_rm_command(const struct luaccel *luaccel, char **words);
int ping_command(const struct luaccel *luaccel, char **words);
int policy_check_command(const struct luaccel *luaccel, char **words);
int policy_test_command(const struct luaccel *luaccel, char **words);
int policy_explain_command(const struct luaccel *luaccel, char **words);
int policy_reference_command(const struct luaccel *luaccel, char **words);
int policy_record_command(const struct luaccel *luaccel, char **words);
int policy_replay_command(const struct luaccel *luaccel, char **words);

/* "luaccel: ..." on stderr; returns `status`. */
__attribute__((format(printf, 2, 3))) int say_error(int status, const char *format, ...);

/* Connect to the control socket. STATUS_DONE, or it has been said why not. */
int control_reach(const struct luaccel *luaccel, struct ttrpc_client **client);

/*
 * One call of the service Control. STATUS_DONE: the answer is there, and is to be released with
 * ttrpc_answer_release(); otherwise it has been said why.
 */
int control_call(const struct luaccel *luaccel, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *type, struct ttrpc_answer *answer);
/* The same for one whose answer is a sentence, which is printed. */
int control_say(const struct luaccel *luaccel, const char *method, const ProtobufCMessage *request);

/* The addresses of an agent, as an array. */
void listeners_to_json(const char *name, const Luaccel__V1__InfoResponse *info);

/* ---- json.c: members of an object, or of an array when name is NULL; commas come by themselves */

void json_open(const char *name, char bracket);
void json_close(char bracket); /* ends the line with the outermost */
void json_text(const char *name, const char *value);
void json_number(const char *name, uint64_t value);
void json_seconds(const char *name, double value);
void json_bool(const char *name, bool value);

#endif
