/* lib/table/registry.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/rules.h"
#include "table/tree.h"
#include "table/types.h"

bool
odks_registry_adopt(struct odks_db *db, const struct odks_model_conf *conf,
                    const struct odks_field *fields, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *names =
        odks_tree_names(conf->feed, fields);
    struct odks_model_key key;
    const char *const *k = odks_model_key(conf, &key);
    const char *const params[] = { k[0], k[1], k[2], k[3],
                                   json_object_get_string(names) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_column_adopt, params, err);

    return res != NULL;
}

bool
odks_registry_read(struct odks_db *db, const struct odks_model_conf *conf,
                   struct odks_registry *reg, struct odks_err *err)
{
    struct odks_model_key key;

    reg->res = odks_db_query(db, &odks_sql_column_list,
                             odks_model_key(conf, &key), err);
    if (reg->res == NULL)
        return false;
    reg->count = PQntuples(reg->res);
    reg->seen = odks_xcalloc((size_t) reg->count, sizeof(*reg->seen));
    return true;
}

void
odks_registry_clear(struct odks_registry *reg)
{
    PQclear(reg->res);
    free(reg->seen);
    *reg = (struct odks_registry){ 0 };
}

const char *
odks_registry_get(const struct odks_registry *reg, int row, int column)
{
    return PQgetvalue(reg->res, row, column);
}

/* The rows are sorted by bytes, column by column. */
int
odks_registry_find(const struct odks_registry *reg, const char *odata,
                   const char *path, const char *type, const char *part)
{
    const char *const key[] = { odata, path, type, part };
    int low = 0, high = reg->count;

    while (low < high) {
        int middle = low + (high - low) / 2, order = 0;

        for (int i = 0; i < 4 && order == 0; i++)
            order = strcmp(key[i], PQgetvalue(reg->res, middle, i));
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static void
add(struct json_object *object, const char *key, const char *value)
{
    (void) json_object_object_add(object, key, json_object_new_string(value));
}

static void
save_column(struct json_object *rows, const struct odks_table *table,
            const char *path, const char *type, const char *part,
            const char *column, const char *pg_type)
{
    struct json_object *row = json_object_new_object();

    add(row, "odata", table->odata);
    add(row, "path", path);
    add(row, "odk_type", type);
    add(row, "part", part);
    add(row, "table_name", table->name);
    add(row, "column_name", column);
    add(row, "pg_type", pg_type);
    (void) json_object_array_add(rows, row);
}

const char *
odks_planned_type(const struct odks_planned *column)
{
    return column->field != NULL ? odks_type(column->field->type)->name
                                 : ODKS_REG_RAW;
}

static bool
save(struct odks_db *db, const struct odks_model_conf *conf,
     const struct odks_plan *plan, const char *const *key, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *rows = json_object_new_array();

    for (size_t i = 0; i < plan->model->table_count; i++) {
        const struct odks_table *table = plan->model->table[i];
        if (table->wanted)
            save_column(rows, table, "", ODKS_REG_TABLE, "", "", "");
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct odks_planned *p = &plan->column[i];
        const struct odks_table *table = plan->model->table[p->table];

        const struct odks_column *column = &table->column[p->column];

        /* the type that a column was given stays on record */
        save_column(rows, table, p->field != NULL ? p->field->path : "",
                    odks_planned_type(p), p->part, column->name,
                    p->state == ODKS_NEW ? column->pg_type : "");
    }
    const char *const params[] = { key[0],
                                   key[1],
                                   key[2],
                                   key[3],
                                   conf->schema,
                                   conf->form_version,
                                   json_object_get_string(rows) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_column_save, params, err);
    return res != NULL;
}

static bool
retire(struct odks_db *db, const struct odks_plan *plan, const char *const *key,
       struct odks_err *err)
{
    CLEANUP_JSON struct json_object *rows = json_object_new_array();

    if (plan->retired_count == 0)
        return true;
    for (size_t i = 0; i < plan->retired_count; i++) {
        struct json_object *row = json_object_new_object();
        int at = plan->retired[i];

        add(row, "odata", odks_registry_get(&plan->reg, at, ODKS_REG_ODATA));
        add(row, "path", odks_registry_get(&plan->reg, at, ODKS_REG_PATH));
        add(row, "odk_type", odks_registry_get(&plan->reg, at, ODKS_REG_TYPE));
        (void) json_object_array_add(rows, row);
    }
    const char *const params[] = { key[0], key[1], key[2], key[3],
                                   json_object_get_string(rows) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_column_retire, params, err);
    return res != NULL;
}

bool
odks_plan_record(struct odks_db *db, const struct odks_model_conf *conf,
                 const struct odks_plan *plan, struct odks_err *err)
{
    struct odks_model_key key;
    const char *const *params = odks_model_key(conf, &key);

    return save(db, conf, plan, params, err) && retire(db, plan, params, err)
           && odks_plan_save_privacy(db, conf, plan, err)
           && odks_plan_log(db, conf, plan, err);
}
