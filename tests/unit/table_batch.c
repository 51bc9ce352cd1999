/* tests/unit/table_batch.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/batch.h"

#include <string.h>

#include "table_batch_help.h"

START_TEST(first_walk)
{
    with("a:text g{b:int} r[x:int s[y:text]]", &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c = take(
        db, batch,
        submission("u1",
                   "\"a\":\"one\",\"g\":{\"b\":7},\"r\":[{\"x\":1,\"__id\":"
                   "\"r1\",\"s\":[{\"y\":\"p\",\"__id\":\"s1\"},{\"y\":\"q\","
                   "\"__id\":\"s2\"}]},{\"x\":2,\"__id\":\"r2\"}]",
                   ""),
        submission("weird id'/?#&é\\\\\\\"", "\"a\":null,\"g\":{\"b\":null}",
                   "\"reviewState\":\"approved\",\"edits\":3"),
        NULL);

    ck_counts(&c, 2, 0, 0, 0, 4);
    ck_assert_int_eq(c.received, 2);
    ck_assert_int_eq(c.rejected, 0);
    ck_ask(db,
           "SELECT _id, a, b, _submitted_at, _updated_at, _deleted_at,"
           " _review_state, _submitter, _device_id, _edits, _form_version,"
           " _status, _attachments_present, _attachments_expected,"
           " _raw ->> '__id' = _id, _synced_at > now() - interval '1 hour'"
           " FROM odk.f ORDER BY _id",
           "u1|one|7|2026-11-23 16:00:00+00|-|-|received|a@b|-|0|1|-|0|1|t|t;"
           "weird id'/?#&é\\\"|-|-|2026-11-23 16:00:00+00|-|-|approved|a@b|-"
           "|3|1|-|0|1|t|t");
    ck_ask(db,
           "SELECT _id, _parent_id, _submission_id, _position, x FROM"
           " odk.f__r ORDER BY _id",
           "r1|u1|u1|1|1;r2|u1|u1|2|2");
    ck_ask(db,
           "SELECT _id, _parent_id, _submission_id, _position, y FROM"
           " odk.f__r__s ORDER BY _id",
           "s1|r1|u1|1|p;s2|r1|u1|2|q");
    char date[ODKS_TIME_TEXT];
    odks_time_format(c.latest, date);
    ck_assert_str_eq(date, "2026-11-23T16:00:00.000Z");
}
END_TEST

START_TEST(rejects)
{
    struct odks_merge c;

    with("g{n:int} d:date gp:geopoint r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    c = take(db, batch,
             submission("u1",
                        "\"g\":{\"n\":1.5},\"d\":\"2026-02-30\",\"gp\":{\"a\":"
                        "\"b/c\"},\"r\":[" R("\"a\\tb\"", "r1") "]",
                        "\"edits\":99999999999"),
             submission("u2", "\"g\":7,\"d\":\"2026-02-28\"", ""), NULL);
    ck_counts(&c, 2, 0, 0, 0, 1);
    ck_assert_int_eq(c.rejected, 6);
#define REJECTS                                                               \
    "SELECT sync_type, table_name, submission_id, row_id, path, column_name," \
    " reason, value FROM tracking.odk_sync_reject ORDER BY id"
    ck_ask(db, REJECTS,
           "sync|f|u1|u1|__system/edits|_edits|out of range|99999999999;"
           "sync|f|u1|u1|/g/n|n|not a whole number|1.5;"
           "sync|f|u1|u1|/d|d|no such date|\"2026-02-30\";"
           "sync|f|u1|u1|/gp|gp|no GeoJSON of its type|{\"a\":\"b/c\"};"
           "sync|f__r|u1|r1|/r/x|x|not a number|\"a\\tb\";"
           "sync|f|u2|u2|/g|-|not a group|7");
    ck_ask(db, "SELECT _id, n, d, gp, gp_lat, _edits FROM odk.f ORDER BY 1",
           "u1|-|-|-|-|-;u2|-|2026-02-28|-|-|0");
    /* they go when the values fit, and only then */
    c = take(db, batch,
             submission("u1", "\"g\":{\"n\":\"x\"},\"r\":[" R("1", "r1") "]",
                        EDIT("1", "7")),
             submission("u2", "\"g\":7,\"d\":\"2026-02-28\"", ""), NULL);
    ck_counts(&c, 0, 1, 0, 1, 1);
    ck_assert_int_eq(c.rejected, 1);
    ck_ask(db, REJECTS,
           "sync|f|u2|u2|/g|-|not a group|7;"
           "sync|f|u1|u1|/g/n|n|not a number|\"x\"");
}
END_TEST

/* All that odks_value_put() lets through PostgreSQL must take. */
static const struct {
    const char *type;
    const char *json;
    const char *cell; /* as text */
} cells[] = {
    { "text", "\"a\\tb\\r\\nc\\\\d\\\\N\"", "a\tb\r\nc\\d\\N" },
    { "text", "\"\\\\N\"", "\\N" },
    { "text", "\"\\\\.\"", "\\." },
    { "text", "\"x\\u0007y\\u001f\\u2028\"", "x\007y\037\342\200\250" },
    { "text", "\"\"", "" },
    { "int", "-9223372036854775808e0", "-9223372036854775808" },
    { "decimal", "6332.748445701378", "6332.748445701378" },
    { "decimal", "123456789012345678901e0", "123456789012345678901" },
    { "decimal", "1.50", "1.50" },
    { "boolean", "\"true\"", "true" },
    { "date", "\" 2026-01-01 \"", "2026-01-01" },
    { "date", "\"9999-12-31\"", "9999-12-31" },
    { "dateTime", "\"2026-06-11T13:05:09.234+02:00\"",
      "2026-06-11 11:05:09.234+00" },
    { "dateTime", "\"2026-06-11T13:05\"", "2026-06-11 13:05:00+00" },
    { "dateTime", "\"2026-06-11 13:05:09+0530\"", "2026-06-11 07:35:09+00" },
    { "dateTime", "\"2026-06-11t13:05:09z\"", "2026-06-11 13:05:09+00" },
    { "dateTime", "\"2026-06-11T13:05:09-15:59\"", "2026-06-12 05:04:09+00" },
    { "dateTime", "\"2026-06-11T13:05+01\"", "2026-06-11 12:05:00+00" },
    { "dateTime", "\"2026-06-11\"", "2026-06-11 00:00:00+00" },
    { "dateTime", "\"0001-01-01T00:00:00+15:00\"",
      "0001-12-31 09:00:00+00 BC" },
    { "dateTime", "\"2026-06-11T13:05:09.123456789Z\"",
      "2026-06-11 13:05:09.123457+00" },
    { "select_multiple", "\"a\\\"b c\\\\d {e},NULL\"",
      "{\"a\\\"b\",\"c\\\\d\",\"{e},NULL\"}" },
    { "geotrace", "{\"type\":\"LineString\",\"coordinates\":[[14,50,0.10]]}",
      "{\"type\": \"LineString\", \"coordinates\": [[14, 50, 0.10]]}" },
    { "time", "\"14:21:11.123+02:00\"", "14:21:11.123+02:00" },
};

START_TEST(cells_arrive)
{
    CLEANUP_FREE char *text = odks_xasprintf("v:%s", cells[_i].type);
    CLEANUP_FREE char *answer = odks_xasprintf("\"v\":%s", cells[_i].json);

    with(text, &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c = take(db, batch, submission("u", answer, ""), NULL);
    ck_assert_int_eq(c.rejected, 0);
    ck_ask(db, "SELECT v::text FROM odk.f", cells[_i].cell);
    c = take(db, batch, submission("u", answer, ""), NULL);
    ck_assert_int_eq(c.unchanged, 1);
}
END_TEST

START_TEST(limits_of_numeric_and_double)
{
    with("a:decimal b:decimal g:geopoint", &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c =
        take(db, batch,
             submission("u",
                        "\"a\":1e131071,\"b\":1e-16383,\"g\":{\"type\":"
                        "\"Point\",\"coordinates\":[1.7976931348623157e308,"
                        "5e-324]}",
                        ""),
             NULL);
    ck_assert_int_eq(c.rejected, 0);
    ck_ask(db, "SELECT log(a) = 131071, b > 0, g_lat, g_lon FROM odk.f",
           "t|t|5e-324|1.7976931348623157e+308");
}
END_TEST

START_TEST(zone_of_the_job)
{
    struct odks_batch_conf bc = batch_conf;

    with("t:dateTime", &model_conf, ODKS_DELETE_SOFT);
    odks_batch_free(batch);
    bc.model = model;
    bc.timezone = "Europe/Prague";
    batch = odks_batch_new(&bc);
    for (int i = 0; i < 2; i++) { /* straight, and through the stage */
        struct odks_merge c =
            take(db, batch,
                 submission("a", "\"t\":\"2026-03-29T12:00:00\"",
                            "\"updatedAt\":\"2026-11-23T17:00:00.000Z\""),
                 submission(i == 0 ? "b" : "c",
                            "\"t\":\"2026-03-29T12:00:00Z\"", ""),
                 NULL);
        ck_assert_int_eq(c.inserted, i == 0 ? 2 : 1);
    }
    ck_ask(db, "SELECT _id, t, _updated_at FROM odk.f ORDER BY 1",
           "a|2026-03-29 10:00:00+00|2026-11-23 17:00:00+00;"
           "b|2026-03-29 12:00:00+00|-;c|2026-03-29 12:00:00+00|-");
}
END_TEST

START_TEST(encrypted)
{
    with("a:text r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c =
        take(db, batch, submission("u1", "", "\"status\":\"notDecrypted\""),
             submission("u2", "\"a\":\"plain\"", ""), NULL);
    ck_counts(&c, 2, 0, 0, 0, 0);
    ck_assert_int_eq(c.encrypted, 1);
    ck_ask(db, "SELECT _id, _status, a FROM odk.f ORDER BY 1",
           "u1|notDecrypted|-;u2|-|plain");
}
END_TEST

static const struct {
    const char *row;
    const char *message;
} bad[] = {
    { "{\"__id\":\"a\"", "Central sent a row that is no JSON" },
    { "[]", "Central sent a row that is no JSON" },
    { "{} x", "Central sent a row that is no JSON" },
    { "{\"__id\":\"\377\"}", "Central sent a row that is no JSON" },
    { "{'__id':'a'}", "Central sent a row that is no JSON" },
    { "{}", "Central sent a row without an __id that can be kept" },
    { "{\"__id\":1}", "Central sent a row without an __id that can be kept" },
    { "{\"__id\":\"\"}",
      "Central sent a row without an __id that can be kept" },
    { "{\"__id\":\"a\\u0000\"}",
      "Central sent a row without an __id that can be kept" },
    { "{\"__id\":\"a\"}", "Central sent a submission without a date" },
    { "{\"__id\":\"a\",\"__system\":{\"submissionDate\":\"x\"}}",
      "Central sent a submission without a date" },
};

START_TEST(bad_rows)
{
    struct odks_err err = ODKS_ERR_INIT;

    with("a:text r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    ck_assert(!odks_batch_add(batch, bad[_i].row, strlen(bad[_i].row), &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    /* nothing of it is left in the batch */
    take(db, batch, submission("u", "\"a\":\"x\"", ""), NULL);
    ck_ask(db, "SELECT _id, a FROM odk.f", "u|x");
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "0");
}
END_TEST

START_TEST(full_and_reset)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_batch_conf bc = batch_conf;
    CLEANUP_FREE char *row = submission("u", "\"a\":\"x\"", "");
    size_t len = strlen(row);

    with("a:text", &model_conf, ODKS_DELETE_SOFT);
    odks_batch_free(batch);
    bc.model = model;
    bc.bytes = 2 * len;
    batch = odks_batch_new(&bc);
    ck_assert(!odks_batch_is_full(batch));
    ck_assert(odks_batch_add(batch, row, len, &err));
    ck_assert(!odks_batch_is_full(batch));
    ck_assert(odks_batch_add(batch, row, len, &err));
    ck_assert(odks_batch_is_full(batch));
    ck_assert_uint_eq(odks_batch_rows(batch), 2);
    odks_batch_reset(batch);
    ck_assert_uint_eq(odks_batch_rows(batch), 0);
    struct odks_merge c = take(db, batch, NULL);
    ck_counts(&c, 0, 0, 0, 0, 0);
    ck_ask(db, "SELECT count(*) FROM odk.f", "0");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_batch");
    TCase *tc = tcase_create("batch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, first_walk);
    tcase_add_test(tc, rejects);
    tcase_add_loop_test(tc, cells_arrive, 0, sizeof(cells) / sizeof(cells[0]));
    tcase_add_test(tc, limits_of_numeric_and_double);
    tcase_add_test(tc, zone_of_the_job);
    tcase_add_test(tc, encrypted);
    tcase_add_loop_test(tc, bad_rows, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, full_and_reset);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
