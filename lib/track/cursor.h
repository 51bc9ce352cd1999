/* lib/track/cursor.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a sync type stands: what its tables hold and up to when, in
 * odk_sync_cursor. Read and written in the caller's transaction, so that it
 * changes together with the rows that it speaks of.
 */
#ifndef ODKS_TRACK_CURSOR_H
#define ODKS_TRACK_CURSOR_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "db/db.h"

/* Times are microseconds UTC or ODKS_TIME_NONE. */
struct odks_cursor {
    char *form_hash;           /* NULL: never synced */
    int64_t watermark;         /* Central's clock before it was last read */
    char *etag;                /* of all that Central had, or NULL */
    char *etag_key;            /* what the tag is true for */
    bool etag_compared;        /* all keys were compared with it */
    int64_t etag_empty;        /* it moved, and nothing else had: how often */
    int64_t etag_held;         /* since then it held: how often in a row */
    int64_t backfill_started;  /* Central's clock then; NONE: none under way */
    int64_t backfill_position; /* older submissions are stored */
    int64_t backfill_job;      /* that began it; 0: none */
    struct odks_progress {
        int64_t total;  /* rows in Central when it began; 0: not known */
        int64_t done;   /* rows stored so far */
        int64_t stored; /* of them, before backfill_position */
        int64_t read;   /* rows that the last attempt read, */
        int64_t ms;     /* and how long that took */
    } backfill_progress;
    int64_t last_reconcile;
    struct json_object *counts; /* of the last proof, or NULL */
};

#define ODKS_CURSOR_INIT                                                      \
    {                                                                         \
        .watermark = ODKS_TIME_NONE, .backfill_started = ODKS_TIME_NONE,      \
        .backfill_position = ODKS_TIME_NONE, .last_reconcile = ODKS_TIME_NONE \
    }

/*
 * Read the cursor of a sync type into *c, which holds nothing yet; a type that
 * was never synced gives ODKS_CURSOR_INIT. odks_cursor_clear() frees what *c
 * holds.
 */
ODKS_MUST_CHECK bool odks_cursor_load(struct odks_db *db, const char *sync_type,
                                      struct odks_cursor *c,
                                      struct odks_err *err);

/* The text of backfill_progress, for the column of that name. */
enum { ODKS_PROGRESS_TEXT = 200 };
const char *odks_progress_text(const struct odks_progress *progress,
                               char text[ODKS_PROGRESS_TEXT]);

/* Write all of *c. */
ODKS_MUST_CHECK bool odks_cursor_store(struct odks_db *db,
                                       const char *sync_type,
                                       const struct odks_cursor *c,
                                       struct odks_err *err);

/* Free what *c holds; it is ODKS_CURSOR_INIT afterwards. */
void odks_cursor_clear(struct odks_cursor *c);

#endif
