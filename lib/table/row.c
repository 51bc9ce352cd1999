/* lib/table/row.c - SPDX-License-Identifier: Apache-2.0 */
/* A submission as lines for COPY: one in its table, one for each repeat row. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "table/fit.h"
#include "table/number.h"
#include "table/stage.h"
#include "table/system.h"
#include "table/types.h"
#include "table/value.h"
#include "table/width.h"

enum {
    KEY_HEAD = 200,     /* bytes of a long id that stand for it */
    EVIDENCE_MAX = 8192 /* bytes kept of a value that did not fit */
};

/* Where we are in a submission: the row of a table that is being put. */
struct row {
    struct odks_batch *b;
    const char *submission; /* its id */
    const char *id;         /* of the row itself */
    size_t table;
    struct odks_copy *out; /* NULL: the table is not wanted */
    size_t next;           /* target of the table */
    struct odks_width width;
};

char *
odks_row_key(const char *id)
{
    size_t len = strlen(id);

    if (len <= ODKS_ID_MAX)
        return odks_xstrdup(id);
    return odks_xasprintf("%.*s... (%zu bytes, %016" PRIx64 ")",
                          (int) odks_utf8_cut(id, KEY_HEAD), id, len,
                          odks_hash_text(ODKS_HASH_INIT, id));
}

void
odks_batch_reject(struct odks_batch *b, const struct odks_reject *r)
{
    struct odks_copy *out = &b->lines[b->lines_count - 1];
    const char *json = json_object_to_json_string_ext(
        r->value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    char date[ODKS_TIME_TEXT];

    odks_copy_put(out, r->reason == odks_value_rounded ? "t" : "f");
    odks_copy_put(out, b->conf.sync_type);
    odks_copy_put(out, b->conf.model->table[r->table]->name);
    odks_copy_put(out, r->submission);
    odks_copy_put(out, r->row_id);
    odks_copy_put(out, r->path);
    odks_copy_put(out, r->column);
    odks_copy_put(out, r->reason);
    odks_copy_field(out);
    odks_copy_text(out, json, odks_utf8_cut(json, EVIDENCE_MAX));
    odks_copy_put(out, r->refused ? "t" : "f");
    odks_copy_put(out, r->constraint);
    odks_copy_put(
        out, odks_db_time_param(r->left_out != 0 ? r->left_out : ODKS_TIME_NONE,
                                date));
    odks_copy_end(out);
}

static void
reject(const struct row *row, const struct odks_field *field,
       const char *column, const char *reason, struct json_object *value)
{
    const struct odks_reject r = { .table = row->table,
                                   .submission = row->submission,
                                   .row_id = row->id,
                                   .path = field->path,
                                   .column = column,
                                   .reason = reason,
                                   .value = value };

    if (row->out != NULL)
        odks_batch_reject(row->b, &r);
}

struct json_object *
odks_row_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        (void) json_object_object_get_ex(object, name, &value);
    return value;
}

const char *
odks_row_id(struct json_object *object)
{
    struct json_object *value = odks_row_member(object, "__id");

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *id = json_object_get_string(value);
    size_t len = (size_t) json_object_get_string_len(value);
    return len > 0 && len <= ODKS_ID_MAX && strlen(id) == len ? id : NULL;
}

static void
put_field(struct row *row, const struct odks_field *field,
          struct json_object *value)
{
    if (row->out == NULL)
        return;
    const struct odks_table *table = row->b->conf.model->table[row->table];
    if (row->next == table->target_count
        || table->target[row->next].field != field)
        return; /* the table had no room for it */
    const struct odks_target *target = &table->target[row->next++];
    size_t count = odks_type(field->type)->count;
    size_t before = row->out->buf.len;
    const char *reason =
        odks_value_put(row->out, field->type, target->geometry, value);
    if (!row->out->full
        && !odks_width_add(&row->width, table, target->column, count,
                           row->out->buf.data + before)) {
        odks_buf_truncate(&row->out->buf, before);
        odks_value_put_null(row->out, field->type);
        reason = "no room: a row of PostgreSQL ends at 8 kB";
    }
    if (reason != NULL)
        reject(row, field, table->column[target->column + count - 1].name,
               reason, value);
}

static void put_fields(struct row *row, const struct odks_field *group,
                       struct json_object *object);

static void
put_repeat_row(const struct row *parent, size_t table, const char *id,
               struct json_object *object, int64_t position)
{
    struct odks_batch *b = parent->b;
    const struct odks_table *to = b->conf.model->table[table];
    struct row row = { .b = b,
                       .submission = parent->submission,
                       .id = id,
                       .table = table,
                       .out = to->wanted ? &b->lines[table] : NULL };

    odks_width_begin(&row.width, to);
    if (row.out != NULL) {
        odks_copy_put(row.out, row.id);
        odks_copy_put(row.out, parent->id);
        odks_copy_put(row.out, row.submission);
        odks_copy_int(row.out, position);
    }
    put_fields(&row, to->root, object);
    if (row.out != NULL)
        odks_copy_end(row.out);
}

/* What cannot be a row of this repeat, or none of its rows. */
static void
reject_rows(const struct row *parent, size_t table, const char *reason,
            struct json_object *value)
{
    const struct odks_table *to = parent->b->conf.model->table[table];

    const struct odks_reject r = { .table = table,
                                   .submission = parent->submission,
                                   .row_id = parent->id,
                                   .path = to->root->path,
                                   .reason = reason,
                                   .value = value };

    if (to->wanted)
        odks_batch_reject(parent->b, &r);
}

/* No rows: the key is absent, and that is how a repeat without any comes. */
static void
put_repeat(const struct row *row, const struct odks_field *field,
           struct json_object *value)
{
    const struct odks_model *model = row->b->conf.model;
    size_t table = 0;

    if (value == NULL)
        return;
    while (table < model->table_count && model->table[table]->root != field)
        table++;
    if (!json_object_is_type(value, json_type_array)) {
        reject_rows(row, table, "not a list of rows", value);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *object = json_object_array_get_idx(value, i);
        const char *id = odks_row_id(object);

        if (id != NULL)
            put_repeat_row(row, table, id, object, (int64_t) i + 1);
        else
            reject_rows(row, table, "a row without an __id", object);
    }
}

/* object is NULL where the group, or all of the row, is not there. */
static void
put_fields(struct row *row, const struct odks_field *group,
           struct json_object *object)
{
    for (size_t i = 0; i < group->child_count; i++) {
        const struct odks_field *field = group->child[i];
        struct json_object *value = odks_row_member(object, field->name);

        if (field->type == ODKS_FIELD_GROUP) {
            if (value != NULL
                && !json_object_is_type(value, json_type_object)) {
                reject(row, field, NULL, "not a group", value);
                value = NULL;
            }
            put_fields(row, field, value);
        } else if (field->type == ODKS_FIELD_REPEAT) {
            put_repeat(row, field, value);
        } else {
            put_field(row, field, value);
        }
    }
}

/* As it came, but for what jsonb cannot hold: that is null. */
static void
put_raw(struct odks_copy *out, struct json_object *object, const char *text,
        size_t len, bool unfit)
{
    struct json_object *copy = NULL;

    if (unfit && json_object_deep_copy(object, &copy, NULL) == 0) {
        odks_json_make_fit(copy);
        text = json_object_to_json_string_length(
            copy, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
            &len);
    }
    odks_copy_field(out);
    odks_copy_text(out, text, len);
    (void) json_object_put(copy);
}

/* It lacks a value that is in no column, either. */
static void
reject_raw(const struct row *row, const char *reason)
{
    const struct odks_reject r = { .submission = row->submission,
                                   .row_id = row->id,
                                   .path = "",
                                   .column = "_raw",
                                   .reason = reason };

    odks_batch_reject(row->b, &r);
}

bool
odks_row_put(struct odks_batch *b, const struct odks_submission *s,
             struct json_object *object, const char *text, size_t len)
{
    const struct odks_model *model = b->conf.model;
    const struct odks_table *table = model->table[0];
    struct odks_copy *out = &b->lines[0];
    struct row row = { .b = b,
                       .submission = s->id,
                       .id = s->id,
                       .out = table->wanted ? out : NULL };

    const char *unfit = NULL;
    odks_width_begin(&row.width, table);
    odks_copy_put(out, s->id);
    if (table->wanted) {
        odks_system_put(b, out, s->id, object);
        if (model->raw) {
            unfit = odks_json_unfit(object);
            put_raw(out, object, text, len, unfit != NULL);
        } else if (table->system_count > odks_system(model->feed)->count) {
            odks_copy_null(out);
        }
    }
    size_t rejects = b->lines[b->lines_count - 1].buf.len;
    put_fields(&row, model->fields, object);
    odks_copy_end(out);
    if (unfit != NULL && b->lines[b->lines_count - 1].buf.len == rejects)
        reject_raw(&row, unfit);
    for (size_t i = 0; i < b->lines_count; i++) {
        if (b->lines[i].full)
            return false;
    }
    return true;
}
