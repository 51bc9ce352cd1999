/* lib/table/keepsql.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Central does not provide the XML of a deleted submission, so that answers
 * which are only in the XML are missing from the staged rows. These statements
 * copy the stored answers to the staged rows, so that the merge keeps them.
 */
#include <config.h>

#include "core/mem.h"
#include "table/mergesql.h"
#include "table/system.h"
#include "table/types.h"

/* Was a privacy rule added later? Then the stored answers must not be kept. */
static bool
is_stale(const struct odks_table *table, size_t column)
{
    size_t i = 0;

    while (i < table->stale_count && table->stale[i] != column)
        i++;
    return i < table->stale_count;
}

/* Is the column filled from the XML, or is it _raw? */
static bool
is_kept(const struct odks_table *table, size_t column)
{
    for (size_t i = 0; i < table->target_count; i++) {
        const struct odks_target *target = &table->target[i];

        if (column >= target->column
            && column < target->column + odks_type(target->field->type)->count)
            return target->field->is_shared && !is_stale(table, column);
    }
    return !is_stale(table, column);
}

/* "a" = t."a", "b" = t."b"...: the answers, and _raw except for __system. */
static void
add_stored_answers(struct odks_maker *m)
{
    const struct odks_table *table = m->model->table[0];
    const char *between = " SET ";

    for (size_t i = odks_system(m->model->feed)->count; i < table->column_count;
         i++) {
        if (!is_kept(table, i))
            continue;
        odks_maker_add(m, between);
        odks_sql_ident(&m->t, table->column[i].name);
        between = ", ";
        if (i < table->system_count) {
            odks_maker_add(
                m, " = CASE WHEN s._raw IS NOT NULL THEN t._raw ||"
                   " jsonb_build_object('__system', s._raw -> '__system') END");
            continue;
        }
        odks_maker_add(m, " = t.");
        odks_sql_ident(&m->t, table->column[i].name);
    }
    /* there is nothing to keep */
    odks_maker_add(m, between[0] == ',' ? "" : " SET _id = s._id");
}

/* Is the repeat, or any of its answers, read from the XML? */
static bool
is_from_xml(const struct odks_table *table)
{
    for (size_t i = 0; i < table->target_count; i++) {
        if (table->target[i].field->is_shared)
            return true;
    }
    while (table->parent != NULL && !table->root->is_shared)
        table = table->parent;
    return table->parent != NULL;
}

static void
add_columns(struct odks_maker *m, const struct odks_table *table, bool stored)
{
    for (size_t c = 0; c < table->column_count; c++) {
        odks_maker_add(m, c > 0 ? ", " : "");
        if (stored && is_stale(table, c))
            odks_maker_add(m, "NULL");
        else
            odks_sql_ident(&m->t, table->column[c].name);
    }
}

/* Two statements: delete the staged rows, and copy the stored rows. */
static void
make_repeat(struct odks_maker *m, size_t i, char **keep)
{
    const struct odks_table *table = m->model->table[i];
    bool root = m->model->table[0]->wanted;

    odks_maker_add(m, "DELETE FROM ");
    odks_maker_add_stage(m, i);
    odks_maker_add(m, " s WHERE s._submission_id = ANY ($1::text[])"
                      " AND EXISTS (SELECT FROM ");
    odks_maker_add_table(m, root ? 0 : i);
    odks_maker_add(m, root ? " t WHERE t._id = s._submission_id)"
                           : " t WHERE t._submission_id = s._submission_id)");
    keep[0] = odks_maker_take(m);
    odks_maker_add(m, "INSERT INTO ");
    odks_maker_add_stage(m, i);
    odks_maker_add(m, " (");
    add_columns(m, table, false);
    odks_maker_add(m, ") SELECT ");
    add_columns(m, table, true);
    odks_maker_add(m, " FROM ");
    odks_maker_add_table(m, i);
    odks_maker_add(m, " WHERE _submission_id = ANY ($1::text[])");
    keep[1] = odks_maker_take(m);
}

void
odks_maker_keep(struct odks_maker *m, struct odks_merge_sql *sql)
{
    const struct odks_model *model = m->model;
    size_t n = 0;

    sql->keep = odks_xcalloc(2 * model->table_count + 1, sizeof(char *));
    if (model->table[0]->wanted) {
        odks_maker_add(m, "UPDATE " STAGE "0 s");
        add_stored_answers(m);
        odks_maker_add(m, " FROM ");
        odks_maker_add_table(m, 0);
        odks_maker_add(m,
                       " t WHERE t._id = s._id AND s._id = ANY ($1::text[])");
        sql->keep[n++] = odks_maker_take(m);
    }
    for (size_t i = 1; i < model->table_count; i++) {
        if (!model->table[i]->wanted || !is_from_xml(model->table[i]))
            continue;
        make_repeat(m, i, &sql->keep[n]);
        n += 2;
    }
}
