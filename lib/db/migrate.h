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
    const char *checksum; /* SHA-256 without the schema holes, hexadecimal */
};

/* Gets a line for each change that is about to be made. */
typedef void odks_migrate_tell(const char *what);

/*
 * Have the schemas for form tables (NULL-terminated), and bring the tracking
 * schema (made if missing) to this program's version; *applied is the number of
 * steps taken. Tables odk_sync_status and odk_sync_history of the Python
 * service become ours, with all that they hold. One transaction under an
 * advisory lock: all or nothing. 77 with the GRANT that helps, and 78 when
 * something of another kind is in the way, before anything is changed; 75 when
 * the tables are in use.
 */
ODKS_MUST_CHECK bool odks_migrate(struct odks_db *db,
                                  const char *const *form_schemas,
                                  odks_migrate_tell *tell, int *applied,
                                  struct odks_err *err);

/*
 * In the caller's transaction: tell what odks_migrate() would do, a line for
 * each change. True if that is nothing; else err says why: 78 when
 * there is something to do, or what odks_migrate() would fail with.
 */
ODKS_MUST_CHECK bool odks_migrate_plan(struct odks_db *db,
                                       const char *const *form_schemas,
                                       odks_migrate_tell *tell,
                                       struct odks_err *err);

/* The SQL that odks_migrate() would run, whatever it finds, for a DBA. */
ODKS_MUST_CHECK bool odks_migrate_print(const char *tracking_schema,
                                        const char *const *form_schemas,
                                        FILE *out, struct odks_err *err);

/*
 * In the caller's transaction: is the schema this program's? No (exit code
 * 78) when tables are missing, not adopted, older, newer, or a checksum
 * differs; the hint says what to do, and the transaction is over.
 */
ODKS_MUST_CHECK bool odks_migrate_check(struct odks_db *db,
                                        struct odks_err *err);

#endif
