/* tests/unit/table_batch_help.h - SPDX-License-Identifier: Apache-2.0 */
/* A batch for a form, and rows for it: for the tests that merge. */
#ifndef ODKS_TESTS_TABLE_BATCH_HELP_H
#define ODKS_TESTS_TABLE_BATCH_HELP_H

#include "core/mem.h"
#include "table_help.h"
#include "unit.h"

#define R(x, id) "{\"x\":" x ",\"__id\":\"" id "\"}"
#define ANSWERS "\"a\":\"x\",\"r\":[" R("1", "r1") "]"
#define DELETED "\"deletedAt\":\"2026-11-23T17:00:00.000Z\""
#define EDIT(n, at) \
    "\"edits\":" n ",\"updatedAt\":\"2026-11-23T1" at ":00:00.000Z\""

static struct odks_db *db;
static struct odks_field *fields;
static struct odks_model *model;
static struct odks_batch *batch;

static void
setup(void)
{
    db = open_db();
}

static void
end_form(void)
{
    odks_batch_free(batch);
    odks_model_free(model);
    if (fields != NULL)
        free_form(fields);
    batch = NULL;
    model = NULL;
    fields = NULL;
}

static void
teardown(void)
{
    end_form();
    close_db(db);
}

/* The form of a test, and a batch for it. */
static void
with(const char *text, const struct odks_model_conf *conf,
     enum odks_on_delete on_delete)
{
    struct odks_batch_conf bc = batch_conf;

    end_form();
    fields = form(text);
    model = prepare(db, conf, fields, NULL);
    bc.model = model;
    bc.on_delete = on_delete;
    batch = odks_batch_new(&bc);
}

static void
ck_counts(const struct odks_merge *c, int inserted, int updated, int deleted,
          int unchanged, int repeats)
{
    ck_assert_int_eq(c->inserted, inserted);
    ck_assert_int_eq(c->updated, updated);
    ck_assert_int_eq(c->deleted, deleted);
    ck_assert_int_eq(c->unchanged, unchanged);
    ck_assert_int_eq(c->repeats, repeats);
}

#endif
