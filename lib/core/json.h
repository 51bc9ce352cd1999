/* lib/core/json.h - SPDX-License-Identifier: Apache-2.0 */
/* Owners of json-c objects that release themselves. */
#ifndef ODKS_CORE_JSON_H
#define ODKS_CORE_JSON_H

#include <json-c/json.h>

#include "core/cleanup.h"

ODKS_DEFINE_CLEANUP(json, struct json_object *, json_object_put)
#define CLEANUP_JSON CLEANUP(odks_cleanup_json)

/*
 * What a peer's JSON has under key, whatever it sent; borrowed. A member is
 * NULL, and its text "", where json is no object, has no such key, or null
 * there. The text of what is no string is its JSON.
 */
static inline struct json_object *
odks_json_member(struct json_object *json, const char *key)
{
    struct json_object *value = NULL;

    if (json_object_is_type(json, json_type_object))
        (void) json_object_object_get_ex(json, key, &value);
    return value;
}

static inline const char *
odks_json_text(struct json_object *json, const char *key)
{
    const char *text = json_object_get_string(odks_json_member(json, key));

    return text != NULL ? text : "";
}

#endif
