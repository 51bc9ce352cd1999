/* lib/run/due.h - SPDX-License-Identifier: Apache-2.0 */
/* Which configured jobs are due now, by the clock of the database. */
#ifndef ODKS_RUN_DUE_H
#define ODKS_RUN_DUE_H

#include "run/run.h"

/*
 * Enqueue, in the caller's transaction: timed jobs whose time has come and what
 * failed with other settings than those of now; then the types asked for by
 * name, else every type whose schedule has a slot that was not used yet, and
 * every type without a schedule that waits for no other. However many slots
 * were missed, one job catches up.
 */
ODKS_MUST_CHECK bool odks_due_enqueue(struct odks_db *db,
                                      const struct odks_config *cfg,
                                      const struct odks_run_options *options,
                                      struct odks_err *err);

/*
 * What failed, or gave up, with other settings than those in cfg is due now;
 * remember them. To be called for new jobs before they are done.
 */
ODKS_MUST_CHECK bool odks_due_settings(struct odks_db *db,
                                       const struct odks_config *cfg,
                                       struct odks_err *err);

/* The time on the clock of the database. */
ODKS_MUST_CHECK bool odks_due_now(struct odks_db *db, int64_t *now,
                                  struct odks_err *err);

/*
 * The first slot of a job after now, ODKS_TIME_NONE if it has none of its own.
 * False when its schedule is not valid.
 */
ODKS_MUST_CHECK bool odks_due_next(const struct odks_job_conf *job, int64_t now,
                                   int64_t *next);

/* Are all schedules and time zones of the configuration valid? Else 78. */
ODKS_MUST_CHECK bool odks_due_check(const struct odks_config *cfg,
                                    struct odks_err *err);

#endif
