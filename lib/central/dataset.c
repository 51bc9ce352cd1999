/* lib/central/dataset.c - SPDX-License-Identifier: Apache-2.0 */
/* Datasets: their properties, and what their rows do not tell. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "central/internal.h"
#include "central/scan.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/time.h"

enum { MAX_DATASET = 16 * 1024 * 1024, UUID_LEN = 36 };

/* --- properties ----------------------------------------------------------- */

static char *
hash_of(struct json_object *properties)
{
    uint64_t hash = ODKS_HASH_INIT;

    for (size_t i = 0; i < json_object_array_length(properties); i++) {
        struct json_object *p = json_object_array_get_idx(properties, i);

        hash = odks_hash_text(hash, odks_json_text(p, "name"));
        hash = odks_hash_text(hash, odks_json_text(p, "odataName"));
    }
    return odks_xasprintf("%016" PRIx64, hash);
}

/* The properties as a list of fields, under their names by that key. */
static struct json_object *
fields_of(struct json_object *properties, const char *key)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(properties); i++) {
        struct json_object *field = json_object_new_object();
        CLEANUP_FREE char *path = odks_xasprintf(
            "/%s",
            odks_json_text(json_object_array_get_idx(properties, i), key));

        (void) json_object_object_add(field, "path",
                                      json_object_new_string(path));
        (void) json_object_array_add(list, field);
    }
    return list;
}

static struct odks_field *
build(struct json_object *properties, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *list = fields_of(properties, "odataName");
    CLEANUP_JSON struct json_object *raw = fields_of(properties, "name");
    struct odks_field *root = odks_fields_build(list, raw, err);

    for (size_t i = 0; root != NULL && i < root->child_count; i++) {
        if (strcmp(root->child[i]->name, "geometry") == 0)
            root->child[i]->type = ODKS_FIELD_PLACE;
    }
    return root;
}

static bool
take(const struct odks_central *central, struct json_object *json, int64_t date,
     struct odks_form *dataset, struct odks_field **properties,
     struct odks_err *err)
{
    struct json_object *list = odks_json_member(json, "properties");

    if (*odks_json_text(json, "name") == '\0' || date == ODKS_TIME_NONE
        || !json_object_is_type(list, json_type_array)) {
        odks_central_unlike(central,
                            date == ODKS_TIME_NONE
                                ? "a dataset without a Date header"
                                : "a dataset without name or properties",
                            err);
        return false;
    }
    *properties = build(list, err);
    if (*properties == NULL)
        return false;
    dataset->id = odks_xstrdup(odks_json_text(json, "name"));
    dataset->name = odks_xstrdup(odks_json_text(json, "name"));
    dataset->hash = hash_of(list);
    dataset->state = odks_xstrdup("");
    dataset->date = date;
    if (!odks_time_parse(odks_json_text(json, "lastUpdate"), &dataset->touched,
                         NULL))
        dataset->touched = ODKS_TIME_NONE;
    return true;
}

bool
odks_central_dataset(struct odks_central *central, int64_t project,
                     const char *name, struct odks_form *dataset,
                     struct odks_field **properties, struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(name);
    CLEANUP_FREE char *target =
        odks_xasprintf("/v1/projects/%" PRId64 "/datasets/%s", project, id);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    CLEANUP_JSON struct json_object *json = NULL;

    *dataset = (struct odks_form){ 0 };
    *properties = NULL;
    return odks_central_feed_request(central, ODKS_FEED_DATASET, project, name,
                                     target, &response, err)
           && odks_central_read_json(response, MAX_DATASET, &json, err)
           && take(central, json, odks_http_date(response), dataset, properties,
                   err);
}

/* --- the trash ------------------------------------------------------------ */

struct deletion {
    char id[UUID_LEN + 1];
    char at[ODKS_TIME_TEXT];
};

struct odks_trash {
    struct deletion *entry; /* by id */
    size_t count, size;
};

void
odks_trash_free(struct odks_trash *trash)
{
    if (trash == NULL)
        return;
    free(trash->entry);
    free(trash);
}

static int
by_id(const void *a, const void *b)
{
    const struct deletion *x = a, *y = b;

    return strcmp(x->id, y->id);
}

const char *
odks_trash_find(const struct odks_trash *trash, const char *id)
{
    struct deletion key;

    if (trash->count == 0 || strlen(id) > UUID_LEN)
        return NULL;
    (void) snprintf(key.id, sizeof(key.id), "%s", id);
    const struct deletion *found =
        bsearch(&key, trash->entry, trash->count, sizeof(key), by_id);
    return found != NULL ? found->at : NULL;
}

/* An entity of the list; the text of a row is whole. */
static bool
add(struct odks_trash *trash, const char *row, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *json = odks_json_read(row);
    const char *id = odks_json_text(json, "uuid");
    const char *at = odks_json_text(json, "deletedAt");
    int64_t us;

    if (strlen(id) != UUID_LEN || strlen(at) >= ODKS_TIME_TEXT
        || !odks_time_parse(at, &us, NULL)) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central sent a deleted entity without uuid or deletedAt");
        odks_err_hint(err, "That is a fault of Central, or of a proxy in "
                           "between; the next run reads it again.");
        return false;
    }
    if (trash->count == trash->size) {
        trash->size = trash->size > 0 ? 2 * trash->size : 64;
        trash->entry = odks_xreallocarray(trash->entry, trash->size,
                                          sizeof(*trash->entry));
    }
    struct deletion *entry = &trash->entry[trash->count++];
    (void) snprintf(entry->id, sizeof(entry->id), "%s", id);
    (void) snprintf(entry->at, sizeof(entry->at), "%s", at);
    return true;
}

static bool
feed(struct odks_scan *scan, const char *data, size_t len,
     struct odks_trash *trash, struct odks_err *err)
{
    while (len > 0) {
        bool complete;

        if (!odks_scan_feed(scan, &data, &len, &complete, err)
            || (complete && !add(trash, scan->row.data, err)))
            return false;
    }
    return true;
}

/*
 * The list is as long as the trash, so it is read as a feed is; it only has
 * no envelope. That is closed where the list is: else the end is missing.
 */
static bool
read_list(struct odks_http_response *response, struct odks_scan *scan,
          struct odks_trash *trash, struct odks_err *err)
{
    static const char head[] = "{\"value\":", tail[] = "}";
    const char *data;
    size_t len;
    bool any = false;

    if (!feed(scan, head, strlen(head), trash, err))
        return false;
    do {
        if (!odks_http_read(response, &data, &len, err)
            || !feed(scan, data, len, trash, err))
            return false;
        any |= len > 0;
    } while (len > 0);
    bool closed = any && scan->state == ODKS_SCAN_ENVELOPE && scan->depth == 1;
    return (!closed || feed(scan, tail, strlen(tail), trash, err))
           && odks_scan_end(scan, err);
}

bool
odks_central_trash(struct odks_central *central, int64_t project,
                   const char *name, struct odks_trash **trash,
                   struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(name);
    CLEANUP_FREE char *target = odks_xasprintf(
        "/v1/projects/%" PRId64 "/datasets/%s/entities?deleted=true", project,
        id);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    struct odks_trash *all;
    struct odks_scan scan;

    *trash = NULL;
    if (!odks_central_feed_request(central, ODKS_FEED_DATASET, project, name,
                                   target, &response, err))
        return false;
    all = odks_xcalloc(1, sizeof(*all));
    odks_scan_init(&scan, central->login->max_row_bytes);
    scan.what = odks_feed_names(ODKS_FEED_DATASET);
    bool ok = read_list(response, &scan, all, err);
    odks_scan_free(&scan);
    if (!ok) {
        odks_trash_free(all);
        return false;
    }
    if (all->count > 0)
        qsort(all->entry, all->count, sizeof(*all->entry), by_id);
    *trash = all;
    return true;
}
