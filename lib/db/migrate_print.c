/* lib/db/migrate_print.c - SPDX-License-Identifier: Apache-2.0 */
/* The migrations as a script for a DBA. libodksync does not contain this file,
 * because the library prints nothing. */
#include <config.h>

#include "core/safe.h"
#include "db/fill.h"
#include "db/migrate.h"
#include "sql/queries.h"

enum { PRINT_MAX = 16 << 20 }; /* bytes */

static bool
add_schema(struct odks_buf *b, const char *name)
{
    return odks_buf_add_str(b, "CREATE SCHEMA IF NOT EXISTS ")
           && odks_fill_quote(b, name, '"') && odks_buf_add_str(b, ";\n");
}

/* Only if it is not there yet. */
static bool
add_step(struct odks_buf *b, const struct odks_migration *m)
{
    return odks_buf_printf(
        b,
        "\nDO $odks$\nDECLARE\n    step text := "
        "$odks_step$%s$odks_step$;\n    sum text := '%s';\n"
        "    known text;\nBEGIN\n"
        "    IF EXISTS (SELECT FROM pg_class c\n"
        "            JOIN pg_namespace n ON n.oid = c.relnamespace\n"
        "            WHERE n.nspname = {schema_name}\n"
        "                AND c.relname = 'odk_sync_schema') THEN\n"
        "        SELECT checksum INTO known FROM {schema}.odk_sync_schema\n"
        "        WHERE version = %d;\n    END IF;\n"
        "    IF known IS NULL THEN\n        EXECUTE step;\n"
        "        INSERT INTO {schema}.odk_sync_schema (version, name, "
        "checksum)\n        VALUES (%d, '%s', sum);\n"
        "    ELSIF known <> sum THEN\n"
        "        RAISE EXCEPTION 'version %d of the odk_sync_* "
        "tables is of another odk-sync: its checksum differs';\n"
        "    END IF;\nEND\n$odks$;\n",
        m->text, m->checksum, m->version, m->version, m->name, m->version);
}

static bool
add_adoption(struct odks_buf *b)
{
    return odks_buf_printf(b,
                           "\nDO $odks$\nDECLARE\n    todo record;\nBEGIN\n"
                           "    FOR todo IN\n%s    LOOP\n"
                           "        IF todo.refusal IS NOT NULL THEN\n"
                           "            RAISE EXCEPTION '%%', todo.words\n"
                           "                USING ERRCODE = todo.refusal, "
                           "HINT = todo.statement;\n"
                           "        END IF;\n        EXECUTE todo.statement;\n"
                           "    END LOOP;\nEND\n$odks$;\n",
                           odks_sql_schema_adopt.text);
}

/* With holes. */
static bool
add_all(struct odks_buf *b, const char *tracking_schema,
        const char *const *form_schemas)
{
    bool ok = odks_buf_printf(b, "BEGIN;\n%s;\n", odks_sql_schema_lock.text)
              && add_schema(b, tracking_schema);

    for (; ok && *form_schemas != NULL; form_schemas++)
        ok = add_schema(b, *form_schemas);
    ok = ok
         && odks_buf_add_str(b, "SET LOCAL search_path = pg_catalog, pg_temp;\n"
                                "SET LOCAL lock_timeout = '10s';\n")
         && add_adoption(b);
    for (const struct odks_migration *m = odks_migrations;
         ok && m->version != 0; m++)
        ok = add_step(b, m);
    return ok && odks_buf_add_str(b, "\nCOMMIT;\n");
}

bool
odks_migrate_print(const char *tracking_schema, const char *const *form_schemas,
                   FILE *out, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(PRINT_MAX);
    CLEANUP_BUF struct odks_buf filled = ODKS_BUF_INIT(PRINT_MAX);

    if (!odks_fill_fits(tracking_schema, err))
        return false;
    if (!add_all(&text, tracking_schema, form_schemas)) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    if (!odks_fill(text.data, tracking_schema, &filled, err))
        return false;
    odks_print_lines(out, filled.data);
    return true;
}
