/* lib/core/clock.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/clock.h"

#include <limits.h>
#include <time.h>

int64_t
odks_clock_ms(void)
{
    struct timespec ts;

    (void) clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct odks_deadline
odks_deadline_in(int64_t ms)
{
    struct odks_deadline d = { ODKS_NEVER };

    if (ms >= 0)
        d.at_ms = odks_clock_ms() + ms;
    return d;
}

struct odks_deadline
odks_deadline_earlier(struct odks_deadline a, struct odks_deadline b)
{
    return a.at_ms <= b.at_ms ? a : b;
}

int
odks_deadline_poll_ms(struct odks_deadline d)
{
    if (d.at_ms == ODKS_NEVER)
        return -1;
    int64_t left = d.at_ms - odks_clock_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int) left;
}

bool
odks_deadline_passed(struct odks_deadline d)
{
    return odks_deadline_poll_ms(d) == 0;
}
