/* lib/table/refused.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A submission that PostgreSQL refuses. What is stored of it stays as a whole,
 * with its repeats. Of a new one as much is stored as PostgreSQL takes: without
 * the columns that the error names, else without the fewest answers that help,
 * else without its repeats or with nothing but its system columns.
 */
#include <config.h>

#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/time.h"
#include "core/utf8.h"
#include "sql/queries.h"
#include "table/cells.h"
#include "table/sqltext.h"

enum { NAMED_MAX = 8 /* constraints that refuse one submission in turn */ };

struct finder {
    struct odks_merge_run *m;
    size_t at;               /* of the submission in the batch */
    struct odks_batch *part; /* the submission as it came */
    struct odks_cells cells; /* of part */
    struct odks_err refusal; /* of the submission as it came, */
    struct odks_err last;    /* and of the last try */
    bool refused;            /* was that one? */
    bool all;                /* nothing but system columns can be stored */
    bool none;               /* not even those */
    bool partial;            /* an earlier run stored it without an answer */
};

/* Would PostgreSQL take the submission without what is blank? */
static bool
try_cells(struct finder *f)
{
    CLEANUP_SLICE struct odks_batch *part =
        odks_batch_slice(f->m->b, f->at, f->at + 1);

    odks_cells_blank(&f->cells, part);
    return odks_merge_try(f->m, part, true, &f->refused, &f->last);
}

/* --- which cells ---------------------------------------------------------- */

/* The columns that a refusal names, one a row; NULL: an error. */
static PGresult *
named_columns(struct finder *f, const struct odks_err *refusal)
{
    const char *const params[] = { f->part->conf.model->schema, refusal->table,
                                   refusal->constraint };

    return odks_db_query(f->m->db, &odks_sql_reject_columns, params, f->m->err);
}

static bool
is_named(const struct odks_table *table, const struct odks_cell *cell,
         const struct odks_err *refusal, const PGresult *columns)
{
    for (size_t i = 0; i < cell->count; i++) {
        const char *name = table->column[cell->column + i].name;

        if (strcmp(refusal->column, name) == 0)
            return true;
        for (int row = 0; row < PQntuples(columns); row++) {
            if (strcmp(PQgetvalue(columns, row, 0), name) == 0)
                return true;
        }
    }
    return false;
}

/* Leave out what the last refusal names; *more: that is more than before. */
static bool
blank_named(struct finder *f, bool *more)
{
    CLEANUP_PGRESULT PGresult *columns = named_columns(f, &f->last);

    *more = false;
    if (columns == NULL)
        return false;
    for (size_t i = 0; i < f->cells.count; i++) {
        struct odks_cell *c = &f->cells.cell[i];
        const struct odks_table *table = f->part->conf.model->table[c->table];

        if (c->marked || strcmp(table->name, f->last.table) != 0
            || !is_named(table, c, &f->last, columns))
            continue;
        c->marked = c->blank = *more = true;
    }
    return true;
}

/* Number the marked cells, those of one line alike if whole; how many. */
static size_t
make_units(struct odks_cells *cells, bool lines)
{
    const struct odks_cell *before = NULL;
    size_t count = 0;

    for (size_t i = 0; i < cells->count; i++) {
        struct odks_cell *c = &cells->cell[i];

        if (!c->marked)
            continue;
        if (!lines || before == NULL || before->table != c->table
            || before->line != c->line)
            count++;
        c->unit = count - 1;
        before = c;
    }
    return count;
}

static void
set_units(struct odks_cells *cells, size_t from, size_t to, bool blank)
{
    for (size_t i = 0; i < cells->count; i++) {
        struct odks_cell *c = &cells->cell[i];

        if (c->marked && c->unit >= from && c->unit < to)
            c->blank = blank;
    }
}

static bool
any_blank(const struct odks_cells *cells, size_t from, size_t to)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct odks_cell *c = &cells->cell[i];

        if (c->marked && c->unit >= from && c->unit < to && c->blank)
            return true;
    }
    return false;
}

/*
 * Leave out the fewest of the units [from, to) that help, by halving: all of
 * them help, and none of them is left out yet. new: others were, since it was
 * known that none of these is not enough.
 */
static bool
find_fewest(struct finder *f, size_t from, size_t to, bool new)
{
    if (new && !try_cells(f))
        return false;
    if (new && !f->refused)
        return true;
    if (to - from <= 1) {
        set_units(&f->cells, from, to, true);
        return true;
    }
    size_t middle = from + (to - from) / 2;
    set_units(&f->cells, from, middle, true);
    if (!find_fewest(f, middle, to, true))
        return false;
    set_units(&f->cells, from, middle, false);
    return find_fewest(f, from, middle, any_blank(&f->cells, middle, to));
}

static bool
find_fewest_of(struct finder *f, bool lines)
{
    size_t count = make_units(&f->cells, lines);

    set_units(&f->cells, 0, count, false);
    return find_fewest(f, 0, count, false);
}

/* With f->refused, what the refusals name is not enough. */
static bool
find_named(struct finder *f)
{
    bool more = true;

    f->last = f->refusal;
    for (int i = 0; i < NAMED_MAX && f->refused && more; i++) {
        if (!blank_named(f, &more) || (more && !try_cells(f)))
            return false;
    }
    return f->refused || find_fewest_of(f, true);
}

/* Mark and leave out all answers, or none; and _raw. */
static void
blank_all(struct finder *f, bool answers, bool raw, bool repeats)
{
    for (size_t i = 0; i < f->cells.count; i++) {
        struct odks_cell *c = &f->cells.cell[i];

        c->marked = c->blank = c->field != NULL ? answers : raw;
    }
    f->cells.no_repeats = repeats;
}

static bool
find_any(struct finder *f)
{
    static const struct {
        bool answers, raw, repeats;
    } step[] = {
        { true, false, false },
        { true, true, false },
        { false, false, true },
        { true, true, true },
    };
    size_t i = 0;

    for (; i < 4 && f->refused; i++) {
        blank_all(f, step[i].answers, step[i].raw, step[i].repeats);
        if (!try_cells(f))
            return false;
    }
    f->none = f->refused;
    f->all = i == 4;
    return f->refused || step[i - 1].repeats || find_fewest_of(f, false);
}

/* --- what becomes of it --------------------------------------------------- */

static const char *
deleted_at(const struct finder *f)
{
    const struct odks_table *table = f->part->conf.model->table[0];

    for (size_t i = 0; i < table->system_count; i++) {
        if (table->wanted && strcmp(table->column[i].name, "_deleted_at") == 0)
            return odks_cells_text(f->part, 0, 0, i);
    }
    return NULL;
}

/* One reject for each cell that is left out, or one for all of them. */
static void
add_rejects(const struct finder *f, struct odks_batch *part, const char *what,
            int64_t left_out)
{
    const struct odks_model *model = part->conf.model;
    CLEANUP_FREE char *reason =
        odks_xasprintf("%s: %s", what, f->refusal.message);
    const char *constraint = f->refusal.constraint;
    struct odks_reject r = { .submission = part->submission[0].id,
                             .row_id = part->submission[0].id,
                             .path = "",
                             .reason = reason,
                             .refused = true,
                             .constraint = *constraint ? constraint : NULL,
                             .left_out = left_out };
    bool any = false;

    for (size_t i = 0; i < f->cells.count && !f->all; i++) {
        const struct odks_cell *c = &f->cells.cell[i];

        if (!c->blank)
            continue;
        CLEANUP_FREE char *row_id =
            odks_cells_text(f->part, c->table, c->line, 0);
        CLEANUP_JSON struct json_object *value = odks_cell_json(c, f->part);
        r.table = c->table;
        r.row_id = row_id;
        r.path = c->field != NULL ? c->field->path : "";
        r.column =
            model->table[c->table]->column[c->column + c->count - 1].name;
        r.value = value;
        odks_batch_reject(part, &r);
        any = true;
    }
    for (r.table = 0; !any && !model->table[r.table]->wanted;)
        r.table++;
    if (!any)
        odks_batch_reject(part, &r);
}

/*
 * Would the row in the database lose anything without the cells that are
 * blank now? Not where they are what an earlier run could not store either.
 */
static bool
holds_more(struct finder *f, bool *more)
{
    const struct odks_model *model = f->part->conf.model;

    *more = !f->partial || f->all || f->cells.no_repeats;
    for (size_t i = 0; i < f->cells.count && !*more; i++) {
        const struct odks_cell *c = &f->cells.cell[i];
        CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
        struct odks_sqltext t = { .db = f->m->db, .buf = &sql };
        CLEANUP_FREE char *row_id =
            odks_cells_text(f->part, c->table, c->line, 0);
        const char *const params[] = { row_id };

        if (!c->blank)
            continue;
        odks_sql_add(&t, "SELECT count(*) FROM ");
        odks_sql_table(&t, model->schema, model->table[c->table]->name);
        odks_sql_add(&t, " t WHERE t._id = $1 AND t.");
        odks_sql_ident(
            &t, model->table[c->table]->column[c->column + c->count - 1].name);
        odks_sql_add(&t, " IS NOT NULL");
        if (!odks_sql_done(&t, f->m->err))
            return false;
        CLEANUP_PGRESULT PGresult *res =
            odks_db_exec(f->m->db, "refused", sql.data, 1, params, f->m->err);
        if (res == NULL)
            return false;
        *more = odks_db_int64(res, 0, 0) > 0;
    }
    return true;
}

static bool
is_stored(struct finder *f, bool *stored)
{
    const char *const params[] = { f->part->submission[0].id };
    CLEANUP_PGRESULT PGresult *res = odks_db_exec(
        f->m->db, "refused", f->m->b->sql->stored, 1, params, f->m->err);

    *stored = res != NULL && odks_db_bool(res, 0, 0);
    return res != NULL;
}

/* Without what is blank; what did not fit before that stays on record. */
static bool
store_rest(struct finder *f)
{
    CLEANUP_SLICE struct odks_batch *part =
        odks_batch_slice(f->m->b, f->at, f->at + 1);

    odks_cells_blank(&f->cells, part);
    add_rejects(f, part, "refused", 0); /* sql/queries/reject_refused.sql */
    return odks_merge_try(f->m, part, false, &f->refused, &f->last);
}

/* What a privacy rule that came later forbids does not stay: set it to NULL. */
static bool
empty_stale(struct finder *f, size_t i)
{
    const struct odks_model *model = f->part->conf.model;
    const struct odks_table *table = model->table[i];
    const char *const params[] = { f->part->submission[0].id };
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = f->m->db, .buf = &sql };

    if (!table->wanted || table->stale_count == 0)
        return true;
    odks_sql_add(&t, "UPDATE ");
    odks_sql_table(&t, model->schema, table->name);
    odks_sql_add(&t, " SET _synced_at = clock_timestamp()");
    for (size_t k = 0; k < table->stale_count; k++) {
        odks_sql_add(&t, ", ");
        odks_sql_ident(&t, table->column[table->stale[k]].name);
        odks_sql_add(&t, " = NULL");
    }
    odks_sql_add(&t, i == 0 ? " WHERE _id = $1" : " WHERE _submission_id = $1");
    if (!odks_sql_done(&t, f->m->err))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(f->m->db, "privacy", sql.data, 1, params, f->m->err);
    return res != NULL;
}

static bool
mark_deleted(struct finder *f, const char *deleted)
{
    const char *const params[] = { f->part->submission[0].id, deleted };
    const char *mark = f->m->b->sql->mark_deleted;

    if (mark == NULL)
        return true;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(f->m->db, "refused", mark, 2, params, f->m->err);
    return res != NULL;
}

/*
 * The row stays as it is, or stays away. Only whether it is deleted is taken
 * from the new one, so that the count of live rows is that of Central.
 */
static bool
keep_stored(struct finder *f, bool stored)
{
    CLEANUP_SLICE struct odks_batch *part =
        odks_batch_slice(f->m->b, f->at, f->at + 1);
    CLEANUP_FREE const char *deleted = deleted_at(f);
    int64_t added;

    odks_copy_cut(&part->lines[part->lines_count - 1], 0);
    if (stored)
        add_rejects(f, part, "refused, and the earlier row stays", 0);
    else if (deleted == NULL)
        add_rejects(f, part, "refused, and not stored",
                    part->submission[0].submitted);
    f->refused = false;
    for (size_t i = 0; stored && i < part->conf.model->table_count; i++) {
        if (!empty_stale(f, i))
            return false;
    }
    if (stored && !mark_deleted(f, deleted))
        return false;
    f->m->counts.unchanged += stored;
    return odks_merge_record(f->m, part, &added);
}

static bool
count_refused(struct finder *f)
{
    const char *const params[] = { f->part->conf.sync_type,
                                   f->part->submission[0].id };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(f->m->db, &odks_sql_reject_refused, params, f->m->err);

    if (res == NULL)
        return false;
    f->partial = odks_db_bool(res, 0, 1);
    if (odks_db_int64(res, 0, 0) > 0)
        return true;
    f->m->counts.refused++;
    odks_utf8_format(f->m->counts.refusal, sizeof(f->m->counts.refusal), "%s",
                     f->refusal.message);
    return true;
}

/* Did a privacy rule come to the rows that are stored? It goes first. */
static bool
has_stale(const struct odks_model *model)
{
    for (size_t i = 0; i < model->table_count; i++) {
        if (model->table[i]->stale_count > 0)
            return true;
    }
    return false;
}

static bool
deal_with(struct finder *f, bool *refused)
{
    bool stored, more = true;

    *refused = false;
    if (!odks_merge_try(f->m, f->part, false, &f->refused, &f->refusal))
        return false;
    if (!f->refused) /* it is all right since others were brought in */
        return true;
    odks_cells_find(&f->cells, f->part);
    if (!count_refused(f) || !find_named(f) || (f->refused && !find_any(f))
        || !is_stored(f, &stored) || (stored && !holds_more(f, &more)))
        return false;
    bool keep = stored && more && !has_stale(f->part->conf.model);
    bool ok = f->none || keep ? keep_stored(f, stored) : store_rest(f);
    *refused = f->refused;
    return ok;
}

bool
odks_merge_refused(struct odks_merge_run *m, size_t at, bool *refused)
{
    struct finder f = { .m = m,
                        .at = at,
                        .part = odks_batch_slice(m->b, at, at + 1) };
    bool ok = deal_with(&f, refused);

    odks_cells_clear(&f.cells);
    odks_batch_free_slice(f.part);
    return ok;
}
