/* tests/unit/table_help.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table_help.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "db/migrate.h"
#include "table/types.h"
#include "unit.h"

const struct odks_model_conf model_conf = {
    .sync_type = "sync",
    .central = "central",
    .project = 1,
    .form_id = "f",
    .schema = "odk",
    .raw = true,
    .form_version = "1",
};

const struct odks_batch_conf batch_conf = {
    .sync_type = "sync",
    .timezone = "UTC",
    .on_delete = ODKS_DELETE_SOFT,
    .bytes = 1 << 20,
};

static struct odks_field *
add_child(struct odks_field *parent, const char *name, size_t len)
{
    struct odks_field *field = odks_xcalloc(1, sizeof(*field));

    field->name = odks_xstrndup(name, len);
    field->path = odks_xasprintf("%s/%s", parent->path, field->name);
    parent->child = odks_xreallocarray(parent->child, parent->child_count + 1,
                                       sizeof(struct odks_field *));
    parent->child[parent->child_count++] = field;
    return field;
}

static enum odks_field_type
type_of(const char *name, size_t len)
{
    for (int i = ODKS_FIELD_TEXT; i <= ODKS_FIELD_PLACE; i++) {
        const char *known = odks_type((enum odks_field_type) i)->name;
        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return (enum odks_field_type) i;
    }
    ck_abort_msg("no type %s", name);
    return ODKS_FIELD_TEXT;
}

static const char *
parse(struct odks_field *parent, const char *p)
{
    for (;;) {
        p += strspn(p, " ");
        if (*p == '\0')
            return p;
        if (*p == '}' || *p == ']')
            return p + 1;
        size_t len = strcspn(p, ":{[");
        struct odks_field *field = add_child(parent, p, len);
        p += len;
        if (*p == ':') {
            len = strcspn(++p, " }]");
            field->type = type_of(p, len);
            p += len;
        } else {
            field->type = *p == '{' ? ODKS_FIELD_GROUP : ODKS_FIELD_REPEAT;
            p = parse(field, p + 1);
        }
    }
}

struct odks_field *
form(const char *text)
{
    struct odks_field *root = odks_xcalloc(1, sizeof(*root));

    root->name = odks_xstrdup("");
    root->path = odks_xstrdup("");
    root->type = ODKS_FIELD_GROUP;
    (void) parse(root, text);
    return root;
}

void
free_form(struct odks_field *root)
{
    for (size_t i = 0; i < root->child_count; i++)
        free_form(root->child[i]);
    free(root->child);
    free(root->name);
    free(root->path);
    free(root);
}

static void
ck_ok(bool ok, const struct odks_err *err)
{
    ck_assert_msg(ok, "%s (%s; %s)", err->message, err->detail, err->hint);
}

struct odks_db *
open_db(void)
{
    static const char *const none[] = { NULL };
    static const struct odks_db_conf conf = { .keywords = none,
                                              .values = none,
                                              .tracking_schema = "tracking",
                                              .instance = "test",
                                              .statement_timeout_s = 60 };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db = NULL;
    int applied;

    ck_ok(odks_db_connect(&conf, &db, &err), &err);
    ck_ok(odks_db_do(db, "drop",
                     "DROP SCHEMA IF EXISTS odk CASCADE;"
                     "DROP SCHEMA IF EXISTS tracking CASCADE",
                     &err),
          &err);
    ck_ok(odks_migrate(db, SCHEMAS("odk"), NULL, &applied, &err), &err);
    return db;
}

void
close_db(struct odks_db *db)
{
    odks_db_close(db);
}

void
begin(struct odks_db *db)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_ok(odks_db_begin(db, &err), &err);
}

void
commit(struct odks_db *db)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_ok(odks_db_commit(db, &err), &err);
}

void
run(struct odks_db *db, const char *sql)
{
    struct odks_err err = ODKS_ERR_INIT;

    begin(db);
    ck_ok(odks_db_do(db, "test", sql, &err), &err);
    commit(db);
}

char *
ask(struct odks_db *db, const char *sql)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_buf text = ODKS_BUF_INIT(1 << 24);

    begin(db);
    PGresult *res = odks_db_exec(db, "test", sql, 0, NULL, &err);
    ck_ok(res != NULL, &err);
    for (int i = 0; i < PQntuples(res); i++) {
        for (int k = 0; k < PQnfields(res); k++) {
            const char *cell = odks_db_text(res, i, k);
            ck_assert(odks_buf_printf(&text, "%s%s",
                                      k > 0   ? "|"
                                      : i > 0 ? ";"
                                              : "",
                                      cell != NULL ? cell : "-"));
        }
    }
    PQclear(res);
    commit(db);
    return text.data != NULL ? text.data : odks_xstrdup("");
}

void
ck_ask(struct odks_db *db, const char *sql, const char *expected)
{
    char *got = ask(db, sql);

    ck_assert_msg(strcmp(got, expected) == 0, "%s: got %s, not %s", sql, got,
                  expected);
    free(got);
}

size_t
make_views(struct odks_db *db, const struct odks_model_conf *conf,
           const struct odks_model *model, const struct odks_views_conf *more,
           const struct odks_xform *xform)
{
    struct odks_views_conf with = { .labels = false };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_views *views = NULL;
    bool due = false;

    if (more != NULL)
        with = *more;
    with.form = conf;
    with.form_hash = conf->form_version;
    begin(db);
    ck_ok(odks_views_due(db, &with, &due, &err), &err);
    if (due)
        ck_ok(odks_views_plan(db, &with, model, xform, &views, &err), &err);
    size_t count = due ? odks_views_count(views) : 0;
    for (size_t i = 0; i < count; i++)
        ck_ok(odks_views_apply(db, views, i, &err), &err);
    if (due)
        ck_ok(odks_views_finish(db, views, &err), &err);
    commit(db);
    odks_views_free(views);
    return count;
}

struct odks_model *
prepare_tables(struct odks_db *db, const struct odks_model_conf *conf,
               const struct odks_field *fields,
               struct odks_model_changes *changes)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_model *model = NULL;
    struct odks_model_changes ignored;

    begin(db);
    ck_ok(odks_model_prepare(db, conf, fields, false, NULL, &model,
                             changes != NULL ? changes : &ignored, &err),
          &err);
    commit(db);
    return model;
}

struct odks_model *
prepare(struct odks_db *db, const struct odks_model_conf *conf,
        const struct odks_field *fields, struct odks_model_changes *changes)
{
    struct odks_model *model = prepare_tables(db, conf, fields, changes);

    (void) make_views(db, conf, model, NULL, NULL);
    return model;
}

char *
submission(const char *id, const char *answers, const char *system)
{
    return odks_xasprintf(
        "{%s%s\"__id\":\"%s\",\"__system\":{"
        "\"submissionDate\":\"2026-11-23T16:00:00.000Z\",\"updatedAt\":null,"
        "\"submitterId\":\"5\",\"submitterName\":\"a@b\","
        "\"attachmentsPresent\":0,\"attachmentsExpected\":1,\"status\":null,"
        "\"reviewState\":null,\"deviceId\":null,\"edits\":0,"
        "\"formVersion\":\"1\",\"deletedAt\":null%s%s}}",
        answers, answers[0] != '\0' ? "," : "", id,
        system[0] != '\0' ? "," : "", system);
}

struct odks_merge
take(struct odks_db *db, struct odks_batch *batch, ...)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_merge counts = ODKS_MERGE_INIT;
    va_list rows;
    char *row;

    va_start(rows, batch);
    while ((row = va_arg(rows, char *)) != NULL) {
        ck_ok(odks_batch_add(batch, row, strlen(row), &err), &err);
        free(row);
    }
    va_end(rows);
    begin(db);
    ck_ok(odks_batch_merge(batch, db, &counts, &err), &err);
    commit(db);
    return counts;
}
