/* lib/table/ddl.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/plan.h"
#include "table/sqltext.h"
#include "table/system.h"

/*
 * Of several tables: together well below deadlock_timeout, 1 s, after which it
 * might be a reader that gives way to us. The rest is for a server that does
 * not come to it at once.
 */
enum { FIRST_LOCK_MS = 400, FURTHER_LOCKS_MS = 150, DEADLOCK_MS = 1000 };
static_assert(FIRST_LOCK_MS + FURTHER_LOCKS_MS <= DEADLOCK_MS * 2 / 3,
              "a reader could be the one that gives way");

/* What a system column has beside its type. */
static const char *
constraint(const struct odks_table *table, const char *created,
           const char *name)
{
    if (strcmp(name, "_id") == 0)
        return " PRIMARY KEY";
    if (table->parent != NULL || strcmp(name, created) == 0)
        return " NOT NULL";
    return "";
}

static void
add_column_list(struct odks_sqltext *t, const struct odks_table *table,
                const char *created)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct odks_column *column = &table->column[i];

        if (i == table->system_count)
            odks_sql_add(t, "    _synced_at timestamptz NOT NULL"
                            " DEFAULT clock_timestamp(),\n");
        odks_sql_add(t, "    ");
        odks_sql_ident(t, column->name);
        odks_sql_add(t, " ");
        odks_sql_add(t, column->pg_type);
        if (i < table->system_count)
            odks_sql_add(t, constraint(table, created, column->name));
        odks_sql_add(t, i + 1 < table->column_count ? ",\n" : "");
    }
    if (table->column_count == table->system_count)
        odks_sql_add(t, ",\n    _synced_at timestamptz NOT NULL"
                        " DEFAULT clock_timestamp()");
}

/*
 * The parent of a first-level repeat is its submission: one index serves
 * both. The partial index is what counts the live rows.
 */
static void
create_indexes(struct odks_sqltext *t, const char *schema,
               const struct odks_table *table, const char *created)
{
    CLEANUP_FREE char *live =
        odks_xasprintf(" (%s) WHERE _deleted_at IS NULL;\n", created);

    odks_sql_add(t, "CREATE INDEX ON ");
    odks_sql_table(t, schema, table->name);
    odks_sql_add(t, table->parent == NULL ? live
                                          : " (_submission_id, _position);\n");
    if (table->parent == NULL || table->parent->parent == NULL)
        return;
    odks_sql_add(t, "CREATE INDEX ON ");
    odks_sql_table(t, schema, table->name);
    odks_sql_add(t, " (_parent_id);\n");
}

static void
create_table(struct odks_sqltext *t, const struct odks_model_conf *conf,
             const struct odks_table *table)
{
    const char *created = odks_system(conf->feed)->created;
    CLEANUP_FREE char *comment =
        odks_xasprintf("odk-sync: %s of %s %s, project %" PRId64 " of %s",
                       table->odata, odks_feed_names(conf->feed)->what,
                       conf->form_id, conf->project, conf->central);

    odks_sql_add(t, "CREATE TABLE ");
    odks_sql_table(t, conf->schema, table->name);
    odks_sql_add(t, " (\n");
    add_column_list(t, table, created);
    odks_sql_add(t, "\n);\n");
    create_indexes(t, conf->schema, table, created);
    odks_sql_add(t, "COMMENT ON TABLE ");
    odks_sql_table(t, conf->schema, table->name);
    odks_sql_add(t, " IS ");
    odks_sql_literal(t, comment);
    odks_sql_add(t, ";\n");
    if (table->parent == NULL)
        return;
    odks_sql_add(t, "COMMENT ON COLUMN ");
    odks_sql_table(t, conf->schema, table->name);
    odks_sql_add(t, "._position IS 'from 1, within its parent';\n");
}

static void
add_columns(struct odks_sqltext *t, const struct odks_plan *plan, size_t i)
{
    const struct odks_table *table = plan->model->table[i];
    const char *between = " ADD COLUMN ";

    for (size_t k = 0; k < plan->count; k++) {
        const struct odks_planned *p = &plan->column[k];
        const struct odks_column *column = &table->column[p->column];

        if (p->table != i || p->state != ODKS_NEW)
            continue;
        if (between[0] == ' ') {
            odks_sql_add(t, "ALTER TABLE ");
            odks_sql_table(t, plan->model->schema, table->name);
        }
        odks_sql_add(t, between);
        odks_sql_ident(t, column->name);
        odks_sql_add(t, " ");
        odks_sql_add(t, column->pg_type);
        between = ",\n    ADD COLUMN ";
    }
    if (between[0] != ' ')
        odks_sql_add(t, ";\n");
}

static void
comment_columns(struct odks_sqltext *t, const struct odks_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct odks_planned *p = &plan->column[i];
        const struct odks_table *table = plan->model->table[p->table];

        if (p->state != ODKS_NEW)
            continue;
        CLEANUP_FREE char *comment =
            p->field != NULL
                ? odks_xasprintf("%s (%s%s%s)", p->field->path,
                                 odks_planned_type(p),
                                 p->part[0] != '\0' ? ", " : "", p->part)
                : odks_xasprintf("the %s as Central sent it",
                                 odks_feed_names(plan->model->feed)->row);
        odks_sql_add(t, "COMMENT ON COLUMN ");
        odks_sql_table(t, plan->model->schema, table->name);
        odks_sql_add(t, ".");
        odks_sql_ident(t, table->column[p->column].name);
        odks_sql_add(t, " IS ");
        odks_sql_literal(t, comment);
        odks_sql_add(t, ";\n");
    }
}

bool
odks_ddl_tables(struct odks_db *db, const struct odks_model_conf *conf,
                const struct odks_plan *plan, struct odks_buf *ddl)
{
    struct odks_sqltext t = { .db = db, .buf = ddl };

    for (size_t i = 0; i < plan->model->table_count; i++) {
        if (plan->new_table[i])
            create_table(&t, conf, plan->model->table[i]);
        else
            add_columns(&t, plan, i);
    }
    comment_columns(&t, plan);
    return !t.failed;
}

static bool
gets_columns(const struct odks_plan *plan, size_t table)
{
    for (size_t k = 0; k < plan->count; k++) {
        if (plan->column[k].table == table && plan->column[k].state == ODKS_NEW)
            return !plan->new_table[table];
    }
    return false;
}

bool
odks_ddl_locks(struct odks_db *db, const struct odks_plan *plan,
               struct odks_buf *ddl)
{
    struct odks_sqltext t = { .db = db, .buf = ddl };
    size_t count = 0, locked = 0;

    for (size_t i = 0; i < plan->model->table_count; i++)
        count += gets_columns(plan, i);
    if (count < 2)
        return true; /* ALTER TABLE locks it */
    CLEANUP_FREE char *first =
        odks_xasprintf("SET LOCAL lock_timeout = '%dms';\n", FIRST_LOCK_MS);
    CLEANUP_FREE char *further = odks_xasprintf(
        "SET LOCAL lock_timeout = '%zums';\n", FURTHER_LOCKS_MS / count + 1);
    odks_sql_add(&t, first);
    for (size_t i = plan->model->table_count; i-- > 0;) {
        if (!gets_columns(plan, i))
            continue;
        odks_sql_add(&t, locked++ == 1 ? further : "");
        odks_sql_add(&t, "LOCK TABLE ");
        odks_sql_table(&t, plan->model->schema, plan->model->table[i]->name);
        odks_sql_add(&t, " IN ACCESS EXCLUSIVE MODE;\n");
    }
    return !t.failed;
}
