/*
 * watchdog.c - see watchdog.h.
 *
 * The Lua thread writes a call's number and takes it back; the watchdog's thread may only turn the
 * number of a call whose time is up into FIRED, by a compare-and-exchange under the lock, and
 * fires before it lets the lock go. So a disarm that finds FIRED takes the lock once and knows that
 * the firing is over, and a disarm that finds its own number knows that nothing fires.
 *
 * A number stored while the thread sleeps for good is seen: the thread says `asleep` and then
 * looks at the number, the Lua thread stores the number and then looks at `asleep`, both in
 * sequentially consistent order.
 */
#include "watchdog.h"

#include <signal.h>
#include <time.h>

enum { WATCHDOG_IDLE = 0, WATCHDOG_FIRED = 1 };
enum { QUIET_ROUNDS = 16 }; /* of the interval without a call, before it sleeps for good */
enum { WALL_LIMIT = 10 };   /* budgets: how long a call may take that hardly runs */
enum { GRACE_NS = 500000 }; /* processor time that a call has left which is past that */
enum { NAP_NS = 200000 };   /* at least, between two looks */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void sleep_until(struct watchdog *dog, uint64_t when)
{
	struct timespec ts = {
		.tv_sec = (time_t)(when / UINT64_C(1000000000)),
		.tv_nsec = (long)(when % UINT64_C(1000000000)),
	};

	pthread_cond_timedwait(&dog->wake, &dog->lock, &ts);
}

static void sleep_for_good(struct watchdog *dog)
{
	atomic_store(&dog->asleep, true);
	if (atomic_load(&dog->call) == WATCHDOG_IDLE && !dog->stop)
		pthread_cond_wait(&dog->wake, &dog->lock);
	atomic_store(&dog->asleep, false);
}

/* The processor time that the Lua thread has had. Where it has ended, its call has too. */
static uint64_t used_ns(const struct watchdog *dog)
{
	struct timespec ts;

	if (clock_gettime(atomic_load(&dog->clock), &ts))
		return UINT64_MAX;
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/*
 * The processor time that the call under way has left, 0 when it is to be stopped.
 *
 * What it had used before it was first seen is not counted: to ask for that would cost each call a
 * system call. So a loop may run for longer than its budget, by the interval at most. Where a call
 * has run out of wall time, its thread may just not have been running, as of a machine that was
 * suspended. It gets a moment more, which a loop uses up at once; a thread that does not run could
 * not be stopped either.
 */
static uint64_t left_ns(struct watchdog *dog, uint64_t call, uint64_t now)
{
	const uint64_t used = used_ns(dog);
	const uint64_t budget = atomic_load_explicit(&dog->budget, memory_order_relaxed);

	if (dog->seen != call) {
		dog->seen = call;
		dog->since = now;
		dog->until = used + budget;
	}
	if (now >= dog->since + WALL_LIMIT * budget && dog->until > used + GRACE_NS)
		dog->until = used + GRACE_NS;
	return dog->until > used ? dog->until - used : 0;
}

/* A call is under way. It is stopped, or looked at again when it may have used its time. */
static void look(struct watchdog *dog, uint64_t call)
{
	const uint64_t now = now_ns();
	uint64_t nap = left_ns(dog, call, now);

	if (!nap) {
		if (atomic_compare_exchange_strong(&dog->call, &call, WATCHDOG_FIRED))
			dog->fire(dog->ctx);
		return;
	}
	if (nap < NAP_NS)
		nap = NAP_NS;
	/* Never past the interval: the next call may have less time than this. */
	sleep_until(dog, now + (nap < dog->interval ? nap : dog->interval));
}

static void *watch(void *arg)
{
	struct watchdog *dog = arg;
	unsigned quiet = 0;

	pthread_mutex_lock(&dog->lock);
	while (!dog->stop) {
		const uint64_t call = atomic_load(&dog->call);

		if (call > WATCHDOG_FIRED) {
			quiet = 0;
			look(dog, call);
		} else if (call == WATCHDOG_IDLE && ++quiet > QUIET_ROUNDS) {
			sleep_for_good(dog);
			quiet = 0;
		} else {
			sleep_until(dog, now_ns() + dog->interval);
		}
	}
	pthread_mutex_unlock(&dog->lock);
	return NULL;
}

int watchdog_start(struct watchdog *dog, uint64_t shortest_ns, void (*fire)(void *ctx), void *ctx)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int rc;

	dog->interval = shortest_ns / 2;
	dog->fire = fire;
	dog->ctx = ctx;
	dog->stop = false;
	dog->seen = WATCHDOG_IDLE;
	atomic_init(&dog->call, WATCHDOG_IDLE);
	dog->calls = WATCHDOG_FIRED;
	atomic_init(&dog->budget, 0);
	atomic_init(&dog->asleep, false);
	atomic_init(&dog->clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&dog->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&dog->wake, &attr);
	pthread_condattr_destroy(&attr);

	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&dog->thread, NULL, watch, dog);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		pthread_cond_destroy(&dog->wake);
		pthread_mutex_destroy(&dog->lock);
		return rc;
	}
	pthread_setname_np(dog->thread, "policy-watch");
	return 0;
}

void watchdog_stop(struct watchdog *dog)
{
	pthread_mutex_lock(&dog->lock);
	dog->stop = true;
	pthread_cond_signal(&dog->wake);
	pthread_mutex_unlock(&dog->lock);
	pthread_join(dog->thread, NULL);
	pthread_cond_destroy(&dog->wake);
	pthread_mutex_destroy(&dog->lock);
}

void watchdog_arm(struct watchdog *dog, uint64_t budget_ns)
{
	clockid_t clock;

	/* A number made of the thread's own: no system call. */
	if (pthread_getcpuclockid(pthread_self(), &clock))
		clock = CLOCK_MONOTONIC;
	atomic_store_explicit(&dog->clock, clock, memory_order_relaxed);
	atomic_store_explicit(&dog->budget, budget_ns, memory_order_relaxed);
	atomic_store(&dog->call, ++dog->calls);
	if (!atomic_load(&dog->asleep))
		return;
	pthread_mutex_lock(&dog->lock);
	pthread_cond_signal(&dog->wake);
	pthread_mutex_unlock(&dog->lock);
}

bool watchdog_disarm(struct watchdog *dog)
{
	if (atomic_exchange(&dog->call, WATCHDOG_IDLE) != WATCHDOG_FIRED)
		return false;
	/* It fires under the lock: once we have had it, it is done. */
	pthread_mutex_lock(&dog->lock);
	pthread_mutex_unlock(&dog->lock);
	return true;
}

bool watchdog_fired(struct watchdog *dog)
{
	return atomic_load_explicit(&dog->call, memory_order_relaxed) == WATCHDOG_FIRED;
}
