/* jobs/kinds.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "jobs/kinds.h"

const struct odks_job_kind *const odks_job_kinds[] = {
    &odks_kind_submissions,
    &odks_kind_entities,
    &odks_kind_command,
    &odks_kind_sql,
    NULL,
};
