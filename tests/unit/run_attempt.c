/* tests/unit/run_attempt.c - SPDX-License-Identifier: Apache-2.0 */
/* When the lease is renewed, and which renewals count. */
#include <config.h>

#include "run/attempt.h"

#include "job.h"

enum { LEASE_MS = 60 * 1000, LONG_AGO_MS = 3600 * 1000 };

#define LEFT                                                         \
    "SELECT lease_until > clock_timestamp() + interval '50 s' FROM " \
    "odk_sync_queue"

/* As if the last renewal were so old, here and in the database. */
static void
age(struct odks_attempt *a, int64_t ms)
{
    CLEANUP_FREE char *text = odks_xasprintf(
        "UPDATE odk_sync_queue SET lease_until = clock_timestamp()"
        " + interval '1 ms' * (%d - %lld)",
        (int) LEASE_MS, (long long) ms);

    test_do(a->db, text);
    a->beat_ms = odks_clock_ms() - ms;
}

static struct odks_attempt
attempt(struct odks_db *db, const struct odks_job *job)
{
    return (struct odks_attempt){ .db = db, .job = job };
}

/* In milliseconds: is a heartbeat due after it? Never exactly, clocks go on. */
static const struct {
    int64_t age_ms;
    const char *renewed;
} ages[] = {
    { 0, "t" }, /* the lease is whole anyhow */
    { LEASE_MS / 3 - 5000, "f" },
    { LEASE_MS / 3, "t" },
    { LEASE_MS / 2, "t" },
};

START_TEST(heartbeat_after_a_third_of_the_lease)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);
    struct odks_attempt a = attempt(db, job);
    struct odks_err err = ODKS_ERR_INIT;

    age(&a, ages[_i].age_ms);
    ODKS_OK(odks_attempt_heartbeat(&a, &err));
    ODKS_SQL_IS(db, LEFT, ages[_i].renewed);
}
END_TEST

START_TEST(renewal_that_is_rolled_back_does_not_count)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);
    struct odks_attempt a = attempt(db, job);
    struct odks_err err = ODKS_ERR_INIT;

    age(&a, LEASE_MS / 2);
    int64_t before = a.beat_ms;
    ODKS_OK(odks_attempt_begin(&a, &err));
    odks_db_rollback(db);
    ck_assert_int_eq(a.beat_ms, before);
    ODKS_SQL_IS(db, LEFT, "f");
    ODKS_OK(odks_attempt_heartbeat(&a, &err));
    ODKS_SQL_IS(db, LEFT, "t");
    ck_assert_int_gt(a.beat_ms, before);
}
END_TEST

START_TEST(long_transaction_commits_a_whole_lease)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_JOB struct odks_job *job = test_running(db);
    struct odks_attempt a = attempt(db, job);
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_attempt_begin(&a, &err));
    age(&a, LONG_AGO_MS);
    a.renewed_ms = a.beat_ms;
    ODKS_OK(odks_attempt_commit(&a, &err));
    ODKS_SQL_IS(db, LEFT, "t");
    ck_assert_int_lt(odks_clock_ms() - a.beat_ms, LONG_AGO_MS);
}
END_TEST

/* By our clock it ends before the lease does by the database's. */
START_TEST(certain_for_less_than_the_lease)
{
    const struct odks_job job = { .lease_s = 60 };
    const struct odks_attempt a = { .job = &job, .beat_ms = 1000 };

    ck_assert_int_eq(odks_attempt_next_beat(&a).at_ms, 1000 + LEASE_MS / 3);
    ck_assert_int_eq(odks_attempt_certain(&a).at_ms, 1000 + LEASE_MS / 6 * 5);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("run_attempt");
    TCase *tc = tcase_create("attempt");

    tcase_add_loop_test(tc, heartbeat_after_a_third_of_the_lease, 0,
                        sizeof(ages) / sizeof(ages[0]));
    tcase_add_test(tc, renewal_that_is_rolled_back_does_not_count);
    tcase_add_test(tc, long_transaction_commits_a_whole_lease);
    tcase_add_test(tc, certain_for_less_than_the_lease);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
