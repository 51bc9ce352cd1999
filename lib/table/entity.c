/* lib/table/entity.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/entity.h"

#include <string.h>

#include "table/stage.h"

static bool
is_empty(struct json_object *value)
{
    return json_object_is_type(value, json_type_string)
           && json_object_get_string_len(value) == 0;
}

bool
odks_entity_adapt(struct json_object *row, const struct odks_trash *trash)
{
    struct json_object *system = odks_row_member(row, "__system");
    bool plain = json_object_is_type(system, json_type_object);
    const char *id = odks_row_id(row);

    json_object_object_foreach(row, key, value)
    {
        if (is_empty(value) && strcmp(key, "label") != 0
            && strcmp(key, "__id") != 0)
            (void) json_object_object_add(row, key, NULL);
    }
    if (trash == NULL || id == NULL || !plain)
        return true; /* what is no entity is found out later on */
    const char *deleted = odks_trash_find(trash, id);
    if (deleted != NULL)
        (void) json_object_object_add(system, "deletedAt",
                                      json_object_new_string(deleted));
    return deleted != NULL;
}
