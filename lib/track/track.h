/* lib/track/track.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables know, for people and programs to look at.
 *
 * Each function returns rows with the columns of its enum, named for a heading
 * or a JSON key; the first ones, up to ODKS_..._SHORT, make a table for
 * people. Times are ISO 8601 in UTC. NULL and err set on failure; the caller
 * owns the result. All of them run in the caller's transaction.
 */
#ifndef ODKS_TRACK_TRACK_H
#define ODKS_TRACK_TRACK_H

#include <stdint.h>

#include "core/cleanup.h"
#include "db/db.h"

/* track_status.sql: a row for every sync type that the database knows. */
enum odks_status_column {
    ODKS_STATUS_SYNC_TYPE,
    ODKS_STATUS_STATUS,       /* success, error, in_progress, pending */
    ODKS_STATUS_LAST_SUCCESS, /* when that attempt began */
    ODKS_STATUS_SUBMISSIONS,  /* live ones in the table, at the last proof */
    ODKS_STATUS_CENTRAL,      /* live ones in Central then */
    ODKS_STATUS_REJECTS,      /* values in quarantine */
    ODKS_STATUS_QUEUE,        /* running, waiting, paused, dead or - */
    ODKS_STATUS_RUN_AT,       /* of the one that waits */
    ODKS_STATUS_SHORT,
    ODKS_STATUS_ERROR =
        ODKS_STATUS_SHORT, /* of the last failure since the last success */
    ODKS_STATUS_WATERMARK, /* changes in Central up to here are stored */
    ODKS_STATUS_RECORDS,   /* written by the last success */
    ODKS_STATUS_LAST_ATTEMPT,
    ODKS_STATUS_LAST_SYNC_TIMESTAMP, /* newest submission date stored */
    ODKS_STATUS_SUCCESSFUL,
    ODKS_STATUS_FAILED,
    ODKS_STATUS_COUNTS, /* JSON: of the last proof */
    ODKS_STATUS_LAST_RECONCILE,
    ODKS_STATUS_BACKFILL_STARTED, /* NULL: none is under way */
    ODKS_STATUS_BACKFILL_POSITION,
    ODKS_STATUS_CLAIMED_BY, /* of the one that runs */
    ODKS_STATUS_LEASE_UNTIL,
    ODKS_STATUS_FAILURES, /* in a row, of the one that waits or is dead */
    ODKS_STATUS_SLOT,     /* of the schedule, last used */
    ODKS_STATUS_PAUSED_AT,
    /* submissions, and their files, that the device has not uploaded yet */
    ODKS_STATUS_ATTACHMENTS_WAITING,
    ODKS_STATUS_ATTACHMENTS_WAITING_FILES,
    /* the same, too old to be looked for any more */
    ODKS_STATUS_ATTACHMENTS_FAILED,
    ODKS_STATUS_ATTACHMENTS_FAILED_FILES,
    /* of a walk through everything, NULL if none is under way: rows, and what
     * the attempt that runs now makes of it */
    ODKS_STATUS_BACKFILL_DONE,
    ODKS_STATUS_BACKFILL_TOTAL,
    ODKS_STATUS_BACKFILL_PERCENT,
    ODKS_STATUS_BACKFILL_RATE, /* rows a second */
    ODKS_STATUS_BACKFILL_SECONDS_LEFT,
    ODKS_STATUS_COLUMNS
};
ODKS_MUST_CHECK PGresult *odks_track_status(struct odks_db *db,
                                            struct odks_err *err);

/* track_history.sql: attempts, newest first. */
enum odks_history_column {
    ODKS_HISTORY_ID,
    ODKS_HISTORY_SYNC_TYPE,
    ODKS_HISTORY_STARTED,
    ODKS_HISTORY_STATUS,
    ODKS_HISTORY_RECORDS,
    ODKS_HISTORY_SECONDS,
    ODKS_HISTORY_ERROR,
    ODKS_HISTORY_SHORT,
    ODKS_HISTORY_INSTANCE = ODKS_HISTORY_SHORT,
    ODKS_HISTORY_METADATA, /* as stored: the text of a JSON object */
    ODKS_HISTORY_COLUMNS
};
/* sync_type NULL: of all types. */
ODKS_MUST_CHECK PGresult *odks_track_history(struct odks_db *db,
                                             const char *sync_type,
                                             int64_t limit,
                                             struct odks_err *err);

/* track_queue.sql: jobs, those that run first, then in the order of claims. */
enum odks_queue_column {
    ODKS_QUEUE_ID,
    ODKS_QUEUE_SYNC_TYPE,
    ODKS_QUEUE_STATE, /* running, cancelling, due, waiting, paused, dead */
    ODKS_QUEUE_RUN_AT,
    ODKS_QUEUE_PRIORITY,
    ODKS_QUEUE_FAILURES, /* in a row */
    ODKS_QUEUE_CLAIMED_BY,
    ODKS_QUEUE_LAST_ERROR,
    ODKS_QUEUE_SHORT,
    ODKS_QUEUE_MAX_FAILURES = ODKS_QUEUE_SHORT,
    ODKS_QUEUE_PAYLOAD, /* JSON */
    ODKS_QUEUE_SLOT,
    ODKS_QUEUE_CREATED,
    ODKS_QUEUE_CLAIMED_AT,
    ODKS_QUEUE_LEASE_UNTIL,
    ODKS_QUEUE_CLAIM_NO,
    ODKS_QUEUE_COLUMNS
};
ODKS_MUST_CHECK PGresult *odks_track_queue(struct odks_db *db,
                                           struct odks_err *err);

/*
 * track_old_service.sql: who wrote history in the last ten minutes and is not
 * odk-sync, no row if nobody did.
 */
enum odks_old_service_column {
    ODKS_OLD_SERVICE_INSTANCE, /* HOST-PID */
    ODKS_OLD_SERVICE_WROTE,
    ODKS_OLD_SERVICE_COLUMNS
};
ODKS_MUST_CHECK PGresult *odks_track_old_service(struct odks_db *db,
                                                 struct odks_err *err);

#endif
