/*
 * agent_record_line.c - lines of a recording: valid whatever is in them, or none at all.
 */
#include "cmocka_all.h"
#include "record_line.h"
#include <stdlib.h>
#include <string.h>

static struct record_line line;

static const char *ended(void)
{
	assert_true(record_line_end(&line));
	assert_true(line.length < sizeof(line.text));
	line.text[line.length] = '\0';
	return line.text;
}

static void members_have_commas_between_them(void **state)
{
	(void)state;
	record_line_begin(&line);
	record_line_text(&line, "e", "op");
	record_line_number(&line, "t", UINT64_MAX);
	record_line_text(&line, "absent", NULL);
	record_line_open(&line, "peer", '{');
	record_line_close(&line, '}');
	record_line_open(&line, "names", '[');
	record_line_text(&line, NULL, "a");
	record_line_text(&line, NULL, "b");
	record_line_close(&line, ']');
	record_line_bool(&line, "up", true);
	record_line_bool(&line, "down", false);
	assert_string_equal(ended(), "{\"e\":\"op\",\"t\":18446744073709551615,\"peer\":{},"
				     "\"names\":[\"a\",\"b\"],\"up\":true,\"down\":false}\n");
}

static void texts_are_escaped_and_made_utf8(void **state)
{
	(void)state;
	record_line_begin(&line);
	record_line_text(&line, "a", "\"\\\n\x01\x7f");
	record_line_text(&line, "b", "gr\xc3\xbc\xc3\x9f\xff\xc3");
	assert_string_equal(ended(), "{\"a\":\"\\\"\\\\\\u000a\\u0001\\u007f\","
				     "\"b\":\"gr\xc3\xbc\xc3\x9f??\"}\n");
}

static void a_number_is_read_as_what_it_was(void **state)
{
	static const double values[] = { 0.1, 1e-9, 86400, 1.0 / 3, 4.9999999999999991 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		record_line_begin(&line);
		record_line_real(&line, "r", values[i]);
		assert_true(strtod(ended() + strlen("{\"r\":"), NULL) == values[i]);
	}
}

static void a_long_text_is_cut(void **state)
{
	static char text[1 << 20];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	record_line_begin(&line);
	record_line_text(&line, "a", text);
	assert_true(strlen(ended()) < 4096);
	assert_string_equal(line.text + line.length - 4, "x\"}\n");
}

/* At every length: the end, too, needs its place. */
static void what_does_not_fit_is_no_line(void **state)
{
	size_t count, fits = 0;
	bool good;

	(void)state;
	for (count = RECORD_LINE_MAX / 4 - 16; count < RECORD_LINE_MAX / 4 + 16; count++) {
		record_line_begin(&line);
		record_line_open(&line, "n", '[');
		for (size_t i = 0; i < count; i++)
			record_line_text(&line, NULL, "x");
		record_line_close(&line, ']');
		good = record_line_end(&line);
		assert_true(line.length < sizeof(line.text));
		assert_int_equal(good, 4 * count + strlen("{\"n\":[]}\n") - 1 < RECORD_LINE_MAX);
		fits += good;
	}
	assert_in_range(fits, 1, 31);
	record_line_begin(&line);
	assert_string_equal(ended(), "{}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_have_commas_between_them),
		cmocka_unit_test(texts_are_escaped_and_made_utf8),
		cmocka_unit_test(a_number_is_read_as_what_it_was),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(what_does_not_fit_is_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
