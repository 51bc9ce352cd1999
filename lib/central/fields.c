/* lib/central/fields.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "central/internal.h"
#include "central/xform.h"
#include "core/err.h"
#include "core/index.h"
#include "core/mem.h"

enum { MAX_FIELDS_BODY = 16 * 1024 * 1024, MAX_FIELDS = 20000, MAX_DEPTH = 64 };

static const struct {
    const char *name;
    enum odks_field_type type;
} types[] = {
    { "int", ODKS_FIELD_INT },
    { "decimal", ODKS_FIELD_DECIMAL },
    { "boolean", ODKS_FIELD_BOOLEAN },
    { "date", ODKS_FIELD_DATE },
    { "time", ODKS_FIELD_TIME },
    { "dateTime", ODKS_FIELD_DATETIME },
    { "geopoint", ODKS_FIELD_GEOPOINT },
    { "geotrace", ODKS_FIELD_GEOTRACE },
    { "geoshape", ODKS_FIELD_GEOSHAPE },
    { "binary", ODKS_FIELD_BINARY },
    { "structure", ODKS_FIELD_GROUP },
    { "repeat", ODKS_FIELD_REPEAT },
    { "odk:rank", ODKS_FIELD_SELECT_MULTIPLE },
};

/* Text is what we do not know better. */
static enum odks_field_type
type_of(struct json_object *json)
{
    const char *name = odks_json_text(json, "type");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    if (json_object_get_boolean(odks_json_member(json, "selectMultiple")))
        return ODKS_FIELD_SELECT_MULTIPLE;
    if (json_object_get_boolean(odks_json_member(json, "binary")))
        return ODKS_FIELD_BINARY;
    return ODKS_FIELD_TEXT;
}

static struct odks_field *
new_field(const char *path, const char *odata, const char *name,
          const char *key)
{
    struct odks_field *field = odks_xcalloc(1, sizeof(*field));

    field->name = odks_xstrdup(name);
    field->path = odks_xstrdup(path);
    if (strcmp(key, name) != 0)
        field->key = odks_xstrdup(key);
    if (strcmp(odata, path) != 0)
        field->odata = odks_xstrdup(odata);
    return field;
}

const char *
odks_field_odata(const struct odks_field *field)
{
    return field->odata != NULL ? field->odata : field->path;
}

void
odks_field_free(struct odks_field *root)
{
    if (root == NULL)
        return;
    for (size_t i = 0; i < root->child_count; i++)
        odks_field_free(root->child[i]); /* MAX_DEPTH deep at most */
    free(root->child);
    free(root->key);
    free(root->odata);
    free(root->name);
    free(root->path);
    free(root);
}

struct odks_field *
odks_field_copy(const struct odks_field *field)
{
    struct odks_field *copy = odks_xcalloc(1, sizeof(*copy));

    *copy = *field;
    copy->name = odks_xstrdup(field->name);
    copy->path = odks_xstrdup(field->path);
    copy->key = field->key != NULL ? odks_xstrdup(field->key) : NULL;
    copy->odata = field->odata != NULL ? odks_xstrdup(field->odata) : NULL;
    copy->child = odks_xcalloc(field->child_count, sizeof(struct odks_field *));
    copy->child_size = field->child_count;
    for (size_t i = 0; i < field->child_count; i++)
        copy->child[i] = odks_field_copy(field->child[i]);
    return copy;
}

const struct odks_field *
odks_field_shared(const struct odks_field *root)
{
    /* OData contains the children of groups that share a key */
    bool own = root->is_shared && root->type != ODKS_FIELD_GROUP;
    const struct odks_field *found = own ? root : NULL;

    for (size_t i = 0; found == NULL && i < root->child_count; i++)
        found = odks_field_shared(root->child[i]);
    return found;
}

bool
odks_field_has_key(const struct odks_field *root)
{
    bool found = root->key != NULL;

    for (size_t i = 0; !found && i < root->child_count; i++)
        found = odks_field_has_key(root->child[i]);
    return found;
}

void
odks_field_share_all(struct odks_field *root)
{
    root->is_shared = true;
    for (size_t i = 0; i < root->child_count; i++)
        odks_field_share_all(root->child[i]);
}

const struct odks_field *
odks_field_lost(const struct odks_field *root)
{
    const struct odks_field *found = root->is_lost ? root : NULL;

    for (size_t i = 0; found == NULL && i < root->child_count; i++)
        found = odks_field_lost(root->child[i]);
    return found;
}

static bool
refuse_field(const char *path, const char *why, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_DATA,
                 "the form's definition cannot be used: %s %s",
                 *path != '\0' ? path : "a field without a path", why);
    return false;
}

static bool
is_branch(const struct odks_field *field)
{
    return field->type == ODKS_FIELD_GROUP || field->type == ODKS_FIELD_REPEAT;
}

/* The fields that have the same path in OData. */
struct sharing {
    size_t count;
    unsigned kinds; /* bits: leaf, group, repeat */
};

/* A list of fields while its tree is built. */
struct builder {
    struct json_object *list, *raw;
    struct odks_index paths;  /* of OData -> sharing */
    struct sharing *sharing;  /* by the first number */
    struct odks_index fields; /* raw path -> number */
    struct odks_field **field;
    struct odks_field *root;
    struct odks_err *err;
};

static const char *
get_path(struct json_object *list, size_t i)
{
    return odks_json_text(json_object_array_get_idx(list, i), "path");
}

static const char *
last_step(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Can a name differ from that in the form? OData replaces characters by "_". */
static bool
may_be_renamed(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (strchr(get_path(list, i), '_') != NULL)
            return true;
    }
    return false;
}

static unsigned
kind_of(struct json_object *json)
{
    enum odks_field_type type = type_of(json);

    if (type == ODKS_FIELD_GROUP)
        return 2;
    return type == ODKS_FIELD_REPEAT ? 4 : 1;
}

static void
count_sharing(struct builder *b, size_t count)
{
    b->sharing = odks_xcalloc(count, sizeof(*b->sharing));
    for (size_t i = 0; i < count; i++) {
        size_t first = i;

        if (!odks_index_put(&b->paths, get_path(b->list, i), i))
            (void) odks_index_get(&b->paths, get_path(b->list, i), &first);
        b->sharing[first].count++;
        b->sharing[first].kinds |=
            kind_of(json_object_array_get_idx(b->list, i));
    }
}

/* The group or repeat that a field is in, NULL if there is none. */
static struct odks_field *
find_parent(const struct builder *b, const char *raw)
{
    size_t depth = 0, i;

    for (const char *p = raw; *p != '\0'; p++)
        depth += *p == '/';
    if (raw[0] != '/' || last_step(raw)[0] == '\0' || depth > MAX_DEPTH)
        return NULL;
    CLEANUP_FREE char *above =
        odks_xstrndup(raw, (size_t) (last_step(raw) - raw) - 1);
    if (*above == '\0')
        return b->root;
    if (!odks_index_get(&b->fields, above, &i) || !is_branch(b->field[i]))
        return NULL;
    return b->field[i];
}

/* Names that Central itself uses beside the fields. */
static bool
is_taken(const struct odks_field *parent, const char *name)
{
    if (strcmp(name, "__id") == 0)
        return parent->type == ODKS_FIELD_REPEAT || *parent->name == '\0';
    return strcmp(name, "__system") == 0 && *parent->name == '\0';
}

/*
 * What is in a group or repeat whose key a question has, too, is in no object
 * of OData.
 */
static void
mark_shared(const struct odks_field *parent, struct odks_field *field,
            const struct sharing *sharing)
{
    bool mixed = (sharing->kinds & (sharing->kinds - 1)) != 0;
    field->is_shared = sharing->count > 1 || parent->is_lost;
    field->is_lost = is_branch(field) && (mixed || parent->is_lost);
}

/* Groups were marked only to mark their children. */
static void
unmark_groups(struct odks_field *field)
{
    if (field->type == ODKS_FIELD_GROUP)
        field->is_lost = false;
    for (size_t i = 0; i < field->child_count; i++)
        unmark_groups(field->child[i]);
}

static void
add_child(struct odks_field *parent, struct odks_field *field)
{
    if (parent->child_count == parent->child_size) {
        parent->child_size =
            parent->child_size > 0 ? 2 * parent->child_size : 8;
        parent->child = odks_xreallocarray(parent->child, parent->child_size,
                                           sizeof(*parent->child));
    }
    parent->child[parent->child_count++] = field;
}

static bool
add_field(struct builder *b, size_t i)
{
    const char *path = get_path(b->list, i), *key = last_step(path);
    const char *raw = b->raw != NULL ? get_path(b->raw, i) : path;
    struct odks_field *parent = find_parent(b, raw);
    CLEANUP_FREE char *clean = odks_xform_odata_path(raw);
    size_t first = 0;

    if (strcmp(clean, path) != 0 && b->raw != NULL)
        return refuse_field(path, "has two different names", b->err);
    if (parent == NULL)
        return refuse_field(raw, "is in no group", b->err);
    if (is_taken(parent, key)) {
        CLEANUP_FREE char *why = odks_xasprintf(
            "has the name %s in OData, which Central uses itself", key);
        (void) refuse_field(raw, why, b->err);
        odks_err_hint(b->err, "Rename it in the form and publish it.");
        return false;
    }
    if (!odks_index_put(&b->fields, raw, i)) {
        (void) refuse_field(raw, "comes twice", b->err);
        odks_err_hint(b->err, "Rename one of them in the form and publish it.");
        return false;
    }
    (void) odks_index_get(&b->paths, path, &first);
    const struct sharing *sharing = &b->sharing[first];
    struct odks_field *field =
        new_field(raw, path, sharing->count > 1 ? last_step(raw) : key, key);
    field->type = type_of(json_object_array_get_idx(b->list, i));
    mark_shared(parent, field, sharing);
    add_child(parent, field);
    b->field[i] = field;
    return true;
}

struct odks_field *
odks_fields_build(struct json_object *list, struct json_object *raw,
                  struct odks_err *err)
{
    size_t count = json_object_array_length(list);

    if (count > MAX_FIELDS) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central's answer has more than %d fields", MAX_FIELDS);
        return NULL;
    }
    CLEANUP_FIELD struct odks_field *root = new_field("", "", "", "");
    struct builder b = { .list = list, .raw = raw, .root = root, .err = err };
    bool ok = raw == NULL
              || (json_object_is_type(raw, json_type_array)
                  && json_object_array_length(raw) == count);

    root->type = ODKS_FIELD_GROUP;
    if (!ok)
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central's two lists of the form's fields differ");
    count_sharing(&b, count);
    b.field = odks_xcalloc(count, sizeof(*b.field));
    for (size_t i = 0; ok && i < count; i++)
        ok = add_field(&b, i);
    unmark_groups(root);
    odks_index_clear(&b.paths);
    odks_index_clear(&b.fields);
    free(b.sharing);
    free(b.field);
    return ok ? odks_steal(&root) : NULL;
}

bool
odks_central_fields(struct odks_central *central, int64_t project,
                    const char *form_id, struct odks_field **root,
                    struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(form_id);
    CLEANUP_FREE char *raw_target =
        odks_xasprintf("/v1/projects/%" PRId64 "/forms/%s/fields", project, id);
    CLEANUP_FREE char *target = odks_xasprintf("%s?odata=true", raw_target);
    CLEANUP_JSON struct json_object *list = NULL, *raw = NULL;

    *root = NULL;
    {
        CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

        if (!odks_central_feed_request(central, ODKS_FEED_FORM, project,
                                       form_id, target, &response, err)
            || !odks_central_read_json(response, MAX_FIELDS_BODY, &list, err))
            return false;
    }
    if (!json_object_is_type(list, json_type_array)) {
        odks_central_unlike(central, "no list of fields", err);
        return false;
    }
    if (may_be_renamed(list)
        && !odks_central_get(central, raw_target, &raw, NULL, err))
        return false;
    *root = odks_fields_build(list, raw, err);
    return *root != NULL;
}
