/* lib/table/keys.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/keys.h"

#include <assert.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/time.h"
#include "sql/queries.h"
#include "table/entity.h"
#include "table/privacy.h"
#include "table/reconcile.h"
#include "table/sqltext.h"
#include "table/stage.h"

enum { FULL = 4 << 20, KEYS_MAX = 64 << 20 }; /* bytes of lines */

/* What of the state of a key is compared, beside its dates. */
struct state {
    const char *key;    /* in __system */
    const char *column; /* of odk_sync_key */
    const char *ours;   /* of the main table */
    const char *none;   /* what stands for null; or NULL */
    bool number;
};

/* By odks_feed; the last one has no key. */
static const struct state states[][7] = {
    [ODKS_FEED_FORM] = {
        { "reviewState", "review_state", "_review_state", "received", false },
        { "submitterName", "submitter", "_submitter", NULL, false },
        { "status", "status", "_status", NULL, false },
        { "attachmentsPresent", "attachments_present", "_attachments_present",
          NULL, true },
        { "attachmentsExpected", "attachments_expected",
          "_attachments_expected", NULL, true },
    },
    [ODKS_FEED_DATASET] = {
        { "creatorName", "submitter", "_creator", NULL, false },
        { "conflict", "conflict", "_conflict", NULL, false },
        { "version", "version", "_version", NULL, true },
    },
};

const char *
odks_reconcile_select(enum odks_feed feed)
{
    /* of entities, Central gives most of __system only as a whole */
    return feed == ODKS_FEED_DATASET
               ? "__id,__system"
               : "__id,__system/submissionDate,__system/updatedAt,"
                 "__system/deletedAt,__system/reviewState,"
                 "__system/submitterName,__system/status,"
                 "__system/attachmentsPresent,__system/attachmentsExpected";
}

void
odks_keys_init(struct odks_keys *keys, enum odks_feed feed,
               const char *sync_type, enum odks_on_delete on_delete)
{
    *keys = (struct odks_keys){ .feed = feed,
                                .sync_type = sync_type,
                                .on_delete = on_delete,
                                .lines = ODKS_COPY_INIT(KEYS_MAX) };
}

void
odks_keys_clear(struct odks_keys *keys)
{
    odks_buf_free(&keys->lines.buf);
}

static const char *
text_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, key, &value)
        || !json_object_is_type(value, json_type_string))
        return NULL;
    return json_object_get_string(value);
}

/* A counter as a field: only a number can be one. */
static void
put_counter(struct odks_keys *keys, struct json_object *system, const char *key)
{
    struct json_object *value = NULL;

    (void) json_object_object_get_ex(system, key, &value);
    if (json_object_is_type(value, json_type_int))
        odks_copy_int(&keys->lines, json_object_get_int64(value));
    else
        odks_copy_null(&keys->lines);
}

static void
put_state(struct odks_keys *keys, struct json_object *system)
{
    for (const struct state *s = states[keys->feed]; s->key != NULL; s++) {
        const char *text = text_of(system, s->key);

        if (s->number)
            put_counter(keys, system, s->key);
        else
            odks_copy_put(&keys->lines, text != NULL ? text : s->none);
    }
}

/* A key and its state as a line; false: that is no key. */
static bool
put_key(struct odks_keys *keys, struct json_object *object)
{
    const char *const times[] = { odks_feed_names(keys->feed)->created,
                                  "updatedAt", "deletedAt" };
    struct json_object *system = NULL;
    const char *id = text_of(object, "__id");
    int64_t us;

    if (id == NULL || *id == '\0'
        || !json_object_object_get_ex(object, "__system", &system))
        return false;
    odks_copy_put(&keys->lines, keys->sync_type);
    CLEANUP_FREE char *short_id = odks_row_key(id);
    odks_copy_put(&keys->lines, short_id);
    for (size_t i = 0; i < 3; i++) {
        const char *text = text_of(system, times[i]);

        if (text == NULL ? i == 0 : !odks_time_parse(text, &us, NULL))
            return false;
        if (i == 2 && keys->on_delete == ODKS_DELETE_KEEP)
            text = NULL; /* as in the tables */
        odks_copy_put(&keys->lines, text);
    }
    put_state(keys, system);
    odks_copy_end(&keys->lines);
    return !keys->lines.full;
}

bool
odks_keys_add(struct odks_keys *keys, const char *row, size_t len,
              struct odks_err *err)
{
    size_t before = keys->lines.buf.len;
    CLEANUP_JSON struct json_object *object = NULL;

    if (!odks_json_parse(row, len, &object, NULL))
        object = NULL;
    odks_privacy_mask(keys->privacy, object);
    if (object != NULL && keys->feed == ODKS_FEED_DATASET
        && !odks_entity_adapt(object, keys->trash))
        return true;
    if (object != NULL && put_key(keys, object))
        return true;
    odks_copy_cut(&keys->lines, before);
    odks_err_set(err, ODKS_EXIT_DATA, "Central sent a key that cannot be read");
    return false;
}

bool
odks_keys_are_full(const struct odks_keys *keys)
{
    return keys->lines.buf.len >= FULL;
}

static char *
copy_statement(enum odks_feed feed)
{
    CLEANUP_BUF struct odks_buf columns = ODKS_BUF_INIT(ODKS_SQL_MAX);
    bool fits = true;

    for (const struct state *s = states[feed]; s->key != NULL; s++)
        fits = fits && odks_buf_printf(&columns, ", %s", s->column);
    assert(fits);
    return odks_xasprintf("COPY pg_temp.odks_stage_key (sync_type, id,"
                          " submitted_at, updated_at, deleted_at%s) FROM STDIN",
                          columns.data);
}

bool
odks_keys_flush(struct odks_keys *keys, struct odks_db *db,
                struct odks_err *err)
{
    if (keys->lines.buf.len == 0)
        return true;
    CLEANUP_FREE char *copy = copy_statement(keys->feed);
    CLEANUP_PGRESULT PGresult *stage =
        odks_db_query(db, &odks_sql_reconcile_stage, NULL, err);
    if (stage == NULL || !odks_db_copy(db, copy, &keys->lines.buf, err))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_reconcile_keep, NULL, err);
    if (res == NULL)
        return false;
    keys->kept += odks_db_int64(res, 0, 0);
    odks_copy_cut(&keys->lines, 0);
    return true;
}

char *
odks_keys_differ(enum odks_feed feed)
{
    CLEANUP_BUF struct odks_buf k = ODKS_BUF_INIT(ODKS_SQL_MAX);
    CLEANUP_BUF struct odks_buf t = ODKS_BUF_INIT(ODKS_SQL_MAX);
    bool fits = true;

    for (const struct state *s = states[feed]; s->key != NULL; s++)
        fits = fits && odks_buf_printf(&k, ", k.%s", s->column)
               && odks_buf_printf(&t, ", t.%s", s->ours);
    assert(fits);
    return odks_xasprintf("ROW(k.updated_at, k.deleted_at%s) IS DISTINCT FROM"
                          " ROW(t._updated_at, t._deleted_at%s)",
                          k.data, t.data);
}
