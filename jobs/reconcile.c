/* jobs/reconcile.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>

#include "core/log.h"
#include "core/mem.h"
#include "jobs/walk.h"
#include "table/reconcile.h"

enum { BRAKE_ROWS = 20, BRAKE_PERCENT = 10 };

static bool
flush(struct odks_walk *w, struct odks_reconcile *r, struct odks_err *err)
{
    return odks_attempt_begin(w->a, err)
           && odks_reconcile_flush(r, w->a->db, err)
           && odks_attempt_commit(w->a, err);
}

/* Collect the keys of a response. */
static bool
collect(struct odks_walk *w, const char *filter, void *arg,
        struct odks_err *err)
{
    struct odks_reconcile *r = arg;
    struct odks_query query = odks_job_query(w->a->conf);
    CLEANUP_ROWS struct odks_rows *rows = NULL;

    query.filter = filter;
    query.select = odks_reconcile_select(w->feed);
    if (!odks_walk_trash(w, err)
        || !odks_central_rows(w->central, &query, &rows, err))
        return false;
    odks_reconcile_from_trash(r, w->trash);
    /* Central makes the tag before it reads the rows */
    free(w->tag);
    w->tag =
        odks_rows_tag(rows) != NULL ? odks_xstrdup(odks_rows_tag(rows)) : NULL;
    for (bool first = true;; first = false) {
        const char *row;
        size_t len;

        if (!odks_rows_next(rows, &row, &len, err))
            return false;
        if (row == NULL)
            return flush(w, r, err);
        if (first && odks_walk_is_mute(w, row))
            return true;
        if (!odks_reconcile_add(r, row, len, err)
            || (odks_reconcile_is_full(r) && !flush(w, r, err)))
            return false;
    }
}

/* A wrong project id or lost rights must not empty a table. */
static bool
check_brake(const struct odks_walk *w, const struct odks_difference *d,
            struct odks_err *err)
{
    /* with keep nothing is removed: what is gone stays */
    int64_t removed = odks_walk_keeps(w) ? 0 : d->gone + d->deleted;
    int64_t limit = d->live * BRAKE_PERCENT / 100;

    if (limit < BRAKE_ROWS)
        limit = BRAKE_ROWS;
    if (removed <= limit || w->a->payload.allow_mass_delete)
        return true;
    odks_err_set(err, ODKS_EXIT_BRAKE,
                 "%" PRId64 " of %" PRId64
                 " %s are gone from Central, more than the %" PRId64
                 " that are removed without asking",
                 removed, d->live, odks_feed_names(w->feed)->rows, limit);
    odks_err_hint(err, "If that is right: odk-sync run %s --allow-mass-delete",
                  w->a->conf->sync_type);
    return false;
}

/* Read again what is missing here, or in another state. */
static bool
read_differing(struct odks_walk *w, struct odks_reconcile *r,
               struct odks_err *err)
{
    CLEANUP_FREE struct odks_window *windows = NULL;
    size_t count = 0;

    if (!odks_attempt_begin(w->a, err)
        || !odks_reconcile_windows(r, w->a->db, odks_walk_window_rows(w),
                                   &windows, &count, err)
        || !odks_attempt_commit(w->a, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!odks_walk_window(w, windows[i].from, windows[i].until, err))
            return false;
    }
    return true;
}

/* Repeats whose submission went without them: a job of its own fills, or
 * filled, their table. */
static bool
remove_orphans(struct odks_walk *w, struct odks_reconcile *r,
               struct odks_err *err)
{
    struct odks_difference d = { 0 };

    return w->a->conf->on_delete != ODKS_DELETE_HARD
           || (odks_attempt_begin(w->a, err)
               && odks_reconcile_orphans(r, w->a->db, &d, err)
               && check_brake(w, &d, err)
               && odks_reconcile_remove_orphans(r, w->a->db, err)
               && odks_attempt_commit(w->a, err));
}

static bool
mend(struct odks_walk *w, struct odks_reconcile *r, struct odks_err *err)
{
    struct odks_difference d = { 0 };
    int64_t removed = 0;

    if (!odks_attempt_begin(w->a, err)
        || !odks_reconcile_compare(r, w->a->db, w->form.date, &d, err)
        || !check_brake(w, &d, err) || !odks_reconcile_settle(r, w->a->db, err)
        || !odks_reconcile_remove_gone(r, w->a->db, &removed, err)
        || !odks_attempt_commit(w->a, err))
        return false;
    w->counts.deleted += removed;
    w->a->records += removed;
    w->purged = odks_walk_keeps(w) ? d.gone_old : 0;
    w->differed = d.missing + d.gone + d.deleted + d.restored > 0;
    if (w->differed)
        odks_log(ODKS_LOG_INFO,
                 "reconciled: %" PRId64 " missing or older, %" PRId64
                 " deleted, %" PRId64 " restored, %" PRId64 " purged",
                 d.missing, d.deleted, d.restored, d.gone);
    return (d.missing + d.deleted + d.restored == 0
            || read_differing(w, r, err))
           && remove_orphans(w, r, err);
}

/*
 * Without the table of submissions nothing here tells which repeats are
 * missing: all are read again. Even a full walk just before began ahead of the
 * tag, so that it may lack what the tag covers.
 */
static bool
mend_repeats(struct odks_walk *w, struct odks_reconcile *r,
             struct odks_err *err)
{
    if (!odks_attempt_begin(w->a, err)
        || !odks_reconcile_settle(r, w->a->db, err)
        || !odks_attempt_commit(w->a, err) || !remove_orphans(w, r, err))
        return false;
    return odks_walk_window(w, ODKS_TIME_NONE, ODKS_TIME_NONE, err);
}

bool
odks_walk_reconcile(struct odks_walk *w, struct odks_err *err)
{
    CLEANUP(odks_cleanup_reconcile) struct odks_reconcile *r = NULL;

    if (odks_attempt_is_dry(w->a))
        return true; /* the keys are collected over several transactions */
    odks_log_set_step("reconcile");
    if (!odks_attempt_begin(w->a, err)
        || !odks_reconcile_begin(w->a->db, w->model, w->a->conf->sync_type,
                                 w->a->conf->on_delete, &r, err)
        || !odks_attempt_commit(w->a, err)
        || !odks_walk_each(w, "", collect, r, err)
        || !(odks_walk_has_submissions(w) ? mend(w, r, err)
                                          : mend_repeats(w, r, err)))
        return false;
    if (!odks_attempt_begin(w->a, err) || !odks_reconcile_end(r, w->a->db, err)
        || !odks_attempt_commit(w->a, err))
        return false;
    w->cursor.last_reconcile = w->form.date;
    w->tag_compared = true;
    w->model->unsettled = false;
    return true;
}
