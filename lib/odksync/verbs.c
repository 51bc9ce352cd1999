/* lib/odksync/verbs.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "odksync/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "db/migrate.h"
#include "sql/queries.h"

enum { INT_TEXT = 16, PRUNE_BATCH = 5000 }; /* of odk_sync_prune() */

static const char *
int_param(int n, char text[INT_TEXT])
{
    (void) snprintf(text, INT_TEXT, "%d", n);
    return text;
}

/* NULL, for "as it is", if there are none. */
static const char *
records_param(int records, char text[INT_TEXT])
{
    return records < 0 ? NULL : int_param(records, text);
}

static bool
is_given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

int
odks_create_tables(struct odks_sync *sync)
{
    int applied;

    if (!odks_lib_enter(sync))
        return ODKS_E_USAGE;
    /* no tables of forms: the tracking schema alone */
    const char *const schemas[] = { NULL };
    if (!odks_lib_begin(sync))
        return odks_lib_leave(sync);
    odks_db_rollback(sync->db);
    /* what fails here is no argument of the caller's: not translated */
    if (!odks_migrate(sync->db, schemas, NULL, &applied, &sync->err)
        && sync->err.code == ODKS_EXIT_DATA)
        sync->err.code = ODKS_EXIT_CONFIG;
    return odks_error_code(sync);
}

int
odks_cleanup_history(struct odks_sync *sync, int days, int64_t *removed)
{
    char text[INT_TEXT];
    const char *const params[] = { int_param(days, text) };
    int64_t count, sum = 0;

    if (!odks_lib_enter(sync))
        return ODKS_E_USAGE;
    do {
        CLEANUP_PGRESULT PGresult *res =
            odks_lib_query(sync, &odks_sql_prune, params);

        if (res == NULL)
            return odks_lib_leave(sync);
        count = odks_db_int64(res, 0, 0);
        sum += count;
    } while (count >= PRUNE_BATCH);
    if (removed != NULL)
        *removed = sum;
    return 0;
}

int
odks_get_last_sync_time(struct odks_sync *sync, const char *sync_type,
                        int64_t *us)
{
    const char *const params[] = { sync_type };

    if (!odks_lib_enter(sync) || us == NULL)
        return odks_lib_misuse(sync, "there is no place for the time");
    if (!is_given(sync_type))
        return odks_lib_misuse(sync, "no sync type is given");
    CLEANUP_PGRESULT PGresult *res =
        odks_lib_query(sync, &odks_sql_odksync_get_time, params);
    if (res == NULL)
        return odks_lib_leave(sync);
    *us = odks_db_time(res, 0, 0);
    return 0;
}

int
odks_set_last_sync_time(struct odks_sync *sync, const char *sync_type,
                        int64_t us)
{
    char time[ODKS_TIME_TEXT];

    if (!odks_lib_enter(sync) || !is_given(sync_type))
        return odks_lib_misuse(sync, "no sync type is given");
    if (!odks_lib_is_time(us))
        return odks_lib_misuse(sync, "the time is none");
    const char *const params[] = { sync_type, odks_db_time_param(us, time) };

    if (odks_lib_once(sync, &odks_sql_odksync_set_time, params, NULL))
        return 0;
    bool backwards = strcmp(sync->err.sqlstate, "55000") == 0;
    int code = odks_lib_leave(sync);
    if (backwards)
        odks_err_hint(&sync->err, "To move it back, run \"odk-sync set\" with "
                                  "--force, or call the SQL function with "
                                  "p_force => true.");
    return code;
}

/*
 * Text of our host that must not make the call fail: as much of it as the
 * server keeps, in characters of four bytes at most.
 */
enum { INSTANCE_TEXT = 100 * 4 + 1, MESSAGE_TEXT = 1000 * 4 + 1 };

static const char *
text_param(const char *text, char *buffer, size_t size)
{
    if (text == NULL)
        return NULL;
    odks_utf8_format(buffer, size, "%s", text);
    return buffer;
}

int
odks_start_sync(struct odks_sync *sync, const char *sync_type,
                const char *service_instance, int *history_id)
{
    char instance[INSTANCE_TEXT];
    int64_t id;

    if (!odks_lib_enter(sync) || history_id == NULL)
        return odks_lib_misuse(sync, "there is no place for the history_id");
    if (!is_given(sync_type))
        return odks_lib_misuse(sync, "no sync type is given");
    const char *const params[] = {
        sync_type,
        service_instance != NULL
            ? text_param(service_instance, instance, sizeof(instance))
            : sync->instance,
    };

    if (!odks_lib_once(sync, &odks_sql_odksync_start, params, &id))
        return odks_lib_leave(sync);
    *history_id = (int) id;
    return 0;
}

int
odks_update_progress(struct odks_sync *sync, int history_id, int records,
                     int64_t latest, const char *metadata)
{
    char id[INT_TEXT], number[INT_TEXT], time[ODKS_TIME_TEXT];

    if (!odks_lib_enter(sync) || !odks_lib_is_time(latest))
        return odks_lib_misuse(sync, "the time is none");
    const char *const params[] = { int_param(history_id, id),
                                   records_param(records, number),
                                   odks_db_time_param(latest, time), metadata };

    PQclear(odks_lib_query(sync, &odks_sql_odksync_progress, params));
    return odks_lib_leave(sync);
}

int
odks_complete_sync(struct odks_sync *sync, int history_id,
                   const char *sync_type, int records, int64_t latest,
                   const char *metadata)
{
    char id[INT_TEXT], number[INT_TEXT], time[ODKS_TIME_TEXT];

    if (!odks_lib_enter(sync) || !is_given(sync_type))
        return odks_lib_misuse(sync, "no sync type is given");
    if (!odks_lib_is_time(latest))
        return odks_lib_misuse(sync, "the time is none");
    const char *const params[] = { int_param(history_id, id), sync_type,
                                   records_param(records, number),
                                   odks_db_time_param(latest, time), metadata };

    (void) odks_lib_once(sync, &odks_sql_odksync_complete, params, NULL);
    return odks_lib_leave(sync);
}

int
odks_fail_sync(struct odks_sync *sync, int history_id, const char *sync_type,
               const char *message)
{
    char id[INT_TEXT], text[MESSAGE_TEXT];

    if (!odks_lib_enter(sync) || !is_given(sync_type))
        return odks_lib_misuse(sync, "no sync type is given");
    const char *const params[] = { int_param(history_id, id), sync_type,
                                   text_param(message, text, sizeof(text)) };

    (void) odks_lib_once(sync, &odks_sql_odksync_fail, params, NULL);
    return odks_lib_leave(sync);
}

static int
report(struct odks_sync *sync, const struct odks_sql *sql, char **json)
{
    if (!odks_lib_enter(sync) || json == NULL)
        return odks_lib_misuse(sync, "there is no place for the report");
    CLEANUP_PGRESULT PGresult *res = odks_lib_query(sync, sql, NULL);
    if (res == NULL)
        return odks_lib_leave(sync);
    char *text = strdup(PQgetvalue(res, 0, 0));
    if (text == NULL) {
        odks_err_set(&sync->err, ODKS_EXIT_OS, "out of memory");
        return odks_lib_leave(sync);
    }
    *json = text;
    return 0;
}

int
odks_sync_statistics(struct odks_sync *sync, char **json)
{
    return report(sync, &odks_sql_odksync_statistics, json);
}

int
odks_sync_health(struct odks_sync *sync, char **json)
{
    return report(sync, &odks_sql_odksync_health, json);
}
