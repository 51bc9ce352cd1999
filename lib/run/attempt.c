/* lib/run/attempt.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/attempt.h"

#include <string.h>

#include "sql/queries.h"

static int64_t
lease_ms(const struct odks_attempt *a)
{
    return a->job->lease_s * 1000;
}

struct odks_deadline
odks_attempt_next_beat(const struct odks_attempt *a)
{
    return (struct odks_deadline){ a->beat_ms + lease_ms(a) / 3 };
}

struct odks_deadline
odks_attempt_certain(const struct odks_attempt *a)
{
    return (struct odks_deadline){ a->beat_ms + lease_ms(a) / 6 * 5 };
}

/*
 * The dry run's one transaction stays open while Central is read, so the limit
 * on idle transactions is off. What its first part does, the DDL, stays for
 * the rest; each later part is taken back at its end.
 */
static bool
begin_dry(struct odks_attempt *a, struct odks_err *err)
{
    if (a->dry_open) {
        a->dry_savepoint = true;
        return odks_db_do(a->db, "dry run", "SAVEPOINT odks_dry", err);
    }
    a->dry_open = true;
    return odks_db_begin(a->db, err)
           && odks_db_do(a->db, "dry run",
                         "SET LOCAL idle_in_transaction_session_timeout = 0",
                         err);
}

static bool
commit_dry(struct odks_attempt *a, struct odks_err *err)
{
    if (!a->dry_savepoint)
        return true;
    a->dry_savepoint = false;
    return odks_db_do(a->db, "dry run",
                      "ROLLBACK TO SAVEPOINT odks_dry;"
                      " RELEASE SAVEPOINT odks_dry",
                      err);
}

/* It counts when it is committed: until then it may be rolled back. */
static bool
renew(struct odks_attempt *a, struct odks_err *err)
{
    int64_t now = odks_clock_ms();

    if (!odks_queue_heartbeat_at(a->db, a->job, a->progress, err))
        return false;
    a->renewed_ms = now;
    return true;
}

bool
odks_attempt_begin(struct odks_attempt *a, struct odks_err *err)
{
    if (odks_attempt_is_dry(a))
        return begin_dry(a, err);
    return odks_db_begin(a->db, err) && renew(a, err);
}

/*
 * The lease runs from the renewal, not from the commit: after a transaction
 * that took long it would be over, or nearly so.
 */
bool
odks_attempt_commit(struct odks_attempt *a, struct odks_err *err)
{
    if (odks_attempt_is_dry(a))
        return commit_dry(a, err);
    if ((odks_clock_ms() - a->renewed_ms >= lease_ms(a) / 3 && !renew(a, err))
        || !odks_db_commit(a->db, err))
        return false;
    a->beat_ms = a->renewed_ms;
    return true;
}

/* The jobs that wait for this one, in the same transaction as its end. */
static bool
enqueue_dependents(struct odks_attempt *a, struct odks_err *err)
{
    for (size_t i = 0; i < odks_config_job_count(a->cfg); i++) {
        const struct odks_job_conf *next = odks_config_job(a->cfg, i);
        enum odks_queued queued;
        int64_t id;

        if (next->after == NULL || strcmp(next->after, a->conf->sync_type) != 0)
            continue;
        struct odks_enqueue what = {
            .sync_type = next->sync_type,
            .run_at = ODKS_TIME_NONE,
            .priority = (int) next->priority,
            .max_failures = (int) next->max_failures,
            .payload = { .since = ODKS_TIME_NONE, .until = ODKS_TIME_NONE },
        };
        /* what is asked of all forms is asked of each */
        if (next->form_of != NULL)
            what.payload = a->payload;
        if (!odks_queue_enqueue(a->db, &what, &queued, &id, err))
            return false;
    }
    return true;
}

bool
odks_attempt_finish(struct odks_attempt *a, struct odks_err *err)
{
    const struct odks_outcome outcome = { .records = a->records,
                                          .latest = a->latest,
                                          .metadata = a->metadata };

    if (odks_attempt_is_dry(a))
        return true;
    if (!odks_queue_finish(a->db, a->job, &outcome, err)
        || !enqueue_dependents(a, err) || !odks_db_commit(a->db, err))
        return false;
    a->finished = true;
    return true;
}

bool
odks_attempt_last_sync(struct odks_attempt *a, int64_t *us,
                       struct odks_err *err)
{
    const char *const params[] = { a->conf->sync_type };

    *us = a->payload.since;
    if (a->payload.full || *us != ODKS_TIME_NONE)
        return true;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(a->db, &odks_sql_odksync_get_time, params, err);
    if (res == NULL)
        return false;
    *us = odks_db_time(res, 0, 0);
    return true;
}

bool
odks_attempt_progress(struct odks_attempt *a, int64_t records,
                      struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT], count[ODKS_DB_INT64_TEXT];
    char latest[ODKS_TIME_TEXT];
    const char *const params[] = {
        odks_db_int64_param(a->job->history_id, id),
        records < 0 ? NULL : odks_db_int64_param(records, count),
        odks_db_time_param(a->latest, latest),
        json_object_to_json_string_ext(a->metadata, JSON_C_TO_STRING_PLAIN),
    };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(a->db, &odks_sql_odksync_progress, params, err);
    return res != NULL;
}

bool
odks_attempt_heartbeat(struct odks_attempt *a, struct odks_err *err)
{
    if (odks_attempt_is_dry(a)
        || !odks_deadline_passed(odks_attempt_next_beat(a)))
        return true;
    return odks_attempt_begin(a, err) && odks_attempt_commit(a, err);
}
