/* tests/unit/core_zone.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/zone.h"

#include <string.h>

#include "core/time.h"
#include "unit.h"

/* wall NULL: of this machine, which TZ says is in Berlin. */
static const struct {
    const char *zone, *wall, *utc;
} times[] = {
    { "UTC", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00.000Z" },
    { NULL, "2024-07-01T12:00:00Z", "2024-07-01T10:00:00.000Z" },
    { "Asia/Kolkata", "2024-01-01T00:00:00.123456Z",
      "2023-12-31T18:30:00.123456Z" },
    { "America/New_York", "2024-01-01T12:00:00Z", "2024-01-01T17:00:00.000Z" },
    /* twice: the first; half an hour on an island */
    { "Europe/Berlin", "2024-10-27T02:30:00Z", "2024-10-27T00:30:00.000Z" },
    { "Australia/Lord_Howe", "2024-04-07T01:45:00Z",
      "2024-04-06T14:45:00.000Z" },
    /* after and before those hours */
    { "Europe/Berlin", "2024-10-27T03:00:00Z", "2024-10-27T02:00:00.000Z" },
    { "Europe/Berlin", "2024-10-27T01:59:59Z", "2024-10-26T23:59:59.000Z" },
    { "Europe/Berlin", "2024-03-31T03:00:00Z", "2024-03-31T01:00:00.000Z" },
    { "Europe/Berlin", "2024-03-31T01:59:59Z", "2024-03-31T00:59:59.000Z" },
    /* never: what comes before */
    { "Europe/Berlin", "2024-03-31T02:30:00Z", "2024-03-31T00:30:00.000Z" },
    { "Asia/Kolkata", "1969-12-31T23:59:59.5Z", "1969-12-31T18:29:59.500Z" },
};

START_TEST(to_utc)
{
    char text[ODKS_TIME_TEXT];
    int64_t wall;

    ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
    ck_assert(odks_time_parse(times[_i].wall, &wall, NULL));
    odks_time_format(odks_zone_to_utc(wall, times[_i].zone), text);
    ck_assert_str_eq(text, times[_i].utc);
    ck_assert_str_eq(getenv("TZ"), "Europe/Berlin");
}
END_TEST

START_TEST(enter_and_leave)
{
    ck_assert_int_eq(unsetenv("TZ"), 0);
    char *saved = odks_zone_enter("Asia/Kolkata");

    ck_assert_str_eq(getenv("TZ"), "Asia/Kolkata");
    odks_zone_leave(saved);
    ck_assert_ptr_null(getenv("TZ"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_zone");
    TCase *tc = tcase_create("zone");

    tcase_add_loop_test(tc, to_utc, 0, sizeof(times) / sizeof(times[0]));
    tcase_add_test(tc, enter_and_leave);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
