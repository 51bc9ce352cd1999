/* tests/unit/queue_reclaim.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

#include "job.h"

START_TEST(by_lease)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    odks_job_free(test_running(db));

    test_do(db, "UPDATE odk_sync_queue SET direct = false");
    ck_assert_int_eq(test_reclaim(db), 0);
    test_do(db, "UPDATE odk_sync_queue SET lease_until = clock_timestamp()");
    ck_assert_int_eq(test_reclaim(db), 1);
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|pending|1|1");
    ODKS_SQL_IS(db, "SELECT run_at > clock_timestamp() FROM odk_sync_queue",
                "t");
    ODKS_SQL_IS(db, TEST_HISTORY, "error|0|abandoned: one is gone|one");
    ODKS_SQL_IS(db, TEST_METADATA,
                "{\"job_id\": 1, \"outcome\": \"abandoned\", \"claim_no\": 1, "
                "\"exit_code\": null}");
    ODKS_SQL_IS(db, TEST_STATUS, "error|0|1|abandoned: one is gone");
}
END_TEST

/* A job that kills its runner each time gives up in the end. */
START_TEST(gives_up)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    odks_job_free(test_running(db));

    test_do(db, "UPDATE odk_sync_queue SET failures = 4, "
                "lease_until = clock_timestamp()");
    ck_assert_int_eq(test_reclaim(db), 1);
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|dead|5|1");
}
END_TEST

/* Rows that a person meddled with do not stop the rest. */
START_TEST(of_closed_history)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    odks_job_free(test_running(db));

    test_do(db, "UPDATE odk_sync_queue SET lease_until = clock_timestamp(); "
                "DELETE FROM odk_sync_history");
    ck_assert_int_eq(test_reclaim(db), 1);
    ODKS_SQL_IS(db, TEST_QUEUE, "1|a|pending|1|1");
}
END_TEST

START_TEST(ten)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "INSERT INTO odk_sync_queue (sync_type, state, claimed_by, "
                "lease_until, direct, history_id) SELECT 't' || i, 'running', "
                "'one', now(), false, i FROM generate_series(1, 13) i");
    ck_assert_int_eq(test_reclaim(db), 10);
    ck_assert_int_eq(test_reclaim(db), 3);
    ck_assert_int_eq(test_reclaim(db), 0);
}
END_TEST

/* How a job of odk-sync exec ends without success. */
enum { RECLAIMED, FAILED, RELEASED, ENDS };

static void
end_it(struct odks_db *db, const struct odks_job *job, int how)
{
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    bool dead = true;

    if (how == RECLAIMED) {
        test_do(db, "UPDATE odk_sync_queue SET lease_until = now() - interval "
                    "'1 s' WHERE state = 'running'");
        ck_assert_int_eq(test_reclaim(db), 1);
        return;
    }
    odks_err_set(&cause, (enum odks_exit) 3, "ended with 3");
    ODKS_OK(odks_db_begin(db, &err));
    if (how == RELEASED) {
        ODKS_OK(odks_queue_release(db, job, &cause, NULL, &err));
    } else {
        ODKS_OK(odks_queue_fail(db, job, &cause, NULL, &dead, &err));
        ck_assert(!dead);
    }
    ODKS_OK(odks_db_commit(db, &err));
}

START_TEST(of_exec)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.payload.exec = true;
    (void) test_enqueue(db, &what, &id);
    CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
    /* of somebody else, enqueued meanwhile: it stays as it is */
    what = test_job("a");
    what.payload.full = true;
    (void) test_enqueue(db, &what, &id);
    end_it(db, job, _i);
    ODKS_SQL_IS(db, TEST_QUEUE, "2|a|pending|0|0");
    ODKS_SQL_IS(db, "SELECT payload FROM odk_sync_queue", "{\"full\": true}");
    ODKS_SQL_IS(db, "SELECT status FROM odk_sync_history", "error");
}
END_TEST

/* In the same statement, and only while the claim is ours. */
START_TEST(heartbeat_stores_progress)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(db);

    test_do(db, "INSERT INTO odk_sync_cursor (sync_type) VALUES ('a'), ('b')");
#define PROGRESS                                                        \
    "SELECT string_agg(sync_type || backfill_progress, ';' ORDER BY 1)" \
    " FROM odk_sync_cursor WHERE backfill_progress IS NOT NULL"
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_heartbeat_at(db, job, "{\"done\": 1}", &err));
    ODKS_OK(odks_queue_heartbeat(db, job, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, PROGRESS, "a{\"done\": 1}");
    job->claim_no++;
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_FAILS(odks_queue_heartbeat_at(db, job, "{\"done\": 2}", &err), FENCED);
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, PROGRESS, "a{\"done\": 1}");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_reclaim");
    TCase *tc = tcase_create("reclaim");

    tcase_add_test(tc, by_lease);
    tcase_add_test(tc, gives_up);
    tcase_add_test(tc, of_closed_history);
    tcase_add_test(tc, ten);
    tcase_add_loop_test(tc, of_exec, 0, ENDS);
    tcase_add_test(tc, heartbeat_stores_progress);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
