/* policy_support.c - see policy_support.h. */
#include "policy_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void policy_take_line(void *ctx, const char *line)
{
	struct fixture *f = ctx;
	size_t len = strlen(f->log);

	assert_null(strchr(line, '\n'));
	snprintf(f->log + len, sizeof(f->log) - len, "%s\n", line);
}

static bool view_backend(void *ctx, const char *name, struct policy_backend_view *view)
{
	const struct fixture *f = ctx;

	*view = f->cpu;
	return strcmp(name, "cpu") == 0;
}

/* cpu has noop, and not exec. */
static enum policy_support supports(void *ctx, const char *name, const char *operation)
{
	(void)ctx;
	if (strcmp(operation, "noop") != 0 && strcmp(operation, "exec") != 0)
		return POLICY_SUPPORT_NO_OPERATION;
	if (strcmp(name, "cpu") != 0)
		return POLICY_SUPPORT_UNKNOWN;
	return strcmp(operation, "noop") == 0 ? POLICY_SUPPORT_YES : POLICY_SUPPORT_NO;
}

int policy_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct policy_engine_options options = {
		.stop_signal = SIGRTMIN,
		.log = policy_take_line,
		.backend = view_backend,
		.supports = supports,
		.ctx = f,
	};
	struct policy_peer peer = {
		.transport = "unix",
		.has_credentials = true,
		.uid = 1000,
		.gid = 100,
		.pid = 4711,
		.listener = "main",
	};

	f->cpu.up = true;
	snprintf(f->dir, sizeof(f->dir), "/tmp/policy-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	if (policy_engine_new(&options, &f->engine, f->err, sizeof(f->err)))
		return -1;
	*state = f;
	return policy_session_new(f->engine, 7, 3, &peer, &f->session);
}

int policy_teardown(void **state)
{
	struct fixture *f = *state;

	policy_session_free(f->engine, f->session);
	policy_engine_free(f->engine);
	for (int i = 0; i < NR_SCRIPT_FILES; i++)
		unlink(policy_path(f, i));
	rmdir(f->dir);
	free(f);
	return 0;
}

const char *policy_path(struct fixture *f, int which)
{
	static char paths[NR_SCRIPT_FILES][96];

	snprintf(paths[which], sizeof(paths[which]), "%s/%c.lua", f->dir, 'p' + which);
	return paths[which];
}

void policy_write(struct fixture *f, int which, const char *text)
{
	FILE *file = fopen(policy_path(f, which), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

int policy_try(struct fixture *f, const char *text_p, const char *text_q,
	       struct policy_generation **generation)
{
	const char *paths[] = { policy_path(f, SCRIPT_P), policy_path(f, SCRIPT_Q) };
	const char *known[] = { "noop" };

	f->err[0] = f->log[0] = '\0';
	policy_write(f, SCRIPT_P, text_p);
	if (text_q)
		policy_write(f, SCRIPT_Q, text_q);
	return policy_load(f->engine, paths, text_q ? 2 : 1, known, 1, generation, f->err,
			   sizeof(f->err));
}

void policy_fails_to_load(struct fixture *f, const char *text, const char *err)
{
	struct policy_generation *generation;

	assert_int_equal(policy_try(f, text, NULL, &generation), -1);
	assert_string_equal(f->err, err);
}

void policy_use(struct fixture *f, const char *text_p, const char *text_q)
{
	struct policy_generation *generation;

	if (policy_try(f, text_p, text_q, &generation))
		fail_msg("%s", f->err);
	policy_activate(f->engine, generation);
}

const char *policy_describe(const struct policy_decision *d)
{
	static const char *const words[] = {
		[POLICY_ROUTE] = "route",
		[POLICY_RETRY] = "retry",
		[POLICY_MIRROR] = "mirror",
	};
	static char text[1024];
	size_t n;

	if (d->verdict == POLICY_PASS)
		return "pass";
	if (d->verdict == POLICY_REJECT) {
		snprintf(text, sizeof(text), "reject %d @%s %s", d->code, d->where, d->text);
		return text;
	}
	if (d->verdict == POLICY_WAIT) {
		snprintf(text, sizeof(text), "wait %g s, or %d @%s %s", d->wait.seconds, d->code,
			 d->where, d->text);
		return text;
	}
	n = (size_t)snprintf(text, sizeof(text), "%s ", words[d->verdict]);
	for (size_t i = 0; i < d->nr_backends; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "",
				      d->backends[i]);
	snprintf(text + n, sizeof(text) - n, " @%s", d->where);
	return text;
}

const char *policy_route(struct fixture *f)
{
	struct policy_decision decision;

	policy_session_route(f->engine, f->session, &decision);
	return policy_describe(&decision);
}

const char *policy_admit(struct fixture *f, const char *name, size_t bytes)
{
	struct policy_op op = { .name = name, .id = 99, .backend = "cpu", .bytes_in = bytes };
	struct policy_decision decision;

	policy_op_admit(f->engine, f->session, &op, &decision);
	return policy_describe(&decision);
}

void policy_done(struct fixture *f, const char *name, int code)
{
	struct policy_op op = { .name = name, .id = 99, .backend = "cpu", .bytes_in = 5 };
	struct policy_result result = {
		.code = code,
		.backend = "test",
		.queue_us = 11,
		.service_us = 22,
		.bytes_out = 33,
	};

	policy_op_done(f->engine, f->session, &op, &result);
}
