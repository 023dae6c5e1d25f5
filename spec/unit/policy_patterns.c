/*
 * policy_patterns.c - the sandbox's string functions against LuaJIT's own, on a table and on
 * random patterns. Where ours raises an error, their string.find must do so too or find nothing: it
 * reads a pattern as it goes and may never come to the malformed part.
 */
#include "policy_support.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_CASES = 20000, NR_KINDS = 7 };

/* try(kind, subject, pattern): what a function gives, as text. Runs here and there. */
#define TRY                                                                                        \
	"local function text(ok, ...)\n"                                                           \
	"  if not ok then return 'error' end\n"                                                    \
	"  local out = ''\n"                                                                       \
	"  for i = 1, select('#', ...) do out = out .. tostring((select(i, ...))) .. ';' end\n"    \
	"  return #out <= 150 and out or #out .. out:sub(1, 100) .. out:sub(-40)\n"                \
	"end\n"                                                                                    \
	"local function all(s, p)\n"                                                               \
	"  local out = {}\n"                                                                       \
	"  for a, b in s:gmatch(p) do out[#out + 1] = tostring(a) .. ',' .. tostring(b) end\n"     \
	"  return table.concat(out, '/')\n"                                                        \
	"end\n"                                                                                    \
	"local function try(kind, s, p)\n"                                                         \
	"  if kind == 1 then return text(pcall(string.find, s, p)) end\n"                          \
	"  if kind == 2 then return text(pcall(string.match, s, p, -4)) end\n"                     \
	"  if kind == 3 then return text(pcall(string.gsub, s, p, '<%0>')) end\n"                  \
	"  if kind == 4 then return text(pcall(string.gsub, s, p, '%1%%', 2)) end\n"               \
	"  if kind == 5 then return text(pcall(string.find, s, p, 2, true)) end\n"                 \
	"  if kind == 6 then return text(pcall(string.gsub, s, p, { a = 'A', ['1'] = 7 })) end\n"  \
	"  return text(pcall(all, s, p))\n"                                                        \
	"end\n"

static const char *const table[][2] = {
	{ "hello world", "o" },
	{ "hello world", "(o)(.)" },
	{ "key = value", "^(%w+)%s*=%s*(%w+)$" },
	{ "key = value", "()%s()" },
	{ "THE (quick) fox", "%((%a+)%)" },
	{ "THE (quick) fox", "%f[%a]%a+" },
	{ "f(a(b)c)d", "%b()" },
	{ "f(a(b", "%b()" },
	{ "abab", "(a)(b)%1%2" },
	{ "aXa", "(a)X%1" },
	{ "", "" },
	{ "", ".*" },
	{ "abc", "" },
	{ "abc", "%w*" },
	{ "a.b", "%." },
	{ "a-b", "[a-]+" },
	{ "a]b", "[]]" },
	{ "a]b", "[^]]" },
	{ "a]b", "[a-%]]+" },
	{ "a^b", "[b^]" },
	{ "a$b", "a$b" },
	{ "a$", "a%$$" },
	{ "x^", "x^" },
	{ "*a", "*a" },
	{ "aaa", "a-$" },
	{ "aaa", "^a-" },
	{ "aab", "a?a?b?" },
	{ "0x1F", "^0[xX](%x+)$" },
	{ "a\tb\nc", "%s" },
	{ "a\tb\nc", "%c%C" },
	{ "10.0.0.2:80", "^(%d+)%.(%d+)%.(%d+)%.(%d+):?(%d*)$" },
	{ "x", "((((((((((x))))))))))" },
	{ "x", "(" },
	{ "x", ")" },
	{ "x", "%" },
	{ "x", "[x" },
	{ "x", "[^" },
	{ "x", "%1" },
	{ "x", "(%1)" },
	{ "x", "%f" },
	{ "x", "%bx" },
	{ "\xff\xfe", "[\x80-\xff]+" },
};

/* As a reject's reason comes out: control characters as \xNN. */
static void clean(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 5 < size; text++) {
		if ((unsigned char)*text < 0x20)
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", *text);
		else
			out[n++] = *text;
	}
	out[n] = '\0';
}

static const char *oracle_try(lua_State *L, int kind, const char *s, const char *p)
{
	static char out[256];

	lua_getglobal(L, "try");
	lua_pushinteger(L, kind);
	lua_pushstring(L, s);
	lua_pushstring(L, p);
	assert_int_equal(lua_pcall(L, 3, 1, 0), 0);
	clean(out, sizeof(out), lua_tostring(L, -1));
	lua_pop(L, 1);
	return out;
}

static const char *ours_try(struct fixture *f, int kind, const char *s, const char *p)
{
	char name[128];
	const char *answer, *colon;

	/* The pair travels as the operation's name, the kind as its size. */
	snprintf(name, sizeof(name), "%s\x01%s", s, p);
	answer = policy_admit(f, name, (size_t)kind);
	colon = strstr(answer, "): =");
	if (!colon)
		fail_msg("'%s' and '%s': %s", s, p, answer);
	return colon + 4;
}

static void compare(struct fixture *f, lua_State *L, const char *s, const char *p)
{
	const char *found = oracle_try(L, 1, s, p);
	bool malformed = strcmp(found, "error") == 0 || strcmp(found, "nil;") == 0;

	for (int kind = 1; kind <= NR_KINDS; kind++) {
		const char *theirs = oracle_try(L, kind, s, p);
		const char *ours = ours_try(f, kind, s, p);

		/* LuaJIT's gmatch takes a leading '^' for the character; ours for the anchor. */
		if (kind == NR_KINDS && p[0] == '^')
			continue;
		/* A ')' alone is plain text to LuaJIT's find only; to ours always. */
		if (kind > 1 && !strpbrk(p, "^$*+?.([%-"))
			continue;
		if (strcmp(ours, theirs) == 0)
			continue;
		if (strcmp(ours, "error") != 0 || !malformed)
			fail_msg("kind %d, '%s' with '%s': ours %s, theirs %s", kind, s, p, ours,
				 theirs);
	}
}

static void test_patterns(void **state)
{
	static const char subject_bytes[] = "aab1 (x).%-]";
	static const char pattern_bytes[] = "ab1x.%%%%[]^$()*+-?wdsafb-";
	struct fixture *f = *state;
	lua_State *L = luaL_newstate();
	char s[12], p[12];

	assert_non_null(L);
	luaL_openlibs(L);
	assert_int_equal(luaL_dostring(L, TRY "_G.try = try"), 0);
	policy_use(f,
		   TRY
		   "policy { name = 'p', api = 1, on_error = 'reject', op_admit = function(op)\n"
		   "  local s, p = op.name:match('^(.*)\1(.*)$')\n"
		   "  return reject('=' .. try(op.bytes_in, s, p))\n"
		   "end }\n",
		   NULL);
	for (size_t i = 0; i < COUNT(table); i++)
		compare(f, L, table[i][0], table[i][1]);
	srand(1);
	for (int i = 0; i < RANDOM_CASES; i++) {
		size_t ns = (size_t)rand() % (sizeof(s) - 1), np = (size_t)rand() % (sizeof(p) - 1);

		for (size_t k = 0; k < ns; k++)
			s[k] = subject_bytes[(size_t)rand() % (sizeof(subject_bytes) - 1)];
		for (size_t k = 0; k < np; k++)
			p[k] = pattern_bytes[(size_t)rand() % (sizeof(pattern_bytes) - 1)];
		s[ns] = p[np] = '\0';
		compare(f, L, s, p);
	}
	lua_close(L);
}

/* The other functions that are ours: their results on ordinary values. */
static void test_library(void **state)
{
	struct fixture *f = *state;

	policy_use(
		f,
		"local t = { 5, 3, 9, 1, 3 }\n"
		"table.sort(t)\n"
		"assert(table.concat(t, ',') == '1,3,3,5,9')\n"
		"table.sort(t, function(a, b) return a > b end)\n"
		"assert(table.concat(t, ',') == '9,5,3,3,1')\n"
		"local big = {} for i = 1, 1000 do big[i] = (i * 7919) % 1009 end\n"
		"table.sort(big) for i = 2, 1000 do assert(big[i - 1] <= big[i]) end\n"
		"table.insert(t, 7) table.insert(t, 1, 0)\n"
		"assert(table.concat(t, ',', 1, 2) == '0,9' and #t == 7)\n"
		"assert(table.remove(t) == 7 and table.remove(t, 1) == 0 and #t == 5)\n"
		"assert(select('#', unpack(t)) == 5 and select(2, unpack(t, 2, 3)) == 3)\n"
		"assert(('x'):rep(3) == 'xxx' and ('x'):rep(-1) == '' and ('Ab'):upper() == 'AB')\n"
		"assert(string.format('%5.1f|%s|%s|%d|%q', 1.5, nil, true, 3, 'a\"') =="
		" '  1.5|nil|true|3|\"a\\\\\"\"')\n"
		"local o = setmetatable({}, { __tostring = function() return 'obj' end })\n"
		"assert(('%s-%s'):format(o, 'x') == 'obj-x')\n"
		"assert(('abc'):gsub('%w', function(c) return c == 'b' and 'B' end) == 'aBc')\n"
		"assert(('$a $b'):gsub('%$(%w)', { a = 1 }) == '1 $b')\n"
		"assert(os.time { year = 2020, month = 1, day = 2, hour = 12 } > 1577836800)\n"
		"assert(os.date('!%Y', 0) == '1970' and os.clock() >= 0 and os.time() > 0)\n"
		"assert(bit.band(7, 3) == 3 and math.max(1, 2) == 2 and tonumber('0x10') == 16)\n"
		"local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * "
		"2 end)\n"
		"assert(co(1) == 2 and co(5) == 10)\n"
		"local ok, e = pcall(coroutine.wrap(function() error('x', 0) end))\n"
		"assert(not ok and e == 'x')\n"
		"ok, e = pcall(('x').rep, {}, 2)\n"
		"assert(not ok and e == 'p.lua:25: string.rep: a string is expected, got a table', "
		"e)\n"
		"ok, e = pcall(string.upper)\n"
		"assert(not ok and e == 'p.lua:27: string.upper: a string is expected, got nil', "
		"e)\n"
		"policy { name = 'p', api = 1, on_error = 'reject' }\n",
		NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patterns, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_library, policy_setup, policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
