/* lib/table/batch.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/batch.h"

#include <limits.h>
#include <string.h>

#include "core/mem.h"
#include "table/number.h"
#include "table/plan.h"
#include "table/stage.h"
#include "table/types.h"
#include "table/value.h"

enum {
    DEPTH = 64, /* of JSON */
    INDEX_SIZE = 1024,
    ID_MAX = 1000,      /* bytes; an index takes 2,700 */
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
    struct odks_err *err;
};

/* json-c has no memory: end as odks_xcalloc() does. */
static void *
must(void *p)
{
    if (p == NULL)
        (void) odks_xreallocarray(NULL, SIZE_MAX, 2);
    return p;
}

struct odks_batch *
odks_batch_new(const struct odks_batch_conf *conf)
{
    struct odks_batch *b = odks_xcalloc(1, sizeof(*b));

    b->conf = *conf;
    b->tokener = must(json_tokener_new_ex(DEPTH));
    json_tokener_set_flags(b->tokener,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    b->index = must(lh_kchar_table_new(INDEX_SIZE, NULL));
    b->lines_count = conf->model->table_count + 1;
    b->lines = odks_xcalloc(b->lines_count, sizeof(*b->lines));
    for (size_t i = 0; i < b->lines_count; i++)
        b->lines[i] = (struct odks_copy) ODKS_COPY_INIT(ODKS_COPY_MAX);
    return b;
}

void
odks_batch_reset(struct odks_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->submission[i].id);
    for (size_t i = 0; i < b->lines_count; i++)
        odks_copy_cut(&b->lines[i], 0);
    /* a table of json-c gets slow with what was deleted from it */
    lh_table_free(b->index);
    b->index = must(lh_kchar_table_new(INDEX_SIZE, NULL));
    b->count = 0;
    b->bytes = 0;
    b->received = 0;
}

void
odks_batch_free(struct odks_batch *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->count; i++)
        free(b->submission[i].id);
    for (size_t i = 0; i < b->lines_count; i++)
        odks_buf_free(&b->lines[i].buf);
    odks_merge_sql_free(b->sql);
    lh_table_free(b->index);
    json_tokener_free(b->tokener);
    free(b->lines);
    free(b->submission);
    free(b->start);
    free(b);
}

bool
odks_batch_is_full(const struct odks_batch *b)
{
    return b->bytes >= b->conf.bytes && b->received > 0;
}

size_t
odks_batch_rows(const struct odks_batch *b)
{
    return (size_t) b->received;
}

/* At most max bytes of text, cut on a character's boundary. */
static size_t
cut_text(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char) text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

void
odks_batch_reject(struct odks_batch *b, size_t table, const char *submission,
                  const char *row_id, const char *path, const char *column,
                  const char *reason, struct json_object *value)
{
    struct odks_copy *out = &b->lines[b->lines_count - 1];
    const char *json = json_object_to_json_string_ext(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

    odks_copy_put(out, b->conf.sync_type);
    odks_copy_put(out, b->conf.model->table[table]->name);
    odks_copy_put(out, submission);
    odks_copy_put(out, row_id);
    odks_copy_put(out, path);
    odks_copy_put(out, column);
    odks_copy_put(out, reason);
    odks_copy_field(out);
    odks_copy_text(out, json, cut_text(json, EVIDENCE_MAX));
    odks_copy_end(out);
}

static void
reject(const struct row *row, const struct odks_field *field,
       const char *column, const char *reason, struct json_object *value)
{
    if (row->out != NULL)
        odks_batch_reject(row->b, row->table, row->submission, row->id,
                          field->path, column, reason, value);
}

/* A member of a row; NULL if it is absent, null, or there is no row. */
static struct json_object *
member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (object != NULL)
        (void) json_object_object_get_ex(object, name, &value);
    return value;
}

/* The text of an id; NULL when it cannot be one. */
static const char *
id_of(struct json_object *object, struct odks_err *err)
{
    struct json_object *value = member(object, "__id");
    const char *id = NULL;

    if (json_object_is_type(value, json_type_string)) {
        size_t len = (size_t) json_object_get_string_len(value);

        id = json_object_get_string(value);
        if (len == 0 || len > ID_MAX || strlen(id) != len)
            id = NULL;
    }
    if (id == NULL)
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central sent a row without an __id that can be kept");
    return id;
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
    size_t column = table->target[row->next++].column;
    const char *reason = odks_value_put(row->out, field->type, value);
    if (reason != NULL) {
        column += odks_type(field->type)->count - 1;
        reject(row, field, table->column[column].name, reason, value);
    }
}

static bool put_fields(struct row *row, const struct odks_field *group,
                       struct json_object *object);

static bool
put_repeat_row(const struct row *parent, size_t table,
               struct json_object *object, int64_t position)
{
    struct odks_batch *b = parent->b;
    const struct odks_table *to = b->conf.model->table[table];
    struct row row = { .b = b,
                       .submission = parent->submission,
                       .id = id_of(object, parent->err),
                       .table = table,
                       .out = to->wanted ? &b->lines[table] : NULL,
                       .err = parent->err };

    if (row.id == NULL)
        return false;
    if (row.out != NULL) {
        odks_copy_put(row.out, row.id);
        odks_copy_put(row.out, parent->id);
        odks_copy_put(row.out, row.submission);
        odks_copy_int(row.out, position);
    }
    if (!put_fields(&row, to->root, object))
        return false;
    if (row.out != NULL)
        odks_copy_end(row.out);
    return true;
}

/* No rows: the key is absent, and that is how a repeat without any comes. */
static bool
put_repeat(struct row *row, const struct odks_field *field,
           struct json_object *value)
{
    const struct odks_model *model = row->b->conf.model;
    size_t table = 0;

    if (value == NULL)
        return true;
    while (table < model->table_count && model->table[table]->root != field)
        table++;
    if (!json_object_is_type(value, json_type_array)) {
        odks_err_set(row->err, ODKS_EXIT_DATA,
                     "Central sent the repeat %s in a form that is no list",
                     field->path);
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        if (!put_repeat_row(row, table, json_object_array_get_idx(value, i),
                            (int64_t) i + 1))
            return false;
    }
    return true;
}

/* object is NULL where the group, or all of the row, is not there. */
static bool
put_fields(struct row *row, const struct odks_field *group,
           struct json_object *object)
{
    for (size_t i = 0; i < group->child_count; i++) {
        const struct odks_field *field = group->child[i];
        struct json_object *value = member(object, field->name);

        if (field->type == ODKS_FIELD_GROUP) {
            if (value != NULL
                && !json_object_is_type(value, json_type_object)) {
                reject(row, field, NULL, "not a group", value);
                value = NULL;
            }
            if (!put_fields(row, field, value))
                return false;
        } else if (field->type == ODKS_FIELD_REPEAT) {
            if (!put_repeat(row, field, value))
                return false;
        } else {
            put_field(row, field, value);
        }
    }
    return true;
}

static bool
put_submission(struct odks_batch *b, const struct odks_submission *s,
               struct json_object *object, const char *text, size_t len,
               struct odks_err *err)
{
    const struct odks_model *model = b->conf.model;
    const struct odks_table *table = model->table[0];
    struct odks_copy *out = &b->lines[0];
    struct row row = { .b = b,
                       .submission = s->id,
                       .id = s->id,
                       .out = table->wanted ? out : NULL,
                       .err = err };

    odks_copy_put(out, s->id);
    if (table->wanted) {
        odks_system_put(b, out, s->id, member(object, "__system"));
        if (model->raw) {
            odks_copy_field(out);
            odks_copy_text(out, text, len);
        } else if (table->system_count > ODKS_SYSTEM_COLUMNS) {
            odks_copy_null(out);
        }
    }
    if (!put_fields(&row, model->fields, object))
        return false;
    odks_copy_end(out);
    for (size_t i = 0; i < b->lines_count; i++) {
        if (b->lines[i].full) {
            odks_err_set(err, ODKS_EXIT_DATA,
                         "a submission is too large to be kept");
            return false;
        }
    }
    return true;
}

/* What __system says that the batch itself has to know. */
static bool
read_submission(const struct odks_batch *b, struct json_object *object,
                struct odks_submission *s, struct odks_err *err)
{
    struct json_object *system = member(object, "__system");
    const char *id = id_of(object, err);

    if (id == NULL)
        return false;
    *s = (struct odks_submission){ .updated = ODKS_TIME_NONE };
    const char *date = json_object_get_string(member(system, "submissionDate"));
    if (date == NULL || !odks_time_parse(date, &s->submitted, NULL)) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central sent a submission without a date");
        return false;
    }
    const char *updated = json_object_get_string(member(system, "updatedAt"));
    if (updated != NULL && !odks_time_parse(updated, &s->updated, NULL))
        s->updated = ODKS_TIME_NONE;
    s->edits = json_object_get_int64(member(system, "edits"));
    s->gone = b->conf.on_delete == ODKS_DELETE_HARD
              && member(system, "deletedAt") != NULL;
    s->encrypted = member(system, "status") != NULL;
    s->id = odks_xstrdup(id);
    return true;
}

/* Has the batch a later state of s already? An earlier one becomes stale. */
static bool
is_outdated(struct odks_batch *b, const struct odks_submission *s)
{
    const struct lh_entry *entry = lh_table_lookup_entry(b->index, s->id);

    if (entry == NULL)
        return false;
    struct odks_submission *other =
        &b->submission[(uintptr_t) lh_entry_v(entry)];
    if (other->updated > s->updated
        || (other->updated == s->updated && other->edits > s->edits))
        return true;
    other->stale = true;
    (void) lh_table_delete(b->index, s->id);
    return false;
}

static void
append(struct odks_batch *b, const struct odks_submission *s)
{
    if (b->count == b->size) {
        b->size = b->size > 0 ? 2 * b->size : 256;
        b->submission =
            odks_xreallocarray(b->submission, b->size, sizeof(*b->submission));
        b->start = odks_xreallocarray(b->start, b->size,
                                      b->lines_count * sizeof(*b->start));
    }
    for (size_t i = 0; i < b->lines_count; i++)
        b->start[b->count * b->lines_count + i] = b->lines[i].buf.len;
    (void) lh_table_insert(b->index, s->id, (const void *) b->count);
    b->submission[b->count++] = *s;
}

/* Take the submission that was appended last out again. */
static void
undo(struct odks_batch *b)
{
    struct odks_submission *s = &b->submission[--b->count];

    for (size_t i = 0; i < b->lines_count; i++)
        odks_copy_cut(&b->lines[i], b->start[b->count * b->lines_count + i]);
    (void) lh_table_delete(b->index, s->id);
    free(s->id);
}

static struct json_object *
parse(struct odks_batch *b, const char *row, size_t len, struct odks_err *err)
{
    struct json_object *object = NULL;

    json_tokener_reset(b->tokener);
    if (len <= INT_MAX)
        object = json_tokener_parse_ex(b->tokener, row, (int) len);
    if (json_object_is_type(object, json_type_object)
        && json_tokener_get_error(b->tokener) == json_tokener_success
        && json_tokener_get_parse_end(b->tokener) == len)
        return object;
    (void) json_object_put(object);
    odks_err_set(err, ODKS_EXIT_DATA, "Central sent a row that is no JSON");
    odks_err_detail(
        err, "%s", json_tokener_error_desc(json_tokener_get_error(b->tokener)));
    return NULL;
}

bool
odks_batch_add(struct odks_batch *b, const char *text, size_t len,
               struct odks_err *err)
{
    CLEANUP_JSON struct json_object *object = parse(b, text, len, err);
    struct odks_submission s;

    if (object == NULL || !read_submission(b, object, &s, err))
        return false;
    b->bytes += len;
    b->received++;
    if (is_outdated(b, &s)) {
        free(s.id);
        return true;
    }
    append(b, &s);
    if (s.gone || put_submission(b, &s, object, text, len, err))
        return true;
    odks_err_context(err, "submission %s", s.id);
    undo(b);
    return false;
}
