/* tests/unit/core_time.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/time.h"

#include <stddef.h>

#include "unit.h"

static const struct {
    const char *text;
    const char *again; /* NULL: refused */
    enum odks_time_zone zone;
} times[] = {
    { "2026-11-23T16:15:30.123Z", "2026-11-23T16:15:30.123Z",
      ODKS_TIME_WITH_ZONE },
    { "2026-11-23T16:15:30.123456Z", "2026-11-23T16:15:30.123456Z",
      ODKS_TIME_WITH_ZONE },
    { "2026-11-23T16:15:30+05:30", "2026-11-23T10:45:30.000Z",
      ODKS_TIME_WITH_ZONE },
    { "2026-11-23 16:15", "2026-11-23T16:15:00.000Z", ODKS_TIME_LOCAL },
    { "2026-11-23", "2026-11-23T00:00:00.000Z", ODKS_TIME_LOCAL },
    { "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z",
      ODKS_TIME_WITH_ZONE },
    { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", ODKS_TIME_WITH_ZONE },
    { "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z",
      ODKS_TIME_WITH_ZONE },
    { "9999-12-31 23:50-08", NULL, ODKS_TIME_LOCAL },
    { "2024-02-29", "2024-02-29T00:00:00.000Z", ODKS_TIME_LOCAL },
    { "2026-02-29", NULL, ODKS_TIME_LOCAL },
    { "2026-02-30", NULL, ODKS_TIME_LOCAL },
    { "0000-01-01", NULL, ODKS_TIME_LOCAL },
    { "2026-11-23T24:00:00Z", NULL, ODKS_TIME_LOCAL },
    { "2026-11-23T16:15:30.Z", NULL, ODKS_TIME_LOCAL },
    { "2026-11-23T16:15:30Zx", NULL, ODKS_TIME_LOCAL },
    { "not a date", NULL, ODKS_TIME_LOCAL },
    { "", NULL, ODKS_TIME_LOCAL },
};

START_TEST(parse_and_format)
{
    int64_t us = 0;
    enum odks_time_zone zone;
    char text[ODKS_TIME_TEXT];
    bool ok = odks_time_parse(times[_i].text, &us, &zone);

    ck_assert_msg(ok == (times[_i].again != NULL), "%s", times[_i].text);
    if (!ok)
        return;
    odks_time_format(us, text);
    ck_assert_str_eq(text, times[_i].again);
    ck_assert_int_eq(zone, times[_i].zone);
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds; /* -1: refused */
} durations[] = {
    { "90", 90 },     { "90s", 90 }, { "15m", 900 },    { "24h", 86400 },
    { "7d", 604800 }, { "0", 0 },    { "1h30m", 5400 }, { "", -1 },
    { "m", -1 },      { "5w", -1 },  { "-5m", -1 },     { "99999999999s", -1 },
    { "5 m", -1 },
};

START_TEST(duration)
{
    int64_t seconds = 0;
    bool ok = odks_duration_parse(durations[_i].text, &seconds);

    ck_assert_msg(ok == (durations[_i].seconds >= 0), "%s", durations[_i].text);
    if (ok)
        ck_assert_int_eq(seconds, durations[_i].seconds);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_time");
    TCase *tc = tcase_create("time");

    tcase_add_loop_test(tc, parse_and_format, 0,
                        sizeof(times) / sizeof(times[0]));
    tcase_add_loop_test(tc, duration, 0,
                        sizeof(durations) / sizeof(durations[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
