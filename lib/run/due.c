/* lib/run/due.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/due.h"

#include "core/json.h"
#include "core/log.h"
#include "core/zone.h"
#include "queue/schedule.h"
#include "sql/queries.h"

#define SECOND INT64_C(1000000) /* in microseconds */

static bool
parse(const struct odks_job_conf *job, struct odks_schedule *s,
      struct odks_err *err)
{
    if (odks_schedule_parse(job->schedule, s, err))
        return true;
    odks_err_context(err, "[job %s] schedule", job->sync_type);
    return false;
}

bool
odks_due_check(const struct odks_config *cfg, struct odks_err *err)
{
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(cfg, i);
        struct odks_schedule s;

        if (job->schedule != NULL && !parse(job, &s, err))
            return false;
        if (!odks_timezone_exists(job->timezone)) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "[job %s] timezone: there is no time zone \"%s\" here",
                         job->sync_type, job->timezone);
            odks_err_hint(err, "Names are like Africa/Banjul; the package "
                               "tzdata holds them.");
            return false;
        }
    }
    return true;
}

/*
 * The slot that now belongs to. A job without a schedule is due at every run:
 * each run is a slot of its own.
 */
static bool
current_slot(const struct odks_job_conf *job, int64_t now, int64_t *slot,
             struct odks_err *err)
{
    struct odks_schedule s;

    *slot = now;
    if (job->every_s > 0)
        *slot = now - now % (job->every_s * SECOND);
    if (job->schedule == NULL)
        return true;
    if (!parse(job, &s, err))
        return false;
    *slot = odks_schedule_latest(&s, job->timezone, now);
    return true;
}

bool
odks_due_next(const struct odks_job_conf *job, int64_t now, int64_t *next)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    struct odks_schedule s;

    *next = ODKS_TIME_NONE;
    if (job->every_s > 0)
        *next = now - now % (job->every_s * SECOND) + job->every_s * SECOND;
    if (job->schedule == NULL)
        return true;
    if (!parse(job, &s, &ignored))
        return false;
    *next = odks_schedule_next(&s, job->timezone, now);
    return true;
}

static struct odks_enqueue
request(const struct odks_job_conf *job, struct odks_payload payload)
{
    const struct odks_enqueue what = { .sync_type = job->sync_type,
                                       .run_at = ODKS_TIME_NONE,
                                       .priority = (int) job->priority,
                                       .max_failures = (int) job->max_failures,
                                       .payload = payload };

    return what;
}

static bool
enqueue_by_hand(struct odks_db *db, const struct odks_job_conf *job,
                const struct odks_run_options *options, struct odks_err *err)
{
    const struct odks_enqueue what = request(job, options->payload);
    enum odks_queued queued;
    int64_t id;

    return odks_queue_enqueue(db, &what, &queued, &id, err);
}

static bool
enqueue_named(struct odks_db *db, const struct odks_config *cfg,
              const struct odks_run_options *options, struct odks_err *err)
{
    for (size_t i = 0; i < options->type_count; i++) {
        const struct odks_job_conf *job =
            odks_config_find_job(cfg, options->types[i], err);

        if (job == NULL || !enqueue_by_hand(db, job, options, err))
            return false;
    }
    return true;
}

static bool
enqueue_all(struct odks_db *db, const struct odks_config *cfg,
            const struct odks_run_options *options, struct odks_err *err)
{
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        if (!enqueue_by_hand(db, odks_config_job(cfg, i), options, err))
            return false;
    }
    return true;
}

bool
odks_due_now(struct odks_db *db, int64_t *now, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_server_now, NULL, err);

    if (res == NULL)
        return false;
    *now = odks_db_int64(res, 0, 0);
    return true;
}

bool
odks_due_settings(struct odks_db *db, const struct odks_config *cfg,
                  struct odks_err *err)
{
    CLEANUP_JSON struct json_object *digests = json_object_new_object();
    CLEANUP_PGRESULT PGresult *due = NULL;

    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(cfg, i);
        char digest[ODKS_CONFIG_DIGEST];

        odks_config_digest(cfg, job, digest);
        (void) json_object_object_add(digests, job->sync_type,
                                      json_object_new_string(digest));
    }
    if (!odks_queue_apply_settings(db, json_object_to_json_string(digests),
                                   &due, err))
        return false;
    for (int i = 0; i < PQntuples(due); i++)
        odks_log(ODKS_LOG_INFO,
                 "%s failed with other settings than these: it is due again",
                 PQgetvalue(due, i, 0));
    return true;
}

bool
odks_due_enqueue(struct odks_db *db, const struct odks_config *cfg,
                 const struct odks_run_options *options, struct odks_err *err)
{
    int64_t now;

    if (!odks_due_settings(db, cfg, err) || !odks_queue_enqueue_timed(db, err))
        return false;
    if (options->type_count > 0)
        return enqueue_named(db, cfg, options, err);
    if (options->payload.reconcile)
        return enqueue_all(db, cfg, options, err);
    if (!odks_due_now(db, &now, err))
        return false;
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(cfg, i);
        enum odks_queued queued;
        int64_t slot;

        if (job->after != NULL)
            continue;
        if (!current_slot(job, now, &slot, err))
            return false;
        const struct odks_enqueue what = request(job, options->payload);
        if (slot != ODKS_TIME_NONE
            && !odks_queue_enqueue_slot(db, &what, slot, &queued, err))
            return false;
    }
    return true;
}
