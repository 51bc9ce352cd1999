/* lib/table/views.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The views over the tables of a form, and what they and the tables say about
 * themselves.
 *
 *   v_<table>                  live rows; those of repeats with the columns of
 *                              their submission that were asked for
 *   v_<table>_label_<language> the same with labels in place of choices
 *   v_<table>_choice_<column>  one row for each option that was chosen
 *   v_<form>_choices           the lists of choices, in all languages
 *
 * A view is never dropped, keeps its name and only ever gets more columns
 * behind those it has, so that grants, dependent views and dashboards stay. It
 * is replaced in a transaction of its own, that waits for readers no longer
 * than a moment; who finds it busy tries again.
 */
#ifndef ODKS_TABLE_VIEWS_H
#define ODKS_TABLE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"
#include "table/model.h"

struct odks_xform;

struct odks_views_conf {
    const struct odks_model_conf *form;
    const char *form_hash; /* of the version of the form */
    bool labels;           /* make those that need labels, and comments */
    const char *const *languages;      /* names or codes; NULL: all of the
                                          form. The first is that of comments */
    const char *const *parent_columns; /* of the submissions, in the views of
                                          repeats; or NULL */
    bool any_form; /* the settings are those of many forms: what this one has
                      not of them is left out */
};

struct odks_views; /* opaque: what there is to do */

/* Is there anything to do? In the caller's transaction, as all of these. */
ODKS_MUST_CHECK bool odks_views_due(struct odks_db *db,
                                    const struct odks_views_conf *conf,
                                    bool *due, struct odks_err *err);

/*
 * Work out what there is to do, give names to new views and keep the choices
 * of xform (NULL: no labels are known). conf, model and xform must outlive
 * *views, which the caller owns. 78 for an unknown parent column.
 */
ODKS_MUST_CHECK bool
odks_views_plan(struct odks_db *db, const struct odks_views_conf *conf,
                const struct odks_model *model, const struct odks_xform *xform,
                struct odks_views **views, struct odks_err *err);

/* What there is to do is done in steps, each in a transaction of its own. */
size_t odks_views_count(const struct odks_views *views);
const char *odks_views_sql(const struct odks_views *views, size_t step);
/* What a step is about, for messages. */
const char *odks_views_name(const struct odks_views *views, size_t step);
/* Is it of use only when all steps before it are done? */
bool odks_views_is_last(const struct odks_views *views, size_t step);
/* err->sqlstate 55P03: a reader is in the way; roll back and try again. */
ODKS_MUST_CHECK bool odks_views_apply(struct odks_db *db,
                                      const struct odks_views *views,
                                      size_t step, struct odks_err *err);

/* All steps are done: nothing is due until form or settings change. */
ODKS_MUST_CHECK bool odks_views_finish(struct odks_db *db,
                                       const struct odks_views *views,
                                       struct odks_err *err);
void odks_views_free(struct odks_views *views);
ODKS_DEFINE_CLEANUP(views, struct odks_views *, odks_views_free)
#define CLEANUP_VIEWS CLEANUP(odks_cleanup_views)

#endif
