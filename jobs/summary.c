/* jobs/summary.c - SPDX-License-Identifier: Apache-2.0 */
/* Log what a run did. */
#include <config.h>

#include <inttypes.h>

#include "core/log.h"
#include "jobs/walk.h"

/* Warnings that are logged at every level of verbosity. */
static void
warn_person(const struct odks_walk *w)
{
    const struct odks_merge *c = &w->counts;
    const char *rows = odks_feed_names(w->feed)->rows;

    if (c->refused > 0)
        odks_log(ODKS_LOG_WARN,
                 "PostgreSQL refused %" PRId64 " %s (%s): earlier rows stay as "
                 "they were, new ones lack an answer; see odk_sync_reject",
                 c->refused, rows, c->refusal);
    if (c->left_out > 0)
        odks_log(ODKS_LOG_WARN,
                 "%" PRId64 " %s cannot be stored in the table: see "
                 "odk_sync_reject",
                 c->left_out, rows);
    if (w->unread > 0)
        odks_log(ODKS_LOG_WARN,
                 "the XML of %" PRId64 " %s cannot be read, and answers that "
                 "only the XML has are missing: see odk_sync_reject",
                 w->unread, rows);
}

void
odks_walk_summarise(const struct odks_walk *w)
{
    const struct odks_merge *c = &w->counts;

    odks_log_set_step(NULL);
    odks_log(ODKS_LOG_INFO,
             "%s%" PRId64 " %s new, %" PRId64 " changed, %" PRId64
             " deleted; %" PRId64 " repeat rows written",
             odks_attempt_is_dry(w->a) ? "dry run: " : "", c->inserted,
             odks_feed_names(w->feed)->rows, c->updated, c->deleted,
             c->repeats);
    warn_person(w);
    if (c->rejected > 0)
        odks_log(ODKS_LOG_INFO,
                 "%" PRId64 " value%s did not fit: see odk_sync_reject",
                 c->rejected, c->rejected == 1 ? "" : "s");
    if (c->doubtful > 0)
        odks_log(ODKS_LOG_INFO,
                 "%" PRId64 " number%s of 2^53 or more, which Central may have "
                 "rounded: see odk_sync_reject",
                 c->doubtful, c->doubtful == 1 ? "" : "s");
    if (c->encrypted > 0)
        odks_log(ODKS_LOG_INFO,
                 "%" PRId64 " submission%s encrypted: metadata only",
                 c->encrypted, c->encrypted == 1 ? " is" : "s are");
}
