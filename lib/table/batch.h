/* lib/table/batch.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Submissions on their way into the tables.
 *
 * add() turns the text of a row into lines for COPY, one buffer per table;
 * merge() brings them in: COPY into temporary tables, then only submissions
 * that are new or differ (in themselves or in any repeat) are written, their
 * repeats replaced as a whole. A value that does not fit its column becomes
 * NULL there and a row of odk_sync_reject.
 */
#ifndef ODKS_TABLE_BATCH_H
#define ODKS_TABLE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "core/cleanup.h"
#include "core/time.h"
#include "table/model.h"

struct odks_batch; /* opaque */

/* Bytes of the __id of a row; an index takes 2,700. */
enum { ODKS_ID_MAX = 1000 };

struct odks_batch_conf {
    const struct odks_model *model;
    const char *sync_type;
    const char *timezone; /* of times that were sent without a zone */
    enum odks_on_delete on_delete;
    size_t bytes;        /* of row text after which the batch is full */
    int64_t max_rejects; /* of the sync type in all; more is an error; 0: any */
    bool keep_deleted;   /* deleted submissions lack some of their answers:
                            keep the stored ones */
};

/* The caller owns the result; conf's pointers must outlive it. */
struct odks_batch *odks_batch_new(const struct odks_batch_conf *conf);
void odks_batch_free(struct odks_batch *batch);
ODKS_DEFINE_CLEANUP(batch, struct odks_batch *, odks_batch_free)
#define CLEANUP_BATCH CLEANUP(odks_cleanup_batch)

/*
 * The rows of a dataset that are added from now on are deleted entities, and
 * trash says since when: what it does not know is left out, for it is in the
 * trash no more, or not yet. NULL: they are live. Borrowed.
 */
void odks_batch_from_trash(struct odks_batch *batch,
                           const struct odks_trash *trash);

/*
 * Take one row as odks_rows_next() gives it. 65 if it is no submission (no
 * __id, no __system) or beyond what a batch can hold.
 */
ODKS_MUST_CHECK bool odks_batch_add(struct odks_batch *batch, const char *row,
                                    size_t len, struct odks_err *err);

/*
 * Record why the row added last, which has that id, lacks answers. This has no
 * effect if the batch did not take the row.
 */
void odks_batch_add_fault(struct odks_batch *batch, const char *id,
                          const char *reason);
bool odks_batch_is_full(const struct odks_batch *batch);
size_t odks_batch_rows(const struct odks_batch *batch);

struct odks_merge {
    int64_t received; /* submissions, the same one twice counts twice */
    int64_t inserted;
    int64_t updated;
    int64_t deleted; /* came to be deleted, softly or not */
    int64_t unchanged;
    int64_t repeats;   /* rows written into repeat tables */
    int64_t rejected;  /* values that do not fit and did not before */
    int64_t doubtful;  /* whole numbers of 2^53 and more, new ones */
    int64_t refused;   /* submissions that PostgreSQL refused, and not before */
    int64_t left_out;  /* submissions that no table can hold, new ones */
    int64_t encrypted; /* submissions that hold no answers */
    char refusal[1024]; /* why the last one of refused was; holds no values */
    int64_t latest;     /* newest submission date, ODKS_TIME_NONE: none */
};
/* clang-format off */
#define ODKS_MERGE_INIT { .latest = ODKS_TIME_NONE }
/* clang-format on */

/*
 * Bring the batch into the tables and add to *counts; in the caller's
 * transaction, which holds the claim. An empty batch is fine. Afterwards the
 * batch is empty in any case: after a failure read its rows again.
 *
 * A submission that PostgreSQL itself refuses (a constraint, an index, a type
 * or a trigger that the user added) stays as it was before, with its repeats;
 * of one that is new, the columns that are to blame are NULL. An error that is
 * not about single rows changes nothing. 65: more rejects than conf allows.
 */
ODKS_MUST_CHECK bool odks_batch_merge(struct odks_batch *batch,
                                      struct odks_db *db,
                                      struct odks_merge *counts,
                                      struct odks_err *err);

/*
 * Run the statements of a merge on no rows: the database refuses what it would
 * refuse a merge, apart from single rows. In a transaction of the caller's that
 * has to be rolled back.
 */
ODKS_MUST_CHECK bool odks_batch_try(const struct odks_batch_conf *conf,
                                    struct odks_db *db, struct odks_err *err);

/* Forget what was added since the last merge. */
void odks_batch_reset(struct odks_batch *batch);

#endif
