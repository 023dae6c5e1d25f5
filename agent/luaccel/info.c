/*
 * info.c - luaccel info, drain, reload: the agent as a whole.
 */
#include "luaccel.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_bytes(const char *limit)
{
	static const char *const names[] = { "held", "decoded", "memory", "disk", "frame" };
	const size_t length = strcspn(limit, "-");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && !strncmp(names[i], limit, length))
			return strcmp(limit, "frame-timeout") != 0;
	return false;
}

/* "12.5M" of bytes, the number of what else is counted. */
static const char *amount(const char *limit, uint64_t value, char *buf, size_t size)
{
	static const char units[] = " kMGT";
	double scaled = (double)value;
	unsigned unit = 0;

	while (is_bytes(limit) && scaled >= 1024 && units[unit + 1]) {
		scaled /= 1024;
		unit++;
	}
	if (unit)
		snprintf(buf, size, "%.4g%c", scaled, units[unit]);
	else
		snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

static void print_limit(const Luaccel__V1__LimitInfo *limit)
{
	char max[32], used[32];

	if (limit->max)
		amount(limit->name, limit->max, max, sizeof(max));
	else
		snprintf(max, sizeof(max), limit->counted ? "none" : "off");
	printf("  %-18s %9s", limit->name, max);
	if (limit->counted)
		printf("  %9s used%s", amount(limit->name, limit->used, used, sizeof(used)),
		       limit->max && limit->used >= limit->max ? ", full" : "");
	putchar('\n');
}

static const char *state_of(const Luaccel__V1__BackendInfo *backend)
{
	return backend->up ? "up" : backend->probing ? "probing" : "down";
}

static void print_backend(const Luaccel__V1__BackendInfo *backend)
{
	size_t i;

	printf("backend %s: %s%s%s%s%s", backend->name, backend->target,
	       backend->target[0] ? ", " : "", state_of(backend), backend->up ? "" : ": ",
	       backend->why);
	if (backend->up)
		printf(", %" PRIu64 " in flight:", backend->inflight);
	for (i = 0; i < backend->n_operations; i++)
		printf("%s %s", i ? "," : "", backend->operations[i]);
	putchar('\n');
}

static void print_listener(const Luaccel__V1__ListenerInfo *listener)
{
	printf("listens at %s", listener->uri);
	if (strcmp(listener->name, listener->uri) != 0)
		printf(" as %s", listener->name);
	putchar('\n');
}

static void print_loops(const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	if (info->n_loops < 2)
		return;
	printf("%zu loops, of so many connections:", info->n_loops);
	for (i = 0; i < info->n_loops; i++)
		printf(" %" PRIu64, info->loops[i]);
	putchar('\n');
}

static void print_info(const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	printf("vaccelrt-agent %s (luaccel), process %" PRIu32 ", up %.0f s%s\n", info->version,
	       info->pid, info->uptime, info->draining ? ", draining" : "");
	printf("%s\n", info->lua);
	printf("%" PRIu64 " connections, %" PRIu64 " sessions, %" PRIu64 " operations under way\n",
	       info->connections, info->sessions, info->operations);
	print_loops(info);
	for (i = 0; i < info->n_backends; i++)
		print_backend(info->backends[i]);
	for (i = 0; i < info->n_policies; i++)
		printf("policy %s: %s\n", info->policies[i]->name, info->policies[i]->file);
	for (i = 0; i < info->n_listeners; i++)
		print_listener(info->listeners[i]);
	puts("limits (of one peer or connection: what the one uses that uses most)");
	for (i = 0; i < info->n_limits; i++)
		print_limit(info->limits[i]);
}

static void backends_to_json(const Luaccel__V1__InfoResponse *info)
{
	size_t i, n;

	json_open("backends", '[');
	for (i = 0; i < info->n_backends; i++) {
		const Luaccel__V1__BackendInfo *backend = info->backends[i];

		json_open(NULL, '{');
		json_text("name", backend->name);
		json_text("target", backend->target);
		json_bool("up", backend->up);
		json_text("state", state_of(backend));
		json_text("why", backend->why);
		json_number("inflight", backend->inflight);
		json_open("operations", '[');
		for (n = 0; n < backend->n_operations; n++)
			json_text(NULL, backend->operations[n]);
		json_close(']');
		json_close('}');
	}
	json_close(']');
}

static void limits_to_json(const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	json_open("limits", '{');
	for (i = 0; i < info->n_limits; i++) {
		json_open(info->limits[i]->name, '{');
		json_number("max", info->limits[i]->max);
		if (info->limits[i]->counted)
			json_number("used", info->limits[i]->used);
		json_close('}');
	}
	json_close('}');
}

static void info_to_json(const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	json_open(NULL, '{');
	json_text("version", info->version);
	json_text("lua", info->lua);
	json_number("pid", info->pid);
	json_seconds("uptime", info->uptime);
	json_bool("draining", info->draining);
	json_number("connections", info->connections);
	json_number("sessions", info->sessions);
	json_number("operations", info->operations);
	json_number("generation", info->generation);
	json_open("loops", '[');
	for (i = 0; i < info->n_loops; i++)
		json_number(NULL, info->loops[i]);
	json_close(']');
	json_open("policies", '[');
	for (i = 0; i < info->n_policies; i++) {
		json_open(NULL, '{');
		json_text("name", info->policies[i]->name);
		json_text("file", info->policies[i]->file);
		json_close('}');
	}
	json_close(']');
	backends_to_json(info);
	listeners_to_json("listeners", info);
	limits_to_json(info);
	json_close('}');
}

int info_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ControlRequest request = LUACCEL__V1__CONTROL_REQUEST__INIT;
	struct ttrpc_answer answer;
	int ret = control_call(luaccel, "Info", &request.base,
			       &luaccel__v1__info_response__descriptor, &answer);

	(void)words;
	if (ret)
		return ret;
	if (luaccel->json)
		info_to_json((const Luaccel__V1__InfoResponse *)answer.response);
	else
		print_info((const Luaccel__V1__InfoResponse *)answer.response);
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}

int drain_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ControlRequest request = LUACCEL__V1__CONTROL_REQUEST__INIT;

	(void)words;
	return control_say(luaccel, "Drain", &request.base);
}

int reload_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ControlRequest request = LUACCEL__V1__CONTROL_REQUEST__INIT;

	(void)words;
	return control_say(luaccel, "Reload", &request.base);
}
