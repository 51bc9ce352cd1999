/* lib/run/attempt.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt at one job: what every kind of job works with.
 *
 * A kind does its work in short transactions between odks_attempt_begin(),
 * which checks the fence and extends the lease, and odks_attempt_commit(); the
 * last one ends with odks_attempt_finish() instead, so that rows, cursor,
 * history, status and the end of the queue row become visible together.
 *
 * A dry run has no job: all of it happens in one transaction that is rolled
 * back at the end, and every commit only takes back what was done since the
 * begin.
 */
#ifndef ODKS_RUN_ATTEMPT_H
#define ODKS_RUN_ATTEMPT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "db/db.h"
#include "queue/queue.h"

struct odks_attempt {
    struct odks_config *cfg;
    const struct odks_job_conf *conf;
    struct odks_db *db;
    const struct odks_job *job; /* NULL: dry run */
    struct odks_payload payload;
    struct json_object *metadata; /* the kind adds what it knows */
    int64_t records;              /* so far; for history and progress */
    int64_t latest;               /* newest submission date, or NONE */
    const char *progress;         /* of a walk through everything, for status:
                                     JSON, or NULL; borrowed */
    int64_t beat_ms;    /* odks_clock_ms() before the last renewal of the lease
                           that was committed */
    int64_t renewed_ms; /* the same of the one in the open transaction */
    bool finished;      /* odks_attempt_finish() was committed */
    bool advanced; /* what was committed spares the next attempt some work */
    bool dry_open; /* the dry run's transaction is open */
    bool dry_savepoint; /* and has a savepoint to go back to */
    bool passed_on;     /* its error's code is a command's own */
    char said[800];     /* for error_message, behind the error */
};

struct odks_job_kind {
    const char *name;
    bool lease_only; /* it works outside of the database; struct odks_claimable
                      */
    /* True only after odks_attempt_finish(), or in a dry run. */
    bool (*run)(struct odks_attempt *attempt, struct odks_err *err);
};

static inline bool
odks_attempt_is_dry(const struct odks_attempt *a)
{
    return a->job == NULL;
}

/* Begin a transaction that holds the claim; 79 when the claim is lost. */
ODKS_MUST_CHECK bool odks_attempt_begin(struct odks_attempt *a,
                                        struct odks_err *err);
ODKS_MUST_CHECK bool odks_attempt_commit(struct odks_attempt *a,
                                         struct odks_err *err);

/*
 * End the job as a success in the open transaction, enqueue the jobs that come
 * after it, and commit.
 */
ODKS_MUST_CHECK bool odks_attempt_finish(struct odks_attempt *a,
                                         struct odks_err *err);

/*
 * The last_sync_timestamp of the type, or ODKS_TIME_NONE; in the open
 * transaction. A job that asks for more says from when on: --full, --since.
 */
ODKS_MUST_CHECK bool odks_attempt_last_sync(struct odks_attempt *a, int64_t *us,
                                            struct odks_err *err);

/*
 * Tell history what was done so far, in the open transaction: metadata, latest,
 * and records unless negative.
 */
ODKS_MUST_CHECK bool odks_attempt_progress(struct odks_attempt *a,
                                           int64_t records,
                                           struct odks_err *err);

/*
 * Extend the lease if a third of it has passed, in a transaction of its own;
 * for long waits outside of one.
 */
ODKS_MUST_CHECK bool odks_attempt_heartbeat(struct odks_attempt *a,
                                            struct odks_err *err);

/* When the next heartbeat is due: a third of the lease after the last one. */
struct odks_deadline odks_attempt_next_beat(const struct odks_attempt *a);

/*
 * Until when our claim is certain, however the connection is: the lease as the
 * database counts it ends later. What must not run twice has to be over before
 * the lease ends, so a sixth of it is left for that.
 */
struct odks_deadline odks_attempt_certain(const struct odks_attempt *a);

#endif
