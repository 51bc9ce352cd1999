/* lib/central/fields.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "core/err.h"
#include "core/mem.h"

enum {
    MAX_FIELDS_BODY = 16 * 1024 * 1024,
    MAX_FIELDS = 20000, /* each is compared with those around it */
    MAX_DEPTH = 64
};

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
field_new(const char *path, const char *name, enum odks_field_type type)
{
    struct odks_field *field = odks_xcalloc(1, sizeof(*field));

    field->path = odks_xstrdup(path);
    field->name = odks_xstrdup(name);
    field->type = type;
    return field;
}

void
odks_field_free(struct odks_field *root)
{
    if (root == NULL)
        return;
    for (size_t i = 0; i < root->child_count; i++)
        odks_field_free(root->child[i]); /* MAX_DEPTH deep at most */
    free(root->child);
    free(root->clash);
    free(root->name);
    free(root->path);
    free(root);
}

static struct odks_field *
find_child(const struct odks_field *field, const char *name, size_t len)
{
    for (size_t i = 0; i < field->child_count; i++) {
        const char *have = field->child[i]->name;

        if (strncmp(have, name, len) == 0 && have[len] == '\0')
            return field->child[i];
    }
    return NULL;
}

static bool
unusable(const char *path, const char *why, struct odks_err *err)
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

/* The group or repeat that path is in; *name its last part. */
static struct odks_field *
find_parent(struct odks_field *root, const char *path, const char **name,
            struct odks_err *err)
{
    struct odks_field *at = root;
    const char *part = path[0] == '/' ? path + 1 : "";

    for (int depth = 1; depth <= MAX_DEPTH; depth++) {
        size_t len = strcspn(part, "/");

        if (len == 0)
            break;
        if (part[len] == '\0') {
            *name = part;
            return at;
        }
        at = find_child(at, part, len);
        if (at == NULL || !is_branch(at))
            break;
        part += len + 1;
    }
    (void) unusable(path, "is in no group", err);
    return NULL;
}

/* Names that Central itself uses beside the fields. */
static bool
is_taken(const struct odks_field *parent, const char *name)
{
    if (strcmp(name, "__id") == 0)
        return parent->type == ODKS_FIELD_REPEAT || *parent->name == '\0';
    return strcmp(name, "__system") == 0 && *parent->name == '\0';
}

/* The path of field number i in list, or what else we know it by. */
static const char *
path_of(struct json_object *list, size_t i, const char *otherwise)
{
    if (!json_object_is_type(list, json_type_array)
        || i >= json_object_array_length(list))
        return otherwise;
    const char *path =
        odks_json_text(json_object_array_get_idx(list, i), "path");
    return *path != '\0' ? path : otherwise;
}

static bool
add_field(struct odks_field *root, struct json_object *json,
          struct odks_err *err)
{
    const char *path = odks_json_text(json, "path");
    const char *name = NULL;
    struct odks_field *parent = find_parent(root, path, &name, err);

    if (parent == NULL)
        return false;
    if (is_taken(parent, name)) {
        (void) unusable(path, "has a name that Central uses itself", err);
        odks_err_hint(err, "Rename it in the form and publish it.");
        return false;
    }
    parent->child = odks_xreallocarray(parent->child, parent->child_count + 1,
                                       sizeof(*parent->child));
    parent->child[parent->child_count++] = field_new(path, name, type_of(json));
    return true;
}

/* The number of the first field with that path. */
static size_t
first_of(struct json_object *list, const char *path)
{
    size_t i = 0;

    while (
        strcmp(odks_json_text(json_object_array_get_idx(list, i), "path"), path)
        != 0)
        i++;
    return i;
}

/* The field that has the path of json already, or NULL. */
static struct odks_field *
find_known(struct odks_field *root, struct json_object *json)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const char *name = NULL;
    struct odks_field *parent =
        find_parent(root, odks_json_text(json, "path"), &name, &ignored);

    return parent != NULL ? find_child(parent, name, strlen(name)) : NULL;
}

/*
 * Two questions share a key. A group or repeat wins over a leaf, for it has
 * fields of its own; leaves of two types meet in text, which takes both.
 */
static void
share(struct odks_field *field, enum odks_field_type type)
{
    struct odks_field other = { .type = type };

    if (is_branch(field))
        return;
    if (is_branch(&other))
        field->type = type;
    else if (field->type != type)
        field->type = ODKS_FIELD_TEXT;
}

/* Are the questions of a group or repeat above it mixed up, too? */
static bool
is_below_clash(const struct odks_field *root, const char *path)
{
    for (size_t i = 0; i < root->child_count; i++) {
        const struct odks_field *child = root->child[i];
        size_t len = strlen(child->path);

        if (strncmp(child->path, path, len) == 0 && path[len] == '/')
            return child->clash != NULL || is_below_clash(child, path);
    }
    return false;
}

static void
add_clash(struct odks_field *field, const char *one, const char *other)
{
    char *before = field->clash;

    field->clash = before != NULL ? odks_xasprintf("%s, %s", before, other)
                                  : odks_xasprintf("%s, %s", one, other);
    free(before);
}

struct odks_field *
odks_fields_build(struct json_object *list, struct json_object *raw,
                  size_t *clashes, struct odks_err *err)
{
    CLEANUP_FIELD struct odks_field *root = field_new("", "", ODKS_FIELD_GROUP);

    *clashes = 0;
    if (json_object_array_length(list) > MAX_FIELDS) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central's answer has more than %d fields", MAX_FIELDS);
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *json = json_object_array_get_idx(list, i);
        const char *path = odks_json_text(json, "path");
        struct odks_field *known = find_known(root, json);

        if (known == NULL) {
            if (!add_field(root, json, err))
                return NULL;
            continue;
        }
        share(known, type_of(json));
        if (is_below_clash(root, path))
            continue;
        add_clash(known, path_of(raw, first_of(list, path), path),
                  path_of(raw, i, path));
        (*clashes)++;
    }
    return odks_steal(&root);
}

/* The fields, and once more with the names of their author if it matters. */
static bool
build_named(struct odks_central *central, const char *raw_target,
            struct json_object *list, struct odks_field **root,
            struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *raw = NULL;
    size_t clashes;

    *root = odks_fields_build(list, NULL, &clashes, err);
    if (*root == NULL || clashes == 0
        || !odks_central_get(central, raw_target, &raw, NULL, &ignored))
        return *root != NULL;
    odks_field_free(*root);
    *root = odks_fields_build(list, raw, &clashes, err);
    return *root != NULL;
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
    CLEANUP_JSON struct json_object *list = NULL;

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
    return build_named(central, raw_target, list, root, err);
}
