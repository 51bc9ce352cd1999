/* lib/core/clock.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines on a clock that nobody sets and that goes on while the machine
 * sleeps (CLOCK_BOOTTIME). Wall time comes from servers, never from here.
 */
#ifndef ODKS_CORE_CLOCK_H
#define ODKS_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct odks_deadline {
    int64_t at_ms; /* on odks_clock_ms(); ODKS_NEVER: none */
};

#define ODKS_NEVER INT64_MAX

/* Milliseconds since boot. */
int64_t odks_clock_ms(void);

/* ms from now; negative: never. */
struct odks_deadline odks_deadline_in(int64_t ms);
struct odks_deadline odks_deadline_earlier(struct odks_deadline a,
                                           struct odks_deadline b);

/* Milliseconds left, at least 0, as poll(2) wants them: -1 means never. */
int odks_deadline_poll_ms(struct odks_deadline d);
bool odks_deadline_passed(struct odks_deadline d);

#endif
