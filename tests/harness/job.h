/* tests/harness/job.h - SPDX-License-Identifier: Apache-2.0 */
/* For tests of the queue: its verbs, each in a transaction of its own. */
#ifndef ODKS_TESTS_JOB_H
#define ODKS_TESTS_JOB_H

#include "db.h"
#include "queue/queue.h"

/* The tables in a line, fields separated by "|"; metadata of the newest. */
#define TEST_QUEUE                                                     \
    "SELECT coalesce(string_agg(concat_ws('|', id, sync_type, state, " \
    "failures, claim_no, claimed_by), ';' ORDER BY id), '') "          \
    "FROM odk_sync_queue"
#define TEST_HISTORY                                                        \
    "SELECT string_agg(concat_ws('|', status, records_processed, "          \
    "duration_seconds, error_message, service_instance), ';' ORDER BY id) " \
    "FROM odk_sync_history"
#define TEST_METADATA "SELECT metadata FROM odk_sync_history ORDER BY id DESC"
#define TEST_STATUS                                                    \
    "SELECT concat_ws('|', last_sync_status, successful_sync_count, "  \
    "failed_sync_count, last_records_processed, last_sync_timestamp, " \
    "last_error_message) FROM odk_sync_status"

static inline struct odks_enqueue
test_job(const char *sync_type)
{
    const struct odks_enqueue what = {
        .sync_type = sync_type,
        .run_at = ODKS_TIME_NONE,
        .priority = 100,
        .max_failures = 5,
        .payload = { .since = ODKS_TIME_NONE, .until = ODKS_TIME_NONE },
    };
    return what;
}

static inline enum odks_queued
test_enqueue(struct odks_db *db, const struct odks_enqueue *what, int64_t *id)
{
    struct odks_err err = ODKS_ERR_INIT;
    enum odks_queued queued;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue(db, what, &queued, id, &err));
    ODKS_OK(odks_db_commit(db, &err));
    return queued;
}

static inline enum odks_queued
test_enqueue_slot(struct odks_db *db, const struct odks_enqueue *what,
                  int64_t slot)
{
    struct odks_err err = ODKS_ERR_INIT;
    enum odks_queued queued;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_slot(db, what, slot, &queued, &err));
    ODKS_OK(odks_db_commit(db, &err));
    return queued;
}

static const struct odks_claimable test_types[] = { { .sync_type = "a" },
                                                    { .sync_type = "b" },
                                                    { .sync_type = NULL } };

/* Claim a job of one of two types; NULL if there is none. */
static inline struct odks_job *
test_claim(struct odks_db *db, const char *instance)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_job *job;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_claim(db, test_types, instance, 60, &job, &err));
    ODKS_OK(odks_db_commit(db, &err));
    return job;
}

/* Enqueue a job of type "a" and claim it as "one". */
static inline struct odks_job *
test_running(struct odks_db *db)
{
    const struct odks_enqueue what = test_job("a");
    int64_t id;

    (void) test_enqueue(db, &what, &id);
    struct odks_job *job = test_claim(db, "one");
    ck_assert_ptr_nonnull(job);
    return job;
}

static inline int
test_reclaim(struct odks_db *db)
{
    struct odks_err err = ODKS_ERR_INIT;
    int count;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_reclaim(db, test_types, &count, &err));
    ODKS_OK(odks_db_commit(db, &err));
    return count;
}

#endif
