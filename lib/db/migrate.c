/* lib/db/migrate.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/migrate.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "db/db.h"
#include "sql/queries.h"

enum { FOUND_OURS, FOUND_OLD };                        /* schema_found.sql */
enum { VERSION_APPLIED, VERSION_KNOWN, VERSION_SAME }; /* schema_versions.sql */
/* schema_plan.sql, schema_adopt.sql */
enum { PLAN_REFUSAL, PLAN_WORDS, PLAN_STATEMENT };

/* What is to be done before the steps, and the first step (0: none). */
struct plan {
    PGresult *schemas, *adoption;
    int missing;
};

static void
plan_clear(struct plan *plan)
{
    PQclear(plan->schemas);
    PQclear(plan->adoption);
    *plan = (struct plan){ 0 };
}
#define CLEANUP_PLAN CLEANUP(plan_clear)

enum {
    LIST_MAX = 1 << 20, /* bytes of an array literal */
    STEP_TEXT = 80      /* bytes for what is told of a step */
};

/* A field of an array literal, in quotes. */
static bool
add_quoted(struct odks_buf *b, const char *s)
{
    bool ok = odks_buf_add_char(b, '"');

    while (ok && *s != '\0') {
        size_t plain = strcspn(s, "\"\\");

        ok = odks_buf_add(b, s, plain);
        s += plain;
        if (*s != '\0')
            ok = ok && odks_buf_add_char(b, '\\') && odks_buf_add_char(b, *s++);
    }
    return ok && odks_buf_add_char(b, '"');
}

/* This program's migrations as the parameters of schema_versions.sql. */
static bool
known_migrations(struct odks_buf *numbers, struct odks_buf *checksums)
{
    bool ok = true;

    for (const struct odks_migration *m = odks_migrations; m->version != 0;
         m++) {
        char between = m == odks_migrations ? '{' : ',';

        ok = ok && odks_buf_printf(numbers, "%c%d", between, m->version)
             && odks_buf_printf(checksums, "%c%s", between, m->checksum);
    }
    return ok && odks_buf_add_char(numbers, '}')
           && odks_buf_add_char(checksums, '}');
}

static PGresult *
versions(struct odks_db *db, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf numbers = ODKS_BUF_INIT(LIST_MAX);
    CLEANUP_BUF struct odks_buf checksums = ODKS_BUF_INIT(LIST_MAX);

    if (!known_migrations(&numbers, &checksums)) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return NULL;
    }
    const char *const params[] = { numbers.data, checksums.data };

    return odks_db_query(db, &odks_sql_schema_versions, params, err);
}

/*
 * Is every step that the database has one of ours, unchanged? *missing is the
 * first of ours that it has not, 0 if it has all.
 */
static bool
compare(const PGresult *res, int *missing, struct odks_err *err)
{
    *missing = 0;
    for (int row = 0; row < PQntuples(res); row++) {
        const char *applied = odks_db_text(res, row, VERSION_APPLIED);

        if (odks_db_text(res, row, VERSION_KNOWN) == NULL) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "this program is older than the database: it does "
                         "not know version %s of the odk_sync_* tables",
                         applied);
            odks_err_hint(err, "Install the newer odk-sync here too.");
            return false;
        }
        if (applied == NULL) {
            if (*missing == 0)
                *missing = (int) odks_db_int64(res, row, VERSION_KNOWN);
        } else if (*missing != 0) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "version %s of the odk_sync_* tables was applied "
                         "without version %d before it",
                         applied, *missing);
            odks_err_hint(err, "Compare odk_sync_schema with the output of "
                               "\"odk-sync init --print\".");
            return false;
        } else if (!odks_db_bool(res, row, VERSION_SAME)) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "version %s of the odk_sync_* tables is not the one "
                         "of this program: its checksum differs",
                         applied);
            odks_err_hint(err, "Use the odk-sync that made the tables, or a "
                               "released one.");
            return false;
        }
    }
    return true;
}

/* There is no odk_sync_schema; in a transaction of its own: why? */
static void
explain_absence(struct odks_db *db, struct odks_err *err)
{
    const char *schema = odks_db_tracking_schema(db);

    odks_db_rollback(db);
    odks_err_clear(err);
    if (!odks_db_begin(db, err))
        return;
    CLEANUP_PGRESULT PGresult *found =
        odks_db_query(db, &odks_sql_schema_found, NULL, err);
    if (found == NULL)
        return;
    if (odks_db_bool(found, 0, FOUND_OLD)) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "schema \"%s\" has odk_sync_status or odk_sync_history "
                     "of another program, not adopted yet",
                     schema);
        odks_err_hint(err, "Run \"odk-sync init\"; \"odk-sync init --check\" "
                           "says what it would do.");
        return;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "there are no odk_sync_* tables in schema \"%s\"", schema);
    odks_err_hint(err, "Run \"odk-sync init\"; if they are there, the role "
                       "lacks USAGE on the schema.");
}

bool
odks_migrate_check(struct odks_db *db, struct odks_err *err)
{
    int missing = 0;

    CLEANUP_PGRESULT PGresult *res = versions(db, err);
    if (res == NULL) {
        if (strcmp(err->sqlstate, "42P01") == 0)
            explain_absence(db, err);
        return false;
    }
    if (!compare(res, &missing, err))
        return false;
    if (missing == 0)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "the odk_sync_* tables are older than this program: version "
                 "%d is missing",
                 missing);
    odks_err_hint(err, "Run \"odk-sync init\".");
    return false;
}

/* The first migration to apply, 0 for none. */
static bool
find_missing(struct odks_db *db, int *missing, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *found =
        odks_db_query(db, &odks_sql_schema_found, NULL, err);
    if (found == NULL)
        return false;
    if (!odks_db_bool(found, 0, FOUND_OURS)) {
        *missing = odks_migrations[0].version;
        return true;
    }
    CLEANUP_PGRESULT PGresult *res = versions(db, err);
    return res != NULL && compare(res, missing, err);
}

/* A refusal comes first, if there is one. */
static bool
is_refused(const PGresult *res, struct odks_err *err)
{
    const char *state =
        PQntuples(res) > 0 ? odks_db_text(res, 0, PLAN_REFUSAL) : NULL;

    if (state == NULL)
        return false;
    odks_err_set(
        err, strcmp(state, "42501") == 0 ? ODKS_EXIT_NOPERM : ODKS_EXIT_CONFIG,
        "%s", odks_db_text(res, 0, PLAN_WORDS));
    odks_err_hint(err, "%s", odks_db_text(res, 0, PLAN_STATEMENT));
    return true;
}

static bool
make_plan(struct odks_db *db, const char *const *form_schemas,
          struct plan *plan, struct odks_err *err)
{
    if (!find_missing(db, &plan->missing, err))
        return false;

    CLEANUP_BUF struct odks_buf schemas = ODKS_BUF_INIT(LIST_MAX);
    bool ok = odks_buf_add_char(&schemas, '{');

    for (size_t i = 0; form_schemas[i] != NULL; i++)
        ok = ok && (i == 0 || odks_buf_add_char(&schemas, ','))
             && add_quoted(&schemas, form_schemas[i]);
    if (!ok || !odks_buf_add_char(&schemas, '}')) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    const char *const params[] = { odks_db_tracking_schema(db), schemas.data,
                                   plan->missing != 0 ? "t" : "f" };
    plan->schemas = odks_db_query(db, &odks_sql_schema_plan, params, err);
    if (plan->schemas == NULL)
        return false;
    plan->adoption = odks_db_query(db, &odks_sql_schema_adopt, NULL, err);
    return plan->adoption != NULL;
}

static bool
carry_out(struct odks_db *db, const PGresult *res, odks_migrate_tell *tell,
          struct odks_err *err)
{
    for (int row = 0; row < PQntuples(res); row++) {
        const char *words = odks_db_text(res, row, PLAN_WORDS);

        if (words != NULL && tell != NULL)
            tell(words);
        if (!odks_db_do(db, "init", odks_db_text(res, row, PLAN_STATEMENT),
                        err)) {
            if (words != NULL)
                odks_err_context(err, "%s", words);
            return false;
        }
    }
    return true;
}

/* What the server says of these is not what a person has to know. */
static bool
adopt(struct odks_db *db, const PGresult *adoption, odks_migrate_tell *tell,
      struct odks_err *err)
{
    if (carry_out(db, adoption, tell, err))
        return true;
    if (strcmp(err->sqlstate, "55P03") == 0
        || strcmp(err->sqlstate, "40P01") == 0) {
        odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                     "odk_sync_status or odk_sync_history is in use; nothing "
                     "was changed");
        odks_err_hint(err, "Try again, or stop the old service for a moment; "
                           "pg_locks shows who holds them.");
    } else if (strncmp(err->sqlstate, "23", 2) == 0) {
        err->code = ODKS_EXIT_CONFIG;
        odks_err_hint(err, "Mend the rows that are in the way; nothing was "
                           "changed.");
    } else if (strcmp(err->sqlstate, "0A000") == 0) {
        err->code = ODKS_EXIT_CONFIG;
        odks_err_hint(err, "Take away what uses the column, and make it again "
                           "afterwards; nothing was changed.");
    }
    return false;
}

static bool
apply(struct odks_db *db, const struct odks_migration *m, struct odks_err *err)
{
    char version[12];
    const char *const params[] = { version, m->name, m->checksum };

    (void) snprintf(version, sizeof(version), "%d", m->version);
    if (odks_db_do(db, m->name, m->text, err)) {
        CLEANUP_PGRESULT PGresult *res =
            odks_db_query(db, &odks_sql_schema_record, params, err);
        if (res != NULL)
            return true;
    }
    /* 42P07, 42710, 42723: of a table or view, a trigger, a function */
    if (strcmp(err->sqlstate, "42P07") == 0
        || strcmp(err->sqlstate, "42710") == 0
        || strcmp(err->sqlstate, "42723") == 0) {
        err->code = ODKS_EXIT_CONFIG;
        odks_err_hint(err, "Rename what is there, or set tracking_schema in "
                           "[database] to another schema; nothing was "
                           "changed.");
    }
    odks_err_context(err, "migration %04d_%s", m->version, m->name);
    return false;
}

static bool
migrate(struct odks_db *db, const char *const *form_schemas,
        odks_migrate_tell *tell, int *applied, struct odks_err *err)
{
    CLEANUP_PLAN struct plan plan = { 0 };

    CLEANUP_PGRESULT PGresult *lock =
        odks_db_query(db, &odks_sql_schema_lock, NULL, err);
    if (lock == NULL || !make_plan(db, form_schemas, &plan, err)
        || is_refused(plan.schemas, err) || is_refused(plan.adoption, err)
        || !carry_out(db, plan.schemas, tell, err)
        || !adopt(db, plan.adoption, tell, err))
        return false;
    for (const struct odks_migration *m = odks_migrations;
         plan.missing != 0 && m->version != 0; m++) {
        if (m->version < plan.missing)
            continue;
        if (!apply(db, m, err))
            return false;
        (*applied)++;
    }
    return true;
}

bool
odks_migrate(struct odks_db *db, const char *const *form_schemas,
             odks_migrate_tell *tell, int *applied, struct odks_err *err)
{
    int steps = 0;

    *applied = 0;
    if (!odks_db_begin(db, err))
        return false;
    if (!migrate(db, form_schemas, tell, &steps, err)
        || !odks_db_commit(db, err)) {
        odks_db_rollback(db);
        return false;
    }
    *applied = steps;
    return true;
}

/* Tell what is to be done; how many lines that were. */
static int
tell_words(const PGresult *res, odks_migrate_tell *tell)
{
    int lines = 0;

    for (int row = 0; row < PQntuples(res); row++) {
        const char *words = odks_db_text(res, row, PLAN_WORDS);

        if (words == NULL || odks_db_text(res, row, PLAN_REFUSAL) != NULL)
            continue;
        tell(words);
        lines++;
    }
    return lines;
}

bool
odks_migrate_plan(struct odks_db *db, const char *const *form_schemas,
                  odks_migrate_tell *tell, struct odks_err *err)
{
    CLEANUP_PLAN struct plan plan = { 0 };

    if (!make_plan(db, form_schemas, &plan, err))
        return false;
    int lines = tell_words(plan.schemas, tell);
    lines += tell_words(plan.adoption, tell);
    for (const struct odks_migration *m = odks_migrations;
         plan.missing != 0 && m->version != 0; m++) {
        char text[STEP_TEXT];

        if (m->version < plan.missing)
            continue;
        (void) snprintf(text, sizeof(text), "apply %04d_%s", m->version,
                        m->name);
        tell(text);
    }
    if (is_refused(plan.schemas, err) || is_refused(plan.adoption, err)
        || !odks_migrate_check(db, err))
        return false;
    if (lines == 0)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "a schema for form tables is missing");
    odks_err_hint(err, "Run \"odk-sync init\".");
    return false;
}
