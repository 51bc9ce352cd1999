/* lib/run/due.h - SPDX-License-Identifier: Apache-2.0 */
/* Which configured jobs are due now, by the clock of the database. */
#ifndef ODKS_RUN_DUE_H
#define ODKS_RUN_DUE_H

#include "run/run.h"

/*
 * Enqueue, in the caller's transaction: the types asked for by name, else
 * every type whose schedule has a slot that was not used yet, and every type
 * without a schedule that waits for no other. However many slots were missed,
 * one job catches up.
 */
ODKS_MUST_CHECK bool odks_due_enqueue(struct odks_db *db,
                                      const struct odks_config *cfg,
                                      const struct odks_run_options *options,
                                      struct odks_err *err);

/* Are all schedules and time zones of the configuration valid? Else 78. */
ODKS_MUST_CHECK bool odks_due_check(const struct odks_config *cfg,
                                    struct odks_err *err);

#endif
