/* lib/table/viewplan.h - SPDX-License-Identifier: Apache-2.0 */
/* What the files share that make up the views. */
#ifndef ODKS_TABLE_VIEWPLAN_H
#define ODKS_TABLE_VIEWPLAN_H

#include "central/xform.h"
#include "core/buf.h"
#include "core/json.h"
#include "table/names.h"
#include "table/sqltext.h"
#include "table/views.h"

/* --- tables as they are
 * -------------------------------------------------------- */

/* A column of a table in the database, and the question that fills it. */
struct odks_source {
    const char *name;  /* borrowed from the result */
    enum odks_oid oid; /* of its type */
    const char *comment;
    const struct odks_field *field; /* NULL: a system column, or retired */
    const char *part;
    const struct odks_question *question; /* NULL: not known */
};

struct odks_source_table {
    const struct odks_table *table;
    const char *name;
    struct odks_source *column;
    size_t count; /* 0: there is no such table */
};

/* --- views (views.c) --------------------------------------------------------
 */

enum odks_view_kind {
    ODKS_VIEW_TABLE, /* no view: the comments of the table */
    ODKS_VIEW_LIVE,
    ODKS_VIEW_LABEL,
    ODKS_VIEW_CHOICE,
    ODKS_VIEW_CHOICES
};

/* A column of a view, and where it comes from. */
struct odks_view_column {
    char *name;
    bool of_parent;                       /* from the submission */
    char *column;                         /* of the table */
    char *list;                           /* of its choices, or NULL */
    bool many;                            /* it holds any number of them */
    const struct odks_question *question; /* NULL: not known */
    bool is_array;
};

struct odks_view {
    enum odks_view_kind kind;
    const struct odks_source_table *table; /* NULL: the whole form */
    char *key;
    char *name;
    size_t language; /* of labels, as the form counts them */
    struct odks_view_column *column;
    size_t count;
    bool is_new;         /* the database has it not */
    bool is_named;       /* the registry has it */
    const char *options; /* of the view that is there, or NULL */
    const char *digest, *comment_digest;
};

/* SQL that is run in one transaction. */
struct odks_view_step {
    struct odks_buf sql;
    struct json_object *done; /* for sql/queries/view_done.sql */
    const char *name;
    const char *lock_timeout;
};

struct odks_views {
    const struct odks_views_conf *conf;
    const struct odks_model *model;
    const struct odks_xform *xform;
    struct odks_db *db;
    PGresult *columns, *registered;
    struct odks_source_table *table; /* as many as the model has */
    struct odks_view **view;
    size_t view_count;
    const struct odks_view *choices; /* of the form, or NULL */
    PGresult *ambiguous_res;
    struct odks_index ambiguous; /* lists with choices that share a name, or
                                    did */
    struct odks_names taken;
    size_t comment_language;
    struct odks_view_step *step;
    size_t step_count;
};

/* "Submissions.person" of a view, "" for the whole form. */
const char *odks_view_odata(const struct odks_view *view);
const char *odks_view_kind_name(enum odks_view_kind kind);

/* --- labels.c ----------------------------------------------------------------
 */

/* Read the tables, and find the question of each column. */
ODKS_MUST_CHECK bool odks_views_read(struct odks_views *v,
                                     struct odks_err *err);

const struct odks_source *
odks_source_find(const struct odks_source_table *table, const char *name);

/* Keep the choices of the form; those that it has no more are marked. */
ODKS_MUST_CHECK bool odks_choices_save(const struct odks_views *v,
                                       struct odks_err *err);

/*
 * The number of the language of the form that is meant by its name or its
 * code ("fr" of "Français (fr)"); language_count if it has none such.
 */
size_t odks_language_find(const struct odks_xform *xform, const char *meant);

/* What stands for it in the name of a view: "fr", "kiswahili"; freed by the
 * caller. */
char *odks_language_suffix(const char *language);

/* --- viewplan.c --------------------------------------------------------------
 */

/*
 * Fill v->view, new ones with free names; v->registered and v->taken are
 * read. 78 for an unknown parent column.
 */
ODKS_MUST_CHECK bool odks_views_list(struct odks_views *v,
                                     struct odks_err *err);
void odks_view_free(struct odks_view *view);

/* --- cascade.c ------------------------------------------------------------ */

/* Read which lists are ambiguous, after the choices were saved. */
ODKS_MUST_CHECK bool odks_cascade_read(struct odks_views *v,
                                       struct odks_err *err);

/*
 * Warn about questions with choices that share a name and match the same
 * filter, and record them in odk_sync_schema_log.
 */
ODKS_MUST_CHECK bool odks_cascade_warn(const struct odks_views *v,
                                       struct odks_err *err);

bool odks_cascade_is_ambiguous(const struct odks_views *v, const char *list);

/* The choices of a list in the language of the view, as l. */
void odks_cascade_choices(struct odks_sqltext *t, const struct odks_views *v,
                          const struct odks_view *view, const char *list,
                          const char *where);

/*
 * Add the label for name, an expression, in an ambiguous list: the label of the
 * choice that matches the filter of the question, or the name itself.
 */
void odks_cascade_label(struct odks_sqltext *t, const struct odks_views *v,
                        const struct odks_view *view,
                        const struct odks_view_column *column,
                        const char *name);

/* --- SQL (viewsql.c, comments.c) ------------------------------------------ */

/* The query of a view. */
void odks_view_define(struct odks_sqltext *t, const struct odks_views *v,
                      const struct odks_view *view);
/* All comments of a view, or of a table and its columns. */
void odks_view_comment(struct odks_sqltext *t, const struct odks_views *v,
                       const struct odks_view *view);

#endif
