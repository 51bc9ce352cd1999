/* lib/table/proof.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at the tables themselves, for the proof that they equal Central.
 */
#ifndef ODKS_TABLE_PROOF_H
#define ODKS_TABLE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "table/model.h"

/*
 * Live rows of the table of submissions that were submitted before that
 * moment, for the proof by count.
 */
ODKS_MUST_CHECK bool odks_table_count(struct odks_db *db,
                                      const struct odks_model *model,
                                      int64_t before, int64_t *live,
                                      struct odks_err *err);

/* Live submissions of which there is only metadata. */
ODKS_MUST_CHECK bool odks_table_encrypted(struct odks_db *db,
                                          const struct odks_model *model,
                                          int64_t *count, struct odks_err *err);

/*
 * Submissions of a sync type from before that moment that cannot be in the
 * table: odk_sync_reject has them.
 */
ODKS_MUST_CHECK bool odks_table_left_out(struct odks_db *db,
                                         const struct odks_model *model,
                                         const char *sync_type, int64_t before,
                                         int64_t *count, struct odks_err *err);

/*
 * Without a model: are the tables and columns of conf's form all there, as the
 * registry knows them? *live counts the live rows in that of the submissions,
 * -1 where there is none.
 */
ODKS_MUST_CHECK bool odks_table_intact(struct odks_db *db,
                                       const struct odks_model_conf *conf,
                                       bool *intact, int64_t *live,
                                       struct odks_err *err);

#endif
