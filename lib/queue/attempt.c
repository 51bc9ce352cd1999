/* lib/queue/attempt.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/internal.h"

#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"

enum { RECLAIM_MAX = 10 };

enum { GONE_ID, GONE_CLAIM_NO, GONE_CLAIMED_BY }; /* queue_reclaim.sql */

/* A claim and what its attempt did, as parameters of a statement. */
struct texts {
    char id[ODKS_DB_INT64_TEXT];
    char claim_no[ODKS_DB_INT64_TEXT];
    char records[ODKS_DB_INT64_TEXT];
    char latest[ODKS_TIME_TEXT];
};

static const char *
records_param(const struct odks_outcome *outcome, struct texts *t)
{
    return outcome == NULL ? NULL
                           : odks_db_int64_param(outcome->records, t->records);
}

static const char *
latest_param(const struct odks_outcome *outcome, struct texts *t)
{
    return outcome == NULL ? NULL
                           : odks_db_time_param(outcome->latest, t->latest);
}

static const char *
metadata_param(const struct odks_outcome *outcome)
{
    if (outcome == NULL || outcome->metadata == NULL)
        return NULL;
    return json_object_to_json_string_ext(outcome->metadata,
                                          JSON_C_TO_STRING_PLAIN);
}

/* A statement that names the fence found nothing: the job is not ours. */
static bool
is_ours(const PGresult *res, const struct odks_job *job, struct odks_err *err)
{
    if (PQntuples(res) > 0)
        return true;
    odks_err_set(err, ODKS_EXIT_FENCED,
                 "the claim of job %" PRId64 " (%s) was lost to another runner",
                 job->id, job->sync_type);
    return false;
}

bool
odks_queue_heartbeat(struct odks_db *db, const struct odks_job *job,
                     struct odks_err *err)
{
    return odks_queue_heartbeat_at(db, job, NULL, err);
}

bool
odks_queue_heartbeat_at(struct odks_db *db, const struct odks_job *job,
                        const char *progress, struct odks_err *err)
{
    struct texts t;
    char lease[ODKS_DB_INT64_TEXT];
    const char *const params[] = {
        odks_db_int64_param(job->id, t.id),
        odks_db_int64_param(job->claim_no, t.claim_no),
        odks_db_int64_param(job->lease_s, lease),
        progress,
    };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_heartbeat, params, err);
    if (res == NULL || !is_ours(res, job, err))
        return false;
    if (odks_db_bool(res, 0, 0)) {
        odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                     "job %" PRId64 " (%s) was cancelled", job->id,
                     job->sync_type);
        err->interrupted = true;
        return false;
    }
    return true;
}

bool
odks_queue_finish(struct odks_db *db, const struct odks_job *job,
                  const struct odks_outcome *outcome, struct odks_err *err)
{
    struct texts t;
    const char *const params[] = {
        odks_db_int64_param(job->id, t.id),
        odks_db_int64_param(job->claim_no, t.claim_no),
        records_param(outcome, &t),
        latest_param(outcome, &t),
        metadata_param(outcome),
    };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_finish, params, err);
    return res != NULL && is_ours(res, job, err);
}

/* queue_hand_back.sql: "error", "abandoned" or "interrupted". */
static PGresult *
hand_back(struct odks_db *db, const char *how, const char *id,
          const char *claim_no, const struct odks_err *cause,
          const struct odks_outcome *outcome, struct odks_err *err)
{
    struct texts t;
    char code[ODKS_DB_INT64_TEXT];
    bool permanent =
        cause->code != ODKS_EXIT_OK && !odks_err_is_temporary(cause);
    const char *const params[] = {
        id,
        claim_no,
        how,
        permanent ? "t" : "f",
        cause->message,
        records_param(outcome, &t),
        latest_param(outcome, &t),
        metadata_param(outcome),
        /* an abandoned attempt has no exit code */
        outcome == NULL && cause->code == ODKS_EXIT_OK
            ? NULL
            : odks_db_int64_param(cause->code, code),
    };

    return odks_db_query(db, &odks_sql_queue_hand_back, params, err);
}

bool
odks_queue_fail(struct odks_db *db, const struct odks_job *job,
                const struct odks_err *cause,
                const struct odks_outcome *outcome, bool *dead,
                struct odks_err *err)
{
    struct texts t;

    CLEANUP_PGRESULT PGresult *res = hand_back(
        db, "error", odks_db_int64_param(job->id, t.id),
        odks_db_int64_param(job->claim_no, t.claim_no), cause, outcome, err);
    if (res == NULL || !is_ours(res, job, err))
        return false;
    *dead = odks_db_bool(res, 0, 0);
    return true;
}

bool
odks_queue_release(struct odks_db *db, const struct odks_job *job,
                   const struct odks_err *cause,
                   const struct odks_outcome *outcome, struct odks_err *err)
{
    struct texts t;

    CLEANUP_PGRESULT PGresult *res = hand_back(
        db, "interrupted", odks_db_int64_param(job->id, t.id),
        odks_db_int64_param(job->claim_no, t.claim_no), cause, outcome, err);
    return res != NULL && is_ours(res, job, err);
}

/* One job whose owner is gone; *found: was there one? */
static bool
reclaim_one(struct odks_db *db, const char *types, bool *found,
            struct odks_err *err)
{
    struct odks_err cause = ODKS_ERR_INIT;
    const char *const params[] = { types };

    CLEANUP_PGRESULT PGresult *gone =
        odks_db_query(db, &odks_sql_queue_reclaim, params, err);
    if (gone == NULL)
        return false;
    *found = PQntuples(gone) > 0;
    if (!*found)
        return true;

    odks_err_set(&cause, ODKS_EXIT_OK, "abandoned: %s is gone",
                 PQgetvalue(gone, 0, GONE_CLAIMED_BY));
    CLEANUP_PGRESULT PGresult *res =
        hand_back(db, "abandoned", PQgetvalue(gone, 0, GONE_ID),
                  PQgetvalue(gone, 0, GONE_CLAIM_NO), &cause, NULL, err);
    return res != NULL;
}

bool
odks_queue_reclaim(struct odks_db *db, const struct odks_claimable *types,
                   int *reclaimed, struct odks_err *err)
{
    /* a pooler's sessions have advisory locks that say nothing */
    CLEANUP_FREE char *free_types =
        odks_db_pooled(db) ? NULL : odks_queue_types_text(types);
    bool found = true;

    *reclaimed = 0;
    while (*reclaimed < RECLAIM_MAX) {
        if (!reclaim_one(db, free_types, &found, err))
            return false;
        if (!found)
            break;
        (*reclaimed)++;
    }
    return true;
}

void
odks_queue_unlock(struct odks_db *db, struct odks_job *job)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const struct odks_sql *sql = &odks_sql_queue_unlock;
    char id[ODKS_DB_INT64_TEXT];
    const char *const params[] = { odks_db_int64_param(job->id, id) };

    if (!job->locked)
        return;
    job->locked = false;
    /* if this fails the lock falls with the connection */
    if (odks_db_alive(db))
        PQclear(odks_db_exec(db, sql->name, sql->text, sql->params, params,
                             &ignored));
}

bool
odks_queue_attempt_status(struct odks_db *db, const struct odks_job *job,
                          char status[21], struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT];
    const char *const params[] = { odks_db_int64_param(job->history_id, id) };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_attempt_status, params, err);
    if (res == NULL)
        return false;
    (void) snprintf(status, 21, "%s",
                    PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
    return true;
}
