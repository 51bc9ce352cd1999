/* lib/table/cascade.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels of choices that share a name, as in a cascade.
 *
 * A label is looked up by the name and by the properties that the choice filter
 * compares with answers. If several current or retired choices still match, the
 * view shows the name: a wrong label would be worse than none.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "sql/queries.h"
#include "table/rules.h"
#include "table/viewplan.h"

bool
odks_cascade_read(struct odks_views *v, struct odks_err *err)
{
    struct odks_model_key key;

    v->ambiguous_res = odks_db_query(v->db, &odks_sql_choice_ambiguous,
                                     odks_model_key(v->conf->form, &key), err);
    if (v->ambiguous_res == NULL)
        return false;
    for (int i = 0; i < PQntuples(v->ambiguous_res); i++)
        (void) odks_index_put(&v->ambiguous,
                              odks_db_text(v->ambiguous_res, i, 0), 0);
    return true;
}

bool
odks_cascade_is_ambiguous(const struct odks_views *v, const char *list)
{
    return odks_index_get(&v->ambiguous, list, NULL);
}

/* --- answers -------------------------------------------------------------- */

enum { MAX_CONDITIONS = 16 };

/* The column that a filter compares with. */
struct answer {
    const struct odks_source_table *table; /* NULL: not available */
    const struct odks_source *source;
};

static bool
is_path(const struct odks_views *v, const struct odks_source *source,
        const char *path)
{
    return source->field != NULL && source->part[0] == '\0'
           && strcmp(source->field->path, path) == 0
           && (source->oid == ODKS_OID_TEXT || source->oid == ODKS_OID_INTEGER
               || source->oid == ODKS_OID_BIGINT)
           && !odks_privacy_masks(v->model->privacy, path);
}

static const struct odks_source *
find_path(const struct odks_views *v, const struct odks_source_table *table,
          const char *path)
{
    for (size_t i = 0; i < table->count; i++) {
        if (is_path(v, &table->column[i], path))
            return &table->column[i];
    }
    return NULL;
}

static const struct odks_source_table *
find_parent(const struct odks_views *v, const struct odks_source_table *table)
{
    for (size_t i = 0; i < v->model->table_count; i++) {
        if (v->table[i].table == table->table->parent)
            return &v->table[i];
    }
    return NULL;
}

/* In the row itself, in an enclosing repeat, or in the submission. */
static struct answer
find_answer(const struct odks_views *v, const struct odks_source_table *from,
            const struct odks_filter *filter)
{
    bool reachable = filter->path != NULL;

    for (; from != NULL && filter->path != NULL; from = find_parent(v, from)) {
        const struct odks_source *source = find_path(v, from, filter->path);

        if (source != NULL && (reachable || from->table->parent == NULL))
            return (struct answer){ from, source };
        reachable = reachable && from->count > 0;
    }
    return (struct answer){ NULL, NULL };
}

/*
 * Add an expression for the answer as text, for a row of from with that alias.
 * The submission of a repeat is joined as s.
 */
static void
add_answer(struct odks_sqltext *t, const struct odks_views *v,
           const struct odks_source_table *from, const char *alias,
           const struct answer *answer)
{
    unsigned level = 0;

    if (from == answer->table || answer->table->table->parent == NULL) {
        odks_sql_add(t, from == answer->table ? alias : "s");
        odks_sql_add(t, ".");
        odks_sql_ident(t, answer->source->name);
        odks_sql_add(t, "::text");
        return;
    }
    odks_sql_add(t, "(SELECT p.");
    odks_sql_ident(t, answer->source->name);
    odks_sql_add(t, "::text FROM ");
    odks_sql_table(t, v->model->schema, answer->table->name);
    odks_sql_add(t, " p WHERE p._id = ");
    /* the repeats between, from the outer to the inner one */
    for (const struct odks_source_table *below = from;
         find_parent(v, below) != answer->table; below = find_parent(v, below))
        level++;
    for (unsigned i = level; i > 0; i--) {
        const struct odks_source_table *between = from;

        for (unsigned k = 0; k < i; k++)
            between = find_parent(v, between);
        odks_sql_add(t, "(SELECT b._parent_id FROM ");
        odks_sql_table(t, v->model->schema, between->name);
        odks_sql_add(t, " b WHERE b._id = ");
    }
    odks_sql_add(t, alias);
    odks_sql_add(t, "._parent_id)");
    for (unsigned i = 0; i < level; i++)
        odks_sql_add(t, ")");
}

/* --- labels --------------------------------------------------------------- */

void
odks_cascade_choices(struct odks_sqltext *t, const struct odks_views *v,
                     const struct odks_view *view, const char *list,
                     const char *where)
{
    const char *language = v->xform != NULL
                               ? v->xform->language[v->comment_language]
                               : ODKS_LANGUAGE_DEFAULT;

    odks_sql_table(t, v->model->schema, v->choices->name);
    odks_sql_add(t, " l ");
    odks_sql_add(t, where);
    odks_sql_add(t, " l.list = ");
    odks_sql_literal(t, list);
    odks_sql_add(t, " AND l.language = ");
    odks_sql_literal(t, view->kind == ODKS_VIEW_LABEL ? view->key : language);
}

/* The conditions of a question that can be used, with their answers. */
struct conditions {
    const struct odks_filter *filter[MAX_CONDITIONS];
    struct answer
        answer[MAX_CONDITIONS]; /* table NULL: the filter has a text */
    size_t count;
};

static void
find_conditions(const struct odks_views *v,
                const struct odks_source_table *from,
                const struct odks_question *q, struct conditions *c)
{
    c->count = 0;
    for (size_t i = 0;
         q != NULL && i < q->filter_count && c->count < MAX_CONDITIONS; i++) {
        const struct answer answer = find_answer(v, from, &q->filter[i]);

        if (answer.table == NULL && q->filter[i].text == NULL)
            continue;
        c->answer[c->count] = answer;
        c->filter[c->count++] = &q->filter[i];
    }
}

static void
add_property(struct odks_sqltext *t, const struct odks_filter *filter)
{
    odks_sql_add(t, "l.properties ->> ");
    odks_sql_literal(t, filter->property);
}

/*
 * Add a subquery that maps keys to labels and is evaluated once per query. Keys
 * with several labels are left out.
 */
static void
add_map(struct odks_sqltext *t, const struct odks_views *v,
        const struct odks_view *view, const char *list,
        const struct conditions *c)
{
    odks_sql_add(t, "(SELECT jsonb_object_agg(k.key, k.label) FROM (SELECT ");
    odks_sql_add(t, c == NULL ? "l.name" : "jsonb_build_array(l.name");
    for (size_t i = 0; c != NULL && i < c->count; i++) {
        odks_sql_add(t, ", ");
        add_property(t, c->filter[i]);
    }
    odks_sql_add(t, c == NULL ? " AS key" : ")::text AS key");
    odks_sql_add(t, ", min(l.label) AS label\n        FROM ");
    odks_cascade_choices(t, v, view, list, "WHERE");
    for (size_t i = 0; c != NULL && i < c->count; i++) {
        odks_sql_add(t, " AND ");
        add_property(t, c->filter[i]);
        odks_sql_add(t, " IS NOT NULL");
    }
    odks_sql_add(t,
                 " GROUP BY 1\n        HAVING min(l.label) = max(l.label)) k)");
}

void
odks_cascade_label(struct odks_sqltext *t, const struct odks_views *v,
                   const struct odks_view *view,
                   const struct odks_view_column *column, const char *name)
{
    const struct odks_source_table *from =
        column->of_parent ? &v->table[0] : view->table;
    struct conditions c;

    find_conditions(v, from, column->question, &c);
    odks_sql_add(t, "COALESCE(");
    if (c.count > 0) {
        add_map(t, v, view, column->list, &c);
        odks_sql_add(t, "\n        ->> jsonb_build_array(");
        odks_sql_add(t, name);
        for (size_t i = 0; i < c.count; i++) {
            odks_sql_add(t, ", ");
            if (c.answer[i].table == NULL) {
                odks_sql_literal(t, c.filter[i]->text);
                odks_sql_add(t, "::text");
            } else {
                add_answer(t, v, from, column->of_parent ? "s" : "t",
                           &c.answer[i]);
            }
        }
        odks_sql_add(t, ")::text, ");
    }
    add_map(t, v, view, column->list, NULL);
    odks_sql_add(t, " ->> ");
    odks_sql_add(t, name);
    odks_sql_add(t, ", ");
    odks_sql_add(t, name);
    odks_sql_add(t, ")");
}

/* --- warnings ------------------------------------------------------------- */

static bool
has_same_labels(const struct odks_xform *form, const struct odks_choice *a,
                const struct odks_choice *b)
{
    for (size_t i = 0; i < form->language_count; i++) {
        const char *x = odks_label_text(&a->label, i);
        const char *y = odks_label_text(&b->label, i);

        if (strcmp(x != NULL ? x : a->name, y != NULL ? y : b->name) != 0)
            return false;
    }
    return true;
}

/* The name of a choice and its properties in the conditions, as one text. */
static char *
make_key(const struct odks_choice *choice, const struct conditions *c)
{
    CLEANUP_BUF struct odks_buf key = ODKS_BUF_INIT(ODKS_XFORM_MAX);

    (void) !odks_buf_add_str(&key, choice->name);
    for (size_t i = 0; i < c->count; i++)
        (void) !odks_buf_printf(
            &key, "\n%s", odks_choice_property(choice, c->filter[i]->property));
    return odks_xstrdup(key.data);
}

/* A choice that matches the same conditions as another one, or NULL. */
static const struct odks_choice *
find_confused(const struct odks_xform *form,
              const struct odks_choice_list *list, const struct conditions *c)
{
    CLEANUP(odks_names_clear) struct odks_names keys = { 0 };
    CLEANUP_FREE size_t *first =
        odks_xcalloc(list->ambiguous + 1, sizeof(*first));

    for (size_t i = 0; i < list->count; i++) {
        const struct odks_choice *choice = &list->choice[i];
        size_t number = keys.count;

        if (!choice->is_ambiguous)
            continue;
        CLEANUP_FREE char *key = make_key(choice, c);
        if (!odks_index_get(&keys.index, key, &number)) {
            odks_names_add(&keys, key);
            first[number] = i;
        } else if (!has_same_labels(form, &list->choice[first[number]],
                                    choice)) {
            return choice;
        }
    }
    return NULL;
}

static void
add_text(struct json_object *o, const char *key, const char *text)
{
    (void) json_object_object_add(o, key, json_object_new_string(text));
}

static void
warn_of(const struct odks_views *v, const struct odks_source_table *table,
        const struct odks_source *source, const struct odks_index *lists,
        struct json_object *rows)
{
    const struct odks_question *q = source->question;
    struct conditions c;
    size_t i;

    if (q == NULL || q->list == NULL || source->part[0] != '\0'
        || !odks_index_get(lists, q->list, &i))
        return;
    const struct odks_choice_list *list = &v->xform->list[i];
    find_conditions(v, table, q, &c);
    const struct odks_choice *confused = find_confused(v->xform, list, &c);
    if (confused == NULL)
        return;
    odks_log(ODKS_LOG_WARN,
             "%s: several choices of list %s have the name %s, and no "
             "stored answer shows which one was selected: views show the name",
             source->field->path, list->name, confused->name);
    CLEANUP_FREE char *detail = odks_xasprintf(
        "%s: %s in list %s", source->field->path, confused->name, list->name);
    struct json_object *row = json_object_new_object();
    add_text(row, "table_name", table->name);
    add_text(row, "change", "choices that have one name");
    add_text(row, "detail", detail);
    (void) json_object_array_add(rows, row);
}

bool
odks_cascade_warn(const struct odks_views *v, struct odks_err *err)
{
    const struct odks_model_conf *form = v->conf->form;
    CLEANUP(odks_index_clear) struct odks_index lists = { 0 };
    CLEANUP_JSON struct json_object *rows = json_object_new_array();

    for (size_t i = 0; i < v->xform->list_count; i++) {
        if (v->xform->list[i].ambiguous > 0)
            (void) odks_index_put(&lists, v->xform->list[i].name, i);
    }
    for (size_t i = 0; i < v->model->table_count; i++) {
        for (size_t k = 0; k < v->table[i].count; k++) {
            if (v->table[i].column[k].field != NULL)
                warn_of(v, &v->table[i], &v->table[i].column[k], &lists, rows);
        }
    }
    if (json_object_array_length(rows) == 0)
        return true;
    const char *const params[] = { form->sync_type, form->form_version,
                                   json_object_get_string(rows) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(v->db, &odks_sql_table_log, params, err);
    return res != NULL;
}
