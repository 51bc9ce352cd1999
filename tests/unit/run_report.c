/* tests/unit/run_report.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/report.h"

#include <string.h>

#include "core/time.h"
#include "unit.h"

static struct odks_report report;

static void
setup(void)
{
    odks_report_init(&report, json_object_new_object());
}

static void
teardown(void)
{
    odks_report_end(&report);
    json_object_put(report.metadata);
}

static void
feed(const char *text)
{
    odks_report_feed(&report, text, strlen(text));
}

static const char *
metadata(void)
{
    return json_object_to_json_string_ext(report.metadata,
                                          JSON_C_TO_STRING_PLAIN);
}

START_TEST(what_a_line_says_is_kept)
{
    feed("{\"records_processed\": 10, \"latest_timestamp\": "
         "\"2026-11-23T12:00:00+02:00\", \"metadata\": {\"a\": 1.50, \"b\": "
         "[null, \"\\u00e9\"]}}\n");
    ck_assert_int_eq(report.records, 10);
    ck_assert_int_eq(report.latest, INT64_C(1795428000000000));
    ck_assert_str_eq(metadata(), "{\"a\":1.50,\"b\":[null,\"é\"]}");
    ck_assert_int_eq(report.lines, 1);
    ck_assert_int_eq(report.bad, 0);
}
END_TEST

START_TEST(later_lines_replace_numbers_and_add_keys)
{
    feed("{\"records_processed\": 10, \"metadata\": {\"a\": 1, \"b\": 1}}\n"
         "\n \t\r\n"
         "{\"latest_timestamp\": \"2026-11-23\"}\r\n"
         "{\"latest_timestamp\": \"2026-11-22\", \"metadata\": {\"b\": 2}}\n"
         "{\"records_processed\": 7}\n{}\n");
    ck_assert_int_eq(report.records, 7);
    ck_assert_int_eq(report.latest, INT64_C(1795392000000000)); /* the newest */
    ck_assert_str_eq(metadata(), "{\"a\":1,\"b\":2}");
    ck_assert_int_eq(report.lines, 5);
    ck_assert_int_eq(report.bad, 0);
}
END_TEST

START_TEST(lines_come_in_any_pieces)
{
    static const char text[] = "{\"records_processed\": 1}\n"
                               "{\"metadata\": {\"k\": \"é\"}}";

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        odks_report_feed(&report, text + i, 1);
    ck_assert_int_eq(report.lines, 1);
    odks_report_end(&report); /* the last line has no newline */
    ck_assert_int_eq(report.records, 1);
    ck_assert_str_eq(metadata(), "{\"k\":\"é\"}");
}
END_TEST

static const char *const bad[] = {
    "x",
    "[]",
    "1",
    "{",
    "{} {}",
    "{\"records_processed\": -1}",
    "{\"records_processed\": 2147483648}",
    "{\"records_processed\": \"1\"}",
    "{\"records_processed\": 1.5}",
    "{\"records_processed\": null}",
    "{\"latest_timestamp\": \"yesterday\"}",
    "{\"latest_timestamp\": 1}",
    "{\"metadata\": []}",
    "{\"metadata\": {\"a\": \"\\u0000\"}}",
    "{\"metadata\": {\"a\": NaN}}",
    "{\"metadata\": {\"a\": [1e999]}}",
    "{\"metadata\": {\"a\": {\"b\": 0e-99999}}}",
    "{\"metadata\": {\"a\": 18446744073709551615}}",
    "{\"metadata\": {\"a\": 100000000000000000000}}",
    "{\"metadata\": {\"a\": -100000000000000000000}}",
    "{\"metadata\": {\"\xff\": 1}}",
    "{\"metadata\": {\"a\": \"\xc3\"}}",
    "{\"records\": 1}",
    "{\"records_processed\": 5, \"metadata\": 1}",
};

START_TEST(what_is_wrong_is_counted_and_left_out)
{
    feed("{\"records_processed\": 3}\n");
    feed(bad[_i]);
    feed("\n");
    ck_assert_int_eq(report.lines, 2);
    ck_assert_int_eq(report.bad, 1);
    ck_assert_int_eq(report.records, 3);
    ck_assert_int_eq(report.latest, ODKS_TIME_NONE);
    ck_assert_str_eq(metadata(), "{}");
}
END_TEST

START_TEST(a_nul_byte_is_wrong)
{
    odks_report_feed(&report, "{\"records_processed\": 1}\0\n", 26);
    ck_assert_int_eq(report.bad, 1);
}
END_TEST

START_TEST(a_line_without_end_costs_no_more_than_its_limit)
{
    char chunk[1000];

    memset(chunk, ' ', sizeof(chunk));
    for (int i = 0; i < 1000; i++) {
        odks_report_feed(&report, chunk, sizeof(chunk));
        ck_assert_uint_le(report.line.size, ODKS_REPORT_LINE + 1);
    }
    feed("\n{\"records_processed\": 1}\n");
    ck_assert_int_eq(report.lines, 2);
    ck_assert_int_eq(report.bad, 1);
    ck_assert_int_eq(report.records, 1);
}
END_TEST

START_TEST(metadata_does_not_grow_for_ever)
{
    char line[64];

    for (int i = 0; i < 1000; i++) {
        (void) snprintf(line, sizeof(line), "{\"metadata\": {\"%d\": 1}}\n", i);
        feed(line);
    }
    ck_assert_int_eq(json_object_object_length(report.metadata),
                     ODKS_REPORT_KEYS);
    ck_assert_int_eq(report.bad, 1000 - ODKS_REPORT_KEYS);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("run_report");
    TCase *tc = tcase_create("report");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_a_line_says_is_kept);
    tcase_add_test(tc, later_lines_replace_numbers_and_add_keys);
    tcase_add_test(tc, lines_come_in_any_pieces);
    tcase_add_loop_test(tc, what_is_wrong_is_counted_and_left_out, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, a_nul_byte_is_wrong);
    tcase_add_test(tc, a_line_without_end_costs_no_more_than_its_limit);
    tcase_add_test(tc, metadata_does_not_grow_for_ever);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
