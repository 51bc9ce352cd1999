/* lib/table/batch.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/batch.h"

#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "table/entity.h"
#include "table/privacy.h"
#include "table/stage.h"

enum { INDEX_SIZE = 1024 };

/* json-c has no memory: end as odks_xcalloc() does. */
static void *
must(void *p)
{
    if (p == NULL)
        (void) odks_or_die(NULL);
    return p;
}

struct odks_batch *
odks_batch_new(const struct odks_batch_conf *conf)
{
    struct odks_batch *b = odks_xcalloc(1, sizeof(*b));

    b->conf = *conf;
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

/* What __system says that the batch itself has to know. */
static bool
read_submission(const struct odks_batch *b, struct json_object *object,
                struct odks_submission *s, struct odks_err *err)
{
    const struct odks_feed_names *names = odks_feed_names(b->conf.model->feed);
    struct json_object *system = odks_row_member(object, "__system");
    const char *id = odks_row_id(object);
    struct json_object *key = odks_row_member(object, "__id");
    const char *text = json_object_get_string(key);
    bool is_long = json_object_is_type(key, json_type_string)
                   && strlen(text) > ODKS_ID_MAX;

    if (id == NULL && !is_long) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central sent a row without an __id that can be kept");
        return false;
    }
    *s = (struct odks_submission){ .updated = ODKS_TIME_NONE };
    const char *date =
        json_object_get_string(odks_row_member(system, names->created));
    if (date == NULL || !odks_time_parse(date, &s->submitted, NULL)) {
        odks_err_set(err, ODKS_EXIT_DATA, "Central sent %s %s without a date",
                     names->row[0] == 'e' ? "an" : "a", names->row);
        return false;
    }
    const char *updated =
        json_object_get_string(odks_row_member(system, "updatedAt"));
    if (updated != NULL && !odks_time_parse(updated, &s->updated, NULL))
        s->updated = ODKS_TIME_NONE;
    s->edits = json_object_get_int64(odks_row_member(system, names->version));
    s->deleted = odks_row_member(system, "deletedAt") != NULL;
    s->gone = b->conf.on_delete == ODKS_DELETE_HARD && s->deleted;
    s->encrypted = odks_row_member(system, "status") != NULL;
    s->left_out = is_long;
    s->id = odks_row_key(text);
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

static struct json_object *
parse_row(const char *row, size_t len, struct odks_err *err)
{
    struct json_object *object;
    struct odks_json_fault fault;

    if (odks_json_parse(row, len, &object, &fault)
        && json_object_is_type(object, json_type_object))
        return object;
    (void) json_object_put(object);
    odks_err_set(err, ODKS_EXIT_DATA, "Central sent a row that is no JSON");
    if (fault.what != NULL)
        odks_err_detail(err, "%s at byte %zu", fault.what, fault.at);
    return NULL;
}

void
odks_batch_from_trash(struct odks_batch *b, const struct odks_trash *trash)
{
    b->trash = trash;
}

/* What cannot be in the table is on record, unless it is deleted anyway. */
static void
leave_out(struct odks_batch *b, struct odks_submission *s,
          struct json_object *object, const char *path, const char *reason)
{
    const struct odks_table *const *table =
        (const struct odks_table *const *) b->conf.model->table;
    struct odks_reject r = { .submission = s->id,
                             .row_id = s->id,
                             .path = path,
                             .reason = reason,
                             .value = odks_row_member(object, path),
                             .left_out = s->submitted };
    bool deleted = b->conf.on_delete != ODKS_DELETE_KEEP && s->deleted;

    s->left_out = true;
    while (!table[r.table]->wanted)
        r.table++;
    if (!deleted)
        odks_batch_reject(b, &r);
}

/* Take out the lines of the submission that was appended last. */
static void
cut_lines(struct odks_batch *b)
{
    for (size_t i = 0; i < b->lines_count; i++)
        odks_copy_cut(&b->lines[i],
                      b->start[(b->count - 1) * b->lines_count + i]);
}

bool
odks_batch_add(struct odks_batch *b, const char *text, size_t len,
               struct odks_err *err)
{
    CLEANUP_JSON struct json_object *object = parse_row(text, len, err);
    struct odks_submission s;

    if (object == NULL)
        return false;
    if (b->conf.model->privacy != NULL) {
        odks_privacy_mask(b->conf.model->privacy, object);
        text = json_object_to_json_string_length(
            object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
            &len);
    }
    if (b->conf.model->feed == ODKS_FEED_DATASET
        && !odks_entity_adapt(object, b->trash))
        return true;
    if (!read_submission(b, object, &s, err))
        return false;
    b->bytes += len;
    b->received++;
    if (is_outdated(b, &s)) {
        free(s.id);
        return true;
    }
    append(b, &s);
    struct odks_submission *last = &b->submission[b->count - 1];
    if (s.left_out) {
        leave_out(b, last, object, "__id", "longer than 1,000 bytes");
    } else if (!s.gone && !odks_row_put(b, &s, object, text, len)) {
        cut_lines(b);
        leave_out(b, last, object, "", "too large to be stored");
    }
    return true;
}

void
odks_batch_add_fault(struct odks_batch *b, const char *id, const char *reason)
{
    const struct odks_submission *last =
        b->count > 0 ? &b->submission[b->count - 1] : NULL;

    if (last == NULL || strcmp(last->id, id) != 0 || last->gone
        || last->left_out)
        return;
    struct odks_reject r = {
        .submission = id, .row_id = id, .path = "", .reason = reason
    };
    while (!b->conf.model->table[r.table]->wanted)
        r.table++;
    odks_batch_reject(b, &r);
}
