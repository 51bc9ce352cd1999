/* jobs/change.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Has anything changed since the last run?
 *
 * Central's tag covers every event of every submission of the form, so the
 * tables that were proven to equal Central at that tag still do while it holds
 * (304) and nobody touched them. A dataset has no tag, but tells when anything
 * was last done to it, which serves as well.
 */
#include <config.h>

#include <string.h>

#include "core/mem.h"
#include "jobs/walk.h"
#include "sql/queries.h"
#include "table/attachment.h"
#include "table/proof.h"

enum {
    EMPTY_MAX = 2, /* comparisons for nothing that make a tag noise */
    HELD_MAX = 10  /* runs for which it has to hold to be none any more */
};

bool
odks_walk_has_submissions(const struct odks_walk *w)
{
    const char *const *tables = w->a->conf->tables;

    if (tables == NULL)
        return true;
    while (*tables != NULL && strcmp(*tables, "Submissions") != 0)
        tables++;
    return *tables != NULL;
}

bool
odks_walk_keeps(const struct odks_walk *w)
{
    return w->a->conf->on_delete == ODKS_DELETE_KEEP;
}

bool
odks_walk_reconcile_is_due(const struct odks_walk *w)
{
    int64_t every = w->a->conf->reconcile_s * INT64_C(1000000);
    int64_t last = w->cursor.last_reconcile;

    return w->a->payload.full || w->a->payload.reconcile
           || (every > 0
               && (last == ODKS_TIME_NONE || last > w->form.date
                   || w->form.date - last >= every));
}

bool
odks_walk_must_compare(const struct odks_walk *w, int round,
                       int64_t records_before)
{
    if (round > 1)
        return round > 2;
    return odks_walk_reconcile_is_due(w) || w->model->unsettled
           || w->cursor.watermark > w->form.date
           || (w->tag_moved && w->cursor.etag_empty < EMPTY_MAX
               && w->a->records == records_before
               && odks_walk_has_submissions(w));
}

void
odks_walk_judge_tag(struct odks_walk *w, bool quiet)
{
    if (w->differed)
        w->cursor.etag_empty = 0;
    else if (quiet && w->tag_moved && w->cursor.etag_empty < EMPTY_MAX)
        w->cursor.etag_empty++;
}

/* Has it held so often that it may be good for more than that again? */
static void
count_held(struct odks_walk *w, bool holds)
{
    struct odks_cursor *c = &w->cursor;

    w->tag_counted = c->etag_empty > 0;
    c->etag_held = holds && w->tag_counted ? c->etag_held + 1 : 0;
    if (c->etag_held < HELD_MAX)
        return;
    c->etag_empty = 0;
    c->etag_held = 0;
}

/* When the dataset was last touched, as a tag. */
static char *
dataset_tag(const struct odks_walk *w)
{
    char text[ODKS_TIME_TEXT];

    if (w->form.touched == ODKS_TIME_NONE)
        return NULL;
    odks_time_format(w->form.touched, text);
    return odks_xasprintf("lastUpdate:%s", text);
}

bool
odks_walk_tag(struct odks_walk *w, bool *same, struct odks_err *err)
{
    struct odks_query all = odks_job_query(w->a->conf);
    const char *known = same != NULL ? w->cursor.etag : NULL;
    bool holds;

    if (w->feed == ODKS_FEED_DATASET) {
        free(w->tag);
        w->tag = dataset_tag(w);
        *same = w->tag != NULL && strcmp(w->tag, known) == 0;
        return true;
    }
    all.filter = ODKS_LIVE_AND_DELETED;
    all.select = "__id";
    odks_log_set_step("tag");
    free(w->tag);
    w->tag_compared = false;
    if (!odks_central_tag(w->central, &all, known, &holds, &w->tag, err))
        return false;
    if (holds) {
        w->tag = odks_xstrdup(known);
        w->tag_compared = w->cursor.etag_compared;
    }
    if (same != NULL)
        *same = holds;
    return true;
}

/* Is what the tag covers all that this run is to do? */
static bool
may_ask(const struct odks_walk *w, const char *key)
{
    const struct odks_payload *p = &w->a->payload;
    const struct odks_cursor *c = &w->cursor;

    if (p->full || p->reconcile || p->rejects || p->since != ODKS_TIME_NONE
        || p->until != ODKS_TIME_NONE || odks_attempt_is_dry(w->a))
        return false;
    if (c->etag == NULL || c->etag_key == NULL || strcmp(c->etag_key, key) != 0
        || c->watermark == ODKS_TIME_NONE
        || c->backfill_started != ODKS_TIME_NONE)
        return false;
    return c->etag_compared || !odks_walk_reconcile_is_due(w);
}

/* Do the tables hold what they held then, as far as counting can tell? */
static bool
look_here(struct odks_walk *w, bool *same, struct odks_err *err)
{
    const struct odks_model_conf conf = odks_walk_model_conf(w);
    struct json_object *table = NULL;
    int64_t live;

    if (!odks_table_intact(w->a->db, &conf, same, &live, err))
        return false;
    if (json_object_object_get_ex(w->cursor.counts, "table", &table)
        && live != json_object_get_int64(table))
        *same = false;
    if (!*same)
        w->tag_compared = false;
    return true;
}

static bool
nothing_late(struct odks_walk *w, bool *same, struct odks_err *err)
{
    CLEANUP_FREE int64_t *dates = NULL;
    size_t count = 0;

    if (!odks_attachment_due(w->a->db, w->a->conf->sync_type, w->form.date, 1,
                             &dates, &count, err))
        return false;
    *same = count == 0 || !odks_walk_has_submissions(w);
    return true;
}

/* What PostgreSQL refused is tried again in each run. */
static bool
nothing_refused(struct odks_walk *w, bool *same, struct odks_err *err)
{
    const char *const params[] = { w->a->conf->sync_type, NULL };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(w->a->db, &odks_sql_reject_refused, params, err);

    *same = res != NULL && odks_db_int64(res, 0, 0) == 0;
    return res != NULL;
}

/* A view that readers kept busy waits for the next run: that is this one. */
static bool
no_views_due(struct odks_walk *w, bool *same, struct odks_err *err)
{
    bool due = false;

    if (!odks_walk_views_due(w, &due, err))
        return false;
    *same = !due;
    return true;
}

bool
odks_walk_unchanged(struct odks_walk *w, const char *key, bool *same,
                    struct odks_err *err)
{
    *same = false;
    if (!may_ask(w, key))
        return true;
    if (!odks_walk_tag(w, same, err))
        return false;
    w->tag_moved = !*same && w->tag != NULL;
    count_held(w, *same);
    if (!*same)
        return true;
    if (!odks_attempt_begin(w->a, err) || !look_here(w, same, err)
        || (*same && !nothing_late(w, same, err))
        || (*same && !nothing_refused(w, same, err))
        || (*same && !no_views_due(w, same, err)))
        return false;
    return *same || odks_attempt_commit(w->a, err);
}

/*
 * What began before that moment and was not yet committed when we read would
 * not move it. So it is only a tag once it is older than the overlap, in which
 * such things are read again.
 */
static void
take_dataset_tag(struct odks_walk *w)
{
    int64_t overlap = w->a->conf->overlap_s * INT64_C(1000000);
    bool settled = w->form.touched != ODKS_TIME_NONE
                   && w->form.date - w->form.touched > overlap;

    free(w->tag);
    w->tag = settled ? dataset_tag(w) : NULL;
    w->tag_compared = false;
}

void
odks_walk_keep_tag(struct odks_walk *w)
{
    struct odks_cursor *c = &w->cursor;

    if (w->feed == ODKS_FEED_DATASET)
        take_dataset_tag(w);
    free(c->etag);
    free(c->etag_key);
    c->etag = odks_steal(&w->tag);
    c->etag_key = c->etag != NULL ? odks_walk_tag_key(w) : NULL;
    c->etag_compared = c->etag != NULL && w->tag_compared;
}
