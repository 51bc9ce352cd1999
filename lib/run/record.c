/* lib/run/record.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/record.h"

#include <inttypes.h>
#include <string.h>

#include "core/utf8.h"

/* The cause with what the command said, for the tables alone: it is long. */
static struct odks_err
with_said(const struct odks_err *cause, const struct odks_attempt *a)
{
    struct odks_err told = *cause;
    size_t len = strlen(told.message);

    /* its lines stay lines */
    if (a->said[0] != '\0')
        odks_utf8_format(told.message + len, sizeof(told.message) - len, ": %s",
                         a->said);
    return told;
}

/* The claim is over because the attempt ended well: its history says so. */
static bool
ended_well(const struct odks_attempt *a)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    char status[21];

    return odks_queue_attempt_status(a->db, a->job, status, &ignored)
           && strcmp(status, "success") == 0;
}

bool
odks_record_failure(struct odks_attempt *a, struct odks_err *cause,
                    struct odks_err *err)
{
    const struct odks_outcome outcome = { .records = a->records,
                                          .latest = ODKS_TIME_NONE,
                                          .metadata = a->metadata };
    const struct odks_err told = with_said(cause, a);
    bool dead = false;

    if (!odks_db_begin(a->db, err))
        return false;
    bool ours =
        cause->interrupted
            ? odks_queue_release(a->db, a->job, &told, &outcome, err)
            : odks_queue_fail(a->db, a->job, &told, &outcome, &dead, err);
    if (!ours && err->code == ODKS_EXIT_FENCED && ended_well(a)) {
        odks_db_rollback(a->db);
        odks_err_clear(cause);
        return true;
    }
    if (!ours || !odks_db_commit(a->db, err))
        return false;
    if (dead && odks_exit_is_temporary(cause->code)) {
        odks_err_context(cause, "gave up after %d failure%s",
                         a->job->failures + 1,
                         a->job->failures == 0 ? "" : "s");
        cause->code = ODKS_EXIT_GAVE_UP;
        odks_err_hint(cause, "When the cause is gone: odk-sync retry %s",
                      a->conf->sync_type);
    }
    return true;
}

void
odks_record_time_limit(const struct odks_attempt *a, struct odks_err *cause)
{
    if (!cause->timed_out)
        return;
    if (!a->advanced) {
        odks_err_hint(cause, "Nothing was stored before the limit. Raise "
                             "--max-time, or max_time in [odk-sync].");
        return;
    }
    odks_err_set(
        cause, ODKS_EXIT_OK,
        "time limit reached; %" PRId64 " %s stored, the next run continues",
        a->records, a->conf->dataset != NULL ? "entities" : "submissions");
    cause->interrupted = true;
}
