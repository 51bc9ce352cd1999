/* tests/unit/queue_merge.c - SPDX-License-Identifier: Apache-2.0 */
/* A job that is handed back into one of its type that waits. */
#include <config.h>

#include "queue/queue.h"

#include "job.h"

#define NOON INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

/*
 * While a job runs another one of its type is enqueued: what becomes of both
 * when the first one ends.
 */
static const struct {
    enum odks_exit code; /* OK: finish; SIGTERM: release */
    const char *queue, *due;
} siblings[] = {
    { ODKS_EXIT_OK, "2|a|pending|0|0", "t" },
    { ODKS_EXIT_SIGTERM, "1|a|pending|0|1", "t" },
    { ODKS_EXIT_UNAVAILABLE, "1|a|pending|1|1", "t" },
    { ODKS_EXIT_NOPERM, "1|a|pending|0|1", "t" }, /* the new one goes on */
};

START_TEST(sibling)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    struct odks_enqueue what = test_job("a");
    const struct odks_outcome outcome = { .latest = ODKS_TIME_NONE };
    int64_t id;
    bool dead = true;

    what.payload.full = true;
    (void) test_enqueue(db, &what, &id);
    CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
    what.payload.full = false;
    what.payload.since = NOON;
    what.priority = 5;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);

    odks_err_set(&cause, siblings[_i].code, "cause");
    ODKS_OK(odks_db_begin(db, &err));
    if (siblings[_i].code == ODKS_EXIT_OK)
        ODKS_OK(odks_queue_finish(db, job, &outcome, &err));
    else if (siblings[_i].code == ODKS_EXIT_SIGTERM)
        ODKS_OK(odks_queue_release(db, job, &cause, &outcome, &err));
    else
        ODKS_OK(odks_queue_fail(db, job, &cause, &outcome, &dead, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, TEST_QUEUE, siblings[_i].queue);
    ODKS_SQL_IS(db, "SELECT run_at <= clock_timestamp() FROM odk_sync_queue",
                siblings[_i].due);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', priority, payload) FROM odk_sync_queue",
                siblings[_i].code == ODKS_EXIT_OK
                    ? "5|{\"since\": \"2026-11-23T12:00:00.000Z\"}"
                    : "5|{\"full\": true}");
    if (siblings[_i].code == ODKS_EXIT_NOPERM)
        ck_assert(!dead);
}
END_TEST

/* Of two that become one, neither loses what it stands for. */
START_TEST(merged_job_keeps_what_it_had)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT, cause = ODKS_ERR_INIT;
    struct odks_enqueue what = test_job("a");
    int64_t id;
    bool dead;

    what.priority = 3;
    (void) test_enqueue(db, &what, &id);
    test_do(db, "UPDATE odk_sync_queue SET last_error = 'before'");
    CLEANUP_JOB struct odks_job *job = test_claim(db, "one");
    what.priority = 100;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);
    odks_err_set(&cause, ODKS_EXIT_UNAVAILABLE, "cause");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(_i == 0 ? odks_queue_release(db, job, &cause, NULL, &err)
                    : odks_queue_fail(db, job, &cause, NULL, &dead, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', id, priority, last_error) "
                "FROM odk_sync_queue",
                _i == 0 ? "1|3|before" : "1|3|cause");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_merge");
    TCase *tc = tcase_create("merge");

    tcase_add_loop_test(tc, sibling, 0, sizeof(siblings) / sizeof(siblings[0]));
    tcase_add_loop_test(tc, merged_job_keeps_what_it_had, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
