/* lib/db/connect.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stop.h"
#include "db/fill.h"

/* Nothing in lib/db ends the process when memory is short: libodksync lives
 * in other people's. */

enum { CONNECT_TIMEOUT_S = 15, MAX_PARAMS = 64, NAME_TEXT = 128 };

/*
 * What a half-dead connection must not do to us: hang. keepalives_* end an
 * idle one, tcp_user_timeout one with data in flight.
 */
static const char *const defaults[][2] = {
    { "connect_timeout", "10" },
    { "keepalives_idle", "5" },
    { "keepalives_interval", "2" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "10000" },
    { "client_encoding", "UTF8" },
    { "fallback_application_name", "odk-sync" },
};

/* Does the configuration say anything of this keyword? */
static bool
is_set(const struct odks_db_conf *conf, const char *keyword)
{
    for (size_t i = 0; conf->keywords[i] != NULL; i++) {
        if (strcmp(conf->keywords[i], keyword) == 0)
            return true;
    }
    return false;
}

static PGconn *
start(const struct odks_db_conf *conf)
{
    const char *keywords[MAX_PARAMS + 1] = { NULL };
    const char *values[MAX_PARAMS + 1] = { NULL };
    char name[NAME_TEXT];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        if (is_set(conf, defaults[i][0]))
            continue;
        keywords[n] = defaults[i][0];
        values[n++] = defaults[i][1];
    }
    (void) snprintf(name, sizeof(name), "odk-sync/%s",
                    conf->instance != NULL ? conf->instance : "");
    if (!is_set(conf, "application_name")) {
        keywords[n] = "application_name";
        values[n++] = name;
    }
    for (size_t i = 0; conf->keywords[i] != NULL && n < MAX_PARAMS; i++) {
        keywords[n] = conf->keywords[i];
        values[n++] = conf->values[i];
    }
    return PQconnectStartParams(keywords, values, 0);
}

/* Wait for what libpq asks for; false when it takes too long. */
static bool
wait_for(PGconn *conn, PostgresPollingStatusType want,
         struct odks_deadline until, struct odks_err *err)
{
    struct pollfd fd = { .fd = PQsocket(conn),
                         .events =
                             want == PGRES_POLLING_READING ? POLLIN : POLLOUT };

    switch (odks_wait(&fd, 1, until)) {
    case ODKS_WAIT_READY:
        return true;
    case ODKS_WAIT_STOPPED:
        odks_stop_err(err);
        return false;
    default:
        odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                     "cannot connect to the database: no answer in %d s",
                     CONNECT_TIMEOUT_S);
        odks_err_hint(err, "Check host and port in [database], and the "
                           "firewall between.");
        return false;
    }
}

static bool
finish_connecting(PGconn *conn, struct odks_err *err)
{
    struct odks_deadline until = odks_deadline_in(CONNECT_TIMEOUT_S * 1000);
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;

    if (conn == NULL) {
        odks_err_set(err, ODKS_EXIT_OS, "libpq: out of memory");
        return false;
    }
    /* the only way to see the SQLSTATE of a refused login */
    (void) PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    while (PQstatus(conn) != CONNECTION_BAD) {
        if (!wait_for(conn, want, until, err))
            return false;
        want = PQconnectPoll(conn);
        if (want == PGRES_POLLING_OK) {
            (void) PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
            return true;
        }
        if (want == PGRES_POLLING_FAILED)
            break;
    }
    odks_db_connect_err(conn, err);
    return false;
}

/* Notices go nowhere by default: cron would mail them. */
static void
drop_notice(void *arg, const PGresult *res)
{
    (void) arg;
    (void) res;
}

/*
 * The settings that change what our SQL means or what it prints. The server,
 * the database, the role or an earlier user of a pooled session may have set
 * any of them, so every transaction sets all of them. Settings that are not
 * here cannot change a result (the planner's, those of notices, lc_*), or make
 * a statement fail with a clear message (default_transaction_read_only,
 * row_security).
 */
#define BEGIN_TEXT "BEGIN ISOLATION LEVEL READ COMMITTED;"
static const char pinned[] =
    " SET LOCAL client_encoding = 'UTF8';"
    " SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY';"
    " SET LOCAL intervalstyle = 'postgres';"
    " SET LOCAL standard_conforming_strings = on;"
    " SET LOCAL quote_all_identifiers = off;"
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL array_nulls = on; SET LOCAL transform_null_equals = off;";

/*
 * The settings of a transaction and the BEGIN before them, in one text.
 *
 * PostgreSQL takes the function or operator that matches best, from whichever
 * schema of search_path: so there is none in it where another role may create
 * one. pg_temp is never searched for them; it is named so that temporary tables
 * do not come before the catalogs.
 */
static bool
make_begin(struct odks_db *db, struct odks_err *err)
{
    if (!odks_fill_fits(db->conf->tracking_schema, err))
        return false;
    int len = asprintf(
        &db->begin,
        BEGIN_TEXT
        " SET LOCAL search_path = pg_catalog, pg_temp;%s"
        " SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '%us';"
        " SET LOCAL idle_in_transaction_session_timeout = '60s'%s",
        pinned, db->conf->statement_timeout_s,
        PQserverVersion(db->conn) >= 170000
            ? "; SET LOCAL transaction_timeout = 0"
            : "");

    if (len < 0) {
        db->begin = NULL;
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    return true;
}

/*
 * Without a pooler, tell the server to notice soon that we are gone, so that
 * our advisory lock is free for the next run, and not to end the session while
 * we wait for Central or for a program: the role may have a limit for that. One
 * row: the process that answered.
 */
static PGresult *
set_session(struct odks_db *db, struct odks_err *err)
{
    char text[768];

    (void) snprintf(
        text, sizeof(text),
        "SELECT pg_catalog.pg_backend_pid(),"
        " pg_catalog.count(pg_catalog.set_config(n, v, false)) FROM (VALUES"
        " ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'),"
        " ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '10000')%s"
        ") AS s (n, v)"
        " WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %d",
        PQserverVersion(db->conn) >= 140000
            ? ", ('client_connection_check_interval', '1000'),"
              " ('idle_session_timeout', '0')"
            : "",
        PQbackendPID(db->conn));
    return odks_db_exec(db, "session", text, 0, NULL, err);
}

/* A pooler answers the key exchange with a process number of its own. */
static bool
meet_server(struct odks_db *db, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = set_session(db, err);

    if (res == NULL)
        return false;
    db->pooled = odks_db_int64(res, 0, 0) != PQbackendPID(db->conn);
    return true;
}

bool
odks_db_reset(struct odks_db *db, struct odks_err *err)
{
    static const char reset[] = "RESET SESSION AUTHORIZATION; RESET ROLE;"
                                " RESET ALL";

    assert(PQtransactionStatus(db->conn) == PQTRANS_INTRANS);
    if (!odks_db_do(db, "reset", reset, err))
        return false;
    CLEANUP_PGRESULT PGresult *res = set_session(db, err);
    return res != NULL
           && odks_db_do(db, "settings", db->begin + strlen(BEGIN_TEXT), err);
}

bool
odks_db_connect(const struct odks_db_conf *conf, struct odks_db **db,
                struct odks_err *err)
{
    *db = NULL;
    PGconn *conn = start(conf);
    if (!finish_connecting(conn, err)) {
        PQfinish(conn);
        return false;
    }
    if (PQsetnonblocking(conn, 1) != 0) {
        odks_err_set(err, ODKS_EXIT_OS, "libpq: cannot go non-blocking");
        PQfinish(conn);
        return false;
    }
    (void) PQsetNoticeReceiver(conn, drop_notice, NULL);

    CLEANUP_DB struct odks_db *new = calloc(1, sizeof(*new));
    if (new == NULL) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        PQfinish(conn);
        return false;
    }
    new->conn = conn;
    new->conf = conf;
    new->limit_s = conf->statement_timeout_s;
    if (!make_begin(new, err) || !meet_server(new, err))
        return false;
    *db = odks_steal(&new);
    return true;
}

bool
odks_db_reconnect(struct odks_db *db, struct odks_err *err)
{
    struct odks_db *new, old = *db;

    if (odks_db_alive(db))
        return true;
    if (!odks_db_connect(db->conf, &new, err))
        return false;
    *db = *new;
    *new = old;
    odks_db_close(new);
    return true;
}

void
odks_db_close(struct odks_db *db)
{
    if (db == NULL)
        return;
    PQfinish(db->conn);
    free(db->begin);
    free(db);
}
