/* lib/table/model.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/rules.h"
#include "table/sqltext.h"

const char *const *
odks_model_key(const struct odks_model_conf *conf, struct odks_model_key *key)
{
    key->params[0] = conf->central;
    key->params[1] = odks_db_int64_param(conf->project, key->project);
    key->params[2] = conf->form_id;
    key->params[3] = odks_feed_names(conf->feed)->what;
    return key->params;
}

static bool
lock_key(struct odks_db *db, const char *key, struct odks_err *err)
{
    const char *const params[] = { key };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_table_lock, params, err);

    return res != NULL;
}

bool
odks_model_lock(struct odks_db *db, const struct odks_model_conf *conf,
                struct odks_err *err)
{
    CLEANUP_FREE char *key = odks_xasprintf(
        "odk-sync %s %s/%" PRId64 "/%s", odks_feed_names(conf->feed)->what,
        conf->central, conf->project, conf->form_id);

    return lock_key(db, key, err);
}

/* Two forms must not choose one name at the same time. After the other lock. */
static bool
lock_names(struct odks_db *db, const struct odks_model_conf *conf,
           const struct odks_plan *plan, struct odks_err *err)
{
    CLEANUP_FREE char *key =
        odks_xasprintf("odk-sync tables in %s", conf->schema);
    size_t count = 0;

    for (size_t i = 0; i < plan->model->table_count; i++)
        count += plan->new_table[i];
    return count == 0 || lock_key(db, key, err);
}

/* Tables and views that are to be made must not be there. */
static bool
check_relations(struct odks_db *db, const struct odks_model_conf *conf,
                struct odks_plan *plan, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *names = json_object_new_array();

    for (size_t i = 0; i < plan->model->table_count; i++) {
        const char *name = plan->model->table[i]->name;
        CLEANUP_FREE char *view = odks_xasprintf("v_%s", name);

        if (!plan->new_table[i])
            continue;
        (void) json_object_array_add(names, json_object_new_string(name));
        (void) json_object_array_add(names, json_object_new_string(view));
    }
    if (json_object_array_length(names) == 0)
        return true;
    const char *const params[] = { conf->schema,
                                   json_object_get_string(names) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_table_relations, params, err);
    if (res == NULL)
        return false;
    return PQntuples(res) == 0
           || odks_plan_refuse_name(db, conf, plan, odks_db_text(res, 0, 0),
                                    err);
}

static bool
run(struct odks_db *db, const struct odks_plan *plan, struct odks_buf *ddl,
    struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(ODKS_SQL_MAX + 128);

    if (ddl->len == 0)
        return true;
    /* readers come first: who waits for an ALTER TABLE blocks all others. More
     * than the second after which a waiter may end an autovacuum. Afterwards
     * the limit is that of odks_db_begin() again. */
    if (!odks_buf_add_str(&text, "SET LOCAL lock_timeout = '2s';\n")
        || !odks_ddl_locks(db, plan, &text)
        || !odks_buf_add_str(&text, ddl->data)
        || !odks_buf_add_str(&text, "SET LOCAL lock_timeout = '10s'")) {
        odks_err_set(err, ODKS_EXIT_DATA, "the form is too large");
        return false;
    }
    return odks_db_do(db, "tables of the form", text.data, err);
}

/* With the tables, what was made from them becomes due anew. */
static bool
forget_views(struct odks_db *db, const struct odks_model_conf *conf,
             struct odks_err *err)
{
    struct odks_model_key key;
    CLEANUP_PGRESULT PGresult *res = odks_db_query(
        db, &odks_sql_view_stale, odks_model_key(conf, &key), err);

    return res != NULL;
}

/* Users' triggers are on these tables. */
static bool
empty_columns(struct odks_db *db, const struct odks_buf *statements,
              struct odks_err *err)
{
    if (statements->len == 0
        || odks_db_do(db, "privacy", statements->data, err))
        return true;
    odks_db_hide_values(err);
    return false;
}

static bool
apply(struct odks_db *db, const struct odks_model_conf *conf,
      struct odks_plan *plan, bool dry_run, struct odks_buf *ddl,
      struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf tables = ODKS_BUF_INIT(ODKS_SQL_MAX);
    CLEANUP_BUF struct odks_buf before = ODKS_BUF_INIT(ODKS_SQL_MAX);

    if (!check_relations(db, conf, plan, err))
        return false;
    if (!odks_ddl_forget(db, conf, plan, &before)
        || !odks_ddl_tables(db, conf, plan, &tables)) {
        odks_err_set(err, ODKS_EXIT_DATA, "the form is too large");
        return false;
    }
    /* emptying takes its time, and so comes before readers are locked out */
    if (!dry_run)
        return empty_columns(db, &before, err) && run(db, plan, &tables, err)
               && odks_plan_record(db, conf, plan, err)
               && forget_views(db, conf, err);
    if (ddl != NULL
        && (!odks_buf_add(ddl, before.data, before.len)
            || !odks_buf_add(ddl, tables.data, tables.len))) {
        odks_err_set(err, ODKS_EXIT_DATA, "the form is too large");
        return false;
    }
    return true;
}

bool
odks_model_prepare(struct odks_db *db, const struct odks_model_conf *conf,
                   const struct odks_field *fields, bool dry_run,
                   struct odks_buf *ddl, struct odks_model **model,
                   struct odks_model_changes *changes, struct odks_err *err)
{
    CLEANUP(odks_plan_clear) struct odks_plan plan = { 0 };

    *model = NULL;
    *changes = (struct odks_model_changes){ 0 };
    if (!odks_plan_make(db, conf, fields, &plan, err))
        return false;
    if (plan.changed && !dry_run) {
        if (!odks_model_lock(db, conf, err)
            || !lock_names(db, conf, &plan, err))
            return false;
        /* somebody may have been faster */
        odks_plan_clear(&plan);
        if (!odks_plan_make(db, conf, fields, &plan, err))
            return false;
    }
    if (plan.changed) {
        if (!apply(db, conf, &plan, dry_run, ddl, err))
            return false;
        odks_plan_summarize(&plan, changes);
    }
    *model = odks_steal(&plan.model);
    return true;
}
