/* tests/unit/queue_schedule.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/schedule.h"

#include "core/err.h"
#include "core/time.h"
#include "core/zone.h"
#include "unit.h"

#define PRG "Europe/Prague"
#define NYC "America/New_York"
#define LHI "Australia/Lord_Howe"
#define APIA "Pacific/Apia"

/* next: the first slot after now; latest: the last one at or before it. */
static const struct {
    const char *text, *zone, *now, *latest, *next; /* NULL: none */
} slots[] = {
    /* plain */
    { "*/15 * * * *", "UTC", "2026-11-23T16:07:30Z", "2026-11-23T16:00:00.000Z",
      "2026-11-23T16:15:00.000Z" },
    { "*/15 * * * *", "UTC", "2026-11-23T16:15:00Z", "2026-11-23T16:15:00.000Z",
      "2026-11-23T16:30:00.000Z" },
    { "5 4 * * *", PRG, "2026-11-23T16:00:00Z", "2026-11-23T03:05:00.000Z",
      "2026-11-24T03:05:00.000Z" },
    { "0 0 1 1 *", "UTC", "2026-06-01T00:00:00Z", "2026-01-01T00:00:00.000Z",
      "2027-01-01T00:00:00.000Z" },
    { "59 23 31 12 *", "UTC", "1969-12-31T23:59:59.5Z",
      "1969-12-31T23:59:00.000Z", "1970-12-31T23:59:00.000Z" },
    { "10-30/10,50 8-9 * * *", "UTC", "2026-11-23T08:31:00Z",
      "2026-11-23T08:30:00.000Z", "2026-11-23T08:50:00.000Z" },
    /* day of month or day of week, when both are given */
    { "0 6 13 * fri", "UTC", "2026-11-14T00:00:00Z", "2026-11-13T06:00:00.000Z",
      "2026-11-20T06:00:00.000Z" },
    { "0 6 13 * *", "UTC", "2026-11-14T00:00:00Z", "2026-11-13T06:00:00.000Z",
      "2026-12-13T06:00:00.000Z" },
    { "0 6 * * MON-Fri", "UTC", "2026-11-21T12:00:00Z",
      "2026-11-20T06:00:00.000Z", "2026-11-23T06:00:00.000Z" },
    { "0 6 * * 7", "UTC", "2026-11-21T12:00:00Z", "2026-11-15T06:00:00.000Z",
      "2026-11-22T06:00:00.000Z" },
    { "0 6 * * 5-7", "UTC", "2026-11-23T12:00:00Z", "2026-11-22T06:00:00.000Z",
      "2026-11-27T06:00:00.000Z" },
    /* as Vixie: a star with a step is still a star, both must match */
    { "0 6 */2 * sun", "UTC", "2026-11-23T00:00:00Z",
      "2026-11-15T06:00:00.000Z", "2026-11-29T06:00:00.000Z" },
    { "0 0 1 feb,Jul *", "UTC", "2026-03-01T00:00:00Z",
      "2026-02-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z" },
    /* leap day, and the end of the search */
    { "0 12 29 2 *", "UTC", "2026-11-23T00:00:00Z", "2024-02-29T12:00:00.000Z",
      "2028-02-29T12:00:00.000Z" },
    { "0 12 29 2 *", "UTC", "2100-06-01T00:00:00Z", NULL,
      "2104-02-29T12:00:00.000Z" },
    { "0 12 29 2 *", "UTC", "2099-06-01T00:00:00Z", "2096-02-29T12:00:00.000Z",
      NULL },
    /* Prague, forward: 02:00 -> 03:00 at 2026-03-29T01:00Z */
    { "30 2 * * *", PRG, "2026-03-29T00:59:00Z", "2026-03-28T01:30:00.000Z",
      "2026-03-29T01:00:00.000Z" },
    { "30 2 * * *", PRG, "2026-03-29T12:00:00Z", "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z" },
    { "0,30 2,3 * * *", PRG, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00.000Z",
      "2026-03-29T01:30:00.000Z" },
    { "30 * * * *", PRG, "2026-03-29T00:59:00Z", "2026-03-29T00:30:00.000Z",
      "2026-03-29T01:30:00.000Z" },
    { "* 2 * * *", PRG, "2026-03-29T12:00:00Z", "2026-03-28T01:59:00.000Z",
      "2026-03-30T00:00:00.000Z" },
    /* Prague, back: 03:00 -> 02:00 at 2026-10-25T01:00Z */
    { "30 2 * * *", PRG, "2026-10-25T00:29:00Z", "2026-10-24T00:30:00.000Z",
      "2026-10-25T00:30:00.000Z" },
    { "30 2 * * *", PRG, "2026-10-25T00:31:00Z", "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z" },
    { "30 2 * * *", PRG, "2026-10-25T01:45:00Z", "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z" },
    { "30 * * * *", PRG, "2026-10-25T00:45:00Z", "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:30:00.000Z" },
    { "0 3 * * *", PRG, "2026-10-25T01:30:00Z", "2026-10-24T01:00:00.000Z",
      "2026-10-25T02:00:00.000Z" },
    /* New York, forward at 2026-03-08T07:00Z, back at 2026-11-01T06:00Z */
    { "15 2 * * *", NYC, "2026-03-08T06:59:00Z", "2026-03-07T07:15:00.000Z",
      "2026-03-08T07:00:00.000Z" },
    { "15 1 * * *", NYC, "2026-11-01T06:20:00Z", "2026-11-01T05:15:00.000Z",
      "2026-11-02T06:15:00.000Z" },
    { "15 * * * *", NYC, "2026-11-01T06:20:00Z", "2026-11-01T06:15:00.000Z",
      "2026-11-01T07:15:00.000Z" },
    /* Lord Howe, half an hour: 02:00 -> 02:30 at 2026-10-03T15:30Z */
    { "10 2 * * *", LHI, "2026-10-03T15:29:00Z", "2026-10-02T15:40:00.000Z",
      "2026-10-03T15:30:00.000Z" },
    { "45 2 * * *", LHI, "2026-10-03T15:29:00Z", "2026-10-02T16:15:00.000Z",
      "2026-10-03T15:45:00.000Z" },
    { "45 1 * * *", LHI, "2026-10-03T15:50:00Z", "2026-10-03T15:15:00.000Z",
      "2026-10-04T14:45:00.000Z" },
    { "10 * * * *", LHI, "2026-10-03T15:29:00Z", "2026-10-03T14:40:00.000Z",
      "2026-10-03T16:10:00.000Z" },
    /* ... and back: 02:00 -> 01:30 at 2026-04-04T15:00Z */
    { "45 1 * * *", LHI, "2026-04-04T15:20:00Z", "2026-04-04T14:45:00.000Z",
      "2026-04-05T15:15:00.000Z" },
    { "45 * * * *", LHI, "2026-04-04T15:10:00Z", "2026-04-04T14:45:00.000Z",
      "2026-04-04T15:15:00.000Z" },
    /* Samoa left out the whole of 2011-12-30 */
    { "0 12 30 12 *", APIA, "2011-12-30T09:59:00Z", "2010-12-30T22:00:00.000Z",
      "2011-12-30T10:00:00.000Z" },
};

START_TEST(latest_and_next)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule s;
    int64_t now, got;
    char text[ODKS_TIME_TEXT];
    const char *const want[] = { slots[_i].latest, slots[_i].next };

    ck_assert_msg(odks_schedule_parse(slots[_i].text, &s, &err), "%s",
                  err.message);
    ck_assert(odks_time_parse(slots[_i].now, &now, NULL));
    for (int i = 0; i < 2; i++) {
        got = i == 0 ? odks_schedule_latest(&s, slots[_i].zone, now)
                     : odks_schedule_next(&s, slots[_i].zone, now);
        if (got == ODKS_TIME_NONE) {
            ck_assert_msg(want[i] == NULL, "%s: none", slots[_i].text);
            continue;
        }
        odks_time_format(got, text);
        ck_assert_msg(want[i] != NULL && strcmp(text, want[i]) == 0,
                      "%s in %s, %s: %s %s, not %s", slots[_i].text,
                      slots[_i].zone, slots[_i].now, i == 0 ? "latest" : "next",
                      text, want[i] != NULL ? want[i] : "none");
    }
}
END_TEST

/*
 * Whatever the zone and the schedule: walking forward by next() gives the same
 * slots as walking backward by latest(), over the change of the clock.
 */
static const struct {
    const char *text, *zone, *from, *to;
} walks[] = {
    { "*/7 * * * *", PRG, "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z" },
    { "*/7 1-3 * * *", PRG, "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z" },
    { "0,20,40 1-3 * * *", PRG, "2026-10-24T20:00:00Z",
      "2026-10-26T06:00:00Z" },
    { "0,20,40 1-3 * * *", NYC, "2026-03-07T20:00:00Z",
      "2026-03-09T06:00:00Z" },
    { "5,35 1,2 * * *", LHI, "2026-04-03T00:00:00Z", "2026-04-06T00:00:00Z" },
    { "5,35 1,2 * * *", LHI, "2026-10-02T00:00:00Z", "2026-10-05T00:00:00Z" },
    /* put back over midnight, 00:01 -> 23:01 the day before */
    { "30 23 * * *", "America/St_Johns", "2006-10-27T00:00:00Z",
      "2006-10-31T00:00:00Z" },
    { "*/20 0,23 * * *", "America/St_Johns", "2006-10-27T00:00:00Z",
      "2006-10-31T00:00:00Z" },
};

START_TEST(there_and_back)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule s;
    int64_t from, to, there[256];
    int count = 0;

    ck_assert(odks_schedule_parse(walks[_i].text, &s, &err));
    ck_assert(odks_time_parse(walks[_i].from, &from, NULL));
    ck_assert(odks_time_parse(walks[_i].to, &to, NULL));
    for (int64_t t = from;
         (t = odks_schedule_next(&s, walks[_i].zone, t)) < to;) {
        ck_assert_int_lt(count, 256);
        there[count++] = t;
    }
    ck_assert_int_gt(count, 1);
    for (int64_t t = to - 1; count > 0; t = there[count] - 1) {
        count--;
        ck_assert_int_eq(odks_schedule_latest(&s, walks[_i].zone, t),
                         there[count]);
    }
}
END_TEST

static const struct {
    const char *text, *message;
} wrong[] = {
    { "", "the minute is missing" },
    { "* * * *", "the day of week is missing" },
    { "* * * * * *", "\"*\" is one field too many" },
    { "60 * * * *", "\"60\" is no minute" },
    { "* 24 * * *", "\"24\" is no hour" },
    { "* * 0 * *", "\"0\" is no day of month" },
    { "* * 32 * *", "\"32\" is no day of month" },
    { "* * * 13 *", "\"13\" is no month" },
    { "* * * * 8", "\"8\" is no day of week" },
    { "* * * jane *", "\"jane\" is no month" },
    { "*/0 * * * *", "\"*/0\" is no minute" },
    { "5/15 * * * *", "\"5/15\" is no minute" },
    { "30-10 * * * *", "\"30-10\" is no minute" },
    { "1,,2 * * * *", "\"1,,2\" is no minute" },
    { "1, * * * *", "\"1,\" is no minute" },
    { "0000000005 * * * *", "\"0000000005\" is no minute" },
    { "-5 * * * *", "\"-5\" is no minute" },
    { "x * * * *", "\"x\" is no minute" },
    { "@reboot", "\"@reboot\" is no minute" },
    { "0 0 30 2 *", "\"0 0 30 2 *\": no such day ever comes" },
    { "0 0 31 4,6,9,11 *", "\"0 0 31 4,6,9,11 *\": no such day ever comes" },
};

START_TEST(refused)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule s;

    ck_assert(!odks_schedule_parse(wrong[_i].text, &s, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message, wrong[_i].message);
    ck_assert_str_ne(err.hint, "");
}
END_TEST

static const char *const same[][2] = {
    { "@hourly", "0 * * * *" },
    { "@daily", "0 0 * * *" },
    { "@midnight", "0 0 * * *" },
    { "@Weekly", "0 0 * * sun" },
    { "@monthly", "0 0 1 * *" },
    { "@yearly", "0 0 1 jan *" },
    { "@annually", "0 0 1 1 *" },
    { "  1\t2 3 4 5", "1 2 3 4 fri " },
    { "0-59/15 * * * *", "0,15,30,45 * * * *" },
};

START_TEST(equal)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule a, b;

    ck_assert(odks_schedule_parse(same[_i][0], &a, &err));
    ck_assert(odks_schedule_parse(same[_i][1], &b, &err));
    ck_assert(a.minutes == b.minutes && a.hours == b.hours);
    ck_assert(a.days == b.days && a.months == b.months);
    ck_assert(a.weekdays == b.weekdays);
    ck_assert(a.any_day == b.any_day && a.any_weekday == b.any_weekday);
}
END_TEST

START_TEST(zones)
{
    ck_assert(odks_timezone_exists("UTC"));
    ck_assert(odks_timezone_exists(PRG));
    ck_assert(!odks_timezone_exists("Europe/Atlantis"));
    ck_assert(!odks_timezone_exists("Europe"));
    ck_assert(!odks_timezone_exists(""));
    ck_assert(!odks_timezone_exists("../zoneinfo/UTC"));
    ck_assert(!odks_timezone_exists("/usr/share/zoneinfo/UTC"));
    ck_assert(!odks_timezone_exists("zone.tab"));
}
END_TEST

/* The process's own time zone is as before, set or not. */
START_TEST(zone_restored)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule s;

    ck_assert(odks_schedule_parse("@daily", &s, &err));
    ck_assert_int_eq(setenv("TZ", NYC, 1), 0);
    (void) odks_schedule_next(&s, PRG, 0);
    ck_assert_str_eq(getenv("TZ"), NYC);
    ck_assert_int_eq(unsetenv("TZ"), 0);
    (void) odks_schedule_next(&s, PRG, 0);
    ck_assert_ptr_null(getenv("TZ"));
}
END_TEST

#define ADD(tc, test, table) \
    tcase_add_loop_test(tc, test, 0, sizeof(table) / sizeof((table)[0]))

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_schedule");
    TCase *tc = tcase_create("schedule");

    ADD(tc, latest_and_next, slots);
    ADD(tc, there_and_back, walks);
    ADD(tc, refused, wrong);
    ADD(tc, equal, same);
    tcase_add_test(tc, zones);
    tcase_add_test(tc, zone_restored);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
