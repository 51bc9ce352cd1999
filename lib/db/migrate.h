/* lib/db/migrate.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of the odk_sync_* tables, as numbered files that never change
 * once released (sql/migrations). odk_sync_schema remembers each number with
 * the checksum of its text.
 */
#ifndef ODKS_DB_MIGRATE_H
#define ODKS_DB_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/cleanup.h"

struct odks_db;
struct odks_err;

struct odks_migration {
    int version; /* from 1; 0 ends the table */
    const char *name;
    const char *text;
};

/*
 * Bring the tracking schema (made if missing) and the schema for form tables
 * to this program's version; *applied is the number of steps taken. One
 * transaction under an advisory lock: all steps or none.
 */
ODKS_MUST_CHECK bool odks_migrate(struct odks_db *db, const char *form_schema,
                                  int *applied, struct odks_err *err);

/* Have a further schema for form tables, in the caller's transaction. */
ODKS_MUST_CHECK bool odks_migrate_schema(struct odks_db *db, const char *name,
                                         struct odks_err *err);
void odks_migrate_print_schema(const char *name, FILE *out);

/* The SQL that odks_migrate() would run on an empty database, for a DBA. */
void odks_migrate_print(const char *tracking_schema, const char *form_schema,
                        FILE *out);

/*
 * In the caller's transaction: is the schema this program's? No (exit code
 * 78) when tables are missing, older, newer, or a checksum differs; the hint
 * says what to do.
 */
ODKS_MUST_CHECK bool odks_migrate_check(struct odks_db *db,
                                        struct odks_err *err);

#endif
