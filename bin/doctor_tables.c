/* bin/doctor_tables.c - SPDX-License-Identifier: Apache-2.0 */
/* A job that mirrors: its privacy rules and its tables. */
#include <config.h>

#include <string.h>

#include "bin/doctor.h"
#include "core/mem.h"
#include "jobs/schema.h"
#include "jobs/walk.h"
#include "sql/queries.h"
#include "table/privacy.h"

/* What does each privacy rule do here? */
static void
list_rules(struct odks_doctor *d, const struct odks_job_conf *job,
           const struct odks_privacy *privacy)
{
    for (size_t i = 0; i < odks_privacy_count(privacy); i++) {
        const char *meant;
        CLEANUP_FREE char *questions =
            odks_privacy_questions(privacy, i, &meant);
        CLEANUP_FREE char *message = odks_xasprintf(
            "%s: %s", odks_privacy_rule(privacy, i),
            questions != NULL ? questions : "there is no such question");
        CLEANUP_FREE char *fix =
            odks_xasprintf("Did you mean %s?", meant != NULL ? meant : "");

        if (questions != NULL)
            odks_doctor_good(d, job->sync_type, "%s", message);
        else
            odks_doctor_warn(d, job->sync_type, message,
                             meant != NULL ? fix : "");
    }
}

/* fields: NULL where the job stands for many forms. */
static bool
check_privacy(struct odks_doctor *d, const struct odks_job_conf *job,
              struct odks_field *fields, struct odks_err *err)
{
    CLEANUP_PRIVACY struct odks_privacy *privacy = NULL;
    CLEANUP_FREE char *key = NULL;

    if (!odks_config_hash_key(job, &key, err)) {
        odks_doctor_fail(d, job->sync_type, err);
        return false;
    }
    if (key != NULL)
        odks_doctor_good(d, job->sync_type, "the key of hash can be read");
    odks_privacy_new(job, key, &privacy);
    if (privacy == NULL || fields == NULL)
        return true;
    if (!odks_privacy_bind(privacy, fields, err)) {
        odks_doctor_fail(d, job->sync_type, err);
        return false;
    }
    list_rules(d, job, privacy);
    return true;
}

enum { CODE, MESSAGE, FIX }; /* columns of doctor_tables.sql */

/* What the catalogue tells of the tables; how many problems it names. */
static int
check_relations(struct odks_doctor *d, const struct odks_job_conf *job,
                bool owner_matters, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(job);
    const struct odks_model_conf conf = { .central = job->central->name,
                                          .project = query.project,
                                          .feed = query.feed,
                                          .form_id = query.form_id };
    struct odks_model_key key;
    const char *const *k = odks_model_key(&conf, &key);
    const char *const params[] = { k[0], k[1], k[2], k[3],
                                   owner_matters ? "t" : "f" };
    int problems = 0;

    CLEANUP_PGRESULT PGresult *res =
        odks_db_begin(d->c.db, err)
            ? odks_db_query(d->c.db, &odks_sql_doctor_tables, params, err)
            : NULL;
    odks_db_rollback(d->c.db);
    if (res == NULL) {
        odks_doctor_fail(d, job->sync_type, err);
        return 1;
    }
    for (int row = 0; row < PQntuples(res); row++) {
        int code = (int) odks_db_int64(res, row, CODE);

        odks_doctor_found(d, job->sync_type, code,
                          odks_db_text(res, row, MESSAGE),
                          odks_db_text(res, row, FIX));
        problems += code > 0;
    }
    return problems;
}

/* Is it only that somebody else uses the tables just now? */
static bool
is_busy(const struct odks_err *err)
{
    return strcmp(err->sqlstate, "55P03") == 0
           || strcmp(err->sqlstate, "57014") == 0
           || strcmp(err->sqlstate, "40P01") == 0;
}

/*
 * Would a run refuse to make, or to use, the tables? What the catalogue tells
 * comes with the statement that helps, so a refusal that it explains is not
 * repeated.
 */
static void
check_tables(struct odks_doctor *d, const struct odks_job_conf *job,
             struct odks_central *central, struct odks_err *err)
{
    struct odks_err refusal = ODKS_ERR_INIT;
    struct odks_schema_trial trial;

    odks_db_rollback(d->c.db);
    bool ok =
        odks_schema_try(d->c.cfg, job, central, d->c.db, &trial, &refusal);
    bool of_rights = strcmp(refusal.sqlstate, "42501") == 0
                     || strcmp(refusal.sqlstate, "42P10") == 0;
    int problems = check_relations(d, job, trial.needs_ddl, err);
    if (!ok && is_busy(&refusal))
        odks_doctor_warn(d, job->sync_type,
                         "the tables are in use: changing them was not tried",
                         "Try again when no other program reads them.");
    else if (!ok && !(of_rights && (problems > 0 || d->lacks_rights)))
        odks_doctor_fail(d, job->sync_type, &refusal);
    else if (trial.changes.warning[0] != '\0')
        odks_doctor_warn(d, job->sync_type, trial.changes.warning, "");
}

void
odks_doctor_job(struct odks_doctor *d, const struct odks_job_conf *job,
                struct odks_central *central, struct odks_field *fields,
                struct odks_err *err)
{
    if (check_privacy(d, job, fields, err) && fields != NULL && d->has_tables)
        check_tables(d, job, central, err);
}
