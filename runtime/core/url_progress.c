/*
 * url_progress.c - how far a download is, in the log at debug level: the larger the file, the
 * rarer the lines. The thread that downloads runs it.
 */
#include "url_progress.h"
#include "logging.h"

static const struct unit {
	const char *name;
	double bytes;
	double interval; /* seconds between lines for a file of such a size */
} units[] = {
	{ "GB", 1024.0 * 1024 * 1024, 10 },
	{ "MB", 1024.0 * 1024, 5 },
	{ "KB", 1024.0, 1 },
	{ "B", 0, 0.5 },
};

static const double unknown_interval = 1;

static const struct unit *unit_of(double bytes)
{
	const struct unit *unit = units;

	while (bytes < unit->bytes)
		unit++;
	return unit;
}

static double in_unit(double bytes, const struct unit *unit)
{
	return unit->bytes > 0 ? bytes / unit->bytes : bytes;
}

static void log_line(double now, double total, double seconds)
{
	const double speed = seconds > 0 ? now / seconds : 0;
	const struct unit *of_now = unit_of(now), *of_total = unit_of(total);
	const struct unit *of_speed = unit_of(speed);

	if (total > 0)
		log_debug("Downloaded: %.1f %s of %.1f %s (%.1f%%) | Speed: %.2f %s/sec",
			  in_unit(now, of_now), of_now->name, in_unit(total, of_total),
			  of_total->name, now * 100.0 / total, in_unit(speed, of_speed),
			  of_speed->name);
	else
		log_debug("Downloaded: %.1f %s", in_unit(now, of_now), of_now->name);
}

void url_progress(struct url_progress *progress, int64_t now, int64_t total, double seconds)
{
	const double interval = total ? unit_of((double)total)->interval : unknown_interval;

	if (!now || progress->complete || (seconds - progress->logged < interval && now != total))
		return;
	progress->logged = seconds;
	progress->complete = now == total;
	log_line((double)now, (double)total, seconds);
}
