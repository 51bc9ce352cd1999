/* jobs/submissions.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds "submissions" and "entities": mirror a form, or a dataset, of ODK
 * Central.
 *
 * Look at the form and its fields, have tables that hold them, read all (the
 * first time, or when asked) and then what changed, and end only when the
 * number of live submissions here and there is the same.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "jobs/forms.h"
#include "jobs/kinds.h"
#include "jobs/walk.h"
#include "run/login.h"
#include "table/attachment.h"
#include "table/proof.h"

enum { PROOF_ROUNDS = 4, LOCK_PAUSE_MS = 2000 };

#define LOCK_NOT_AVAILABLE "55P03"

/*
 * Does the cursor still hold, be it that of a finished walk or of one that
 * stopped half-way? A full walk is this job's own only if it began it. Nor does
 * it when another job wrote the rows since, under other privacy rules.
 */
static bool
goes_on(const struct odks_walk *w, const char *now)
{
    const struct odks_cursor *c = &w->cursor;
    bool in_backfill = c->backfill_started != ODKS_TIME_NONE;

    if (c->form_hash == NULL || strcmp(c->form_hash, now) != 0
        || w->model->unread)
        return false;
    if (w->a->payload.full)
        return in_backfill && w->a->job != NULL
               && c->backfill_job == w->a->job->id;
    return in_backfill || c->watermark != ODKS_TIME_NONE;
}

static void
start_backfill(struct odks_walk *w, char *hash)
{
    struct odks_cursor *c = &w->cursor;

    free(c->form_hash);
    c->form_hash = hash;
    free(c->etag_key);
    c->etag_key = NULL; /* the tag is not of what this walk writes */
    c->backfill_started = w->form.date;
    c->backfill_position = ODKS_TIME_NONE;
    c->backfill_progress = (struct odks_progress){ 0 };
    c->backfill_job = w->a->job != NULL ? w->a->job->id : 0;
    if (c->watermark == ODKS_TIME_NONE) /* a first walk: nothing to compare */
        c->last_reconcile = w->form.date;
    else if (odks_walk_has_submissions(w))
        c->last_reconcile = ODKS_TIME_NONE;
}

/*
 * Have the tables; start a walk through everything when one is due. It may have
 * been tried before and rolled back, so the cursor is read anew.
 */
static bool
prepare_tables(struct odks_walk *w, struct odks_err *err)
{
    struct odks_attempt *a = w->a;
    CLEANUP_FREE char *now = odks_walk_digest(w);

    odks_cursor_clear(&w->cursor);
    if (!odks_attempt_begin(a, err)
        || !odks_cursor_load(a->db, a->conf->sync_type, &w->cursor, err)
        || !odks_walk_tables(w, err))
        return false;
    if (!goes_on(w, now)) {
        start_backfill(w, odks_steal(&now));
        if (!odks_cursor_store(a->db, a->conf->sync_type, &w->cursor, err))
            return false;
    }
    return odks_attempt_commit(a, err);
}

/*
 * The same, again and again while somebody reads the tables: a queued lock
 * would make all other readers wait, so each try is short, and between two
 * they have their turn.
 */
static bool
wait_for_tables(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_database_conf *db = odks_config_database(w->a->cfg);
    struct odks_deadline until = odks_deadline_in(db->lock_wait_s * 1000);

    while (!prepare_tables(w, err)) {
        if (strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) != 0
            || odks_attempt_is_dry(w->a))
            return false;
        if (odks_deadline_passed(until)) {
            odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                         "the tables are in use: they could not be changed");
            odks_err_hint(err, "A long query, or a backup, reads them: the job "
                               "will try again; pg_stat_activity tells who, "
                               "oldest xact_start first.");
            return false;
        }
        odks_db_rollback(w->a->db);
        odks_log(ODKS_LOG_INFO, "somebody reads the tables that are to be "
                                "changed: trying again");
        odks_err_clear(err);
        if (odks_wait(NULL, 0, odks_deadline_in(LOCK_PAUSE_MS))
            == ODKS_WAIT_STOPPED) {
            odks_stop_err(err);
            return false;
        }
        /* what the failed try renewed was rolled back with it */
        if (!odks_attempt_heartbeat(w->a, err))
            return false;
    }
    return true;
}

static bool
prepare(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_job_conf *conf = w->a->conf;

    odks_log_set_step("form");
    if (!odks_walk_fields(w, err) || !wait_for_tables(w, err)
        || !odks_walk_views(w, err))
        return false;
    if (w->form.encrypted)
        odks_log(ODKS_LOG_INFO, "the form is encrypted: Central hands out "
                                "its metadata, not the answers");
    const struct odks_batch_conf batch = {
        .model = w->model,
        .sync_type = conf->sync_type,
        .timezone = conf->timezone,
        .on_delete = conf->on_delete,
        .bytes = (size_t) conf->batch_bytes,
        .max_rejects = conf->max_rejects,
        .keep_deleted = w->needs_xml,
    };
    w->batch = odks_batch_new(&batch);
    w->progress.started_ms = odks_clock_ms();
    return true;
}

static void
add_int(struct json_object *o, const char *key, int64_t value)
{
    (void) json_object_object_add(o, key, json_object_new_int64(value));
}

/* What the run knew, for odk_sync_history.metadata. */
static void
describe(struct odks_walk *w)
{
    struct json_object *m = w->a->metadata;
    const struct odks_http_stats *http = odks_central_stats(w->central);

    add_int(m, "received", w->counts.received);
    add_int(m, "inserted", w->counts.inserted);
    add_int(m, "updated", w->counts.updated);
    add_int(m, "deleted", w->counts.deleted);
    add_int(m, "unchanged", w->counts.unchanged);
    add_int(m, "repeats", w->counts.repeats);
    add_int(m, "rejected", w->counts.rejected);
    if (w->counts.refused > 0)
        add_int(m, "refused", w->counts.refused);
    if (w->counts.doubtful > 0)
        add_int(m, "doubtful", w->counts.doubtful);
    if (w->counts.encrypted > 0)
        add_int(m, "encrypted", w->counts.encrypted);
    add_int(m, "requests", http->requests);
    add_int(m, "retries", http->retries);
    add_int(m, "bytes", http->bytes);
    if (w->form.version != NULL)
        (void) json_object_object_add(m, "form_version",
                                      json_object_new_string(w->form.version));
}

struct proof {
    bool possible; /* the table of submissions is among ours */
    int64_t central;
    int64_t table;
    int64_t left_out; /* live there, and no row here can hold them */
};

/*
 * Count there and here what was submitted before we looked. With on_delete =
 * keep, deleted ones count, too; what was purged is w->purged.
 */
static bool
count_both(struct odks_walk *w, struct proof *proof, struct odks_err *err)
{
    char before[ODKS_TIME_TEXT];

    odks_log_set_step("proof");
    proof->possible = odks_walk_has_submissions(w);
    odks_time_format(w->form.date, before);
    CLEANUP_FREE char *filter = odks_xasprintf(
        "__system/%s lt %s%s", odks_feed_names(w->feed)->created, before,
        odks_walk_keeps(w) ? " and " ODKS_LIVE_AND_DELETED : "");
    struct odks_query query = odks_job_query(w->a->conf);
    query.filter = filter;
    return !proof->possible
           || (odks_central_count(w->central, &query, &proof->central, err)
               && odks_attempt_begin(w->a, err)
               && odks_table_count(w->a->db, w->model, w->form.date,
                                   &proof->table, err)
               && odks_table_left_out(w->a->db, w->model, w->a->conf->sync_type,
                                      w->form.date, &proof->left_out, err));
}

static bool
proven(const struct odks_walk *w, const struct proof *proof)
{
    return !proof->possible || odks_attempt_is_dry(w->a)
           || proof->table + proof->left_out == proof->central + w->purged;
}

static struct json_object *
proof_json(const struct odks_walk *w, const struct proof *proof)
{
    struct json_object *o = json_object_new_object();

    if (proof->possible) {
        add_int(o, "central", proof->central);
        add_int(o, "table", proof->table);
        if (w->purged > 0)
            add_int(o, "purged", w->purged);
        if (proof->left_out > 0)
            add_int(o, "left_out", proof->left_out);
    }
    (void) json_object_object_add(o, "proven",
                                  json_object_new_boolean(proof->possible));
    return o;
}

/* The last transaction: cursor, history, status and queue together. */
static bool
finish(struct odks_walk *w, const struct proof *proof, struct odks_err *err)
{
    const struct odks_job_conf *conf = w->a->conf;

    if (!proof->possible && !odks_attempt_begin(w->a, err))
        return false;
    /* what the overlap reads again was received twice */
    if (proof->possible && w->counts.encrypted > 0
        && !odks_table_encrypted(w->a->db, w->model, &w->counts.encrypted, err))
        return false;
    describe(w);
    w->cursor.watermark = w->form.date;
    json_object_put(w->cursor.counts);
    w->cursor.counts = proof_json(w, proof);
    (void) json_object_object_add(w->a->metadata, "counts",
                                  proof_json(w, proof));
    odks_walk_keep_tag(w);
    return (w->feed == ODKS_FEED_DATASET
            || odks_attachment_refresh(w->a->db, w->model, conf->sync_type,
                                       w->form.date, conf->attachments_age_s,
                                       err))
           && odks_cursor_store(w->a->db, conf->sync_type, &w->cursor, err)
           && odks_attempt_finish(w->a, err);
}

/* Nothing changed: the last proof holds. */
static bool
finish_unchanged(struct odks_walk *w, struct odks_err *err)
{
    if (w->tag_counted
        && !odks_cursor_store(w->a->db, w->a->conf->sync_type, &w->cursor, err))
        return false;
    describe(w);
    (void) json_object_object_add(w->a->metadata, "mode",
                                  json_object_new_string("unchanged"));
    (void) json_object_object_add(w->a->metadata, "counts",
                                  json_object_get(w->cursor.counts));
    return odks_attempt_finish(w->a, err);
}

/* What the last proof found, until keys are compared again. */
static int64_t
purged_before(const struct odks_walk *w)
{
    struct json_object *purged = NULL;

    (void) json_object_object_get_ex(w->cursor.counts, "purged", &purged);
    return odks_walk_keeps(w) ? json_object_get_int64(purged) : 0;
}

static bool
compare(struct odks_walk *w, int64_t records_before, struct odks_err *err)
{
    bool quiet = w->a->records == records_before;

    if (!odks_walk_reconcile(w, err))
        return false;
    odks_walk_judge_tag(w, quiet);
    return true;
}

/*
 * Read the changes until here and there agree. Submissions that come and go
 * meanwhile make a second look differ from the first; what differs twice no
 * timestamp shows.
 */
static bool
settle(struct odks_walk *w, bool all, struct odks_err *err)
{
    const struct odks_feed_names *names = odks_feed_names(w->feed);
    /* it takes back what it read, and would count the overlap twice */
    bool read = all && odks_attempt_is_dry(w->a);
    const int64_t before = w->a->records;
    struct proof proof = { 0 };

    w->purged = purged_before(w);
    for (int round = 1; round <= PROOF_ROUNDS; round++) {
        if ((round > 1 && !odks_walk_look(w, err))
            || (!read && !odks_walk_changes(w, err))
            || (odks_walk_must_compare(w, round, before)
                && !compare(w, before, err))
            || !count_both(w, &proof, err))
            return false;
        if (proven(w, &proof))
            return finish(w, &proof, err);
        odks_db_rollback(w->a->db);
        odks_log(ODKS_LOG_INFO,
                 "Central counts %" PRId64 ", the table %" PRId64
                 "; looking again",
                 proof.central, proof.table);
    }
    odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                 "Central counts %" PRId64 " %s, the table %" PRId64,
                 proof.central, names->rows, proof.table);
    odks_err_hint(err,
                  "Some %s may be changing while we look; if this stays, "
                  "please report it.",
                  names->rows);
    return false;
}

/* The form, the cursor, and whether anything changed since. */
static bool
look(struct odks_walk *w, bool *same, struct odks_err *err)
{
    odks_log_set_step("form");
    *same = false;
    if (!odks_walk_look(w, err))
        return false;
    if (odks_attempt_is_dry(w->a))
        return true; /* its first transaction is that of the tables */
    CLEANUP_FREE char *key = odks_walk_tag_key(w);
    return odks_attempt_begin(w->a, err)
           && odks_cursor_load(w->a->db, w->a->conf->sync_type, &w->cursor, err)
           && odks_attempt_commit(w->a, err)
           && odks_walk_unchanged(w, key, same, err);
}

/*
 * No tag yet, though this Central has them or may have? Datasets come with
 * theirs. A comparison of keys brings one by itself, where a full walk showed
 * that there are none, too.
 */
static bool
wants_tag(const struct odks_walk *w, bool all)
{
    return w->feed == ODKS_FEED_FORM && w->tag == NULL
           && (all || w->cursor.etag != NULL) && !odks_attempt_is_dry(w->a)
           && !odks_walk_reconcile_is_due(w);
}

static bool
walk(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_payload *p = &w->a->payload;
    bool same;

    if (!look(w, &same, err))
        return false;
    if (same)
        return finish_unchanged(w, err);
    if (!prepare(w, err))
        return false;
    bool all = w->cursor.backfill_started != ODKS_TIME_NONE;
    (void) json_object_object_add(
        w->a->metadata, "mode",
        json_object_new_string(all ? "full" : "incremental"));
    if (all && !odks_walk_backfill(w, err))
        return false;
    if ((p->since != ODKS_TIME_NONE || p->until != ODKS_TIME_NONE)
        && !odks_walk_window(w, p->since, p->until, err))
        return false;
    if (!all && !odks_walk_rejects(w, !p->rejects, err))
        return false;
    return (!wants_tag(w, all) || odks_walk_tag(w, NULL, err))
           && odks_walk_attachments(w, err) && settle(w, all, err);
}

static bool
tick(void *arg, struct odks_err *err)
{
    return odks_attempt_heartbeat(arg, err);
}

static bool
mirror(struct odks_attempt *a, struct odks_err *err)
{
    struct odks_walk w = { .a = a,
                           .feed = odks_job_feed(a->conf),
                           .counts = ODKS_MERGE_INIT };
    CLEANUP_LOGIN struct odks_login login = { .tick = tick, .tick_arg = a };

    bool ok = odks_walk_rules(&w, err)
              && odks_login(a->conf->central, &login, &w.central, err)
              && walk(&w, err);
    if (w.central != NULL)
        describe(&w);
    if (ok)
        odks_walk_summarise(&w);
    /* the job may be over, or a transaction open: no heartbeat at logout */
    login.central.http.tick = NULL;
    odks_batch_free(w.batch);
    odks_model_free(w.model);
    odks_walk_forget_form(&w);
    odks_form_clear(&w.form);
    odks_cursor_clear(&w.cursor);
    free(w.tag);
    odks_central_close(w.central);
    return ok;
}

static bool
run(struct odks_attempt *a, struct odks_err *err)
{
    return odks_config_is_pattern(a->conf) ? odks_forms_find(a, err)
                                           : mirror(a, err);
}

const struct odks_job_kind odks_kind_submissions = { .name = "submissions",
                                                     .run = run };
const struct odks_job_kind odks_kind_entities = { .name = "entities",
                                                  .run = run };
