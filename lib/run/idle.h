/* lib/run/idle.h - SPDX-License-Identifier: Apache-2.0 */
/* Why a run did nothing, or left something undone. */
#ifndef ODKS_RUN_IDLE_H
#define ODKS_RUN_IDLE_H

#include <stdbool.h>

#include "config/config.h"
#include "db/db.h"
#include "queue/queue.h"

struct odks_idle {
    const struct odks_config *cfg;
    const struct odks_claimable *types; /* that the run was for */
    bool idle;                          /* it did nothing */
    bool named; /* the types were named on the command line */
};

/*
 * Log for each type what keeps it from running: it runs elsewhere, is paused,
 * failed and waits, or gave up; of an idle run also when something is due next.
 * At level info, for cron is silent when nothing is wrong; at level warn only
 * what a person who named the type does not expect, a pause. After a run that
 * did something only jobs that gave up are told. Failures to find out are not
 * reported. No transaction may be open.
 */
void odks_idle_explain(struct odks_db *db, const struct odks_idle *idle);

#endif
