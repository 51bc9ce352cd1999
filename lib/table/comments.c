/* lib/table/comments.c - SPDX-License-Identifier: Apache-2.0 */
/* What tables, views and columns say about themselves. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "table/system.h"
#include "table/types.h"
#include "table/viewplan.h"

static const struct {
    const char *name;
    const char *text;
} other_columns[] = {
    { "_parent_id", "_id of the row that this one is within" },
    { "_submission_id", "_id of the submission" },
    { "_position", "from 1, within its parent" },
    { "_synced_at", "when odk-sync wrote the row" },
    { "list", "of choices, by its name in the form or its question" },
    { "language", "of the label" },
    { "position", "from 1: in the list, or as it was chosen" },
    { "name", "as it stands in the answers" },
    { "label", "as people see it" },
    { "retired_at", "the form has it no more since then" },
    { "properties", "of a choice whose name other choices have, too" },
};

static char *
system_text(const struct odks_views *v, const struct odks_source_table *table,
            const char *name)
{
    const struct odks_system *system = odks_system(v->model->feed);

    if (table != NULL && table->table->parent != NULL
        && strcmp(name, "_id") == 0)
        return odks_xstrdup("key of this row");
    for (size_t i = 0; i < system->count; i++) {
        if (strcmp(system->column[i].name, name) == 0)
            return odks_xstrdup(system->column[i].comment);
    }
    for (size_t i = 0; i < sizeof(other_columns) / sizeof(other_columns[0]);
         i++) {
        if (strcmp(other_columns[i].name, name) == 0)
            return odks_xstrdup(other_columns[i].text);
    }
    return NULL;
}

/* "select_one", "int": what kind of question it is. */
static const char *
question_type(const struct odks_source *source)
{
    if (source->question == NULL
        || source->question->select == ODKS_SELECT_NONE)
        return odks_type(source->field->type)->name;
    return source->question->select == ODKS_SELECT_ONE ? "select_one"
                                                       : "select_multiple";
}

/* Where its choices are: ", list sexes"; "" where there is nothing to say. */
static char *
choices_text(const struct odks_question *q)
{
    if (q != NULL && q->file != NULL)
        return odks_xasprintf(", choices in the file %s", q->file);
    if (q != NULL && q->list != NULL && q->list[0] != '/')
        return odks_xasprintf(", list %s", q->list);
    return odks_xstrdup("");
}

/* "What is your name? (/hh/name, text)" */
static char *
field_text(const struct odks_views *v, const struct odks_source *source,
           size_t language)
{
    const struct odks_question *q = source->question;
    const char *path = source->field->path;
    const char *label = q != NULL ? odks_label_text(&q->label, language) : NULL;
    const char *comma = source->part[0] != '\0' ? ", " : "";
    CLEANUP_FREE char *choices = choices_text(q);

    if (label == NULL)
        return odks_xasprintf("%s (%s%s%s%s)", path, question_type(source),
                              comma, source->part, choices);
    return odks_xasprintf("%s (%s, %s%s%s%s)", label, path,
                          question_type(source), comma, source->part, choices);
}

/* The comment of a column of a view or table; NULL: none of ours. */
static char *
column_text(const struct odks_views *v, const struct odks_source_table *table,
            const char *column, size_t language)
{
    const struct odks_source *source = odks_source_find(table, column);

    if (source == NULL)
        return NULL;
    if (source->field != NULL)
        return field_text(v, source, language);
    char *text = column[0] == '_' ? system_text(v, table, column) : NULL;
    /* of a question that the form has no more, what was said before */
    return text != NULL || source->comment == NULL
               ? text
               : odks_xstrdup(source->comment);
}

static void
comment_column(struct odks_sqltext *t, const struct odks_views *v,
               const char *relation, const char *column, const char *text)
{
    odks_sql_add(t, "COMMENT ON COLUMN ");
    odks_sql_table(t, v->model->schema, relation);
    odks_sql_add(t, ".");
    odks_sql_ident(t, column);
    odks_sql_add(t, " IS ");
    odks_sql_literal(t, text);
    odks_sql_add(t, ";\n");
}

/* What a row of a table is, by the form; NULL if it does not say. */
static const char *
table_label(const struct odks_views *v, const struct odks_table *table,
            size_t language)
{
    if (v->xform == NULL)
        return NULL;
    if (table->parent == NULL)
        return v->xform->title[0] != '\0' ? v->xform->title : NULL;
    const struct odks_question *q =
        odks_xform_question(v->xform, table->root->path);
    return q != NULL ? odks_label_text(&q->label, language) : NULL;
}

/* "Household (odk-sync: Submissions of form household, project 1 of ...)" */
static char *
relation_text(const struct odks_views *v, const struct odks_view *view)
{
    const struct odks_model_conf *form = v->conf->form;
    const char *label = view->table != NULL
                            ? table_label(v, view->table->table, view->language)
                            : NULL;
    CLEANUP_FREE char *extra = odks_xstrdup("");
    const char *what = "";

    if (view->kind == ODKS_VIEW_LIVE) {
        what = "live rows of ";
    } else if (view->kind == ODKS_VIEW_LABEL) {
        what = "live rows, with labels, of ";
        free(extra);
        extra = odks_xasprintf(", in %s", view->key);
    } else if (view->kind == ODKS_VIEW_CHOICE) {
        what = "each option chosen, in live rows of ";
        free(extra);
        extra = odks_xasprintf(", as answer to %s", view->key);
    } else if (view->kind == ODKS_VIEW_CHOICES) {
        what = "the choices";
    }
    CLEANUP_FREE char *text = odks_xasprintf(
        "odk-sync: %s%s of %s %s, project %" PRId64 " of %s%s", what,
        view->table != NULL ? view->table->table->odata : "",
        odks_feed_names(form->feed)->what, form->form_id, form->project,
        form->central, extra);
    return label != NULL ? odks_xasprintf("%s (%s)", label, text)
                         : odks_steal(&text);
}

static void
comment_relation(struct odks_sqltext *t, const struct odks_views *v,
                 const struct odks_view *view)
{
    CLEANUP_FREE char *text = relation_text(v, view);

    odks_sql_add(t, view->kind == ODKS_VIEW_TABLE ? "COMMENT ON TABLE "
                                                  : "COMMENT ON VIEW ");
    odks_sql_table(t, v->model->schema, view->name);
    odks_sql_add(t, " IS ");
    odks_sql_literal(t, text);
    odks_sql_add(t, ";\n");
}

static void
comment_table(struct odks_sqltext *t, const struct odks_views *v,
              const struct odks_view *view)
{
    for (size_t i = 0; i < view->table->count; i++) {
        const char *name = view->table->column[i].name;
        CLEANUP_FREE char *text =
            column_text(v, view->table, name, view->language);

        if (text != NULL)
            comment_column(t, v, view->name, name, text);
    }
}

static void
comment_rows(struct odks_sqltext *t, const struct odks_views *v,
             const struct odks_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct odks_view_column *column = &view->column[i];
        CLEANUP_FREE char *text =
            column_text(v, column->of_parent ? &v->table[0] : view->table,
                        column->column, view->language);

        if (text != NULL)
            comment_column(t, v, view->name, column->name, text);
    }
}

static void
comment_fixed(struct odks_sqltext *t, const struct odks_views *v,
              const struct odks_view *view)
{
    static const char *const choice[] = { "_id",  "_submission_id", "position",
                                          "name", "label",          NULL };
    static const char *const choices[] = { "list",       "language",
                                           "position",   "name",
                                           "label",      "retired_at",
                                           "properties", NULL };
    const char *const *name = view->kind == ODKS_VIEW_CHOICE ? choice : choices;

    for (; *name != NULL; name++) {
        CLEANUP_FREE char *text = system_text(v, view->table, *name);
        comment_column(t, v, view->name, *name, text);
    }
}

void
odks_view_comment(struct odks_sqltext *t, const struct odks_views *v,
                  const struct odks_view *view)
{
    comment_relation(t, v, view);
    if (view->kind == ODKS_VIEW_TABLE)
        comment_table(t, v, view);
    else if (view->kind == ODKS_VIEW_LIVE || view->kind == ODKS_VIEW_LABEL)
        comment_rows(t, v, view);
    else
        comment_fixed(t, v, view);
}
