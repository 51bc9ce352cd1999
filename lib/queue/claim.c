/* lib/queue/claim.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

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

static char *
types_text(const char *const *types)
{
    CLEANUP_JSON struct json_object *a = json_object_new_array();

    for (; *types != NULL; types++)
        (void) json_object_array_add(a, json_object_new_string(*types));
    return odks_xstrdup(json_object_to_json_string(a));
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
odks_queue_claim(struct odks_db *db, const char *const *types,
                 const char *instance, int64_t lease_s, struct odks_job **job,
                 struct odks_err *err)
{
    bool direct = !odks_db_pooled(db);
    CLEANUP_FREE char *types_json = types_text(types);
    char lease[ODKS_DB_INT64_TEXT];
    const char *const params[] = { types_json, instance,
                                   odks_db_int64_param(lease_s, lease),
                                   direct ? "t" : "f" };

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
    if (direct && !new->locked && !lease_only(db, new, err))
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
