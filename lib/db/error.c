/* lib/db/error.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

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
      "Run \"odk-sync doctor\": it prints the right that is missing, and the "
      "statement that grants it." },
    { "3D000", ODKS_EXIT_CONFIG, "Check dbname in [database]." },
    { "3F000", ODKS_EXIT_CONFIG,
      "Run \"odk-sync init\" as a role that may create the schema." },
    { "0A000", ODKS_EXIT_CONFIG,
      "Run \"odk-sync doctor\": it names what stands in the way, such as row "
      "level security." },
    { "42P01", ODKS_EXIT_CONFIG, "Run \"odk-sync init\"." },
    { "42703", ODKS_EXIT_CONFIG, "Run \"odk-sync init --check\"." },
    { "42883", ODKS_EXIT_CONFIG, "Run \"odk-sync init --check\"." },
    { "42725", ODKS_EXIT_CONFIG,
      "Another role has made a function of that name in the tracking schema: "
      "\"odk-sync doctor\" names it." },
    { "42P10", ODKS_EXIT_CONFIG,
      "Run \"odk-sync doctor\": it names the primary key or unique index "
      "that is missing." },
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
      "Connect to the primary; \"odk-sync doctor\" tells why the server is "
      "read-only." },
    { "25P03", ODKS_EXIT_TEMPFAIL, NULL },
    { "22P05", ODKS_EXIT_CONFIG,
      "The database is not in UTF8, and cannot hold that "
      "character: see \"odk-sync doctor\"." },
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

void
odks_db_set_err(struct odks_err *err, const char *sqlstate, const char *message)
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

/*
 * The name in a line of PG_DIAG_CONTEXT that tells of a function, as in
 * "PL/pgSQL function audit() line 3 at RAISE" or "SQL function "f" statement
 * 1"; its length, 0 for none.
 */
static size_t
find_routine(const char *line, size_t len, const char **name)
{
    static const char word[] = " function ";
    const char *at = memmem(line, len, word, sizeof(word) - 1);
    size_t before = at != NULL ? (size_t) (at - line) : 0;

    /* the language is one word: what else quotes may hold anything */
    if (at == NULL || memchr(line, ' ', before) != NULL)
        return 0;
    *name = at + sizeof(word) - 1;
    len -= before + sizeof(word) - 1;
    if (len > 0 && **name == '"') {
        (*name)++;
        const char *end = memchr(*name, '"', len - 1);
        return end != NULL ? (size_t) (end - *name) : 0;
    }
    const char *end = memmem(*name, len, ") line ", 7);
    if (end != NULL)
        return (size_t) (end - *name) + 1;
    return strncmp(*name, "inline_code_block", len) == 0 ? 0 : len;
}

/*
 * The function in which it failed, if it is not part of odk-sync. The context
 * begins with the innermost one: that of a trigger comes last.
 */
static void
take_routine(const PGresult *res, struct odks_err *err)
{
    const char *line = PQresultErrorField(res, PG_DIAG_CONTEXT);

    while (line != NULL && *line != '\0') {
        size_t len = strcspn(line, "\n");
        const char *name = NULL;
        size_t n = find_routine(line, len, &name);

        if (n > 0 && memmem(name, n, "odk_sync_", 9) != NULL)
            break;
        if (n > 0)
            odks_utf8_format(err->routine, sizeof(err->routine), "%.*s",
                             (int) n, name);
        line += len + (line[len] == '\n');
    }
}

/* Whose mistake it is: the hints of states are about ours. */
static void
blame_routine(struct odks_err *err)
{
    /* no such table, function, operator or type: not in our path */
    if (strcmp(err->sqlstate, "42P01") == 0
        || strcmp(err->sqlstate, "42883") == 0
        || strcmp(err->sqlstate, "42704") == 0)
        odks_err_hint(err,
                      "Function %s is not part of odk-sync, and runs with "
                      "search_path = pg_catalog: name schemas in it, or ALTER "
                      "FUNCTION %s SET search_path = public, pg_temp;",
                      err->routine, err->routine);
    else
        odks_err_hint(
            err,
            "Function %s is not part of odk-sync: correct it, or drop the "
            "trigger that calls it; \"odk-sync doctor\" lists the "
            "triggers.",
            err->routine);
    if (err->code == ODKS_EXIT_SOFTWARE)
        err->code = err->raised ? ODKS_EXIT_DATA : ODKS_EXIT_CONFIG;
}

static void
copy_field(const PGresult *res, int field, char name[64])
{
    const char *said = PQresultErrorField(res, field);

    odks_utf8_format(name, 64, "%s", said != NULL ? said : "");
}

/* A function that raises an error may put anything there. */
static void
name_objects(const PGresult *res, struct odks_err *err)
{
    if (err->raised)
        return;
    copy_field(res, PG_DIAG_TABLE_NAME, err->table);
    copy_field(res, PG_DIAG_COLUMN_NAME, err->column);
    copy_field(res, PG_DIAG_CONSTRAINT_NAME, err->constraint);
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

        odks_db_set_err(err, "", "the connection to the database was lost");
        /* behind its first line there may be the row of a COPY */
        odks_err_detail(err, "%s: %.*s", name, (int) strcspn(said, "\n"), said);
        return;
    }
    odks_db_set_err(err, state, primary);
    err->raised = is_raised(res);
    take_routine(res, err);
    if (err->routine[0] != '\0' && !odks_err_is_temporary(err))
        blame_routine(err);
    name_objects(res, err);
    /* DETAIL may quote a row: values of submissions stay out of messages */
    int line = line_of(res);
    if (line > 0)
        odks_err_detail(err, "SQLSTATE %s in %s, line %d", state, name, line);
    else
        odks_err_detail(err, "SQLSTATE %s in %s", state, name);
}

/* PostgreSQL's own words have values in class 22; a trigger's in any. */
void
odks_db_hide_values(struct odks_err *err)
{
    const struct odks_err said = *err;
    bool theirs = said.raised || said.routine[0] != '\0';

    if (strncmp(said.sqlstate, "22", 2) != 0 && !theirs)
        return;
    odks_err_set(
        err, said.code == ODKS_EXIT_SOFTWARE ? ODKS_EXIT_DATA : said.code, "%s",
        theirs
            ? "a trigger or function that is not part of odk-sync refuses a row"
            : "PostgreSQL refuses a value");
    odks_err_detail(err, "SQLSTATE %s", said.sqlstate);
    if (said.raised && said.routine[0] == '\0')
        odks_err_hint(err, "The log of the database server has its words.");
    else
        odks_err_hint(err, "%s", said.hint);
    memcpy(err->sqlstate, said.sqlstate, sizeof(err->sqlstate));
    memcpy(err->routine, said.routine, sizeof(err->routine));
    memcpy(err->table, said.table, sizeof(err->table));
    memcpy(err->column, said.column, sizeof(err->column));
    memcpy(err->constraint, said.constraint, sizeof(err->constraint));
    err->raised = said.raised;
}
