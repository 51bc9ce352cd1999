/* tests/unit/queue_race.c - SPDX-License-Identifier: Apache-2.0 */
/* Several connections at once; what only a direct one can do is left out when
 * the test runs through a pooler. */
#include <config.h>

#include "queue/queue.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"

enum { RUNNERS = 4, JOBS = 24 };

/* Ask until the answer is "t". */
static void
until(struct odks_db *db, const char *question)
{
    for (int i = 0; i < 2000; i++) {
        CLEANUP_FREE char *got = test_sql(db, question);

        if (strcmp(got, "t") == 0)
            return;
        (void) poll(NULL, 0, 5);
    }
    ck_abort_msg("never true: %s", question);
}

START_TEST(claim_under_way_is_passed_over)
{
    CLEANUP_DB struct odks_db *one = test_fresh();
    CLEANUP_DB struct odks_db *two = test_connect();
    static const struct odks_claimable types[] = { { "a", false }, { 0 } };
    const struct odks_enqueue what = test_job("a");
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_job *job;
    int64_t id;

    (void) test_enqueue(one, &what, &id);
    ODKS_OK(odks_db_begin(one, &err));
    ODKS_OK(odks_queue_claim(one, types, "one", 60, &job, &err));
    ck_assert_ptr_nonnull(job);
    ck_assert_ptr_null(test_claim(two, "two")); /* without waiting */
    ODKS_OK(odks_db_commit(one, &err));
    ck_assert_ptr_null(test_claim(two, "two"));
    odks_job_free(job);
}
END_TEST

/* Claim and finish until nothing is left; never returns. */
__attribute__((noreturn)) static void
runner(const struct odks_claimable *types)
{
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_outcome outcome = { .latest = ODKS_TIME_NONE };
    struct odks_db *db = test_connect();

    for (;;) {
        CLEANUP_JOB struct odks_job *job = NULL;

        if (!odks_db_begin(db, &err)
            || !odks_queue_claim(db, types, "runner", 60, &job, &err)
            || !odks_db_commit(db, &err))
            _exit(1);
        if (job == NULL)
            _exit(0);
        if (!odks_db_begin(db, &err) || !odks_queue_heartbeat(db, job, &err)
            || !odks_queue_finish(db, job, &outcome, &err)
            || !odks_db_commit(db, &err))
            _exit(2);
        odks_queue_unlock(db, job);
    }
}

START_TEST(each_job_once)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_claimable types[JOBS + 1] = { { 0 } };
    char names[JOBS][8];

    for (int i = 0; i < JOBS; i++) {
        int64_t id;

        (void) snprintf(names[i], sizeof(names[i]), "t%d", i);
        types[i].sync_type = names[i];
        const struct odks_enqueue what = test_job(names[i]);
        (void) test_enqueue(db, &what, &id);
    }
    for (int i = 0; i < RUNNERS; i++) {
        if (fork() == 0)
            runner(types);
    }
    for (int i = 0; i < RUNNERS; i++) {
        int status;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    ODKS_SQL_IS(db, "SELECT count(*) FROM odk_sync_queue", "0");
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', count(*), count(DISTINCT sync_type)) "
                "FROM odk_sync_history WHERE status = 'success'",
                "24|24");
    ODKS_SQL_IS(db, "SELECT sum(successful_sync_count) FROM odk_sync_status",
                "24");
}
END_TEST

#define SOMEBODY_WAITS                                           \
    "SELECT EXISTS (SELECT FROM pg_locks w JOIN pg_locks m"      \
    " ON m.pid = w.pid JOIN pg_database d ON d.oid = m.database" \
    " AND d.datname = current_database() WHERE NOT w.granted)"

/* Somebody else's writes can make the unique index refuse a claim. */
START_TEST(unique_index_is_the_last_word)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    const struct odks_enqueue what = test_job("a");
    struct odks_err err = ODKS_ERR_INIT;
    int64_t id;
    int status;

    (void) test_enqueue(db, &what, &id);
    ODKS_OK(odks_db_begin(db, &err));
    test_do(db, "INSERT INTO odk_sync_queue (sync_type, state, claimed_by, "
                "lease_until, direct, history_id) VALUES ('a', 'running', "
                "'x', '2100-01-01', false, 1)");
    pid_t child = fork();
    if (child == 0) {
        static const struct odks_claimable types[] = { { "a", false }, { 0 } };
        struct odks_db *other = test_connect();
        struct odks_job *job;

        if (!odks_db_begin(other, &err)
            || odks_queue_claim(other, types, "two", 60, &job, &err))
            _exit(1);
        _exit(err.code);
    }
    until(db, SOMEBODY_WAITS);
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), ODKS_EXIT_TEMPFAIL);
}
END_TEST

/* Two see that a slot is due; the job of the first is done by the time that the
 * second one gets to write. */
START_TEST(slot_is_enqueued_once)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    const struct odks_enqueue what = test_job("a");
    struct odks_err err = ODKS_ERR_INIT;
    enum odks_queued queued;
    int status;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_slot(db, &what, 0, &queued, &err));
    ck_assert_int_eq(queued, ODKS_QUEUED_NEW);
    test_do(db, "DELETE FROM odk_sync_queue");
    pid_t child = fork();
    if (child == 0) {
        struct odks_db *other = test_connect();

        if (!odks_db_begin(other, &err)
            || !odks_queue_enqueue_slot(other, &what, 0, &queued, &err)
            || !odks_db_commit(other, &err))
            _exit(99);
        _exit((int) queued);
    }
    until(db, SOMEBODY_WAITS);
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), ODKS_QUEUED_NOT);
    ODKS_SQL_IS(db, TEST_QUEUE, "");
}
END_TEST

/* A batch under way holds its row, whatever the lease says. */
START_TEST(live_batch_is_not_reclaimed)
{
    CLEANUP_DB struct odks_db *one = test_fresh();
    CLEANUP_DB struct odks_db *two = test_connect();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_JOB struct odks_job *job = test_running(one);

    test_do(one, "UPDATE odk_sync_queue SET direct = false, "
                 "lease_until = now() - interval '1 h'");
    ODKS_OK(odks_db_begin(one, &err));
    ODKS_OK(odks_queue_heartbeat(one, job, &err));
    ck_assert_int_eq(test_reclaim(two), 0);
    ODKS_OK(odks_db_commit(one, &err));
    ck_assert_int_eq(test_reclaim(two), 0); /* the lease is new */
}
END_TEST

START_TEST(dead_owner_is_noticed_at_once)
{
    struct odks_db *one = test_fresh();
    CLEANUP_DB struct odks_db *two = test_connect();
    CLEANUP_JOB struct odks_job *job = test_running(one);
    int count = 0;

    if (odks_db_pooled(one)) {
        ck_assert(!job->locked);
        odks_db_close(one);
        ck_assert_int_eq(test_reclaim(two), 0); /* by its lease alone */
        return;
    }
    ck_assert(job->locked);
    ck_assert_int_eq(test_reclaim(two), 0);
    odks_db_close(one);
    for (int i = 0; i < 2000 && count == 0; i++) {
        count = test_reclaim(two);
        (void) poll(NULL, 0, 5);
    }
    ck_assert_int_eq(count, 1);
    ODKS_SQL_IS(two, "SELECT lease_until FROM odk_sync_queue", "");
}
END_TEST

/*
 * The owner of a command may be dead while the command still runs: an older
 * version of odk-sync claimed it, or another program.
 */
START_TEST(lock_of_a_command_means_nothing)
{
    static const struct odks_claimable command[] = { { "a", true }, { 0 } };
    static const struct odks_claimable others[] = { { "b", false }, { 0 } };
    struct odks_db *one = test_fresh();
    CLEANUP_DB struct odks_db *two = test_connect();
    CLEANUP_JOB struct odks_job *job = test_running(one);
    struct odks_err err = ODKS_ERR_INIT;
    int count = 1;

    ck_assert_ptr_nonnull(job);
    odks_db_close(one);
    until(two, "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d"
               " ON d.oid = l.database AND d.datname = current_database()"
               " WHERE l.locktype = 'advisory' AND l.classid = 1868851059)");
    ODKS_OK(odks_db_begin(two, &err));
    ODKS_OK(odks_queue_reclaim(two, command, &count, &err));
    ck_assert_int_eq(count, 0);
    ODKS_OK(odks_queue_reclaim(two, others, &count, &err));
    ck_assert_int_eq(count, 0);
    test_do(two, "UPDATE odk_sync_queue SET lease_until = clock_timestamp()");
    ODKS_OK(odks_queue_reclaim(two, command, &count, &err));
    ck_assert_int_eq(count, 1);
    ODKS_OK(odks_db_commit(two, &err));
}
END_TEST

/* A lock that was not to be had means nothing when it is free later. */
START_TEST(lease_only_where_the_lock_is_taken)
{
    CLEANUP_DB struct odks_db *one = test_fresh();
    struct odks_db *two = test_connect();
    const struct odks_enqueue what = test_job("a");
    struct odks_err err = ODKS_ERR_INIT;
    int64_t id;

    if (odks_db_pooled(one)) {
        odks_db_close(two);
        return;
    }
    (void) test_enqueue(one, &what, &id);
    ODKS_OK(odks_db_begin(two, &err));
    ODKS_SQL_IS(two, "SELECT pg_try_advisory_xact_lock(1868851059, 1)", "t");
    CLEANUP_JOB struct odks_job *job = test_claim(one, "one");
    ck_assert(!job->locked);
    odks_db_rollback(two);
    ck_assert_int_eq(test_reclaim(two), 0);
    odks_db_close(two);
    ODKS_SQL_IS(one, "SELECT direct FROM odk_sync_queue", "f");
}
END_TEST

START_TEST(unlock_after_a_claim_that_was_rolled_back)
{
    CLEANUP_DB struct odks_db *one = test_fresh();
    CLEANUP_DB struct odks_db *two = test_connect();
    static const struct odks_claimable types[] = { { "a", false }, { 0 } };
    const struct odks_enqueue what = test_job("a");
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_job *job;
    int64_t id;

    (void) test_enqueue(one, &what, &id);
    ODKS_OK(odks_db_begin(one, &err));
    ODKS_OK(odks_queue_claim(one, types, "one", 60, &job, &err));
    odks_db_rollback(one);
    odks_queue_unlock(one, job);
    odks_job_free(job);
    job = test_claim(two, "two");
    ck_assert_ptr_nonnull(job);
    ck_assert(job->locked == !odks_db_pooled(two));
    ck_assert_int_eq(job->claim_no, 1);
    odks_job_free(job);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_race");
    TCase *tc = tcase_create("race");

    tcase_add_test(tc, claim_under_way_is_passed_over);
    tcase_add_test(tc, each_job_once);
    tcase_add_test(tc, unique_index_is_the_last_word);
    tcase_add_test(tc, slot_is_enqueued_once);
    tcase_add_test(tc, live_batch_is_not_reclaimed);
    tcase_add_test(tc, dead_owner_is_noticed_at_once);
    tcase_add_test(tc, lock_of_a_command_means_nothing);
    tcase_add_test(tc, lease_only_where_the_lock_is_taken);
    tcase_add_test(tc, unlock_after_a_claim_that_was_rolled_back);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
