/*
 * profile.c - see profile.h; and GetProfiler, which reads without resetting.
 *
 * A region keeps its first SAMPLES_MAX samples: so many of all regions fit into a frame that any
 * ttrpc peer takes.
 */
#include "profile.h"
#include "profiling.pb-c.h"
#include "reply.h"
#include "service.h"
#include "vaccel.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES_FIRST = 64, SAMPLES_MAX = 1 << 15 };

static const char component[] = "vaccel-rpc-agent";

/* Programs read these. */
static const char *const region_names[PROFILE_REGIONS] = {
	[PROFILE_READ_ARGS] = "[vaccel-rpc-agent] genop > read_args",
	[PROFILE_WRITE_ARGS] = "[vaccel-rpc-agent] genop > write_args",
	[PROFILE_GENOP] = "[vaccel-rpc-agent] genop > sess.genop",
	[PROFILE_RESPONSE] = "[vaccel-rpc-agent] genop > resp_write_args",
};

struct region {
	struct profile_sample *samples;
	size_t count, capacity;
};

struct profile {
	struct region regions[PROFILE_REGIONS];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct profile_samples *profile_samples_new(void)
{
	return vaccel_prof_enabled() ? calloc(1, sizeof(struct profile_samples)) : NULL;
}

void profile_begin(struct profile_samples *samples, enum profile_region region)
{
	if (samples)
		samples->region[region].start = now_ns();
}

void profile_end(struct profile_samples *samples, enum profile_region region)
{
	struct profile_sample *sample;

	if (!samples)
		return;
	sample = &samples->region[region];
	sample->time = now_ns() - sample->start;
	/* What a clock does not resolve was measured all the same. */
	sample->time += !sample->time;
}

static void region_add(struct region *region, const struct profile_sample *sample)
{
	if (!sample->time || region->count == SAMPLES_MAX)
		return;
	if (region->count == region->capacity) {
		size_t capacity = region->capacity ? region->capacity * 2 : SAMPLES_FIRST;
		struct profile_sample *samples =
			reallocarray(region->samples, capacity, sizeof(*samples));

		if (!samples)
			return;
		region->samples = samples;
		region->capacity = capacity;
	}
	region->samples[region->count++] = *sample;
}

void profile_add(struct profile **profile, const struct profile_samples *samples)
{
	size_t i;

	if (!samples)
		return;
	if (!*profile)
		*profile = calloc(1, sizeof(**profile));
	for (i = 0; *profile && i < PROFILE_REGIONS; i++)
		region_add(&(*profile)->regions[i], &samples->region[i]);
}

void profile_free(struct profile *profile)
{
	size_t i;

	for (i = 0; profile && i < PROFILE_REGIONS; i++)
		free(profile->regions[i].samples);
	free(profile);
}

/* A region as it is sent; what it points to is one block, freed when it was written. */
struct sent_region {
	Vaccel__Profiling__RegionEntry entry;
	Vaccel__Profiling__Region region;
	Vaccel__Profiling__Sample **list;
	Vaccel__Profiling__Sample *samples;
};

struct sent {
	struct sent_region regions[PROFILE_REGIONS];
	Vaccel__Profiling__RegionEntry *entries[PROFILE_REGIONS];
};

static int describe(struct sent_region *sent, const char *name, const struct region *region)
{
	size_t i;

	sent->list = calloc(region->count, sizeof(*sent->list));
	sent->samples = calloc(region->count, sizeof(*sent->samples));
	if (!sent->list || !sent->samples)
		return -1;
	for (i = 0; i < region->count; i++) {
		sent->list[i] = &sent->samples[i];
		vaccel__profiling__sample__init(sent->list[i]);
		sent->samples[i].start = region->samples[i].start;
		sent->samples[i].time = region->samples[i].time;
	}
	vaccel__profiling__region__init(&sent->region);
	sent->region.n_samples = region->count;
	sent->region.samples = sent->list;
	vaccel__profiling__region_entry__init(&sent->entry);
	sent->entry.key = (char *)name;
	sent->entry.value = &sent->region;
	return 0;
}

static void free_sent(struct sent *sent)
{
	size_t i;

	for (i = 0; i < PROFILE_REGIONS; i++) {
		free(sent->regions[i].list);
		free(sent->regions[i].samples);
	}
	free(sent);
}

/* The answer is packed when this returns: nothing in it is long enough to be referenced. */
static void reply_profile(struct ttrpc_request *request, const struct profile *profile)
{
	Vaccel__Profiling__Profiler profiler = VACCEL__PROFILING__PROFILER__INIT;
	Vaccel__Profiling__Response response = VACCEL__PROFILING__RESPONSE__INIT;
	struct sent *sent = calloc(1, sizeof(*sent));
	size_t i;

	for (i = 0; sent && i < PROFILE_REGIONS; i++) {
		if (!profile->regions[i].count)
			continue;
		if (describe(&sent->regions[i], region_names[i], &profile->regions[i])) {
			free_sent(sent);
			sent = NULL;
		} else {
			sent->entries[profiler.n_regions++] = &sent->regions[i].entry;
		}
	}
	if (!sent)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	profiler.component_name = (char *)component;
	profiler.regions = sent->entries;
	response.profiler = &profiler;
	ttrpc_request_reply(request, &response.base, NULL, NULL);
	free_sent(sent);
}

/* Nothing recorded, or no session of the peer's: no profiler. */
static void get_profiler(struct connection *connection, struct ttrpc_request *request,
			 const ProtobufCMessage *message)
{
	const Vaccel__Profiling__Request *get = (const Vaccel__Profiling__Request *)message;
	const struct session *session = connection_session(connection, get->session_id);
	Vaccel__Profiling__Response nothing = VACCEL__PROFILING__RESPONSE__INIT;

	if (get->session_id <= 0)
		reply_invalid_id(request, get->session_id);
	else if (session && session->profile)
		reply_profile(request, session->profile);
	else
		ttrpc_request_reply(request, &nothing.base, NULL, NULL);
}

const struct method profiling_methods[] = {
	{ "GetProfiler", &vaccel__profiling__request__descriptor, get_profiler },
	{ NULL, NULL, NULL },
};
