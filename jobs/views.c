/* jobs/views.c - SPDX-License-Identifier: Apache-2.0 */
/* Labels and views of a form, when its definition or the settings changed. */
#include <config.h>

#include <string.h>

#include "central/xform.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "jobs/walk.h"
#include "table/views.h"

enum { TRIES = 6, PAUSE_MS = 100, MAX_DDL = 4 << 20 };

#define BUSY "55P03" /* lock_not_available */

/* A dataset has no labels but those of its entities. */
static bool
has_labels(const struct odks_walk *w)
{
    return w->a->conf->labels && w->feed == ODKS_FEED_FORM;
}

static struct odks_views_conf
settings(const struct odks_walk *w, const struct odks_model_conf *form)
{
    return (struct odks_views_conf){
        .form = form,
        .form_hash = w->form.hash,
        .labels = has_labels(w),
        .languages = w->a->conf->languages,
        .parent_columns = w->a->conf->parent_columns,
        .any_form = w->a->conf->form_of != NULL,
    };
}

bool
odks_walk_views_due(struct odks_walk *w, bool *due, struct odks_err *err)
{
    const struct odks_model_conf form = odks_walk_model_conf(w);
    const struct odks_views_conf conf = settings(w, &form);

    return odks_views_due(w->a->db, &conf, due, err);
}

bool
odks_walk_views_check(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_model_conf form = odks_walk_model_conf(w);
    const struct odks_views_conf conf = settings(w, &form);
    CLEANUP_VIEWS struct odks_views *views = NULL;

    return odks_views_plan(w->a->db, &conf, w->model, NULL, &views, err);
}

/* A form whose XML is of no use has no labels; its data are the same. */
static bool
fetch(struct odks_walk *w, struct odks_xform **xform, struct odks_err *err)
{
    const struct odks_job_conf *conf = w->a->conf;

    *xform = NULL;
    if (!has_labels(w)
        || odks_central_xform(w->central, conf->project, conf->form, xform,
                              err))
        return true;
    if (err->code != ODKS_EXIT_DATA)
        return false;
    odks_log(ODKS_LOG_WARN, "no labels: %s", err->message);
    odks_err_clear(err);
    return true;
}

static bool
plan(struct odks_walk *w, const struct odks_views_conf *conf,
     const struct odks_xform *xform, struct odks_views **views,
     struct odks_err *err)
{
    return odks_attempt_begin(w->a, err)
           && odks_views_plan(w->a->db, conf, w->model, xform, views, err)
           && odks_attempt_commit(w->a, err);
}

/* What a dry run would do to the views, behind metadata.ddl. */
static bool
describe(struct odks_walk *w, const struct odks_views *views,
         struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(MAX_DDL);
    struct json_object *before = NULL;
    bool fits = true;

    if (odks_views_count(views) == 0)
        return true;
    if (json_object_object_get_ex(w->a->metadata, "ddl", &before))
        fits = odks_buf_add_str(&ddl, json_object_get_string(before));
    for (size_t i = 0; fits && i < odks_views_count(views); i++)
        fits = odks_buf_add_str(&ddl, odks_views_sql(views, i));
    if (!fits) {
        odks_err_set(err, ODKS_EXIT_DATA, "the form is too large");
        return false;
    }
    (void) json_object_object_add(w->a->metadata, "ddl",
                                  json_object_new_string(ddl.data));
    return true;
}

static bool
try_step(struct odks_walk *w, const struct odks_views *views, size_t step,
         struct odks_err *err)
{
    return odks_attempt_begin(w->a, err)
           && odks_views_apply(w->a->db, views, step, err)
           && odks_attempt_commit(w->a, err);
}

/* Is it about this view alone, so that the rest may go on? */
static bool
is_soft(const struct odks_err *err)
{
    return strcmp(err->sqlstate, BUSY) == 0
           || strncmp(err->sqlstate, "42", 2) == 0
           || strncmp(err->sqlstate, "0A", 2) == 0
           || strncmp(err->sqlstate, "2B", 2) == 0;
}

static bool
pause_before(int try, struct odks_err *err)
{
    if (odks_wait(NULL, 0, odks_deadline_in((int64_t) try * PAUSE_MS))
        != ODKS_WAIT_STOPPED)
        return true;
    odks_stop_err(err);
    return false;
}

/*
 * A view that readers keep busy, or that cannot be made, is left for the next
 * run: the data do not wait for it.
 */
static bool
apply(struct odks_walk *w, const struct odks_views *views, size_t step,
      bool *done, struct odks_err *err)
{
    *done = true;
    for (int try = 1;; try++) {
        if (try_step(w, views, step, err))
            return true;
        odks_db_rollback(w->a->db);
        if (!is_soft(err))
            return false;
        bool busy = strcmp(err->sqlstate, BUSY) == 0;
        if (!busy || try == TRIES) {
            odks_log(busy ? ODKS_LOG_INFO : ODKS_LOG_WARN,
                     "%s not made, the next run tries again: %s",
                     odks_views_name(views, step), err->message);
            odks_err_clear(err);
            *done = false;
            return odks_attempt_heartbeat(w->a, err);
        }
        odks_err_clear(err);
        /* what the failed try renewed was rolled back with it */
        if (!pause_before(try, err) || !odks_attempt_heartbeat(w->a, err))
            return false;
    }
}

static bool
finish(struct odks_walk *w, const struct odks_views *views,
       struct odks_err *err)
{
    return odks_attempt_begin(w->a, err)
           && odks_views_finish(w->a->db, views, err)
           && odks_attempt_commit(w->a, err);
}

bool
odks_walk_views(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_model_conf form = odks_walk_model_conf(w);
    const struct odks_views_conf conf = settings(w, &form);
    CLEANUP_XFORM struct odks_xform *xform = NULL;
    CLEANUP_VIEWS struct odks_views *views = NULL;
    bool due = false, all = true;

    odks_log_set_step("views");
    if (!odks_attempt_begin(w->a, err) || !odks_walk_views_due(w, &due, err)
        || !odks_attempt_commit(w->a, err))
        return false;
    if (!due)
        return true;
    if (!fetch(w, &xform, err) || !plan(w, &conf, xform, &views, err))
        return false;
    if (odks_attempt_is_dry(w->a))
        return describe(w, views, err);
    for (size_t i = 0; i < odks_views_count(views); i++) {
        bool done = false;

        if ((all || !odks_views_is_last(views, i))
            && !apply(w, views, i, &done, err))
            return false;
        all = all && done;
    }
    return !all || finish(w, views, err);
}
