/*
 * core_arg_array.c - argument arrays: their life and growth, every typed family, the codes of what
 * is refused, and who owns which bytes. The array functions need no bootstrap.
 */
#include "core_test.h"

static void an_array_starts_empty(void **state)
{
	struct vaccel_arg_array array, *created = NULL;

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&array, 0), 0);
	assert_non_null(array.args);
	assert_int_equal(array.count, 0);
	assert_int_equal(array.capacity, 8);
	assert_int_equal(array.position, 0);
	assert_true(array.owned);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
	assert_null(array.args);
	assert_int_equal(array.capacity, 0);
	assert_false(array.owned);
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_EINVAL);

	assert_int_equal(vaccel_arg_array_new(&created, 3), 0);
	assert_int_equal(created->capacity, 3);
	assert_int_equal(vaccel_arg_array_delete(created), 0);

	assert_int_equal(vaccel_arg_array_init(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_new(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_delete(NULL), VACCEL_EINVAL);
	vaccel_arg_array_clear(NULL);
}

/* More than there can be memory for is refused before it is asked for. */
static void a_capacity_that_overflows_is_no_memory(void **state)
{
	struct vaccel_arg_array array, *created = NULL;
	const size_t capacities[] = { SIZE_MAX, SIZE_MAX / sizeof(struct vaccel_arg) + 1,
				      PTRDIFF_MAX / sizeof(struct vaccel_arg) + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		assert_int_equal(vaccel_arg_array_init(&array, capacities[i]), VACCEL_ENOMEM);
		assert_null(array.args);
		assert_int_equal(vaccel_arg_array_release(&array), VACCEL_EINVAL);
		assert_int_equal(vaccel_arg_array_new(&created, capacities[i]), VACCEL_ENOMEM);
		assert_null(created);
	}
}

static void growth_doubles(void **state)
{
	struct vaccel_arg_array array;
	int32_t values[100];

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&array, 3), 0);
	for (int i = 0; i < 100; i++) {
		size_t capacity = 3;

		values[i] = i;
		assert_int_equal(vaccel_arg_array_add_int32(&array, &values[i]), 0);
		while (capacity < (size_t)i + 1)
			capacity *= 2;
		assert_int_equal(array.capacity, capacity);
	}
	assert_int_equal(vaccel_arg_array_count(&array), 100);
	for (int i = 0; i < 100; i++)
		assert_ptr_equal(vaccel_arg_array_raw(&array)[i].buf, &values[i]);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
}

static void a_wrapped_array_stays_the_callers(void **state)
{
	struct vaccel_arg_array array;
	struct vaccel_arg args[2];
	int32_t value = 7, got;

	(void)state;
	assert_int_equal(vaccel_arg_init(&args[0], &value, sizeof(value), VACCEL_ARG_INT32, 0), 0);
	assert_int_equal(vaccel_arg_init(&args[1], "bytes", 6, VACCEL_ARG_STRING, 0), 0);
	assert_int_equal(vaccel_arg_array_wrap(NULL, args, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_wrap(&array, NULL, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_wrap(&array, args, 2), 0);
	assert_ptr_equal(array.args, args);
	assert_int_equal(array.count, 2);
	assert_int_equal(array.capacity, 2);
	assert_false(array.owned);

	assert_int_equal(vaccel_arg_array_add_int32(&array, &value), VACCEL_ERANGE);
	assert_reason("cannot grow");
	assert_int_equal(vaccel_arg_array_add_raw(&array, NULL, 0), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_all(&array, &array, true), VACCEL_ERANGE);
	assert_int_equal(array.count, 2);

	assert_int_equal(vaccel_arg_array_get_int32(&array, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
	assert_string_equal(args[1].buf, "bytes");

	/* Cleared, it has places again; the arguments that were there are gone. */
	assert_int_equal(vaccel_arg_array_wrap(&array, args, 2), 0);
	vaccel_arg_array_clear(&array);
	assert_null(args[1].buf);
	assert_int_equal(args[1].type, VACCEL_ARG_MAX);
	assert_int_equal(vaccel_arg_array_add_int32(&array, &value), 0);
	assert_ptr_equal(args[0].buf, &value);

	assert_int_equal(vaccel_arg_array_wrap(&array, NULL, 0), 0);
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_EINVAL);
}

static void a_cleared_array_keeps_its_memory(void **state)
{
	struct vaccel_arg_array array, copy;
	int32_t value = 1;

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&array, 1), 0);
	assert_int_equal(vaccel_arg_array_init(&copy, 1), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(vaccel_arg_array_add_int32(&array, &value), 0);
	assert_int_equal(vaccel_arg_array_add_all(&copy, &array, true), 0);
	assert_int_equal(vaccel_arg_array_get_int32(&copy, &value), 0);
	vaccel_arg_array_clear(&copy);
	assert_non_null(copy.args);
	assert_int_equal(copy.capacity, 8);
	assert_int_equal(copy.count, 0);
	assert_int_equal(copy.position, 0);
	assert_null(copy.args[0].buf);
	assert_int_equal(vaccel_arg_array_release(&copy), 0);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
}

/*
 * One set of tests for each family of numbers. Values are compared as bytes: those of a bool are
 * the only ones that may be refused for what they are.
 */
struct family {
	const char *name;
	vaccel_arg_type_t one, many;
	size_t element;
	int (*add)(struct vaccel_arg_array *array, void *value);
	int (*add_array)(struct vaccel_arg_array *array, void *values, size_t count);
	int (*get)(struct vaccel_arg_array *array, void *value);
	int (*get_array)(struct vaccel_arg_array *array, void **values, size_t *count);
	int (*set)(struct vaccel_arg_array *array, void *value);
	int (*set_array)(struct vaccel_arg_array *array, void *values, size_t count);
};

#define FAMILY_CALLS(name, ctype, one, many)                                                       \
	static int call_add_##name(struct vaccel_arg_array *array, void *value)                    \
	{                                                                                          \
		return vaccel_arg_array_add_##name(array, value);                                  \
	}                                                                                          \
	static int call_add_##name##_array(struct vaccel_arg_array *array, void *values,           \
					   size_t count)                                           \
	{                                                                                          \
		return vaccel_arg_array_add_##name##_array(array, values, count);                  \
	}                                                                                          \
	static int call_get_##name(struct vaccel_arg_array *array, void *value)                    \
	{                                                                                          \
		return vaccel_arg_array_get_##name(array, value);                                  \
	}                                                                                          \
	static int call_get_##name##_array(struct vaccel_arg_array *array, void **values,          \
					   size_t *count)                                          \
	{                                                                                          \
		ctype *found = NULL;                                                               \
		const int ret =                                                                    \
			vaccel_arg_array_get_##name##_array(array, values ? &found : NULL, count); \
                                                                                                   \
		if (!ret)                                                                          \
			*values = found;                                                           \
		else                                                                               \
			assert_null(found);                                                        \
		return ret;                                                                        \
	}                                                                                          \
	static int call_set_##name(struct vaccel_arg_array *array, void *value)                    \
	{                                                                                          \
		return vaccel_arg_array_set_##name(array, value);                                  \
	}                                                                                          \
	static int call_set_##name##_array(struct vaccel_arg_array *array, void *values,           \
					   size_t count)                                           \
	{                                                                                          \
		return vaccel_arg_array_set_##name##_array(array, values, count);                  \
	}

VACCEL_ARG_NUMERIC_TYPES(FAMILY_CALLS)

#define FAMILY(name, ctype, one, many)                                                             \
	{ #name,                                                                                   \
	  one,                                                                                     \
	  many,                                                                                    \
	  sizeof(ctype),                                                                           \
	  call_add_##name,                                                                         \
	  call_add_##name##_array,                                                                 \
	  call_get_##name,                                                                         \
	  call_get_##name##_array,                                                                 \
	  call_set_##name,                                                                         \
	  call_set_##name##_array },

static const struct family families[] = { VACCEL_ARG_NUMERIC_TYPES(FAMILY) };

enum { FAMILIES = sizeof(families) / sizeof(families[0]), NUMBERS = 4 };

/* Room for NUMBERS of any family, and one more; every byte is a bool's. */
struct numbers {
	_Alignas(max_align_t) uint8_t bytes[(NUMBERS + 1) * 8];
};

static struct numbers numbers_of(uint8_t seed)
{
	struct numbers numbers;

	for (size_t i = 0; i < sizeof(numbers.bytes); i++)
		numbers.bytes[i] = (uint8_t)((i + seed) % 3 % 2);
	return numbers;
}

static void all_families_are_there(void **state)
{
	(void)state;
	assert_int_equal(FAMILIES, 13);
	for (size_t i = 0; i < FAMILIES; i++) {
		assert_int_equal(families[i].one, 2 * i + 1);
		assert_int_equal(families[i].many, 2 * i + 2);
	}
}

static void assert_arg(const struct vaccel_arg *arg, vaccel_arg_type_t type, const void *buf,
		       size_t size)
{
	assert_int_equal(arg->type, type);
	assert_ptr_equal(arg->buf, buf);
	assert_int_equal(arg->size, size);
	assert_int_equal(arg->custom_type_id, 0);
	assert_false(arg->owned);
}

static void numbers_are_added_where_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		struct numbers numbers = numbers_of(0);
		struct vaccel_arg_array array;

		print_message("%s\n", family->name);
		assert_int_equal(vaccel_arg_array_init(&array, 1), 0);
		assert_int_equal(family->add(&array, numbers.bytes), 0);
		assert_int_equal(family->add_array(&array, numbers.bytes, NUMBERS), 0);
		assert_int_equal(array.count, 2);
		assert_arg(&array.args[0], family->one, numbers.bytes, family->element);
		assert_arg(&array.args[1], family->many, numbers.bytes, NUMBERS * family->element);

		assert_int_equal(family->add(NULL, numbers.bytes), VACCEL_EINVAL);
		assert_int_equal(family->add(&array, NULL), VACCEL_EINVAL);
		assert_int_equal(family->add_array(NULL, numbers.bytes, 1), VACCEL_EINVAL);
		assert_int_equal(family->add_array(&array, NULL, 1), VACCEL_EINVAL);
		assert_int_equal(family->add_array(&array, numbers.bytes, 0), VACCEL_EINVAL);
		if (family->element > 1)
			assert_int_equal(family->add_array(&array, numbers.bytes,
							   SIZE_MAX / family->element + 2),
					 VACCEL_EINVAL);
		assert_int_equal(array.count, 2);
		assert_int_equal(array.capacity, 2);
		assert_int_equal(vaccel_arg_array_release(&array), 0);
	}
}

static void booleans_are_0_or_1(void **state)
{
	uint8_t bytes[] = { 0, 1, 2, 1 };
	struct vaccel_arg_array array;
	bool *values = (bool *)bytes;

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&array, 0), 0);
	assert_int_equal(vaccel_arg_array_add_bool(&array, &values[0]), 0);
	assert_int_equal(vaccel_arg_array_add_bool(&array, &values[1]), 0);
	assert_int_equal(vaccel_arg_array_add_bool(&array, &values[2]), VACCEL_EINVAL);
	assert_reason("BOOL");
	assert_int_equal(vaccel_arg_array_add_bool_array(&array, values, 2), 0);
	assert_int_equal(vaccel_arg_array_add_bool_array(&array, values, 3), VACCEL_EINVAL);
	assert_int_equal(array.count, 3);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
}

/* An array with one number, several, and something else. */
static void fill(struct vaccel_arg_array *array, const struct family *family,
		 struct numbers *numbers)
{
	static char text[] = "text";

	assert_int_equal(vaccel_arg_array_init(array, 3), 0);
	assert_int_equal(family->add(array, numbers->bytes), 0);
	assert_int_equal(family->add_array(array, numbers->bytes, NUMBERS), 0);
	assert_int_equal(vaccel_arg_array_add_string(array, text), 0);
}

static void numbers_are_got(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		struct numbers numbers = numbers_of(0), got = numbers_of(1);
		struct vaccel_arg_array array;
		void *values = NULL;
		size_t count;

		print_message("%s\n", family->name);
		fill(&array, family, &numbers);
		assert_int_equal(family->get(NULL, got.bytes), VACCEL_EINVAL);
		assert_int_equal(family->get(&array, NULL), VACCEL_EINVAL);
		assert_int_equal(family->get_array(&array, &values, &count), VACCEL_EINVAL);
		assert_int_equal(array.position, 0);
		assert_int_equal(family->get(&array, got.bytes), 0);
		assert_memory_equal(got.bytes, numbers.bytes, family->element);
		assert_int_equal(array.position, 1);

		assert_int_equal(family->get_array(NULL, &values, &count), VACCEL_EINVAL);
		assert_int_equal(family->get_array(&array, NULL, &count), VACCEL_EINVAL);
		assert_int_equal(family->get(&array, got.bytes), VACCEL_EINVAL);
		assert_reason("argument 1 of 3 is");
		assert_int_equal(array.position, 1);
		assert_int_equal(family->get_array(&array, &values, &count), 0);
		assert_ptr_equal(values, numbers.bytes);
		assert_int_equal(count, NUMBERS);
		assert_int_equal(array.position, 2);
		vaccel_arg_array_set_position(&array, 1);
		assert_int_equal(family->get_array(&array, &values, NULL), 0);

		assert_int_equal(family->get(&array, got.bytes), VACCEL_EINVAL);
		assert_int_equal(family->get_array(&array, &values, &count), VACCEL_EINVAL);
		assert_reason("argument 2 of 3 is STRING of 5 bytes, asked for as");
		assert_int_equal(array.position, 2);
		vaccel_arg_array_set_position(&array, 3);
		assert_int_equal(family->get(&array, got.bytes), VACCEL_ERANGE);
		assert_int_equal(family->get_array(&array, &values, &count), VACCEL_ERANGE);
		assert_int_equal(array.position, 3);
		assert_int_equal(vaccel_arg_array_release(&array), 0);
	}
}

static void numbers_are_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		struct numbers numbers = numbers_of(0), other = numbers_of(1);
		const struct numbers before = numbers;
		struct vaccel_arg_array array;

		print_message("%s\n", family->name);
		fill(&array, family, &numbers);
		assert_int_equal(family->set(NULL, other.bytes), VACCEL_EINVAL);
		assert_int_equal(family->set(&array, NULL), VACCEL_EINVAL);
		assert_int_equal(family->set_array(&array, other.bytes, 1), VACCEL_EINVAL);
		assert_int_equal(array.position, 0);
		assert_int_equal(family->set(&array, other.bytes), 0);
		assert_memory_equal(numbers.bytes, other.bytes, family->element);
		assert_memory_equal(numbers.bytes + family->element, before.bytes + family->element,
				    sizeof(numbers.bytes) - family->element);
		assert_int_equal(array.position, 1);

		assert_int_equal(family->set_array(NULL, other.bytes, 1), VACCEL_EINVAL);
		assert_int_equal(family->set_array(&array, NULL, 1), VACCEL_EINVAL);
		assert_int_equal(family->set(&array, other.bytes), VACCEL_EINVAL);
		assert_int_equal(family->set_array(&array, other.bytes, NUMBERS + 1),
				 VACCEL_EINVAL);
		assert_reason("argument 1 of 3 has room for");
		assert_int_equal(
			family->set_array(&array, other.bytes,
					  SIZE_MAX / family->element + (family->element > 1)),
			VACCEL_EINVAL);
		assert_int_equal(array.position, 1);
		assert_int_equal(family->set_array(&array, other.bytes, NUMBERS - 1), 0);
		assert_memory_equal(numbers.bytes, other.bytes, (NUMBERS - 1) * family->element);
		assert_memory_equal(numbers.bytes + (NUMBERS - 1) * family->element,
				    before.bytes + (NUMBERS - 1) * family->element,
				    2 * family->element);
		assert_int_equal(array.args[1].size, NUMBERS * family->element);
		assert_int_equal(array.position, 2);

		assert_int_equal(family->set(&array, other.bytes), VACCEL_EINVAL);
		assert_int_equal(family->set_array(&array, other.bytes, 1), VACCEL_EINVAL);
		assert_int_equal(array.position, 2);
		vaccel_arg_array_set_position(&array, 3);
		assert_int_equal(family->set(&array, other.bytes), VACCEL_ERANGE);
		assert_int_equal(family->set_array(&array, other.bytes, 1), VACCEL_ERANGE);
		assert_int_equal(vaccel_arg_array_release(&array), 0);
	}
}

/* Arguments that came from elsewhere, with NULL bytes, too few, too many, or half a number. */
static void numbers_of_a_wrong_size_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		struct numbers numbers = numbers_of(0), got;
		const size_t sizes[] = { 0, family->element - 1, family->element + 1 };
		struct vaccel_arg args[2] = {
			{ .buf = NULL, .size = family->element, .type = family->one },
			{ .buf = NULL, .size = family->element, .type = family->many },
		};
		struct vaccel_arg_array array;
		void *values;

		print_message("%s\n", family->name);
		assert_int_equal(vaccel_arg_array_wrap(&array, args, 2), 0);
		assert_int_equal(family->get(&array, got.bytes), VACCEL_EINVAL);
		assert_reason("at NULL");
		assert_int_equal(family->set(&array, numbers.bytes), VACCEL_EINVAL);
		vaccel_arg_array_set_position(&array, 1);
		assert_int_equal(family->get_array(&array, &values, NULL), VACCEL_EINVAL);
		assert_int_equal(family->set_array(&array, numbers.bytes, 1), VACCEL_EINVAL);
		for (size_t size = 0; size < 3; size++) {
			for (int arg = 0; arg < 2; arg++) {
				args[arg].buf = numbers.bytes;
				args[arg].size = sizes[size];
			}
			vaccel_arg_array_reset_position(&array);
			assert_int_equal(family->get(&array, got.bytes), VACCEL_EINVAL);
			assert_int_equal(family->set(&array, numbers.bytes), VACCEL_EINVAL);
			assert_int_equal(array.position, 0);
			if (sizes[size] && sizes[size] % family->element == 0)
				continue;
			vaccel_arg_array_set_position(&array, 1);
			assert_int_equal(family->get_array(&array, &values, NULL), VACCEL_EINVAL);
			assert_int_equal(family->set_array(&array, numbers.bytes, 1),
					 VACCEL_EINVAL);
			assert_int_equal(array.position, 1);
		}
	}
}

static void positions_and_what_remains(void **state)
{
	struct vaccel_arg_array array;
	struct vaccel_arg *args;
	int32_t values[4] = { 0 }, got;
	size_t count;

	(void)state;
	assert_int_equal(vaccel_arg_array_init(&array, 4), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(vaccel_arg_array_add_int32(&array, &values[i]), 0);
	assert_int_equal(vaccel_arg_array_get_int32(&array, &got), 0);
	assert_int_equal(vaccel_arg_array_position(&array), 1);
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 3);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, &count), 0);
	assert_ptr_equal(args, &array.args[1]);
	assert_int_equal(count, 3);
	assert_int_equal(vaccel_arg_array_position(&array), 1);
	assert_int_equal(vaccel_arg_array_get_remaining(NULL, &args, &count), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, NULL, &count), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, NULL), VACCEL_EINVAL);

	vaccel_arg_array_set_position(&array, 5);
	assert_int_equal(vaccel_arg_array_position(&array), 4);
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 0);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, &count), 0);
	assert_null(args);
	assert_int_equal(count, 0);
	vaccel_arg_array_set_position(&array, 2);
	assert_int_equal(vaccel_arg_array_position(&array), 2);
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_position(&array), 0);
	assert_int_equal(vaccel_arg_array_count(&array), 4);

	assert_int_equal(vaccel_arg_array_count(NULL), 0);
	assert_int_equal(vaccel_arg_array_position(NULL), 0);
	assert_int_equal(vaccel_arg_array_remaining_count(NULL), 0);
	assert_null(vaccel_arg_array_raw(NULL));
	vaccel_arg_array_set_position(NULL, 1);
	vaccel_arg_array_reset_position(NULL);
	assert_int_equal(vaccel_arg_array_release(&array), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_starts_empty),
		cmocka_unit_test(a_capacity_that_overflows_is_no_memory),
		cmocka_unit_test(growth_doubles),
		cmocka_unit_test(a_wrapped_array_stays_the_callers),
		cmocka_unit_test(a_cleared_array_keeps_its_memory),
		cmocka_unit_test(all_families_are_there),
		cmocka_unit_test(numbers_are_added_where_they_are),
		cmocka_unit_test(booleans_are_0_or_1),
		cmocka_unit_test(numbers_are_got),
		cmocka_unit_test(numbers_are_set),
		cmocka_unit_test(numbers_of_a_wrong_size_are_refused),
		cmocka_unit_test(positions_and_what_remains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
