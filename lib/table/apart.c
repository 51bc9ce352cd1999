/* lib/table/apart.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch in which the database refuses a row: all values fit their columns,
 * but an index, a constraint or a trigger of the user's own may want more.
 * The batch is halved until the submission is found; it loses its long
 * answers, or else all of them.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "table/stage.h"
#include "table/types.h"

enum {
    LONG = 2000,      /* bytes; an index row ends at 2,704 */
    REFUSED_MAX = 100 /* submissions of a batch; more is no single case */
};

struct apart {
    struct odks_merge_run *m;
    struct odks_err refusal; /* the last one */
    int refused;             /* submissions */
};

static bool
is_refusal(const struct odks_err *err)
{
    const char *s = err->sqlstate;

    /* the encoding of the database is at fault, not a row */
    if (strcmp(s, "22P05") == 0)
        return false;
    return strncmp(s, "22", 2) == 0 || strncmp(s, "23", 2) == 0
           || strncmp(s, "54", 2) == 0;
}

/* Submissions [from, to) of b as a batch that shares all but its lines. */
static struct odks_batch *
slice(const struct odks_batch *b, size_t from, size_t to)
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

static void
free_slice(struct odks_batch *part)
{
    for (size_t k = 0; k < part->lines_count; k++)
        odks_buf_free(&part->lines[k].buf);
    free(part->lines);
    free(part);
}
ODKS_DEFINE_CLEANUP(slice, struct odks_batch *, free_slice)

/* The text of a field of a line; the caller frees it. */
static char *
unescape(const char *p, size_t len)
{
    char *text = odks_xcalloc(len + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = p[i];

        if (c == '\\' && i + 1 < len) {
            c = p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        text[n++] = c;
    }
    return text;
}

/* The field that fills a column, NULL for one of the system's. */
static const struct odks_field *
field_of(const struct odks_table *table, size_t column)
{
    for (size_t i = 0; i < table->target_count; i++) {
        const struct odks_target *t = &table->target[i];

        if (column >= t->column
            && column < t->column + odks_type(t->field->type)->count)
            return t->field;
    }
    return NULL;
}

static void
reject_long(struct odks_batch *part, size_t k, const char *row_id,
            size_t column, const char *p, size_t len)
{
    const struct odks_table *table = part->conf.model->table[k];
    CLEANUP_FREE char *text = unescape(p, len);
    struct json_object *value = json_object_new_string(text);

    odks_batch_reject(part, k, part->submission[0].id, row_id,
                      field_of(table, column)->path, table->column[column].name,
                      "refused, as too long for an index", value);
    (void) json_object_put(value);
}

/* NULL for all answers of a line, or only for long ones; past the line. */
static const char *
blank_line(struct odks_batch *part, size_t k, const char *p, bool all,
           struct odks_copy *out)
{
    const struct odks_table *table = part->conf.model->table[k];
    CLEANUP_FREE char *row_id = unescape(p, strcspn(p, "\t\n"));

    for (size_t column = 0;; column++) {
        size_t len = strcspn(p, "\t\n");
        bool blank = (all || len > LONG) && field_of(table, column) != NULL;

        if (blank && !all)
            reject_long(part, k, row_id, column, p, len);
        odks_copy_field(out);
        odks_copy_plain(out, blank ? "\\N" : p, blank ? 2 : len);
        p += len;
        if (*p++ == '\n')
            break;
    }
    odks_copy_end(out);
    return p;
}

static void
blank(struct odks_batch *part, bool all)
{
    for (size_t k = 0; k + 1 < part->lines_count; k++) {
        struct odks_copy out = ODKS_COPY_INIT(ODKS_COPY_MAX);
        const struct odks_buf *lines = &part->lines[k].buf;
        const char *end = lines->data; /* NULL without rows */

        if (lines->len > 0)
            end += lines->len;

        /* of its repeats nothing is left then */
        for (const char *p = lines->data; p < end && (k == 0 || !all);)
            p = blank_line(part, k, p, all, &out);
        odks_buf_free(&part->lines[k].buf);
        part->lines[k] = out;
    }
}

static void
reject_all(struct apart *a, struct odks_batch *part)
{
    CLEANUP_FREE char *reason =
        odks_xasprintf("refused: %s", a->refusal.message);
    const struct odks_table *const *table =
        (const struct odks_table *const *) part->conf.model->table;
    size_t k = 0;

    while (!table[k]->wanted)
        k++;
    odks_batch_reject(part, k, part->submission[0].id, part->submission[0].id,
                      "", NULL, reason, NULL);
}

/* Bring a part in, or leave no trace; *refused: the database did not like it */
static bool
try_part(struct apart *a, struct odks_batch *part, bool *refused)
{
    struct odks_merge_run run = {
        .b = part, .db = a->m->db, .counts = a->m->counts, .err = a->m->err
    };

    *refused = false;
    if (!odks_db_do(run.db, "savepoint", "SAVEPOINT odks_part", run.err))
        return false;
    if (odks_merge_bring_in(&run)) {
        a->m->counts = run.counts;
        return odks_db_do(run.db, "savepoint", "RELEASE SAVEPOINT odks_part",
                          run.err);
    }
    if (!is_refusal(run.err))
        return false;
    *refused = true;
    a->refusal = *run.err;
    odks_db_hide_values(&a->refusal);
    odks_err_clear(run.err);
    return odks_db_do(run.db, "savepoint",
                      "ROLLBACK TO SAVEPOINT odks_part;"
                      " RELEASE SAVEPOINT odks_part",
                      run.err);
}

/* One submission, without what it may be refused for. */
static bool
try_blank(struct apart *a, size_t at)
{
    bool refused = false;

    for (int all = 0; all <= 1; all++) {
        CLEANUP(odks_cleanup_slice)
        struct odks_batch *part = slice(a->m->b, at, at + 1);

        blank(part, all);
        if (all)
            reject_all(a, part);
        if (!try_part(a, part, &refused))
            return false;
        if (!refused)
            break;
    }
    if (refused || ++a->refused > REFUSED_MAX) {
        *a->m->err = a->refusal;
        odks_err_hint(a->m->err,
                      "Look for a constraint, a trigger or an index on the "
                      "table that odk-sync did not make.");
        return false;
    }
    return true;
}

static bool
try_range(struct apart *a, size_t from, size_t to)
{
    CLEANUP(odks_cleanup_slice)
    struct odks_batch *part = slice(a->m->b, from, to);
    bool refused;

    if (!try_part(a, part, &refused))
        return false;
    if (!refused)
        return true;
    if (to - from == 1)
        return try_blank(a, from);
    size_t middle = from + (to - from) / 2; /* as deep as a batch halves */
    return try_range(a, from, middle) && try_range(a, middle, to);
}

bool
odks_merge_apart(struct odks_merge_run *m)
{
    struct apart a = { .m = m };

    if (!is_refusal(m->err))
        return false;
    odks_err_clear(m->err);
    return odks_db_do(m->db, "savepoint",
                      "ROLLBACK TO SAVEPOINT " ODKS_MERGE_SAVEPOINT, m->err)
           && try_range(&a, 0, m->b->count);
}
