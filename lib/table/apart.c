/* lib/table/apart.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch in which PostgreSQL refuses a row: all values fit their columns, but
 * a constraint, an index, a type or a trigger that the user added may want
 * more. The batch is halved until the submissions are found; all others come
 * in. An error that is not about single rows is none of this: it fails the job.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/stage.h"

enum {
    REFUSED_MAX = 100, /* submissions of a batch; more is no single case */
    ALL_MIN = 5        /* that so many are refused, and none is not, is none */
};

struct apart {
    struct odks_merge_run *m;
    struct odks_err refusal; /* the last one */
    size_t *refused;         /* numbers of submissions of the batch */
    size_t count, size;
    size_t fresh; /* those of them that are not on record as refused */
};

/*
 * Is it about the values of a row? Whatever a trigger raises is, unless it
 * says that a later try may succeed.
 */
static bool
is_refusal(const struct odks_err *err)
{
    static const char *const about_data[] = { "22", "23", "44", "54000" };

    /* 22P05: the encoding of the database is at fault, not a row */
    if (odks_err_is_temporary(err) || strcmp(err->sqlstate, "22P05") == 0)
        return false;
    for (size_t i = 0; i < sizeof(about_data) / sizeof(about_data[0]); i++) {
        if (strncmp(err->sqlstate, about_data[i], strlen(about_data[i])) == 0)
            return true;
    }
    return err->raised;
}

struct odks_batch *
odks_batch_slice(const struct odks_batch *b, size_t from, size_t to)
{
    struct odks_batch *part = odks_xcalloc(1, sizeof(*part));
    size_t n = b->lines_count;

    *part = (struct odks_batch){ .conf = b->conf,
                                 .submission = b->submission + from,
                                 .count = to - from,
                                 .lines_count = n,
                                 .sql = b->sql };
    part->lines = odks_xcalloc(n, sizeof(*part->lines));
    for (size_t k = 0; k < n; k++) {
        const struct odks_buf *all = &b->lines[k].buf;
        size_t start = b->start[from * n + k];
        size_t end = to < b->count ? b->start[to * n + k] : all->len;

        part->lines[k] = (struct odks_copy) ODKS_COPY_INIT(ODKS_COPY_MAX);
        if (start < end)
            odks_copy_plain(&part->lines[k], all->data + start, end - start);
    }
    return part;
}

void
odks_batch_free_slice(struct odks_batch *part)
{
    if (part == NULL)
        return;
    for (size_t k = 0; k < part->lines_count; k++)
        odks_buf_free(&part->lines[k].buf);
    free(part->lines);
    free(part);
}

static bool
go_back(struct odks_merge_run *m)
{
    return odks_db_do(m->db, "savepoint",
                      "ROLLBACK TO SAVEPOINT odks_part;"
                      " RELEASE SAVEPOINT odks_part",
                      m->err);
}

bool
odks_merge_try(struct odks_merge_run *m, struct odks_batch *part, bool dry,
               bool *refused, struct odks_err *refusal)
{
    struct odks_merge_run run = {
        .b = part, .db = m->db, .counts = m->counts, .err = m->err
    };

    *refused = false;
    if (!odks_db_do(run.db, "savepoint", "SAVEPOINT odks_part", run.err))
        return false;
    if (odks_merge_bring_in(&run)) {
        if (dry)
            return go_back(m);
        m->counts = run.counts;
        return odks_db_do(run.db, "savepoint", "RELEASE SAVEPOINT odks_part",
                          run.err);
    }
    if (!is_refusal(run.err))
        return false;
    *refused = true;
    *refusal = *run.err;
    odks_db_hide_values(refusal);
    odks_err_clear(run.err);
    return go_back(m);
}

/* Is the submission on record as refused by an earlier run? */
static bool
count_fresh(struct apart *a, const char *id)
{
    const char *const params[] = { a->m->b->conf.sync_type, id };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(a->m->db, &odks_sql_reject_refused, params, a->m->err);

    if (res == NULL)
        return false;
    a->fresh += odks_db_int64(res, 0, 0) == 0;
    return true;
}

static bool
fail(struct apart *a, const char *how_many)
{
    *a->m->err = a->refusal;
    odks_err_context(a->m->err, "PostgreSQL refuses %s of a batch", how_many);
    odks_err_hint(a->m->err,
                  "Look for a constraint, a trigger, a type or an index on the "
                  "table that odk-sync did not make. Nothing of the batch was "
                  "stored.");
    return false;
}

static bool
note_refused(struct apart *a, size_t at)
{
    if (a->count == a->size) {
        a->size = a->size > 0 ? 2 * a->size : 16;
        a->refused =
            odks_xreallocarray(a->refused, a->size, sizeof(*a->refused));
    }
    a->refused[a->count++] = at;
    return count_fresh(a, a->m->b->submission[at].id)
           && (a->fresh <= REFUSED_MAX || fail(a, "more than 100 rows"));
}

static bool
try_range(struct apart *a, size_t from, size_t to)
{
    CLEANUP_SLICE struct odks_batch *part = odks_batch_slice(a->m->b, from, to);
    bool refused;

    if (!odks_merge_try(a->m, part, false, &refused, &a->refusal))
        return false;
    if (!refused)
        return true;
    if (to - from == 1)
        return note_refused(a, from);
    size_t middle = from + (to - from) / 2; /* as deep as a batch halves */
    return try_range(a, from, middle) && try_range(a, middle, to);
}

static size_t
count_with_lines(const struct odks_batch *b)
{
    size_t count = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct odks_submission *s = &b->submission[i];
        count += !s->stale && !s->gone && !s->left_out;
    }
    return count;
}

static bool
deal_with_all(struct apart *a)
{
    bool refused;

    if (a->fresh >= ALL_MIN && a->count == count_with_lines(a->m->b))
        return fail(a, "every row");
    for (size_t i = 0; i < a->count; i++) {
        if (!odks_merge_refused(a->m, a->refused[i], &refused))
            return false;
        if (refused)
            return fail(a, "a row");
    }
    return true;
}

bool
odks_merge_apart(struct odks_merge_run *m)
{
    struct apart a = { .m = m };

    if (!is_refusal(m->err))
        return false;
    odks_err_clear(m->err);
    m->b->all_new = false; /* a submission may be on record, but not here */
    bool ok = odks_db_do(m->db, "savepoint",
                         "ROLLBACK TO SAVEPOINT " ODKS_MERGE_SAVEPOINT, m->err)
              && try_range(&a, 0, m->b->count) && deal_with_all(&a);
    free(a.refused);
    return ok;
}
