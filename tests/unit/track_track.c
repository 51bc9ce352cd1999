/* tests/unit/track_track.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/track.h"

#include "job.h"

/* The fields of a row as "a|b|-", "-" for NULL. */
static void
row_is(const PGresult *res, int row, int columns, const char *want)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(4096);

    for (int i = 0; i < columns; i++) {
        const char *text = odks_db_text(res, row, i);

        ck_assert(odks_buf_printf(&b, "%s%s", i > 0 ? "|" : "",
                                  text != NULL ? text : "-"));
    }
    ck_assert_str_eq(b.data, want);
}

/* done, total, percent, rate and seconds left */
static void
progress_is(const PGresult *res, int row, const char *want)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(4096);

    for (int i = ODKS_STATUS_BACKFILL_DONE;
         i <= ODKS_STATUS_BACKFILL_SECONDS_LEFT; i++) {
        const char *text = odks_db_text(res, row, i);

        ck_assert(odks_buf_printf(&b, "%s%s",
                                  i > ODKS_STATUS_BACKFILL_DONE ? "|" : "",
                                  text != NULL ? text : "-"));
    }
    ck_assert_str_eq(b.data, want);
}

static const char many_states[] =
    "INSERT INTO odk_sync_status (sync_type, last_sync_status, "
    "last_records_processed, last_sync_timestamp, "
    "successful_sync_count) "
    "VALUES ('done', 'success', 3, '2026-11-01 10:00Z', 2); "
    "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status) "
    "VALUES ('done', '2026-11-02 10:00Z', 'success'), "
    "('done', '2026-11-01 10:00Z', 'success'), "
    "('done', '2026-11-03 10:00Z', 'error'); "
    "INSERT INTO odk_sync_cursor (sync_type, watermark, counts) "
    "VALUES ('done', '2026-11-02 09:59Z', '{\"table\": 3, \"central\": "
    "4}'); "
    "INSERT INTO odk_sync_reject (sync_type, table_name, "
    "submission_id, path, reason) VALUES ('done', 't', 'u', 'p', 'r');"
    "INSERT INTO odk_sync_queue (sync_type, state, run_at, failures) "
    "VALUES ('gone', 'dead', '2026-11-02Z', 5), "
    "('held', 'pending', '2026-11-02Z', 0), "
    "('wait', 'pending', '2100-01-01Z', 1), "
    "('run', 'pending', '2100-01-01Z', 0), "
    "('time', 'timed', '2101-01-01Z', 0), "
    "('time', 'timed', '2100-01-01Z', 0); "
    "INSERT INTO odk_sync_cursor (sync_type, backfill_started, watermark, "
    "backfill_progress) VALUES "
    "('run', '2026-11-01Z', NULL, '{\"total\": 100, \"done\": 42, "
    "\"stored\": 40, \"read\": 21, \"ms\": 7000}'), "
    "('wait', '2026-11-01Z', NULL, '{\"total\": 100, \"done\": 199, "
    "\"stored\": 40, \"read\": 21, \"ms\": 0}'), "
    /* a walk that is over says nothing, nor do settings alone */
    "('gone', NULL, NULL, '{\"total\": 1, \"done\": 1}'); "
    "INSERT INTO odk_sync_slot (sync_type, settings) VALUES ('new', 'x'); "
    "INSERT INTO odk_sync_slot (sync_type, paused_at) "
    "VALUES ('held', '2026-11-01Z')";

START_TEST(status)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_enqueue what = test_job("run");
    static const struct odks_claimable types[] = { { "run", false }, { 0 } };
    struct odks_job *job;
    int64_t id;

    (void) test_enqueue(db, &what, &id);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_claim(db, types, "one", 60, &job, &err));
    test_do(db, many_states);
    CLEANUP_PGRESULT PGresult *res = odks_track_status(db, &err);
    ck_assert_msg(res != NULL, "%s", err.message);
    ck_assert_int_eq(PQntuples(res), 6);
    ck_assert_int_eq(PQnfields(res), ODKS_STATUS_COLUMNS);
    row_is(res, 0, ODKS_STATUS_SHORT,
           "done|success|2026-11-02T10:00:00Z|3|4|1|-|-");
    row_is(res, 1, ODKS_STATUS_SHORT, "gone|pending|-|-|-|0|dead|-");
    row_is(res, 2, ODKS_STATUS_SHORT,
           "held|pending|-|-|-|0|paused|2026-11-02T00:00:00Z");
    row_is(res, 3, ODKS_STATUS_SHORT,
           "run|in_progress|-|-|-|0|running|2100-01-01T00:00:00Z");
    row_is(res, 4, ODKS_STATUS_SHORT,
           "time|pending|-|-|-|0|waiting|2100-01-01T00:00:00Z");
    row_is(res, 5, ODKS_STATUS_SHORT,
           "wait|pending|-|-|-|0|waiting|2100-01-01T00:00:00Z");
    ck_assert_str_eq(PQgetvalue(res, 0, ODKS_STATUS_COUNTS),
                     "{\"table\": 3, \"central\": 4}");
    ck_assert_str_eq(PQgetvalue(res, 0, ODKS_STATUS_WATERMARK),
                     "2026-11-02T09:59:00Z");
    ck_assert_str_eq(PQgetvalue(res, 0, ODKS_STATUS_RECORDS), "3");
    ck_assert_str_eq(PQgetvalue(res, 0, ODKS_STATUS_SUCCESSFUL), "2");
    ck_assert_str_eq(PQgetvalue(res, 0, ODKS_STATUS_LAST_SYNC_TIMESTAMP),
                     "2026-11-01T10:00:00Z");
    ck_assert_str_eq(PQgetvalue(res, 1, ODKS_STATUS_FAILURES), "5");
    ck_assert_str_eq(PQgetvalue(res, 2, ODKS_STATUS_PAUSED_AT),
                     "2026-11-01T00:00:00Z");
    ck_assert_str_eq(PQgetvalue(res, 3, ODKS_STATUS_CLAIMED_BY), "one");
    ck_assert_str_eq(PQfname(res, ODKS_STATUS_LEASE_UNTIL), "lease_until");
    ck_assert_str_eq(PQfname(res, ODKS_STATUS_BACKFILL_POSITION),
                     "backfill_position");
    progress_is(res, 1, "-|-|-|-|-");
    progress_is(res, 3, "42|100|42|3|20");
    progress_is(res, 5, "199|199|100|-|-");
    ODKS_OK(odks_db_commit(db, &err));
    odks_job_free(job);
}
END_TEST

START_TEST(history)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    test_do(db,
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status, "
            "records_processed, duration_seconds, error_message, metadata, "
            "service_instance) VALUES "
            "('a', '2026-11-02Z', 'success', 3, 9, NULL, '{}', 'h'), "
            "('b', '2026-11-03Z', 'error', NULL, 0, 'x', NULL, NULL), "
            "('a', '2026-11-04Z', 'in_progress', NULL, NULL, NULL, NULL, 'h')");
    ODKS_OK(odks_db_begin(db, &err));
    CLEANUP_PGRESULT PGresult *all = odks_track_history(db, NULL, 2, &err);
    ck_assert_int_eq(PQntuples(all), 2);
    ck_assert_int_eq(PQnfields(all), ODKS_HISTORY_COLUMNS);
    row_is(all, 0, ODKS_HISTORY_COLUMNS,
           "3|a|2026-11-04T00:00:00Z|in_progress|-|-|-|h|-");
    row_is(all, 1, ODKS_HISTORY_COLUMNS,
           "2|b|2026-11-03T00:00:00Z|error|-|0|x|-|-");
    CLEANUP_PGRESULT PGresult *one = odks_track_history(db, "a", 9, &err);
    ck_assert_int_eq(PQntuples(one), 2);
    row_is(one, 1, ODKS_HISTORY_COLUMNS,
           "1|a|2026-11-02T00:00:00Z|success|3|9|-|h|{}");
    odks_db_rollback(db);
}
END_TEST

START_TEST(queue)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    static const char *const want[] = {
        "3|run|running|2026-11-02T00:00:00Z|100|0|h|-",
        "4|stop|cancelling|2026-11-02T00:00:00Z|100|0|h|-",
        "2|due|due|2026-11-02T00:00:00Z|5|0|-|-",
        "5|held|paused|2026-11-02T00:00:00Z|100|0|-|-",
        "6|wait|waiting|2100-01-01T00:00:00Z|100|1|-|no route",
        "7|time|waiting|2101-01-01T00:00:00Z|100|0|-|-",
        "1|gone|dead|2026-11-02T00:00:00Z|100|5|-|x",
    };

    test_do(db,
            "INSERT INTO odk_sync_queue (sync_type, state, run_at, priority, "
            "failures, claimed_by, lease_until, direct, history_id, "
            "cancel_requested, last_error) VALUES "
            "('gone', 'dead', '2026-11-02Z', 100, 5, NULL, NULL, NULL, NULL, "
            "false, 'x'), "
            "('due', 'pending', '2026-11-02Z', 5, 0, NULL, NULL, NULL, NULL, "
            "false, NULL), "
            "('run', 'running', '2026-11-02Z', 100, 0, 'h', '2100-01-01Z', "
            "true, 1, false, NULL), "
            "('stop', 'running', '2026-11-02Z', 100, 0, 'h', '2100-01-01Z', "
            "true, 2, true, NULL), "
            "('held', 'pending', '2026-11-02Z', 100, 0, NULL, NULL, NULL, "
            "NULL, false, NULL), "
            "('wait', 'pending', '2100-01-01Z', 100, 1, NULL, NULL, NULL, "
            "NULL, false, 'no route'), "
            "('time', 'timed', '2101-01-01Z', 100, 0, NULL, NULL, NULL, "
            "NULL, false, NULL); "
            "INSERT INTO odk_sync_slot (sync_type, paused_at) "
            "VALUES ('held', now())");
    ODKS_OK(odks_db_begin(db, &err));
    CLEANUP_PGRESULT PGresult *res = odks_track_queue(db, &err);
    ck_assert_msg(res != NULL, "%s", err.message);
    ck_assert_int_eq(PQnfields(res), ODKS_QUEUE_COLUMNS);
    ck_assert_int_eq(PQntuples(res), 7);
    for (int i = 0; i < 7; i++)
        row_is(res, i, ODKS_QUEUE_SHORT, want[i]);
    ck_assert_str_eq(PQfname(res, ODKS_QUEUE_CLAIM_NO), "claim_no");
    ck_assert_str_eq(PQfname(res, ODKS_QUEUE_PAYLOAD), "payload");
    odks_db_rollback(db);
}
END_TEST

/* An instance that wrote now, or before that, and whether it is an old one. */
static const struct {
    const char *instance, *ago;
    bool old;
} writers[] = {
    { "web-7-12", "1 second", true },
    { "odk-sync-6d5f8-x7k2p-1", "9 minutes", true },
    { "web-7-12", "11 minutes", false },
    { "web-7-12", "-1 hour", true }, /* its clock is ahead */
    { "web-7-12-0123abcd", "1 second", false },
    { "web-7-12-01234567", "1 second", false },
    { "-12", "1 second", false },
    { "odk-sync init", "1 second", false },
    { NULL, "1 second", false },
};

START_TEST(old_service)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const char *instance = writers[_i].instance;

    CLEANUP_FREE char *sql = odks_xasprintf(
        "INSERT INTO odk_sync_history (sync_type, status, sync_timestamp, "
        "service_instance) VALUES ('a', 'success', clock_timestamp() - "
        "interval '%s', nullif('%s', ''))",
        writers[_i].ago, instance != NULL ? instance : "");
    test_do(db, sql);
    ODKS_OK(odks_db_begin(db, &err));
    CLEANUP_PGRESULT PGresult *res = odks_track_old_service(db, &err);
    ck_assert_msg(res != NULL, "%s", err.message);
    ck_assert_int_eq(PQnfields(res), ODKS_OLD_SERVICE_COLUMNS);
    ck_assert_int_eq(PQntuples(res), writers[_i].old);
    if (writers[_i].old)
        ck_assert_str_eq(odks_db_text(res, 0, ODKS_OLD_SERVICE_INSTANCE),
                         instance);
    odks_db_rollback(db);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("track_track");
    TCase *tc = tcase_create("track");

    tcase_add_test(tc, status);
    tcase_add_test(tc, history);
    tcase_add_test(tc, queue);
    tcase_add_loop_test(tc, old_service, 0,
                        sizeof(writers) / sizeof(writers[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
