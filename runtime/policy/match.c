/*
 * match.c - Lua patterns that can be stopped.
 *
 * The library's own matcher backtracks inside C, where no hook fires: `a*a*a*b` on 200 bytes holds
 * the thread for most of a second. This one knows the same patterns, looks at the deadline as it
 * goes, and never recurses deeper than the pattern has items.
 *
 * A pattern is compiled to a list of items, each a set of bytes with a repetition or a mark
 * (capture, %b, %f, back reference, end anchor). There is no alternation, so a match passes every
 * capture mark in order and what it wrote last is what counts: nothing has to be undone.
 */
#include "engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 200, MAX_CAPTURES = 32, STEPS_PER_LOOK = 4096, ESCAPE = '%' };

enum item_kind { BYTES, OPEN, CLOSE, POSITION, REFERENCE, BALANCE, FRONTIER, AT_END };

struct item {
	enum item_kind kind;
	char repeat;	    /* BYTES: 0, '*', '+', '-' or '?' */
	unsigned char a, b; /* BALANCE: the pair; OPEN, CLOSE, POSITION, REFERENCE: a = capture */
	unsigned char set[32]; /* BYTES, FRONTIER: one bit for each byte value */
};

struct capture {
	const char *start, *end; /* end NULL: a position capture */
};

struct pattern {
	lua_State *L;
	const char *subject, *end;
	bool anchored;
	unsigned steps;
	size_t nr_items;
	unsigned nr_captures;
	struct item items[MAX_ITEMS];
	struct capture captures[MAX_CAPTURES];
};

static void set_add(unsigned char *set, unsigned c)
{
	set[c >> 3] |= (unsigned char)(1u << (c & 7));
}

static bool set_has(const unsigned char *set, unsigned char c)
{
	return set[c >> 3] >> (c & 7) & 1;
}

static bool in_class(int c, int letter)
{
	switch (letter) {
	case 'a':
		return isalpha(c);
	case 'c':
		return iscntrl(c);
	case 'd':
		return isdigit(c);
	case 'l':
		return islower(c);
	case 'p':
		return ispunct(c);
	case 's':
		return isspace(c);
	case 'u':
		return isupper(c);
	case 'w':
		return isalnum(c);
	case 'x':
		return isxdigit(c);
	default:
		return c == 0; /* 'z' */
	}
}

/* What follows an escape: a class (upper case: its complement), or the byte itself. */
static void add_escaped(unsigned char *set, unsigned char letter)
{
	int lower = tolower(letter);

	if (!isalpha(letter) || !strchr("acdlpsuwxz", lower)) {
		set_add(set, letter);
		return;
	}
	for (unsigned c = 0; c < 256; c++)
		if (in_class((int)c, lower) != (isupper(letter) != 0))
			set_add(set, c);
}

/* Where the ']' of a set is whose first byte is at `at`: not that one, and none behind a '%'. */
static const char *set_end(struct pattern *p, const char *at, const char *stop)
{
	const char *first = at;

	for (; at < stop && (*at != ']' || at == first); at++)
		if (*at == ESCAPE)
			at++;
	if (at >= stop)
		policy_fail(p->L, "malformed pattern: a '[' without its ']'");
	return at;
}

/* [set] from behind its bracket; returns what follows it. */
static const char *parse_set(struct pattern *p, const char *at, const char *stop,
			     unsigned char *set)
{
	bool complement = at < stop && *at == '^';
	const char *end;

	at += complement;
	end = set_end(p, at, stop);
	for (; at < end; at++) {
		if (*at == ESCAPE) {
			add_escaped(set, (unsigned char)*++at);
		} else if (end - at > 2 && at[1] == '-') {
			for (unsigned c = (unsigned char)at[0]; c <= (unsigned char)at[2]; c++)
				set_add(set, c);
			at += 2;
		} else {
			set_add(set, (unsigned char)*at);
		}
	}
	for (int i = 0; complement && i < 32; i++)
		set[i] = (unsigned char)~set[i];
	return end + 1;
}

static struct item *new_item(struct pattern *p, enum item_kind kind)
{
	struct item *item = &p->items[p->nr_items];

	if (p->nr_items == MAX_ITEMS)
		policy_fail(p->L, "pattern too complex: more than %d items", MAX_ITEMS);
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	p->nr_items++;
	return item;
}

/* Captures as they open and close while the pattern is read. */
struct nesting {
	unsigned char open[MAX_CAPTURES];
	unsigned depth;
	bool closed[MAX_CAPTURES];
};

static const char *parse_open(struct pattern *p, struct nesting *nest, const char *at,
			      const char *stop)
{
	bool position = at < stop && *at == ')';

	if (p->nr_captures == MAX_CAPTURES)
		policy_fail(p->L, "pattern too complex: more than %d captures", MAX_CAPTURES);
	new_item(p, position ? POSITION : OPEN)->a = (unsigned char)p->nr_captures;
	if (!position)
		nest->open[nest->depth++] = (unsigned char)p->nr_captures;
	p->nr_captures++;
	return at + position;
}

static void parse_close(struct pattern *p, struct nesting *nest)
{
	unsigned char which;

	if (nest->depth == 0)
		policy_fail(p->L, "malformed pattern: a ')' without its '('");
	which = nest->open[--nest->depth];
	nest->closed[which] = true;
	new_item(p, CLOSE)->a = which;
}

/* A byte, a class, a set or '.', with its repetition. */
static const char *parse_bytes(struct pattern *p, const char *at, const char *stop)
{
	struct item *item = new_item(p, BYTES);
	char c = *at++;

	if (c == '.')
		memset(item->set, 0xff, sizeof(item->set));
	else if (c == '[')
		at = parse_set(p, at, stop, item->set);
	else if (c == ESCAPE)
		add_escaped(item->set, (unsigned char)*at++);
	else
		set_add(item->set, (unsigned char)c);
	if (at < stop && (*at == '*' || *at == '+' || *at == '-' || *at == '?'))
		item->repeat = *at++;
	return at;
}

/* %b, %f, %1 and the classes, from the escape on. */
static const char *parse_escape(struct pattern *p, const struct nesting *nest, const char *at,
				const char *stop)
{
	struct item *item;
	unsigned which;

	if (stop - at < 2)
		policy_fail(p->L, "malformed pattern: it ends with '%%'");
	if (at[1] == 'b') {
		if (stop - at < 4)
			policy_fail(p->L, "malformed pattern: %%b needs two characters");
		item = new_item(p, BALANCE);
		item->a = (unsigned char)at[2];
		item->b = (unsigned char)at[3];
		return at + 4;
	}
	if (at[1] == 'f') {
		if (stop - at < 3 || at[2] != '[')
			policy_fail(p->L, "malformed pattern: %%f needs a [set]");
		item = new_item(p, FRONTIER);
		return parse_set(p, at + 3, stop, item->set);
	}
	if (!isdigit((unsigned char)at[1]))
		return parse_bytes(p, at, stop);
	which = (unsigned)(at[1] - '1');
	if (at[1] == '0' || which >= p->nr_captures || !nest->closed[which])
		policy_fail(p->L, "malformed pattern: %%%c names no capture before it", at[1]);
	new_item(p, REFERENCE)->a = (unsigned char)which;
	return at + 2;
}

static void compile(struct pattern *p, const char *at, const char *stop)
{
	struct nesting nest = { .depth = 0 };

	p->anchored = at < stop && *at == '^';
	at += p->anchored;
	while (at < stop) {
		if (*at == '(') {
			at = parse_open(p, &nest, at + 1, stop);
		} else if (*at == ')') {
			parse_close(p, &nest);
			at++;
		} else if (*at == '$' && at + 1 == stop) {
			new_item(p, AT_END);
			at++;
		} else if (*at == ESCAPE) {
			at = parse_escape(p, &nest, at, stop);
		} else {
			at = parse_bytes(p, at, stop);
		}
	}
	if (nest.depth)
		policy_fail(p->L, "malformed pattern: a '(' without its ')'");
}

static void tick(struct pattern *p, size_t steps)
{
	p->steps += (unsigned)steps;
	if (p->steps < STEPS_PER_LOOK)
		return;
	p->steps = 0;
	policy_check_deadline(p->L);
}

static bool one(const struct pattern *p, const struct item *item, const char *s)
{
	return s < p->end && set_has(item->set, (unsigned char)*s);
}

static const char *balance(struct pattern *p, const struct item *item, const char *s)
{
	size_t depth = 1;

	if (s == p->end || (unsigned char)*s != item->a)
		return NULL;
	for (s++; s < p->end; s++) {
		tick(p, 1);
		if ((unsigned char)*s == item->b) {
			if (--depth == 0)
				return s + 1;
		} else if ((unsigned char)*s == item->a) {
			depth++;
		}
	}
	return NULL;
}

static bool frontier(const struct pattern *p, const struct item *item, const char *s)
{
	unsigned char before = s == p->subject ? 0 : (unsigned char)s[-1];
	unsigned char here = s == p->end ? 0 : (unsigned char)*s;

	return !set_has(item->set, before) && set_has(item->set, here);
}

static const char *reference(struct pattern *p, const struct item *item, const char *s)
{
	const struct capture *c = &p->captures[item->a];
	size_t len = (size_t)(c->end - c->start);

	tick(p, len);
	if ((size_t)(p->end - s) < len || memcmp(s, c->start, len) != 0)
		return NULL;
	return s + len;
}

static const char *match_from(struct pattern *p, const char *s, size_t i);

/* An item with a repetition, and what follows it. */
static const char *repeat(struct pattern *p, const char *s, size_t i)
{
	const struct item *item = &p->items[i];
	size_t least = item->repeat == '+', most = item->repeat == '?' ? 1 : SIZE_MAX, n = 0;
	const char *end;

	if (item->repeat == '-') {
		while (!(end = match_from(p, s, i + 1))) {
			tick(p, 1);
			if (!one(p, item, s))
				return NULL;
			s++;
		}
		return end;
	}
	while (n < most && one(p, item, s + n)) {
		tick(p, 1);
		n++;
	}
	for (n++; n-- > least;) {
		end = match_from(p, s + n, i + 1);
		if (end)
			return end;
	}
	return NULL;
}

/* Where a match of items i... that starts at s ends, or NULL. */
static const char *match_from(struct pattern *p, const char *s, size_t i)
{
	for (; s && i < p->nr_items; i++) {
		const struct item *item = &p->items[i];
		struct capture *c = &p->captures[item->a % MAX_CAPTURES];

		tick(p, 1);
		switch (item->kind) {
		case BYTES:
			if (item->repeat)
				return repeat(p, s, i);
			s = one(p, item, s) ? s + 1 : NULL;
			break;
		case OPEN:
			c->start = s;
			break;
		case CLOSE:
			c->end = s;
			break;
		case POSITION:
			*c = (struct capture){ s, NULL };
			break;
		case REFERENCE:
			s = reference(p, item, s);
			break;
		case BALANCE:
			s = balance(p, item, s);
			break;
		case FRONTIER:
			s = frontier(p, item, s) ? s : NULL;
			break;
		case AT_END:
			s = s == p->end ? s : NULL;
			break;
		}
	}
	return s;
}

static void push_capture(struct pattern *p, const struct capture *c)
{
	if (c->end)
		lua_pushlstring(p->L, c->start, (size_t)(c->end - c->start));
	else
		lua_pushinteger(p->L, c->start - p->subject + 1);
}

/* The position that a script's `init` means, as an offset: the end, when it lies behind it. */
static size_t offset(lua_State *L, int arg, size_t len)
{
	lua_Number init = luaL_optnumber(L, arg, 1);

	if (init < 0)
		init += (lua_Number)len + 1;
	if (!(init >= 1))
		return 0;
	return init > (lua_Number)len ? len : (size_t)init - 1;
}

/* find_plain(subject, text [, init]) -> first, last; or nil. Linear time. */
int policy_find_plain(lua_State *L)
{
	size_t len, text_len, at;
	const char *subject = luaL_checklstring(L, 1, &len);
	const char *text = luaL_checklstring(L, 2, &text_len);
	const char *found;

	at = offset(L, 3, len);
	found = memmem(subject + at, len - at, text, text_len);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, found - subject + 1);
	lua_pushinteger(L, found - subject + (ptrdiff_t)text_len);
	return 2;
}

/* As the library's find has it: a ')' or ']' alone is just that. */
static bool has_magic(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] && strchr("^$*+?.([%-", text[i]))
			return true;
	return false;
}

/* search(subject, pattern [, init]) -> first, last, captures...; or nil. */
int policy_match(lua_State *L)
{
	size_t len, pattern_len, at;
	const char *subject = luaL_checklstring(L, 1, &len);
	const char *text = luaL_checklstring(L, 2, &pattern_len);
	struct pattern p; /* 10 kB: compile() fills what is used */

	if (!has_magic(text, pattern_len))
		return policy_find_plain(L);
	p.L = L;
	p.subject = subject;
	p.end = subject + len;
	p.steps = 0;
	p.nr_items = p.nr_captures = 0;
	at = offset(L, 3, len);
	compile(&p, text, text + pattern_len);
	for (; at <= len; at++) {
		const char *end = match_from(&p, subject + at, 0);

		if (end) {
			lua_pushinteger(L, (lua_Integer)at + 1);
			lua_pushinteger(L, end - subject);
			luaL_checkstack(L, MAX_CAPTURES, "captures");
			for (unsigned i = 0; i < p.nr_captures; i++)
				push_capture(&p, &p.captures[i]);
			return 2 + (int)p.nr_captures;
		}
		if (p.anchored)
			break;
	}
	lua_pushnil(L);
	return 1;
}
