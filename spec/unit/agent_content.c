/*
 * agent_content.c - the store of contents: what is written comes to rest once, is found by those
 * alone that prove to hold it, and goes with its last holder.
 */
#include "agent.h"
#include "cmocka_all.h"
#include "luaccel.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct agent agent;
static const uint8_t nonce[DIGEST_SIZE] = { 1 }, other_nonce[DIGEST_SIZE] = { 2 };

/* Let workers do what they have to. */
static void settle(void)
{
	while (agent.nr_operations)
		ev_run(agent.loop, EVRUN_ONCE);
}

static int entries(void)
{
	DIR *dir = opendir(vaccel_rundir());
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int set_up(void **state)
{
	struct vaccel_config config;

	(void)state;
	assert_int_equal(vaccel_config_init(&config, NULL, 0, NULL, false, false), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_config_release(&config), VACCEL_OK);
	memset(&agent, 0, sizeof(agent));
	agent.loop = ev_loop_new(0);
	assert_int_equal(loops_open(&agent.loops, agent.loop, 1), 0);
	assert_int_equal(pool_new(&agent.loops, 2, &agent.pool), 0);
	return contents_init(&agent.contents);
}

static int nothing_is_left(void **state)
{
	(void)state;
	settle();
	assert_int_equal(entries(), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pool_free(agent.pool);
	loops_close(&agent.loops);
	ev_loop_destroy(agent.loop);
	return vaccel_cleanup();
}

/* Two pieces, sealed. */
static struct content *write_two(const char *first, const char *second)
{
	struct content *content = content_new(&agent, false);
	char why[160];

	assert_non_null(content);
	assert_int_equal(content_write(content, first, strlen(first), false, why, sizeof(why)), 0);
	assert_false(content->sealed);
	assert_int_equal(content_write(content, second, strlen(second), true, why, sizeof(why)), 0);
	assert_true(content->sealed);
	return content;
}

/* What a peer that holds the text says of it. */
struct claim {
	size_t size;
	uint8_t address[DIGEST_SIZE], proof[DIGEST_SIZE];
};

static struct claim claim_of(const char *text)
{
	struct claim claim = { .size = strlen(text) };
	uint8_t root[DIGEST_SIZE];
	struct digest digest;

	digest_begin(&digest, agent.contents.key);
	digest_add(&digest, text, claim.size);
	digest_end(&digest, root);
	digest_address(root, claim.address);
	digest_proof(root, nonce, claim.proof);
	return claim;
}

static struct content *find(const struct claim *claim, const uint8_t with[DIGEST_SIZE])
{
	return content_find(&agent, claim->address, claim->size, claim->proof, with);
}

static void pieces_come_to_rest_in_one_file(void **state)
{
	struct content *content = write_two("one and ", "two");
	char text[32] = "";
	struct stat st;
	FILE *file = fopen(content->path, "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), 11);
	fclose(file);
	assert_string_equal(text, "one and two");
	assert_int_equal(stat(content->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, S_IRUSR);
	content_unref(content);
	settle();
	assert_int_equal(entries(), 0);
}

static void it_is_found_by_who_proves_to_hold_it(void **state)
{
	const struct claim right = claim_of("one and two");
	struct content *content = content_publish(write_two("one and ", "two"));
	struct claim wrong;
	size_t i;

	(void)state;
	assert_ptr_equal(find(&right, nonce), content);
	content_unref(content);
	assert_null(find(&right, other_nonce)); /* overheard on another connection */
	for (i = 0; i < DIGEST_SIZE; i++) {
		wrong = right;
		wrong.proof[i] ^= 1;
		assert_null(find(&wrong, nonce));
		wrong = right;
		wrong.address[i] ^= 0x80;
		assert_null(find(&wrong, nonce));
	}
	wrong = right;
	wrong.size++;
	assert_null(find(&wrong, nonce));
	wrong = claim_of("one and 2");
	assert_null(find(&wrong, nonce));
	content_unref(content);
	assert_null(find(&right, nonce));
}

/* The root of what is not here is no one's to know, so nothing proves it. */
static void what_is_not_published_is_not_found(void **state)
{
	const struct claim right = claim_of("one and two");
	struct content *content = write_two("one and ", "two");

	(void)state;
	assert_null(find(&right, nonce));
	assert_memory_equal(content->address, right.address, DIGEST_SIZE);
	content_unref(content);
}

static void the_same_bytes_are_kept_once(void **state)
{
	struct content *first = content_publish(write_two("one and ", "two"));
	struct content *second = write_two("one a", "nd two");

	(void)state;
	assert_int_equal(entries(), 2);
	assert_ptr_equal(content_publish(second), first);
	settle();
	assert_int_equal(entries(), 1);
	content_unref(first);
	settle();
	assert_int_equal(entries(), 1);
	content_unref(first);
	settle();
	assert_int_equal(entries(), 0);
}

/* Addresses are not those of another process: nothing can be made ready for it. */
static void each_agent_has_a_key_of_its_own(void **state)
{
	const struct claim before = claim_of("one and two");
	struct contents again;

	(void)state;
	assert_int_equal(contents_init(&again), 0);
	assert_memory_not_equal(again.key, agent.contents.key, DIGEST_SIZE);
	agent.contents = again;
	assert_memory_not_equal(claim_of("one and two").address, before.address, DIGEST_SIZE);
}

static void one_that_cannot_be_written_says_why(void **state)
{
	struct content *content = content_new(&agent, false);
	char why[160];

	(void)state;
	free(content->path);
	content->path = strdup("/nowhere/content");
	assert_int_equal(content_write(content, "x", 1, true, why, sizeof(why)), VACCEL_ENOENT);
	assert_non_null(strstr(why, "No such file"));
	assert_false(content->sealed);
	content_unref(content);
}

#define TEST(name) cmocka_unit_test_teardown(name, nothing_is_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_come_to_rest_in_one_file),
		TEST(it_is_found_by_who_proves_to_hold_it),
		TEST(what_is_not_published_is_not_found),
		TEST(the_same_bytes_are_kept_once),
		TEST(each_agent_has_a_key_of_its_own),
		TEST(one_that_cannot_be_written_says_why),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
