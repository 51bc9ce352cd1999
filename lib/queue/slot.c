/* lib/queue/slot.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/schedule.h"

#include <unistd.h>

#include "core/time.h"
#include "core/zone.h"

enum { MINUTE_S = 60, DAY_S = 86400, SEARCH_S = 4 * 366 * DAY_S };

static struct tm
local(time_t t)
{
    struct tm tm = { 0 };

    (void) localtime_r(&t, &tm);
    return tm;
}

static bool
day_matches(const struct odks_schedule *s, const struct tm *tm)
{
    bool day = (s->days & (1u << tm->tm_mday)) != 0;
    bool weekday = (s->weekdays & (1u << tm->tm_wday)) != 0;

    if ((s->months & (1u << (tm->tm_mon + 1))) == 0)
        return false;
    return s->any_day || s->any_weekday ? day && weekday : day || weekday;
}

static bool
hour_matches(const struct odks_schedule *s, const struct tm *tm)
{
    return (s->hours & (1u << tm->tm_hour)) != 0;
}

static bool
matches(const struct odks_schedule *s, const struct tm *tm)
{
    return (s->minutes & (UINT64_C(1) << tm->tm_min)) != 0
           && hour_matches(s, tm) && day_matches(s, tm);
}

/* The clock was put forward at t: is a minute that it left out a slot? */
static bool
skipped_one(const struct odks_schedule *s, time_t t, long from, long to)
{
    for (time_t wall = t + from; wall < t + to; wall += MINUTE_S) {
        struct tm tm;

        (void) gmtime_r(&wall, &tm);
        if (matches(s, &tm))
            return true;
    }
    return false;
}

/* The clock was put back in the last day: did it show this minute before? */
static bool
is_repeat(time_t t, const struct tm *tm)
{
    long earlier = local(t - DAY_S).tm_gmtoff;

    return earlier > tm->tm_gmtoff
           && local(t - (earlier - tm->tm_gmtoff)).tm_gmtoff == earlier;
}

static bool
is_slot(const struct odks_schedule *s, time_t t, const struct tm *tm)
{
    if (s->wild_hour)
        return matches(s, tm);

    long before = local(t - MINUTE_S).tm_gmtoff;
    if (before < tm->tm_gmtoff && skipped_one(s, t, before, tm->tm_gmtoff))
        return true;
    return matches(s, tm) && !is_repeat(t, tm);
}

/*
 * To the next minute that may be a slot, in the given direction (1 or -1):
 * over the rest of a day or an hour that does not match, but never over a
 * change of the clock.
 */
static time_t
step(const struct odks_schedule *s, time_t t, const struct tm *tm,
     int direction)
{
    int minutes = 1;

    if (!day_matches(s, tm)) {
        int today = tm->tm_hour * 60 + tm->tm_min;
        minutes = direction > 0 ? 24 * 60 - today : today + 1;
    } else if (!hour_matches(s, tm)) {
        minutes = direction > 0 ? 60 - tm->tm_min : tm->tm_min + 1;
    }
    for (; minutes > 1; minutes /= 2) {
        if (local(t + direction * minutes * MINUTE_S).tm_gmtoff
            == tm->tm_gmtoff)
            break;
    }
    return t + direction * minutes * MINUTE_S;
}

static int64_t
search(const struct odks_schedule *s, const char *zone, time_t from,
       int direction)
{
    int64_t found = ODKS_TIME_NONE;
    char *saved = odks_zone_enter(zone);

    for (time_t t = from; (t - from) * direction <= SEARCH_S;) {
        struct tm tm = local(t);

        if (is_slot(s, t, &tm)) {
            found = (int64_t) t * 1000000;
            break;
        }
        t = step(s, t, &tm, direction);
    }
    odks_zone_leave(saved);
    return found;
}

/* The minute that now is in, as seconds. */
static time_t
minute_of(int64_t now)
{
    int64_t minute = now / (MINUTE_S * INT64_C(1000000));

    if (now % (MINUTE_S * INT64_C(1000000)) < 0)
        minute--;
    return (time_t) (minute * MINUTE_S);
}

int64_t
odks_schedule_latest(const struct odks_schedule *s, const char *zone,
                     int64_t now)
{
    return search(s, zone, minute_of(now), -1);
}

int64_t
odks_schedule_next(const struct odks_schedule *s, const char *zone, int64_t now)
{
    return search(s, zone, minute_of(now) + MINUTE_S, 1);
}
