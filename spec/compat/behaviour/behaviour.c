/*
 * behaviour.c - runs every row and compares it with the table:
 *
 *     behaviour TABLE
 *
 * A row of the table is `row, function, what it was given, what it gives`, with tabs between. Each
 * row must be in both, the program and the table. At the end the program changes one expected code
 * after the other, and checks that exactly that row fails then.
 */
#include "behaviour.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS_MAX = 2048, CRASHED = -2000 };

struct expectation {
	char name[64], function[64], given[96], code[24];
	const struct row *row;
	long gave;
};

static struct row *rows;
static struct expectation table[ROWS_MAX];
static size_t nr_expectations;

void row_add(struct row *row)
{
	row->next = rows;
	rows = row;
}

static const struct {
	const char *name;
	long value;
} words[] = {
	{ "OK", VACCEL_OK },
	{ "EINVAL", VACCEL_EINVAL },
	{ "ENOMEM", VACCEL_ENOMEM },
	{ "ENOTSUP", VACCEL_ENOTSUP },
	{ "EEXIST", VACCEL_EEXIST },
	{ "ENOENT", VACCEL_ENOENT },
	{ "ELIBBAD", VACCEL_ELIBBAD },
	{ "ENODEV", VACCEL_ENODEV },
	{ "EBUSY", VACCEL_EBUSY },
	{ "ESESS", VACCEL_ESESS },
	{ "EBACKEND", VACCEL_EBACKEND },
	{ "ENAMETOOLONG", VACCEL_ENAMETOOLONG },
	{ "EUSERS", VACCEL_EUSERS },
	{ "EPERM", VACCEL_EPERM },
	{ "ENOSPC", VACCEL_ENOSPC },
	{ "ERANGE", VACCEL_ERANGE },
	{ "ENOSYS", VACCEL_ENOSYS },
	{ "-EINVAL", -VACCEL_EINVAL },
	{ "NULL", GAVE_NULL },
	{ "false", GAVE_FALSE },
	{ "true", GAVE_TRUE },
};

/* What a word of the table's last column stands for. */
static long value_of(const char *word)
{
	char *end;
	long value;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, word))
			return words[i].value;
	value = strtol(word, &end, 10);
	if (end != word && !*end)
		return value;
	fprintf(stderr, "behaviour: the table has \"%s\", which is no code\n", word);
	exit(EXIT_FAILURE);
}

static const struct row *find_row(const char *name)
{
	const struct row *row = rows;

	while (row && strcmp(row->name, name))
		row = row->next;
	return row;
}

static bool in_table(const struct row *row)
{
	for (size_t i = 0; i < nr_expectations; i++)
		if (table[i].row == row)
			return true;
	return false;
}

static void read_table(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];

	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof(line), file) && nr_expectations < ROWS_MAX) {
		struct expectation *row = &table[nr_expectations];

		if (line[0] == '#')
			continue;
		if (sscanf(line, "%63[^\t]\t%63[^\t]\t%95[^\t]\t%23[^\t\n]", row->name,
			   row->function, row->given, row->code) != 4) {
			fprintf(stderr, "behaviour: not a row of four columns: %s", line);
			exit(EXIT_FAILURE);
		}
		value_of(row->code);
		nr_expectations++;
	}
	fclose(file);
}

/* In a child that ends with the row: what it leaves behind is nobody's business. */
static long run(const struct row *row)
{
	long gave = CRASHED;
	int ends[2], status;
	ssize_t got;
	pid_t child;

	if (pipe(ends))
		return CRASHED;
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(EXIT_FAILURE);
		fixture_set_up(row->fixture);
		gave = row->run();
		got = write(ends[1], &gave, sizeof(gave));
		vaccel_cleanup();
		_exit(got == sizeof(gave) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(ends[1]);
	got = read(ends[0], &gave, sizeof(gave));
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || status || got != sizeof(gave))
		return CRASHED;
	return gave;
}

static bool holds(const struct expectation *row)
{
	return row->gave == value_of(row->code);
}

static const char *name_of(long value)
{
	static char text_of[24];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].value == value)
			return words[i].name;
	snprintf(text_of, sizeof(text_of), "%ld", value);
	return value == CRASHED ? "a crash" : text_of;
}

/* How many rows fail; the last of them in *failing. */
static size_t check(bool aloud, size_t *failing)
{
	size_t failed = 0;

	for (size_t i = 0; i < nr_expectations; i++) {
		if (holds(&table[i]))
			continue;
		failed++;
		*failing = i;
		if (aloud)
			printf("FAIL %s: %s, %s: gave %s, not %s\n", table[i].name,
			       table[i].function, table[i].given, name_of(table[i].gave),
			       table[i].code);
	}
	return failed;
}

/* Rows whose changed code is not noticed, or is noticed elsewhere too. */
static size_t check_changes(void)
{
	size_t unnoticed = 0, failing;

	for (size_t i = 0; i < nr_expectations; i++) {
		char code[sizeof(table[i].code)];

		memcpy(code, table[i].code, sizeof(code));
		snprintf(table[i].code, sizeof(table[i].code), "%s",
			 strcmp(code, "EINVAL") ? "EINVAL" : "ENOMEM");
		if (check(false, &failing) != 1 || failing != i) {
			printf("FAIL %s: its code was changed, and it was not the one row to "
			       "fail\n",
			       table[i].name);
			unnoticed++;
		}
		memcpy(table[i].code, code, sizeof(code));
	}
	return unnoticed;
}

/* Rows that are in one of the two alone. */
static size_t match_rows(void)
{
	const struct row *row;
	size_t lone = 0;

	for (size_t i = 0; i < nr_expectations; i++) {
		table[i].row = find_row(table[i].name);
		if (table[i].row)
			continue;
		printf("FAIL %s: the table has it, the program does not\n", table[i].name);
		lone++;
	}
	for (row = rows; row; row = row->next) {
		if (in_table(row))
			continue;
		printf("FAIL %s: the program has it, the table does not\n", row->name);
		lone++;
	}
	return lone;
}

int main(int argc, char **argv)
{
	size_t failed, failing;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: %s TABLE\n", argv[0]);
		return EXIT_FAILURE;
	}
	read_table(argv[1]);
	failed = match_rows();
	if (failed)
		return EXIT_FAILURE;
	for (size_t i = 0; i < nr_expectations; i++)
		table[i].gave = run(table[i].row);
	failed = check(true, &failing);
	printf("behaviour: %zu rows, %zu fail\n", nr_expectations, failed);
	if (!failed) {
		failed = check_changes();
		printf("behaviour: %zu codes changed one by one, %zu not noticed by their row "
		       "alone\n",
		       nr_expectations, failed);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
