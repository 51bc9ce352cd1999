/* lib/queue/claim.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "sql/queries.h"

/* queue_claim.sql */
enum {
    COL_ID,
    COL_CLAIM_NO,
    COL_HISTORY_ID,
    COL_SYNC_TYPE,
    COL_FAILURES,
    COL_MAX_FAILURES,
    COL_SLOT,
    COL_FULL,
    COL_SINCE,
    COL_UNTIL,
    COL_ALLOW_MASS_DELETE,
    COL_RECONCILE,
    COL_REJECTS,
    COL_LOCKED
};

char *
odks_queue_types_text(const struct odks_claimable *types)
{
    CLEANUP_JSON struct json_object *o = json_object_new_object();

    for (; types->sync_type != NULL; types++)
        (void) json_object_object_add(
            o, types->sync_type, json_object_new_boolean(!types->lease_only));
    return odks_xstrdup(json_object_to_json_string(o));
}

static struct odks_job *
job_from(const PGresult *res, const char *instance, int64_t lease_s)
{
    struct odks_job *job = odks_xcalloc(1, sizeof(*job));

    job->id = odks_db_int64(res, 0, COL_ID);
    job->claim_no = odks_db_int64(res, 0, COL_CLAIM_NO);
    job->history_id = odks_db_int64(res, 0, COL_HISTORY_ID);
    job->sync_type = odks_xstrdup(PQgetvalue(res, 0, COL_SYNC_TYPE));
    job->instance = odks_xstrdup(instance);
    job->slot = odks_db_time(res, 0, COL_SLOT);
    job->failures = (int) odks_db_int64(res, 0, COL_FAILURES);
    job->max_failures = (int) odks_db_int64(res, 0, COL_MAX_FAILURES);
    job->lease_s = lease_s;
    job->locked = odks_db_bool(res, 0, COL_LOCKED);
    job->payload.full = odks_db_bool(res, 0, COL_FULL);
    job->payload.since = odks_db_time(res, 0, COL_SINCE);
    job->payload.until = odks_db_time(res, 0, COL_UNTIL);
    job->payload.allow_mass_delete =
        odks_db_bool(res, 0, COL_ALLOW_MASS_DELETE);
    job->payload.reconcile = odks_db_bool(res, 0, COL_RECONCILE);
    job->payload.rejects = odks_db_bool(res, 0, COL_REJECTS);
    return job;
}

/* The lock was not to be had, so its being free must mean nothing. */
static bool
lease_only(struct odks_db *db, const struct odks_job *job, struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT], claim_no[ODKS_DB_INT64_TEXT];
    const char *const params[] = { odks_db_int64_param(job->id, id),
                                   odks_db_int64_param(job->claim_no,
                                                       claim_no) };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_lease_only, params, err);
    return res != NULL;
}

bool
odks_queue_claim(struct odks_db *db, const struct odks_claimable *types,
                 const char *instance, int64_t lease_s, struct odks_job **job,
                 struct odks_err *err)
{
    CLEANUP_FREE char *types_json = odks_queue_types_text(types);
    char lease[ODKS_DB_INT64_TEXT];
    const char *const params[] = { types_json, instance,
                                   odks_db_int64_param(lease_s, lease),
                                   odks_db_pooled(db) ? "f" : "t" };

    *job = NULL;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_claim, params, err);
    if (res == NULL) {
        /* not the history's numbers */
        if (strcmp(err->sqlstate, "23505") == 0
            && strstr(err->message, "odk_sync_queue_running") != NULL)
            odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                         "another runner took a job of the same type at the "
                         "same moment");
        return false;
    }
    if (PQntuples(res) == 0)
        return true;

    CLEANUP_JOB struct odks_job *new = job_from(res, instance, lease_s);
    bool refused = odks_db_text(res, 0, COL_LOCKED) != NULL && !new->locked;
    if (refused && !lease_only(db, new, err))
        return false;
    *job = odks_steal(&new);
    return true;
}

void
odks_job_free(struct odks_job *job)
{
    if (job == NULL)
        return;
    free(job->sync_type);
    free(job->instance);
    free(job);
}
