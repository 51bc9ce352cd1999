/* tests/unit/odksync_verbs.c - SPDX-License-Identifier: Apache-2.0 */
/* Each verb of libodksync, when all is well. */
#include <config.h>

#include <json-c/json.h>

#include "core/json.h"
#include "odksync_help.h"

#define NOON INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

START_TEST(attempt)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int64_t us = 0;
    int id = 0, second = 0;

    SYNC_OK(sync, odks_get_last_sync_time(sync, "a", &us));
    ck_assert(us == ODKS_TIME_NONE);
    SYNC_OK(sync, odks_start_sync(sync, "a", "me@here", &id));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|-1");
    SYNC_OK(sync, odks_update_progress(sync, id, 5, NOON, "{\"x\": [1]}"));
    SYNC_OK(sync, odks_update_progress(sync, id, ODKS_UNCHANGED, ODKS_TIME_NONE,
                                       NULL));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|5");
    SYNC_OK(sync, odks_get_last_sync_time(sync, "a", &us));
    ck_assert(us == ODKS_TIME_NONE);
    SYNC_OK(sync, odks_complete_sync(sync, id, "a", 7, NOON + 1, "{\"y\": 2}"));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|7");
    ODKS_SQL_IS(db,
                "SELECT concat_ws(' ', service_instance, metadata::jsonb) "
                "FROM odk_sync_history",
                "me@here {\"x\": [1], \"y\": 2, \"latest\": "
                "\"2026-11-23T12:00:00.000001+00:00\"}");
    SYNC_OK(sync, odks_get_last_sync_time(sync, "a", &us));
    ck_assert_int_eq(us, NOON + 1);

    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &second));
    ck_assert_int_gt(second, id);
    SYNC_OK(sync, odks_fail_sync(sync, second, "a", "no answer"));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|7;a|error|-1|no answer");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', last_sync_status, last_error_message, "
                "successful_sync_count, failed_sync_count) "
                "FROM odk_sync_status",
                "error|no answer|1|1");
    /* host, process, random */
    ODKS_SQL_IS(db,
                "SELECT service_instance ~ '^.+-[0-9]+-[0-9a-f]{8}$' "
                "FROM odk_sync_history ORDER BY id DESC",
                "t");
}
END_TEST

START_TEST(without_figures)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id;

    SYNC_OK(sync, odks_start_sync(sync, "a", "", &id));
    SYNC_OK(sync, odks_complete_sync(sync, id, "a", ODKS_UNCHANGED,
                                     ODKS_TIME_NONE, NULL));
    SYNC_OK(sync, odks_start_sync(sync, "b", "", &id));
    SYNC_OK(sync, odks_fail_sync(sync, id, "b", NULL));
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws('|', sync_type, status, "
                "coalesce(records_processed, -1)), ';' ORDER BY id) "
                "FROM odk_sync_history",
                "a|success|-1;b|error|-1");
}
END_TEST

START_TEST(set_by_hand)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open("application_name=by-hand");
    int64_t us;

    SYNC_OK(sync, odks_set_last_sync_time(sync, "a", NOON));
    SYNC_OK(sync, odks_get_last_sync_time(sync, "a", &us));
    ck_assert_int_eq(us, NOON);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|0");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', service_instance, "
                "metadata::json->>'action') FROM odk_sync_history",
                "by-hand|set_last_sync_time");
}
END_TEST

static void
is_object(char *text)
{
    CLEANUP_JSON struct json_object *o = odks_json_read(text);

    ck_assert_msg(json_object_is_type(o, json_type_object), "%s", text);
    free(text);
}

START_TEST(reports)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    char *text = NULL;
    int id;

    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    SYNC_OK(sync, odks_sync_statistics(sync, &text));
    char *want = test_sql(db, "SELECT odk_sync_statistics()");
    ck_assert_str_eq(text, want);
    free(want);
    is_object(text);
    SYNC_OK(sync, odks_sync_health(sync, &text));
    is_object(text);
}
END_TEST

/* More than odk_sync_prune() takes in one go. */
START_TEST(cleanup)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int64_t removed = -1;
    int id;

    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    test_do(db, "INSERT INTO odk_sync_history (sync_type, sync_timestamp, "
                "status) SELECT 'old', now() - interval '31 days', 'success' "
                "FROM generate_series(1, 10001)");
    SYNC_OK(sync, odks_cleanup_history(sync, 32, &removed));
    ck_assert_int_eq(removed, 0);
    SYNC_OK(sync, odks_cleanup_history(sync, 30, &removed));
    ck_assert_int_eq(removed, 10001);
    SYNC_OK(sync, odks_cleanup_history(sync, 30, NULL));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|-1");
}
END_TEST

START_TEST(create_tables)
{
    CLEANUP_DB struct odks_db *db = test_connect();
    struct odks_sync *sync;
    int id;

    test_do(db, "DROP SCHEMA IF EXISTS \"od\"\"k x\" CASCADE");
    ck_assert_int_eq(odks_open("", "od\"k x", &sync), 0);
    SYNC_FAILS(sync, odks_start_sync(sync, "a", NULL, &id), ODKS_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(odks_error_hint(sync), "odks_create_tables"));
    SYNC_OK(sync, odks_create_tables(sync));
    SYNC_OK(sync, odks_create_tables(sync));
    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    odks_close(sync);
    ODKS_SQL_IS(db, "SELECT count(*) FROM \"od\"\"k x\".odk_sync_history", "1");
    /* what it makes is what the program takes for its own */
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db_conf conf = test_conf;
    CLEANUP_DB struct odks_db *ours = NULL;

    conf.tracking_schema = "od\"k x";
    ODKS_OK(odks_db_connect(&conf, &ours, &err));
    ODKS_OK(odks_db_begin(ours, &err));
    ODKS_OK(odks_migrate_check(ours, &err));
    odks_db_rollback(ours);
    test_do(db, "DROP SCHEMA \"od\"\"k x\" CASCADE");
}
END_TEST

/* Whatever the role finds first, and two programs at once. */
START_TEST(any_search_path)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    int id, other;

    test_do(
        db,
        "DO $$ BEGIN CREATE ROLE odks_path LOGIN SUPERUSER; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "ALTER ROLE odks_path SET search_path = odks_decoy, pg_catalog;"
        "ALTER ROLE odks_path SET datestyle = 'German';"
        "ALTER ROLE odks_path SET timezone = 'Asia/Kathmandu';"
        "DROP SCHEMA IF EXISTS odks_decoy CASCADE; CREATE SCHEMA odks_decoy;"
        "CREATE TABLE odks_decoy.odk_sync_history (id int);"
        "CREATE TABLE odks_decoy.odk_sync_status (id int)");
    CLEANUP_SYNC struct odks_sync *sync = test_open("user=odks_path");
    CLEANUP_SYNC struct odks_sync *two = test_open(NULL);
    int64_t us;

    SYNC_OK(sync, odks_create_tables(sync));
    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    SYNC_OK(two, odks_start_sync(two, "b", NULL, &other));
    SYNC_OK(sync, odks_complete_sync(sync, id, "a", 1, NOON, NULL));
    SYNC_OK(two, odks_complete_sync(two, other, "b", 2, NOON, NULL));
    SYNC_OK(sync, odks_get_last_sync_time(sync, "b", &us));
    ck_assert_int_eq(us, NOON);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|1;b|success|2");
    test_do(db, "DROP SCHEMA odks_decoy CASCADE");
}
END_TEST

static const struct {
    const char *text;
    int64_t us;
    const char *again; /* NULL: the same */
} times[] = {
    { "2026-11-23T12:00:00.000Z", NOON, NULL },
    { "2026-11-23T12:00:00.000001Z", NOON + 1, NULL },
    { "2026-11-23T13:30:00+01:30", NOON, "2026-11-23T12:00:00.000Z" },
    { "2026-11-23 12:00", NOON, "2026-11-23T12:00:00.000Z" },
    { "1969-12-31T23:59:59.999Z", -1000, NULL },
    { "0001-01-01T00:00:00.000Z", INT64_C(-62135596800000000), NULL },
    { "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), NULL },
};

START_TEST(time_texts)
{
    char text[ODKS_TIME_SIZE];
    int64_t us;

    ck_assert_int_eq(odks_parse_time(times[_i].text, &us), 0);
    ck_assert_int_eq(us, times[_i].us);
    ck_assert_int_eq(odks_format_time(us, text, sizeof(text)), 0);
    const char *want =
        times[_i].again != NULL ? times[_i].again : times[_i].text;
    ck_assert_str_eq(text, want);
    /* the NUL fits, or nothing is written */
    ck_assert_int_eq(odks_format_time(us, text, strlen(want) + 1), 0);
    text[0] = '?';
    ck_assert_int_eq(odks_format_time(us, text, strlen(want)), ODKS_E_USAGE);
    ck_assert_int_eq(text[0], '?');
}
END_TEST

START_TEST(version)
{
    ck_assert_str_eq(odks_version(), PACKAGE_VERSION);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("odksync_verbs");
    TCase *tc = tcase_create("verbs");

    tcase_add_test(tc, attempt);
    tcase_add_test(tc, without_figures);
    tcase_add_test(tc, set_by_hand);
    tcase_add_test(tc, reports);
    tcase_add_test(tc, cleanup);
    tcase_add_test(tc, create_tables);
    tcase_add_test(tc, any_search_path);
    tcase_add_loop_test(tc, time_texts, 0, sizeof(times) / sizeof(times[0]));
    tcase_add_test(tc, version);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
