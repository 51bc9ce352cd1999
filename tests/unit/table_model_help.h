/* tests/unit/table_model_help.h - SPDX-License-Identifier: Apache-2.0 */
/* Forms that are published, and the tables that come of it. */
#ifndef ODKS_TESTS_TABLE_MODEL_HELP_H
#define ODKS_TESTS_TABLE_MODEL_HELP_H

#include "core/mem.h"
#include "table_help.h"
#include "unit.h"

#define COLUMNS_OF(table)                                                     \
    "SELECT string_agg(column_name || ':' || udt_name, ' ' ORDER BY"          \
    " ordinal_position) FROM information_schema.columns WHERE table_schema =" \
    " 'odk' AND column_name !~ '^_' AND table_name = '" table "'"

#define TABLES                                                            \
    "SELECT string_agg(relname, ' ' ORDER BY relname COLLATE \"C\") FROM" \
    " pg_class WHERE relnamespace = 'odk'::regnamespace AND relkind = "

static struct odks_db *db;

static void
setup(void)
{
    db = open_db();
}

static void
teardown(void)
{
    close_db(db);
}

/* Prepare for a form given as text, in its version. */
static void
publish(const char *fields, const char *version,
        struct odks_model_changes *changes)
{
    struct odks_model_conf conf = model_conf;
    struct odks_field *root = form(fields);

    conf.form_version = version;
    odks_model_free(prepare(db, &conf, root, changes));
    free_form(root);
}

#endif
