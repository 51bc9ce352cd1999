/* tests/unit/table_coarse.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/json.h"
#include "table/rules.h"
#include "unit.h"

/* The first instant of its month where clocks were put on at midnight. */
static const struct {
    const char *zone, *time, *month;
} zones[] = {
    { "Europe/Prague", "2026-04-01T00:30:00+02:00",
      "2026-03-31T22:00:00.000Z" },
    { "Europe/Prague", "2026-03-31T23:30:00+02:00",
      "2026-02-28T23:00:00.000Z" },
    { "Europe/Prague", "2026-10-31T12:00:00", "2026-09-30T22:00:00.000Z" },
    /* there was no 2017-10-01 00:00 to 01:00 */
    { "America/Asuncion", "2017-10-15T12:00:00Z", "2017-10-01T04:00:00.000Z" },
    { "UTC", "1969-12-31T23:59:59.9Z", "1969-12-01T00:00:00.000Z" },
    /* in years that have no text */
    { "UTC", "0001-01-01T05:06:07+15:00", "0000-12-01T00:00:00.000Z" },
    { "Asia/Tokyo", "9999-12-31T20:06:07Z", "9999-12-31T15:00:00.000Z" },
};

START_TEST(month_begins_where_the_job_is)
{
    const struct odks_rule rule = { .action = ODKS_MONTH };
    struct json_object *time = json_object_new_string(zones[_i].time);
    struct json_object *got =
        odks_coarse_date(&rule, ODKS_FIELD_DATETIME, zones[_i].zone, time);

    ck_assert_str_eq(json_object_get_string(got), zones[_i].month);
    (void) json_object_put(time);
    (void) json_object_put(got);
}
END_TEST

START_TEST(shapes_lose_what_is_fine)
{
    const struct odks_rule rule = { .action = ODKS_DECIMALS, .decimals = 1 };
    struct json_object *trace = odks_json_read(
        "{\"type\":\"LineString\",\"coordinates\":[[1.23,2.34,5],[3.45,4.56]],"
        "\"properties\":{\"accuracies\":[1,2]}}");
    struct json_object *shape = odks_json_read(
        "{\"type\":\"Polygon\",\"coordinates\":[[[1.23,2.34,5],[3.41,4.56],"
        "[1.23,2.34]]]}");
    struct json_object *got =
        odks_coarse_place(&rule, ODKS_FIELD_GEOTRACE, trace);

    ck_assert_str_eq(
        json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN),
        "{\"type\":\"LineString\",\"coordinates\":[[1.2,2.3],[3.5,4.6]]}");
    (void) json_object_put(got);
    got = odks_coarse_place(&rule, ODKS_FIELD_GEOSHAPE, shape);
    ck_assert_str_eq(
        json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN),
        "{\"type\":\"Polygon\",\"coordinates\":[[[1.2,2.3],[3.4,4.6],"
        "[1.2,2.3]]]}");
    (void) json_object_put(got);
    ck_assert_ptr_null(odks_coarse_place(&rule, ODKS_FIELD_GEOSHAPE, trace));
    (void) json_object_put(trace);
    (void) json_object_put(shape);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
    Suite *s = suite_create("table_coarse");
    TCase *tc = tcase_create("all");

    tcase_add_loop_test(tc, month_begins_where_the_job_is, 0, COUNT(zones));
    tcase_add_test(tc, shapes_lose_what_is_fine);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
