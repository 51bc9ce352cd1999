/* tests/unit/track_reports.c - SPDX-License-Identifier: Apache-2.0 */
/* Statistics, health and views, as monitoring reads them. */
#include <config.h>

#include "db.h"

/* The keys of a JSON object in their order. */
#define KEYS(json) "SELECT string_agg(k, ' ') FROM json_object_keys(" json ") k"

/* One success, one failure, one that goes on; in that order. */
static struct odks_db *
some_attempts(void)
{
    struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_complete(odk_sync_start('b', 'one'), 'b', 3, "
                "'2026-11-02T10:00:00.5Z', NULL)");
    test_do(db, "SELECT odk_sync_fail(odk_sync_start('a', 'two'), 'a', 'x')");
    test_do(db, "SELECT odk_sync_start('c', 'three')");
    return db;
}

START_TEST(statistics)
{
    CLEANUP_DB struct odks_db *db = some_attempts();

    ODKS_SQL_IS(db, KEYS("odk_sync_statistics()"), "a b c recent_history");
    ODKS_SQL_IS(db, KEYS("odk_sync_statistics()->'a'"),
                "last_sync_timestamp last_attempt_timestamp last_sync_status "
                "successful_syncs failed_syncs last_records_processed "
                "last_error last_error_message last_success attempts records "
                "average_seconds");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', s->'b'->>'last_sync_timestamp', "
                "s->'b'->>'last_sync_status', s->'b'->>'successful_syncs', "
                "s->'b'->>'failed_syncs', s->'b'->>'last_records_processed', "
                "s->'b'->>'records', s->'a'->>'last_error', "
                "s->'a'->>'last_error_message', s->'a'->>'failed_syncs', "
                "s->'a'->>'last_success', s->'c'->>'attempts') "
                "FROM odk_sync_statistics() s",
                "2026-11-02T10:00:00.500000+00:00|success|1|0|3|3|x|x|1|1");
}
END_TEST

START_TEST(recent_history)
{
    CLEANUP_DB struct odks_db *db = some_attempts();

    ODKS_SQL_IS(db, KEYS("odk_sync_statistics()->'recent_history'->0"),
                "sync_type timestamp status records_processed "
                "duration_seconds service_instance id error_message");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', r->>'sync_type', "
                "r->>'status', r->>'service_instance'), ', ') FROM "
                "json_array_elements(odk_sync_statistics()->'recent_history')"
                " r",
                "c in_progress three, a error two, b success one");
    test_do(db, "SELECT odk_sync_start('c', 'h') FROM generate_series(1, 9)");
    ODKS_SQL_IS(db,
                "SELECT json_array_length("
                "odk_sync_statistics()->'recent_history')",
                "10");
}
END_TEST

START_TEST(empty)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    ODKS_SQL_IS(db, "SELECT odk_sync_statistics()::jsonb",
                "{\"recent_history\": []}");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', h->>'healthy', h->>'problems', "
                "h->'queue'->>'pending', h->'queue'->>'oldest_due') "
                "FROM odk_sync_health() h",
                "true|[]|0");
}
END_TEST

/* A sync type of such a name must not hide what readers look for. */
START_TEST(names_that_collide)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "SELECT odk_sync_start(t, 'h') "
                "FROM unnest('{recent_history,healthy}'::text[]) t");
    ODKS_SQL_IS(db,
                "SELECT jsonb_typeof(h->'recent_history') || ' ' || "
                "jsonb_typeof(h->'healthy') FROM "
                "(SELECT odk_sync_health()::jsonb AS h) j",
                "array boolean");
}
END_TEST

START_TEST(health)
{
    CLEANUP_DB struct odks_db *db = some_attempts();

    ODKS_SQL_IS(db, KEYS("odk_sync_health()"),
                "a b c recent_history service_info healthy problems queue");
    ODKS_SQL_IS(db, KEYS("odk_sync_health()->'service_info'"),
                "service_instance current_time sync_interval max_workers "
                "url_refresh_enabled");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', h->>'healthy', h->>'problems', "
                "h->'service_info'->>'service_instance') "
                "FROM odk_sync_health() h",
                "false|[{\"sync_type\":\"a\",\"problem\":\"the last attempt "
                "failed: x\"}]|three");

    /* the next attempt does not hide it, its success ends it */
    test_do(db, "SELECT odk_sync_start('a', 'h')");
    ODKS_SQL_IS(db, "SELECT odk_sync_health()->>'healthy'", "false");
    test_do(db, "SELECT odk_sync_complete(4, 'a', 0, NULL, NULL)");
    ODKS_SQL_IS(db, "SELECT odk_sync_health()->>'healthy'", "true");
}
END_TEST

START_TEST(problems)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "INSERT INTO odk_sync_queue (sync_type, state, failures, "
                "last_error, run_at) VALUES ('dead', 'dead', 5, 'why', now()),"
                "('due', 'pending', 0, NULL, '2026-11-01Z'); "
                "SELECT odk_sync_start('lost', 'h'); "
                "UPDATE odk_sync_history SET sync_timestamp = '2026-11-01Z'");
    ODKS_SQL_IS(db,
                "SELECT string_agg(sync_type || ': ' || problem, ', ') "
                "FROM odk_sync_problems()",
                "dead: gave up after 5 failures: why, lost: attempt 1 began "
                "at 2026-11-01T00:00:00.000000+00:00 and has not ended");
    ODKS_SQL_IS(db, "SELECT odk_sync_health()->>'queue'",
                "{\"pending\" : 1, \"running\" : 0, \"dead\" : 1, "
                "\"oldest_due\" : \"2026-11-01T00:00:00.000000+00:00\"}");
}
END_TEST

static const char *const views[] = {
    "odk_sync_current_status",
    "odk_sync_recent_attempts",
    "odk_sync_failed_syncs",
    "odk_sync_hourly_performance",
};
enum { VIEWS = sizeof(views) / sizeof(views[0]) };

static void
make_role(struct odks_db *db, const char *name)
{
    CLEANUP_FREE char *text = odks_xasprintf(
        "DO $$ BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object "
        "OR unique_violation THEN NULL; END $$;"
        "GRANT USAGE ON SCHEMA odks_test TO %s",
        name, name);

    test_do(db, text);
}

/* SELECT on the views, and nothing else, is enough. */
START_TEST(view_of_a_weak_role)
{
    CLEANUP_DB struct odks_db *db = some_attempts();
    struct odks_err err = ODKS_ERR_INIT;

    make_role(db, "odks_reader");
    CLEANUP_FREE char *grant =
        odks_xasprintf("GRANT SELECT ON %s TO odks_reader", views[_i]);
    test_do(db, grant);
    CLEANUP_FREE char *count = odks_xasprintf(
        "SET LOCAL ROLE odks_reader; SELECT count(*) > 0 FROM %s", views[_i]);
    ODKS_SQL_IS(db, count, "t");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_FAILS(odks_db_do(db, "tables",
                          "SET LOCAL ROLE odks_reader; "
                          "SELECT FROM {schema}.odk_sync_status",
                          &err),
               NOPERM);
    odks_db_rollback(db);
}
END_TEST

START_TEST(view_is_described)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_FREE char *missing = odks_xasprintf(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = '%s'::regclass "
        "AND attnum > 0 AND col_description(attrelid, attnum) IS NULL",
        views[_i]);
    CLEANUP_FREE char *comment =
        odks_xasprintf("SELECT obj_description('%s'::regclass, 'pg_class') "
                       "LIKE 'odk-sync: %%'",
                       views[_i]);

    ODKS_SQL_IS(db, missing, "0");
    ODKS_SQL_IS(db, comment, "t");
}
END_TEST

/* Each has the columns that the query of the old guide had. */
START_TEST(views_answer)
{
    CLEANUP_DB struct odks_db *db = some_attempts();

    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', sync_type, last_sync_status,"
                " successful_sync_count, failed_sync_count, "
                "last_records_processed, last_error_message), ', ' "
                "ORDER BY sync_type) FROM odk_sync_current_status",
                "a error 0 1 x, b success 1 0 3, c in_progress 0 0");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', sync_type, status, "
                "records_processed, service_instance), ', ') "
                "FROM odk_sync_recent_attempts",
                "c in_progress three, a error two, b success 3 one");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', sync_type, error_message, "
                "service_instance), ', ') FROM odk_sync_failed_syncs",
                "a x two");
    test_do(db, "UPDATE odk_sync_history SET duration_seconds = 3 "
                "WHERE sync_type = 'b'; "
                "INSERT INTO odk_sync_history (sync_type, sync_timestamp, "
                "status, records_processed, duration_seconds) SELECT 'b', "
                "sync_timestamp, 'success', 4, 4 FROM odk_sync_history "
                "WHERE sync_type = 'b' UNION ALL SELECT 'old', "
                "now() - interval '25 hours', 'success', 1, 1");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws(' ', sync_type, attempts, "
                "avg_duration, max_duration, total_records), ', ') "
                "FROM odk_sync_hourly_performance",
                "b 2 3.5 4 7");
}
END_TEST

/* The block of GRANTs in odk-sync(1), SQL FUNCTIONS. */
START_TEST(caller_of_a_weak_role)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    make_role(db, "odks_caller");
    test_do(db, "GRANT SELECT, INSERT, UPDATE ON odk_sync_status, "
                "odk_sync_history TO odks_caller; "
                "GRANT USAGE ON SEQUENCE odk_sync_history_id_seq "
                "TO odks_caller; "
                "GRANT SELECT ON odk_sync_queue TO odks_caller");
    test_do(db, "SET LOCAL ROLE odks_caller; "
                "SELECT odk_sync_complete(odk_sync_progress(odk_sync_start("
                "'a', 'h'), 1, NULL, NULL), 'a', 2, '2026-11-02Z', '{}'); "
                "SELECT odk_sync_fail(odk_sync_start('a', 'h'), 'a', 'x'); "
                "SELECT odk_sync_set_last_sync_time('2026-11-03Z', 'a'); "
                "SELECT odk_sync_get_last_sync_time('a'); "
                "SELECT odk_sync_statistics(), odk_sync_health()");
    ODKS_SQL_IS(db, "SELECT count(*) FROM odk_sync_history", "3");
    test_do(db, "GRANT DELETE ON odk_sync_history TO odks_caller");
    ODKS_SQL_IS(db, "SET LOCAL ROLE odks_caller; SELECT odk_sync_prune(30)",
                "0");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("track_reports");
    TCase *tc = tcase_create("reports");

    tcase_add_test(tc, statistics);
    tcase_add_test(tc, recent_history);
    tcase_add_test(tc, empty);
    tcase_add_test(tc, names_that_collide);
    tcase_add_test(tc, health);
    tcase_add_test(tc, problems);
    tcase_add_loop_test(tc, view_of_a_weak_role, 0, VIEWS);
    tcase_add_loop_test(tc, view_is_described, 0, VIEWS);
    tcase_add_test(tc, views_answer);
    tcase_add_test(tc, caller_of_a_weak_role);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
