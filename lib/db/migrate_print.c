/* lib/db/migrate_print.c - SPDX-License-Identifier: Apache-2.0 */
/* The migrations as SQL for a DBA. Not in libodksync: it ends the process when
 * memory is short. */
#include <config.h>

#include <string.h>

#include "core/mem.h"
#include "core/safe.h"
#include "db/migrate.h"
#include "sql/queries.h"

/* Without a connection to quote for us; the caller frees it. */
static char *
quote_ident(const char *name)
{
    char *quoted = odks_xcalloc(2 * strlen(name) + 3, 1);
    size_t len = 0;

    quoted[len++] = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            quoted[len++] = '"';
        quoted[len++] = *name;
    }
    quoted[len] = '"';
    return quoted;
}

static void
print_schema(const char *name, FILE *out)
{
    CLEANUP_FREE char *ident = quote_ident(name);

    odks_print(out, "CREATE SCHEMA IF NOT EXISTS %s;\n", ident);
}

/*
 * Each step is run from its own text, so that its checksum is that text's, and
 * only if it is not there yet.
 */
static void
print_step(const struct odks_migration *m, FILE *out)
{
    CLEANUP_FREE char *text = odks_xasprintf(
        "\nDO $odks$\nDECLARE\n    step text := "
        "$odks_step$%s$odks_step$;\n    sum text := "
        "encode(sha256(convert_to(step, 'UTF8')), 'hex');\n"
        "    known text;\nBEGIN\n"
        "    IF to_regclass('odk_sync_schema') IS NOT NULL THEN\n"
        "        SELECT checksum INTO known FROM odk_sync_schema\n"
        "        WHERE version = %d;\n    END IF;\n"
        "    IF known IS NULL THEN\n        EXECUTE step;\n"
        "        INSERT INTO odk_sync_schema (version, name, "
        "checksum)\n        VALUES (%d, '%s', sum);\n"
        "    ELSIF known <> sum THEN\n"
        "        RAISE EXCEPTION 'version %d of the odk_sync_* "
        "tables is of another odk-sync: its checksum differs';\n"
        "    END IF;\nEND\n$odks$;\n",
        m->text, m->version, m->version, m->name, m->version);
    odks_print_lines(out, text);
}

static void
print_adoption(FILE *out)
{
    CLEANUP_FREE char *text =
        odks_xasprintf("\nDO $odks$\nDECLARE\n    todo record;\nBEGIN\n"
                       "    FOR todo IN\n%s    LOOP\n"
                       "        IF todo.refusal IS NOT NULL THEN\n"
                       "            RAISE EXCEPTION '%%', todo.words\n"
                       "                USING ERRCODE = todo.refusal, HINT = "
                       "todo.statement;\n"
                       "        END IF;\n        EXECUTE todo.statement;\n"
                       "    END LOOP;\nEND\n$odks$;\n",
                       odks_sql_schema_adopt.text);
    odks_print_lines(out, text);
}

void
odks_migrate_print(const char *tracking_schema, const char *const *form_schemas,
                   FILE *out)
{
    CLEANUP_FREE char *ident = quote_ident(tracking_schema);

    odks_print(out, "BEGIN;\n");
    odks_print_lines(out, odks_sql_schema_lock.text);
    odks_print(out, ";\n");
    print_schema(tracking_schema, out);
    for (; *form_schemas != NULL; form_schemas++)
        print_schema(*form_schemas, out);
    odks_print(out, "SET LOCAL search_path = %s, pg_temp;\n", ident);
    odks_print(out, "SET LOCAL lock_timeout = '10s';\n");
    print_adoption(out);
    for (const struct odks_migration *m = odks_migrations; m->version != 0; m++)
        print_step(m, out);
    odks_print(out, "\nCOMMIT;\n");
}
