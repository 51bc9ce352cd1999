/* tests/unit/track_rules.c - SPDX-License-Identifier: Apache-2.0 */
/* The tracking rules, called as any other language calls them. */
#include <config.h>

#include "db.h"

#define STATUS                                                           \
    "SELECT concat_ws('|', last_sync_status, last_sync_timestamp, "      \
    "successful_sync_count, failed_sync_count, last_records_processed, " \
    "last_error_message) FROM odk_sync_status WHERE sync_type = 'a'"
#define HISTORY                                                           \
    "SELECT concat_ws('|', status, records_processed, duration_seconds, " \
    "error_message, metadata) FROM odk_sync_history ORDER BY id DESC"

START_TEST(life)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    ODKS_SQL_IS(db, "SELECT odk_sync_get_last_sync_time('a')", "");
    ODKS_SQL_IS(db, "SELECT odk_sync_start('a', 'host-1')", "1");
    ODKS_SQL_IS(db, STATUS, "in_progress|0|0");
    ODKS_SQL_IS(db, "SELECT odk_sync_fail(1, 'a', 'broken')", "");
    ODKS_SQL_IS(db, STATUS, "error|0|1|broken");

    /* a new attempt keeps the last error in sight, success wipes it */
    ODKS_SQL_IS(db, "SELECT odk_sync_start('a', repeat('x', 120))", "2");
    ODKS_SQL_IS(db, STATUS, "in_progress|0|1|broken");
    ODKS_SQL_IS(db,
                "SELECT length(service_instance) FROM odk_sync_history "
                "WHERE id = 2",
                "100");
    test_do(db, "SELECT odk_sync_complete(2, 'a', 7, '2026-11-02Z', NULL)");
    ODKS_SQL_IS(db, STATUS, "success|2026-11-02 00:00:00+00|1|1|7");

    /* the newest date stored never goes back */
    ODKS_SQL_IS(db, "SELECT odk_sync_start('a', 'host-1')", "3");
    test_do(db, "SELECT odk_sync_complete(3, 'a', NULL, '2026-11-01Z', NULL)");
    ODKS_SQL_IS(db, STATUS, "success|2026-11-02 00:00:00+00|2|1|0");
    ODKS_SQL_IS(db, "SELECT odk_sync_start('a', 'host-1')", "4");
    test_do(db, "SELECT odk_sync_complete(4, 'a', 0, NULL, NULL)");
    ODKS_SQL_IS(db, "SELECT odk_sync_get_last_sync_time('a')",
                "2026-11-02 00:00:00+00");
}
END_TEST

START_TEST(interrupt)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_fail(odk_sync_start('a', 'h'), 'a', 'x')");
    test_do(db, "SELECT odk_sync_interrupt(odk_sync_start('a', 'h'), 'a', "
                "'stopped')");
    ODKS_SQL_IS(db, STATUS, "pending|0|1|x");
    ODKS_SQL_IS(db, HISTORY, "error|0|interrupted: stopped");
}
END_TEST

START_TEST(progress)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_start('a', 'h')");
    ODKS_SQL_IS(db, HISTORY, "in_progress");
    ODKS_SQL_IS(db, "SELECT odk_sync_progress(1, 5, NULL, '{\"a\": 1}')", "1");
    test_do(db, "SELECT odk_sync_progress(1, NULL, '2026-11-02Z', "
                "'{\"a\": 2, \"b\": 3}')");
    ODKS_SQL_IS(db, HISTORY,
                "in_progress|5|{\"a\": 2, \"b\": 3, \"latest\": "
                "\"2026-11-02T00:00:00+00:00\"}");
    /* older submissions may still be missing */
    ODKS_SQL_IS(db, "SELECT odk_sync_get_last_sync_time('a')", "");
    test_do(db, "UPDATE odk_sync_history SET sync_timestamp = "
                "sync_timestamp - interval '61.9 s'");
    test_do(db, "SELECT odk_sync_fail(1, 'a', repeat('é', 1001))");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', status, records_processed, "
                "duration_seconds BETWEEN 61 AND 69, "
                "error_message = repeat('é', 1000)) FROM odk_sync_history",
                "error|5|t|t");
}
END_TEST

/* The status row may have been deleted meanwhile, by a person. */
START_TEST(status_row_comes_back)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_start('a', 'h'); "
                "DELETE FROM odk_sync_status");
    test_do(db, "SELECT odk_sync_complete(1, 'a', 1, NULL, NULL)");
    ODKS_SQL_IS(db, STATUS, "success|1|0|1");
}
END_TEST

static const struct {
    const char *sql, *message;
} refused[] = {
    { "SELECT odk_sync_complete(1, 'a', 1, NULL, NULL)",
      "attempt 1 has ended before, with success" },
    { "SELECT odk_sync_fail(1, 'a', 'x')",
      "attempt 1 has ended before, with success" },
    { "SELECT odk_sync_interrupt(1, 'a', 'x')",
      "attempt 1 has ended before, with success" },
    { "SELECT odk_sync_progress(1, 1, NULL, NULL)",
      "attempt 1 has ended before, with success" },
    { "SELECT odk_sync_complete(99, 'a', 1, NULL, NULL)",
      "there is no attempt 99" },
    { "SELECT odk_sync_fail(NULL, 'a', 'x')", "there is no attempt NULL" },
    { "SELECT odk_sync_complete(2, 'b', 1, NULL, NULL)",
      "attempt 2 is not one of b but of a" },
    { "SELECT odk_sync_fail(2, 'b', 'x')",
      "attempt 2 is not one of b but of a" },
    { "SELECT odk_sync_complete(-1, 'a', 1, NULL, NULL)",
      "there is no attempt -1" },
    { "SELECT odk_sync_complete(2, NULL, 1, NULL, NULL)",
      "a sync type is missing: it is NULL" },
    { "SELECT odk_sync_fail(2, '', 'x')", "a sync type is missing: it is ''" },
    { "SELECT odk_sync_start(NULL, 'h')",
      "a sync type is missing: it is NULL" },
    { "SELECT odk_sync_start('', 'h')", "a sync type is missing: it is ''" },
    { "SELECT odk_sync_start(repeat('x', 51), 'h')",
      "a sync type has 50 characters at most, not 51" },
    { "SELECT odk_sync_get_last_sync_time(NULL)",
      "a sync type is missing: it is NULL" },
    { "SELECT odk_sync_get_last_sync_time(repeat('é', 51))",
      "a sync type has 50 characters at most, not 51" },
    { "SELECT odk_sync_set_last_sync_time('2026-11-02Z', NULL)",
      "a sync type is missing: it is NULL" },
    { "SELECT odk_sync_set_last_sync_time(NULL, 'a')",
      "a point in time is missing: it is NULL" },
    { "SELECT odk_sync_set_last_sync_time('infinity', 'a', true)",
      "a point in time cannot be infinity" },
    { "SELECT odk_sync_set_last_sync_time('-infinity', 'a')",
      "a point in time cannot be -infinity" },
    { "SELECT odk_sync_set_last_sync_time('2026-11-02Z', 'a', false, '[]')",
      "metadata of an attempt must be a JSON object" },
    { "SELECT odk_sync_progress(2, -1, NULL, NULL)",
      "a number of records cannot be -1" },
    { "SELECT odk_sync_progress(2, 1, 'infinity', NULL)",
      "a point in time cannot be infinity" },
    { "SELECT odk_sync_complete(2, 'a', -5, NULL, NULL)",
      "a number of records cannot be -5" },
    { "SELECT odk_sync_complete(2, 'a', 5, '-infinity', NULL)",
      "a point in time cannot be -infinity" },
    { "SELECT odk_sync_progress(2, 1, NULL, '[1]')",
      "metadata of an attempt must be a JSON object" },
    { "SELECT odk_sync_prune(0)", "history is kept for one day at least" },
    { "SELECT odk_sync_prune(NULL)", "history is kept for one day at least" },
};

START_TEST(refuse)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    test_do(db, "SELECT odk_sync_complete(odk_sync_start('a', 'h'), 'a', 1, "
                "NULL, NULL)");
    test_do(db, "SELECT odk_sync_start('a', 'h')");
    CLEANUP_FREE char *before = test_sql(db, STATUS);
    ODKS_OK(odks_db_begin(db, &err));
    test_use_path(db);
    ck_assert(!odks_db_do(db, "refused", refused[_i].sql, &err));
    ck_assert_str_eq(err.message, refused[_i].message);
    odks_db_rollback(db);
    ODKS_SQL_IS(db, STATUS, before);
}
END_TEST

START_TEST(set_is_audited)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_set_last_sync_time('2026-11-02Z', 'a')");
    ODKS_SQL_IS(db, STATUS, "pending|2026-11-02 00:00:00+00|0|0");
    test_do(db, "SELECT odk_sync_complete(odk_sync_start('a', 'h'), 'a', 1, "
                "NULL, NULL)");
    /* forward, and as it is, without a word; back only when forced */
    test_do(db, "SELECT odk_sync_set_last_sync_time('2026-11-03Z', 'a')");
    test_do(db, "SELECT odk_sync_set_last_sync_time('2026-11-03Z', 'a')");
    test_do(db, "SELECT odk_sync_set_last_sync_time('2026-11-01Z', 'a', true, "
                "'{\"source\": \"me\", \"by\": \"another\"}')");
    ODKS_SQL_IS(db, STATUS, "success|2026-11-01 00:00:00+00|1|0|1");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', status, records_processed, "
                "metadata::json->>'action', metadata::json->>'from', "
                "metadata::json->>'to', metadata::json->>'by', "
                "metadata::json->>'source') "
                "FROM odk_sync_history ORDER BY id DESC",
                "success|0|set_last_sync_time|2026-11-03T00:00:00+00:00|"
                "2026-11-01T00:00:00+00:00|postgres|me");
}
END_TEST

START_TEST(set_does_not_go_back)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    static const char *const calls[] = {
        "SELECT odk_sync_set_last_sync_time('2026-11-01Z', 'a')",
        "SELECT odk_sync_set_last_sync_time('2026-11-01Z', 'a', false)",
        "SELECT odk_sync_set_last_sync_time('2026-11-01Z', 'a', NULL)",
    };

    test_do(db, "SELECT odk_sync_set_last_sync_time('2026-11-02Z', 'a')");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        ODKS_OK(odks_db_begin(db, &err));
        test_use_path(db);
        ck_assert(!odks_db_do(db, "set", calls[i], &err));
        ck_assert_str_eq(err.message,
                         "the last sync time of a is 2026-11-02 00:00:00+00, "
                         "and 2026-11-01 00:00:00+00 would move it backwards");
        ck_assert_str_eq(err.sqlstate, "55000");
        odks_db_rollback(db);
    }
    ODKS_SQL_IS(db, "SELECT count(*) FROM odk_sync_history", "1");
    ODKS_SQL_IS(db, STATUS, "pending|2026-11-02 00:00:00+00|0|0");
}
END_TEST

START_TEST(fail_without_reason)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_fail(odk_sync_start('a', NULL), 'a', NULL)");
    ODKS_SQL_IS(db, STATUS, "error|0|1|no reason was given");
    test_do(db, "SELECT odk_sync_fail(odk_sync_start('a', 'h'), 'a', '')");
    ODKS_SQL_IS(db, HISTORY, "error|0|no reason was given");
}
END_TEST

/* Other schemas in front of ours, or none, change nothing. */
START_TEST(any_search_path)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_begin(db, &err));
    test_do(db, "CREATE TEMP TABLE odk_sync_history (id int, status text); "
                "SET LOCAL search_path = ''; "
                "SELECT odks_test.odk_sync_complete("
                "odks_test.odk_sync_start('a', 'h'), 'a', 1, NULL, NULL), "
                "odks_test.odk_sync_set_last_sync_time('2026-11-02Z', 'a'), "
                "odks_test.odk_sync_get_last_sync_time('a'), "
                "odks_test.odk_sync_statistics(), odks_test.odk_sync_health(),"
                "odks_test.odk_sync_prune(1); "
                "SELECT odks_test.odk_sync_fail(odks_test.odk_sync_progress("
                "odks_test.odk_sync_start('b', 'h'), 1, NULL, NULL), 'b', "
                "'x'); SELECT FROM odks_test.odk_sync_current_status, "
                "odks_test.odk_sync_recent_attempts, "
                "odks_test.odk_sync_failed_syncs, "
                "odks_test.odk_sync_hourly_performance");
    ODKS_SQL_IS(db,
                "SELECT string_agg(status, ',' ORDER BY id) "
                "FROM odks_test.odk_sync_history",
                "success,success,error");
    odks_db_rollback(db);
}
END_TEST

START_TEST(prune)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db,
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status) "
            "SELECT 'a', now() - interval '31 days', 'success' "
            "FROM generate_series(1, 5003); "
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status) "
            "VALUES ('a', now() - interval '29 days', 'success'); "
            "INSERT INTO odk_sync_queue (sync_type, state, claimed_by, "
            "lease_until, direct, history_id) "
            "VALUES ('a', 'running', 'x', now(), false, 1)");
    ODKS_SQL_IS(db, "SELECT odk_sync_prune(30)", "5000");
    ODKS_SQL_IS(db, "SELECT odk_sync_prune(30)", "2");
    ODKS_SQL_IS(db, "SELECT odk_sync_prune(30)", "0");
    /* what a job refers to, and what is new enough */
    ODKS_SQL_IS(db,
                "SELECT string_agg(id::text, ',' ORDER BY id) "
                "FROM odk_sync_history",
                "1,5004");
}
END_TEST

/* Attempts that nobody will end are closed, those of jobs left alone. */
START_TEST(reap)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db,
            "SELECT odk_sync_start(t, 'h') FROM unnest('{lost,later,job,new}'"
            "::text[]) t; "
            "UPDATE odk_sync_history SET sync_timestamp = sync_timestamp "
            "- interval '25 hours' WHERE sync_type <> 'new'; "
            "UPDATE odk_sync_status SET last_attempt_timestamp = "
            "last_attempt_timestamp - interval '25 hours' "
            "WHERE sync_type IN ('lost', 'job'); "
            "INSERT INTO odk_sync_queue (sync_type, state, claimed_by, "
            "lease_until, direct, history_id) "
            "VALUES ('job', 'running', 'x', now(), false, 3)");
    ODKS_SQL_IS(db, "SELECT odk_sync_prune(30)", "0");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', sync_type, status, "
                "error_message), ', ' ORDER BY id) FROM odk_sync_history",
                "lost error interrupted: no end was reported within a day, "
                "later error interrupted: no end was reported within a day, "
                "job in_progress, new in_progress");
    /* a later attempt may be under way */
    ODKS_SQL_IS(db,
                "SELECT string_agg(sync_type || ' ' || last_sync_status, ', ' "
                "ORDER BY sync_type) FROM odk_sync_status",
                "job in_progress, later in_progress, lost pending, "
                "new in_progress");
    ODKS_SQL_IS(db, "SELECT odk_sync_reap()", "0");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("track_rules");
    TCase *tc = tcase_create("rules");

    tcase_add_test(tc, life);
    tcase_add_test(tc, interrupt);
    tcase_add_test(tc, progress);
    tcase_add_test(tc, status_row_comes_back);
    tcase_add_loop_test(tc, refuse, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, set_is_audited);
    tcase_add_test(tc, set_does_not_go_back);
    tcase_add_test(tc, fail_without_reason);
    tcase_add_test(tc, any_search_path);
    tcase_add_test(tc, prune);
    tcase_add_test(tc, reap);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
