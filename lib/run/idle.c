/* lib/run/idle.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/idle.h"

#include <inttypes.h>
#include <string.h>

#include "core/json.h"
#include "core/log.h"
#include "run/due.h"
#include "sql/queries.h"

enum { TOLD_MAX = 10 }; /* types; of a "form = *" there may be hundreds */

enum { /* run_idle.sql */
       COL_SYNC_TYPE,
       COL_STATE,
       COL_AT,
       COL_CLAIMED_BY,
       COL_FAILURES,
       COL_LAST_ERROR
};

static bool
is_state(const PGresult *res, int row, const char *state)
{
    return strcmp(PQgetvalue(res, row, COL_STATE), state) == 0;
}

static void
describe_failures(const PGresult *res, int row, struct odks_err *record)
{
    const char *type = PQgetvalue(res, row, COL_SYNC_TYPE);
    const char *at = odks_db_text(res, row, COL_AT);
    const char *error = odks_db_text(res, row, COL_LAST_ERROR);
    int64_t failures = odks_db_int64(res, row, COL_FAILURES);
    const char *plural = failures == 1 ? "" : "s";

    if (is_state(res, row, "dead")) {
        odks_err_set(
            record, ODKS_EXIT_OK, "gave up%s%s after %" PRId64 " failure%s",
            at != NULL ? " at " : "", at != NULL ? at : "", failures, plural);
        odks_err_hint(record,
                      "When the cause is gone: odk-sync retry %s. Changed "
                      "settings do the same.",
                      type);
    } else {
        odks_err_set(record, ODKS_EXIT_OK,
                     "failed %" PRId64 " time%s; the next attempt is at %s",
                     failures, plural, at);
        odks_err_hint(record, "Sooner: odk-sync retry %s", type);
    }
    if (error != NULL)
        odks_err_detail(record, "%s", error);
}

static void
tell_type(const PGresult *res, int row, bool named)
{
    struct odks_err record = ODKS_ERR_INIT;
    enum odks_log_level level = ODKS_LOG_INFO;
    const char *type = PQgetvalue(res, row, COL_SYNC_TYPE);
    const char *at = PQgetvalue(res, row, COL_AT);

    if (is_state(res, row, "running")) {
        odks_err_set(&record, ODKS_EXIT_OK, "it runs elsewhere, on %s since %s",
                     PQgetvalue(res, row, COL_CLAIMED_BY), at);
    } else if (is_state(res, row, "paused")) {
        level = named ? ODKS_LOG_WARN : ODKS_LOG_INFO;
        odks_err_set(&record, ODKS_EXIT_OK, "it is paused since %s", at);
        odks_err_hint(&record, "To end the pause: odk-sync resume %s", type);
    } else {
        describe_failures(res, row, &record);
    }
    odks_log_set_job(type);
    odks_log_err(level, &record);
    odks_log_set_job(NULL);
}

static bool
is_told(const PGresult *res, const char *type)
{
    for (int row = 0; row < PQntuples(res); row++) {
        if (strcmp(PQgetvalue(res, row, COL_SYNC_TYPE), type) == 0)
            return true;
    }
    return false;
}

/* Of the types that nothing keeps from running: which is due next, and when? */
static void
tell_next(const struct odks_idle *idle, const PGresult *res, int64_t now)
{
    int64_t earliest = ODKS_TIME_NONE;
    const char *which = NULL;
    char text[ODKS_TIME_TEXT];

    for (size_t i = 0; idle->types[i].sync_type != NULL; i++) {
        struct odks_err ignored = ODKS_ERR_INIT;
        const char *type = idle->types[i].sync_type;
        const struct odks_job_conf *job =
            odks_config_find_job(idle->cfg, type, &ignored);
        int64_t next;

        if (job == NULL || is_told(res, type) || !odks_due_next(job, now, &next)
            || next == ODKS_TIME_NONE || (which != NULL && next >= earliest))
            continue;
        earliest = next;
        which = type;
    }
    if (which == NULL)
        return;
    odks_time_format(earliest, text);
    odks_log(ODKS_LOG_INFO, "%s is due next, at %s", which, text);
}

static PGresult *
query_states(struct odks_db *db, const struct odks_idle *idle, int64_t *now)
{
    CLEANUP_JSON struct json_object *types = json_object_new_array();
    struct odks_err ignored = ODKS_ERR_INIT;
    PGresult *res = NULL;

    for (size_t i = 0; idle->types[i].sync_type != NULL; i++)
        (void) json_object_array_add(
            types, json_object_new_string(idle->types[i].sync_type));
    const char *const params[] = { json_object_to_json_string(types) };
    if (odks_db_begin(db, &ignored) && odks_due_now(db, now, &ignored))
        res = odks_db_query(db, &odks_sql_run_idle, params, &ignored);
    odks_db_rollback(db);
    return res;
}

void
odks_idle_explain(struct odks_db *db, const struct odks_idle *idle)
{
    int told = 0;
    int64_t now = 0;

    if (!odks_log_enabled(idle->idle && idle->named ? ODKS_LOG_WARN
                                                    : ODKS_LOG_INFO))
        return;
    CLEANUP_PGRESULT PGresult *res = query_states(db, idle, &now);
    if (res == NULL)
        return;
    if (idle->idle)
        odks_log(ODKS_LOG_INFO, "nothing to do now");
    for (int row = 0; row < PQntuples(res); row++) {
        if (!idle->idle && !is_state(res, row, "dead"))
            continue;
        if (told++ < TOLD_MAX)
            tell_type(res, row, idle->named);
    }
    if (told > TOLD_MAX)
        odks_log(ODKS_LOG_INFO, "%d more: see odk-sync status",
                 told - TOLD_MAX);
    if (idle->idle)
        tell_next(idle, res, now);
}
