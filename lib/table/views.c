/* lib/table/views.c - SPDX-License-Identifier: Apache-2.0 */
/* Which views there are, and the steps that make them. */
#include <config.h>

#include "table/views.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "sql/queries.h"
#include "table/viewplan.h"

/*
 * Part of the digests: raise it when views or comments of the same form and
 * settings come out differently.
 */
#define BUILD "2"

/* How long to wait for readers: whoever comes meanwhile waits behind us. */
#define VIEW_WAIT "100ms"
/* Comments keep no reader waiting. */
#define COMMENT_WAIT "2s"

static bool
run(struct odks_db *db, const struct odks_sql *sql, const char *const *params,
    struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_db_query(db, sql, params, err);

    return res != NULL;
}

static uint64_t
hash_list(uint64_t hash, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        hash = odks_hash_text(hash, *list);
    return odks_hash_text(hash, NULL);
}

/* What the views follow from, as long as the tables stay as they are. */
static void
settings_digest(const struct odks_views_conf *conf, char text[17])
{
    uint64_t hash = odks_hash_text(ODKS_HASH_INIT, BUILD);

    hash = odks_hash_text(hash, conf->form_hash);
    hash = odks_hash_text(hash, conf->form->central);
    hash = odks_hash_text(hash, conf->labels ? "labels" : "");
    hash = hash_list(hash, conf->languages);
    hash = hash_list(hash, conf->parent_columns);
    hash = hash_list(hash, conf->form->tables);
    (void) snprintf(text, 17, "%016" PRIx64, hash);
}

bool
odks_views_due(struct odks_db *db, const struct odks_views_conf *conf,
               bool *due, struct odks_err *err)
{
    struct odks_model_key key;
    char digest[17];
    const char *const *form = odks_model_key(conf->form, &key);

    settings_digest(conf, digest);
    const char *const params[] = {
        conf->form->sync_type, digest, form[0], form[1], form[2], form[3]
    };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_view_due, params, err);
    if (res == NULL)
        return false;
    *due = odks_db_bool(res, 0, 0);
    return true;
}

/* --- steps ---------------------------------------------------------------- */

static struct odks_view_step *
add_step(struct odks_views *v, const char *name, const char *lock_timeout)
{
    v->step = odks_xreallocarray(v->step, v->step_count + 1, sizeof(*v->step));
    struct odks_view_step *step = &v->step[v->step_count++];
    *step = (struct odks_view_step){ .sql = ODKS_BUF_INIT(ODKS_SQL_MAX),
                                     .done = json_object_new_array(),
                                     .name = name,
                                     .lock_timeout = lock_timeout };
    return step;
}

static void
add_text(struct json_object *o, const char *key, const char *text)
{
    (void) json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *
columns_json(const struct odks_view *view)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < view->count; i++) {
        const struct odks_view_column *column = &view->column[i];
        struct json_object *o = json_object_new_object();

        add_text(o, "name", column->name);
        add_text(o, "column", column->column);
        if (column->of_parent)
            (void) json_object_object_add(o, "of_parent",
                                          json_object_new_boolean(true));
        if (column->list != NULL)
            add_text(o, "list", column->list);
        if (column->many)
            (void) json_object_object_add(o, "many",
                                          json_object_new_boolean(true));
        (void) json_object_array_add(list, o);
    }
    return list;
}

/* The row of view_done.sql that says that this is made now. */
static void
add_done(struct odks_view_step *step, const struct odks_view *view,
         const char *key, const char *sql)
{
    char digest[17];
    struct json_object *o = json_object_new_object();

    (void) snprintf(digest, sizeof(digest), "%016" PRIx64,
                    odks_hash_text(ODKS_HASH_INIT, sql));
    add_text(o, "odata", odks_view_odata(view));
    add_text(o, "kind", odks_view_kind_name(view->kind));
    add_text(o, "key", view->key);
    add_text(o, key, digest);
    if (strcmp(key, "digest") == 0)
        (void) json_object_object_add(o, "columns", columns_json(view));
    (void) json_object_array_add(step->done, o);
}

static bool
is_same(const char *digest, const char *sql)
{
    char now[17];

    (void) snprintf(now, sizeof(now), "%016" PRIx64,
                    odks_hash_text(ODKS_HASH_INIT, sql));
    return digest != NULL && strcmp(digest, now) == 0;
}

static void
add_head(struct odks_sqltext *t, const struct odks_views *v,
         const struct odks_view *view)
{
    odks_sql_add(t, view->is_new ? "CREATE VIEW " : "CREATE OR REPLACE VIEW ");
    odks_sql_table(t, v->model->schema, view->name);
    if (view->options != NULL) {
        /* what somebody set on the view would be reset */
        odks_sql_add(t, " WITH (");
        odks_sql_add(t, view->options);
        odks_sql_add(t, ")");
    }
    odks_sql_add(t, " AS\n");
}

/*
 * A view that is there is replaced in a step of its own: a transaction with
 * two locks that keep readers out could wait for one of them for ever.
 */
static bool
define(struct odks_views *v, const struct odks_view *view,
       struct odks_view_step **creation, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext body = { .db = v->db, .buf = &sql };
    struct odks_view_step *step = *creation;

    odks_view_define(&body, v, view);
    if (!odks_sql_done(&body, err))
        return false;
    if (is_same(view->digest, sql.data) && !view->is_new)
        return true;
    if (!view->is_new)
        step = add_step(v, view->name, VIEW_WAIT);
    else if (step == NULL)
        *creation = step = add_step(v, view->name, VIEW_WAIT);
    struct odks_sqltext t = { .db = v->db, .buf = &step->sql };
    add_head(&t, v, view);
    odks_sql_add(&t, sql.data);
    odks_sql_add(&t, ";\n");
    add_done(step, view, "digest", sql.data);
    return odks_sql_done(&t, err);
}

static bool
comment(struct odks_views *v, const struct odks_view *view,
        struct odks_view_step **comments, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext text = { .db = v->db, .buf = &sql };

    /* without its XML a form says nothing, a dataset all there is to say;
     * another job of the form speaks for the other tables */
    if ((v->xform == NULL && v->model->feed == ODKS_FEED_FORM)
        || (view->table != NULL && !view->table->table->wanted))
        return true;
    odks_view_comment(&text, v, view);
    if (!odks_sql_done(&text, err))
        return false;
    if (is_same(view->comment_digest, sql.data) && !view->is_new)
        return true;
    if (*comments == NULL)
        *comments = add_step(v, "comments", COMMENT_WAIT);
    struct odks_sqltext t = { .db = v->db, .buf = &(*comments)->sql };
    odks_sql_add(&t, sql.data);
    add_done(*comments, view, "comment_digest", sql.data);
    return odks_sql_done(&t, err);
}

/*
 * All new views in one step, each changed view in a step of its own, then the
 * comments. The view of choices comes first, because the others read it.
 */
static bool
make_steps(struct odks_views *v, struct odks_err *err)
{
    struct odks_view_step *creation = NULL, *comments = NULL;

    if (v->choices != NULL && !v->choices->is_new
        && !define(v, v->choices, &creation, err))
        return false;
    for (int is_new = 1; is_new >= 0; is_new--) {
        for (size_t i = 0; i < v->view_count; i++) {
            if (v->view[i]->kind != ODKS_VIEW_TABLE
                && (v->view[i] != v->choices || v->choices->is_new)
                && v->view[i]->is_new == (is_new == 1)
                && !define(v, v->view[i], &creation, err))
                return false;
        }
    }
    for (size_t i = 0; i < v->view_count; i++) {
        if (!comment(v, v->view[i], &comments, err))
            return false;
    }
    return true;
}

/* --- the plan ------------------------------------------------------------- */

static bool
read_registry(struct odks_views *v, const char *const *form,
              struct odks_err *err)
{
    const char *const schema[] = { v->model->schema };

    if (!run(v->db, &odks_sql_view_forget, form, err)
        || !run(v->db, &odks_sql_view_adopt, form, err))
        return false;
    v->registered = odks_db_query(v->db, &odks_sql_view_list, form, err);
    CLEANUP_PGRESULT PGresult *taken =
        v->registered != NULL
            ? odks_db_query(v->db, &odks_sql_view_taken, schema, err)
            : NULL;
    for (int i = 0; taken != NULL && i < PQntuples(taken); i++)
        odks_names_add(&v->taken, odks_db_text(taken, i, 0));
    return taken != NULL;
}

static bool
save_names(const struct odks_views *v, const char *const *form,
           struct odks_err *err)
{
    CLEANUP_JSON struct json_object *rows = json_object_new_array();

    for (size_t i = 0; i < v->view_count; i++) {
        const struct odks_view *view = v->view[i];

        if (view->is_named)
            continue;
        struct json_object *o = json_object_new_object();
        add_text(o, "odata", odks_view_odata(view));
        add_text(o, "kind", odks_view_kind_name(view->kind));
        add_text(o, "key", view->key);
        add_text(o, "view_name", view->name);
        (void) json_object_array_add(rows, o);
    }
    const char *const params[] = {
        form[0], form[1],          form[2],
        form[3], v->model->schema, json_object_get_string(rows)
    };
    return json_object_array_length(rows) == 0
           || run(v->db, &odks_sql_view_save, params, err);
}

bool
odks_views_plan(struct odks_db *db, const struct odks_views_conf *conf,
                const struct odks_model *model, const struct odks_xform *xform,
                struct odks_views **views, struct odks_err *err)
{
    CLEANUP_VIEWS struct odks_views *v = odks_xcalloc(1, sizeof(*v));
    struct odks_model_key key;
    const char *const *form = odks_model_key(conf->form, &key);

    *views = NULL;
    v->db = db;
    v->conf = conf;
    v->model = model;
    v->xform = conf->labels ? xform : NULL;
    if (!odks_model_lock(db, conf->form, err) || !odks_views_read(v, err)
        || !read_registry(v, form, err) || !odks_views_list(v, err)
        || !save_names(v, form, err)
        || (v->xform != NULL && !odks_choices_save(v, err))
        || !odks_cascade_read(v, err)
        || (v->xform != NULL && !odks_cascade_warn(v, err))
        || !make_steps(v, err))
        return false;
    *views = odks_steal(&v);
    return true;
}

size_t
odks_views_count(const struct odks_views *views)
{
    return views->step_count;
}

const char *
odks_views_sql(const struct odks_views *views, size_t step)
{
    return views->step[step].sql.data;
}

const char *
odks_views_name(const struct odks_views *views, size_t step)
{
    return views->step[step].name;
}

bool
odks_views_is_last(const struct odks_views *views, size_t step)
{
    return strcmp(views->step[step].lock_timeout, COMMENT_WAIT) == 0;
}

bool
odks_views_apply(struct odks_db *db, const struct odks_views *views,
                 size_t step, struct odks_err *err)
{
    const struct odks_view_step *s = &views->step[step];
    CLEANUP_FREE char *wait =
        odks_xasprintf("SET LOCAL lock_timeout = '%s'", s->lock_timeout);
    struct odks_model_key key;
    const char *const *form = odks_model_key(views->conf->form, &key);
    const char *const params[] = { form[0], form[1], form[2], form[3],
                                   json_object_get_string(s->done) };

    return odks_db_do(db, "lock_timeout", wait, err)
           && odks_db_do(db, s->name, s->sql.data, err)
           && run(db, &odks_sql_view_done, params, err);
}

bool
odks_views_finish(struct odks_db *db, const struct odks_views *views,
                  struct odks_err *err)
{
    const struct odks_xform *xform = views->xform;
    struct odks_model_key key;
    const char *const *form = odks_model_key(views->conf->form, &key);
    char digest[17];
    CLEANUP_JSON struct json_object *languages = json_object_new_array();

    settings_digest(views->conf, digest);
    for (size_t i = 0; xform != NULL && i < xform->language_count; i++)
        (void) json_object_array_add(
            languages, json_object_new_string(xform->language[i]));
    const char *const params[] = { views->conf->form->sync_type,
                                   digest,
                                   form[0],
                                   form[1],
                                   form[2],
                                   form[3],
                                   xform != NULL ? xform->title : NULL,
                                   xform != NULL
                                       ? json_object_get_string(languages)
                                       : NULL };
    return run(db, &odks_sql_view_form, params, err);
}

void
odks_views_free(struct odks_views *views)
{
    if (views == NULL)
        return;
    for (size_t i = 0; i < views->step_count; i++) {
        odks_buf_free(&views->step[i].sql);
        json_object_put(views->step[i].done);
    }
    for (size_t i = 0; i < views->view_count; i++)
        odks_view_free(views->view[i]);
    for (size_t i = 0; views->table != NULL && i < views->model->table_count;
         i++)
        free(views->table[i].column);
    PQclear(views->columns);
    PQclear(views->registered);
    odks_index_clear(&views->ambiguous);
    PQclear(views->ambiguous_res);
    odks_names_clear(&views->taken);
    free(views->table);
    free(views->view);
    free(views->step);
    free(views);
}
