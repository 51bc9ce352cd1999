/* lib/db/error.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/limit.h"

/* The first prefix that fits decides. */
static const struct {
    const char *prefix;
    enum odks_exit code;
    const char *hint; /* NULL: none */
} states[] = {
    { "28P01", ODKS_EXIT_NOPERM,
      "Check user and password_file in [database]." },
    { "28", ODKS_EXIT_NOPERM,
      "Check user in [database], and pg_hba.conf on the server." },
    { "42501", ODKS_EXIT_NOPERM,
      "Run \"odk-sync doctor\": it prints the GRANT that is missing." },
    { "3D000", ODKS_EXIT_CONFIG, "Check dbname in [database]." },
    { "3F000", ODKS_EXIT_CONFIG,
      "Run \"odk-sync init\" as a role that may create the schema." },
    { "42P01", ODKS_EXIT_CONFIG, "Run \"odk-sync init\"." },
    { "42703", ODKS_EXIT_CONFIG, "Run \"odk-sync init --check\"." },
    { "42883", ODKS_EXIT_CONFIG, "Run \"odk-sync init --check\"." },
    { "53100", ODKS_EXIT_TEMPFAIL,
      "The database server's disk is full: make room there." },
    { "53300", ODKS_EXIT_TEMPFAIL,
      "Raise max_connections or the role's connection limit." },
    { "53", ODKS_EXIT_TEMPFAIL, NULL },
    { "08", ODKS_EXIT_TEMPFAIL, NULL },
    { "40", ODKS_EXIT_TEMPFAIL, NULL },
    { "55P03", ODKS_EXIT_TEMPFAIL,
      "Another session holds a lock; see pg_locks." },
    { "55006", ODKS_EXIT_TEMPFAIL, NULL },
    { "57014", ODKS_EXIT_TEMPFAIL,
      "Raise statement_timeout in [database] if the data needs longer." },
    { "57", ODKS_EXIT_TEMPFAIL, NULL },
    { "58", ODKS_EXIT_TEMPFAIL, NULL },
    { "25006", ODKS_EXIT_TEMPFAIL,
      "The server is read-only: connect to the primary." },
    { "25P03", ODKS_EXIT_TEMPFAIL, NULL },
    { "22", ODKS_EXIT_DATA, NULL },
    { "23", ODKS_EXIT_DATA, NULL },
    { "54", ODKS_EXIT_DATA, NULL },
    { "XX", ODKS_EXIT_TEMPFAIL, "See the log of the database server." },
};

static size_t
find_state(const char *sqlstate)
{
    size_t i;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(sqlstate, states[i].prefix, strlen(states[i].prefix)) == 0)
            break;
    }
    return i;
}

enum odks_exit
odks_db_exit_code(const char *sqlstate)
{
    if (sqlstate[0] == '\0')
        return ODKS_EXIT_TEMPFAIL;
    size_t i = find_state(sqlstate);
    return i < sizeof(states) / sizeof(states[0]) ? states[i].code
                                                  : ODKS_EXIT_SOFTWARE;
}

static void
set(struct odks_err *err, const char *sqlstate, const char *message)
{
    odks_err_set(err, odks_db_exit_code(sqlstate), "%s", message);
    (void) snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    size_t i = find_state(sqlstate);
    if (i < sizeof(states) / sizeof(states[0]) && states[i].hint != NULL)
        odks_err_hint(err, "%s", states[i].hint);
}

/* In which line of SQL that was handed to EXECUTE; 0: it does not say. */
static int
line_of(const PGresult *res)
{
    const char *text = PQresultErrorField(res, PG_DIAG_INTERNAL_QUERY);
    const char *at = PQresultErrorField(res, PG_DIAG_INTERNAL_POSITION);
    int line = 1;

    if (text == NULL || at == NULL)
        return 0;
    /* counted in characters */
    for (long n = strtol(at, NULL, 10); n > 1 && *text != '\0'; n--) {
        line += *text == '\n';
        do
            text++;
        while (((unsigned char) *text & 0xc0) == 0x80);
    }
    return line;
}

/* By RAISE or its like: the source files of the procedural languages. */
static bool
is_raised(const PGresult *res)
{
    static const char *const files[] = { "pl_", "plpy", "plperl", "pltcl" };
    const char *file = PQresultErrorField(res, PG_DIAG_SOURCE_FILE);

    for (size_t i = 0; file != NULL && i < sizeof(files) / sizeof(files[0]);
         i++) {
        if (strncmp(file, files[i], strlen(files[i])) == 0)
            return true;
    }
    return false;
}

void
odks_db_result_err(const struct odks_db *db, const PGresult *res,
                   const char *name, struct odks_err *err)
{
    const char *state =
        res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *primary =
        res != NULL ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (state == NULL || primary == NULL) {
        const char *said = PQerrorMessage(db->conn);

        set(err, "", "the connection to the database was lost");
        /* behind its first line there may be the row of a COPY */
        odks_err_detail(err, "%s: %.*s", name, (int) strcspn(said, "\n"), said);
        return;
    }
    set(err, state, primary);
    err->raised = is_raised(res);
    /* DETAIL may quote a row: values of submissions stay out of messages */
    int line = line_of(res);
    if (line > 0)
        odks_err_detail(err, "SQLSTATE %s in %s, line %d", state, name, line);
    else
        odks_err_detail(err, "SQLSTATE %s in %s", state, name);
}

/* PQERRORS_VERBOSE prints "FATAL:  28P01: password ..."; else "". */
static void
state_in_text(const char *text, char state[6])
{
    state[0] = '\0';
    for (const char *p = strstr(text, ":  "); p != NULL;
         p = strstr(p + 1, ":  ")) {
        const char *code = p + 3;
        size_t n = 0;

        while (n < 5
               && (isupper((unsigned char) code[n])
                   || isdigit((unsigned char) code[n])))
            n++;
        if (n == 5 && code[5] == ':') {
            memcpy(state, code, 5);
            state[5] = '\0';
            return;
        }
    }
}

void
odks_db_connect_err(PGconn *conn, struct odks_err *err)
{
    const char *said = PQerrorMessage(conn);
    const char *last = "no answer";
    char state[6];

    state_in_text(said, state);
    if (state[0] != '\0')
        last = strstr(said, state) + 7;
    else if (said[0] != '\0')
        last = said;
    set(err, state, "");
    /* the lines behind the first are LOCATION and what other hosts said */
    (void) snprintf(err->message, sizeof(err->message),
                    "cannot connect to the database: %.*s",
                    (int) strcspn(last, "\n"), last);
    if (state[0] == '\0' && odks_limit_near(err)) {
        odks_err_context(err, "cannot connect to the database");
        return;
    }
    if (PQconnectionNeedsPassword(conn)) {
        err->code = ODKS_EXIT_NOPERM;
        odks_err_hint(err, "Give password_file in [database], or ~/.pgpass.");
    }
    if (state[0] != '\0')
        odks_err_detail(err, "SQLSTATE %s", state);
    else if (err->hint[0] == '\0')
        odks_err_hint(err, "Check host and port in [database], and that the "
                           "server runs.");
}

/* PostgreSQL's own words have values in class 22; a trigger's in any. */
void
odks_db_hide_values(struct odks_err *err)
{
    const struct odks_err said = *err;

    if (strncmp(said.sqlstate, "22", 2) != 0 && !said.raised)
        return;
    odks_err_set(
        err, said.code == ODKS_EXIT_SOFTWARE ? ODKS_EXIT_DATA : said.code, "%s",
        said.raised ? "a trigger or function that is not of odk-sync "
                      "refuses a row"
                    : "PostgreSQL refuses a value");
    odks_err_detail(err, "SQLSTATE %s", said.sqlstate);
    if (said.raised)
        odks_err_hint(err, "The log of the database server has its words.");
    memcpy(err->sqlstate, said.sqlstate, sizeof(err->sqlstate));
    err->raised = said.raised;
}
