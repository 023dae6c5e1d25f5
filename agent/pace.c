/*
 * pace.c - see pace.h.
 */
#include "pace.h"

/*
 * SHORT_US: what it costs to hand work over, as bench/run.sh measured it, with both ends on one
 * processor. Work that takes less on the average of the last RUNS or so is done sooner and cheaper
 * where it is, whatever the number of processors.
 *
 * One that took more than HARM_US, and was not handed over, has held up the loop: for at most
 * HELD_US, as then another thread has taken over. PAY_BACK times as long its kind is handed over:
 * so work that is short until it is not, by chance or by a peer's design, has at most 1 / PAY_BACK
 * of the loop's time, which the 99th percentile of other calls does not see.
 */
enum { SHORT_US = 16, RUNS = 16, HARM_US = 200, HELD_US = 4000, PAY_BACK = 256 };

bool pace_is_short(const struct pace *pace, uint64_t now_us)
{
	return pace->runs == RUNS && pace->sum_us <= RUNS * SHORT_US &&
	       now_us >= pace->not_before_us;
}

void pace_add(struct pace *pace, uint64_t started_us, uint64_t ended_us, bool stayed)
{
	const uint64_t took = ended_us - started_us;

	if (pace->runs < RUNS)
		pace->runs++;
	else
		pace->sum_us -= pace->sum_us / RUNS;
	pace->sum_us += took;
	if (stayed && took > HARM_US)
		pace->not_before_us = ended_us + PAY_BACK * (took < HELD_US ? took : HELD_US);
}
