/* lib/queue/schedule.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Cron expressions, and which moment of a schedule is due.
 *
 * Five fields as in crontab(5), with names, lists, ranges, steps, and
 * "@hourly", "@daily", "@weekly", "@monthly", "@yearly". Daylight saving
 * follows Vixie cron: of a job at a fixed hour, a slot in the hour that is
 * skipped comes right after it and one in the repeated hour comes once; a job
 * with "*" in the hour (or minute) field follows elapsed time.
 */
#ifndef ODKS_QUEUE_SCHEDULE_H
#define ODKS_QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"

struct odks_err;

struct odks_schedule {
    uint64_t minutes;          /* bit n: minute n */
    uint32_t hours, days;      /* days of the month: bits 1..31 */
    uint16_t months;           /* bits 1..12 */
    uint8_t weekdays;          /* bits 0..6, Sunday is 0 */
    bool any_day, any_weekday; /* "*": the other one decides alone */
    bool wild_hour;            /* "*" in the hour or minute field */
};

/* Wrong text: exit code 78 with what is wrong with which field. */
ODKS_MUST_CHECK bool odks_schedule_parse(const char *text,
                                         struct odks_schedule *s,
                                         struct odks_err *err);

/*
 * The latest slot at or before now, and the first one after it, as
 * microseconds UTC; ODKS_TIME_NONE if there is none within four years.
 */
int64_t odks_schedule_latest(const struct odks_schedule *s, const char *zone,
                             int64_t now);
int64_t odks_schedule_next(const struct odks_schedule *s, const char *zone,
                           int64_t now);

#endif
