/* lib/track/cursor.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "sql/queries.h"

/* track_cursor_load.sql */
enum {
    COL_FORM_HASH,
    COL_WATERMARK,
    COL_ETAG,
    COL_BACKFILL_STARTED,
    COL_BACKFILL_POSITION,
    COL_BACKFILL_JOB,
    COL_LAST_RECONCILE,
    COL_COUNTS,
    COL_ETAG_KEY,
    COL_ETAG_COMPARED,
    COL_ETAG_EMPTY,
    COL_ETAG_HELD,
    COL_BACKFILL_PROGRESS
};

static char *
copy(const PGresult *res, int column)
{
    const char *text = odks_db_text(res, 0, column);

    return text != NULL ? odks_xstrdup(text) : NULL;
}

static int64_t
number_of(struct json_object *o, const char *key)
{
    return json_object_get_int64(odks_json_member(o, key));
}

static void
read_progress(const char *text, struct odks_progress *progress)
{
    CLEANUP_JSON struct json_object *o =
        text != NULL ? odks_json_read(text) : NULL;

    *progress = (struct odks_progress){ .total = number_of(o, "total"),
                                        .done = number_of(o, "done"),
                                        .stored = number_of(o, "stored"),
                                        .read = number_of(o, "read"),
                                        .ms = number_of(o, "ms") };
}

const char *
odks_progress_text(const struct odks_progress *progress,
                   char text[ODKS_PROGRESS_TEXT])
{
    (void) snprintf(text, ODKS_PROGRESS_TEXT,
                    "{\"total\": %" PRId64 ", \"done\": %" PRId64
                    ", \"stored\": %" PRId64 ", \"read\": %" PRId64
                    ", \"ms\": %" PRId64 "}",
                    progress->total, progress->done, progress->stored,
                    progress->read, progress->ms);
    return text;
}

bool
odks_cursor_load(struct odks_db *db, const char *sync_type,
                 struct odks_cursor *c, struct odks_err *err)
{
    const char *const params[] = { sync_type };

    *c = (struct odks_cursor) ODKS_CURSOR_INIT;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_track_cursor_load, params, err);
    if (res == NULL)
        return false;
    if (PQntuples(res) == 0)
        return true;

    const char *counts = odks_db_text(res, 0, COL_COUNTS);
    c->form_hash = copy(res, COL_FORM_HASH);
    c->watermark = odks_db_time(res, 0, COL_WATERMARK);
    c->etag = copy(res, COL_ETAG);
    c->etag_key = copy(res, COL_ETAG_KEY);
    c->etag_compared = odks_db_bool(res, 0, COL_ETAG_COMPARED);
    c->etag_empty = odks_db_int64(res, 0, COL_ETAG_EMPTY);
    c->etag_held = odks_db_int64(res, 0, COL_ETAG_HELD);
    c->backfill_started = odks_db_time(res, 0, COL_BACKFILL_STARTED);
    c->backfill_position = odks_db_time(res, 0, COL_BACKFILL_POSITION);
    c->backfill_job = odks_db_int64(res, 0, COL_BACKFILL_JOB);
    c->last_reconcile = odks_db_time(res, 0, COL_LAST_RECONCILE);
    c->counts = counts != NULL ? odks_json_read(counts) : NULL;
    read_progress(odks_db_text(res, 0, COL_BACKFILL_PROGRESS),
                  &c->backfill_progress);
    return true;
}

bool
odks_cursor_store(struct odks_db *db, const char *sync_type,
                  const struct odks_cursor *c, struct odks_err *err)
{
    char watermark[ODKS_TIME_TEXT], started[ODKS_TIME_TEXT];
    char position[ODKS_TIME_TEXT], reconcile[ODKS_TIME_TEXT];
    char job[ODKS_DB_INT64_TEXT], empty[ODKS_DB_INT64_TEXT];
    char held[ODKS_DB_INT64_TEXT];
    char progress[ODKS_PROGRESS_TEXT];
    const char *const params[] = {
        sync_type,
        c->form_hash,
        odks_db_time_param(c->watermark, watermark),
        c->etag,
        odks_db_time_param(c->backfill_started, started),
        odks_db_time_param(c->backfill_position, position),
        c->backfill_job != 0 ? odks_db_int64_param(c->backfill_job, job) : NULL,
        odks_db_time_param(c->last_reconcile, reconcile),
        c->counts != NULL ? json_object_to_json_string(c->counts) : NULL,
        c->etag_key,
        c->etag_compared ? "t" : "f",
        odks_db_int64_param(c->etag_empty, empty),
        odks_db_int64_param(c->etag_held, held),
        c->backfill_progress.total > 0
            ? odks_progress_text(&c->backfill_progress, progress)
            : NULL,
    };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_track_cursor_store, params, err);
    return res != NULL;
}

void
odks_cursor_clear(struct odks_cursor *c)
{
    free(c->form_hash);
    free(c->etag);
    free(c->etag_key);
    json_object_put(c->counts);
    *c = (struct odks_cursor) ODKS_CURSOR_INIT;
}
