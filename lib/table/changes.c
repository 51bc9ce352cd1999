/* lib/table/changes.c - SPDX-License-Identifier: Apache-2.0 */
/* What a plan changes, for people: in a line, and in odk_sync_schema_log. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "sql/queries.h"
#include "table/plan.h"

/* A list in a text of limited length: "3 new columns: a, b, ...". */
struct summary {
    char *text;
    size_t size, len;
};

static void
say(struct summary *s, const char *text)
{
    odks_utf8_format(s->text + s->len, s->size - s->len, "%s", text);
    s->len += strlen(s->text + s->len);
}

static void
say_count(struct summary *s, size_t count, const char *one, const char *many)
{
    char number[32];

    (void) snprintf(number, sizeof(number), "%s%zu ", s->len > 0 ? "; " : "",
                    count);
    say(s, number);
    say(s, count == 1 ? one : many);
}

static bool
is_added(const struct odks_plan *plan, const struct odks_planned *p)
{
    return p->state == ODKS_NEW && !plan->new_table[p->table];
}

static void
count_changes(const struct odks_plan *plan, struct odks_model_changes *changes)
{
    for (size_t i = 0; i < plan->model->table_count; i++)
        changes->tables += plan->new_table[i];
    for (size_t i = 0; i < plan->count; i++)
        changes->columns += is_added(plan, &plan->column[i]);
}

/* What a person should mend in the form. */
static void
warn(const struct odks_plan *plan, struct odks_model_changes *changes)
{
    struct summary s = { changes->warning, sizeof(changes->warning), 0 };

    if (plan->missed_count > 0) {
        say_count(&s, plan->missed_count, "question has", "questions have");
        say(&s, " no column, for the table is full: ");
        say(&s, plan->model->raw ? "only in _raw" : "with raw = yes in _raw");
    }
    const char *unused = odks_plan_unused_rule(plan);
    if (unused != NULL) {
        say(&s, s.len > 0 ? "; \"" : "\"");
        say(&s, unused);
        say(&s, "\" names no question of the form any more: has it another "
                "name?");
    }
}

void
odks_plan_summarize(const struct odks_plan *plan,
                    struct odks_model_changes *changes)
{
    struct summary s = { changes->summary, sizeof(changes->summary), 0 };
    const char *between = ": ";

    count_changes(plan, changes);
    if (changes->tables > 0)
        say_count(&s, (size_t) changes->tables, "new table", "new tables");
    for (size_t i = 0; i < plan->model->table_count; i++) {
        if (!plan->new_table[i])
            continue;
        say(&s, between);
        say(&s, plan->model->table[i]->name);
        between = ", ";
    }
    between = ": ";
    if (changes->columns > 0)
        say_count(&s, (size_t) changes->columns, "new column", "new columns");
    for (size_t i = 0; i < plan->count; i++) {
        const struct odks_planned *p = &plan->column[i];
        if (!is_added(plan, p))
            continue;
        say(&s, between);
        say(&s, plan->model->table[p->table]->column[p->column].name);
        between = ", ";
    }
    size_t back = 0;
    for (size_t i = 0; i < plan->count; i++)
        back += plan->column[i].state == ODKS_BACK;
    if (back > 0)
        say_count(&s, back, "column in use again", "columns in use again");
    if (plan->retired_count > 0)
        say_count(&s, plan->retired_count, "column out of use",
                  "columns out of use");
    warn(plan, changes);
}

static void
add(struct json_object *object, const char *key, const char *value)
{
    (void) json_object_object_add(object, key, json_object_new_string(value));
}

static void
log_change(struct json_object *rows, const char *table, const char *change,
           const char *detail)
{
    struct json_object *row = json_object_new_object();

    add(row, "table_name", table);
    add(row, "change", change);
    add(row, "detail", detail);
    (void) json_object_array_add(rows, row);
}

static void
log_columns(struct json_object *rows, const struct odks_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct odks_planned *p = &plan->column[i];
        const struct odks_table *table = plan->model->table[p->table];
        const struct odks_column *column = &table->column[p->column];

        if (p->state == ODKS_KNOWN
            || (p->state == ODKS_NEW && plan->new_table[p->table]))
            continue;
        CLEANUP_FREE char *detail = odks_xasprintf(
            "%s %s for %s", column->name, column->pg_type,
            p->field != NULL ? p->field->path : "the answers as they came");
        log_change(rows, table->name,
                   p->state == ODKS_NEW ? "new column" : "column in use again",
                   detail);
    }
}

bool
odks_plan_log(struct odks_db *db, const struct odks_model_conf *conf,
              const struct odks_plan *plan, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *rows = json_object_new_array();

    for (size_t i = 0; i < plan->model->table_count; i++) {
        const struct odks_table *table = plan->model->table[i];
        if (plan->new_table[i])
            log_change(rows, table->name, "new table", table->odata);
    }
    log_columns(rows, plan);
    for (size_t i = 0; i < plan->retired_count; i++) {
        int at = plan->retired[i];
        const char *column = odks_registry_get(&plan->reg, at, ODKS_REG_COLUMN);

        log_change(rows, odks_registry_get(&plan->reg, at, ODKS_REG_NAME),
                   *column != '\0' ? "column out of use" : "table out of use",
                   column);
    }
    for (size_t i = 0; i < plan->missed_count; i++)
        log_change(rows, plan->model->table[plan->missed[i].table]->name,
                   "no room for a column", plan->missed[i].field->path);
    if (json_object_array_length(rows) == 0)
        return true;
    const char *const params[] = { conf->sync_type, conf->form_version,
                                   json_object_get_string(rows) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_table_log, params, err);
    return res != NULL;
}
