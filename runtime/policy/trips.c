/*
 * trips.c - a call of a script's function, what is said when it fails, and its being set aside.
 *
 * A function that three times in ten seconds used up its time or the memory is set aside for ten:
 * it is not called, and has failed at once. Other errors do not count: they cost nobody time, and
 * a peer that could provoke three of them would decide over everybody else.
 */
#include "engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

enum { ASIDE_SECONDS = 10, FAILURES_PER_SECOND = 3 };

static void note_overrun(struct policy_engine *engine, const struct script *script,
			 struct hook *hook)
{
	uint64_t now = policy_clock(engine);

	hook->overruns[0] = hook->overruns[1];
	hook->overruns[1] = hook->overruns[2];
	hook->overruns[2] = now;
	if (!hook->overruns[0] || now - hook->overruns[0] > ASIDE_SECONDS * SECOND)
		return;
	hook->set_aside_until = now + ASIDE_SECONDS * SECOND;
	memset(hook->overruns, 0, sizeof(hook->overruns));
	policy_log(engine, "policy %s: %s is set aside for %d s after three overruns%s",
		   script->name, hook->name, ASIDE_SECONDS,
		   hook->decides ? "; its on_error answers" : "");
}

static void log_failure(struct policy_engine *engine, const struct script *script,
			struct hook *hook, const struct policy_failure *failure)
{
	unsigned suppressed;

	if (!policy_rate_take(engine, &hook->failures, FAILURES_PER_SECOND, &suppressed))
		return;
	if (suppressed)
		policy_log(engine, "policy %s: %u more failures of %s were not written",
			   script->name, suppressed, hook->name);
	policy_log(engine, "policy %s (%s): %s failed: %s", script->name, failure->where,
		   hook->name, failure->error);
}

static bool set_aside(const struct policy_engine *engine, struct hook *hook)
{
	if (!hook->set_aside_until)
		return false;
	if (policy_clock(engine) < hook->set_aside_until)
		return true;
	hook->set_aside_until = 0;
	return false;
}

void policy_format(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

/* These two are on the way of every answer. */
char *policy_put(char *at, const char *end, const char *text)
{
	const size_t room = (size_t)(end - at) - 1, len = strnlen(text, room);

	memcpy(at, text, len);
	at[len] = '\0';
	return at + len;
}

void policy_write_where(char *where, const struct script *script, int line)
{
	const char *end = where + POLICY_NAME_MAX;
	char digits[16], *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do
		*--digit = (char)('0' + line % 10);
	while (line /= 10);
	policy_put(policy_put(policy_put(where, end, script->file), end, ":"), end, digit);
}

bool policy_call(struct policy_engine *engine, struct script *script, struct hook *hook,
		 policy_body body, void *arg, unsigned budget_us, struct policy_failure *failure)
{
	enum policy_outcome outcome;

	if (set_aside(engine, hook)) {
		policy_format(failure->error, sizeof(failure->error),
			      "set aside after three overruns");
		policy_write_where(failure->where, script, hook->line);
		return false;
	}
	outcome = policy_enter(engine, script, body, arg, budget_us);
	if (outcome == ENTER_OK)
		return true;
	policy_format(failure->error, sizeof(failure->error), "%s", engine->error);
	policy_format(failure->where, sizeof(failure->where), "%s", engine->error_where);
	if (!failure->where[0])
		policy_write_where(failure->where, script, hook->line);
	log_failure(engine, script, hook, failure);
	if (outcome != ENTER_FAILED)
		note_overrun(engine, script, hook);
	return false;
}
