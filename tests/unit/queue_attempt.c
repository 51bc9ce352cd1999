/* tests/unit/queue_attempt.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

#include "core/json.h"
#include "job.h"

#define NOON INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

static void
commit(struct odks_db *db)
{
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_commit(db, &err));
}

static bool
fail_with(struct odks_db *db, const struct odks_job *job, enum odks_exit code,
          const char *message)
{
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    bool dead;

    odks_err_set(&cause, code, "%s", message);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_fail(db, job, &cause, NULL, &dead, &err));
    commit(db);
    return dead;
}

START_TEST(claim)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.max_failures = 3;
    what.payload = (struct odks_payload){ .full = false,
                                          .since = NOON,
                                          .until = NOON + 1,
                                          .allow_mass_delete = true,
                                          .reconcile = true };
    (void) test_enqueue_slot(db, &what, NOON);
    (void) test_enqueue(db, &what, &id);
    test_do(db, "UPDATE odk_sync_queue SET failures = 1, claim_no = 7");
    CLEANUP_JOB struct odks_job *job = test_claim(db, "host-1-x");
    ck_assert_ptr_nonnull(job);
    ck_assert_int_eq(job->id, id);
    ck_assert_int_eq(job->claim_no, 8);
    ck_assert_str_eq(job->sync_type, "a");
    ck_assert_str_eq(job->instance, "host-1-x");
    ck_assert_int_eq(job->slot, NOON);
    ck_assert_int_eq(job->failures, 1);
    ck_assert_int_eq(job->max_failures, 3);
    ck_assert_int_eq(job->lease_s, 60);
    ck_assert(job->locked == !odks_db_pooled(db));
    ck_assert(!job->payload.full && job->payload.allow_mass_delete
              && job->payload.reconcile);
    ck_assert_int_eq(job->payload.since, NOON);
    ck_assert_int_eq(job->payload.until, NOON + 1);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', lease_until - claimed_at > "
                "'59 s', claimed_at > now() - '9 s'::interval, history_id) "
                "FROM odk_sync_queue",
                "t|t|1");
    ODKS_SQL_IS(db, TEST_HISTORY, "in_progress|host-1-x");
    ODKS_SQL_IS(db, TEST_METADATA, "{\"job_id\": 1, \"claim_no\": 8}");
    ODKS_SQL_IS(db, TEST_STATUS, "in_progress|0|0");
}
END_TEST

START_TEST(nothing_to_claim)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("c");
    struct odks_err err = ODKS_ERR_INIT;
    int64_t id;

    ck_assert_ptr_null(test_claim(db, "one")); /* empty */
    (void) test_enqueue(db, &what, &id);
    ck_assert_ptr_null(test_claim(db, "one")); /* not asked for */
    what.sync_type = "a";
    ODKS_OK(odks_time_parse("2100-01-01", &what.run_at, NULL));
    (void) test_enqueue(db, &what, &id);
    ck_assert_ptr_null(test_claim(db, "one")); /* not due */
    what.run_at = ODKS_TIME_NONE;
    (void) test_enqueue(db, &what, &id);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_pause(db, "a", true, &err));
    commit(db);
    ck_assert_ptr_null(test_claim(db, "one")); /* paused */
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_pause(db, "a", false, &err));
    commit(db);
    test_do(db, "UPDATE odk_sync_queue SET state = 'dead' "
                "WHERE state = 'pending'");
    ck_assert_ptr_null(test_claim(db, "one")); /* dead */
    ODKS_SQL_IS(db, "SELECT count(*) FROM odk_sync_history", "0");
}
END_TEST

START_TEST(order_and_one_of_a_type)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    (void) test_enqueue(db, &what, &id);
    what.sync_type = "b";
    what.priority = 1;
    (void) test_enqueue(db, &what, &id);
    CLEANUP_JOB struct odks_job *b = test_claim(db, "one");
    ck_assert_str_eq(b->sync_type, "b");
    /* a second b may wait, but not run */
    (void) test_enqueue(db, &what, &id);
    CLEANUP_JOB struct odks_job *a = test_claim(db, "two");
    ck_assert_str_eq(a->sync_type, "a");
    ck_assert_ptr_null(test_claim(db, "three"));
}
END_TEST

START_TEST(finish)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);
    struct json_object *metadata = odks_json_read("{\"rows\": 3}");
    const struct odks_outcome outcome = { .records = 3,
                                          .latest = NOON,
                                          .metadata = metadata };
    char status[21];

    test_do(db, "UPDATE odk_sync_history SET sync_timestamp = "
                "sync_timestamp - interval '90.9 s'");
    test_do(db, "UPDATE odk_sync_status SET last_error_message = 'old', "
                "last_sync_timestamp = '2026-11-01Z'");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_heartbeat(db, job, &err));
    ODKS_OK(odks_queue_finish(db, job, &outcome, &err));
    ODKS_OK(odks_queue_attempt_status(db, job, status, &err));
    ck_assert_str_eq(status, "success");
    commit(db);
    ODKS_SQL_IS(db, TEST_QUEUE, "");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', status, records_processed, "
                "duration_seconds BETWEEN 90 AND 99, error_message IS NULL) "
                "FROM odk_sync_history",
                "success|3|t|t");
    ODKS_SQL_IS(db, TEST_METADATA,
                "{\"rows\": 3, \"job_id\": 1, \"latest\": "
                "\"2026-11-23T12:00:00+00:00\", \"outcome\": \"success\", "
                "\"claim_no\": 1, \"exit_code\": 0}");
    ODKS_SQL_IS(db, TEST_STATUS, "success|1|0|3|2026-11-23 12:00:00+00");

    /* once more: the claim is over */
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_FAILS(odks_queue_finish(db, job, &outcome, &err), FENCED);
    odks_db_rollback(db);
    odks_queue_unlock(db, job);
    ck_assert(!job->locked);
    ODKS_SQL_IS(db,
                "SELECT count(*) FROM pg_locks l JOIN pg_database d"
                " ON d.oid = l.database AND d.datname = current_database()"
                " WHERE l.locktype = 'advisory'",
                "0");
    json_object_put(metadata);
}
END_TEST

/* Failure number, and the seconds until the next attempt, at least. */
static const struct {
    int failures, seconds;
} back_off[] = {
    { 0, 15 }, { 1, 30 }, { 2, 60 }, { 7, 1920 }, { 8, 3600 }, { 60, 3600 },
};

START_TEST(fails)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.max_failures = 100;
    (void) test_enqueue(db, &what, &id);
    CLEANUP_FREE char *prepare = odks_xasprintf(
        "UPDATE odk_sync_queue SET failures = %d", back_off[_i].failures);
    test_do(db, prepare);
    CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
    ck_assert(!fail_with(db, job, ODKS_EXIT_UNAVAILABLE, "no route"));
    CLEANUP_FREE char *look = odks_xasprintf(
        "SELECT concat_ws('|', state, failures, last_error, lease_until, "
        "claimed_by, claimed_at, history_id, "
        "run_at - clock_timestamp() BETWEEN interval '%d s' * 0.8 - "
        "interval '9 s' AND interval '%d s' * 1.2) FROM odk_sync_queue",
        back_off[_i].seconds, back_off[_i].seconds);
    CLEANUP_FREE char *want =
        odks_xasprintf("pending|%d|no route|t", back_off[_i].failures + 1);
    ODKS_SQL_IS(db, look, want);
    ODKS_SQL_IS(db, TEST_HISTORY, "error|0|no route|one");
    ODKS_SQL_IS(db, TEST_METADATA,
                "{\"job_id\": 1, \"outcome\": \"error\", \"claim_no\": 1, "
                "\"exit_code\": 69}");
    ODKS_SQL_IS(db, TEST_STATUS, "error|0|1|no route");
}
END_TEST

START_TEST(gives_up)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.max_failures = 2;
    (void) test_enqueue(db, &what, &id);
    for (int i = 0; i < 2; i++) {
        test_do(db, "UPDATE odk_sync_queue SET run_at = now()");
        CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
        ck_assert(fail_with(db, job, ODKS_EXIT_UNAVAILABLE, "no route")
                  == (i == 1));
    }
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|dead|2|2");
    /* a cause that needs a person does not wait for that */
    what.sync_type = "b";
    (void) test_enqueue(db, &what, &id);
    CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
    ck_assert(fail_with(db, job, ODKS_EXIT_NOPERM, "wrong password"));
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|dead|2|2;2|b|dead|1|1");
}
END_TEST

/* Every byte, and a character on the edge of the buffer. */
START_TEST(any_text_is_recorded)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);
    char message[2048];

    for (size_t i = 0; i < 255; i++)
        message[i] = (char) (i + 1);
    for (size_t i = 255 + (size_t) _i; i + 2 < sizeof(message); i += 2)
        memcpy(message + i, "\xc3\xa4", 3);
    message[255] = _i == 0 ? '\xc3' : 'x';
    (void) fail_with(db, job, ODKS_EXIT_DATA, message);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', h.status, s.last_sync_status, q.state, "
                "right(h.error_message, 2)) "
                "FROM odk_sync_history h, odk_sync_status s, odk_sync_queue q",
                "error|error|dead|\xc3\xa4\xc3\xa4");
}
END_TEST

START_TEST(long_message_is_cut)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);
    char message[1011];

    memset(message, 'x', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    (void) fail_with(db, job, ODKS_EXIT_DATA, message);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', length(h.error_message), "
                "length(s.last_error_message), length(q.last_error)) "
                "FROM odk_sync_history h, odk_sync_status s, odk_sync_queue q",
                "1000|1000|1000");
}
END_TEST

START_TEST(release)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);
    const struct odks_outcome outcome = { .records = 2,
                                          .latest = ODKS_TIME_NONE };

    test_do(db, "UPDATE odk_sync_queue SET failures = 2, last_error = 'old'");
    test_do(db, "UPDATE odk_sync_status SET last_error_message = 'old', "
                "failed_sync_count = 2");
    odks_err_set(&cause, ODKS_EXIT_SIGTERM, "stopped by SIGTERM");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_release(db, job, &cause, &outcome, &err));
    commit(db);
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|pending|2|1");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', run_at <= clock_timestamp(), "
                "last_error) FROM odk_sync_queue",
                "t|old");
    ODKS_SQL_IS(db, TEST_HISTORY,
                "error|2|0|interrupted: stopped by SIGTERM|one");
    ODKS_SQL_IS(db, TEST_METADATA,
                "{\"job_id\": 1, \"outcome\": \"interrupted\", \"claim_no\": "
                "1, \"exit_code\": 143}");
    ODKS_SQL_IS(db, TEST_STATUS, "pending|0|2|old");
}
END_TEST

START_TEST(cancel_running)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_DB struct odks_db *other = test_connect();
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);
    const struct odks_queue_which which = { .id = job->id };
    int found, running;

    ODKS_OK(odks_db_begin(other, &err));
    ODKS_OK(odks_queue_cancel(other, which, &found, &running, &err));
    ck_assert(found == 1 && running == 1);
    commit(other);

    ODKS_OK(odks_db_begin(db, &err));
    ck_assert(!odks_queue_heartbeat(db, job, &cause));
    ck_assert_int_eq(cause.code, ODKS_EXIT_TEMPFAIL);
    ck_assert(cause.interrupted);
    odks_db_rollback(db);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_release(db, job, &cause, NULL, &err));
    commit(db);
    ODKS_SQL_IS(db, TEST_QUEUE, "");
    ODKS_SQL_IS(db, TEST_HISTORY,
                "error|0|interrupted: job 1 (a) was cancelled|one");
    ODKS_SQL_IS(db, TEST_METADATA,
                "{\"job_id\": 1, \"outcome\": \"cancelled\", \"claim_no\": 1, "
                "\"exit_code\": 75}");
}
END_TEST

START_TEST(cancelled_and_failed_is_gone)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);

    test_do(db, "UPDATE odk_sync_queue SET cancel_requested = true");
    ck_assert(!fail_with(db, job, ODKS_EXIT_NOPERM, "wrong password"));
    ODKS_SQL_IS(db, TEST_QUEUE, "");
}
END_TEST

/* An owner that lost its claim: 79 from every verb, and nothing changed. */
START_TEST(fenced)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    const struct odks_outcome outcome = { .latest = NOON };
    CLEANUP_JOB struct odks_job *job = test_running(db);
    bool dead;

    test_do(db, "UPDATE odk_sync_queue SET lease_until = now() - "
                "interval '1 s', direct = false");
    ck_assert_int_eq(test_reclaim(db), 1);
    for (int round = 0; round < 2; round++) {
        odks_err_set(&cause, ODKS_EXIT_UNAVAILABLE, "cause");
        char *queue = test_sql(db, TEST_QUEUE),
             *history = test_sql(db, TEST_HISTORY);
        char *status = test_sql(db, TEST_STATUS);

        test_do(db, "CREATE TABLE rows ()");
        ODKS_OK(odks_db_begin(db, &err));
        ODKS_OK(odks_db_do(db, "write",
                           "INSERT INTO {schema}.rows DEFAULT VALUES", &err));
        ODKS_FAILS(odks_queue_heartbeat(db, job, &err), FENCED);
        ODKS_FAILS(odks_queue_finish(db, job, &outcome, &err), FENCED);
        ODKS_FAILS(odks_queue_fail(db, job, &cause, &outcome, &dead, &err),
                   FENCED);
        ODKS_FAILS(odks_queue_release(db, job, &cause, &outcome, &err), FENCED);
        odks_db_rollback(db);
        ODKS_SQL_IS(db, TEST_QUEUE, queue);
        ODKS_SQL_IS(db, TEST_HISTORY, history);
        ODKS_SQL_IS(db, TEST_STATUS, status);
        ODKS_SQL_IS(db, "SELECT count(*) FROM rows", "0");
        test_do(db, "DROP TABLE rows");
        free(queue);
        free(history);
        free(status);
        /* the second round: another runner has it by now */
        test_do(db, "UPDATE odk_sync_queue SET run_at = now()");
        if (round == 0)
            odks_job_free(test_claim(db, "two"));
    }
}
END_TEST

START_TEST(attempt_status)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);
    char status[21];

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_attempt_status(db, job, status, &err));
    ck_assert_str_eq(status, "in_progress");
    test_do(db, "DELETE FROM odk_sync_history");
    ODKS_OK(odks_queue_attempt_status(db, job, status, &err));
    ck_assert_str_eq(status, "");
}
END_TEST

/* A heartbeat touches no index. */
START_TEST(heartbeat_is_hot)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_SQL_IS(db,
                "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables "
                "WHERE relname = 'odk_sync_queue'",
                "0");
    for (int i = 0; i < 20; i++)
        ODKS_OK(odks_queue_heartbeat(db, job, &err));
    ODKS_SQL_IS(db,
                "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables "
                "WHERE relname = 'odk_sync_queue'",
                "20");
    ODKS_SQL_IS(db,
                "SELECT lease_until > clock_timestamp() + interval '50 s' "
                "FROM odk_sync_queue",
                "t");
    commit(db);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_attempt");
    TCase *tc = tcase_create("attempt");

    tcase_add_test(tc, claim);
    tcase_add_test(tc, nothing_to_claim);
    tcase_add_test(tc, order_and_one_of_a_type);
    tcase_add_test(tc, finish);
    tcase_add_loop_test(tc, fails, 0, sizeof(back_off) / sizeof(back_off[0]));
    tcase_add_test(tc, gives_up);
    tcase_add_loop_test(tc, any_text_is_recorded, 0, 2);
    tcase_add_test(tc, long_message_is_cut);
    tcase_add_test(tc, release);
    tcase_add_test(tc, cancel_running);
    tcase_add_test(tc, cancelled_and_failed_is_gone);
    tcase_add_test(tc, fenced);
    tcase_add_test(tc, attempt_status);
    tcase_add_test(tc, heartbeat_is_hot);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
