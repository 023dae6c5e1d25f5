/*
 * fault_mishaps.c - the mishaps of fault_driver.h: what happens to the files and to the run
 * directory while the library works. The last three want the run directory on a small tmpfs.
 */
#include "fault_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name beside the run directory. */
static void beside_rundir(char *path, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s-%s", vaccel_rundir(), suffix);
}

static bool make_anew(void)
{
	bench_remove_files();
	return bench_make_files();
}

static bool remove_file(void)
{
	return unlink(bench.file) == 0;
}

static bool empty_file(void)
{
	return truncate(bench.file, 0) == 0;
}

/* By whole pages. */
static bool shorten_file(void)
{
	return truncate(bench.file, 100) == 0;
}

static bool lengthen_file(void)
{
	return truncate(bench.file, 1 << 20) == 0;
}

static bool file_becomes_directory(void)
{
	return unlink(bench.file) == 0 && mkdir(bench.file, 0700) == 0;
}

static bool replace_file(void)
{
	return unlink(bench.file) == 0 && bench_make_files() && shorten_file();
}

static bool empty_directory(void)
{
	char inner[PATH_MAX + 16];

	snprintf(inner, sizeof(inner), "%s/inner", bench.sub);
	return unlink(inner) == 0;
}

static bool remove_directory(void)
{
	return empty_directory() && rmdir(bench.sub) == 0;
}

static bool rundir_goes(void)
{
	char away[PATH_MAX];

	beside_rundir(away, "away");
	return rename(vaccel_rundir(), away) == 0;
}

static bool rundir_comes_back(void)
{
	char away[PATH_MAX];

	beside_rundir(away, "away");
	return rename(away, vaccel_rundir()) == 0;
}

/* Up to the last byte. */
static bool fill_rundir(void)
{
	static const char block[4096];
	char path[PATH_MAX];
	int fd;

	beside_rundir(path, "filled");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	return errno == ENOSPC;
}

static bool drain_rundir(void)
{
	char path[PATH_MAX];

	beside_rundir(path, "filled");
	return unlink(path) == 0;
}

enum { INODES_MAX = 100 };

static void inode_path(char *path, int number)
{
	char suffix[32];

	snprintf(suffix, sizeof(suffix), "inode-%d", number);
	beside_rundir(path, suffix);
}

static bool take_inodes(void)
{
	char path[PATH_MAX];

	for (int i = 0; i < INODES_MAX; i++) {
		inode_path(path, i);
		if (mknod(path, S_IFREG | 0600, 0))
			return errno == ENOSPC;
	}
	return false;
}

static bool free_inodes(void)
{
	char path[PATH_MAX];
	int i = 0;

	do
		inode_path(path, i++);
	while (unlink(path) == 0);
	return i > 1;
}

/* The file system that has the run directory, three levels up. */
static bool remount(unsigned long flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/../..", vaccel_rundir());
	return mount(NULL, path, NULL, MS_REMOUNT | flags, NULL) == 0;
}

static bool make_read_only(void)
{
	return remount(MS_RDONLY);
}

static bool make_writable(void)
{
	return remount(0);
}

static const struct mishap mishaps[] = {
	{ "created:file-goes", CREATED, remove_file, make_anew },
	{ "created:file-is-emptied", CREATED, empty_file, make_anew },
	{ "created:file-becomes-directory", CREATED, file_becomes_directory, make_anew },
	{ "created:directory-goes", CREATED, remove_directory, make_anew },
	{ "created:directory-is-emptied", CREATED, empty_directory, make_anew },
	{ "registered:file-goes", REGISTERED, remove_file, make_anew },
	{ "registered:file-is-emptied", REGISTERED, empty_file, make_anew },
	{ "registered:file-is-shortened", REGISTERED, shorten_file, make_anew },
	{ "registered:file-is-lengthened", REGISTERED, lengthen_file, make_anew },
	{ "registered:file-is-replaced", REGISTERED, replace_file, make_anew },
	{ "rundir-goes", BEFORE, rundir_goes, rundir_comes_back },
	{ "created:rundir-goes", CREATED, rundir_goes, rundir_comes_back },
	{ "rundir-is-full", BEFORE, fill_rundir, drain_rundir },
	{ "rundir-has-no-inodes", BEFORE, take_inodes, free_inodes },
	{ "rundir-is-read-only", BEFORE, make_read_only, make_writable },
	{ "created:rundir-is-read-only", CREATED, make_read_only, make_writable },
};

const struct mishap *mishap_find(const char *name)
{
	for (size_t i = 0; i < sizeof(mishaps) / sizeof(mishaps[0]); i++) {
		if (strcmp(mishaps[i].name, name) == 0)
			return &mishaps[i];
	}
	return NULL;
}
