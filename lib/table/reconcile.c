/* lib/table/reconcile.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/reconcile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "sql/queries.h"
#include "table/keys.h"
#include "table/rules.h"
#include "table/sqltext.h"
#include "table/system.h"

struct odks_reconcile {
    const struct odks_model *model;
    char *sync_type;
    char *since; /* rows written later are not compared */
    enum odks_on_delete on_delete;
    struct odks_keys keys;
};

/*
 * $1 is the sync type, $2 since, $3 whether deleted rows go for good: only
 * then those that are marked as deleted are still to be removed.
 */
#define IS_HERE "(t._deleted_at IS NULL OR $3::boolean)"

#define IS_OLD "t._synced_at <= $2::timestamptz"

/* Is the row t here and unknown to Central? */
#define IS_GONE                                                    \
    IS_HERE " AND " IS_OLD                                         \
            " AND NOT EXISTS (SELECT FROM {schema}.odk_sync_key k" \
            " WHERE k.sync_type = $1 AND k.id = t._id)"

/* The same where it is joined with all keys. */
#define NO_KEY "k.id IS NULL AND " IS_HERE " AND " IS_OLD

#define IS_DELETED \
    "(k.deleted_at IS NOT NULL AND t._id IS NOT NULL AND " IS_HERE ")"
#define IS_RESTORED                              \
    "(k.id IS NOT NULL AND k.deleted_at IS NULL" \
    " AND t._deleted_at IS NOT NULL)"
/* Not here though live there, or as dead or alive but in another state: that
 * is %s, from odks_keys_differ(). */
#define IS_MISSING                                                   \
    "(CASE WHEN k.id IS NULL THEN false"                             \
    " WHEN t._id IS NULL THEN k.deleted_at IS NULL"                  \
    " ELSE (k.deleted_at IS NULL) = (t._deleted_at IS NULL) AND %s " \
    "END)"

/* before, the table of submissions, after: one statement */
static PGresult *
query_table(struct odks_db *db, const struct odks_model *model,
            const char *table, const char *before, const char *after, int count,
            const char *const *params, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &sql };

    odks_sql_add(&t, before);
    odks_sql_table(&t, model->schema, table);
    odks_sql_add(&t, after);
    if (!odks_sql_done(&t, err))
        return NULL;
    PGresult *res = odks_db_exec(db, "reconcile", sql.data, count, params, err);
    if (res == NULL)
        odks_db_hide_values(err);
    return res;
}

static PGresult *
forget(struct odks_db *db, const char *sync_type, struct odks_err *err)
{
    const char *const params[] = { sync_type };

    return odks_db_query(db, &odks_sql_reconcile_forget, params, err);
}

bool
odks_reconcile_begin(struct odks_db *db, const struct odks_model *model,
                     const char *sync_type, enum odks_on_delete on_delete,
                     struct odks_reconcile **r, struct odks_err *err)
{
    *r = NULL;
    CLEANUP_PGRESULT PGresult *res = forget(db, sync_type, err);
    if (res == NULL)
        return false;
    *r = odks_xcalloc(1, sizeof(**r));
    (*r)->model = model;
    (*r)->sync_type = odks_xstrdup(sync_type);
    (*r)->since = odks_xstrdup(odks_db_text(res, 0, 0));
    (*r)->on_delete = on_delete;
    odks_keys_init(&(*r)->keys, model->feed, (*r)->sync_type, on_delete);
    (*r)->keys.privacy = model->privacy;
    return true;
}

void
odks_reconcile_free(struct odks_reconcile *r)
{
    if (r == NULL)
        return;
    odks_keys_clear(&r->keys);
    free(r->sync_type);
    free(r->since);
    free(r);
}

void
odks_reconcile_from_trash(struct odks_reconcile *r,
                          const struct odks_trash *trash)
{
    r->keys.trash = trash;
}

bool
odks_reconcile_add(struct odks_reconcile *r, const char *row, size_t len,
                   struct odks_err *err)
{
    return odks_keys_add(&r->keys, row, len, err);
}

bool
odks_reconcile_is_full(const struct odks_reconcile *r)
{
    return odks_keys_are_full(&r->keys);
}

bool
odks_reconcile_flush(struct odks_reconcile *r, struct odks_db *db,
                     struct odks_err *err)
{
    return odks_keys_flush(&r->keys, db, err);
}

static const char *
hard(const struct odks_reconcile *r)
{
    return r->on_delete == ODKS_DELETE_HARD ? "t" : "f";
}

/* Unlogged tables are empty after a crash: that is no sign of deletions. */
static bool
check_kept(const struct odks_reconcile *r, int64_t keys, struct odks_err *err)
{
    if (keys == r->keys.kept)
        return true;
    odks_err_set(err, ODKS_EXIT_TEMPFAIL, "the keys to compare with were lost");
    odks_err_hint(err, "PostgreSQL was restarted meanwhile: its unlogged "
                       "tables are empty. Run the job again.");
    return false;
}

bool
odks_reconcile_compare(struct odks_reconcile *r, struct odks_db *db,
                       int64_t before, struct odks_difference *diff,
                       struct odks_err *err)
{
    enum { KEYS, MISSING, GONE, GONE_OLD, DELETED, RESTORED, LIVE };
    char date[ODKS_TIME_TEXT];
    const char *const params[] = { r->sync_type, r->since, hard(r),
                                   odks_db_time_param(before, date) };
    CLEANUP_FREE char *other = odks_keys_differ(r->model->feed);
    CLEANUP_FREE char *head = odks_xasprintf(
        "SELECT count(k.id), count(*) FILTER (WHERE " IS_MISSING "),"
        " count(*) FILTER (WHERE " NO_KEY "),"
        " count(*) FILTER (WHERE " NO_KEY " AND t.%s < $4::timestamptz),"
        " count(*) FILTER (WHERE " IS_DELETED "),"
        " count(*) FILTER (WHERE " IS_RESTORED "),"
        " count(*) FILTER (WHERE t._id IS NOT NULL AND t._deleted_at IS NULL)"
        " FROM (SELECT * FROM {schema}.odk_sync_key WHERE sync_type = $1) k"
        " FULL JOIN ",
        other, odks_system(r->model->feed)->created);
    CLEANUP_PGRESULT PGresult *res =
        query_table(db, r->model, r->model->table[0]->name, head,
                    " t ON t._id = k.id", 4, params, err);

    if (res == NULL || !check_kept(r, odks_db_int64(res, 0, KEYS), err))
        return false;
    diff->missing = odks_db_int64(res, 0, MISSING);
    diff->gone = odks_db_int64(res, 0, GONE);
    diff->gone_old = odks_db_int64(res, 0, GONE_OLD);
    diff->deleted = odks_db_int64(res, 0, DELETED);
    diff->restored = odks_db_int64(res, 0, RESTORED);
    diff->live = odks_db_int64(res, 0, LIVE);
    return true;
}

/*
 * The keys are dealt into slices of as many as a window may hold. An instant
 * that lies across the border of two slices makes a window of its own. A form
 * may call its questions as we call ours: all columns are qualified.
 */
bool
odks_reconcile_windows(struct odks_reconcile *r, struct odks_db *db,
                       int64_t rows, struct odks_window **windows,
                       size_t *count, struct odks_err *err)
{
    char limit[24];
    const char *const params[] = { r->sync_type, limit, hard(r) };

    *windows = NULL;
    *count = 0;
    (void) snprintf(limit, sizeof(limit), "%" PRId64, rows > 0 ? rows : 1);
    CLEANUP_FREE char *other = odks_keys_differ(r->model->feed);
    CLEANUP_FREE char *after =
        odks_xasprintf(" t ON t._id = k.id WHERE " IS_MISSING " OR " IS_DELETED
                       " OR " IS_RESTORED " GROUP BY k.n / $2::bigint,"
                       " (k.n + k.same - 1) / $2::bigint ORDER BY 1",
                       other);
    CLEANUP_PGRESULT PGresult *res = query_table(
        db, r->model, r->model->table[0]->name,
        "SELECT (extract(epoch FROM min(k.submitted_at)) * 1000000)::bigint,"
        " (extract(epoch FROM max(k.submitted_at)) * 1000000)::bigint + 1"
        " FROM (SELECT *, rank() OVER (ORDER BY submitted_at) - 1 AS n,"
        " count(*) OVER (PARTITION BY submitted_at) AS same"
        " FROM {schema}.odk_sync_key WHERE sync_type = $1) k LEFT JOIN ",
        after, 3, params, err);
    if (res == NULL)
        return false;
    *count = (size_t) PQntuples(res);
    *windows = odks_xcalloc(*count, sizeof(**windows));
    for (int i = 0; i < PQntuples(res); i++)
        (*windows)[i] = (struct odks_window){ odks_db_int64(res, i, 0),
                                              odks_db_int64(res, i, 1) };
    return true;
}

/* Run a statement on gone rows; how many, or -1. */
static int64_t
on_gone(struct odks_reconcile *r, struct odks_db *db, const char *table,
        const char *before, const char *after, struct odks_err *err)
{
    const char *const params[] = { r->sync_type, r->since, hard(r) };
    CLEANUP_PGRESULT PGresult *res =
        query_table(db, r->model, table, before, after, 3, params, err);

    return res != NULL ? strtoll(PQcmdTuples(res), NULL, 10) : -1;
}

/* The tables of repeats that there are, now or from earlier versions. */
static PGresult *
repeat_tables(const struct odks_reconcile *r, struct odks_db *db,
              struct odks_err *err)
{
    const struct odks_model *model = r->model;
    CLEANUP_JSON struct json_object *names = json_object_new_array();

    for (size_t i = 1; i < model->table_count; i++)
        (void) json_object_array_add(
            names, json_object_new_string(model->table[i]->name));
    for (size_t i = 0; i < model->retired_count; i++)
        (void) json_object_array_add(names,
                                     json_object_new_string(model->retired[i]));
    const char *const params[] = { model->schema,
                                   json_object_get_string(names) };
    return odks_db_query(db, &odks_sql_table_relations, params, err);
}

/*
 * What a person said goes with its submission: repeats and rejects, whichever
 * job of the form wrote them.
 */
static int64_t
delete_gone(struct odks_reconcile *r, struct odks_db *db, struct odks_err *err)
{
    const char *root = r->model->table[0]->name;
    CLEANUP_BUF struct odks_buf gone = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &gone };

    odks_sql_add(&t, " IN (SELECT t._id FROM ");
    odks_sql_table(&t, r->model->schema, root);
    odks_sql_add(&t, " t WHERE " IS_GONE ")");
    if (!odks_sql_done(&t, err))
        return -1;
    CLEANUP_FREE char *below =
        odks_xasprintf(" WHERE _submission_id%s", gone.data);
    CLEANUP_FREE char *rejects = odks_xasprintf(
        "DELETE FROM {schema}.odk_sync_reject WHERE submission_id%s"
        " AND table_name = $4",
        gone.data);
    CLEANUP_PGRESULT PGresult *repeats = repeat_tables(r, db, err);

    if (repeats == NULL)
        return -1;
    for (int i = -1; i < PQntuples(repeats); i++) {
        const char *table = i < 0 ? root : PQgetvalue(repeats, i, 0);
        const char *const params[] = { r->sync_type, r->since, hard(r), table };

        CLEANUP_PGRESULT PGresult *res =
            odks_db_exec(db, "reconcile", rejects, 4, params, err);
        if (res == NULL
            || (i >= 0
                && on_gone(r, db, table, "DELETE FROM ", below, err) < 0))
            return -1;
    }
    return on_gone(r, db, root, "DELETE FROM ", " t WHERE " IS_GONE, err);
}

/*
 * Submissions that no row can hold are on record alone: those that Central has
 * no more are forgotten.
 */
static bool
forget_left_out(struct odks_reconcile *r, struct odks_db *db,
                struct odks_err *err)
{
    const char *const params[] = { r->sync_type, r->since };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_reconcile_left_out, params, err);

    return res != NULL;
}

bool
odks_reconcile_remove_gone(struct odks_reconcile *r, struct odks_db *db,
                           int64_t *rows, struct odks_err *err)
{
    *rows = 0;
    if (r->on_delete == ODKS_DELETE_HARD)
        *rows = delete_gone(r, db, err);
    else if (r->on_delete == ODKS_DELETE_SOFT)
        *rows = on_gone(r, db, r->model->table[0]->name, "UPDATE ",
                        " t SET _deleted_at = now(),"
                        " _synced_at = clock_timestamp() WHERE " IS_GONE,
                        err);
    return *rows >= 0 && forget_left_out(r, db, err);
}

/* The tables that the job fills, and those that nothing fills any more. */
static const char *
filled(const struct odks_model *model, size_t i)
{
    if (i >= model->table_count)
        return model->retired[i - model->table_count];
    return model->table[i]->wanted ? model->table[i]->name : NULL;
}

static bool
keys_are_whole(struct odks_reconcile *r, struct odks_db *db,
               struct odks_err *err)
{
    const char *const params[] = { r->sync_type };
    CLEANUP_PGRESULT PGresult *res = odks_db_exec(
        db, "reconcile",
        "SELECT count(*) FROM {schema}.odk_sync_key WHERE sync_type = $1", 1,
        params, err);

    return res != NULL && check_kept(r, odks_db_int64(res, 0, 0), err);
}

bool
odks_reconcile_settle(struct odks_reconcile *r, struct odks_db *db,
                      struct odks_err *err)
{
    return !r->model->unsettled
           || (keys_are_whole(r, db, err)
               && odks_privacy_settle(db, r->model, r->sync_type, r->since,
                                      err));
}

/*
 * Is the row t, of a repeat or a reject, of a submission that is not live at
 * Central? One that is in the table of the job may be again since the keys were
 * read. To be freed; NULL: it does not fit.
 */
static char *
orphan(const struct odks_reconcile *r, struct odks_db *db, const char *id,
       struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &sql };
    const struct odks_model *model = r->model;

    odks_sql_add(&t, "NOT EXISTS (SELECT FROM {schema}.odk_sync_key k WHERE"
                     " k.sync_type = $1 AND k.deleted_at IS NULL AND k.id = ");
    odks_sql_add(&t, id);
    odks_sql_add(&t, ")");
    if (model->table[0]->wanted) {
        odks_sql_add(&t, " AND NOT EXISTS (SELECT FROM ");
        odks_sql_table(&t, model->schema, model->table[0]->name);
        odks_sql_add(&t, " p WHERE p._id = ");
        odks_sql_add(&t, id);
        odks_sql_add(&t, ")");
    }
    return odks_sql_done(&t, err) ? odks_xstrdup(sql.data) : NULL;
}

#define REPEAT_ID "t._submission_id"

bool
odks_reconcile_orphans(struct odks_reconcile *r, struct odks_db *db,
                       struct odks_difference *diff, struct odks_err *err)
{
    const char *const params[] = { r->sync_type, r->since };
    CLEANUP_FREE char *is_orphan = orphan(r, db, REPEAT_ID, err);

    *diff = (struct odks_difference){ 0 };
    if (is_orphan == NULL || !keys_are_whole(r, db, err))
        return false;
    CLEANUP_FREE char *count =
        odks_xasprintf("SELECT count(DISTINCT " REPEAT_ID ") FILTER (WHERE"
                       " " IS_OLD " AND %s), count(DISTINCT " REPEAT_ID ")"
                       " FROM ",
                       is_orphan);
    for (size_t i = 1; i < r->model->table_count; i++) {
        const char *table = filled(r->model, i);
        if (table == NULL)
            continue;
        CLEANUP_PGRESULT PGresult *res =
            query_table(db, r->model, table, count, " t", 2, params, err);
        if (res == NULL)
            return false;
        if (odks_db_int64(res, 0, 0) > diff->gone)
            diff->gone = odks_db_int64(res, 0, 0);
        if (odks_db_int64(res, 0, 1) > diff->live)
            diff->live = odks_db_int64(res, 0, 1);
    }
    return true;
}

bool
odks_reconcile_remove_orphans(struct odks_reconcile *r, struct odks_db *db,
                              struct odks_err *err)
{
    const struct odks_model *model = r->model;
    const char *const params[] = { r->sync_type, r->since };
    CLEANUP_FREE char *is_orphan = orphan(r, db, REPEAT_ID, err);
    CLEANUP_FREE char *is_theirs = orphan(r, db, "t.submission_id", err);

    if (is_orphan == NULL || is_theirs == NULL)
        return false;
    CLEANUP_FREE char *which =
        odks_xasprintf(" t WHERE " IS_OLD " AND %s", is_orphan);
    for (size_t i = 1; i < model->table_count + model->retired_count; i++) {
        const char *table = filled(model, i);
        if (table == NULL)
            continue;
        CLEANUP_PGRESULT PGresult *res = query_table(
            db, model, table, "DELETE FROM ", which, 2, params, err);
        if (res == NULL)
            return false;
    }
    CLEANUP_FREE char *rejects = odks_xasprintf(
        "DELETE FROM {schema}.odk_sync_reject t WHERE t.sync_type = $1"
        " AND t.rejected_at <= $2::timestamptz AND %s",
        is_theirs);
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "reconcile", rejects, 2, params, err);
    return res != NULL;
}

bool
odks_reconcile_end(struct odks_reconcile *r, struct odks_db *db,
                   struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = forget(db, r->sync_type, err);

    return res != NULL;
}
