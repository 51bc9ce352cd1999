/* lib/run/run.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "db/migrate.h"
#include "run/due.h"
#include "run/forms.h"
#include "run/idle.h"
#include "run/instance.h"
#include "run/record.h"
#include "sql/queries.h"

enum { RECONNECT_TRIES = 3, RECONNECT_PAUSE_MS = 2000 };

struct run {
    struct odks_config *cfg;
    const struct odks_run_options *options;
    char instance[ODKS_INSTANCE_TEXT];
    struct odks_db_conf db_conf;
    struct odks_db *db;
    struct odks_claimable *types; /* that this run may claim */
    enum odks_exit worst;
    int64_t jobs;
    bool stopped; /* we were asked to, and handed the job back */
};

static void
note(struct run *run, const struct odks_err *err)
{
    odks_log_err(ODKS_LOG_ERROR, err);
    run->worst = odks_exit_worse(run->worst, err->code);
}

static const struct odks_job_conf *
find_job(const struct run *run, const char *sync_type, struct odks_err *err)
{
    return run->options->exec != NULL
               ? run->options->exec
               : odks_config_find_job(run->cfg, sync_type, err);
}

/* Was this job asked for, by its name or that of the "form = *" it is of? */
static bool
is_wanted(const struct run *run, const struct odks_job_conf *job)
{
    const struct odks_run_options *o = run->options;

    for (size_t i = 0; i < o->type_count; i++) {
        if (strcmp(o->types[i], job->sync_type) == 0
            || (job->form_of != NULL && strcmp(o->types[i], job->form_of) == 0))
            return true;
    }
    return o->type_count == 0;
}

/* The runs of the configuration must not meet a job that is not theirs. */
static bool
check_exec(const struct run *run, const char *type, struct odks_err *err)
{
    struct odks_err none = ODKS_ERR_INIT;

    if (odks_config_find_job(run->cfg, type, &none) == NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_USAGE, "%s is a job of the configuration",
                 type);
    odks_err_hint(err,
                  "\"odk-sync run %s\" does it; choose another TYPE for exec.",
                  type);
    return false;
}

static bool
check_types(const struct run *run, struct odks_err *err)
{
    const struct odks_run_options *o = run->options;

    if (o->exec != NULL)
        return check_exec(run, o->exec->sync_type, err);
    for (size_t i = 0; i < o->type_count; i++) {
        if (odks_config_find_job(run->cfg, o->types[i], err) == NULL)
            return false;
    }
    return true;
}

static const struct odks_job_kind *
find_kind(const struct run *run, const char *name)
{
    for (size_t i = 0; run->options->kinds[i] != NULL; i++) {
        if (strcmp(run->options->kinds[i]->name, name) == 0)
            return run->options->kinds[i];
    }
    return NULL;
}

static struct odks_claimable
claimable(const struct run *run, const struct odks_job_conf *job)
{
    const struct odks_job_kind *kind = find_kind(run, job->kind);

    return (struct odks_claimable){ .sync_type = job->sync_type,
                                    .lease_only =
                                        kind != NULL && kind->lease_only };
}

/* The types of the configuration, to be freed; all, or those of this run. */
static struct odks_claimable *
list_types(const struct run *run, bool all)
{
    size_t count = odks_config_job_count(run->cfg), n = 0;
    struct odks_claimable *types = odks_xcalloc(count + 1, sizeof(*types));

    for (size_t i = 0; i < count; i++) {
        const struct odks_job_conf *job = odks_config_job(run->cfg, i);

        if (all || is_wanted(run, job))
            types[n++] = claimable(run, job);
    }
    return types;
}

/* The types that may be claimed now: a job may have found new forms. */
static void
choose_types(struct run *run)
{
    free(run->types);
    run->types = list_types(run, false);
}

static bool
do_kind(const struct run *run, struct odks_attempt *a, struct odks_err *err)
{
    const struct odks_job_kind *kind = find_kind(run, a->conf->kind);

    if (kind == NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "no such kind of job: %s",
                     a->conf->kind);
        return false;
    }
    return kind->run(a, err);
}

/* Have a connection on which a failure can be recorded. */
static bool
reconnect(struct run *run, struct odks_err *err)
{
    odks_db_rollback(run->db);
    for (int i = 0; i < RECONNECT_TRIES; i++) {
        if (i > 0)
            (void) odks_wait(NULL, 0, odks_deadline_in(RECONNECT_PAUSE_MS));
        if (odks_db_reconnect(run->db, err))
            return true;
    }
    return false;
}

/* After an attempt that failed: tell, hand back or fail the job. */
static void
give_up(struct run *run, struct odks_attempt *a, struct odks_err *cause)
{
    struct odks_err err = ODKS_ERR_INIT;

    if (odks_stop_requested()) {
        run->stopped = true;
        odks_stop_acknowledge();
    }
    odks_record_time_limit(a, cause);
    if (cause->code == ODKS_EXIT_FENCED && !a->passed_on) {
        odks_db_rollback(run->db);
        note(run, cause);
        return; /* the job is another runner's now, and so is its record */
    }
    bool recorded = reconnect(run, &err) && odks_record_failure(a, cause, &err);
    if (cause->code != ODKS_EXIT_OK)
        note(run, cause);
    else if (cause->interrupted)
        odks_log(ODKS_LOG_INFO, "%s", cause->message);
    if (!recorded) {
        odks_err_context(&err, "the failure could not be recorded");
        note(run, &err);
        odks_db_rollback(run->db);
    }
}

static void
attempt(struct run *run, struct odks_job *job)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_attempt a = { .cfg = run->cfg,
                              .db = run->db,
                              .job = job,
                              .payload = job->payload,
                              .latest = ODKS_TIME_NONE,
                              .beat_ms = odks_clock_ms() };

    odks_log_set_job(job->sync_type);
    a.metadata = json_object_new_object();
    a.conf = find_job(run, job->sync_type, &err);
    if (a.conf == NULL || !do_kind(run, &a, &err))
        give_up(run, &a, &err);
    if (odks_db_alive(run->db))
        odks_queue_unlock(run->db, job);
    json_object_put(a.metadata);
    odks_log_progress(NULL);
    odks_log_set_step(NULL);
    odks_log_set_job(NULL);
}

/* Take back what any run of this configuration left. */
static bool
reclaim(const struct run *run, int *reclaimed, struct odks_err *err)
{
    struct odks_claimable *types = list_types(run, true);
    bool ok = odks_queue_reclaim(run->db, types, reclaimed, err);

    free(types);
    return ok;
}

/* Enqueue, take back; then the queue says what is to be done. */
static bool
tick(struct run *run, struct odks_err *err)
{
    int reclaimed = 0;

    if (!odks_db_begin(run->db, err) || !odks_migrate_check(run->db, err)
        || !odks_forms_load(run->db, run->cfg, err) || !check_types(run, err)
        || (run->options->exec == NULL
            && !odks_due_enqueue(run->db, run->cfg, run->options, err))
        || !reclaim(run, &reclaimed, err) || !odks_db_commit(run->db, err))
        return false;
    if (reclaimed > 0)
        odks_log(ODKS_LOG_INFO, "took back %d abandoned job%s", reclaimed,
                 reclaimed == 1 ? "" : "s");
    return true;
}

static bool
claim(struct run *run, struct odks_job **job, struct odks_err *err)
{
    if (odks_db_begin(run->db, err)
        && odks_queue_claim(run->db, run->types, run->instance,
                            odks_config_run(run->cfg)->lease_s, job, err)
        && odks_db_commit(run->db, err))
        return true;
    odks_job_free(odks_steal(job));
    return false;
}

static bool
prune(struct run *run, struct odks_err *err)
{
    char days[24];
    const char *const params[] = { days };

    (void) snprintf(days, sizeof(days), "%" PRId64,
                    odks_config_run(run->cfg)->history_days);
    if (!odks_db_begin(run->db, err))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(run->db, &odks_sql_prune, params, err);
    return res != NULL && odks_db_commit(run->db, err);
}

/*
 * Forget old attempts, some at a time; an idle run does not care. Another time
 * will do: the jobs are done.
 */
static void
forget_old(struct run *run)
{
    struct odks_err err = ODKS_ERR_INIT;

    if (prune(run, &err))
        return;
    odks_err_context(&err, "old history stays");
    odks_log_err(ODKS_LOG_WARN, &err);
}

static bool
drain(struct run *run, struct odks_err *err)
{
    while (run->options->max_jobs == 0 || run->jobs < run->options->max_jobs) {
        CLEANUP_JOB struct odks_job *job = NULL;

        if (odks_stop_requested()) {
            odks_stop_err(err);
            return false;
        }
        choose_types(run);
        if (!claim(run, &job, err))
            return false;
        if (job == NULL) {
            if (run->jobs > 0)
                forget_old(run);
            return true;
        }
        run->jobs++;
        attempt(run, job);
        if (!odks_db_alive(run->db) || run->stopped)
            return true; /* the cause is noted */
    }
    return true;
}

/*
 * Enqueue and claim in one transaction: when the claim cannot be had, nothing
 * must wait in the queue that no other run can do.
 */
static bool
claim_exec(struct run *run, struct odks_job **job, struct odks_err *err)
{
    const struct odks_job_conf *conf = run->options->exec;
    const struct odks_claimable types[] = { claimable(run, conf), { 0 } };
    const struct odks_enqueue what = {
        .sync_type = conf->sync_type,
        .run_at = ODKS_TIME_NONE,
        .priority = (int) conf->priority,
        .max_failures = (int) conf->max_failures,
        .payload = { .since = ODKS_TIME_NONE,
                     .until = ODKS_TIME_NONE,
                     .exec = true },
    };
    enum odks_queued queued = ODKS_QUEUED_MERGED;
    int64_t id;

    *job = NULL;
    if (!odks_db_begin(run->db, err)
        || !odks_queue_waiting(run->db, conf->sync_type, &id, err)
        || (id == 0 && !odks_queue_enqueue(run->db, &what, &queued, &id, err)))
        return false;
    if (queued == ODKS_QUEUED_MERGED) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "job %" PRId64 " of %s is in the queue: the type belongs "
                     "to a configuration",
                     id, conf->sync_type);
        odks_err_hint(err,
                      "Choose another TYPE; or, if nothing configures it any "
                      "more: odk-sync cancel %" PRId64,
                      id);
        return false;
    }
    if (odks_queue_claim(run->db, types, run->instance,
                         odks_config_run(run->cfg)->lease_s, job, err)
        && (*job == NULL || odks_db_commit(run->db, err))) {
        odks_db_rollback(run->db);
        return true;
    }
    odks_job_free(odks_steal(job));
    return false;
}

static bool
exec_one(struct run *run, struct odks_err *err)
{
    CLEANUP_JOB struct odks_job *job = NULL;

    if (!claim_exec(run, &job, err))
        return false;
    if (job == NULL)
        return true;
    run->jobs++;
    attempt(run, job);
    if (odks_db_alive(run->db) && !run->stopped)
        forget_old(run);
    return true;
}

/* All of it in one transaction that is never committed. */
static bool
dry_run(struct run *run, struct odks_err *err)
{
    if (!odks_db_begin(run->db, err) || !odks_forms_load(run->db, run->cfg, err)
        || !check_types(run, err))
        return false;
    odks_db_rollback(run->db);
    /* one with "form = *" may add more behind it */
    for (size_t i = 0; i < odks_config_job_count(run->cfg); i++) {
        struct odks_attempt a = { .cfg = run->cfg,
                                  .conf = odks_config_job(run->cfg, i),
                                  .db = run->db,
                                  .payload = run->options->payload,
                                  .latest = ODKS_TIME_NONE };

        if (!is_wanted(run, a.conf))
            continue;
        odks_log_set_job(a.conf->sync_type);
        a.metadata = json_object_new_object();
        bool ok = do_kind(run, &a, err);
        if (ok && run->options->report != NULL)
            run->options->report(a.conf->sync_type, a.metadata);
        json_object_put(a.metadata);
        odks_db_rollback(run->db);
        if (!ok)
            return false;
        odks_log_set_job(NULL);
    }
    return true;
}

static bool
run_all(struct run *run, struct odks_err *err)
{
    if ((!odks_forms_possible(run->cfg) && !check_types(run, err))
        || !odks_config_db_conf(run->cfg, run->instance, &run->db_conf, err)
        || !odks_db_connect(&run->db_conf, &run->db, err))
        return false;
    if (run->options->dry_run)
        return dry_run(run, err);
    return tick(run, err)
           && (run->options->exec != NULL ? exec_one(run, err)
                                          : drain(run, err));
}

/* Tell whoever looks on what there is to know of jobs that were not done. */
static void
explain(const struct run *run)
{
    const struct odks_run_options *o = run->options;
    struct odks_claimable exec[2] = { 0 };
    const struct odks_idle idle = {
        .cfg = run->cfg,
        .types = o->exec != NULL ? exec : run->types,
        .idle = run->jobs == 0,
        .named = o->type_count > 0,
    };

    if (o->exec != NULL)
        exec[0] = claimable(run, o->exec);
    if (idle.types != NULL && !o->dry_run && !run->stopped
        && odks_db_alive(run->db))
        odks_idle_explain(run->db, &idle);
}

enum odks_exit
odks_run(struct odks_config *cfg, const struct odks_run_options *options)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct run run = { .cfg = cfg, .options = options };

    odks_instance(run.instance);
    odks_log_set_run(run.instance);
    if (run_all(&run, &err)) {
        explain(&run);
    } else {
        odks_db_rollback(run.db);
        if (err.timed_out && run.jobs > 0) /* the others are due again */
            odks_log(ODKS_LOG_INFO, "%s", err.message);
        else
            note(&run, &err);
    }
    odks_db_close(run.db);
    free(run.types);
    if (run.worst == ODKS_EXIT_OK && run.jobs == 0 && !options->dry_run
        && options->fail_if_idle)
        return ODKS_EXIT_TEMPFAIL;
    return run.worst;
}
