/* jobs/sql.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of the user's as a job, in one transaction with the fence before it and
 * the end of the job behind it. Until that is committed, the lock on the row of
 * the queue keeps everybody from taking the job, however long it runs.
 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "core/log.h"
#include "jobs/kinds.h"
#include "sql/queries.h"

/* The forms' schema first, the tracking schema, then public. */
static bool
set_path(struct odks_attempt *a, struct odks_err *err)
{
    const struct odks_database_conf *conf = odks_config_database(a->cfg);
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(1000);

    bool fits = odks_buf_add_str(&b, "SET LOCAL search_path = ")
                && odks_db_ident(a->db, a->conf->schema, &b)
                && odks_buf_add_str(&b, ", ")
                && odks_db_ident(a->db, conf->tracking_schema, &b)
                && odks_buf_add_str(&b, ", public, pg_temp");
    if (fits)
        return odks_db_do(a->db, "search_path", b.data, err);
    odks_err_set(err, ODKS_EXIT_CONFIG, "schema in [database] is no name");
    return false;
}

static bool
prepare(struct odks_attempt *a, const char *sql, struct odks_err *err)
{
    char id[ODKS_DB_INT64_TEXT];
    const char *const params[] = {
        a->conf->sync_type,
        odks_attempt_is_dry(a) ? NULL
                               : odks_db_int64_param(a->job->history_id, id),
        sql,
    };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(a->db, &odks_sql_job_sql_prepare, params, err);

    return res != NULL
           && (a->conf->max_runtime_s == 0
               || odks_db_allow(a->db, (unsigned) a->conf->max_runtime_s, err))
           && set_path(a, err);
}

/* By a COMMIT or the like in it, or in a procedure that it calls. */
static bool
ends_transaction(const struct odks_err *err)
{
    return strcmp(err->sqlstate, "2D000") == 0
           || (strcmp(err->sqlstate, "0A000") == 0
               && strstr(err->message, "transaction commands") != NULL);
}

/* The SQL is the user's: most of what it can do wrong is his to mend. */
static void
blame(const struct odks_attempt *a, struct odks_err *err)
{
    static const char *const data[] = { "21", "22", "23", "44", "P0" };

    if (strcmp(err->sqlstate, "57014") == 0)
        odks_err_hint(err, "Raise max_runtime in [job %s] if it needs longer.",
                      a->conf->sync_type);
    if (odks_err_is_temporary(err) || err->code == ODKS_EXIT_NOPERM)
        return;
    err->code = ODKS_EXIT_CONFIG;
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (strncmp(err->sqlstate, data[i], 2) == 0)
            err->code = ODKS_EXIT_DATA;
    }
    if (ends_transaction(err)) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "the SQL ends the transaction that it runs in");
        odks_err_hint(err, "Take BEGIN, COMMIT and the like out of it.");
    } else {
        odks_err_hint(err,
                      "Mend the SQL of [job %s], or the data; try it with "
                      "odk-sync run %s --dry-run.",
                      a->conf->sync_type, a->conf->sync_type);
    }
}

/* What it ran through, and the number of rows of its last statement. */
static bool
execute(struct odks_attempt *a, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *done =
        odks_db_query(a->db, &odks_sql_job_sql_run, NULL, err);

    if (done == NULL) {
        if (!err->interrupted)
            blame(a, err);
        return false;
    }
    CLEANUP_PGRESULT PGresult *rows =
        odks_db_query(a->db, &odks_sql_job_sql_rows, NULL, err);
    if (rows == NULL)
        return false;
    a->records = odks_db_int64(rows, 0, 0);
    /* a SET of its own is not for the end of this job, nor for the next one */
    return odks_db_reset(a->db, err);
}

static bool
run(struct odks_attempt *a, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_CONFIG_SQL_MAX);

    if (!odks_config_job_sql(a->conf, &sql, err) || !odks_attempt_begin(a, err)
        || !prepare(a, sql.data, err) || !execute(a, err))
        return false;
    if (odks_attempt_is_dry(a)) {
        (void) json_object_object_add(a->metadata, "rows",
                                      json_object_new_int64(a->records));
        return true;
    }
    if (!odks_attempt_finish(a, err))
        return false;
    odks_log(ODKS_LOG_INFO,
             "the SQL is done; its last statement: %" PRId64 " rows",
             a->records);
    return true;
}

const struct odks_job_kind odks_kind_sql = { .name = "sql", .run = run };
