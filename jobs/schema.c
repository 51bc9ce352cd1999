/* jobs/schema.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "jobs/schema.h"

#include "jobs/walk.h"
#include "run/login.h"

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
