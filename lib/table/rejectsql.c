/* lib/table/rejectsql.c - SPDX-License-Identifier: Apache-2.0 */
/* Statements about rejects, and about submissions that go, or stay away. */
#include <config.h>

#include <string.h>

#include "core/mem.h"
#include "table/mergesql.h"

char *
odks_maker_take(struct odks_maker *m)
{
    char *text = odks_xstrdup(m->t.buf->data != NULL ? m->t.buf->data : "");

    odks_buf_truncate(m->t.buf, 0);
    return text;
}

/* The names of the tables that we write, as literals: "'a', 'b'". */
static void
add_wanted_names(struct odks_maker *m)
{
    const char *between = "";

    for (size_t i = 0; i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, between);
        odks_sql_literal(&m->t, m->model->table[i]->name);
        between = ", ";
    }
}

void
odks_maker_our_rejects(struct odks_maker *m)
{
    odks_maker_add(m, "r.sync_type = ");
    odks_sql_literal(&m->t, m->conf->sync_type);
    odks_maker_add(m, " AND r.table_name IN (");
    add_wanted_names(m);
    odks_maker_add(m, ")");
}

void
odks_maker_new_rejects(struct odks_maker *m)
{
    odks_maker_add(m, "DELETE FROM " REJECTS
                      " s USING {schema}.odk_sync_reject r WHERE ");
    odks_maker_our_rejects(m);
    odks_maker_add(m, " AND " SAME_REJECT ";\n"
                      "INSERT INTO {schema}.odk_sync_reject (" REJECT_COLUMNS
                      ") SELECT " REJECT_COLUMNS " FROM " REJECTS ";\n");
}

/* Children first; with them the repeats that the form has no more. */
void
odks_maker_forget(struct odks_maker *m, struct odks_merge_sql *sql)
{
    size_t n = 0;

    for (size_t i = 0; i < m->model->retired_count; i++) {
        odks_maker_add(m, "DELETE FROM ");
        odks_sql_table(&m->t, m->model->schema, m->model->retired[i]);
        odks_maker_add(m, " WHERE _submission_id = ANY ($1::text[])");
        sql->forget[n++] = odks_maker_take(m);
    }
    for (size_t i = m->model->table_count; i-- > 0;) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, "DELETE FROM ");
        odks_maker_add_table(m, i);
        odks_maker_add(m, i > 0 ? " WHERE _submission_id = ANY ($1::text[])"
                                : " WHERE _id = ANY ($1::text[])");
        sql->forget[n++] = odks_maker_take(m);
    }
    odks_maker_add(m, "DELETE FROM {schema}.odk_sync_reject r WHERE ");
    odks_maker_our_rejects(m);
    odks_maker_add(m, " AND submission_id = ANY ($1::text[])");
    sql->forget_rejects = odks_maker_take(m);
}

/* For a submission that PostgreSQL refuses, or that no table can hold. */
void
odks_maker_refused(struct odks_maker *m, struct odks_merge_sql *sql)
{
    odks_maker_add(m, "SELECT false");
    for (size_t i = 0; i < m->model->table_count; i++) {
        if (!m->model->table[i]->wanted)
            continue;
        odks_maker_add(m, " OR EXISTS (SELECT FROM ");
        odks_maker_add_table(m, i);
        odks_maker_add(m, i == 0 ? " WHERE _id = $1)"
                                 : " WHERE _submission_id = $1)");
    }
    sql->stored = odks_maker_take(m);
    if (m->model->table[0]->wanted) {
        odks_maker_add(m, "UPDATE ");
        odks_maker_add_table(m, 0);
        odks_maker_add(m, " SET _deleted_at = $2::timestamptz,"
                          " _synced_at = clock_timestamp() WHERE _id = $1"
                          " AND _deleted_at IS DISTINCT FROM $2::timestamptz");
        sql->mark_deleted = odks_maker_take(m);
    }
    odks_maker_add(m, "DELETE FROM {schema}.odk_sync_reject r WHERE ");
    odks_maker_our_rejects(m);
    odks_maker_add(m, " AND r.submission_id = $1"
                      " AND (r.refused OR r.submitted_at IS NOT NULL)"
                      " AND NOT EXISTS (SELECT FROM " REJECTS
                      " s WHERE " SAME_REJECT ")");
    sql->open_gone = odks_maker_take(m);
    odks_maker_new_rejects(m);
    sql->add_rejects = odks_maker_take(m);
}
