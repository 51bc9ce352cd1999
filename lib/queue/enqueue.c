/* lib/queue/enqueue.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

#include "core/json.h"
#include "core/mem.h"
#include "sql/queries.h"

enum { COL_ID, COL_NEW }; /* queue_enqueue.sql */

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

static bool
enqueue(struct odks_db *db, const struct odks_enqueue *what, int64_t slot,
        enum odks_queued *queued, int64_t *id, struct odks_err *err)
{
    CLEANUP_FREE char *payload = payload_text(&what->payload);
    char run_at[ODKS_TIME_TEXT], slot_text[ODKS_TIME_TEXT];
    char priority[ODKS_DB_INT64_TEXT], max_failures[ODKS_DB_INT64_TEXT];
    const char *const params[] = {
        what->sync_type,
        odks_db_time_param(what->run_at, run_at),
        odks_db_int64_param(what->priority, priority),
        odks_db_int64_param(what->max_failures, max_failures),
        payload,
        odks_db_time_param(slot, slot_text),
    };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_enqueue, params, err);
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

bool
odks_queue_cancel(struct odks_db *db, int64_t id, bool *found, bool *running,
                  struct odks_err *err)
{
    char id_text[ODKS_DB_INT64_TEXT];
    const char *const params[] = { odks_db_int64_param(id, id_text) };

    /* marking it locks the row: its state cannot change before we delete it */
    CLEANUP_PGRESULT PGresult *marked =
        odks_db_query(db, &odks_sql_queue_cancel, params, err);
    if (marked == NULL)
        return false;
    *found = PQntuples(marked) > 0;
    *running = *found && odks_db_bool(marked, 0, 0);
    if (!*found || *running)
        return true;
    CLEANUP_PGRESULT PGresult *deleted =
        odks_db_query(db, &odks_sql_queue_delete, params, err);
    return deleted != NULL;
}

bool
odks_queue_retry(struct odks_db *db, int64_t id, bool *found,
                 struct odks_err *err)
{
    char id_text[ODKS_DB_INT64_TEXT];
    const char *const params[] = { odks_db_int64_param(id, id_text) };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_queue_retry, params, err);
    if (res == NULL)
        return false;
    *found = PQntuples(res) > 0;
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
