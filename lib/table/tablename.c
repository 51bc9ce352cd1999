/* lib/table/tablename.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of tables. The registry has those that were given before; a new table
 * gets one that no table or view of another form has, if need be with a number.
 */
#include <config.h>

#include <string.h>

#include "config/config.h"
#include "core/mem.h"
#include "sql/queries.h"
#include "table/plan.h"
#include "table/system.h"

enum { NAME, IS_GIVEN }; /* columns of sql/queries/table_taken.sql */
enum { SECTION_MAX = 40 };

/* The view of a table is "v_<table>": a table needs both names. */
static void
add_taken(struct odks_names *names, const char *name)
{
    odks_names_add(names, name);
    if (strncmp(name, "v_", 2) == 0 && name[2] != '\0')
        odks_names_add(names, name + 2);
}

static bool
read_taken(struct odks_db *db, const struct odks_model_conf *conf,
           struct odks_plan *plan, struct odks_err *err)
{
    struct odks_model_key key;
    const char *const *form = odks_model_key(conf, &key);
    const char *const params[] = { conf->schema, form[0], form[1], form[2],
                                   form[3] };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_table_taken, params, err);

    for (int row = 0; res != NULL && row < PQntuples(res); row++) {
        const char *name = odks_db_text(res, row, NAME);

        add_taken(&plan->there, name);
        if (odks_db_bool(res, row, IS_GIVEN))
            add_taken(&plan->given, name);
    }
    return res != NULL;
}

/* The row of the registry that names the table, or -1. */
static int
find_row(const struct odks_plan *plan, const struct odks_table *table)
{
    return odks_registry_find(&plan->reg, table->odata, "", ODKS_REG_TABLE, "");
}

/* Names that other forms and this form have. */
static void
list_taken(const struct odks_plan *plan, struct odks_names *taken)
{
    for (size_t k = 0; k < plan->given.count; k++)
        odks_names_add(taken, plan->given.name[k]);
    for (int row = 0; row < plan->reg.count; row++) {
        if (strcmp(odks_registry_get(&plan->reg, row, ODKS_REG_TYPE),
                   ODKS_REG_TABLE)
            == 0)
            odks_names_add(taken,
                           odks_registry_get(&plan->reg, row, ODKS_REG_NAME));
    }
}

/* A name for the table of a repeat: its parent's, "__", its own. */
static char *
choose_repeat(const struct odks_plan *plan, const struct odks_names *taken,
              size_t i)
{
    static const char *const suffix[] = { "", NULL };
    const struct odks_table *table = plan->model->table[i];
    CLEANUP_FREE char *prefix = odks_xasprintf("%s__", table->parent->name);
    CLEANUP_FREE const char **path =
        odks_xcalloc(plan->model->table_count, sizeof(*path));
    struct odks_naming in = { .taken = taken,
                              .prefix = prefix,
                              .root = table->parent->root->path,
                              .path = path,
                              .suffix = suffix,
                              .max = ODKS_TABLE_NAME_MAX };

    for (size_t k = 0; k < plan->model->table_count; k++) {
        const struct odks_table *sibling = plan->model->table[k];
        if (sibling->parent == table->parent)
            path[in.count++] = sibling->root->path;
    }
    return odks_name_choose(&in, table->root->path);
}

/* A name for the first table, with the number of its job or a later one. */
static char *
choose_first(const struct odks_model_conf *conf, const struct odks_names *taken)
{
    CLEANUP_FREE char *name = odks_name_snake(conf->form_id);

    for (unsigned n = conf->number > 1 ? conf->number : 1;; n++) {
        CLEANUP_FREE char *suffix =
            n > 1 ? odks_xasprintf("%s_%u", odks_system(conf->feed)->suffix, n)
                  : odks_xstrdup(odks_system(conf->feed)->suffix);
        CLEANUP_FREE char *full =
            odks_name_fit(name, suffix, ODKS_TABLE_NAME_MAX, conf->form_id);

        if (!odks_names_has(taken, full))
            return odks_steal(&full);
    }
}

static bool
has_unnamed(const struct odks_plan *plan)
{
    for (size_t i = 0; i < plan->model->table_count; i++) {
        const struct odks_table *table = plan->model->table[i];

        if (table->wanted && find_row(plan, table) < 0)
            return true;
    }
    return false;
}

bool
odks_plan_name_tables(struct odks_db *db, const struct odks_model_conf *conf,
                      struct odks_plan *plan, struct odks_err *err)
{
    CLEANUP(odks_names_clear) struct odks_names taken = { 0 };

    if (has_unnamed(plan) && !read_taken(db, conf, plan, err))
        return false;
    list_taken(plan, &taken);
    if (conf->table != NULL && find_row(plan, plan->model->table[0]) < 0
        && odks_names_has(&plan->given, conf->table))
        return odks_plan_refuse_name(db, conf, plan, conf->table, err);
    for (size_t i = 0; i < plan->model->table_count; i++) {
        struct odks_table *table = plan->model->table[i];
        int row = find_row(plan, table);

        plan->new_table[i] = row < 0 && table->wanted;
        if (row >= 0) {
            table->name =
                odks_xstrdup(odks_registry_get(&plan->reg, row, ODKS_REG_NAME));
            plan->reg.seen[row] = true;
        } else if (i > 0) {
            table->name = choose_repeat(plan, &taken, i);
        } else {
            table->name = conf->table != NULL ? odks_xstrdup(conf->table)
                                              : choose_first(conf, &taken);
        }
        odks_names_add(&taken, table->name);
    }
    return true;
}

bool
odks_plan_refuse_name(struct odks_db *db, const struct odks_model_conf *conf,
                      struct odks_plan *plan, const char *name,
                      struct odks_err *err)
{
    if (plan->there.count == 0 && !read_taken(db, conf, plan, err))
        return false;
    CLEANUP_FREE char *other = choose_first(conf, &plan->there);
    /* a line of the file has room for so much */
    CLEANUP_FREE char *section = odks_name_fit(other, "", SECTION_MAX, other);
    CLEANUP_FREE char *id = odks_config_encode_id(conf->form_id);

    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "%s.%s exists already and is not of %s %s", conf->schema, name,
                 odks_feed_names(conf->feed)->what, conf->form_id);
    if (conf->form_of == NULL)
        odks_err_hint(err, "Rename it, or set table = %s in [job %s].", other,
                      conf->sync_type);
    else
        odks_err_hint(err,
                      "Rename it, or add these four lines: \"[job %s]\", "
                      "\"like = %s\", \"form = %s\", \"table = %s\".",
                      section, conf->form_of, id, other);
    return false;
}
