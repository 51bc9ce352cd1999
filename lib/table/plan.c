/* lib/table/plan.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/rules.h"
#include "table/tree.h"
#include "table/types.h"

static const char *
get(const struct odks_plan *plan, int row, int column)
{
    return odks_registry_get(&plan->reg, row, column);
}

static bool
get_bool(const struct odks_plan *plan, int row, int column)
{
    return get(plan, row, column)[0] == 't';
}

/* Is the configuration at one with where the tables of this form are? */
static bool
check_place(const struct odks_plan *plan, const struct odks_model_conf *conf,
            struct odks_err *err)
{
    if (plan->reg.count == 0)
        return true;
    const char *schema = get(plan, 0, ODKS_REG_SCHEMA);
    if (strcmp(schema, conf->schema) != 0) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "the tables of %s %s are in schema %s, not in %s",
                     odks_feed_names(conf->feed)->what, conf->form_id, schema,
                     conf->schema);
        odks_err_hint(err, "Set schema = %s in [job %s].", schema,
                      conf->sync_type);
        return false;
    }
    const struct odks_feed_names *names = odks_feed_names(conf->feed);
    int row =
        odks_registry_find(&plan->reg, names->table, "", ODKS_REG_TABLE, "");
    const char *name = row >= 0 ? get(plan, row, ODKS_REG_NAME) : NULL;
    if (name != NULL && conf->table != NULL && strcmp(name, conf->table) != 0) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "the %s of %s %s are in table %s, not in %s", names->rows,
                     names->what, conf->form_id, name, conf->table);
        odks_err_hint(err, "Set table = %s in [job %s].", name,
                      conf->sync_type);
        return false;
    }
    return true;
}

/*
 * A table that somebody dropped is made anew if all of them are gone: then
 * the count tells that submissions are missing, and they are read again. With
 * one missing nobody would notice that its rows are.
 */
static bool
find_dropped(struct odks_plan *plan, const struct odks_model_conf *conf,
             struct odks_err *err)
{
    const struct odks_model *model = plan->model;
    const char *missing = NULL, *present = NULL;

    for (size_t i = 0; i < model->table_count; i++) {
        int row = odks_registry_find(&plan->reg, model->table[i]->odata, "",
                                     ODKS_REG_TABLE, "");
        if (row < 0 || !model->table[i]->wanted)
            continue;
        if (get_bool(plan, row, ODKS_REG_PRESENT))
            present = model->table[i]->name;
        else
            missing = model->table[i]->name;
    }
    if (missing == NULL)
        return true;
    if (present == NULL && model->table[0]->wanted) {
        for (size_t i = 0; i < model->table_count; i++)
            plan->new_table[i] = model->table[i]->wanted;
        return true;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG, "table %s.%s is gone", conf->schema,
                 missing);
    odks_err_hint(err,
                  "Restore it, or drop the other tables of %s %s too: then "
                  "all of them are made and filled anew.",
                  odks_feed_names(conf->feed)->what, conf->form_id);
    return false;
}

static void
add_planned(struct odks_plan *plan, size_t table, size_t column,
            const struct odks_field *field, const char *part,
            enum odks_state state)
{
    plan->column = odks_xreallocarray(plan->column, plan->count + 1,
                                      sizeof(*plan->column));
    plan->column[plan->count++] =
        (struct odks_planned){ table, column, field, part, state };
    plan->changed |= state != ODKS_KNOWN;
}

/* Naming within one table. */
struct place {
    struct odks_plan *plan;
    size_t index; /* of the table */
    struct odks_table *table;
    struct odks_fields fields; /* that want a column */
    struct odks_names taken;
    const char **path;
    size_t used; /* columns that the table has or had */
};

static void
clear_place(struct place *at)
{
    free(at->fields.field);
    odks_names_clear(&at->taken);
    free(at->path);
}

/* The name that this field had with another type; NULL if it had none. */
static const char *
name_before(const struct place *at, const struct odks_field *field)
{
    const char *name = NULL;

    for (int row = 0; row < at->plan->reg.count; row++) {
        if (strcmp(get(at->plan, row, ODKS_REG_ODATA), at->table->odata) != 0
            || strcmp(get(at->plan, row, ODKS_REG_PATH), field->path) != 0
            || get(at->plan, row, ODKS_REG_PART)[0] != '\0')
            continue;
        /* the shortest one has no _v2 behind it */
        const char *other = get(at->plan, row, ODKS_REG_COLUMN);
        if (name == NULL || strlen(other) < strlen(name))
            name = other;
    }
    return name;
}

/*
 * The type for a column that is to be made: what PostGIS can hold goes there
 * if it is installed now. The caller frees it.
 */
static char *
choose_type(const struct odks_plan *plan, const struct odks_type *type,
            const struct odks_part *part)
{
    if (type->geometry == NULL || part->name[0] != '\0'
        || plan->geometry == NULL)
        return odks_xstrdup(part->pg_type);
    return odks_xasprintf("%s(%s,4326)", plan->geometry, type->geometry);
}

static void
add_new_columns(struct place *at, const struct odks_field *field)
{
    const struct odks_type *type = odks_type(field->type);
    const char *suffix[8] = { NULL };
    struct odks_naming in = {
        .taken = &at->taken,
        .prefix = "",
        .root = at->table->root->path,
        .path = at->path,
        .count = at->fields.count,
        .suffix = suffix,
        .max = ODKS_NAME_MAX - (type->count > 1 ? ODKS_SUFFIX_MAX : 0),
    };

    for (size_t i = 0; i < type->count; i++)
        suffix[i] = type->part[i].suffix;
    const char *before = name_before(at, field);
    CLEANUP_FREE char *name =
        before != NULL ? odks_name_next_version(&in, before, field->path)
                       : odks_name_choose(&in, field->path);
    for (size_t i = 0; i < type->count; i++) {
        CLEANUP_FREE char *full = odks_xasprintf("%s%s", name, suffix[i]);
        CLEANUP_FREE char *pg_type =
            choose_type(at->plan, type, &type->part[i]);

        odks_names_add(&at->taken, full);
        add_planned(at->plan, at->index, at->table->column_count, field,
                    type->part[i].name, ODKS_NEW);
        odks_table_add_column(at->table, full, pg_type,
                              odks_type_named(pg_type));
    }
    at->used += type->count;
}

/* A column as the registry has it. */
static bool
add_known_column(struct place *at, const struct odks_field *field,
                 const struct odks_part *part, int row, struct odks_err *err)
{
    struct odks_plan *plan = at->plan;
    enum odks_state state = ODKS_KNOWN;
    const char *name = get(plan, row, ODKS_REG_COLUMN);

    bool present = get_bool(plan, row, ODKS_REG_PRESENT);
    bool retired = get_bool(plan, row, ODKS_REG_RETIRED);
    if (!present && !retired && !plan->new_table[at->index]) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "column %s of table %s is gone",
                     name, at->table->name);
        odks_err_hint(err,
                      "Add it again as %s, and run the job with --full to "
                      "fill it.",
                      get(plan, row, ODKS_REG_PG_TYPE));
        return false;
    }
    if (!present)
        state = ODKS_NEW;
    else if (retired)
        state = ODKS_BACK;
    plan->reg.seen[row] = true;
    add_planned(plan, at->index, at->table->column_count, field, part->name,
                state);
    CLEANUP_FREE char *pg_type =
        present ? odks_xstrdup(get(plan, row, ODKS_REG_PG_TYPE))
                : choose_type(plan, odks_type(field->type), part);
    enum odks_oid oid = present ? odks_type_numbered(
                            odks_db_int64(plan->reg.res, row, ODKS_REG_OID))
                                : odks_type_named(pg_type);
    odks_table_add_column(at->table, name, pg_type, oid);
    return true;
}

static bool
add_field(struct place *at, const struct odks_field *field,
          struct odks_err *err)
{
    const struct odks_type *type = odks_type(field->type);
    struct odks_table *table = at->table;
    size_t first = table->column_count;

    if (odks_registry_find(&at->plan->reg, table->odata, field->path,
                           type->name, type->part[0].name)
        < 0) {
        if (at->used + type->count > ODKS_TABLE_COLUMNS) {
            struct odks_plan *plan = at->plan;
            plan->missed = odks_xreallocarray(
                plan->missed, plan->missed_count + 1, sizeof(*plan->missed));
            plan->missed[plan->missed_count++] =
                (struct odks_missed){ at->index, field };
            return true;
        }
        add_new_columns(at, field);
    } else {
        for (size_t i = 0; i < type->count; i++) {
            int row =
                odks_registry_find(&at->plan->reg, table->odata, field->path,
                                   type->name, type->part[i].name);
            if (row >= 0
                && !add_known_column(at, field, &type->part[i], row, err))
                return false;
        }
    }
    table->target = odks_xreallocarray(table->target, table->target_count + 1,
                                       sizeof(*table->target));
    enum odks_oid last = table->column[table->column_count - 1].oid;
    bool geometry = type->geometry != NULL && last != ODKS_OID_JSONB;
    table->target[table->target_count++] =
        (struct odks_target){ field, first, geometry };
    return true;
}

/* _raw is a column if it is wanted, or if it was once. */
static void
add_raw(struct place *at, bool wanted)
{
    struct odks_plan *plan = at->plan;
    int row =
        odks_registry_find(&plan->reg, at->table->odata, "", ODKS_REG_RAW, "");

    if (row < 0 && !wanted)
        return;
    if (row >= 0)
        plan->reg.seen[row] = true;
    add_planned(plan, at->index, at->table->column_count, NULL, "",
                row < 0 || plan->new_table[at->index] ? ODKS_NEW : ODKS_KNOWN);
    odks_table_add_column(at->table, "_raw", "jsonb", ODKS_OID_JSONB);
    at->table->system_count++;
}

static bool
plan_columns(struct odks_plan *plan, const struct odks_model_conf *conf,
             size_t i, struct odks_err *err)
{
    struct odks_table *table = plan->model->table[i];
    CLEANUP(clear_place)
    struct place at = { .plan = plan, .index = i, .table = table };

    if (i == 0)
        add_raw(&at, conf->raw);
    at.used = table->system_count + 1; /* _synced_at */
    for (int row = 0; row < plan->reg.count; row++) {
        if (strcmp(get(plan, row, ODKS_REG_ODATA), table->odata) != 0)
            continue;
        odks_names_add(&at.taken, get(plan, row, ODKS_REG_COLUMN));
        if (!plan->new_table[i])
            at.used = (size_t) odks_db_int64(plan->reg.res, row, ODKS_REG_USED);
    }
    odks_fields_of(table, &at.fields);
    at.path = odks_xcalloc(at.fields.count, sizeof(*at.path));
    for (size_t k = 0; k < at.fields.count; k++)
        at.path[k] = at.fields.field[k]->path;
    for (size_t k = 0; k < at.fields.count; k++) {
        if (!add_field(&at, at.fields.field[k], err))
            return false;
    }
    return true;
}

bool
odks_plan_is_ours(const struct odks_model *model,
                  const struct odks_model_conf *conf, const char *odata)
{
    for (size_t i = 0; i < model->table_count; i++) {
        if (strcmp(model->table[i]->odata, odata) == 0)
            return model->table[i]->wanted;
    }
    return conf->tables == NULL
           || !odks_privacy_drops_repeat(conf->privacy, odata);
}

/* What the form has no more, and what is recorded for another version. */
static void
plan_rest(struct odks_plan *plan, const struct odks_model_conf *conf)
{
    struct odks_model *model = plan->model;
    const char *version = conf->form_version != NULL ? conf->form_version : "";

    for (int row = 0; row < plan->reg.count; row++) {
        if (!odks_plan_is_ours(model, conf, get(plan, row, ODKS_REG_ODATA)))
            continue;
        if (plan->reg.seen[row]) {
            plan->changed |=
                strcmp(get(plan, row, ODKS_REG_VERSION), version) != 0;
            continue;
        }
        if (strcmp(get(plan, row, ODKS_REG_TYPE), ODKS_REG_TABLE) == 0
            && get_bool(plan, row, ODKS_REG_PRESENT)) {
            model->retired =
                odks_xreallocarray(model->retired, model->retired_count + 1,
                                   sizeof(*model->retired));
            model->retired[model->retired_count++] =
                odks_xstrdup(get(plan, row, ODKS_REG_NAME));
        }
        if (get_bool(plan, row, ODKS_REG_RETIRED))
            continue;
        plan->retired = odks_xreallocarray(
            plan->retired, plan->retired_count + 1, sizeof(*plan->retired));
        plan->retired[plan->retired_count++] = row;
        plan->changed = true;
    }
}

/* Where PostGIS is, if it can be used and the form has any use for it. */
static bool
find_postgis(struct odks_db *db, const struct odks_field *fields,
             struct odks_plan *plan, struct odks_err *err)
{
    if (!odks_tree_has_geometry(fields))
        return true;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_table_postgis, NULL, err);
    if (res == NULL)
        return false;
    if (PQntuples(res) > 0)
        plan->geometry = odks_xstrdup(odks_db_text(res, 0, 0));
    return true;
}

bool
odks_plan_make(struct odks_db *db, const struct odks_model_conf *conf,
               const struct odks_field *fields, struct odks_plan *plan,
               struct odks_err *err)
{
    if (!odks_tree_build(conf, fields, &plan->model, err)
        || !odks_registry_adopt(db, conf, fields, err)
        || !odks_registry_read(db, conf, &plan->reg, err)
        || !find_postgis(db, fields, plan, err)
        || !check_place(plan, conf, err))
        return false;
    struct odks_model *model = plan->model;
    plan->new_table =
        odks_xcalloc(model->table_count, sizeof(*plan->new_table));
    if (!odks_plan_name_tables(db, conf, plan, err)
        || !find_dropped(plan, conf, err))
        return false;
    for (size_t i = 0; i < model->table_count; i++) {
        plan->changed |= plan->new_table[i];
        if (model->table[i]->wanted && !plan_columns(plan, conf, i, err))
            return false;
    }
    plan_rest(plan, conf);
    return odks_plan_privacy(plan, conf, err);
}

void
odks_plan_clear(struct odks_plan *plan)
{
    odks_model_free(plan->model);
    odks_registry_clear(&plan->reg);
    odks_names_clear(&plan->given);
    odks_names_clear(&plan->there);
    free(plan->new_table);
    free(plan->column);
    free(plan->missed);
    free(plan->geometry);
    free(plan->retired);
    odks_plan_clear_privacy(plan);
    *plan = (struct odks_plan){ 0 };
}
