/*
 * names.c - a lexical pass over a script's text.
 *
 * It finds two things that running the script would show too late or not at all:
 *
 * - Backends named by literals (route "cpu", retry { "gpu", "cpu" }, mirror "new", on_error = {
 * default = "x" }, backends.cpu, backends["cpu"]), also in functions that have not run yet, so that
 * a wrong name is an error of the load.
 * - `return route ...`, `return reject ...` and their like: tail calls, for which Lua drops the
 * frame that knows the line. The text to be compiled has them in parentheses; no line moves.
 *
 * The text has compiled before it comes here, so this lexer need not complain about anything. A
 * script that gives such a word, or `backends`, a meaning of its own is left alone.
 */
#include "engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_USES = 10000 };

/* "[[" or "[==[" at `at`: the level, or -1. */
static int long_bracket(const char *at, const char *end)
{
	const char *p = at + 1;

	if (at >= end || *at != '[')
		return -1;
	while (p < end && *p == '=')
		p++;
	return p < end && *p == '[' ? (int)(p - at - 1) : -1;
}

/* From the bracket to behind the closing one; says where the contents end. */
static const char *skip_long(struct lexer *lex, int level, const char **contents_end)
{
	const char *p = lex->at + level + 2;

	for (; p < lex->end; p++) {
		const char *q = p + 1;

		if (*p == '\n')
			lex->line++;
		if (*p != ']')
			continue;
		while (q < lex->end && *q == '=')
			q++;
		if (q < lex->end && *q == ']' && q - p - 1 == level) {
			*contents_end = p;
			return q + 1;
		}
	}
	*contents_end = p;
	return p;
}

static void skip_blank(struct lexer *lex)
{
	const char *ignored;

	while (lex->at < lex->end) {
		if (*lex->at == '\n')
			lex->line++;
		if (isspace((unsigned char)*lex->at)) {
			lex->at++;
			continue;
		}
		if (lex->end - lex->at < 2 || lex->at[0] != '-' || lex->at[1] != '-')
			return;
		lex->at += 2;
		if (long_bracket(lex->at, lex->end) >= 0)
			lex->at = skip_long(lex, long_bracket(lex->at, lex->end), &ignored);
		else
			while (lex->at < lex->end && *lex->at != '\n')
				lex->at++;
	}
}

static void quoted(struct lexer *lex, struct token *t)
{
	char quote = *lex->at++;

	t->at = lex->at;
	for (; lex->at < lex->end && *lex->at != quote; lex->at++) {
		if (*lex->at == '\\' && lex->at + 1 < lex->end)
			lex->at++;
		if (*lex->at == '\n')
			lex->line++;
	}
	t->len = (size_t)(lex->at - t->at);
	if (lex->at < lex->end)
		lex->at++;
}

struct token policy_next_token(struct lexer *lex)
{
	struct token t = { .type = 0 };
	const char *contents_end;
	int level;

	skip_blank(lex);
	t.at = t.end = lex->at;
	t.line = lex->line;
	if (lex->at == lex->end)
		return t;
	level = long_bracket(lex->at, lex->end);
	if (isalpha((unsigned char)*lex->at) || *lex->at == '_') {
		t.type = 'a';
		while (lex->at < lex->end && (isalnum((unsigned char)*lex->at) || *lex->at == '_'))
			lex->at++;
		t.len = (size_t)(lex->at - t.at);
	} else if (isdigit((unsigned char)*lex->at)) {
		t.type = '0';
		while (lex->at < lex->end && (isalnum((unsigned char)*lex->at) || *lex->at == '.'))
			lex->at++;
	} else if (*lex->at == '"' || *lex->at == '\'') {
		t.type = 's';
		quoted(lex, &t);
	} else if (level >= 0) {
		t.type = 's';
		t.at = lex->at + level + 2;
		lex->at = skip_long(lex, level, &contents_end);
		t.len = (size_t)(contents_end - t.at);
	} else {
		t.type = *lex->at++;
	}
	t.end = lex->at;
	return t;
}

static bool is_word(const struct token *t, const char *word)
{
	return t->type == 'a' && t->len == strlen(word) && memcmp(t->at, word, t->len) == 0;
}

/* What the pass carries: the last tokens, and the output. */
struct scan {
	struct lexer lex;
	const struct script *script;
	struct policy_generation *gen;
	char *out;
	size_t len;
	const char *copied; /* the text up to here is in out */
	bool failed;
};

static void copy_to(struct scan *scan, const char *to, char extra)
{
	memcpy(scan->out + scan->len, scan->copied, (size_t)(to - scan->copied));
	scan->len += (size_t)(to - scan->copied);
	scan->copied = to;
	if (extra)
		scan->out[scan->len++] = extra;
}

static void note(struct scan *scan, const char *what, const struct token *t)
{
	/* With an escape in it the bytes are not the name: that one is checked when it runs. */
	if (t->len == 0 || memchr(t->at, '\\', t->len))
		return;
	if (!policy_names_add(scan->gen, scan->script, what, t->line, t->at, t->len))
		scan->failed = true;
}

static bool separates(const struct token *t)
{
	return t->type == ',' || t->type == ';';
}

static bool opens(const struct token *t)
{
	return t->type == '{' || t->type == '(' || t->type == '[';
}

static bool closes(const struct token *t)
{
	return t->type == '}' || t->type == ')' || t->type == ']';
}

/*
 * The arguments of route or reject, which lex stands before: where they end, or NULL when there
 * are none. With `what`, notes the strings that are whole items of the list, which is what the
 * first bracket holds, or the second of "({".
 */
static const char *arguments(struct scan *scan, struct lexer *lex, const char *what)
{
	struct token before, t = policy_next_token(lex), after;
	int depth = 1, list = 1;

	if (t.type == 's') {
		if (what)
			note(scan, what, &t);
		return t.end;
	}
	if (t.type != '(' && t.type != '{')
		return NULL;
	for (before = t, t = policy_next_token(lex); t.type; before = t, t = after) {
		if (t.type == '{' && before.type == '(' && depth == 1)
			list = 2;
		if (opens(&t))
			depth++;
		if (closes(&t) && --depth == 0)
			return t.end;
		after = policy_next_token(lex);
		if (what && t.type == 's' && depth == list &&
		    (opens(&before) || separates(&before)) && (closes(&after) || separates(&after)))
			note(scan, what, &t);
	}
	return NULL;
}

/* Does the statement end at this token, so that what `return` gave was one call? */
static bool ends_return(const struct token *t)
{
	return t->type == 0 || t->type == ';' || is_word(t, "end") || is_word(t, "else") ||
	       is_word(t, "elseif") || is_word(t, "until");
}

/* Does it make a value? A reject's kind has no names of backends. */
static bool is_constructor(const struct token *t, const char **what)
{
	for (size_t kind = 0; kind <= VALUE_MIRROR; kind++) {
		if (!is_word(t, policy_value_names[kind]))
			continue;
		*what = kind == VALUE_REJECT ? NULL : policy_value_names[kind];
		return true;
	}
	return false;
}

/* At `route`, `reject` or the like, with the token before it. */
static void constructor(struct scan *scan, const struct token *t, const struct token *before,
			const char *what)
{
	struct lexer look = scan->lex;
	const char *end = arguments(scan, &look, what);
	struct token after;

	if (!end || !is_word(before, "return"))
		return;
	after = policy_next_token(&look);
	if (!ends_return(&after))
		return;
	copy_to(scan, t->at, '(');
	copy_to(scan, end, ')');
}

/* on_error = { default = "NAME": the name's own line. */
static void on_error(struct scan *scan)
{
	static const char shape[] = { '=', '{', 'a', '=', 's' };
	struct lexer look = scan->lex;
	struct token t;

	for (size_t i = 0; i < sizeof(shape); i++) {
		t = policy_next_token(&look);
		if (t.type != shape[i])
			return;
	}
	note(scan, "on_error", &t);
}

/* backends.NAME, backends["NAME"] */
static void field_of_backends(struct scan *scan)
{
	struct lexer look = scan->lex;
	struct token t = policy_next_token(&look), name = policy_next_token(&look);

	if ((t.type == '.' && name.type == 'a') ||
	    (t.type == '[' && name.type == 's' && policy_next_token(&look).type == ']'))
		note(scan, "backends", &name);
}

static bool is_ours(const struct token *t)
{
	const char *what;

	return is_constructor(t, &what) || is_word(t, "backends");
}

/* At `function`: is a parameter called so? */
static bool has_such_parameter(struct lexer lex)
{
	struct token t = policy_next_token(&lex);

	while (t.type && t.type != '(')
		t = policy_next_token(&lex);
	while (t.type && t.type != ')') {
		if (is_ours(&t))
			return true;
		t = policy_next_token(&lex);
	}
	return false;
}

/* Does the script give one of our names another meaning? */
static bool redefines(struct lexer lex)
{
	struct token before = { .type = 0 }, t = policy_next_token(&lex), after;

	for (; t.type; before = t, t = after) {
		if (is_word(&t, "function") && has_such_parameter(lex))
			return true;
		after = policy_next_token(&lex);
		if (!is_ours(&t))
			continue;
		if (is_word(&before, "local") || is_word(&before, "function"))
			return true;
		if (after.type == '=' && before.type != '.' && before.type != '{' &&
		    before.type != ',')
			return true;
	}
	return false;
}

char *policy_names_scan(const char *source, size_t len, const struct script *script,
			struct policy_generation *generation, size_t *out_len)
{
	struct scan scan = {
		.lex = { source, source + len, 1 },
		.script = script,
		.gen = generation,
		.copied = source,
	};
	struct token before = { .type = 0 }, t;
	const char *what;

	/* Two characters more for each `return`, at the very most. */
	scan.out = malloc(2 * len + 1);
	if (!scan.out)
		return NULL;
	if (!redefines(scan.lex)) {
		for (t = policy_next_token(&scan.lex); t.type;
		     before = t, t = policy_next_token(&scan.lex)) {
			bool field = before.type == '.' || before.type == ':';

			if (is_word(&t, "on_error"))
				on_error(&scan);
			else if (!field && is_word(&t, "backends"))
				field_of_backends(&scan);
			else if (!field && is_constructor(&t, &what) && t.at >= scan.copied)
				constructor(&scan, &t, &before, what);
		}
	}
	copy_to(&scan, source + len, '\0');
	if (scan.failed) {
		free(scan.out);
		return NULL;
	}
	*out_len = scan.len;
	return scan.out;
}

bool policy_names_add(struct policy_generation *generation, const struct script *script,
		      const char *what, int line, const char *name, size_t len)
{
	struct name_use *use;

	if (!generation->uses)
		generation->uses = calloc(MAX_USES, sizeof(*generation->uses));
	if (!generation->uses || generation->nr_uses == MAX_USES)
		return false;
	use = &generation->uses[generation->nr_uses++];
	snprintf(use->what, sizeof(use->what), "%s", what);
	policy_clean(use->name, sizeof(use->name), name, len);
	use->script = script;
	use->line = line;
	return true;
}

bool policy_names_declared(const struct policy_generation *generation, const char *name)
{
	for (size_t i = 0; i < generation->nr_backends; i++)
		if (strcmp(generation->backends[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < generation->nr_known; i++)
		if (strcmp(generation->known[i], name) == 0)
			return true;
	return false;
}

void policy_names_list(const struct policy_generation *generation, char *buf, size_t size)
{
	const char *separator = "";
	size_t n = 0;

	snprintf(buf, size, "none");
	for (size_t i = 0; i < generation->nr_backends && n < size; i++, separator = ", ")
		n += (size_t)snprintf(buf + n, size - n, "%s%s", separator,
				      generation->backends[i].name);
	for (size_t i = 0; i < generation->nr_known && n < size; i++, separator = ", ")
		n += (size_t)snprintf(buf + n, size - n, "%s%s", separator, generation->known[i]);
}
