/* bin/cmd_queue.c - SPDX-License-Identifier: Apache-2.0 */
/* enqueue, cancel, retry, pause, resume: by hand into the queue. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>

#include "bin/cmd.h"
#include "core/log.h"
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
    printf("%" PRId64 "\n", id);
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

static bool
parse_id(const char *text, int64_t *id, struct odks_err *err)
{
    char *end;

    errno = 0;
    *id = strtoimax(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *id > 0)
        return true;
    odks_err_set(err, ODKS_EXIT_USAGE, "\"%s\" is not the ID of a job", text);
    odks_err_hint(err, "\"odk-sync queue\" shows the IDs.");
    return false;
}

static bool
no_such_job(int64_t id, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_USAGE, "there is no job %" PRId64, id);
    odks_err_hint(err, "\"odk-sync queue\" shows the jobs; one that ended is "
                       "in \"odk-sync history\".");
    return false;
}

enum odks_exit
odks_cmd_cancel(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    bool found = false, running = false;
    int64_t id;

    if (!parse_id(cli->args[0], &id, err) || !odks_cmd_open(cli, &c, err)
        || !odks_queue_cancel(c.db, id, &found, &running, err)
        || (!found && !no_such_job(id, err)) || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO,
             running ? "job %" PRId64 " runs; it will stop at its next step"
                     : "job %" PRId64 " is cancelled",
             id);
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
    bool found = false;
    int64_t id;

    if (cli->payload.rejects)
        return retry_rejects(cli, err);
    if (!parse_id(cli->args[0], &id, err) || !odks_cmd_open(cli, &c, err)
        || !odks_queue_retry(c.db, id, &found, err)
        || (!found && !no_such_job(id, err)) || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "job %" PRId64 " is due now", id);
    return ODKS_EXIT_OK;
}

static enum odks_exit
set_pause(const struct odks_cli *cli, bool pause, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err)
        || odks_config_find_job(c.cfg, cli->args[0], err) == NULL
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
