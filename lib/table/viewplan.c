/* lib/table/viewplan.c - SPDX-License-Identifier: Apache-2.0 */
/* Which views a form has, and which columns, by what is there already. */
#include <config.h>

#include "table/viewplan.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/suggest.h"

enum { /* columns of sql/queries/view_list.sql */
       ODATA,
       KIND,
       KEY,
       NAME,
       COLUMNS,
       DIGEST,
       COMMENT_DIGEST,
       PRESENT, /* columns of the view that is there, or NULL */
       OPTIONS
};

static const char *const kind_names[] = {
    [ODKS_VIEW_TABLE] = "table",     [ODKS_VIEW_LIVE] = "live",
    [ODKS_VIEW_LABEL] = "label",     [ODKS_VIEW_CHOICE] = "choice",
    [ODKS_VIEW_CHOICES] = "choices",
};

const char *
odks_view_kind_name(enum odks_view_kind kind)
{
    return kind_names[kind];
}

const char *
odks_view_odata(const struct odks_view *view)
{
    return view->table != NULL ? view->table->table->odata : "";
}

/* --- columns -------------------------------------------------------------- */

static void
clear_column(struct odks_view_column *column)
{
    free(column->name);
    free(column->column);
    free(column->list);
}

void
odks_view_free(struct odks_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        clear_column(&view->column[i]);
    free(view->column);
    free(view->key);
    free(view->name);
    free(view);
}

static struct odks_view_column *
add_column(struct odks_view *view, const char *name, const char *column,
           bool of_parent)
{
    view->column = odks_xreallocarray(view->column, view->count + 1,
                                      sizeof(*view->column));
    struct odks_view_column *new = &view->column[view->count++];
    *new = (struct odks_view_column){ .name = odks_xstrdup(name),
                                      .of_parent = of_parent,
                                      .column = odks_xstrdup(column) };
    return new;
}

static bool
has_name(const struct odks_view *view, const char *name)
{
    for (size_t i = 0; i < view->count; i++) {
        if (strcmp(view->column[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
has_column(const struct odks_view *view, const char *column, bool of_parent)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->column[i].of_parent == of_parent
            && strcmp(view->column[i].column, column) == 0)
            return true;
    }
    return false;
}

/* name, or what is nearest to it and free in the view. */
static char *
free_column_name(const struct odks_view *view, const char *name, bool of_parent)
{
    CLEANUP_FREE char *longer =
        of_parent ? odks_xasprintf("submission_%s", name + (name[0] == '_'))
                  : odks_xstrdup(name);

    if (!has_name(view, name))
        return odks_xstrdup(name);
    for (unsigned i = 1;; i++) {
        CLEANUP_FREE char *suffix =
            i > 1 ? odks_xasprintf("_%u", i) : odks_xstrdup("");
        CLEANUP_FREE char *fit =
            odks_name_fit(longer, suffix, ODKS_NAME_MAX, longer);

        if (!has_name(view, fit))
            return odks_steal(&fit);
    }
}

static const struct odks_source *
source_of(const struct odks_views *v, const struct odks_view *view,
          const struct odks_view_column *column)
{
    return odks_source_find(column->of_parent ? &v->table[0] : view->table,
                            column->column);
}

/* What the form says of the choices now, else what it said before. */
static bool
describe(const struct odks_views *v, const struct odks_view *view,
         struct odks_view_column *column)
{
    const struct odks_source *source = source_of(v, view, column);

    if (source == NULL)
        return false;
    column->is_array = source->oid == ODKS_OID_TEXT_ARRAY;
    const struct odks_question *q = source->question;
    if (q == NULL || (!column->is_array && source->oid != ODKS_OID_TEXT))
        return true;
    free(column->list);
    column->list = q->list != NULL ? odks_xstrdup(q->list) : NULL;
    column->many = q->select == ODKS_SELECT_MANY;
    column->question = q;
    return true;
}

static const char *
text_of(struct json_object *o, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(o, key, &value)
               ? json_object_get_string(value)
               : NULL;
}

static bool
flag_of(struct json_object *o, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(o, key, &value)
           && json_object_get_boolean(value);
}

/* The registered column of a view by its name; NULL if it is not. */
static struct json_object *
registered_column(struct json_object *columns, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(columns); i++) {
        struct json_object *o = json_object_array_get_idx(columns, i);
        const char *known = text_of(o, "name");

        if (known != NULL && strcmp(known, name) == 0)
            return o;
    }
    return NULL;
}

/*
 * The columns that the view has, in their order. A view that is older than
 * the registry has those of its table.
 */
static bool
known_columns(const struct odks_views *v, struct odks_view *view, int row)
{
    CLEANUP_JSON struct json_object *present =
        odks_json_read(odks_db_text(v->registered, row, PRESENT));
    CLEANUP_JSON struct json_object *columns =
        odks_json_read(odks_db_text(v->registered, row, COLUMNS));

    for (size_t i = 0; i < json_object_array_length(present); i++) {
        const char *name =
            json_object_get_string(json_object_array_get_idx(present, i));
        struct json_object *o = registered_column(columns, name);
        const char *list = o != NULL ? text_of(o, "list") : NULL;
        struct odks_view_column *column =
            add_column(view, name, o != NULL ? text_of(o, "column") : name,
                       o != NULL && flag_of(o, "of_parent"));

        column->list = list != NULL ? odks_xstrdup(list) : NULL;
        column->many = o != NULL && flag_of(o, "many");
        if (source_of(v, view, column) == NULL)
            return false;
    }
    return true;
}

static void
add_missing(const struct odks_views *v, struct odks_view *view)
{
    const char *const *parent = v->conf->parent_columns;
    bool is_repeat = view->table->table->parent != NULL;

    for (size_t i = 0; i < view->table->count; i++) {
        const char *name = view->table->column[i].name;
        CLEANUP_FREE char *free_name = free_column_name(view, name, false);

        if (!has_column(view, name, false))
            (void) add_column(view, free_name, name, false);
    }
    for (; is_repeat && parent != NULL && *parent != NULL; parent++) {
        CLEANUP_FREE char *free_name = free_column_name(view, *parent, true);

        if (!has_column(view, *parent, true)
            && odks_source_find(&v->table[0], *parent) != NULL)
            (void) add_column(view, free_name, *parent, true);
    }
}

/* --- views ---------------------------------------------------------------- */

static int
find_registered(const struct odks_views *v, const char *odata,
                enum odks_view_kind kind, const char *key)
{
    for (int row = 0; row < PQntuples(v->registered); row++) {
        if (strcmp(odks_db_text(v->registered, row, ODATA), odata) == 0
            && strcmp(odks_db_text(v->registered, row, KIND), kind_names[kind])
                   == 0
            && strcmp(odks_db_text(v->registered, row, KEY), key) == 0)
            return row;
    }
    return -1;
}

static char *
free_view_name(struct odks_views *v, const char *base)
{
    for (unsigned i = 1;; i++) {
        CLEANUP_FREE char *suffix =
            i > 1 ? odks_xasprintf("_%u", i) : odks_xstrdup("");
        CLEANUP_FREE char *name =
            odks_name_fit(base, suffix, ODKS_NAME_MAX, base);

        if (odks_names_has(&v->taken, name))
            continue;
        odks_names_add(&v->taken, name);
        return odks_steal(&name);
    }
}

/* A view, with what is known of it; base is what it is to be called. */
static struct odks_view *
new_view(struct odks_views *v, enum odks_view_kind kind,
         const struct odks_source_table *table, const char *key,
         const char *base)
{
    struct odks_view *view = odks_xcalloc(1, sizeof(*view));

    view->kind = kind;
    view->table = table;
    view->key = odks_xstrdup(key);
    view->language = v->comment_language;
    int row = find_registered(v, odks_view_odata(view), kind, key);
    view->is_named = row >= 0;
    view->is_new = kind != ODKS_VIEW_TABLE
                   && (row < 0 || PQgetisnull(v->registered, row, PRESENT));
    if (row < 0) {
        view->name = free_view_name(v, base);
        return view;
    }
    view->name = odks_xstrdup(odks_db_text(v->registered, row, NAME));
    view->digest = odks_db_text(v->registered, row, DIGEST);
    view->comment_digest = odks_db_text(v->registered, row, COMMENT_DIGEST);
    view->options = odks_db_text(v->registered, row, OPTIONS);
    return view;
}

static void
keep_view(struct odks_views *v, struct odks_view *view)
{
    v->view = odks_xreallocarray(v->view, v->view_count + 1,
                                 sizeof(struct odks_view *));
    v->view[v->view_count++] = view;
}

/* A view of the rows of a table: their columns are worked out. */
static void
add_rows(struct odks_views *v, struct odks_view *view)
{
    bool ok = true;

    if (!view->is_new)
        ok = known_columns(
            v, view,
            find_registered(v, odks_view_odata(view), view->kind, view->key));
    if (ok)
        add_missing(v, view);
    for (size_t i = 0; ok && i < view->count; i++)
        ok = describe(v, view, &view->column[i]);
    if (ok) {
        keep_view(v, view);
        return;
    }
    odks_log(ODKS_LOG_WARN,
             "view %s has columns of somebody else: it is left as it is",
             view->name);
    odks_view_free(view);
}

static void
add_choice_views(struct odks_views *v, const struct odks_source_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct odks_source *source = &table->column[i];
        const struct odks_question *q = source->question;

        if (source->field == NULL
            || (source->oid != ODKS_OID_TEXT_ARRAY
                && (q == NULL || q->select != ODKS_SELECT_MANY
                    || source->oid != ODKS_OID_TEXT)))
            continue;
        CLEANUP_FREE char *base =
            odks_xasprintf("v_%s_choice_%s", table->name, source->name);
        struct odks_view *view =
            new_view(v, ODKS_VIEW_CHOICE, table, source->name, base);
        (void) describe(v, view,
                        add_column(view, source->name, source->name, false));
        keep_view(v, view);
    }
}

static void
add_label_view(struct odks_views *v, const struct odks_source_table *table,
               const char *name, size_t language)
{
    CLEANUP_FREE char *suffix = odks_language_suffix(name);
    CLEANUP_FREE char *base =
        odks_xasprintf("v_%s_label_%s", table->name, suffix);
    struct odks_view *view = new_view(v, ODKS_VIEW_LABEL, table, name, base);

    view->language = language;
    add_rows(v, view);
}

/* Is a language of the form among those that are asked for? */
static bool
is_wanted(const struct odks_views *v, size_t language)
{
    const char *const *wanted = v->conf->languages;
    bool any = false;

    for (; wanted != NULL && *wanted != NULL; wanted++) {
        size_t found = odks_language_find(v->xform, *wanted);

        if (found == language)
            return true;
        any |= found < v->xform->language_count;
    }
    return v->conf->languages == NULL || (!any && language == 0);
}

/*
 * In each language that is asked for; and those that are there stay up to
 * date when the form or the settings have their language no more.
 */
static void
add_label_views(struct odks_views *v, const struct odks_source_table *table)
{
    const struct odks_xform *xform = v->xform;

    for (size_t i = 0; i < xform->language_count; i++) {
        if (is_wanted(v, i))
            add_label_view(v, table, xform->language[i], i);
    }
    for (int row = 0; row < PQntuples(v->registered); row++) {
        const char *key = odks_db_text(v->registered, row, KEY);
        size_t i = 0;

        while (i < xform->language_count
               && strcmp(xform->language[i], key) != 0)
            i++;
        if (strcmp(odks_db_text(v->registered, row, KIND),
                   kind_names[ODKS_VIEW_LABEL])
                == 0
            && strcmp(odks_db_text(v->registered, row, ODATA),
                      table->table->odata)
                   == 0
            && !PQgetisnull(v->registered, row, PRESENT)
            && (i == xform->language_count || !is_wanted(v, i)))
            add_label_view(v, table, key, i < xform->language_count ? i : 0);
    }
}

/* The view of all lists, if there are any or were. */
static void
add_choices_view(struct odks_views *v)
{
    CLEANUP_FREE char *base =
        odks_xasprintf("v_%s_choices", v->model->table[0]->name);

    if ((v->xform == NULL || v->xform->list_count == 0)
        && find_registered(v, "", ODKS_VIEW_CHOICES, "") < 0)
        return;
    struct odks_view *view = new_view(v, ODKS_VIEW_CHOICES, NULL, "", base);
    keep_view(v, view);
    v->choices = view;
}

/* --- settings ------------------------------------------------------------- */

static bool
check_parents(const struct odks_views *v, struct odks_err *err)
{
    const struct odks_source_table *root = &v->table[0];
    const char *const *name = v->conf->parent_columns;

    for (; name != NULL && *name != NULL; name++) {
        if (odks_source_find(root, *name) != NULL || v->conf->any_form)
            continue;
        CLEANUP_FREE const char **known =
            odks_xcalloc(root->count + 1, sizeof(*known));
        for (size_t i = 0; i < root->count; i++)
            known[i] = root->column[i].name;
        const char *meant = odks_suggest(*name, known, root->count);
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "parent_columns: table %s has no column %s",
                     v->model->table[0]->name, *name);
        if (root->count == 0)
            odks_err_hint(err, "The submissions of the form are not mirrored: "
                               "add Submissions to tables.");
        else if (meant != NULL)
            odks_err_hint(err, "Did you mean %s?", meant);
        else
            odks_err_hint(err, "It takes names of columns, not of questions.");
        return false;
    }
    return true;
}

/* The first language asked for is that of comments. */
static void
choose_language(struct odks_views *v)
{
    const char *const *wanted = v->conf->languages;
    bool first = true;

    for (; v->xform != NULL && wanted != NULL && *wanted != NULL; wanted++) {
        size_t found = odks_language_find(v->xform, *wanted);

        if (found == v->xform->language_count && !v->conf->any_form)
            odks_log(ODKS_LOG_WARN,
                     "languages: form %s has no language %s (its default is "
                     "%s)",
                     v->conf->form->form_id, *wanted, v->xform->language[0]);
        else if (first)
            v->comment_language = found;
        first = first && found == v->xform->language_count;
    }
}

bool
odks_views_list(struct odks_views *v, struct odks_err *err)
{
    if (!check_parents(v, err))
        return false;
    choose_language(v);
    add_choices_view(v);
    for (size_t i = 0; i < v->model->table_count; i++) {
        const struct odks_source_table *table = &v->table[i];
        const struct odks_table *of = table->table;

        if (table->count == 0)
            continue;
        if (find_registered(v, of->odata, ODKS_VIEW_LIVE, "") >= 0)
            add_rows(v, new_view(v, ODKS_VIEW_LIVE, table, "", ""));
        if (!of->wanted)
            continue;
        if (find_registered(v, of->odata, ODKS_VIEW_TABLE, "") >= 0)
            keep_view(v, new_view(v, ODKS_VIEW_TABLE, table, "", ""));
        if (v->xform != NULL && v->choices != NULL)
            add_label_views(v, table);
        add_choice_views(v, table);
    }
    return true;
}
