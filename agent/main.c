/*
 * main.c - vaccelrt-agent: start everything in order, say what there is, serve, leave.
 */
#include "agent.h"
#include "allow.h"
#include "answers.h"
#include "backend.h"
#include "bounds.h"
#include "config.h"
#include "connection.h"
#include "control.h"
#include "decide.h"
#include "lifecycle.h"
#include "log.h"
#include "metrics_server.h"
#include "pressure.h"
#include "service.h"
#include "vaccel.h"
#include "vaccel_start.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* VACCEL_POLICY is for applications: the agent's scripts are its operator's. See app_policy.h. */
extern const bool luaccel_own_policy;
__attribute__((visibility("default"))) const bool luaccel_own_policy = true;

uint64_t agent_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void policy_log(void *ctx, const char *line)
{
	(void)ctx;
	log_info("%s", line);
}

/* Scripts run only once there is an agent. */
static bool policy_backend(void *ctx, const char *name, struct policy_backend_view *view)
{
	const struct lifecycle *life = ctx;

	return decide_backend(life->agent, name, view);
}

static enum policy_support policy_supports(void *ctx, const char *name, const char *operation)
{
	const struct lifecycle *life = ctx;

	return decide_supports(life->agent, name, operation);
}

static void server_log(void *ctx, const char *line)
{
	(void)ctx;
	log_warn("%s", line);
}

static int start_policy(struct agent *agent, const struct options *options)
{
	char err[1024];

	if (backends_from_plugins(agent)) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	if (options->scripts.count) {
		agent->policy = agent->engine;
		if (decide_load(agent, (const char *const *)options->scripts.text,
				options->scripts.count, err, sizeof(err))) {
			log_error("%s", err);
			return EXIT_FAILED;
		}
		backends_await(agent);
	}
	if (backends_count(agent, true))
		return -1;
	if (backends_count(agent, false)) {
		log_error("no backend is up: mend one of those above, or declare another");
		return EXIT_FAILED;
	}
	log_warn("no plugin loaded: every session gets ENOTSUP (95); set VACCEL_PLUGINS or declare "
		 "backends");
	return -1;
}

/* The agent's lock, for ttrpc's calls that need nothing of it. */
static void server_release(void *ctx)
{
	loops_release(&((struct agent *)ctx)->loops);
}

static void server_acquire(void *ctx)
{
	loops_acquire(&((struct agent *)ctx)->loops);
}

/* Connections are the loops' in turn, the first loop's first. */
static int spread(struct agent *agent)
{
	struct ev_loop *others[LOOPS_MAX];
	unsigned i;

	for (i = 1; i < agent->loops.count; i++)
		others[i - 1] = agent->loops.loop[i]->ev;
	if (agent->loops.count > 1)
		log_info("%u loops", agent->loops.count);
	return ttrpc_server_spread(agent->server, others, agent->loops.count - 1);
}

static int start_server(struct agent *agent)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = connection_opened,
		.request = service_request,
		.stream = service_stream,
		.closed = connection_closed,
		.usage = connection_usage,
		.refused = service_refused,
		.share = connection_share,
		.unshare = connection_unshare,
		.forget = connection_forget,
		.release = server_release,
		.acquire = server_acquire,
		.log = server_log,
	};
	const struct ttrpc_server_limits limits = bounds_of_server(agent);
	int ret = ttrpc_server_new(agent->loop, &handlers, agent, &limits, &agent->server);

	return ret ? ret : spread(agent);
}

/* Guests' addresses, then what operators use. -1, or the status to leave with. */
static int start_listening(struct lifecycle *life, struct metrics_server **metrics)
{
	struct agent *agent = life->agent;
	const struct options *options = life->options;
	char err[512];
	size_t i;

	for (i = 0; i < options->listens.count; i++)
		if (!listeners_add(&agent->listeners, options->listens.text[i], err, sizeof(err)))
			goto failed;
	listeners_settle(&agent->listeners, true);
	if (options->control &&
	    control_new(life, options->control, &life->control, err, sizeof(err)))
		goto failed;
	if (options->metrics &&
	    metrics_server_new(agent, options->metrics, metrics, err, sizeof(err)))
		goto failed;
	return -1;

failed:
	log_error("%s", err);
	return EXIT_FAILED;
}

static int serve(struct lifecycle *life)
{
	struct agent *agent = life->agent;
	struct metrics_server *metrics = NULL;
	int status = start_policy(agent, life->options);

	if (status >= 0)
		return status;
	lifecycle_start(life);
	status = life->options->check ? EXIT_DONE : start_listening(life, &metrics);
	if (status < 0) {
		log_info("Server is running, press Ctrl + C to exit");
		lifecycle_notify("READY=1");
		status = EXIT_DONE;
		if (pool_serve(agent->pool)) {
			log_error("cannot serve: no thread to be had");
			status = EXIT_FAILED;
		} else {
			log_info("drained, leaving");
		}
	}
	lifecycle_stop(life);
	metrics_server_free(metrics);
	control_free(life->control);
	return status;
}

/* What strangers may do is said where the operator looks. -1, or the status to leave with. */
static int start_allow(struct allow *allow)
{
	char text[2048], err[512];

	if (allow_open(allow, err, sizeof(err))) {
		log_error("%s", err);
		return EXIT_FAILED;
	}
	allow_describe(allow, text, sizeof(text));
	if (text[0])
		log_info("allowed beyond the default: %s", text);
	if (allow->exec)
		log_warn("--allow exec: every peer that a policy does not refuse can run any code "
			 "as this user");
	return -1;
}

static int run(struct lifecycle *life, struct policy_engine *engine)
{
	static struct agent agent; /* zeroed; too large for comfort on a stack */
	struct options *options = life->options;
	int status = EXIT_FAILED;

	life->agent = &agent;
	agent.started_us = agent_now_us();
	agent.engine = engine;
	agent.threads = options->threads;
	if (getrandom(&agent.instance, sizeof(agent.instance), 0) != sizeof(agent.instance)) {
		log_error("no random numbers to be had: %s", strerror(errno));
		return status;
	}
	agent.core = luaccel_core(LUACCEL_CORE_VERSION);
	agent.loop = ev_default_loop(0);
	if (!agent.core || !agent.loop) {
		log_error(agent.core ? "no event loop"
				     : "libvaccel is of another version than the agent");
		return status;
	}
	if (loops_open(&agent.loops, agent.loop, options->loops)) {
		log_error("cannot start: no memory or descriptors for %u loops", options->loops);
		return status;
	}
	bounds_set(&agent, options);
	accounts_init(&agent.accounts, &agent.limits);
	aftermath_init(&agent);
	timers_start(&agent);
	waiting_init(&agent);
	log_info("vaccelrt-agent %s (luaccel)", VACCEL_VERSION);
	log_info("%s", policy_engine_describe(engine));
	agent.allow = &options->allow;
	if (pool_new(&agent.loops, options->threads, &agent.pool) || start_server(&agent) ||
	    pressure_new(&agent) || contents_init(&agent.contents)) {
		log_error("cannot start: no memory, thread or random numbers to be had");
	} else if ((status = start_allow(&options->allow)) < 0) {
		agent.listeners.server = agent.server;
		agent.listeners.plaintext = options->allow.plaintext;
		status = serve(life);
	}

	timers_stop(&agent);
	aftermath_finish(&agent);
	record_release(&agent);
	if (agent.server)
		ttrpc_server_free(agent.server);
	pressure_free(&agent);
	pool_free(agent.pool);
	backends_free(&agent);
	metrics_release(&agent.metrics);
	if (agent.policy)
		policy_activate(agent.policy, NULL);
	answers_settle(&agent);
	loops_close(&agent.loops);
	ev_loop_destroy(agent.loop);
	return status;
}

/* Settings, then libvaccel by them, then all the rest. */
static int start(struct lifecycle *life, struct policy_engine *engine)
{
	struct options *options = life->options;
	int status = config_read(options, engine, life->argc, life->argv);

	if (status < 0)
		status = vaccel_start(options->vaccel_config, options->why, sizeof(options->why));
	if (status < 0) {
		log_open(vaccel_config()->log_level >= VACCEL_LOG_DEBUG ? LOG_LEVEL_DEBUG
									: LOG_LEVEL_INFO);
		return run(life, engine);
	}
	if (options->why[0])
		fprintf(stderr, "vaccelrt-agent: %s%s\n", options->why,
			status == EXIT_USAGE ? "; see vaccelrt-agent --help" : "");
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct lifecycle life = { .options = &options, .argc = argc, .argv = argv };
	const struct policy_engine_options engine_options = {
		.stop_signal = SIGRTMIN,
		.log = policy_log,
		.backend = policy_backend,
		.supports = policy_supports,
		.ctx = &life,
	};
	struct policy_engine *engine;
	char err[256];
	int status;

	/* Plugins print there; a person who follows a pipe wants whole lines at once. */
	fflush(stdout);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Settings may stand in a file in Lua. */
	if (policy_engine_new(&engine_options, &engine, err, sizeof(err))) {
		fprintf(stderr, "vaccelrt-agent: %s\n", err);
		return EXIT_FAILED;
	}
	status = start(&life, engine);
	policy_engine_free(engine);
	options_release(&options);
	return status;
}
