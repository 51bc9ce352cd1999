/* jobs/schema.h - SPDX-License-Identifier: Apache-2.0 */
/* The tables of a job's form against the form as it is in Central now. */
#ifndef ODKS_JOBS_SCHEMA_H
#define ODKS_JOBS_SCHEMA_H

#include "config/config.h"
#include "core/cleanup.h"
#include "db/db.h"
#include "table/model.h"

/*
 * What the next run of a job would change: in words, and as statements in ddl.
 * Asks Central, then begins a transaction of its own; writes nothing.
 */
ODKS_MUST_CHECK bool odks_schema_diff(struct odks_config *cfg,
                                      const struct odks_job_conf *job,
                                      struct odks_db *db, struct odks_buf *ddl,
                                      struct odks_model_changes *changes,
                                      struct odks_err *err);

/* What odks_schema_try() found. */
struct odks_schema_trial {
    struct odks_model_changes changes; /* that the next run makes */
    bool needs_ddl;
    bool skipped; /* new privacy rules will empty columns first: the
                     statements were not tried */
};

/*
 * Do what a run does to tables before and while it writes rows, but without
 * rows, in a transaction that is rolled back: whatever the database refuses
 * then is the error. Uses the session with Central before the transaction
 * begins. SQLSTATE 55P03, 57014: somebody uses the tables just now.
 */
ODKS_MUST_CHECK bool
odks_schema_try(struct odks_config *cfg, const struct odks_job_conf *job,
                struct odks_central *central, struct odks_db *db,
                struct odks_schema_trial *trial, struct odks_err *err);

#endif
