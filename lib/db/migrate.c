/* lib/db/migrate.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/migrate.h"

#include <json-c/json.h>
#include <string.h>

#include "core/err.h"
#include "core/json.h"
#include "core/mem.h"
#include "db/db.h"
#include "sql/queries.h"

enum { FOUND_OURS, FOUND_OLD };                        /* schema_found.sql */
enum { VERSION_APPLIED, VERSION_KNOWN, VERSION_SAME }; /* schema_versions.sql */

/* This program's migrations as the parameter of schema_versions.sql. */
static char *
known_migrations(void)
{
    CLEANUP_JSON
    struct json_object *all = json_object_new_array();

    for (const struct odks_migration *m = odks_migrations; m->version != 0;
         m++) {
        struct json_object *one = json_object_new_array();

        (void) json_object_array_add(one, json_object_new_int(m->version));
        (void) json_object_array_add(one, json_object_new_string(m->text));
        (void) json_object_array_add(all, one);
    }
    return odks_xstrdup(
        json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN));
}

static PGresult *
versions(struct odks_db *db, struct odks_err *err)
{
    CLEANUP_FREE char *known = known_migrations();
    const char *const params[] = { known };

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

bool
odks_migrate_check(struct odks_db *db, struct odks_err *err)
{
    int missing = 0;

    CLEANUP_PGRESULT PGresult *res = versions(db, err);
    if (res == NULL) {
        if (strcmp(err->sqlstate, "42P01") == 0) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "there are no odk_sync_* tables in schema \"%s\"",
                         odks_db_tracking_schema(db));
            odks_err_hint(err, "Run \"odk-sync init\"; if they are there, the "
                               "role lacks USAGE on the schema.");
        }
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

/* IF NOT EXISTS would ask for the right to create even when it exists. */
bool
odks_migrate_schema(struct odks_db *db, const char *name, struct odks_err *err)
{
    const char *const params[] = { name };
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(512);

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_schema_exists, params, err);
    if (res == NULL)
        return false;
    if (odks_db_bool(res, 0, 0))
        return true;
    if (!odks_buf_add_str(&text, "CREATE SCHEMA ")
        || !odks_db_ident(db, name, &text)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "schema name too long");
        return false;
    }
    return odks_db_do(db, "create schema", text.data, err);
}

/* The first migration to apply, 0 for none. */
static bool
find_missing(struct odks_db *db, int *missing, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *found =
        odks_db_query(db, &odks_sql_schema_found, NULL, err);
    if (found == NULL)
        return false;
    if (odks_db_bool(found, 0, FOUND_OURS)) {
        CLEANUP_PGRESULT PGresult *res = versions(db, err);
        return res != NULL && compare(res, missing, err);
    }
    if (odks_db_bool(found, 0, FOUND_OLD)) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "schema \"%s\" has odk_sync_status or odk_sync_history "
                     "of another program; nothing was changed",
                     odks_db_tracking_schema(db));
        odks_err_hint(err, "Set tracking_schema in [database] to another "
                           "schema.");
        return false;
    }
    *missing = odks_migrations[0].version;
    return true;
}

static bool
apply(struct odks_db *db, const struct odks_migration *m, struct odks_err *err)
{
    char version[12];
    const char *const params[] = { version, m->name, m->text };

    (void) snprintf(version, sizeof(version), "%d", m->version);
    if (odks_db_do(db, m->name, m->text, err)) {
        CLEANUP_PGRESULT PGresult *res =
            odks_db_query(db, &odks_sql_schema_record, params, err);
        if (res != NULL)
            return true;
    }
    odks_err_context(err, "migration %04d_%s", m->version, m->name);
    return false;
}

static bool
migrate(struct odks_db *db, const char *form_schema, int *applied,
        struct odks_err *err)
{
    int missing = 0;

    CLEANUP_PGRESULT PGresult *lock =
        odks_db_query(db, &odks_sql_schema_lock, NULL, err);
    if (lock == NULL
        || !odks_migrate_schema(db, odks_db_tracking_schema(db), err)
        || !odks_migrate_schema(db, form_schema, err)
        || !find_missing(db, &missing, err))
        return false;
    for (const struct odks_migration *m = odks_migrations;
         missing != 0 && m->version != 0; m++) {
        if (m->version < missing)
            continue;
        if (!apply(db, m, err))
            return false;
        (*applied)++;
    }
    return true;
}

bool
odks_migrate(struct odks_db *db, const char *form_schema, int *applied,
             struct odks_err *err)
{
    int steps = 0;

    *applied = 0;
    if (!odks_db_begin(db, err))
        return false;
    if (!migrate(db, form_schema, &steps, err) || !odks_db_commit(db, err)) {
        odks_db_rollback(db);
        return false;
    }
    *applied = steps;
    return true;
}

/* Without a connection to quote for us. */
static void
print_ident(const char *name, FILE *out)
{
    (void) fputc('"', out);
    for (; *name != '\0'; name++) {
        if (*name == '"')
            (void) fputc('"', out);
        (void) fputc(*name, out);
    }
    (void) fputc('"', out);
}

void
odks_migrate_print_schema(const char *name, FILE *out)
{
    (void) fputs("CREATE SCHEMA IF NOT EXISTS ", out);
    print_ident(name, out);
    (void) fputs(";\n", out);
}

/* Each step is run from its own text, so that its checksum is that text's. */
void
odks_migrate_print(const char *tracking_schema, const char *form_schema,
                   FILE *out)
{
    (void) fputs("BEGIN;\n", out);
    odks_migrate_print_schema(tracking_schema, out);
    odks_migrate_print_schema(form_schema, out);
    (void) fputs("SET LOCAL search_path = ", out);
    print_ident(tracking_schema, out);
    (void) fputs(", pg_temp;\n", out);
    for (const struct odks_migration *m = odks_migrations; m->version != 0;
         m++) {
        (void) fprintf(out,
                       "\nDO $odks$\nDECLARE\n    step text := "
                       "$odks_step$%s$odks_step$;\nBEGIN\n    EXECUTE step;\n"
                       "    INSERT INTO odk_sync_schema (version, name, "
                       "checksum)\n    VALUES (%d, '%s',\n        "
                       "encode(sha256(convert_to(step, 'UTF8')), 'hex'));\n"
                       "END\n$odks$;\n",
                       m->text, m->version, m->name);
    }
    (void) fputs("\nCOMMIT;\n", out);
}
