/* bin/cmd_status.c - SPDX-License-Identifier: Apache-2.0 */
/* status, history, queue: what the tables know. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "bin/cmd.h"
#include "bin/print.h"
#include "core/safe.h"
#include "jobs/walk.h"
#include "run/due.h"
#include "sql/queries.h"
#include "track/track.h"

static void
print(const struct odks_cli *cli, const PGresult *res, int columns,
      const char *nothing)
{
    if (cli->json)
        odks_print_json(odks_result_json(res));
    else if (PQntuples(res) == 0)
        odks_print(stdout, "%s\n", nothing);
    else
        odks_print_table(res, columns);
}

static bool
is_known(const PGresult *res, const char *sync_type)
{
    for (int row = 0; row < PQntuples(res); row++) {
        if (strcmp(odks_db_text(res, row, ODKS_STATUS_SYNC_TYPE), sync_type)
            == 0)
            return true;
    }
    return false;
}

/* "people: 3 submissions wait for 5 attachments: not uploaded ..." */
static void
print_late(const PGresult *res, int row, int submissions, int files,
           const char *words)
{
    int64_t count = odks_db_int64(res, row, submissions);
    int64_t missing = odks_db_int64(res, row, files);

    if (count > 0)
        odks_print(
            stdout,
            "\n%s: %" PRId64 " attachment%s of %" PRId64 " submission%s %s\n",
            odks_db_text(res, row, ODKS_STATUS_SYNC_TYPE), missing,
            missing == 1 ? "" : "s", count, count == 1 ? "" : "s", words);
}

/* "35 s", "12 min", "7 h": nobody plans by more than that. */
static void
format_span(int64_t seconds, char text[32])
{
    if (seconds < 100)
        (void) snprintf(text, 32, "%" PRId64 " s", seconds);
    else if (seconds < INT64_C(100) * 60)
        (void) snprintf(text, 32, "%" PRId64 " min", (seconds + 30) / 60);
    else
        (void) snprintf(text, 32, "%" PRId64 " h", (seconds + 1800) / 3600);
}

/* How far a walk through everything is, whoever does it. */
static void
print_progress(const struct odks_config *cfg, const PGresult *res, int row)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const char *type = odks_db_text(res, row, ODKS_STATUS_SYNC_TYPE);
    const char *runner = odks_db_text(res, row, ODKS_STATUS_CLAIMED_BY);
    const struct odks_job_conf *job = odks_config_find_job(cfg, type, &ignored);
    const char *rows = "rows";
    char left[32];

    if (PQgetisnull(res, row, ODKS_STATUS_BACKFILL_DONE))
        return;
    if (job != NULL)
        rows = odks_feed_names(odks_job_feed(job))->rows;
    odks_print(
        stdout, "\n%s: %s sync: %" PRId64 " of %" PRId64 " %s (%" PRId64 " %%)",
        type, PQgetisnull(res, row, ODKS_STATUS_WATERMARK) ? "first" : "full",
        odks_db_int64(res, row, ODKS_STATUS_BACKFILL_DONE),
        odks_db_int64(res, row, ODKS_STATUS_BACKFILL_TOTAL), rows,
        odks_db_int64(res, row, ODKS_STATUS_BACKFILL_PERCENT));
    if (runner == NULL) {
        odks_print(stdout, "; the next run continues\n");
        return;
    }
    if (!PQgetisnull(res, row, ODKS_STATUS_BACKFILL_RATE))
        odks_print(stdout, ", %" PRId64 " a second",
                   odks_db_int64(res, row, ODKS_STATUS_BACKFILL_RATE));
    if (!PQgetisnull(res, row, ODKS_STATUS_BACKFILL_SECONDS_LEFT)) {
        format_span(odks_db_int64(res, row, ODKS_STATUS_BACKFILL_SECONDS_LEFT),
                    left);
        odks_print(stdout, ", about %s left", left);
    }
    odks_print(stdout, ", on %s\n", runner);
}

/* "people: 3 submissions are not stored as Central has them (...)" */
static bool
print_open(struct odks_db *db, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_reject_open, NULL, err);
    if (res == NULL)
        return false;
    for (int row = 0; row < PQntuples(res); row++) {
        int64_t count = odks_db_int64(res, row, 1);
        int64_t missing = odks_db_int64(res, row, 2);

        odks_print(
            stdout,
            "\n%s: %" PRId64 " row%s not stored as Central has %s, %" PRId64
            " of them not at all (%s): see odk_sync_reject\n",
            odks_db_text(res, row, 0), count, count == 1 ? " is" : "s are",
            count == 1 ? "it" : "them", missing, odks_db_text(res, row, 3));
    }
    return true;
}

/* What needs more words than a cell: proofs that are missing, errors. */
static void
print_remarks(const struct odks_config *cfg, const PGresult *res)
{
    for (int row = 0; row < PQntuples(res); row++) {
        const char *error = odks_db_text(res, row, ODKS_STATUS_ERROR);

        if (error != NULL)
            odks_print(stdout, "\n%s: %s\n",
                       odks_db_text(res, row, ODKS_STATUS_SYNC_TYPE), error);
        print_progress(cfg, res, row);
        print_late(res, row, ODKS_STATUS_ATTACHMENTS_WAITING,
                   ODKS_STATUS_ATTACHMENTS_WAITING_FILES,
                   "not uploaded by the device yet");
        print_late(res, row, ODKS_STATUS_ATTACHMENTS_FAILED,
                   ODKS_STATUS_ATTACHMENTS_FAILED_FILES,
                   "failed: never uploaded, looked for no more");
    }
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const char *type = odks_config_job(cfg, i)->sync_type;

        if (!is_known(res, type))
            odks_print(stdout, "\n%s: has not run yet\n", type);
    }
}

enum odks_exit
odks_cmd_status(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    CLEANUP_PGRESULT PGresult *res = odks_track_status(c.db, err);
    if (res == NULL)
        return err->code;
    print(cli, res, ODKS_STATUS_SHORT, "nothing has run yet");
    if (!cli->json) {
        print_remarks(c.cfg, res);
        if (!print_open(c.db, err))
            return err->code;
    }
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_history(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    const char *type = cli->arg_count > 0 ? cli->args[0] : NULL;

    if (!odks_cmd_open(cli, &c, err)
        || (type != NULL && !odks_cmd_check_type(&c, type, err)))
        return err->code;
    CLEANUP_PGRESULT PGresult *res =
        odks_track_history(c.db, type, cli->limit, err);
    if (res == NULL)
        return err->code;
    print(cli, res, ODKS_HISTORY_SHORT, "no attempts");
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_queue(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    CLEANUP_PGRESULT PGresult *res = odks_track_queue(c.db, err);
    if (res == NULL)
        return err->code;
    print(cli, res, ODKS_QUEUE_SHORT, "the queue is empty");
    return ODKS_EXIT_OK;
}
