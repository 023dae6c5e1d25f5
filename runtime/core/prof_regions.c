/*
 * prof_regions.c - the functions of prof.h, which do nothing with profiling off. A region is its
 * caller's memory; its samples, and its name where it says so, are its own. Any thread.
 */
#include "last_error.h"
#include "logging.h"
#include "profiling.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 256 };

/* Programs read these lines. */
#define LINE "[prof] %s: total_time: %" PRIu64 " nsec nr_entries: %zu"

bool vaccel_prof_enabled(void)
{
	return prof_enabled();
}

static int no_region(const char *doing)
{
	return fail(VACCEL_EINVAL, "[prof] %s: Invalid profiling region", doing);
}

static int no_regions(const char *doing)
{
	return fail(VACCEL_EINVAL, "[prof] %s: Invalid profiling region array", doing);
}

static const char *name_of(const struct vaccel_prof_region *region)
{
	return region->name ? region->name : "(null)";
}

int vaccel_prof_region_start(struct vaccel_prof_region *region)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	return error_settle(mark, region ? prof_begin(region) : no_region("start region"));
}

int vaccel_prof_region_stop(const struct vaccel_prof_region *region)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	return error_settle(mark, region ? prof_end(region) : no_region("stop region"));
}

static void print(const struct vaccel_prof_region *region)
{
	const struct prof_totals totals = prof_sum(region);

	if (totals.entries)
		log_info(LINE, name_of(region), totals.time, totals.entries);
}

int vaccel_prof_region_print(const struct vaccel_prof_region *region)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	if (!region)
		return error_settle(mark, no_region("print region"));
	print(region);
	return VACCEL_OK;
}

static int fill(struct vaccel_prof_region *region, const char *name)
{
	char *copy = name ? strdup(name) : calloc(1, NAME_SIZE);

	if (!copy)
		return VACCEL_ENOMEM;
	*region = (struct vaccel_prof_region){ .name = copy, .name_owned = true };
	return VACCEL_OK;
}

int vaccel_prof_region_init(struct vaccel_prof_region *region, const char *name)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	return error_settle(mark, region ? fill(region, name) : no_region("init region"));
}

static void release(struct vaccel_prof_region *region)
{
	prof_forget(region);
	if (region->name_owned)
		free((void *)region->name);
	region->name = NULL;
	region->name_owned = false;
}

int vaccel_prof_region_release(struct vaccel_prof_region *region)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	if (!region)
		return error_settle(mark, no_region("release region"));
	release(region);
	return VACCEL_OK;
}

/* The last of that name. */
static struct vaccel_prof_region *find(struct vaccel_prof_region *regions, int nregions,
				       const char *name)
{
	for (int i = nregions - 1; name && i >= 0; i--) {
		if (regions[i].name && strcmp(regions[i].name, name) == 0)
			return &regions[i];
	}
	return NULL;
}

int vaccel_prof_regions_start_by_name(struct vaccel_prof_region *regions, int nregions,
				      const char *name)
{
	const unsigned mark = error_mark();
	struct vaccel_prof_region *region;

	if (!prof_enabled())
		return VACCEL_OK;
	if (!regions)
		return error_settle(mark, no_regions("start region"));
	region = find(regions, nregions, name);
	return error_settle(mark, region ? prof_begin(region) : no_region("start region"));
}

int vaccel_prof_regions_stop_by_name(struct vaccel_prof_region *regions, int nregions,
				     const char *name)
{
	const unsigned mark = error_mark();
	const struct vaccel_prof_region *region;

	if (!prof_enabled())
		return VACCEL_OK;
	if (!regions)
		return error_settle(mark, no_regions("stop region"));
	region = find(regions, nregions, name);
	return error_settle(mark, region ? prof_end(region) : no_region("stop region"));
}

int vaccel_prof_regions_init(struct vaccel_prof_region *regions, int nregions)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_OK;

	if (!prof_enabled())
		return VACCEL_OK;
	if (!regions)
		return error_settle(mark, no_regions("init regions"));
	for (int i = 0; !ret && i < nregions; i++) {
		ret = fill(&regions[i], NULL);
		while (ret && i-- > 0)
			release(&regions[i]);
	}
	return error_settle(mark, ret);
}

/* Names stay: programs write them into the regions' memory and read them there. */
int vaccel_prof_regions_release(struct vaccel_prof_region *regions, int nregions)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	if (!regions)
		return error_settle(mark, no_regions("release regions"));
	for (int i = 0; i < nregions; i++)
		prof_forget(&regions[i]);
	return VACCEL_OK;
}

int vaccel_prof_regions_print_all(struct vaccel_prof_region *regions, int nregions)
{
	const unsigned mark = error_mark();

	if (!prof_enabled())
		return VACCEL_OK;
	if (!regions)
		return error_settle(mark, no_regions("print regions"));
	for (int i = 0; i < nregions; i++)
		print(&regions[i]);
	return VACCEL_OK;
}

/*
 * Write as much of the lines as there is room for, each ended by a NUL. Returns the bytes that all
 * take.
 */
static size_t write_lines(char *text, size_t size, const struct vaccel_prof_region *regions,
			  int nregions)
{
	size_t used = 0;

	for (int i = 0; i < nregions; i++) {
		const struct prof_totals totals = prof_sum(&regions[i]);
		const bool room = used < size;

		if (totals.entries)
			used += 1 + (size_t)snprintf(
					    room ? text + used : NULL, room ? size - used : 0, LINE,
					    name_of(&regions[i]), totals.time, totals.entries);
	}
	return used;
}

int vaccel_prof_regions_print_all_to_buf(char **tbuf, size_t tbuf_len,
					 struct vaccel_prof_region *regions, int size)
{
	const unsigned mark = error_mark();
	size_t needed;

	if (!prof_enabled())
		return 0;
	if (!regions || size < 0)
		return -error_settle(mark, no_regions("print regions"));
	if (!tbuf) {
		needed = write_lines(NULL, 0, regions, size);
		return needed <= INT_MAX ? (int)needed : -error_settle(mark, VACCEL_ERANGE);
	}
	*tbuf = calloc(1, tbuf_len ? tbuf_len : 1);
	if (!*tbuf)
		return -error_settle(mark, VACCEL_ENOMEM);
	write_lines(*tbuf, tbuf_len, regions, size);
	return size;
}
