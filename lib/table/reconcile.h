/* lib/table/reconcile.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing the keys of Central with the keys of the table, for what no
 * timestamp shows: restores, purges, rows that were missed.
 *
 * The keys of Central are collected in batches in odk_sync_key (unlogged, per
 * sync type), each with what of its state may change; then one query tells the
 * difference.
 */
#ifndef ODKS_TABLE_RECONCILE_H
#define ODKS_TABLE_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "core/cleanup.h"
#include "table/model.h"

struct odks_reconcile; /* opaque */

/*
 * Begin, in the caller's transaction: forget keys of an earlier attempt. The
 * caller owns *r.
 */
ODKS_MUST_CHECK bool
odks_reconcile_begin(struct odks_db *db, const struct odks_model *model,
                     const char *sync_type, enum odks_on_delete on_delete,
                     struct odks_reconcile **r, struct odks_err *err);
void odks_reconcile_free(struct odks_reconcile *r);
ODKS_DEFINE_CLEANUP(reconcile, struct odks_reconcile *, odks_reconcile_free)

/* What to ask Central for: $select of the whole feed, live and deleted. */
const char *odks_reconcile_select(enum odks_feed feed);

/* As odks_batch_from_trash(). */
void odks_reconcile_from_trash(struct odks_reconcile *r,
                               const struct odks_trash *trash);

/* Take one row of that; flush() stores what was taken. */
ODKS_MUST_CHECK bool odks_reconcile_add(struct odks_reconcile *r,
                                        const char *row, size_t len,
                                        struct odks_err *err);
bool odks_reconcile_is_full(const struct odks_reconcile *r);
ODKS_MUST_CHECK bool odks_reconcile_flush(struct odks_reconcile *r,
                                          struct odks_db *db,
                                          struct odks_err *err);

struct odks_difference {
    int64_t missing;  /* Central has them and we have not, or an older state */
    int64_t gone;     /* here, unknown to Central: purged */
    int64_t gone_old; /* of these, submitted before before */
    int64_t deleted;  /* here, deleted there */
    int64_t restored; /* deleted here, live there */
    int64_t live;     /* live here, for the brake */
};

ODKS_MUST_CHECK bool odks_reconcile_compare(struct odks_reconcile *r,
                                            struct odks_db *db, int64_t before,
                                            struct odks_difference *diff,
                                            struct odks_err *err);

/*
 * The submission dates to read again for what is missing, deleted or
 * restored: up to max windows [from, until) that cover them all, each holding
 * no more than rows keys of Central unless one instant does. *count windows.
 */
struct odks_window {
    int64_t from;
    int64_t until;
};
ODKS_MUST_CHECK bool odks_reconcile_windows(struct odks_reconcile *r,
                                            struct odks_db *db, int64_t rows,
                                            struct odks_window **windows,
                                            size_t *count,
                                            struct odks_err *err);

/*
 * Where privacy rules came late: have no row that Central has no more hold
 * what they forbid. Before such rows are marked.
 */
ODKS_MUST_CHECK bool odks_reconcile_settle(struct odks_reconcile *r,
                                           struct odks_db *db,
                                           struct odks_err *err);

/*
 * Carry out what gone needs, as on_delete says: mark them, leave them, or
 * delete them with all their repeats and rejects. *rows is how many.
 */
ODKS_MUST_CHECK bool odks_reconcile_remove_gone(struct odks_reconcile *r,
                                                struct odks_db *db,
                                                int64_t *rows,
                                                struct odks_err *err);

/*
 * What no comparison of submissions shows: in the job's tables of repeats, how
 * many submissions are not live at Central (gone) among how many
 * (live); and have their rows and rejects deleted.
 */
ODKS_MUST_CHECK bool odks_reconcile_orphans(struct odks_reconcile *r,
                                            struct odks_db *db,
                                            struct odks_difference *diff,
                                            struct odks_err *err);
ODKS_MUST_CHECK bool odks_reconcile_remove_orphans(struct odks_reconcile *r,
                                                   struct odks_db *db,
                                                   struct odks_err *err);

/* Drop the collected keys. */
ODKS_MUST_CHECK bool odks_reconcile_end(struct odks_reconcile *r,
                                        struct odks_db *db,
                                        struct odks_err *err);

#endif
