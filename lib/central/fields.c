/* lib/central/fields.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "core/err.h"
#include "core/mem.h"

enum { MAX_FIELDS_BODY = 16 * 1024 * 1024, MAX_DEPTH = 64 };

static const struct {
    const char *name;
    enum odks_field_type type;
} types[] = {
    { "int", ODKS_FIELD_INT },           { "decimal", ODKS_FIELD_DECIMAL },
    { "boolean", ODKS_FIELD_BOOLEAN },   { "date", ODKS_FIELD_DATE },
    { "time", ODKS_FIELD_TIME },         { "dateTime", ODKS_FIELD_DATETIME },
    { "geopoint", ODKS_FIELD_GEOPOINT }, { "geotrace", ODKS_FIELD_GEOTRACE },
    { "geoshape", ODKS_FIELD_GEOSHAPE }, { "binary", ODKS_FIELD_BINARY },
    { "structure", ODKS_FIELD_GROUP },   { "repeat", ODKS_FIELD_REPEAT },
};

/* Text is what we do not know better. */
static enum odks_field_type
type_of(struct json_object *json)
{
    const char *name = odks_json_text(json, "type");
    struct json_object *value;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    if (json_object_object_get_ex(json, "selectMultiple", &value)
        && json_object_get_boolean(value))
        return ODKS_FIELD_SELECT_MULTIPLE;
    if (json_object_object_get_ex(json, "binary", &value)
        && json_object_get_boolean(value))
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
                 "the form's definition cannot be used: %s %s", path, why);
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

/* Fields number i and j have one key; name them as their author wrote them. */
static void
collision(struct odks_central *central, const char *raw_target,
          const char *path, size_t i, size_t j, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *raw = NULL;

    if (!odks_central_get(central, raw_target, &raw, NULL, &ignored))
        raw = NULL;
    odks_err_set(err, ODKS_EXIT_DATA,
                 "Central mixes up two questions of the form, %s and %s: it "
                 "hands out both as %s",
                 path_of(raw, i, path), path_of(raw, j, path), path);
    odks_err_hint(err, "Rename one of them in the form and publish it.");
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

/* Is there already a field with the path of json? */
static bool
is_known(struct odks_field *root, struct json_object *json)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const char *name = NULL;
    struct odks_field *parent =
        find_parent(root, odks_json_text(json, "path"), &name, &ignored);

    return parent != NULL && find_child(parent, name, strlen(name)) != NULL;
}

static struct odks_field *
build(struct odks_central *central, const char *raw_target,
      struct json_object *list, struct odks_err *err)
{
    CLEANUP_FIELD struct odks_field *root = field_new("", "", ODKS_FIELD_GROUP);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *json = json_object_array_get_idx(list, i);

        if (is_known(root, json)) {
            const char *path = odks_json_text(json, "path");

            collision(central, raw_target, path, first_of(list, path), i, err);
            return NULL;
        }
        if (!add_field(root, json, err))
            return NULL;
    }
    return odks_steal(&root);
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

        if (!odks_central_form_request(central, project, form_id, target,
                                       &response, err)
            || !odks_central_read_json(response, MAX_FIELDS_BODY, &list, err))
            return false;
    }
    if (!json_object_is_type(list, json_type_array)) {
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "%s does not answer like ODK Central: the fields are no "
                     "list",
                     central->login->http.origin);
        return false;
    }
    *root = build(central, raw_target, list, err);
    return *root != NULL;
}
