/*
 * main.c - vaccelrt-agent: start everything in order, say what there is, serve, leave.
 *
 * libvaccel bootstraps itself from the environment before main() runs, or from --vaccel-config.
 */
#include "agent.h"
#include "backend.h"
#include "connection.h"
#include "decide.h"
#include "lifecycle.h"
#include "log.h"
#include "luaccel.h"
#include "options.h"
#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

static void server_log(void *ctx, const char *line)
{
	(void)ctx;
	log_warn("%s", line);
}

/* As guides for --vaccel-config have it; what would be bootstrapped twice is then bootstrapped
 * once. */
static bool constructor_is_off(void)
{
	const char *enabled = getenv("VACCEL_BOOTSTRAP_ENABLED");

	return enabled && !strcmp(enabled, "0");
}

/* libvaccel says on stderr why it could not start. */
static int start_vaccel(const struct options *options)
{
	char reason[512] = "";
	int status;

	if (options->vaccel_config) {
		status = options_configure_vaccel(options->vaccel_config);
		if (status >= 0)
			return status;
	} else if (constructor_is_off()) {
		vaccel_bootstrap();
	}
	if (vaccel_is_initialized())
		return -1;
	luaccel_last_error(reason, sizeof(reason));
	fprintf(stderr, "vaccelrt-agent: libvaccel did not start%s%s\n", reason[0] ? ": " : "",
		reason);
	return EXIT_FAILED;
}

static int start_policy(struct agent *agent, struct policy_engine *engine,
			const struct options *options)
{
	char err[1024];

	if (backends_from_plugins(agent)) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	if (options->nr_scripts) {
		agent->policy = engine;
		if (decide_load(agent, options->scripts, options->nr_scripts, err, sizeof(err))) {
			log_error("%s", err);
			return EXIT_FAILED;
		}
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

static unsigned local_cid(void)
{
	int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
	unsigned cid = VMADDR_CID_ANY;

	if (fd < 0)
		return cid;
	if (ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid))
		cid = VMADDR_CID_ANY;
	close(fd);
	return cid;
}

static void say_address(const struct ttrpc_listener *listener)
{
	const struct ttrpc_address *address = ttrpc_listener_address(listener);

	log_info("vaccel ttRPC server started. address: %s", address->uri);
	if (ttrpc_listener_any_cid(listener))
		log_warn(
			"%s: CID %u is not this machine's (%d): every guest is accepted; to admit "
			"only CID %u: session_route = function (s) if s.peer.cid ~= %u then return "
			"reject(\"not this guest\") end end",
			address->uri, address->cid, (int)local_cid(), address->cid, address->cid);
}

static int start_listening(struct agent *agent, struct options *options,
			   struct ttrpc_listener **listeners)
{
	char err[512];
	size_t i;

	for (i = 0; i < options->nr_listens; i++) {
		const struct listen_option *listen = &options->listens[i];

		if (ttrpc_server_listen(agent->server, &listen->address, &listen->options,
					listen->name, &listeners[i], err, sizeof(err))) {
			log_error("%s", err);
			return EXIT_FAILED;
		}
		if (listen->has_owner && chown(listen->address.path, listen->uid, listen->gid)) {
			log_error("%s: cannot be given to owner %u:%u: %s", listen->address.uri,
				  listen->uid, listen->gid, strerror(errno));
			return EXIT_FAILED;
		}
		say_address(listeners[i]);
	}
	return -1;
}

/* Leave descriptors for listeners, plugins and files: 80 % of what there are, at most. */
static unsigned connections_max(const struct limits *limits)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur / 5 * 4 >= limits->connections)
		return (unsigned)limits->connections;
	return (unsigned)(files.rlim_cur / 5 * 4);
}

static int start_server(struct agent *agent)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = connection_opened,
		.request = service_request,
		.closed = connection_closed,
		.log = server_log,
	};
	const struct limits *limits = &agent->limits;
	struct ttrpc_server_limits server_limits = {
		.frame_max = limits->frame,
		.held_max = limits->held,
		.out_max = limits->held,
		.streams_max = (unsigned)limits->streams,
		.connections_max = connections_max(limits),
		.frame_timeout = (double)limits->frame_timeout,
		.write_timeout = (double)limits->write_timeout,
	};

	return ttrpc_server_new(agent->loop, &handlers, agent, &server_limits, &agent->server);
}

static int serve(struct agent *agent, struct policy_engine *engine, struct options *options)
{
	struct ttrpc_listener *listeners[OPTIONS_ADDRESSES_MAX + 1] = { NULL };
	struct lifecycle life = { .agent = agent, .options = options, .listeners = listeners };
	int status = start_policy(agent, engine, options);

	if (status >= 0)
		return status;
	lifecycle_start(&life);
	status = options->check ? EXIT_DONE : start_listening(agent, options, listeners);
	if (status < 0) {
		log_info("Server is running, press Ctrl + C to exit");
		lifecycle_notify("READY=1");
		ev_run(agent->loop, 0);
		log_info("drained, leaving");
		status = EXIT_DONE;
	}
	lifecycle_stop(&life);
	return status;
}

static int run(struct options *options)
{
	static struct agent agent; /* zeroed; too large for comfort on a stack */
	const struct policy_engine_options engine_options = { .log = policy_log };
	struct policy_engine *engine = NULL;
	char err[256];
	int status = EXIT_FAILED;

	agent.limits = options->limits;
	if (!agent.limits.executing)
		agent.limits.executing = (options->threads + 1) / 2;
	agent.core = luaccel_core(LUACCEL_CORE_VERSION);
	agent.loop = ev_default_loop(0);
	if (!agent.core || !agent.loop) {
		log_error(agent.core ? "no event loop"
				     : "libvaccel is of another version than the agent");
		return status;
	}
	/* Those that are being freed still count there. */
	agent.core->limit_resources(2 * agent.limits.resources_total);
	aftermath_init(&agent);
	log_info("vaccelrt-agent %s (luaccel)", VACCEL_VERSION);
	if (policy_engine_new(&engine_options, &engine, err, sizeof(err))) {
		log_error("%s", err);
		return status;
	}
	log_info("%s", policy_engine_describe(engine));
	if (pool_new(agent.loop, options->threads, &agent.pool) || start_server(&agent))
		log_error("cannot start: no memory, or no thread, to be had");
	else
		status = serve(&agent, engine, options);

	aftermath_finish(&agent);
	if (agent.server)
		ttrpc_server_free(agent.server);
	pool_free(agent.pool);
	backends_free(&agent);
	policy_engine_free(engine);
	ev_loop_destroy(agent.loop);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	/* Plugins print there; a person who follows a pipe wants whole lines at once. */
	fflush(stdout);
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = options_parse(&options, argc, argv);
	if (status < 0)
		status = start_vaccel(&options);
	if (status < 0) {
		log_open(vaccel_config()->log_level >= VACCEL_LOG_DEBUG ? LOG_LEVEL_DEBUG
									: LOG_LEVEL_INFO);
		status = run(&options);
	}
	options_release(&options);
	return status;
}
