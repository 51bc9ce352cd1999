/* lib/table/keepsql.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Central does not hand out the XML of a deleted submission, and so it arrives
 * without the answers that only the XML has. The stored answers are kept: these
 * statements replace what is staged with what is stored.
 */
#include <config.h>

#include "core/mem.h"
#include "table/mergesql.h"
#include "table/system.h"

static void
add(struct odks_maker *m, const char *text)
{
    odks_sql_add(&m->t, text);
}

static void
add_stage(struct odks_maker *m, size_t i)
{
    CLEANUP_FREE char *name = odks_xasprintf(STAGE "%zu", i);

    add(m, name);
}

static void
add_table(struct odks_maker *m, size_t i)
{
    odks_sql_table(&m->t, m->model->schema, m->model->table[i]->name);
}

static void
add_columns(struct odks_maker *m, size_t i)
{
    const struct odks_table *table = m->model->table[i];

    for (size_t c = 0; c < table->column_count; c++) {
        add(m, c > 0 ? ", " : "");
        odks_sql_ident(&m->t, table->column[c].name);
    }
}

/* "a" = t."a", "b" = t."b"...: the answers, and _raw except for __system. */
static void
add_stored_answers(struct odks_maker *m)
{
    const struct odks_table *table = m->model->table[0];
    size_t first = odks_system(m->model->feed)->count;

    for (size_t i = first; i < table->column_count; i++) {
        add(m, i > first ? ", " : "");
        odks_sql_ident(&m->t, table->column[i].name);
        add(m, " = ");
        if (i < table->system_count) {
            add(m, "CASE WHEN s._raw IS NOT NULL THEN t._raw ||"
                   " jsonb_build_object('__system', s._raw -> '__system') END");
            continue;
        }
        add(m, "t.");
        odks_sql_ident(&m->t, table->column[i].name);
    }
}

/* Two statements: the staged rows go, and the stored rows come. */
static void
make_repeat(struct odks_maker *m, size_t i, char **keep)
{
    bool root = m->model->table[0]->wanted;

    add(m, "DELETE FROM ");
    add_stage(m, i);
    add(m, " s WHERE s._submission_id = ANY ($1::text[])"
           " AND EXISTS (SELECT FROM ");
    add_table(m, root ? 0 : i);
    add(m, root ? " t WHERE t._id = s._submission_id)"
                : " t WHERE t._submission_id = s._submission_id)");
    keep[0] = odks_maker_take(m);
    add(m, "INSERT INTO ");
    add_stage(m, i);
    add(m, " (");
    add_columns(m, i);
    add(m, ") SELECT ");
    add_columns(m, i);
    add(m, " FROM ");
    add_table(m, i);
    add(m, " WHERE _submission_id = ANY ($1::text[])");
    keep[1] = odks_maker_take(m);
}

void
odks_maker_keep(struct odks_maker *m, struct odks_merge_sql *sql)
{
    const struct odks_model *model = m->model;
    const struct odks_table *root = model->table[0];
    size_t n = 0;

    sql->keep = odks_xcalloc(2 * model->table_count + 1, sizeof(char *));
    if (root->wanted && root->column_count > odks_system(model->feed)->count) {
        add(m, "UPDATE " STAGE "0 s SET ");
        add_stored_answers(m);
        add(m, " FROM ");
        add_table(m, 0);
        add(m, " t WHERE t._id = s._id AND s._id = ANY ($1::text[])");
        sql->keep[n++] = odks_maker_take(m);
    }
    for (size_t i = 1; i < model->table_count; i++) {
        if (!model->table[i]->wanted)
            continue;
        make_repeat(m, i, &sql->keep[n]);
        n += 2;
    }
}
