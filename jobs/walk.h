/* jobs/walk.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a form: from Central's feed into the tables.
 *
 * A walk reads responses, one for each filter, and brings their rows in by
 * batches, each a transaction of the attempt. Rows that are already as they
 * should be are not written, so any part of a walk may be done again.
 */
#ifndef ODKS_JOBS_WALK_H
#define ODKS_JOBS_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "central/central.h"
#include "run/attempt.h"
#include "table/batch.h"
#include "table/model.h"
#include "track/cursor.h"

/* Names live and deleted submissions alike: else deleted ones stay out. */
#define ODKS_LIVE_AND_DELETED \
    "(__system/deletedAt eq null or __system/deletedAt ne null)"

struct odks_walk {
    struct odks_attempt *a;
    struct odks_central *central;
    struct odks_form form;     /* its date: the server's clock before we read */
    struct odks_field *fields; /* of its current version */
    struct odks_model *model;
    struct odks_batch *batch;
    struct odks_cursor cursor;
    struct odks_merge counts;
    struct {
        int64_t total; /* submissions to come; 0: unknown */
        int64_t started_ms;
        int64_t shown_ms;
    } progress;
};

/* Read all rows that filter (an OData expression) finds into the tables. */
ODKS_MUST_CHECK bool odks_walk_read(struct odks_walk *w, const char *filter,
                                    struct odks_err *err);

/* Read the submissions of dates [from, until); ODKS_TIME_NONE: open. */
ODKS_MUST_CHECK bool odks_walk_window(struct odks_walk *w, int64_t from,
                                      int64_t until, struct odks_err *err);

/*
 * Read all submissions, oldest first, in windows of about window_rows; goes on
 * where the cursor says that an earlier attempt stopped.
 */
ODKS_MUST_CHECK bool odks_walk_backfill(struct odks_walk *w,
                                        struct odks_err *err);

/* Read what is new, edited, reviewed or deleted since the watermark. */
ODKS_MUST_CHECK bool odks_walk_changes(struct odks_walk *w,
                                       struct odks_err *err);

/*
 * Compare all keys with Central's and mend what differs: what no timestamp
 * shows. 81 when more would be removed than the brake allows.
 */
ODKS_MUST_CHECK bool odks_walk_reconcile(struct odks_walk *w,
                                         struct odks_err *err);

/* Ask Central for the form again: its clock is the next watermark. */
ODKS_MUST_CHECK bool odks_walk_look(struct odks_walk *w, struct odks_err *err);

/* Show on a terminal how far we are. */
void odks_walk_progress(struct odks_walk *w);

#endif
