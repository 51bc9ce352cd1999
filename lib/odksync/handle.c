/* lib/odksync/handle.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "odksync/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run/instance.h"

enum { STATEMENT_S = 60 };

static_assert((int) ODKS_E_USAGE == ODKS_EXIT_USAGE
                  && (int) ODKS_E_SOFTWARE == ODKS_EXIT_SOFTWARE
                  && (int) ODKS_E_OS == ODKS_EXIT_OS
                  && (int) ODKS_E_TEMPFAIL == ODKS_EXIT_TEMPFAIL
                  && (int) ODKS_E_NOPERM == ODKS_EXIT_NOPERM
                  && (int) ODKS_E_CONFIG == ODKS_EXIT_CONFIG,
              "the public codes are exit codes");

#define MISSING                                                          \
    "Call odks_create_tables() or run \"odk-sync init\"; if the tables " \
    "are there, check the tracking schema and the role's USAGE on it."
#define CONNINFO                              \
    "Write it as \"host=... dbname=...\" or " \
    "\"postgresql://user@host/dbname\"."
#define CREDENTIALS \
    "Check user and password in the connection string, or ~/.pgpass."

/*
 * lib/db speaks to the users of odk-sync, with their INI file. A caller of the
 * library has a connection string; what SQL refuses is an argument of its own.
 * The first prefix of the SQLSTATE that fits decides; code OK leaves it.
 */
static const struct {
    const char *prefix;
    enum odks_exit code;
    const char *hint;
} states[] = {
    { "22", ODKS_EXIT_USAGE, "Check the arguments of the call." },
    { "23", ODKS_EXIT_USAGE, "Check the arguments of the call." },
    { "28", ODKS_EXIT_NOPERM, CREDENTIALS },
    { "3D000", ODKS_EXIT_CONFIG, "Check dbname in the connection string." },
    { "3F000", ODKS_EXIT_CONFIG, MISSING },
    { "42501", ODKS_EXIT_NOPERM,
      "Grant the role SELECT, INSERT, UPDATE and DELETE on the odk_sync_* "
      "tables and USAGE on their sequences, or connect as their owner." },
    { "42703", ODKS_EXIT_CONFIG, MISSING },
    { "42883", ODKS_EXIT_CONFIG, MISSING },
    { "42P01", ODKS_EXIT_CONFIG, MISSING },
    { "54", ODKS_EXIT_USAGE, "Check the arguments of the call." },
    { "55000", ODKS_EXIT_USAGE,
      "Use the history_id of odks_start_sync() with the same sync type, and "
      "end each attempt once." },
    { "57014", ODKS_EXIT_TEMPFAIL,
      "The server was too slow: try again when it has less to do." },
};

static void
translate(struct odks_err *err)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const char *prefix = states[i].prefix;

        if (strncmp(err->sqlstate, prefix, strlen(prefix)) == 0) {
            err->code = states[i].code;
            odks_err_hint(err, "%s", states[i].hint);
            return;
        }
    }
    if (err->code == ODKS_EXIT_NOPERM)
        odks_err_hint(err, CREDENTIALS);
    else if (err->code == ODKS_EXIT_TEMPFAIL && err->hint[0] == '\0')
        odks_err_hint(err, "Make the same call again later.");
    else if (strstr(err->hint, "[database]") != NULL)
        odks_err_hint(err, "Check host and port in the connection string, "
                           "and that the server runs.");
}

bool
odks_lib_enter(struct odks_sync *sync)
{
    if (sync == NULL)
        return false;
    odks_err_clear(&sync->err);
    return true;
}

int
odks_lib_leave(struct odks_sync *sync)
{
    if (sync->err.code != ODKS_EXIT_OK)
        translate(&sync->err);
    return odks_error_code(sync);
}

int
odks_lib_misuse(struct odks_sync *sync, const char *what)
{
    if (sync != NULL)
        odks_err_set(&sync->err, ODKS_EXIT_USAGE, "%s", what);
    return ODKS_E_USAGE;
}

static bool
connect_anew(struct odks_sync *sync)
{
    if (sync->conf.keywords == NULL) {
        odks_err_set(&sync->err, ODKS_EXIT_USAGE,
                     "the connection string cannot be read");
        odks_err_hint(&sync->err, CONNINFO);
        return false;
    }
    odks_db_close(sync->db);
    sync->db = NULL;
    return odks_db_connect(&sync->conf, &sync->db, &sync->err);
}

/* What was lost before BEGIN was lost without harm. */
bool
odks_lib_begin(struct odks_sync *sync)
{
    if (odks_db_alive(sync->db)) {
        if (odks_db_begin(sync->db, &sync->err))
            return true;
        odks_db_rollback(sync->db);
        if (odks_db_alive(sync->db))
            return false;
        odks_err_clear(&sync->err);
    }
    if (!connect_anew(sync))
        return false;
    if (odks_db_begin(sync->db, &sync->err))
        return true;
    odks_db_rollback(sync->db);
    return false;
}

/*
 * Split the connection string. Of libpq's message only the name of an option
 * that it does not know is told: the rest may quote a password.
 */
static bool
read_conninfo(struct odks_sync *sync, const char *conninfo)
{
    static const char unknown[] = "invalid connection option";
    char *said = NULL;

    sync->options = PQconninfoParse(conninfo, &said);
    if (sync->options != NULL)
        return true;
    if (said == NULL)
        odks_err_set(&sync->err, ODKS_EXIT_OS, "out of memory");
    else if (strncmp(said, unknown, strlen(unknown)) == 0)
        odks_err_set(&sync->err, ODKS_EXIT_USAGE, "%s", said);
    else
        odks_err_set(&sync->err, ODKS_EXIT_USAGE,
                     "the connection string cannot be read");
    odks_err_hint(&sync->err, CONNINFO);
    PQfreemem(said);
    return false;
}

static bool
make_conf(struct odks_sync *sync, const char *conninfo, const char *schema)
{
    size_t count = 0, n = 0;

    if (!read_conninfo(sync, conninfo != NULL ? conninfo : ""))
        return false;
    while (sync->options[count].keyword != NULL)
        count++;
    sync->keywords = calloc(count + 1, sizeof(*sync->keywords));
    sync->values = calloc(count + 1, sizeof(*sync->values));
    sync->schema = strdup(schema != NULL ? schema : "public");
    if (sync->keywords == NULL || sync->values == NULL
        || sync->schema == NULL) {
        odks_err_set(&sync->err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (sync->options[i].val == NULL)
            continue;
        sync->keywords[n] = sync->options[i].keyword;
        sync->values[n++] = sync->options[i].val;
    }
    odks_instance(sync->instance);
    sync->conf = (struct odks_db_conf){
        .keywords = sync->keywords,
        .values = sync->values,
        .tracking_schema = sync->schema,
        .instance = sync->instance,
        .statement_timeout_s = STATEMENT_S,
    };
    return true;
}

int
odks_open(const char *conninfo, const char *tracking_schema,
          struct odks_sync **sync)
{
    if (sync == NULL)
        return ODKS_E_USAGE;
    *sync = calloc(1, sizeof(**sync));
    if (*sync == NULL)
        return ODKS_E_OS;
    if (make_conf(*sync, conninfo, tracking_schema))
        (void) connect_anew(*sync);
    return odks_lib_leave(*sync);
}

void
odks_close(struct odks_sync *sync)
{
    if (sync == NULL)
        return;
    odks_db_close(sync->db);
    PQconninfoFree(sync->options);
    free(sync->keywords);
    free(sync->values);
    free(sync->schema);
    free(sync);
}
