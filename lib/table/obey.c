/* lib/table/obey.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Privacy rules that came after the rows. Each table remembers the rules that
 * all of its rows obey. What a rule adds to them empties at once the columns
 * that nothing writes any more; the others get their new values from Central,
 * and in rows that Central has no more they are emptied when its keys are
 * known.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/rules.h"
#include "table/sqltext.h"
#include "table/tree.h"

static const char *
get(const struct odks_plan *plan, int row, int column)
{
    return odks_registry_get(&plan->reg, row, column);
}

static bool
is_table(const struct odks_plan *plan, int row)
{
    return strcmp(get(plan, row, ODKS_REG_TYPE), ODKS_REG_TABLE) == 0;
}

static bool
is_present(const struct odks_plan *plan, int row)
{
    return get(plan, row, ODKS_REG_PRESENT)[0] == 't';
}

/* Has the form, or had it, what the rule is about? */
static bool
is_known(const struct odks_plan *plan, const struct odks_rule *rule)
{
    bool known = rule->matched;

    for (int row = 0; row < plan->reg.count && !known; row++)
        known = odks_rule_covers(rule, get(plan, row, ODKS_REG_PATH), NULL);
    return known;
}

/*
 * A wrong name would let data through. But one job for many forms has rules
 * that do not fit them all, and not every form has an instanceName.
 */
static bool
must_match(const struct odks_privacy *p, const struct odks_rule *rule)
{
    return p->conf->form_of == NULL
           && strcmp(rule->name, "/meta/instanceName") != 0;
}

static bool
check_names(const struct odks_plan *plan, const struct odks_model_conf *conf,
            struct odks_err *err)
{
    const struct odks_privacy *p = conf->privacy;

    for (size_t i = 0; i < odks_privacy_count(p); i++) {
        const struct odks_rule *rule = &p->rule[i];
        const char *meant;

        if (!must_match(p, rule) || is_known(plan, rule))
            continue;
        CLEANUP_FREE char *found = odks_privacy_questions(p, i, &meant);
        odks_err_set(err, ODKS_EXIT_CONFIG, "[job %s]: \"%s\" names no %s %s",
                     conf->sync_type, rule->said,
                     conf->feed == ODKS_FEED_DATASET ? "property of dataset"
                                                     : "question of form",
                     conf->form_id);
        if (found == NULL && meant != NULL)
            odks_err_hint(err, "Did you mean %s?", meant);
        else
            odks_err_hint(err, "Correct it: with a wrong name the answers "
                               "would be stored as they are.");
        return false;
    }
    return true;
}

const char *
odks_plan_unused_rule(const struct odks_plan *plan)
{
    const struct odks_privacy *p = plan->model->privacy;

    for (size_t i = 0; i < odks_privacy_count(p); i++) {
        if (must_match(p, &p->rule[i]) && !p->rule[i].matched)
            return p->rule[i].said;
    }
    return NULL;
}

/* The table of the model that an OData table fills; -1: it is none of it. */
static int
find_table(const struct odks_plan *plan, const char *odata)
{
    for (size_t i = 0; i < plan->model->table_count; i++) {
        if (strcmp(plan->model->table[i]->odata, odata) == 0)
            return (int) i;
    }
    return -1;
}

static bool
any_covers(const struct odks_late *late, const char *path, const char *odata)
{
    for (size_t i = 0; i < late->count; i++) {
        if (odks_rule_covers(late->rule[i], path, odata))
            return true;
    }
    return false;
}

static void
add_stale(struct odks_table *table, size_t column)
{
    table->stale = odks_xreallocarray(table->stale, table->stale_count + 1,
                                      sizeof(*table->stale));
    table->stale[table->stale_count++] = column;
}

/* Columns of a table that may hold what the rules forbid, until all is read. */
static void
find_stale(struct odks_plan *plan, const struct odks_late *late, size_t i)
{
    struct odks_table *table = plan->model->table[i];

    for (size_t k = 0; k < late->count; k++) {
        const char *key = odks_rule_system_from(late->rule[k]);

        for (size_t c = 0; i == 0 && key != NULL && c < table->system_count;
             c++) {
            if (strcmp(table->column[c].name, late->rule[k]->name) == 0)
                add_stale(table, c);
        }
    }
    for (size_t k = 0; k < plan->count; k++) {
        const struct odks_planned *c = &plan->column[k];

        if (c->table == i && c->state != ODKS_NEW
            && (c->field == NULL
                || any_covers(late, c->field->path,
                              odks_field_odata(c->field))))
            add_stale(table, c->column);
    }
    plan->model->unsettled |= table->stale_count > 0;
}

/* What the rows of the table obey from now on, and what has come late. */
static void
remember(struct odks_plan *plan, const struct odks_privacy *p, int row,
         const bool *late, bool stale)
{
    CLEANUP_FREE char *text = odks_rules_text(p, stale ? late : NULL);
    struct json_object *o = json_object_new_object();

    plan->changed |= strcmp(get(plan, row, ODKS_REG_PRIVACY), text) != 0;
    (void) json_object_object_add(
        o, "odata", json_object_new_string(get(plan, row, ODKS_REG_ODATA)));
    (void) json_object_object_add(o, "privacy", json_object_new_string(text));
    (void) json_object_array_add(plan->privacy, o);
}

/* One table that is there, of the model or of a repeat that is no more. */
static void
plan_table(struct odks_plan *plan, const struct odks_privacy *p, int row)
{
    int table = find_table(plan, get(plan, row, ODKS_REG_ODATA));
    size_t count = odks_privacy_count(p);
    CLEANUP_FREE bool *is_late = odks_xcalloc(count + 1, sizeof(*is_late));
    struct odks_late late = { .row = row, .begun = true };
    const char *have = get(plan, row, ODKS_REG_PRIVACY);

    late.rule = odks_xcalloc(count + 1, sizeof(*late.rule));
    for (size_t i = 0; i < count; i++) {
        is_late[i] = !odks_rule_is_kept(p, &p->rule[i], have)
                     && is_known(plan, &p->rule[i]);
        if (!is_late[i])
            continue;
        late.rule[late.count++] = &p->rule[i];
        late.begun &= odks_rule_is_late(p, &p->rule[i], have);
    }
    if (table >= 0 && late.count > 0)
        find_stale(plan, &late, (size_t) table);
    bool stale = table >= 0 && plan->model->table[table]->stale_count > 0;
    plan->model->unread |= stale && !late.begun;
    remember(plan, p, row, is_late, stale);
    plan->late = odks_xreallocarray(plan->late, plan->late_count + 1,
                                    sizeof(*plan->late));
    plan->late[plan->late_count++] = late;
}

/* The table will be made, and so obeys from its first row. */
static void
plan_new_table(struct odks_plan *plan, const char *text, const char *odata)
{
    struct json_object *o = json_object_new_object();

    (void) json_object_object_add(o, "odata", json_object_new_string(odata));
    (void) json_object_object_add(o, "privacy", json_object_new_string(text));
    (void) json_object_array_add(plan->privacy, o);
}

bool
odks_plan_privacy(struct odks_plan *plan, const struct odks_model_conf *conf,
                  struct odks_err *err)
{
    const struct odks_privacy *p = conf->privacy;

    if (!check_names(plan, conf, err))
        return false;
    plan->privacy = json_object_new_array();
    plan->model->privacy = p;
    for (size_t i = 0; i < plan->model->table_count; i++) {
        if (plan->new_table[i])
            plan_new_table(plan, odks_privacy_text(p),
                           plan->model->table[i]->odata);
    }
    for (int row = 0; row < plan->reg.count; row++) {
        int table = find_table(plan, get(plan, row, ODKS_REG_ODATA));
        bool is_new = table >= 0 && plan->new_table[table];

        if (is_table(plan, row) && is_present(plan, row) && !is_new
            && odks_plan_is_ours(plan->model, conf,
                                 get(plan, row, ODKS_REG_ODATA)))
            plan_table(plan, p, row);
    }
    return true;
}

bool
odks_plan_save_privacy(struct odks_db *db, const struct odks_model_conf *conf,
                       const struct odks_plan *plan, struct odks_err *err)
{
    struct odks_model_key key;
    const char *const *k = odks_model_key(conf, &key);
    const char *const params[] = { k[0], k[1], k[2], k[3],
                                   json_object_get_string(plan->privacy) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_privacy_save, params, err);

    return res != NULL;
}

/* Is the repeat itself dropped, by any rule? */
static bool
is_dropped(const struct odks_late *late, const char *odata)
{
    CLEANUP_FREE char *path = odks_table_path(odata);

    for (size_t i = 0; path[0] != '\0' && i < late->count; i++) {
        if (late->rule[i]->action == ODKS_DROP
            && odks_rule_covers(late->rule[i], path, NULL))
            return true;
    }
    return false;
}

/* "UPDATE t SET a = NULL, b = NULL WHERE (a IS NOT NULL OR b IS NOT NULL)" */
struct emptying {
    struct odks_sqltext *t;
    struct odks_buf set, where;
};

#define EMPTYING_INIT(text)                              \
    {                                                    \
        .t = (text), .set = ODKS_BUF_INIT(ODKS_SQL_MAX), \
        .where = ODKS_BUF_INIT(ODKS_SQL_MAX)             \
    }

static void
clear_emptying(struct emptying *e)
{
    odks_buf_free(&e->set);
    odks_buf_free(&e->where);
}

static void
empty(struct emptying *e, const char *column)
{
    struct odks_sqltext set = { .db = e->t->db, .buf = &e->set };
    struct odks_sqltext where = { .db = e->t->db, .buf = &e->where };

    odks_sql_add(&set, e->set.len > 0 ? ", " : "");
    odks_sql_ident(&set, column);
    odks_sql_add(&set, " = NULL");
    odks_sql_add(&where, e->where.len > 0 ? " OR t." : "t.");
    odks_sql_ident(&where, column);
    odks_sql_add(&where, " IS NOT NULL");
    e->t->failed |= set.failed || where.failed;
}

/* The statement as far as it is known here; none without a column. */
static bool
add_emptying(const struct emptying *e, const char *schema, const char *table)
{
    if (e->set.len == 0 || e->where.len == 0)
        return false;
    odks_sql_add(e->t, "UPDATE ");
    odks_sql_table(e->t, schema, table);
    odks_sql_add(e->t, " t SET ");
    odks_sql_add(e->t, e->set.data);
    odks_sql_add(e->t, ", _synced_at = clock_timestamp() WHERE (");
    odks_sql_add(e->t, e->where.data);
    odks_sql_add(e->t, ")");
    return true;
}

/* What no run will write again, since it is not of the model. */
static void
empty_columns(struct odks_sqltext *t, const struct odks_plan *plan,
              const struct odks_late *late)
{
    CLEANUP(clear_emptying) struct emptying e = EMPTYING_INIT(t);
    const char *odata = get(plan, late->row, ODKS_REG_ODATA);

    for (int row = 0; row < plan->reg.count; row++) {
        if (strcmp(get(plan, row, ODKS_REG_ODATA), odata) == 0
            && !plan->reg.seen[row] && is_present(plan, row)
            && any_covers(late, get(plan, row, ODKS_REG_PATH), NULL))
            empty(&e, get(plan, row, ODKS_REG_COLUMN));
    }
    if (add_emptying(&e, plan->model->schema,
                     get(plan, late->row, ODKS_REG_NAME)))
        odks_sql_add(t, ";\n");
}

/*
 * Their values are as they came: away with them, and with those of groups and
 * repeats, which may hold anything. Those of an earlier job, too, when it had
 * the same submissions.
 */
static void
forget_rejects(struct odks_sqltext *t, const struct odks_model_conf *conf,
               const struct odks_plan *plan, const struct odks_late *late)
{
    int root = odks_registry_find(&plan->reg, plan->model->table[0]->odata, "",
                                  ODKS_REG_TABLE, "");
    bool has_root = root >= 0 && is_present(plan, root);

    odks_sql_add(
        t, "DELETE FROM {schema}.odk_sync_reject r WHERE r.table_name = ");
    odks_sql_literal(t, get(plan, late->row, ODKS_REG_NAME));
    odks_sql_add(t, " AND (r.sync_type = ");
    odks_sql_literal(t, conf->sync_type);
    odks_sql_add(
        t, has_root ? " OR r.submission_id IN (SELECT _id FROM "
                    : " OR r.submission_id IN (SELECT _submission_id FROM ");
    odks_sql_table(t, plan->model->schema,
                   get(plan, has_root ? root : late->row, ODKS_REG_NAME));
    odks_sql_add(t, ")) AND (r.column_name IS NULL");
    for (size_t i = 0; i < late->count; i++)
        odks_rule_add_rejects(t, late->rule[i]);
    odks_sql_add(t, ");\n");
}

/*
 * Of tables that somebody dropped and that are made anew: with their rows come
 * their rejects, as the rules leave them if there are any, but not those of
 * rows that Central has no more.
 */
static void
forget_rejects_of_dropped(struct odks_sqltext *t,
                          const struct odks_model_conf *conf,
                          const struct odks_plan *plan)
{
    for (size_t i = 0; i < plan->model->table_count; i++) {
        const struct odks_table *table = plan->model->table[i];

        if (!plan->new_table[i]
            || odks_registry_find(&plan->reg, table->odata, "", ODKS_REG_TABLE,
                                  "")
                   < 0)
            continue;
        odks_sql_add(t,
                     "DELETE FROM {schema}.odk_sync_reject WHERE sync_type = ");
        odks_sql_literal(t, conf->sync_type);
        odks_sql_add(t, " AND table_name = ");
        odks_sql_literal(t, table->name);
        odks_sql_add(t, ";\n");
    }
}

bool
odks_ddl_forget(struct odks_db *db, const struct odks_model_conf *conf,
                const struct odks_plan *plan, struct odks_buf *ddl)
{
    struct odks_sqltext t = { .db = db, .buf = ddl };

    forget_rejects_of_dropped(&t, conf, plan);
    for (size_t i = 0; i < plan->late_count; i++) {
        const struct odks_late *late = &plan->late[i];

        if (late->count == 0)
            continue;
        if (!late->begun) /* those that are there now are of this walk */
            forget_rejects(&t, conf, plan, late);
        if (is_dropped(late, get(plan, late->row, ODKS_REG_ODATA))) {
            odks_sql_add(&t, "DELETE FROM ");
            odks_sql_table(&t, plan->model->schema,
                           get(plan, late->row, ODKS_REG_NAME));
            odks_sql_add(&t, ";\n");
        } else {
            empty_columns(&t, plan, late);
        }
    }
    return !t.failed;
}

void
odks_plan_clear_privacy(struct odks_plan *plan)
{
    for (size_t i = 0; i < plan->late_count; i++)
        free(plan->late[i].rule);
    free(plan->late);
    (void) json_object_put(plan->privacy);
}

/* In rows that Central has no more, and that nobody wrote since its keys. */
static bool
settle_table(struct odks_db *db, const struct odks_model *model, size_t i,
             const char *const *params, struct odks_err *err)
{
    const struct odks_table *table = model->table[i];
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &sql };
    CLEANUP(clear_emptying) struct emptying e = EMPTYING_INIT(&t);

    for (size_t k = 0; k < table->stale_count; k++)
        empty(&e, table->column[table->stale[k]].name);
    if (!add_emptying(&e, model->schema, table->name))
        return odks_sql_done(&t, err);
    odks_sql_add(&t,
                 " AND t._synced_at <= $2::timestamptz AND NOT EXISTS"
                 " (SELECT FROM {schema}.odk_sync_key k WHERE k.sync_type = $1"
                 " AND k.id = t.");
    odks_sql_add(&t, i == 0 ? "_id)" : "_submission_id)");
    if (!odks_sql_done(&t, err))
        return false;
    CLEANUP_PGRESULT PGresult *emptied =
        odks_db_exec(db, "privacy", sql.data, 2, params, err);
    if (emptied == NULL)
        odks_db_hide_values(err);
    const char *const settled[] = { model->schema, table->name,
                                    odks_privacy_text(model->privacy) };
    CLEANUP_PGRESULT PGresult *res =
        emptied != NULL
            ? odks_db_query(db, &odks_sql_privacy_settled, settled, err)
            : NULL;
    return res != NULL;
}

bool
odks_privacy_settle(struct odks_db *db, const struct odks_model *model,
                    const char *sync_type, const char *since,
                    struct odks_err *err)
{
    const char *const params[] = { sync_type, since };

    for (size_t i = 0; i < model->table_count; i++) {
        if (!settle_table(db, model, i, params, err))
            return false;
    }
    return true;
}
