/*
 * ping.c - luaccel ping: an agent by the address that guests use, asked as a guest would ask.
 *
 * The question is the Hello of our own two ends. A plain vAccel agent does not know it, and says
 * so, which is an answer too. One that refuses us says why.
 */
#include "frame.h"
#include "luaccel.h"
#include "peer.pb-c.h"
#include "vaccel.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CONNECT_MS = 5000 };

static const int64_t TIMEOUT = INT64_C(5) * 1000 * 1000 * 1000;

struct ping {
	double least, most, sum; /* ms */
	bool is_plain;
	char build[64];
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void note(struct ping *ping, const struct ttrpc_answer *answer)
{
	const Luaccel__V1__HelloResponse *hello;

	ping->is_plain = answer->status.code != TTRPC_OK;
	if (ping->is_plain)
		return;
	hello = (const Luaccel__V1__HelloResponse *)answer->response;
	snprintf(ping->build, sizeof(ping->build), "%s", hello->build);
}

/* By its policy, or for a limit: we are told no more than that. */
static bool is_refusal(const struct ttrpc_status *status)
{
	return status->code == TTRPC_PERMISSION_DENIED || status->code == TTRPC_RESOURCE_EXHAUSTED;
}

static int ping_once(struct ttrpc_client *client, const char *uri, struct ping *ping)
{
	Luaccel__V1__HelloRequest request = LUACCEL__V1__HELLO_REQUEST__INIT;
	char build[] = VACCEL_VERSION;
	struct ttrpc_answer answer;
	double took = now_ms();
	int ret;

	request.build = build;
	request.frame_max = TTRPC_FRAME_DEFAULT;
	ret = ttrpc_client_call(client, "luaccel.v1.Peer", "Hello", &request.base,
				&luaccel__v1__hello_response__descriptor, TIMEOUT, &answer);
	if (ret)
		return say_error(STATUS_NOBODY, "%s: no answer: %s", uri, strerror(-ret));
	took = now_ms() - took;
	if (is_refusal(&answer.status))
		ret = say_error(STATUS_FAILED, "%s: %s", uri,
				answer.status.message ? answer.status.message : "refused");
	else
		note(ping, &answer);
	ttrpc_answer_release(&answer);
	ping->sum += took;
	ping->least = took < ping->least ? took : ping->least;
	ping->most = took > ping->most ? took : ping->most;
	return ret;
}

static void report(const struct luaccel *luaccel, const char *uri, const struct ping *ping)
{
	const double mean = ping->sum / luaccel->count;

	if (!luaccel->json) {
		printf("%s: %s%s, %u times, round trip %.3f/%.3f/%.3f ms (least/mean/most)\n", uri,
		       ping->is_plain ? "a plain vAccel agent" : "luaccel ", ping->build,
		       luaccel->count, ping->least, mean, ping->most);
		return;
	}
	json_open(NULL, '{');
	json_text("uri", uri);
	json_bool("luaccel", !ping->is_plain);
	json_text("version", ping->build);
	json_number("count", luaccel->count);
	json_seconds("least", ping->least / 1e3);
	json_seconds("mean", mean / 1e3);
	json_seconds("most", ping->most / 1e3);
	json_close('}');
}

int ping_command(const struct luaccel *luaccel, char **words)
{
	const struct ttrpc_client_options options = { .connect_timeout_ms = CONNECT_MS };
	struct ping ping = { .least = 1e9 };
	struct ttrpc_address address;
	struct ttrpc_client *client;
	char err[512];
	unsigned i;
	int ret;

	if (ttrpc_address_parse(words[0], &address, err, sizeof(err)))
		return say_error(STATUS_USAGE, "%s", err);
	ret = ttrpc_client_new(&address, &options, &client, err, sizeof(err));
	ttrpc_address_release(&address);
	if (ret)
		return say_error(STATUS_NOBODY, "%s", err);
	for (i = 0; i < luaccel->count && !ret; i++)
		ret = ping_once(client, words[0], &ping);
	ttrpc_client_unref(client);
	if (!ret)
		report(luaccel, words[0], &ping);
	return ret;
}
