/* lib/queue/queue.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of sync jobs, in odk_sync_queue.
 *
 * A claim is a lease: when its owner dies, the lease runs out (or, on a direct
 * connection, the advisory lock falls at once) and a later run takes the job
 * again. claim_no, which only grows, is the fence: every change of a claimed
 * job names it, so an owner that lost its claim changes nothing and learns it
 * (exit code 79). A claim opens a history row; finish, fail, release and
 * reclaim close it in the same transaction.
 *
 * All functions run in the caller's transaction; the caller commits.
 */
#ifndef ODKS_QUEUE_QUEUE_H
#define ODKS_QUEUE_QUEUE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/time.h"
#include "db/db.h"

/* What a job asks for beyond the usual, as odk_sync_queue.payload. */
struct odks_payload {
    bool full;     /* re-read all */
    int64_t since; /* or a window of submission dates, */
    int64_t until; /* ODKS_TIME_NONE: open */
    bool allow_mass_delete;
    bool reconcile; /* compare all keys now */
    bool rejects;   /* read again what did not fit */
    bool exec;      /* of odk-sync exec: nobody else can do it, see below */
};

struct odks_job {
    int64_t id;
    int64_t claim_no;
    int64_t history_id;
    char *sync_type;
    char *instance;
    int64_t slot; /* ODKS_TIME_NONE: not from a schedule */
    int failures; /* before this attempt */
    int max_failures;
    int64_t lease_s;
    bool locked; /* the advisory lock of a direct connection is ours */
    struct odks_payload payload;
};

struct odks_enqueue {
    const char *sync_type;
    int64_t run_at; /* not before; ODKS_TIME_NONE: now */
    int priority;
    int max_failures;
    struct odks_payload payload;
};

enum odks_queued {
    ODKS_QUEUED_NEW,
    ODKS_QUEUED_MERGED, /* one was waiting: it does the work of both */
    ODKS_QUEUED_NOT     /* the slot was used before, or the type is paused */
};

/*
 * Enqueue by hand: never refused for a pause. One job of a type waits at most;
 * a second one merges into it (earlier run_at, smaller priority number, newest
 * max_failures, full wins over a window, two windows become the one around
 * both), and a dead one comes back to life with no failures.
 *
 * With a run_at in the future it is kept apart, "timed", until then: it merges
 * with another job of the same type and time only, and neither a slot nor a
 * person who wants the type earlier takes it along.
 */
ODKS_MUST_CHECK bool odks_queue_enqueue(struct odks_db *db,
                                        const struct odks_enqueue *what,
                                        enum odks_queued *queued, int64_t *id,
                                        struct odks_err *err);

/*
 * Enqueue for a slot of a schedule, exactly once per (type, slot). Unlike a
 * person it leaves the back-off of a job that failed alone.
 */
ODKS_MUST_CHECK bool odks_queue_enqueue_slot(struct odks_db *db,
                                             const struct odks_enqueue *what,
                                             int64_t slot,
                                             enum odks_queued *queued,
                                             struct odks_err *err);

/* Enqueue the timed jobs whose time has come, as by hand. */
ODKS_MUST_CHECK bool odks_queue_enqueue_timed(struct odks_db *db,
                                              struct odks_err *err);

/*
 * Make due what failed or gave up under other settings than those of now.
 * digests is a JSON object that has a digest for each sync type; it is kept for
 * the next time. *due, for the caller to free, has the types that became due.
 */
ODKS_MUST_CHECK bool odks_queue_apply_settings(struct odks_db *db,
                                               const char *digests,
                                               PGresult **due,
                                               struct odks_err *err);

/*
 * A type that may be claimed. The claim number cannot prevent effects outside
 * the database, so a job with such effects must not be claimed while the owner
 * of the claim may still be working. With lease_only, only the end of the lease
 * frees the claim, even if the owner's session has ended.
 */
struct odks_claimable {
    const char *sync_type; /* NULL: the end of a list */
    bool lease_only;
};

/*
 * Take back jobs whose owner is gone, at most ten: history row closed as
 * error, failures + 1, waiting again or dead. A type that is not in
 * types counts as lease_only, however its owner claimed it. Only while this
 * process holds no claim (its own advisory lock would look free to it).
 */
ODKS_MUST_CHECK bool odks_queue_reclaim(struct odks_db *db,
                                        const struct odks_claimable *types,
                                        int *reclaimed, struct odks_err *err);

/*
 * Take the first due job of one of types for lease_s seconds. Nothing due, or
 * all of it running elsewhere, is no failure: *job is NULL. The caller owns
 * *job. A type that is paused is passed over.
 *
 * One job of a type waits and one runs at most, so two runners cannot pick two
 * of one type; should the unique index refuse a claim all the same (somebody
 * writes to the table), that is 75 and the next run's business.
 */
ODKS_MUST_CHECK bool odks_queue_claim(struct odks_db *db,
                                      const struct odks_claimable *types,
                                      const char *instance, int64_t lease_s,
                                      struct odks_job **job,
                                      struct odks_err *err);
void odks_job_free(struct odks_job *job);
ODKS_DEFINE_CLEANUP(job, struct odks_job *, odks_job_free)
#define CLEANUP_JOB CLEANUP(odks_cleanup_job)

/*
 * Extend the lease and hold the queue row until the transaction ends, so that
 * nobody reclaims in between. False with 79 when the claim is lost, with 75
 * (interrupted, not counted) when somebody cancelled the job.
 */
ODKS_MUST_CHECK bool odks_queue_heartbeat(struct odks_db *db,
                                          const struct odks_job *job,
                                          struct odks_err *err);

/*
 * The same, and in the same statement store how far a walk through everything
 * is: JSON for odk_sync_cursor.backfill_progress, or NULL.
 */
ODKS_MUST_CHECK bool odks_queue_heartbeat_at(struct odks_db *db,
                                             const struct odks_job *job,
                                             const char *progress,
                                             struct odks_err *err);

/* What an attempt did, for history and status. */
struct odks_outcome {
    int64_t records;              /* submissions written */
    int64_t latest;               /* newest submission date stored, or NONE */
    struct json_object *metadata; /* borrowed; NULL: none */
};

/* Success: the queue row goes, history and status say so. */
ODKS_MUST_CHECK bool odks_queue_finish(struct odks_db *db,
                                       const struct odks_job *job,
                                       const struct odks_outcome *outcome,
                                       struct odks_err *err);

/*
 * Failure: waiting again after min(1 h, 15 s * 2^failures) +- 20 %, or dead
 * (*dead) when cause is permanent or max_failures is reached. A job of the
 * type that was enqueued meanwhile is taken in: id and payload stay, the
 * earlier run_at counts, and it keeps the job from being dead. So do release
 * and reclaim; a cancelled job is dropped. So is one of odk-sync exec by all
 * three: only who started that can do it, and may start it again.
 */
ODKS_MUST_CHECK bool odks_queue_fail(struct odks_db *db,
                                     const struct odks_job *job,
                                     const struct odks_err *cause,
                                     const struct odks_outcome *outcome,
                                     bool *dead, struct odks_err *err);

/*
 * Hand the job back, due now and with no failure counted (or drop it, when it
 * was cancelled); history says why.
 */
ODKS_MUST_CHECK bool odks_queue_release(struct odks_db *db,
                                        const struct odks_job *job,
                                        const struct odks_err *cause,
                                        const struct odks_outcome *outcome,
                                        struct odks_err *err);

/*
 * Let go of the session's advisory lock: after the commit of the above, or
 * after a claim that was rolled back.
 */
void odks_queue_unlock(struct odks_db *db, struct odks_job *job);

/*
 * After a commit whose answer was lost: did this attempt end well? *status is
 * "success", "error", "in_progress" or, if the row is gone, "".
 */
ODKS_MUST_CHECK bool odks_queue_attempt_status(struct odks_db *db,
                                               const struct odks_job *job,
                                               char status[21],
                                               struct odks_err *err);

/* *id: of a job of the type that waits or is dead, be it timed; 0: none. */
ODKS_MUST_CHECK bool odks_queue_waiting(struct odks_db *db,
                                        const char *sync_type, int64_t *id,
                                        struct odks_err *err);

/* Jobs by hand: the one with that id, or those of a sync type. */
struct odks_queue_which {
    int64_t id;            /* used if there is no */
    const char *sync_type; /* NULL: by id */
};

/*
 * Cancel jobs; *found: how many, of which *running will learn it from their
 * next heartbeat.
 */
ODKS_MUST_CHECK bool odks_queue_cancel(struct odks_db *db,
                                       struct odks_queue_which which,
                                       int *found, int *running,
                                       struct odks_err *err);

/*
 * Make a job that waits or is dead due now, with no failures; *found: how many
 * there were. One that runs is not found, and a timed one by its id alone.
 */
ODKS_MUST_CHECK bool odks_queue_retry(struct odks_db *db,
                                      struct odks_queue_which which, int *found,
                                      struct odks_err *err);
ODKS_MUST_CHECK bool odks_queue_pause(struct odks_db *db, const char *sync_type,
                                      bool pause, struct odks_err *err);

#endif
