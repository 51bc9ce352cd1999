/* lib/table/merge.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/stage.h"

enum { /* columns of what apply returns */
       COL_NEW,
       COL_CHANGED,
       COL_DELETED,
       COL_REPEATS,
       COL_REJECTS,
       COL_DOUBTS
};

enum { IDS_MAX = 1 << 28 }; /* bytes */

/* As odks_db_begin() and the server set it. */
static const char leave[] = "SET LOCAL timezone = 'UTC';"
                            " SET LOCAL jit TO DEFAULT";

static bool
is_live(const struct odks_submission *s)
{
    return !s->stale && !s->gone && !s->left_out;
}

/*
 * Lines without those that do not count: of stale submissions (a later state
 * of the same one came in the same batch), and of those that were left out.
 */
static bool
drop_dead(struct odks_merge_run *m, size_t k)
{
    struct odks_batch *b = m->b;
    struct odks_copy kept = ODKS_COPY_INIT(ODKS_COPY_MAX);
    const struct odks_buf *all = &b->lines[k].buf;

    for (size_t i = 0; i < b->count; i++) {
        size_t from = b->start[i * b->lines_count + k];
        size_t to = i + 1 < b->count ? b->start[(i + 1) * b->lines_count + k]
                                     : all->len;

        b->start[i * b->lines_count + k] = kept.buf.len;
        if (is_live(&b->submission[i]) && from < to)
            odks_copy_plain(&kept, all->data + from, to - from);
    }
    odks_buf_free(&b->lines[k].buf);
    b->lines[k] = kept;
    if (kept.full)
        odks_err_set(m->err, ODKS_EXIT_OS, "out of memory");
    return !kept.full;
}

static bool
drop_all_dead(struct odks_merge_run *m)
{
    bool any = false;

    for (size_t i = 0; i < m->b->count; i++)
        any |= !is_live(&m->b->submission[i]);
    for (size_t k = 0; any && k < m->b->lines_count; k++) {
        if (!drop_dead(m, k))
            return false;
    }
    return true;
}

static bool
is_deleted(const struct odks_submission *s)
{
    return is_live(s) && s->deleted;
}

static bool
is_gone(const struct odks_submission *s)
{
    return !s->stale && s->gone;
}

/* The ids of the submissions that are of a kind, as an array literal. */
static bool
list_ids(struct odks_merge_run *m, bool is_kind(const struct odks_submission *),
         struct odks_buf *ids)
{
    bool ok = odks_buf_add_char(ids, '{');

    for (size_t i = 0; i < m->b->count && ok; i++) {
        const struct odks_submission *s = &m->b->submission[i];

        if (!is_kind(s))
            continue;
        ok = odks_buf_add_str(ids, ids->len > 1 ? ",\"" : "\"");
        for (const char *p = s->id; *p != '\0' && ok; p++) {
            if (*p == '"' || *p == '\\')
                ok = odks_buf_add_char(ids, '\\');
            ok = ok && odks_buf_add_char(ids, *p);
        }
        ok = ok && odks_buf_add_char(ids, '"');
    }
    ok = ok && odks_buf_add_char(ids, '}');
    if (!ok)
        odks_err_set(m->err, ODKS_EXIT_OS, "out of memory");
    return ok;
}

/* The number of rows that a statement changed, or -1 on failure. */
static int64_t
change_by_ids(struct odks_merge_run *m, const char *text,
              const struct odks_buf *ids)
{
    const char *const params[] = { ids->data };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(m->db, "merge", text, 1, params, m->err);

    return res != NULL ? strtoll(PQcmdTuples(res), NULL, 10) : -1;
}

/* Submissions that are deleted for good go with their repeats and rejects. */
static bool
forget_gone(struct odks_merge_run *m)
{
    CLEANUP_BUF struct odks_buf ids = ODKS_BUF_INIT(IDS_MAX);
    const struct odks_merge_sql *sql = m->b->sql;
    int64_t rows = 0;

    if (!list_ids(m, is_gone, &ids))
        return false;
    if (ids.len == 2)
        return true;
    for (size_t i = 0; sql->forget[i] != NULL; i++) {
        rows = change_by_ids(m, sql->forget[i], &ids);
        if (rows < 0)
            return false;
    }
    if (m->b->conf.model->table[0]->wanted)
        m->counts.deleted += rows;
    return change_by_ids(m, sql->forget_rejects, &ids) >= 0;
}

/* Do the tables have anything of these submissions, or anything at all? */
static bool
probe(struct odks_merge_run *m, bool *known, bool *empty)
{
    CLEANUP_BUF struct odks_buf ids = ODKS_BUF_INIT(IDS_MAX);

    *known = *empty = false;
    if (!list_ids(m, is_live, &ids))
        return false;
    size_t first = 0;
    while (!is_live(&m->b->submission[first]))
        first++;
    const char *const params[] = { ids.data, m->b->submission[first].id };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(m->db, "probe", m->b->sql->probe, 2, params, m->err);
    if (res == NULL)
        return false;
    *known = odks_db_int64(res, 0, 0) > 0;
    *empty = odks_db_bool(res, 0, 1);
    return true;
}

static bool
copy(struct odks_merge_run *m, char *const *statements)
{
    const struct odks_batch *b = m->b;

    for (size_t i = 0; i < b->lines_count; i++) {
        if (statements[i] != NULL && b->lines[i].buf.len > 0
            && !odks_db_copy(m->db, statements[i], &b->lines[i].buf, m->err))
            return false;
    }
    return true;
}

/* All lines, or those that begin with a character. */
static int64_t
count_lines(const struct odks_buf *lines, char first)
{
    int64_t count = 0;

    for (size_t at = 0; at < lines->len;) {
        count += first == '\0' || lines->data[at] == first;
        const char *end = memchr(lines->data + at, '\n', lines->len - at);
        at = (size_t) (end - lines->data) + 1; /* lines are whole */
    }
    return count;
}

/* The tables have nothing of these submissions: straight into them. */
static bool
insert_all(struct odks_merge_run *m, int64_t live)
{
    const struct odks_batch *b = m->b;

    if (!copy(m, b->sql->copy_table))
        return false;
    if (b->conf.model->table[0]->wanted)
        m->counts.inserted += live;
    for (size_t i = 1; i < b->conf.model->table_count; i++)
        m->counts.repeats += count_lines(&b->lines[i].buf, '\0');
    int64_t rejects = count_lines(&b->lines[b->lines_count - 1].buf, '\0');
    int64_t doubts = count_lines(&b->lines[b->lines_count - 1].buf, 't');
    m->counts.rejected += rejects - doubts;
    m->counts.doubtful += doubts;
    return true;
}

/*
 * As insert_all() without a look before: a first walk, into empty tables, meets
 * nothing but new submissions, and the primary key tells when it does not.
 * *clash: nothing was done.
 */
static bool
try_insert(struct odks_merge_run *m, int64_t live, bool *clash)
{
    *clash = false;
    if (!odks_db_do(m->db, "savepoint", "SAVEPOINT odks_insert", m->err))
        return false;
    if (insert_all(m, live))
        return true;
    if (strcmp(m->err->sqlstate, "23505") != 0)
        return false;
    *clash = true;
    odks_err_clear(m->err);
    return odks_db_do(m->db, "savepoint", "ROLLBACK TO SAVEPOINT odks_insert",
                      m->err);
}

/* Keep the stored answers of deleted submissions, see keepsql.c. */
static bool
keep_answers(struct odks_merge_run *m)
{
    CLEANUP_BUF struct odks_buf ids = ODKS_BUF_INIT(IDS_MAX);

    if (!m->b->conf.keep_deleted)
        return true;
    if (!list_ids(m, is_deleted, &ids))
        return false;
    for (char **text = m->b->sql->keep; ids.len > 2 && *text != NULL; text++) {
        if (change_by_ids(m, *text, &ids) < 0)
            return false;
    }
    return true;
}

static bool
merge_all(struct odks_merge_run *m, int64_t live)
{
    const struct odks_merge_sql *sql = m->b->sql;

    if (!odks_db_do(m->db, "stage", sql->stage, m->err)
        || !copy(m, sql->copy_stage) || !keep_answers(m))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(m->db, "merge", sql->apply, 0, NULL, m->err);
    if (res == NULL)
        return false;
    int64_t inserted = odks_db_int64(res, 0, COL_NEW);
    int64_t updated = odks_db_int64(res, 0, COL_CHANGED);
    int64_t deleted = odks_db_int64(res, 0, COL_DELETED);
    m->counts.inserted += inserted;
    m->counts.updated += updated;
    m->counts.deleted += deleted;
    m->counts.unchanged += live - inserted - updated - deleted;
    m->counts.repeats += odks_db_int64(res, 0, COL_REPEATS);
    m->counts.rejected += odks_db_int64(res, 0, COL_REJECTS);
    m->counts.doubtful += odks_db_int64(res, 0, COL_DOUBTS);
    return true;
}

static int64_t
count_live(const struct odks_batch *b)
{
    int64_t live = 0;

    for (size_t i = 0; i < b->count; i++)
        live += is_live(&b->submission[i]);
    return live;
}

/* What the submissions themselves say. */
static void
note(struct odks_merge_run *m)
{
    for (size_t i = 0; i < m->b->count; i++) {
        const struct odks_submission *s = &m->b->submission[i];

        if (!is_live(s))
            continue;
        m->counts.encrypted += s->encrypted;
        if (s->submitted > m->counts.latest)
            m->counts.latest = s->submitted;
    }
}

bool
odks_merge_bring_in(struct odks_merge_run *m)
{
    struct odks_batch *b = m->b;
    bool known = false, empty = false;
    int64_t live = count_live(b);

    if (live == 0)
        return true;
    if (b->all_new) {
        if (!try_insert(m, live, &known))
            return false;
        if (!known)
            return true;
    } else if (!probe(m, &known, &empty)) {
        return false;
    }
    b->all_new = !known && (b->all_new || empty);
    return known ? merge_all(m, live) : insert_all(m, live);
}

bool
odks_merge_record(struct odks_merge_run *m, const struct odks_batch *part,
                  int64_t *added)
{
    const struct odks_merge_sql *sql = m->b->sql;
    size_t last = part->lines_count - 1;
    const char *const params[] = { part->submission[0].id };

    if (!odks_db_do(m->db, "stage", sql->stage, m->err)
        || (part->lines[last].buf.len > 0
            && !odks_db_copy(m->db, sql->copy_stage[last],
                             &part->lines[last].buf, m->err)))
        return false;
    CLEANUP_PGRESULT PGresult *gone =
        odks_db_exec(m->db, "rejects", sql->open_gone, 1, params, m->err);
    if (gone == NULL)
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(m->db, "rejects", sql->add_rejects, 0, NULL, m->err);
    if (res == NULL)
        return false;
    *added = strtoll(PQcmdTuples(res), NULL, 10);
    m->counts.rejected += *added;
    return true;
}

/* Submissions that no table can hold: what is on record of them, and no row. */
static bool
record_left_out(struct odks_merge_run *m)
{
    for (size_t i = 0; i < m->b->count; i++) {
        const struct odks_submission *s = &m->b->submission[i];
        int64_t added;

        if (s->stale || s->gone || !s->left_out)
            continue;
        CLEANUP_SLICE struct odks_batch *part =
            odks_batch_slice(m->b, i, i + 1);
        if (!odks_merge_record(m, part, &added))
            return false;
        m->counts.left_out += added;
    }
    return true;
}

/* More values that do not fit than the job allows? */
static bool
check_limit(struct odks_merge_run *m, int64_t before)
{
    const struct odks_batch_conf *conf = &m->b->conf;
    const char *const params[] = { conf->sync_type };

    if (conf->max_rejects == 0 || m->counts.rejected == before)
        return true;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(m->db, &odks_sql_reject_summary, params, m->err);
    if (res == NULL)
        return false;
    int64_t count = odks_db_int64(res, 0, 0);
    int64_t refused = odks_db_int64(res, 0, 2);
    if (count > conf->max_rejects)
        odks_err_set(m->err, ODKS_EXIT_DATA,
                     "%" PRId64 " values do not fit their columns, more than "
                     "max_rejects = %" PRId64,
                     count, conf->max_rejects);
    else if (refused >= conf->max_rejects)
        odks_err_set(m->err, ODKS_EXIT_DATA,
                     "PostgreSQL refuses %" PRId64 " %s, and max_rejects is "
                     "%" PRId64,
                     refused, odks_feed_names(conf->model->feed)->rows,
                     conf->max_rejects);
    else
        return true;
    odks_err_hint(m->err,
                  "Most often: %s. Mend the form, or raise max_rejects "
                  "in [job %s].",
                  odks_db_text(res, 0, 1), conf->sync_type);
    return false;
}

static bool
merge(struct odks_merge_run *m)
{
    struct odks_batch *b = m->b;
    int64_t rejected = m->counts.rejected;

    if (b->sql == NULL && !odks_merge_sql_make(m->db, b, &b->sql, m->err))
        return false;
    if (!record_left_out(m) || !drop_all_dead(m) || !forget_gone(m))
        return false;
    if (count_live(b) == 0)
        return check_limit(m, rejected);
    if (!odks_db_do(m->db, "merge", b->sql->enter, m->err))
        return false;
    const struct odks_merge counts = m->counts;
    if (!odks_merge_bring_in(m)) {
        m->counts = counts;
        if (!odks_merge_apart(m))
            return false;
    }
    note(m);
    return check_limit(m, rejected)
           && odks_db_do(m->db, "merge", leave, m->err);
}

bool
odks_batch_merge(struct odks_batch *batch, struct odks_db *db,
                 struct odks_merge *counts, struct odks_err *err)
{
    struct odks_merge_run m = {
        .b = batch, .db = db, .counts = *counts, .err = err
    };

    if (batch->received == 0)
        return true;
    bool ok = merge(&m);
    if (!ok)
        odks_db_hide_values(err);
    if (ok) {
        m.counts.received += batch->received;
        *counts = m.counts;
    }
    odks_batch_reset(batch);
    return ok;
}
