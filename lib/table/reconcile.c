/* lib/table/reconcile.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/reconcile.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/time.h"
#include "sql/queries.h"
#include "table/copy.h"
#include "table/plan.h"
#include "table/sqltext.h"

enum { FULL = 4 << 20, KEYS_MAX = 64 << 20 }; /* bytes of lines */

#define KEY_COLUMNS                                                      \
    "sync_type, id, submitted_at, updated_at, deleted_at, review_state," \
    " submitter, status, attachments_present, attachments_expected"

struct odks_reconcile {
    const struct odks_model *model;
    char *sync_type;
    char *since; /* rows written later are not compared */
    enum odks_on_delete on_delete;
    struct json_tokener *tokener;
    struct odks_copy lines;
    int64_t kept; /* keys in odk_sync_key */
};

/*
 * $1 is the sync type, $2 since, $3 whether deleted rows go for good: only
 * then those that are marked as deleted are still to be removed.
 */
#define IS_HERE "(t._deleted_at IS NULL OR $3::boolean)"

/* Is the row t here and unknown to Central? */
#define IS_GONE                                           \
    IS_HERE " AND t._synced_at <= $2::timestamptz"        \
            " AND NOT EXISTS (SELECT FROM odk_sync_key k" \
            " WHERE k.sync_type = $1 AND k.id = t._id)"

/* Does Central have k in another state than we have t? */
#define DIFFERS                                                              \
    "ROW(k.updated_at, k.deleted_at, k.review_state, k.submitter, k.status," \
    " k.attachments_present, k.attachments_expected) IS DISTINCT FROM"       \
    " ROW(t._updated_at, t._deleted_at, t._review_state, t._submitter,"      \
    " t._status, t._attachments_present, t._attachments_expected)"
#define IS_DELETED \
    "(k.deleted_at IS NOT NULL AND t._id IS NOT NULL AND " IS_HERE ")"
#define IS_RESTORED                              \
    "(k.id IS NOT NULL AND k.deleted_at IS NULL" \
    " AND t._deleted_at IS NOT NULL)"
/* Not here though live there, or as dead or alive but in another state. */
#define IS_MISSING                                                        \
    "(CASE WHEN k.id IS NULL THEN false"                                  \
    " WHEN t._id IS NULL THEN k.deleted_at IS NULL"                       \
    " ELSE (k.deleted_at IS NULL) = (t._deleted_at IS NULL) AND " DIFFERS \
    " END)"

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
    return odks_db_exec(db, "reconcile", sql.data, count, params, err);
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
    struct json_tokener *tokener = json_tokener_new_ex(8);
    if (tokener == NULL) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    json_tokener_set_flags(tokener,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *r = odks_xcalloc(1, sizeof(**r));
    (*r)->model = model;
    (*r)->sync_type = odks_xstrdup(sync_type);
    (*r)->since = odks_xstrdup(odks_db_text(res, 0, 0));
    (*r)->on_delete = on_delete;
    (*r)->tokener = tokener;
    (*r)->lines = (struct odks_copy) ODKS_COPY_INIT(KEYS_MAX);
    return true;
}

void
odks_reconcile_free(struct odks_reconcile *r)
{
    if (r == NULL)
        return;
    json_tokener_free(r->tokener);
    odks_buf_free(&r->lines.buf);
    free(r->sync_type);
    free(r->since);
    free(r);
}

static const char *
text_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, key, &value)
        || !json_object_is_type(value, json_type_string))
        return NULL;
    return json_object_get_string(value);
}

/* A counter as a field: only a number can be one. */
static void
put_counter(struct odks_reconcile *r, struct json_object *system,
            const char *key)
{
    struct json_object *value = NULL;

    (void) json_object_object_get_ex(system, key, &value);
    if (json_object_is_type(value, json_type_int))
        odks_copy_int(&r->lines, json_object_get_int64(value));
    else
        odks_copy_null(&r->lines);
}

/* A key and its state as a line; false: that is no key. */
static bool
put_key(struct odks_reconcile *r, struct json_object *object)
{
    static const char *const times[] = { "submissionDate", "updatedAt",
                                         "deletedAt" };
    struct json_object *system = NULL;
    const char *id = text_of(object, "__id");
    int64_t us;

    if (id == NULL || *id == '\0'
        || !json_object_object_get_ex(object, "__system", &system))
        return false;
    odks_copy_put(&r->lines, r->sync_type);
    odks_copy_put(&r->lines, id);
    for (size_t i = 0; i < 3; i++) {
        const char *text = text_of(system, times[i]);

        if (text == NULL ? i == 0 : !odks_time_parse(text, &us, NULL))
            return false;
        if (i == 2 && r->on_delete == ODKS_DELETE_KEEP)
            text = NULL; /* as in the tables */
        odks_copy_put(&r->lines, text);
    }
    const char *review = text_of(system, "reviewState");
    odks_copy_put(&r->lines, review != NULL ? review : "received");
    odks_copy_put(&r->lines, text_of(system, "submitterName"));
    odks_copy_put(&r->lines, text_of(system, "status"));
    put_counter(r, system, "attachmentsPresent");
    put_counter(r, system, "attachmentsExpected");
    odks_copy_end(&r->lines);
    return !r->lines.full;
}

bool
odks_reconcile_add(struct odks_reconcile *r, const char *row, size_t len,
                   struct odks_err *err)
{
    size_t before = r->lines.buf.len;
    CLEANUP_JSON struct json_object *object = NULL;

    json_tokener_reset(r->tokener);
    if (len <= INT_MAX)
        object = json_tokener_parse_ex(r->tokener, row, (int) len);
    if (object != NULL && put_key(r, object))
        return true;
    odks_copy_cut(&r->lines, before);
    odks_err_set(err, ODKS_EXIT_DATA, "Central sent a key that cannot be read");
    return false;
}

bool
odks_reconcile_is_full(const struct odks_reconcile *r)
{
    return r->lines.buf.len >= FULL;
}

bool
odks_reconcile_flush(struct odks_reconcile *r, struct odks_db *db,
                     struct odks_err *err)
{
    if (r->lines.buf.len == 0)
        return true;
    CLEANUP_PGRESULT PGresult *stage =
        odks_db_query(db, &odks_sql_reconcile_stage, NULL, err);
    if (stage == NULL
        || !odks_db_copy(
            db, "COPY pg_temp.odks_stage_key (" KEY_COLUMNS ") FROM STDIN",
            &r->lines.buf, err))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_reconcile_keep, NULL, err);
    if (res == NULL)
        return false;
    r->kept += odks_db_int64(res, 0, 0);
    odks_copy_cut(&r->lines, 0);
    return true;
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
    if (keys == r->kept)
        return true;
    odks_err_set(err, ODKS_EXIT_TEMPFAIL, "the keys to compare with were lost");
    odks_err_hint(err, "PostgreSQL was restarted meanwhile: its unlogged "
                       "tables are empty. Run the job again.");
    return false;
}

bool
odks_reconcile_compare(struct odks_reconcile *r, struct odks_db *db,
                       struct odks_difference *diff, struct odks_err *err)
{
    enum { KEYS, MISSING, GONE, DELETED, RESTORED, LIVE };
    const char *const params[] = { r->sync_type, r->since, hard(r) };
    CLEANUP_PGRESULT PGresult *res = query_table(
        db, r->model, r->model->table[0]->name,
        "SELECT count(k.id), count(*) FILTER (WHERE " IS_MISSING "),"
        " count(*) FILTER (WHERE k.id IS NULL AND " IS_HERE
        " AND t._synced_at <= $2::timestamptz),"
        " count(*) FILTER (WHERE " IS_DELETED "),"
        " count(*) FILTER (WHERE " IS_RESTORED "),"
        " count(*) FILTER (WHERE t._id IS NOT NULL AND t._deleted_at IS NULL)"
        " FROM (SELECT * FROM odk_sync_key WHERE sync_type = $1) k"
        " FULL JOIN ",
        " t ON t._id = k.id", 3, params, err);

    if (res == NULL || !check_kept(r, odks_db_int64(res, 0, KEYS), err))
        return false;
    diff->missing = odks_db_int64(res, 0, MISSING);
    diff->gone = odks_db_int64(res, 0, GONE);
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
    CLEANUP_PGRESULT PGresult *res = query_table(
        db, r->model, r->model->table[0]->name,
        "SELECT (extract(epoch FROM min(k.submitted_at)) * 1000000)::bigint,"
        " (extract(epoch FROM max(k.submitted_at)) * 1000000)::bigint + 1"
        " FROM (SELECT *, rank() OVER (ORDER BY submitted_at) - 1 AS n,"
        " count(*) OVER (PARTITION BY submitted_at) AS same"
        " FROM odk_sync_key WHERE sync_type = $1) k LEFT JOIN ",
        " t ON t._id = k.id WHERE " IS_MISSING " OR " IS_DELETED
        " OR " IS_RESTORED " GROUP BY k.n / $2::bigint, (k.n + k.same - 1) / "
        "$2::bigint ORDER BY 1",
        3, params, err);
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
    CLEANUP_FREE char *rejects =
        odks_xasprintf("DELETE FROM odk_sync_reject WHERE submission_id%s"
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
    return *rows >= 0;
}

/* Is the submission of the row t of a repeat not live at Central? */
#define IS_ORPHAN(id)                        \
    "NOT EXISTS (SELECT FROM odk_sync_key k" \
    " WHERE k.sync_type = $1 AND k.id = t." id " AND k.deleted_at IS NULL)"

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
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "reconcile",
                     "SELECT count(*) FROM odk_sync_key WHERE sync_type = $1",
                     1, params, err);

    return res != NULL && check_kept(r, odks_db_int64(res, 0, 0), err);
}

bool
odks_reconcile_orphans(struct odks_reconcile *r, struct odks_db *db,
                       struct odks_difference *diff, struct odks_err *err)
{
    const char *const params[] = { r->sync_type };

    *diff = (struct odks_difference){ 0 };
    if (!keys_are_whole(r, db, err))
        return false;
    for (size_t i = 1; i < r->model->table_count; i++) {
        const char *table = filled(r->model, i);
        if (table == NULL)
            continue;
        CLEANUP_PGRESULT PGresult *res = query_table(
            db, r->model, table,
            "SELECT count(DISTINCT _submission_id) FILTER (WHERE " IS_ORPHAN(
                "_submission_id") "), count(DISTINCT _submission_id) FROM ",
            " t", 1, params, err);
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
    const char *const params[] = { r->sync_type };

    for (size_t i = 1; i < model->table_count + model->retired_count; i++) {
        const char *table = filled(model, i);
        if (table == NULL)
            continue;
        CLEANUP_PGRESULT PGresult *res = query_table(
            db, model, table, "DELETE FROM ",
            " t WHERE " IS_ORPHAN("_submission_id"), 1, params, err);
        if (res == NULL)
            return false;
    }
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "reconcile",
                     "DELETE FROM odk_sync_reject t WHERE t.sync_type = $1"
                     " AND " IS_ORPHAN("submission_id"),
                     1, params, err);
    return res != NULL;
}

bool
odks_reconcile_end(struct odks_reconcile *r, struct odks_db *db,
                   struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = forget(db, r->sync_type, err);

    return res != NULL;
}
