/* lib/table/mergesql.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "table/mergesql.h"

void
odks_maker_add(struct odks_maker *m, const char *text)
{
    odks_sql_add(&m->t, text);
}

void
odks_maker_add_stage(struct odks_maker *m, size_t i)
{
    CLEANUP_FREE char *name = odks_xasprintf(STAGE "%zu", i);

    odks_maker_add(m, name);
}

void
odks_maker_add_table(struct odks_maker *m, size_t i)
{
    odks_sql_table(&m->t, m->model->schema, m->model->table[i]->name);
}

/* What the lines of a table hold: its columns, or just the ids. */
static size_t
line_columns(const struct odks_table *table)
{
    return table->wanted ? table->column_count : 1;
}

/* prefix."a", prefix."b"... */
static void
add_columns(struct odks_maker *m, const struct odks_table *table,
            const char *prefix, size_t first)
{
    for (size_t i = first; i < line_columns(table); i++) {
        odks_maker_add(m, i > first ? ", " : "");
        odks_maker_add(m, prefix);
        odks_sql_ident(&m->t, table->column[i].name);
    }
}

/*
 * The columns behind the first, as what can be compared: a type that a user
 * gave a column may have no operators, or have them out of search_path.
 */
static void
add_comparable(struct odks_maker *m, const struct odks_table *table,
               const char *prefix)
{
    odks_maker_add(m, "ROW(");
    for (size_t i = 1; i < line_columns(table); i++) {
        odks_maker_add(m, i > 1 ? ", " : "");
        odks_maker_add(m, prefix);
        odks_sql_ident(&m->t, table->column[i].name);
        odks_maker_add(m,
                       table->column[i].oid == ODKS_OID_OTHER ? "::text" : "");
    }
    odks_maker_add(m, ")");
}

/* Do the rows s and t differ, apart from the id that joined them? */
static void
add_differ(struct odks_maker *m, const struct odks_table *table)
{
    add_comparable(m, table, "s.");
    odks_maker_add(m, " IS DISTINCT FROM ");
    add_comparable(m, table, "t.");
}

/*
 * Is anything here of the batch, and are the tables all empty? The first id
 * often tells at once. Then counting, not EXISTS: that one believes to find a
 * row soon and may walk through all of a large table.
 */
static void
make_probe(struct odks_maker *m)
{
    bool root = m->model->table[0]->wanted;

    odks_maker_add(m, "SELECT CASE WHEN ");
    if (root) {
        odks_maker_add(m, "EXISTS (SELECT FROM ");
        odks_maker_add_table(m, 0);
        odks_maker_add(m, " WHERE _id = $2) THEN 1 WHEN ");
    }
    odks_maker_add(
        m,
        "$2 = '' THEN 0 ELSE (SELECT count(*) FROM {schema}.odk_sync_reject r"
        " WHERE ");
    odks_maker_our_rejects(m);
    odks_maker_add(m, " AND submission_id = ANY ($1::text[]))");
    for (size_t i = 0; i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, " + (SELECT count(*) FROM ");
        odks_maker_add_table(m, i);
        odks_maker_add(m, i == 0 ? " WHERE _id = ANY ($1::text[]))"
                                 : " WHERE _submission_id = ANY ($1::text[]))");
    }
    /* without their submissions no key guards the repeats */
    odks_maker_add(m, root ? " END, true" : " END, false");
    for (size_t i = 0; root && i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, " AND NOT EXISTS (SELECT FROM ");
        odks_maker_add_table(m, i);
        odks_maker_add(m, ")");
    }
}

/*
 * For the time of a merge: values without a zone are read in that of the job,
 * and no plan of ours is worth compiling.
 */
static void
make_enter(struct odks_maker *m)
{
    if (m->conf->timezone != NULL) {
        odks_maker_add(m, "SET LOCAL timezone = ");
        odks_sql_literal(&m->t, m->conf->timezone);
        odks_maker_add(m, "; ");
    }
    odks_maker_add(m, "SET LOCAL jit = off; SAVEPOINT " ODKS_MERGE_SAVEPOINT);
}

static void
make_stage_table(struct odks_maker *m, size_t i)
{
    const struct odks_table *table = m->model->table[i];

    odks_maker_add(m, "DROP TABLE IF EXISTS ");
    odks_maker_add_stage(m, i);
    odks_maker_add(m, ";\nCREATE TEMPORARY TABLE ");
    odks_maker_add_stage(m, i);
    if (!table->wanted) {
        odks_maker_add(m, " (_id text) ON COMMIT DROP;\n");
        return;
    }
    /* the types of the table as they are, in no words */
    odks_maker_add(m, " ON COMMIT DROP AS SELECT ");
    add_columns(m, table, "", 0);
    odks_maker_add(m, " FROM ");
    odks_maker_add_table(m, i);
    odks_maker_add(m, " WITH NO DATA;\n");
}

/* A transaction may merge more than once: what is left goes first. */
static void
make_stage(struct odks_maker *m)
{
    for (size_t i = 0; i < m->model->table_count; i++) {
        if (i == 0 || m->model->table[i]->wanted)
            make_stage_table(m, i);
    }
    odks_maker_add(
        m, "DROP TABLE IF EXISTS " CHANGED ", " REJECTS ";\n"
           "CREATE TEMPORARY TABLE " REJECTS " (kept boolean,"
           " sync_type text, table_name text, submission_id text, row_id text, "
           "path text,"
           " column_name text, reason text, value text, refused boolean,"
           " constraint_name text, submitted_at timestamptz) ON COMMIT DROP");
}

/*
 * Submissions of which a row of this repeat is new, differs or is no more.
 * OFFSET 0 keeps the planner from reading all of a table for one batch: rows
 * of the tables are looked up by index, here and below.
 */
static void
add_differing_repeats(struct odks_maker *m, size_t i)
{
    odks_maker_add(
        m, "SELECT DISTINCT coalesce(s._submission_id, t._submission_id) AS"
           " _id FROM ");
    odks_maker_add_stage(m, i);
    odks_maker_add(m, " s\n    FULL JOIN (SELECT r.* FROM " STAGE "0 i"
                      " CROSS JOIN LATERAL (SELECT * FROM ");
    odks_maker_add_table(m, i);
    odks_maker_add(
        m, " r WHERE r._submission_id = i._id OFFSET 0) r) t\n"
           "    ON t._id = s._id WHERE s._id IS NULL OR t._id IS NULL OR ");
    add_differ(m, m->model->table[i]);
}

/* Submissions of which any repeat differs, as d._id. */
static void
add_differing(struct odks_maker *m)
{
    const char *between = "\nLEFT JOIN (";

    for (size_t i = 1; i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, between);
        add_differing_repeats(m, i);
        between = "\nUNION ";
    }
    odks_maker_add(m, between[1] == 'U' ? ") d ON d._id = s._id" : "");
}

static void
add_changed(struct odks_maker *m)
{
    const struct odks_table *root = m->model->table[0];
    size_t repeats = 0;

    for (size_t i = 1; i < m->model->table_count; i++)
        repeats += m->model->table[i]->wanted;
    odks_maker_add(m, "CREATE TEMPORARY TABLE " CHANGED
                      " ON COMMIT DROP AS SELECT s._id,"
                      " ");
    odks_maker_add(m, root->wanted
                          ? "t._id IS NOT NULL AS old, t._deleted_at IS NULL"
                            " AND s._deleted_at IS NOT NULL AND t._id IS NOT"
                            " NULL AS died"
                          : "true AS old, false AS died");
    odks_maker_add(m, "\nFROM " STAGE "0 s");
    if (root->wanted) {
        odks_maker_add(m, " LEFT JOIN LATERAL (SELECT * FROM ");
        odks_maker_add_table(m, 0);
        odks_maker_add(m, " t WHERE t._id = s._id OFFSET 0) t ON true");
    }
    add_differing(m);
    odks_maker_add(m, "\nWHERE ");
    if (root->wanted) {
        odks_maker_add(m, "t._id IS NULL OR ");
        add_differ(m, root);
        odks_maker_add(m, repeats > 0 ? "\nOR " : "");
    }
    odks_maker_add(m, repeats > 0 ? "d._id IS NOT NULL;\n" : ";\n");
}

static void
add_replace_repeat(struct odks_maker *m, size_t i)
{
    const struct odks_table *table = m->model->table[i];

    odks_maker_add(m, "DELETE FROM ");
    odks_maker_add_table(m, i);
    odks_maker_add(m, " r USING " CHANGED " c WHERE r._submission_id = c._id;\n"
                      "INSERT INTO ");
    odks_maker_add_table(m, i);
    odks_maker_add(m, " (");
    add_columns(m, table, "", 0);
    odks_maker_add(m, ") SELECT ");
    add_columns(m, table, "", 0);
    odks_maker_add(m, " FROM ");
    odks_maker_add_stage(m, i);
    odks_maker_add(m, "\nWHERE _submission_id IN (SELECT _id FROM " CHANGED
                      ");\n");
}

static void
add_upsert(struct odks_maker *m)
{
    const struct odks_table *root = m->model->table[0];

    odks_maker_add(m, "INSERT INTO ");
    odks_maker_add_table(m, 0);
    odks_maker_add(m, " (");
    add_columns(m, root, "", 0);
    odks_maker_add(m, ") SELECT ");
    add_columns(m, root, "", 0);
    odks_maker_add(
        m, " FROM " STAGE "0\nWHERE _id IN (SELECT _id FROM " CHANGED ")\n"
           "ON CONFLICT (_id) DO UPDATE SET _synced_at = clock_timestamp()");
    for (size_t i = 1; i < root->column_count; i++) {
        odks_maker_add(m, ", ");
        odks_sql_ident(&m->t, root->column[i].name);
        odks_maker_add(m, " = excluded.");
        odks_sql_ident(&m->t, root->column[i].name);
    }
    odks_maker_add(m, ";\n");
}

/* What did not fit in any of these submissions, changed or not. */
static void
add_replace_rejects(struct odks_maker *m)
{
    odks_maker_add(m, "DELETE FROM {schema}.odk_sync_reject r WHERE ");
    odks_maker_our_rejects(m);
    odks_maker_add(m, "\nAND submission_id IN (SELECT _id FROM " STAGE "0)"
                      " AND NOT EXISTS (SELECT FROM " REJECTS
                      " s WHERE " SAME_REJECT ");\n");
    odks_maker_new_rejects(m);
}

/* new, changed, deleted, repeat rows, new rejects, new doubts */
static void
add_counts(struct odks_maker *m)
{
    odks_maker_add(m, "SELECT count(*) FILTER (WHERE NOT old),"
                      " count(*) FILTER (WHERE old AND NOT died),"
                      " count(*) FILTER (WHERE died), 0");
    for (size_t i = 1; i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, "\n+ (SELECT count(*) FROM ");
        odks_maker_add_stage(m, i);
        odks_maker_add(m, " WHERE _submission_id IN (SELECT _id FROM " CHANGED
                          "))");
    }
    odks_maker_add(m, ",\n(SELECT count(*) FROM " REJECTS " WHERE NOT kept),"
                      " (SELECT count(*) FROM " REJECTS
                      " WHERE kept) FROM " CHANGED);
}

static void
make_apply(struct odks_maker *m)
{
    add_changed(m);
    for (size_t i = 1; i < m->model->table_count; i++) {
        if (m->model->table[i]->wanted)
            add_replace_repeat(m, i);
    }
    if (m->model->table[0]->wanted)
        add_upsert(m);
    add_replace_rejects(m);
    add_counts(m);
}

static void
make_copies(struct odks_maker *m, struct odks_merge_sql *sql)
{
    size_t rejects = m->model->table_count;

    for (size_t i = 0; i < rejects; i++) {
        const struct odks_table *table = m->model->table[i];

        if (i == 0 || table->wanted) {
            odks_maker_add(m, "COPY ");
            odks_maker_add_stage(m, i);
            odks_maker_add(m, " FROM STDIN");
            sql->copy_stage[i] = odks_maker_take(m);
        }
        if (table->wanted) {
            odks_maker_add(m, "COPY ");
            odks_maker_add_table(m, i);
            odks_maker_add(m, " (");
            add_columns(m, table, "", 0);
            odks_maker_add(m, ") FROM STDIN");
            sql->copy_table[i] = odks_maker_take(m);
        }
    }
    sql->copy_stage[rejects] = odks_xstrdup("COPY " REJECTS " FROM STDIN");
    sql->copy_table[rejects] = odks_xstrdup(
        "COPY {schema}.odk_sync_reject (" REJECT_COLUMNS ") FROM STDIN");
}

bool
odks_merge_sql_make(struct odks_db *db, const struct odks_batch *b,
                    struct odks_merge_sql **sql, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf buf = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_maker m = { .t = { .db = db, .buf = &buf },
                            .model = b->conf.model,
                            .conf = &b->conf };
    struct odks_merge_sql *new = odks_xcalloc(1, sizeof(*new));

    *sql = NULL;
    new->count = b->lines_count;
    new->copy_stage = odks_xcalloc(new->count, sizeof(char *));
    new->copy_table = odks_xcalloc(new->count, sizeof(char *));
    new->forget =
        odks_xcalloc(new->count + m.model->retired_count, sizeof(char *));
    make_probe(&m);
    new->probe = odks_maker_take(&m);
    make_enter(&m);
    new->enter = odks_maker_take(&m);
    make_stage(&m);
    new->stage = odks_maker_take(&m);
    make_apply(&m);
    new->apply = odks_maker_take(&m);
    make_copies(&m, new);
    odks_maker_keep(&m, new);
    odks_maker_forget(&m, new);
    odks_maker_refused(&m, new);
    if (!odks_sql_done(&m.t, err)) {
        odks_merge_sql_free(new);
        return false;
    }
    *sql = new;
    return true;
}

void
odks_merge_sql_free(struct odks_merge_sql *sql)
{
    if (sql == NULL)
        return;
    for (size_t i = 0; i < sql->count; i++) {
        free(sql->copy_stage[i]);
        free(sql->copy_table[i]);
    }
    for (size_t i = 0; sql->forget[i] != NULL; i++)
        free(sql->forget[i]);
    for (size_t i = 0; sql->keep[i] != NULL; i++)
        free(sql->keep[i]);
    free(sql->keep);
    free(sql->copy_stage);
    free(sql->copy_table);
    free(sql->forget);
    free(sql->forget_rejects);
    free(sql->stored);
    free(sql->mark_deleted);
    free(sql->open_gone);
    free(sql->add_rejects);
    free(sql->probe);
    free(sql->enter);
    free(sql->stage);
    free(sql->apply);
    free(sql);
}
