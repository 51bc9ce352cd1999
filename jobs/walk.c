/* jobs/walk.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "jobs/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "table/privacy.h"

enum {
    READ_TRIES = 3, /* of a response that was cut short */
    READ_PAUSE_MS = 2000,
    PROGRESS_MS = 250,
    SKIP_MAX = 1 << 30 /* rows of one instant */
};

enum odks_feed
odks_job_feed(const struct odks_job_conf *job)
{
    return job->dataset != NULL ? ODKS_FEED_DATASET : ODKS_FEED_FORM;
}

struct odks_query
odks_job_query(const struct odks_job_conf *job)
{
    return (struct odks_query){
        .feed = odks_job_feed(job),
        .project = job->project,
        .form_id = job->dataset != NULL ? job->dataset : job->form,
    };
}

/* Is this a walk through everything, whose end is known? */
static bool
in_backfill(const struct odks_walk *w)
{
    return w->a->progress != NULL;
}

void
odks_walk_progress(struct odks_walk *w)
{
    const struct odks_progress *p = &w->cursor.backfill_progress;
    int64_t now = odks_clock_ms();
    int64_t seen = in_backfill(w) ? p->done : w->counts.received;
    char line[200], of[30] = "", left[40] = "";

    if (!odks_log_has_progress() || now - w->progress.shown_ms < PROGRESS_MS)
        return;
    int64_t rate = (in_backfill(w) ? p->read : seen) * 1000
                   / (now - w->progress.started_ms + 1);
    if (in_backfill(w) && p->total > seen && rate > 0) {
        (void) snprintf(of, sizeof(of), " of %" PRId64, p->total);
        (void) snprintf(left, sizeof(left), ", %" PRId64 " s left",
                        (p->total - seen) / rate + 1);
    }
    (void) snprintf(line, sizeof(line), "%s: %" PRId64 "%s %s, %" PRId64 "/s%s",
                    w->a->conf->sync_type, seen, of,
                    odks_feed_names(w->feed)->rows, rate, left);
    odks_log_progress(line);
    w->progress.shown_ms = now;
}

/*
 * Count the rows of the batch, for the transaction that stores them: what it
 * says of our progress is then as true as its rows.
 */
static void
count_batch(struct odks_walk *w)
{
    struct odks_progress *p = &w->cursor.backfill_progress;

    w->progress.response += (int64_t) odks_batch_rows(w->batch);
    if (!in_backfill(w))
        return;
    p->done = p->stored + w->progress.window + w->progress.response;
    p->read = p->done - w->progress.before;
    p->ms = odks_clock_ms() - w->progress.started_ms;
    w->a->progress = odks_progress_text(p, w->progress.text);
}

/* Bring the batch in, in a transaction of its own. */
static bool
merge(struct odks_walk *w, struct odks_err *err)
{
    struct odks_merge counts = w->counts;

    if (odks_batch_rows(w->batch) == 0)
        return true;
    count_batch(w);
    if (!odks_attempt_begin(w->a, err)
        || !odks_batch_merge(w->batch, w->a->db, &counts, err)
        || !odks_attempt_commit(w->a, err))
        return false;
    w->counts = counts; /* now that it is so */
    int64_t records = counts.inserted + counts.updated + counts.deleted;
    w->a->advanced |= records > w->a->records;
    w->a->records = records;
    if (w->counts.latest > w->a->latest)
        w->a->latest = w->counts.latest;
    odks_walk_progress(w);
    return true;
}

bool
odks_walk_is_mute(struct odks_walk *w, const char *row)
{
    if (w->feed == ODKS_FEED_FORM || w->mute)
        return false;
    CLEANUP_JSON struct json_object *o = odks_json_read(row);
    struct json_object *system = odks_json_member(o, "__system");
    w->mute = !json_object_is_type(system, json_type_object)
              || !json_object_object_get_ex(system, "deletedAt", NULL);
    return w->mute;
}

static bool
take_row(struct odks_walk *w, const char *row, size_t len, struct odks_err *err)
{
    return odks_walk_add_row(w, row, len, err)
           && (!odks_batch_is_full(w->batch) || merge(w, err));
}

static bool
read_rows(struct odks_walk *w, const char *filter, struct odks_buf *held,
          struct odks_err *err)
{
    struct odks_query query = odks_job_query(w->a->conf);
    CLEANUP_ROWS struct odks_rows *rows = NULL;

    query.filter = filter;
    query.select = odks_walk_select(w);
    query.expand = w->feed == ODKS_FEED_FORM && query.select == NULL;
    if (!odks_central_rows(w->central, &query, &rows, err))
        return false;
    for (bool first = true;; first = false) {
        const char *row;
        size_t len;

        if (!odks_rows_next(rows, &row, &len, err))
            return false;
        if (row == NULL || (first && odks_walk_is_mute(w, row)))
            return true;
        if (!(w->needs_xml ? odks_walk_hold_row(w, held, row, len, err)
                           : take_row(w, row, len, err)))
            return false;
    }
}

static bool
read_once(struct odks_walk *w, const char *filter, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf held = ODKS_BUF_INIT(ODKS_WALK_HELD);

    odks_batch_reset(w->batch);
    w->progress.response = 0;
    if (!odks_walk_trash(w, err))
        return false;
    odks_batch_from_trash(w->batch, w->trash);
    if (!read_rows(w, filter, &held, err))
        return false;
    for (size_t at = 0; at < held.len;) {
        size_t len = strlen(held.data + at);

        if (!take_row(w, held.data + at, len, err))
            return false;
        at += len + 1;
    }
    return merge(w, err);
}

/* A response that was cut short is asked for again: no row of it is lost. */
static bool
read_response(struct odks_walk *w, const char *filter, void *arg,
              struct odks_err *err)
{
    (void) arg;
    for (int try = 1;; try++) {
        if (read_once(w, filter, err)) {
            w->progress.window += w->progress.response;
            return true;
        }
        if (err->code != ODKS_EXIT_UNAVAILABLE || try == READ_TRIES)
            return false;
        odks_log(ODKS_LOG_INFO, "%s; reading it again", err->message);
        odks_err_clear(err);
        if (odks_wait(NULL, 0, odks_deadline_in((int64_t) try * READ_PAUSE_MS))
            == ODKS_WAIT_STOPPED) {
            odks_stop_err(err);
            return false;
        }
        if (!odks_attempt_heartbeat(w->a, err))
            return false;
    }
}

/* filter and what else is asked for; the caller frees it. */
static char *
narrow(const char *filter, const char *also)
{
    return odks_xasprintf("%s%s%s", filter, *filter != '\0' ? " and " : "",
                          also);
}

bool
odks_walk_trash(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(w->a->conf);

    return !w->in_trash || w->trash != NULL
           || odks_central_trash(w->central, query.project, query.form_id,
                                 &w->trash, err);
}

/* When they were deleted is asked for once more each time: it may change. */
static bool
each_deleted(struct odks_walk *w, const char *filter, odks_walk_reader *read,
             void *arg, struct odks_err *err)
{
    CLEANUP_FREE char *deleted = narrow(filter, "__system/deletedAt ne null");
    struct odks_query query = odks_job_query(w->a->conf);
    int64_t count;

    query.filter = deleted;
    if (!odks_central_count(w->central, &query, &count, err))
        return false;
    w->in_trash = count > 0;
    bool ok = !w->in_trash || read(w, deleted, arg, err);
    w->in_trash = false;
    odks_trash_free(odks_steal(&w->trash));
    return ok;
}

bool
odks_walk_each(struct odks_walk *w, const char *filter, odks_walk_reader *read,
               void *arg, struct odks_err *err)
{
    if (!w->mute) {
        CLEANUP_FREE char *all = narrow(filter, ODKS_LIVE_AND_DELETED);

        if (!read(w, all, arg, err))
            return false;
    }
    if (!w->mute)
        return true;
    CLEANUP_FREE char *live = narrow(filter, "__system/deletedAt eq null");
    return read(w, live, arg, err) && each_deleted(w, filter, read, arg, err);
}

bool
odks_walk_read(struct odks_walk *w, const char *filter, struct odks_err *err)
{
    return odks_walk_each(w, filter, read_response, NULL, err);
}

/* "... ge from and ... lt until", or less of it. */
static char *
window_filter(const struct odks_walk *w, int64_t from, int64_t until)
{
    const char *created = odks_feed_names(w->feed)->created;
    char text[ODKS_TIME_TEXT];
    CLEANUP_FREE char *low = odks_xstrdup("");

    if (from != ODKS_TIME_NONE) {
        odks_time_format(from, text);
        free(low);
        low = odks_xasprintf("__system/%s ge %s", created, text);
    }
    if (until == ODKS_TIME_NONE)
        return odks_steal(&low);
    odks_time_format(until, text);
    CLEANUP_FREE char *high =
        odks_xasprintf("__system/%s lt %s", created, text);
    return narrow(low, high);
}

bool
odks_walk_window(struct odks_walk *w, int64_t from, int64_t until,
                 struct odks_err *err)
{
    CLEANUP_FREE char *filter = window_filter(w, from, until);

    return odks_walk_read(w, filter, err);
}

/* The date in a row, which has nothing but that. */
static bool
date_of(const char *row, const char *created, int64_t *date,
        struct odks_err *err)
{
    CLEANUP_JSON struct json_object *o = odks_json_read(row);

    bool ok = odks_time_parse(
        odks_json_text(odks_json_member(o, "__system"), created), date, NULL);
    if (!ok)
        odks_err_set(err, ODKS_EXIT_DATA, "Central sent a row without a date");
    return ok;
}

/*
 * The date of the submission that comes skip places after the first one of
 * from; ODKS_TIME_NONE when there are no more.
 */
static bool
date_after(struct odks_walk *w, int64_t from, int64_t skip, int64_t *date,
           struct odks_err *err)
{
    const char *created = odks_feed_names(w->feed)->created;
    CLEANUP_FREE char *window = window_filter(w, from, ODKS_TIME_NONE);
    CLEANUP_FREE char *filter = narrow(window, ODKS_LIVE_AND_DELETED);
    CLEANUP_FREE char *select = odks_xasprintf("__id,__system/%s", created);
    CLEANUP_FREE char *order = odks_xasprintf("__system/%s asc", created);
    struct odks_query query = odks_job_query(w->a->conf);
    CLEANUP_ROWS struct odks_rows *rows = NULL;
    const char *row;
    size_t len;

    *date = ODKS_TIME_NONE;
    query.filter = filter;
    query.select = select;
    query.orderby = order;
    query.top = 1;
    query.skip = skip;
    if (!odks_central_rows(w->central, &query, &rows, err)
        || !odks_rows_next(rows, &row, &len, err))
        return false;
    return row == NULL || date_of(row, created, date, err);
}

static bool
ignores(const char *option, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_DATA, "Central ignores %s in our queries",
                 option);
    odks_err_hint(err, "Does a proxy in between drop it? odk-sync needs ODK "
                       "Central v2024.3 or newer.");
    return false;
}

/*
 * Where the window that starts at from ends. Submissions of one instant stay
 * together, so a window may hold more than was asked for.
 */
static bool
window_end(struct odks_walk *w, int64_t from, int64_t *until,
           struct odks_err *err)
{
    int64_t skip = odks_walk_window_rows(w);

    for (;; skip *= 2) {
        if (!date_after(w, from, skip, until, err))
            return false;
        if (*until == ODKS_TIME_NONE || from == ODKS_TIME_NONE || *until > from)
            return true;
        if (*until < from || skip > SKIP_MAX)
            return ignores(*until < from ? "$filter" : "$skip", err);
    }
}

static bool
store_cursor(struct odks_walk *w, struct odks_err *err)
{
    return odks_attempt_begin(w->a, err)
           && odks_cursor_store(w->a->db, w->a->conf->sync_type, &w->cursor,
                                err)
           && odks_attempt_commit(w->a, err);
}

/* From now on heartbeats tell how far we are; the attempt that began the walk
 * asks Central how much there is. */
static bool
begin_progress(struct odks_walk *w, struct odks_err *err)
{
    struct odks_progress *p = &w->cursor.backfill_progress;
    struct odks_query query = odks_job_query(w->a->conf);

    query.filter = ODKS_LIVE_AND_DELETED;
    if (p->total == 0
        && !odks_central_count(w->central, &query, &p->total, err)) {
        if (err->interrupted || err->code != ODKS_EXIT_UNAVAILABLE)
            return false;
        /* only the display needs it: the walk itself finds out what is wrong */
        odks_log(ODKS_LOG_INFO, "%s; the progress is not known", err->message);
        odks_err_clear(err);
        p->total = 0;
    }
    w->progress.started_ms = odks_clock_ms();
    w->progress.before = p->done = p->stored;
    p->read = p->ms = 0;
    w->a->progress = odks_progress_text(p, w->progress.text);
    return true;
}

/* A window is stored as a whole: an attempt that goes on begins behind it. */
static bool
end_window(struct odks_walk *w, int64_t until, struct odks_err *err)
{
    struct odks_progress *p = &w->cursor.backfill_progress;

    p->stored += w->progress.window;
    p->done = p->stored;
    w->a->progress = odks_progress_text(p, w->progress.text);
    w->cursor.backfill_position = until;
    return store_cursor(w, err);
}

bool
odks_walk_backfill(struct odks_walk *w, struct odks_err *err)
{
    odks_log_set_step("backfill");
    if (!begin_progress(w, err))
        return false;
    for (;;) {
        int64_t from = w->cursor.backfill_position, until;

        w->progress.window = 0;
        if (!window_end(w, from, &until, err)
            || !odks_walk_window(w, from, until, err))
            return false;
        if (until == ODKS_TIME_NONE)
            break;
        if (!end_window(w, until, err))
            return false;
        w->a->advanced = true;
    }
    /* edits made meanwhile are newer than the start */
    w->cursor.watermark = w->cursor.backfill_started;
    w->cursor.backfill_started = ODKS_TIME_NONE;
    w->cursor.backfill_position = ODKS_TIME_NONE;
    w->cursor.backfill_progress = (struct odks_progress){ 0 };
    w->a->progress = NULL;
    return store_cursor(w, err);
}

bool
odks_walk_changes(struct odks_walk *w, struct odks_err *err)
{
    char since[ODKS_TIME_TEXT];

    odks_log_set_step("changes");
    odks_time_format(
        w->cursor.watermark - w->a->conf->overlap_s * INT64_C(1000000), since);
    CLEANUP_FREE char *filter =
        odks_xasprintf("(__system/%s ge %s or __system/updatedAt ge %s"
                       " or __system/deletedAt ge %s)",
                       odks_feed_names(w->feed)->created, since, since, since);
    return odks_walk_read(w, filter, err);
}

/* The tables are made from the properties of the first look. */
static bool
look_at_dataset(struct odks_walk *w, const struct odks_query *query,
                struct odks_err *err)
{
    CLEANUP_FIELD struct odks_field *properties = NULL;

    if (!odks_central_dataset(w->central, query->project, query->form_id,
                              &w->form, &properties, err))
        return false;
    if (w->fields == NULL)
        w->fields = odks_steal(&properties);
    return true;
}

bool
odks_walk_look(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(w->a->conf);

    odks_form_clear(&w->form);
    return w->feed == ODKS_FEED_DATASET
               ? look_at_dataset(w, &query, err)
               : odks_central_form(w->central, query.project, query.form_id,
                                   &w->form, err);
}

bool
odks_walk_fields(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(w->a->conf);

    if (w->fields == NULL
        && !odks_central_fields(w->central, query.project, query.form_id,
                                &w->fields, err))
        return false;
    odks_walk_find_shared(w);
    return odks_privacy_bind(w->privacy, w->fields, err)
           && odks_walk_check_shared(w, err);
}
