/*
 * reference.c - docs/policies/reference.md, and what `luaccel policy reference` prints: the text of
 * reference.md, in which a line @NAME stands for a table that the engine knows.
 */
#include "registry.h"

#include <string.h>

extern const unsigned char policy_reference_md[];
extern const unsigned policy_reference_md_size;

static void hooks(FILE *out)
{
	fputs("| hook | called | may return |\n|---|---|---|\n", out);
	for (int i = 0; i < NR_HOOKS; i++) {
		const struct policy_hook_info *hook = &policy_hooks[i];

		fprintf(out, "| `%s(%s)` | %s | %s |\n", hook->name, hook->arguments, hook->when,
			hook->says ? hook->says : "ignored");
	}
}

static void words(FILE *out)
{
	fputs("| | |\n|---|---|\n", out);
	for (const struct policy_word *word = policy_words; word->form; word++)
		fprintf(out, "| `%s` | %s |\n", word->form, word->doc);
}

/* hash { "a", "b", …, key = }: what it must be given. */
static void form(FILE *out, const struct policy_kind *kind)
{
	static const char *const takes[] = {
		[TAKES_OPTIONS] = "",
		[TAKES_BACKENDS] = " \"a\", \"b\", …",
		[TAKES_WEIGHTS] = " a = 3, b = 1, …",
	};
	const char *before = kind->takes == TAKES_OPTIONS ? "" : ",";

	fprintf(out, "%s {%s", kind->name, takes[kind->takes]);
	for (const struct policy_object_option *o = kind->options; o->name; o++) {
		if (!o->required)
			continue;
		fprintf(out, "%s %s =", before, o->name);
		before = ",";
	}
	fputs(" }", out);
}

static void objects(FILE *out)
{
	fputs("| object | fits | |\n|---|---|---|\n", out);
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		fputs("| `", out);
		form(out, *kind);
		fprintf(out, "` | `%s` | %s |\n", policy_hooks[(*kind)->hook].name, (*kind)->doc);
	}
}

/* 86,400 and 1e9 */
static void number(FILE *out, double value)
{
	int zeros = 0;

	if (value >= 1e6) {
		for (; value >= 10; value /= 10)
			zeros++;
		fprintf(out, "%ge%d", value, zeros);
	} else if (value >= 1000) {
		fprintf(out, "%d,%03d", (int)value / 1000, (int)value % 1000);
	} else {
		fprintf(out, "%g", value);
	}
}

static void option(FILE *out, const struct policy_kind *kind, const struct policy_object_option *o)
{
	const char *before = "";

	fprintf(out, "| `%s` | `%s` | %s | ", o->name, kind->name, o->doc);
	for (int i = 0; o->words && o->words[i]; i++, before = ", ")
		fprintf(out, "%s`\"%s\"`", before, o->words[i]);
	if (o->words == policy_key_words)
		fputs(", `\"tag:NAME\"`", out);
	if (!o->words) {
		number(out, o->least);
		fputs(" to ", out);
		number(out, o->most);
	}
	fputs(" | ", out);
	if (o->required)
		fputs("required", out);
	else if (o->words)
		fprintf(out, "`\"%s\"`", o->words[(int)o->usual]);
	else if (o->usual >= o->least)
		number(out, o->usual);
	else
		fputs("none", out);
	fputs(" |\n", out);
}

static void options(FILE *out)
{
	fputs("| option | of | | takes | without it |\n|---|---|---|---|---|\n", out);
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++)
		for (const struct policy_object_option *o = (*kind)->options; o->name; o++)
			option(out, *kind, o);
	fprintf(out, "| `name` | all | see below | letters, digits, `_ - .`, at most %d | none |\n",
		POLICY_NAME_MAX - 1);
}

/* The rows of the fields of one thing, each with what is written before it. */
static void rows(FILE *out, const char *of, const char *before)
{
	for (const struct policy_field *f = policy_fields; f->of; f++)
		if (strcmp(f->of, of) == 0)
			fprintf(out, "| `%s%s` | %s |\n", before, f->name, f->doc);
}

static void fields(FILE *out)
{
	fputs("| field | |\n|---|---|\n", out);
	rows(out, "session", "s.");
	rows(out, "peer", "peer.");
	rows(out, "resource", "res.");
	rows(out, "op", "op.");
	rows(out, "result", "result.");
}

static void backend(FILE *out)
{
	fputs("| field of a backend | |\n|---|---|\n", out);
	rows(out, "backend", "");
}

static void budgets(FILE *out)
{
	const char *before = "";

	fputs("| | |\n|---|---|\n| ", out);
	for (int i = 0; i < NR_HOOKS; i++) {
		if (!policy_hooks[i].of_op)
			continue;
		fprintf(out, "%s`%s`", before, policy_hooks[i].name);
		before = ", ";
	}
	fprintf(out, " | %d ms |\n", DEFAULT_OP_US / 1000);
	fprintf(out, "| the other hooks, and timers | %d ms |\n", DEFAULT_SESSION_US / 1000);
	fprintf(out, "| loading all scripts | %d s |\n", DEFAULT_LOAD_US / 1000000);
	fprintf(out,
		"| memory of all scripts and sessions | %d MiB, an eighth of it for one value |\n",
		DEFAULT_MEMORY >> 20);
}

static const struct {
	const char *name;
	void (*write)(FILE *out);
} tables[] = {
	{ "@hooks\n", hooks },	   { "@words\n", words },   { "@objects\n", objects },
	{ "@options\n", options }, { "@fields\n", fields }, { "@backend\n", backend },
	{ "@budgets\n", budgets },
};

static void line(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (len == strlen(tables[i].name) && memcmp(text, tables[i].name, len) == 0)
			return tables[i].write(out);
	fwrite(text, 1, len, out);
}

void policy_reference(FILE *out)
{
	const char *text = (const char *)policy_reference_md;
	const char *end = text + policy_reference_md_size;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const size_t len = stop ? (size_t)(stop - text) + 1 : (size_t)(end - text);

		line(out, text, len);
		text += len;
	}
}
