/* lib/table/proof.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/proof.h"

#include "core/mem.h"
#include "sql/queries.h"
#include "table/plan.h"
#include "table/sqltext.h"
#include "table/system.h"

/* "SELECT count(*)" of live rows; condition is added, params may be NULL. */
static bool
count_live(struct odks_db *db, const char *schema, const char *table,
           const char *condition, const char *param, int64_t *live,
           struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &sql };
    const char *const params[] = { param };

    odks_sql_add(&t, "SELECT count(*) FROM ");
    odks_sql_table(&t, schema, table);
    odks_sql_add(&t, " WHERE _deleted_at IS NULL");
    odks_sql_add(&t, condition);
    if (!odks_sql_done(&t, err))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "proof", sql.data, param != NULL ? 1 : 0, params, err);
    if (res == NULL)
        return false;
    *live = odks_db_int64(res, 0, 0);
    return true;
}

bool
odks_table_count(struct odks_db *db, const struct odks_model *model,
                 int64_t before, int64_t *live, struct odks_err *err)
{
    char text[ODKS_TIME_TEXT];
    CLEANUP_FREE char *condition = odks_xasprintf(
        " AND %s < $1::timestamptz", odks_system(model->feed)->created);

    odks_time_format(before, text);
    return count_live(db, model->schema, model->table[0]->name, condition, text,
                      live, err);
}

bool
odks_table_encrypted(struct odks_db *db, const struct odks_model *model,
                     int64_t *count, struct odks_err *err)
{
    return count_live(db, model->schema, model->table[0]->name,
                      " AND _status IS NOT NULL", NULL, count, err);
}

bool
odks_table_left_out(struct odks_db *db, const struct odks_model *model,
                    const char *sync_type, int64_t before, int64_t *count,
                    struct odks_err *err)
{
    char text[ODKS_TIME_TEXT];
    const char *const params[] = { sync_type, model->table[0]->name,
                                   odks_db_time_param(before, text) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_reject_left_out, params, err);

    if (res == NULL)
        return false;
    *count = odks_db_int64(res, 0, 0);
    return true;
}

static bool
is_true(const struct odks_registry *reg, int row, int column)
{
    return odks_registry_get(reg, row, column)[0] == 't';
}

bool
odks_table_intact(struct odks_db *db, const struct odks_model_conf *conf,
                  bool *intact, int64_t *live, struct odks_err *err)
{
    CLEANUP(odks_registry_clear) struct odks_registry reg = { 0 };

    *intact = false;
    *live = -1;
    if (!odks_registry_read(db, conf, &reg, err))
        return false;
    for (int row = 0; row < reg.count; row++) {
        if (!is_true(&reg, row, ODKS_REG_RETIRED)
            && !is_true(&reg, row, ODKS_REG_PRESENT))
            return true;
    }
    *intact = reg.count > 0;
    int root = odks_registry_find(&reg, odks_feed_names(conf->feed)->table, "",
                                  ODKS_REG_TABLE, "");
    return root < 0
           || count_live(db, odks_registry_get(&reg, root, ODKS_REG_SCHEMA),
                         odks_registry_get(&reg, root, ODKS_REG_NAME), "", NULL,
                         live, err);
}
