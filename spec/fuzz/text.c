/*
 * text.c - fuzz target: what is read from text: addresses, the agent's command line (listen
 * settings, --limit, --allow and the others), paths and URLs of resources.
 *
 *     input: which parser (1 byte) | the text
 *
 * What cannot be read is refused with a sentence, and what was read keeps its bounds.
 */
#include "address.h"
#include "agent_limits.h"
#include "allow.h"
#include "fuzz.h"
#include "fuzz_vaccel.h"
#include "listeners.h"
#include "options.h"
#include "vaccel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS = 8, REASON = 512 };

static void check_address(const struct ttrpc_address *address)
{
	fuzz_check(address->uri);
	switch (address->transport) {
	case TTRPC_UNIX:
		fuzz_check(address->path && address->path[0] && strlen(address->path) < 108);
		break;
	case TTRPC_TCP:
		fuzz_check(address->host && address->host[0] && address->port <= UINT16_MAX);
		break;
	case TTRPC_VSOCK:
		break;
	}
}

static void address(const char *text)
{
	struct ttrpc_address address, again;
	char err[REASON] = "";
	int code = ttrpc_address_parse(text, &address, err, sizeof(err));

	fuzz_check(code == 0 || (code == -EINVAL && err[0]));
	if (code)
		return;
	check_address(&address);
	ttrpc_address_is_loopback(&address);
	fuzz_check(ttrpc_address_parse(address.uri, &again, NULL, 0) == 0);
	fuzz_check(again.transport == address.transport && again.port == address.port &&
		   again.cid == address.cid);
	ttrpc_address_release(&again);
	ttrpc_address_release(&address);
}

static void limits(const char *text)
{
	struct limits limits = limits_default;
	char err[REASON] = "";
	int code = limits_parse(&limits, text, err, sizeof(err));

	fuzz_check(code == 0 || (code == -EINVAL && err[0]));
	fuzz_check(limits.frame >= 1 && limits.frame <= (size_t)1 << 30);
	fuzz_check(limits.frame_timeout >= 1 && limits.write_timeout >= 1);
}

static void allow(const char *text)
{
	struct allow allow = { 0 };
	char err[REASON] = "", described[2048];
	int code = allow_parse(&allow, text, err, sizeof(err));
	const struct allow_dir *dir;
	const char *beneath;

	fuzz_check(code == 0 || (code == -EINVAL && err[0]));
	fuzz_check(allow.nr_dirs <= ALLOW_DIRS_MAX);
	allow_describe(&allow, described, sizeof(described));
	/* What a peer then names: the same text, as far as it is a path. */
	if (allow_uri(&allow, text, &dir, &beneath, err, sizeof(err)) == 0 && dir)
		fuzz_check(dir >= allow.dirs && dir < allow.dirs + allow.nr_dirs && beneath);
	allow_release(&allow);
}

static void listen_text(const char *text)
{
	struct listen_option listen;
	char err[REASON];

	fuzz_check(listen_parse(&listen, text, err, sizeof(err)) == 0);
	check_address(&listen.address);
	fuzz_check(strnlen(listen.name, sizeof(listen.name)) < sizeof(listen.name));
	listen_release(&listen);
}

/* Arguments are lines. */
static void options(char *text)
{
	static char program[] = "vaccelrt-agent";
	char *args[ARGS + 2] = { program }, *line;
	struct options options;
	int count = 1, status;

	while (count <= ARGS && (line = strsep(&text, "\n")))
		args[count++] = line;
	options_init(&options);
	status = options_parse(&options, count, args);
	fuzz_check(status == -1 || status == EXIT_DONE || status == EXIT_USAGE);
	for (size_t i = 0; i < options.listens.count; i++)
		listen_text(options.listens.text[i]);
	if (status == -1)
		fuzz_check(options.listens.count > 0 && options.threads >= 1 &&
			   options.drain_timeout >= 0 && options.drain_timeout <= 86400);
	options_release(&options);
}

/* Nothing is opened or fetched yet. */
static void resource(const char *text)
{
	struct vaccel_resource res;

	if (vaccel_resource_init(&res, text, VACCEL_RESOURCE_DATA))
		return;
	fuzz_check(res.nr_paths == 1 && res.paths[0][0]);
	fuzz_check(vaccel_resource_release(&res) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	fuzz_check(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 5) {
	case 0:
		address(text);
		break;
	case 1:
		limits(text);
		break;
	case 2:
		allow(text);
		break;
	case 3:
		options(text);
		break;
	default:
		resource(text);
		break;
	}
	free(text);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_start_vaccel(NULL, false);
	return 0;
}
