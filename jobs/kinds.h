/* jobs/kinds.h - SPDX-License-Identifier: Apache-2.0 */
/* The kinds of jobs there are. */
#ifndef ODKS_JOBS_KINDS_H
#define ODKS_JOBS_KINDS_H

#include "run/attempt.h"

extern const struct odks_job_kind odks_kind_submissions;
extern const struct odks_job_kind odks_kind_entities;
extern const struct odks_job_kind odks_kind_command;
extern const struct odks_job_kind odks_kind_sql;

/* All of them, NULL-terminated. */
extern const struct odks_job_kind *const odks_job_kinds[];

#endif
