/* lib/run/forms.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/forms.h"

#include <string.h>

#include "sql/queries.h"

bool
odks_forms_possible(const struct odks_config *cfg)
{
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        if (odks_config_is_pattern(odks_config_job(cfg, i)))
            return true;
    }
    return false;
}

/* The job of the configuration that found this form and still wants it. */
static const struct odks_job_conf *
finder(const struct odks_config *cfg, const PGresult *res, int row)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const struct odks_job_conf *job = odks_config_find_job(
        cfg, odks_db_text(res, row, ODKS_FORMS_JOB), &ignored);

    if (job == NULL || !odks_config_is_pattern(job)
        || odks_db_bool(res, row, ODKS_FORMS_GONE)
        || job->project != odks_db_int64(res, row, ODKS_FORMS_PROJECT)
        || strcmp(job->central->name,
                  odks_db_text(res, row, ODKS_FORMS_CENTRAL))
               != 0
        || !odks_config_wants_form(cfg, job,
                                   odks_db_text(res, row, ODKS_FORMS_FORM)))
        return NULL;
    return job;
}

static bool
is_free(const struct odks_config *cfg, const char *sync_type)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    return odks_config_find_job(cfg, sync_type, &ignored) == NULL;
}

bool
odks_forms_load(struct odks_db *db, struct odks_config *cfg,
                struct odks_err *err)
{
    if (!odks_forms_possible(cfg))
        return true;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_forms_list, NULL, err);
    if (res == NULL)
        return false;
    for (int row = 0; row < PQntuples(res); row++) {
        const struct odks_job_conf *job = finder(cfg, res, row);
        const char *type = odks_db_text(res, row, ODKS_FORMS_SYNC_TYPE);

        if (job != NULL && is_free(cfg, type))
            odks_config_add_form(cfg, job, type,
                                 odks_db_text(res, row, ODKS_FORMS_FORM));
    }
    return true;
}
