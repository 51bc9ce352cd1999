/* bin/cmd_queue.c - SPDX-License-Identifier: Apache-2.0 */
/* enqueue, cancel, retry, pause, resume, forget: by hand into the queue. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "core/safe.h"
#include "sql/queries.h"

static enum odks_exit
enqueue(const struct odks_cli *cli, struct odks_cmd_db *c,
        const struct odks_job_conf *job, struct odks_err *err)
{
    enum odks_queued queued;
    int64_t id;
    const struct odks_enqueue what = {
        .sync_type = job->sync_type,
        .run_at = cli->at,
        .priority = (int) (cli->priority_given ? cli->priority : job->priority),
        .max_failures = (int) job->max_failures,
        .payload = cli->payload,
    };
    if (!odks_queue_enqueue(c->db, &what, &queued, &id, err)
        || !odks_db_commit(c->db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "job %" PRId64 " of %s %s", id, job->sync_type,
             queued == ODKS_QUEUED_MERGED ? "was waiting: merged"
                                          : "is queued");
    odks_print(stdout, "%" PRId64 "\n", id);
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_enqueue(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    const struct odks_job_conf *job =
        odks_config_find_job(c.cfg, cli->args[0], err);
    return job != NULL ? enqueue(cli, &c, job, err) : err->code;
}

/* An ID, which is a number, or else a TYPE. */
static bool
parse_which(const struct odks_cli *cli, struct odks_cmd_db *c,
            struct odks_queue_which *which, struct odks_err *err)
{
    const char *text = cli->args[0];
    char *end;

    *which = (struct odks_queue_which){ 0 };
    if (text[strspn(text, "0123456789")] != '\0' || *text == '\0') {
        which->sync_type = text;
        return odks_cmd_open(cli, c, err) && odks_cmd_check_type(c, text, err);
    }
    errno = 0;
    which->id = strtoimax(text, &end, 10);
    if (errno == 0 && which->id > 0)
        return odks_cmd_open(cli, c, err);
    odks_err_set(err, ODKS_EXIT_USAGE, "\"%s\" is not the ID of a job", text);
    odks_err_hint(err, "\"odk-sync queue\" shows the IDs.");
    return false;
}

static bool
refuse_which(struct odks_queue_which which, const char *state,
             struct odks_err *err)
{
    if (which.sync_type != NULL) {
        odks_err_set(err, ODKS_EXIT_USAGE, "no job of %s %s", which.sync_type,
                     state);
        odks_err_hint(err,
                      "\"odk-sync queue\" shows the jobs; \"odk-sync run "
                      "%s\" does one now.",
                      which.sync_type);
        return false;
    }
    odks_err_set(err, ODKS_EXIT_USAGE, "there is no job %" PRId64 " that %s",
                 which.id, state);
    odks_err_hint(err, "\"odk-sync queue\" shows the jobs; one that ended is "
                       "in \"odk-sync history\".");
    return false;
}

enum odks_exit
odks_cmd_cancel(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    struct odks_queue_which which;
    int found = 0, running = 0;

    if (!parse_which(cli, &c, &which, err)
        || !odks_queue_cancel(c.db, which, &found, &running, err)
        || (found == 0 && !refuse_which(which, "waits, runs or gave up", err))
        || !odks_db_commit(c.db, err))
        return err->code;
    if (found > running)
        odks_log(ODKS_LOG_INFO, "%d job%s cancelled", found - running,
                 found - running == 1 ? " is" : "s are");
    if (running > 0)
        odks_log(ODKS_LOG_INFO, "a job that runs will stop at its next step");
    return ODKS_EXIT_OK;
}

/* A job that reads what did not fit again, if there is anything. */
static enum odks_exit
retry_rejects(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    const struct odks_job_conf *job =
        odks_config_find_job(c.cfg, cli->args[0], err);
    if (job == NULL)
        return err->code;
    const char *const params[] = { job->sync_type };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(c.db, &odks_sql_reject_count, params, err);
    if (res == NULL)
        return err->code;
    int64_t count = odks_db_int64(res, 0, 0);
    odks_log(ODKS_LOG_INFO,
             "%" PRId64 " submission%s of %s with values that did not fit",
             count, count == 1 ? "" : "s", job->sync_type);
    return count > 0 ? enqueue(cli, &c, job, err) : ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_retry(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    struct odks_queue_which which;
    int found = 0;

    if (cli->payload.rejects)
        return retry_rejects(cli, err);
    if (!parse_which(cli, &c, &which, err)
        || !odks_queue_retry(c.db, which, &found, err)
        || (found == 0 && !refuse_which(which, "waits or gave up", err))
        || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "the next run does %s%s",
             which.sync_type != NULL ? "" : "job ", cli->args[0]);
    return ODKS_EXIT_OK;
}

static enum odks_exit
set_pause(const struct odks_cli *cli, bool pause, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err)
        || !odks_cmd_check_type(&c, cli->args[0], err)
        || !odks_queue_pause(c.db, cli->args[0], pause, err)
        || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "%s is %s", cli->args[0],
             pause ? "paused" : "not paused");
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_pause(const struct odks_cli *cli, struct odks_err *err)
{
    return set_pause(cli, true, err);
}

enum odks_exit
odks_cmd_resume(const struct odks_cli *cli, struct odks_err *err)
{
    return set_pause(cli, false, err);
}

/* A type in use would only come back, without its past. */
static bool
check_forget(struct odks_cmd_db *c, const char *type, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const struct odks_job_conf *job =
        odks_config_find_job(c->cfg, type, &ignored);

    if (job == NULL)
        return odks_cmd_check_type(c, type, err);
    odks_err_set(err, ODKS_EXIT_USAGE, "%s is a job of the configuration",
                 type);
    if (job->form_of != NULL)
        odks_err_hint(err,
                      "First add its form to exclude in [job %s]. To suspend "
                      "the job instead: odk-sync pause %s",
                      job->form_of, type);
    else
        odks_err_hint(err,
                      "First delete its section. To suspend the job instead: "
                      "odk-sync pause %s",
                      type);
    return false;
}

static bool
forget_type(struct odks_db *db, const char *type, struct odks_err *err)
{
    const char *const params[] = { type };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_track_forget, params, err);

    if (res != NULL)
        return true;
    if (strcmp(err->sqlstate, "55006") == 0) {
        err->code = ODKS_EXIT_TEMPFAIL;
        odks_err_hint(err,
                      "Try again when it has ended, or end it with "
                      "odk-sync cancel %s",
                      type);
    }
    return false;
}

enum odks_exit
odks_cmd_forget(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    const char *type = cli->args[0];

    if (!odks_cmd_open(cli, &c, err) || !check_forget(&c, type, err)
        || !forget_type(c.db, type, err) || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "%s is forgotten; its history and tables stay",
             type);
    return ODKS_EXIT_OK;
}
