/* lib/queue/enqueue.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

#include "core/json.h"
#include "core/mem.h"
#include "sql/queries.h"

enum { COL_ID, COL_NEW }; /* queue_enqueue.sql, queue_enqueue_at.sql */

enum { /* queue_timed.sql */
       TIMED_ID,
       TIMED_SYNC_TYPE,
       TIMED_PRIORITY,
       TIMED_MAX_FAILURES,
       TIMED_PAYLOAD
};

/* Times are written as people read them, "2026-11-23T16:15:30.123Z". */
static void
add_time(struct json_object *o, const char *key, int64_t us)
{
    char text[ODKS_TIME_TEXT];

    if (odks_db_time_param(us, text) != NULL)
        (void) json_object_object_add(o, key, json_object_new_string(text));
}

static void
add_flag(struct json_object *o, const char *key, bool flag)
{
    if (flag)
        (void) json_object_object_add(o, key, json_object_new_boolean(true));
}

static char *
payload_text(const struct odks_payload *payload)
{
    CLEANUP_JSON struct json_object *o = json_object_new_object();

    add_flag(o, "full", payload->full);
    add_time(o, "since", payload->since);
    add_time(o, "until", payload->until);
    add_flag(o, "allow_mass_delete", payload->allow_mass_delete);
    add_flag(o, "reconcile", payload->reconcile);
    add_flag(o, "rejects", payload->rejects);
    add_flag(o, "exec", payload->exec);
    return odks_xstrdup(json_object_to_json_string(o));
}

static const char *
which_id(struct odks_queue_which which, char text[ODKS_DB_INT64_TEXT])
{
    return which.sync_type != NULL ? NULL : odks_db_int64_param(which.id, text);
}

/* What a statement is told of a job. */
struct request {
    const char *sync_type, *run_at, *priority, *max_failures, *payload, *slot;
};

/* queue_enqueue.sql or queue_enqueue_at.sql. */
static bool
put_job(struct odks_db *db, const struct odks_sql *sql, const struct request *r,
        enum odks_queued *queued, int64_t *id, struct odks_err *err)
{
    const char *const params[] = { r->sync_type,    r->run_at,  r->priority,
                                   r->max_failures, r->payload, r->slot };

    CLEANUP_PGRESULT PGresult *res = odks_db_query(db, sql, params, err);
    if (res == NULL)
        return false;
    if (PQntuples(res) == 0) {
        *queued = ODKS_QUEUED_NOT;
        *id = 0;
        return true;
    }
    *queued =
        odks_db_bool(res, 0, COL_NEW) ? ODKS_QUEUED_NEW : ODKS_QUEUED_MERGED;
    *id = odks_db_int64(res, 0, COL_ID);
    return true;
}

static bool
enqueue(struct odks_db *db, const struct odks_enqueue *what, int64_t slot,
        enum odks_queued *queued, int64_t *id, struct odks_err *err)
{
    CLEANUP_FREE char *payload = payload_text(&what->payload);
    char run_at[ODKS_TIME_TEXT], slot_text[ODKS_TIME_TEXT];
    char priority[ODKS_DB_INT64_TEXT], max_failures[ODKS_DB_INT64_TEXT];
    const struct request r = {
        .sync_type = what->sync_type,
        .run_at = odks_db_time_param(what->run_at, run_at),
        .priority = odks_db_int64_param(what->priority, priority),
        .max_failures = odks_db_int64_param(what->max_failures, max_failures),
        .payload = payload,
        .slot = odks_db_time_param(slot, slot_text),
    };

    *queued = ODKS_QUEUED_NOT;
    return (r.run_at == NULL
            || put_job(db, &odks_sql_queue_enqueue_at, &r, queued, id, err))
           && (*queued != ODKS_QUEUED_NOT
               || put_job(db, &odks_sql_queue_enqueue, &r, queued, id, err));
}

bool
odks_queue_enqueue(struct odks_db *db, const struct odks_enqueue *what,
                   enum odks_queued *queued, int64_t *id, struct odks_err *err)
{
    return enqueue(db, what, ODKS_TIME_NONE, queued, id, err);
}

bool
odks_queue_enqueue_slot(struct odks_db *db, const struct odks_enqueue *what,
                        int64_t slot, enum odks_queued *queued,
                        struct odks_err *err)
{
    int64_t id;

    return enqueue(db, what, slot, queued, &id, err);
}

/* Another job of its type may be waiting: then the two become one. */
static bool
take_timed(struct odks_db *db, const PGresult *timed, struct odks_err *err)
{
    const struct request r = {
        .sync_type = PQgetvalue(timed, 0, TIMED_SYNC_TYPE),
        .priority = PQgetvalue(timed, 0, TIMED_PRIORITY),
        .max_failures = PQgetvalue(timed, 0, TIMED_MAX_FAILURES),
        .payload = PQgetvalue(timed, 0, TIMED_PAYLOAD),
    };
    char id_text[ODKS_DB_INT64_TEXT];
    enum odks_queued queued;
    int64_t id;

    if (!put_job(db, &odks_sql_queue_enqueue, &r, &queued, &id, err))
        return false;
    if (queued != ODKS_QUEUED_NEW)
        return true;
    const char *const params[] = { odks_db_int64_param(id, id_text),
                                   PQgetvalue(timed, 0, TIMED_ID) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_rename, params, err);
    return res != NULL;
}

bool
odks_queue_enqueue_timed(struct odks_db *db, struct odks_err *err)
{
    for (;;) {
        CLEANUP_PGRESULT PGresult *timed =
            odks_db_query(db, &odks_sql_queue_timed, NULL, err);

        if (timed == NULL)
            return false;
        if (PQntuples(timed) == 0)
            return true;
        if (!take_timed(db, timed, err))
            return false;
    }
}

bool
odks_queue_apply_settings(struct odks_db *db, const char *digests,
                          PGresult **due, struct odks_err *err)
{
    const char *const params[] = { digests };

    *due = odks_db_query(db, &odks_sql_queue_settings, params, err);
    return *due != NULL;
}

bool
odks_queue_waiting(struct odks_db *db, const char *sync_type, int64_t *id,
                   struct odks_err *err)
{
    const char *const params[] = { sync_type };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_waiting, params, err);
    if (res == NULL)
        return false;
    *id = PQntuples(res) > 0 ? odks_db_int64(res, 0, 0) : 0;
    return true;
}

bool
odks_queue_cancel(struct odks_db *db, struct odks_queue_which which, int *found,
                  int *running, struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT];
    const char *const params[] = { which_id(which, id), which.sync_type };

    /* marking it locks the row: its state cannot change before we delete it */
    CLEANUP_PGRESULT PGresult *marked =
        odks_db_query(db, &odks_sql_queue_cancel, params, err);
    if (marked == NULL)
        return false;
    *found = PQntuples(marked);
    *running = 0;
    for (int i = 0; i < *found; i++)
        *running += odks_db_bool(marked, i, 0);
    if (*found == *running)
        return true;
    CLEANUP_PGRESULT PGresult *deleted =
        odks_db_query(db, &odks_sql_queue_delete, params, err);
    return deleted != NULL;
}

bool
odks_queue_retry(struct odks_db *db, struct odks_queue_which which, int *found,
                 struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT];
    const char *const params[] = { which_id(which, id), which.sync_type };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_retry, params, err);
    if (res == NULL)
        return false;
    *found = PQntuples(res);
    return true;
}

bool
odks_queue_pause(struct odks_db *db, const char *sync_type, bool pause,
                 struct odks_err *err)
{
    const char *const params[] = { sync_type, pause ? "t" : "f" };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_pause, params, err);
    return res != NULL;
}
