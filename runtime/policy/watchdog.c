/*
 * watchdog.c - see watchdog.h.
 *
 * The Lua thread writes a deadline and takes it back; the watchdog's thread may only turn a
 * deadline that has passed into FIRED, by a compare-and-exchange under the lock, and fires before
 * it lets the lock go. So a disarm that finds FIRED takes the lock once and knows that the firing
 * is over, and a disarm that finds its own deadline knows that nothing fires.
 *
 * A deadline stored while the thread sleeps for good is seen: the thread says `asleep` and then
 * looks at the deadline, the Lua thread stores the deadline and then looks at `asleep`, both in
 * sequentially consistent order.
 */
#include "watchdog.h"

#include <signal.h>
#include <time.h>

enum { WATCHDOG_IDLE = 0, WATCHDOG_FIRED = 1 };
enum { QUIET_ROUNDS = 8 }; /* of the interval without a call, before it sleeps for good */
enum { GRACE_NS = 1000000 };

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
	if (atomic_load(&dog->deadline) == WATCHDOG_IDLE && !dog->stop)
		pthread_cond_wait(&dog->wake, &dog->lock);
	atomic_store(&dog->asleep, false);
}

/* The processor time that the Lua thread has had. */
static uint64_t used_ns(const struct watchdog *dog)
{
	struct timespec ts;

	if (clock_gettime(atomic_load(&dog->clock), &ts))
		return UINT64_MAX;
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/*
 * Has the call whose deadline has passed really used its time? On a busy machine its thread may
 * just not have been running, so it gets a moment of processor time more. A loop uses that up at
 * once; a thread that is still waiting to run could not be stopped either.
 */
static bool grace_is_over(struct watchdog *dog, uint64_t deadline)
{
	uint64_t used = used_ns(dog);

	if (dog->overdue != deadline) {
		dog->overdue = deadline;
		dog->used = used;
		return false;
	}
	return used - dog->used >= GRACE_NS / 2;
}

static void *watch(void *arg)
{
	struct watchdog *dog = arg;
	unsigned quiet = 0;

	pthread_mutex_lock(&dog->lock);
	while (!dog->stop) {
		uint64_t deadline = atomic_load(&dog->deadline);
		uint64_t now = now_ns();

		if (deadline == WATCHDOG_IDLE && ++quiet > QUIET_ROUNDS) {
			sleep_for_good(dog);
			quiet = 0;
			continue;
		}
		if (deadline != WATCHDOG_IDLE)
			quiet = 0;
		if (deadline > WATCHDOG_FIRED && deadline <= now) {
			if (!grace_is_over(dog, deadline))
				sleep_until(dog, now + GRACE_NS);
			else if (atomic_compare_exchange_strong(&dog->deadline, &deadline,
								WATCHDOG_FIRED))
				dog->fire(dog->ctx);
			continue;
		}
		/* Never past the interval: the next call may have a nearer deadline than this. */
		if (deadline <= WATCHDOG_FIRED || deadline > now + dog->interval)
			deadline = now + dog->interval;
		sleep_until(dog, deadline);
	}
	pthread_mutex_unlock(&dog->lock);
	return NULL;
}

int watchdog_start(struct watchdog *dog, uint64_t shortest_ns, void (*fire)(void *ctx), void *ctx)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int rc;

	dog->interval = shortest_ns;
	dog->fire = fire;
	dog->ctx = ctx;
	dog->stop = false;
	dog->overdue = WATCHDOG_IDLE;
	atomic_init(&dog->deadline, WATCHDOG_IDLE);
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

void watchdog_arm(struct watchdog *dog, uint64_t deadline)
{
	clockid_t clock;

	/* A number made of the thread's own: no system call. */
	if (pthread_getcpuclockid(pthread_self(), &clock))
		clock = CLOCK_MONOTONIC;
	atomic_store_explicit(&dog->clock, clock, memory_order_relaxed);
	atomic_store(&dog->deadline, deadline);
	if (!atomic_load(&dog->asleep))
		return;
	pthread_mutex_lock(&dog->lock);
	pthread_cond_signal(&dog->wake);
	pthread_mutex_unlock(&dog->lock);
}

bool watchdog_disarm(struct watchdog *dog)
{
	if (atomic_exchange(&dog->deadline, WATCHDOG_IDLE) != WATCHDOG_FIRED)
		return false;
	/* It fires under the lock: once we have had it, it is done. */
	pthread_mutex_lock(&dog->lock);
	pthread_mutex_unlock(&dog->lock);
	return true;
}

bool watchdog_fired(struct watchdog *dog)
{
	return atomic_load_explicit(&dog->deadline, memory_order_relaxed) == WATCHDOG_FIRED;
}
