/* jobs/schema.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "jobs/schema.h"

#include "jobs/walk.h"
#include "run/login.h"
#include "sql/queries.h"
#include "table/sqltext.h"

enum { TRY_S = 10 };

bool
odks_schema_diff(struct odks_config *cfg, const struct odks_job_conf *job,
                 struct odks_db *db, struct odks_buf *ddl,
                 struct odks_model_changes *changes, struct odks_err *err)
{
    struct odks_attempt a = { .cfg = cfg, .conf = job, .db = db };
    struct odks_walk w = { .a = &a, .feed = odks_job_feed(job) };
    CLEANUP_LOGIN struct odks_login login = { 0 };

    /* no transaction stays open while Central thinks */
    bool ok = odks_walk_rules(&w, err)
              && odks_login(job->central, &login, &w.central, err)
              && odks_walk_look(&w, err) && odks_walk_fields(&w, err)
              && odks_db_begin(db, err);
    if (ok) {
        const struct odks_model_conf conf = odks_walk_model_conf(&w);

        ok = odks_model_prepare(db, &conf, w.fields, true, ddl, &w.model,
                                changes, err);
    }
    odks_db_rollback(db);
    odks_model_free(w.model);
    odks_walk_forget_form(&w);
    odks_form_clear(&w.form);
    odks_central_close(w.central);
    return ok;
}

static bool
try_rows(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_job_conf *job = w->a->conf;
    const struct odks_batch_conf conf = { .model = w->model,
                                          .sync_type = job->sync_type,
                                          .timezone = job->timezone,
                                          .on_delete = job->on_delete };
    CLEANUP_PGRESULT PGresult *keys =
        odks_db_query(w->a->db, &odks_sql_reconcile_stage, NULL, err);

    return keys != NULL && odks_batch_try(&conf, w->a->db, err);
}

static bool
try_all(struct odks_walk *w, struct odks_schema_trial *trial,
        struct odks_err *err)
{
    const struct odks_model_conf conf = odks_walk_model_conf(w);
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_model_changes ignored;

    if (!odks_model_prepare(w->a->db, &conf, w->fields, true, &ddl, &w->model,
                            &trial->changes, err))
        return false;
    trial->needs_ddl = ddl.len > 0;
    trial->skipped = w->model->unread;
    if (trial->skipped)
        return true;
    odks_model_free(w->model);
    w->model = NULL;
    return odks_model_prepare(w->a->db, &conf, w->fields, false, NULL,
                              &w->model, &ignored, err)
           && odks_walk_views_check(w, err) && try_rows(w, err);
}

bool
odks_schema_try(struct odks_config *cfg, const struct odks_job_conf *job,
                struct odks_central *central, struct odks_db *db,
                struct odks_schema_trial *trial, struct odks_err *err)
{
    struct odks_attempt a = { .cfg = cfg, .conf = job, .db = db };
    struct odks_walk w = { .a = &a,
                           .feed = odks_job_feed(job),
                           .central = central };

    *trial = (struct odks_schema_trial){ 0 };
    bool ok = odks_walk_rules(&w, err) && odks_walk_look(&w, err)
              && odks_walk_fields(&w, err) && odks_db_begin(db, err)
              && odks_db_allow(db, TRY_S, err) && try_all(&w, trial, err);
    odks_db_rollback(db);
    odks_model_free(w.model);
    odks_walk_forget_form(&w);
    odks_form_clear(&w.form);
    return ok;
}
