/* lib/table/trial.c - SPDX-License-Identifier: Apache-2.0 */
/* The statements of a merge, on no rows: what would the database refuse? */
#include <config.h>

#include "table/stage.h"

static bool
run_on_nothing(struct odks_db *db, const char *text, struct odks_err *err)
{
    static const char *const no_ids[] = { "{}" };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "merge", text, 1, no_ids, err);

    return res != NULL;
}

static bool
try_merge(const struct odks_merge_sql *sql, struct odks_db *db,
          struct odks_err *err)
{
    if (!odks_db_do(db, "merge", sql->enter, err)
        || !odks_db_do(db, "stage", sql->stage, err)
        || !odks_db_do(db, "merge", sql->apply, err))
        return false;
    for (size_t i = 0; sql->forget[i] != NULL; i++) {
        if (!run_on_nothing(db, sql->forget[i], err))
            return false;
    }
    return run_on_nothing(db, sql->forget_rejects, err);
}

bool
odks_batch_try(const struct odks_batch_conf *conf, struct odks_db *db,
               struct odks_err *err)
{
    CLEANUP_BATCH struct odks_batch *batch = odks_batch_new(conf);

    return odks_merge_sql_make(db, batch, &batch->sql, err)
           && try_merge(batch->sql, db, err);
}
