/*
 * agent_account.c - the accounts of connections, peers and the whole: what is taken counts at each
 * level, each level can refuse, and nothing is left.
 */
#include "account.h"
#include "cmocka_all.h"
#include "vaccel.h"

struct world {
	struct limits limits;
	struct accounts accounts;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->limits = limits_default;
	world->limits.executing = 32;
	accounts_init(&world->accounts, &world->limits);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	size_t i;

	for (i = 0; i < ACCOUNT_KINDS; i++)
		assert_int_equal(world->accounts.total.used[i], 0);
	for (i = 0; i < ACCOUNT_BUCKETS; i++)
		assert_null(world->accounts.buckets[i]);
	free(world);
	return 0;
}

static struct account *open_uid(struct world *world, const char *listener, uid_t uid)
{
	const struct ttrpc_peer peer = { .transport = TTRPC_UNIX,
					 .has_credentials = true,
					 .uid = uid };

	return account_open(&world->accounts, listener, &peer);
}

static void each_level_counts(void **state)
{
	struct world *world = *state;
	struct account *a = open_uid(world, "one", 7), *b = open_uid(world, "one", 7);
	struct account *c = open_uid(world, "two", 7), *d = open_uid(world, "one", 8);
	char why[160];

	assert_ptr_equal(a->parent, b->parent);
	assert_ptr_not_equal(a->parent, c->parent); /* another listener's peer is another */
	assert_ptr_not_equal(a->parent, d->parent);
	assert_int_equal(account_take(a, ACCOUNT_SESSIONS, 3, why, sizeof(why)), VACCEL_OK);
	assert_int_equal(account_take(b, ACCOUNT_SESSIONS, 4, why, sizeof(why)), VACCEL_OK);
	assert_int_equal(account_take(c, ACCOUNT_SESSIONS, 5, why, sizeof(why)), VACCEL_OK);
	assert_int_equal(a->used[ACCOUNT_SESSIONS], 3);
	assert_int_equal(a->parent->used[ACCOUNT_SESSIONS], 7);
	assert_int_equal(world->accounts.total.used[ACCOUNT_SESSIONS], 12);
	account_give(a, ACCOUNT_SESSIONS, 3);
	account_unref(a);
	assert_int_equal(b->parent->used[ACCOUNT_SESSIONS], 4);
	account_give(b, ACCOUNT_SESSIONS, 4);
	account_give(c, ACCOUNT_SESSIONS, 5);
	account_unref(b);
	account_unref(c);
	account_unref(d);
}

static void each_level_refuses(void **state)
{
	static const struct {
		enum account_level level;
		const char *says;
	} rows[] = {
		{ ACCOUNT_CONNECTION, "limit resources: this connection has 9 and may have 10" },
		{ ACCOUNT_PEER, "limit resources-peer: this peer has 9 and may have 10" },
		{ ACCOUNT_TOTAL, "limit resources-total: the agent has 9 and may have 10" },
	};
	struct world *world = *state;
	struct account *a = open_uid(world, "one", 7);
	char why[160] = "";
	size_t i, most;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		most = world->limits.account[rows[i].level][ACCOUNT_RESOURCES];
		world->limits.account[rows[i].level][ACCOUNT_RESOURCES] = 10;
		assert_int_equal(account_take(a, ACCOUNT_RESOURCES, 9, why, sizeof(why)), 0);
		assert_int_equal(account_take(a, ACCOUNT_RESOURCES, 2, why, sizeof(why)),
				 VACCEL_EUSERS);
		assert_string_equal(why, rows[i].says);
		assert_int_equal(a->used[ACCOUNT_RESOURCES], 9); /* nothing of it was taken */
		assert_int_equal(world->accounts.total.used[ACCOUNT_RESOURCES], 9);
		assert_int_equal(account_take(a, ACCOUNT_RESOURCES, 1, why, sizeof(why)), 0);
		account_give(a, ACCOUNT_RESOURCES, 10);
		world->limits.account[rows[i].level][ACCOUNT_RESOURCES] = most;
	}
	account_unref(a);
}

static void bytes_are_refused_without_overflow(void **state)
{
	struct world *world = *state;
	struct account *a = open_uid(world, "one", 7);
	const size_t max = world->limits.account[ACCOUNT_PEER][ACCOUNT_MEMORY];
	char why[160] = "";

	assert_int_equal(account_take(a, ACCOUNT_MEMORY, max, why, sizeof(why)), 0);
	assert_int_equal(account_take(a, ACCOUNT_MEMORY, 1, why, sizeof(why)), VACCEL_ENOMEM);
	assert_int_equal(account_take(a, ACCOUNT_MEMORY, SIZE_MAX, why, sizeof(why)),
			 VACCEL_ENOMEM);
	assert_non_null(strstr(why, "limit memory-peer: this peer holds "));
	account_give(a, ACCOUNT_MEMORY, max);
	assert_int_equal(account_take(a, ACCOUNT_MEMORY, SIZE_MAX, why, sizeof(why)),
			 VACCEL_ENOMEM);
	account_unref(a);
}

static void what_is_held_counts_beyond_limits(void **state)
{
	struct world *world = *state;
	struct account *a = open_uid(world, "one", 7), *b = open_uid(world, "one", 7);
	const size_t max = world->limits.account[ACCOUNT_PEER][ACCOUNT_HELD];
	char why[160] = "";

	account_set(a, ACCOUNT_HELD, 0, max);
	assert_null(account_over_shared(b, ACCOUNT_HELD));
	account_set(b, ACCOUNT_HELD, 0, 100);
	assert_string_equal(account_over_shared(a, ACCOUNT_HELD), "held-peer");
	assert_int_equal(account_is_over(b, ACCOUNT_HELD, why, sizeof(why)), VACCEL_ENOMEM);
	account_set(a, ACCOUNT_HELD, max, 0);
	assert_int_equal(account_is_over(b, ACCOUNT_HELD, why, sizeof(why)), VACCEL_OK);
	account_set(b, ACCOUNT_HELD, 100, 0);
	account_unref(a);
	account_unref(b);
}

static void pressure_is_that_of_the_fullest(void **state)
{
	struct world *world = *state;
	struct account *a = open_uid(world, "one", 7);
	const size_t held = world->limits.account[ACCOUNT_TOTAL][ACCOUNT_HELD] / 2;
	const size_t memory = world->limits.account[ACCOUNT_TOTAL][ACCOUNT_MEMORY] / 10 * 9 + 10;
	const char *name = NULL;

	assert_int_equal(account_pressure(a, false, &name), 0);
	account_set(a, ACCOUNT_HELD, 0, held);
	account_set(a, ACCOUNT_MEMORY, 0, memory);
	assert_int_equal(account_pressure(a, true, &name), 50);
	assert_string_equal(name, "held-total");
	assert_int_equal(account_pressure(a, false, &name), 90);
	assert_string_equal(name, "memory-total");
	account_set(a, ACCOUNT_HELD, held, 0);
	account_set(a, ACCOUNT_MEMORY, memory, 0);
	account_unref(a);
}

static void peers_are_told_apart(void **state)
{
	enum { PEERS = 3000 };
	static struct account *accounts[PEERS];
	struct world *world = *state;
	char why[160];

	for (uid_t i = 0; i < PEERS; i++) {
		accounts[i] = open_uid(world, i % 2 ? "one" : "two", i / 2);
		assert_int_equal(
			account_take(accounts[i], ACCOUNT_CONNECTIONS, 1, why, sizeof(why)),
			i < 1024 ? VACCEL_OK : VACCEL_EUSERS);
		assert_int_equal(accounts[i]->parent->used[ACCOUNT_CONNECTIONS], i < 1024);
	}
	for (uid_t i = 0; i < PEERS; i++) {
		if (i < 1024)
			account_give(accounts[i], ACCOUNT_CONNECTIONS, 1);
		account_unref(accounts[i]);
	}
}

static void lines_are_so_many_a_second(void **state)
{
	struct world *world = *state;
	struct account *a, *b;
	int written = 0;

	world->limits.log = 5;
	a = open_uid(world, "one", 7);
	b = open_uid(world, "one", 8);
	for (int i = 0; i < 1000; i++)
		written += account_may_log(a, 100.0);
	assert_int_equal(written, 50);
	assert_true(account_may_log(b, 100.0));
	for (int i = 0; i < 1000; i++)
		written += account_may_log(a, 102.0);
	assert_int_equal(written, 60);
	account_unref(a);
	account_unref(b);
}

static void every_limit_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(limits_name(ACCOUNT_TOTAL, ACCOUNT_CONNECTIONS), "connections");
	assert_string_equal(limits_name(ACCOUNT_CONNECTION, ACCOUNT_HELD), "held");
	assert_null(limits_name(ACCOUNT_CONNECTION, ACCOUNT_DISK));
	for (int level = 0; level < ACCOUNT_LEVELS; level++)
		for (int kind = 0; kind < ACCOUNT_KINDS; kind++)
			assert_int_equal(!limits_name(level, kind),
					 !limits_default.account[level][kind]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_level_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_level_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_are_refused_without_overflow, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_held_counts_beyond_limits, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(pressure_is_that_of_the_fullest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peers_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_are_so_many_a_second, set_up, tear_down),
		cmocka_unit_test(every_limit_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
