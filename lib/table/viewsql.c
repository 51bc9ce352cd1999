/* lib/table/viewsql.c - SPDX-License-Identifier: Apache-2.0 */
/* The definitions of views. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "table/viewplan.h"

static const char *
schema(const struct odks_views *v)
{
    return v->model->schema;
}

/* "t.column" or "s.column" */
static void
add_source(struct odks_sqltext *t, const struct odks_view_column *column)
{
    odks_sql_add(t, column->of_parent ? "s." : "t.");
    odks_sql_ident(t, column->column);
}

static void
add_equals(struct odks_sqltext *t, const char *what, const char *literal)
{
    odks_sql_add(t, what);
    odks_sql_add(t, " = ");
    odks_sql_literal(t, literal);
}

static bool
has_labels(const struct odks_views *v, const struct odks_view_column *column)
{
    return column->list != NULL && v->choices != NULL;
}

/* The names that were chosen, as rows o (name, position). */
static void
add_chosen(struct odks_sqltext *t, const struct odks_view_column *column)
{
    odks_sql_add(t, column->is_array
                        ? "unnest("
                        : "unnest(regexp_split_to_array(NULLIF(btrim(");
    add_source(t, column);
    odks_sql_add(t, column->is_array ? ")" : "), ''), ' +'))");
    odks_sql_add(t, " WITH ORDINALITY o (name, position)");
}

/*
 * The labels by name, as one value that is made once for a query: a join for
 * each question would take PostgreSQL seconds to plan.
 */
static void
add_labels(struct odks_sqltext *t, const struct odks_views *v,
           const struct odks_view *view, const char *list)
{
    odks_sql_add(t, "(SELECT jsonb_object_agg(l.name, l.label)"
                    "\n        FROM ");
    odks_cascade_choices(t, v, view, list, "WHERE");
    odks_sql_add(t, ")");
}

/* The label of a name, which is itself what shows without one. */
static void
add_label(struct odks_sqltext *t, const struct odks_views *v,
          const struct odks_view *view, const struct odks_view_column *column,
          const char *name)
{
    if (!has_labels(v, column)) {
        odks_sql_add(t, name);
        return;
    }
    if (odks_cascade_is_ambiguous(v, column->list)) {
        odks_cascade_label(t, v, view, column, name);
        return;
    }
    odks_sql_add(t, "COALESCE(");
    add_labels(t, v, view, column->list);
    odks_sql_add(t, " ->> ");
    odks_sql_add(t, name);
    odks_sql_add(t, ", ");
    odks_sql_add(t, name);
    odks_sql_add(t, ")");
}

/* A column of a view of labels. */
static void
add_labelled(struct odks_sqltext *t, const struct odks_views *v,
             const struct odks_view *view,
             const struct odks_view_column *column)
{
    CLEANUP_BUF struct odks_buf name = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext source = { .db = t->db, .buf = &name };

    if (column->many || column->is_array) {
        odks_sql_add(t, "(SELECT string_agg(");
        add_label(t, v, view, column, "o.name");
        odks_sql_add(t, ", ', ' ORDER BY o.position)\n        FROM ");
        add_chosen(t, column);
        odks_sql_add(t, ")");
    } else {
        add_source(&source, column);
        t->failed = t->failed || source.failed;
        add_label(t, v, view, column, name.data);
    }
}

static void
add_columns(struct odks_sqltext *t, const struct odks_views *v,
            const struct odks_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct odks_view_column *column = &view->column[i];

        odks_sql_add(t, i > 0 ? ",\n    " : "\n    ");
        if (view->kind == ODKS_VIEW_LABEL)
            add_labelled(t, v, view, column);
        else
            add_source(t, column);
        odks_sql_add(t, " AS ");
        odks_sql_ident(t, column->name);
    }
}

static bool
has_submissions(const struct odks_views *v)
{
    return v->table[0].count > 0;
}

/* The table, and for a repeat the submissions. */
static void
add_from(struct odks_sqltext *t, const struct odks_views *v,
         const struct odks_view *view)
{
    odks_sql_add(t, "\nFROM ");
    odks_sql_table(t, schema(v), view->table->name);
    odks_sql_add(t, " t");
    if (view->table->table->parent == NULL || !has_submissions(v))
        return;
    odks_sql_add(t, "\nJOIN ");
    odks_sql_table(t, schema(v), v->table[0].name);
    odks_sql_add(t, " s ON s._id = t._submission_id"
                    " AND s._deleted_at IS NULL");
}

static void
add_where(struct odks_sqltext *t, const struct odks_view *view)
{
    if (view->table->table->parent == NULL)
        odks_sql_add(t, "\nWHERE t._deleted_at IS NULL");
}

static void
define_rows(struct odks_sqltext *t, const struct odks_views *v,
            const struct odks_view *view)
{
    add_columns(t, v, view);
    add_from(t, v, view);
    add_where(t, view);
}

static void
define_choice(struct odks_sqltext *t, const struct odks_views *v,
              const struct odks_view *view)
{
    const struct odks_view_column *column = &view->column[0];
    bool known =
        has_labels(v, column) && !odks_cascade_is_ambiguous(v, column->list);

    odks_sql_add(t, "\n    t._id,\n    ");
    odks_sql_add(t, view->table->table->parent == NULL
                        ? "t._id AS _submission_id"
                        : "t._submission_id");
    odks_sql_add(t, ",\n    o.position,\n    o.name,\n    ");
    if (known)
        odks_sql_add(t, "COALESCE(l.label, o.name)");
    else
        add_label(t, v, view, column, "o.name");
    odks_sql_add(t, " AS label");
    add_from(t, v, view);
    odks_sql_add(t, "\nCROSS JOIN ");
    add_chosen(t, column);
    if (known) {
        odks_sql_add(t, "\nLEFT JOIN ");
        odks_cascade_choices(t, v, view, column->list, "ON");
        odks_sql_add(t, " AND l.name = o.name");
    }
    add_where(t, view);
}

static void
define_choices(struct odks_sqltext *t, const struct odks_views *v)
{
    const struct odks_model_conf *form = v->conf->form;
    CLEANUP_FREE char *project =
        odks_xasprintf(" AND c.project = %" PRId64, form->project);

    odks_sql_add(t, "\n    c.list,\n    c.language,\n    c.position,\n"
                    "    c.name,\n    c.label,\n    c.retired_at,\n"
                    "    c.properties\nFROM ");
    odks_sql_table(t, odks_db_tracking_schema(v->db), "odk_sync_choice");
    add_equals(t, " c\nWHERE c.central", form->central);
    odks_sql_add(t, project);
    add_equals(t, " AND c.form", form->form_id);
}

void
odks_view_define(struct odks_sqltext *t, const struct odks_views *v,
                 const struct odks_view *view)
{
    odks_sql_add(t, "SELECT");
    if (view->kind == ODKS_VIEW_CHOICES)
        define_choices(t, v);
    else if (view->kind == ODKS_VIEW_CHOICE)
        define_choice(t, v, view);
    else
        define_rows(t, v, view);
}
