/* bin/doctor_tables.c - SPDX-License-Identifier: Apache-2.0 */
/* A job that mirrors: its privacy rules and its tables. */
#include <config.h>

#include "bin/doctor.h"
#include "core/mem.h"
#include "jobs/schema.h"
#include "table/privacy.h"
#include "table/sqltext.h"

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

/* Would a run refuse to make, or to use, the tables? */
static void
check_tables(struct odks_doctor *d, const struct odks_job_conf *job,
             struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_model_changes changes = { 0 };

    if (!d->has_tables)
        return;
    odks_db_rollback(d->c.db);
    if (!odks_schema_diff(d->c.cfg, job, d->c.db, &ddl, &changes, err))
        odks_doctor_fail(d, job->sync_type, err);
    else if (changes.warning[0] != '\0')
        odks_doctor_warn(d, job->sync_type, changes.warning, "");
}

void
odks_doctor_job(struct odks_doctor *d, const struct odks_job_conf *job,
                struct odks_field *fields, struct odks_err *err)
{
    if (check_privacy(d, job, fields, err) && fields != NULL)
        check_tables(d, job, err);
}
