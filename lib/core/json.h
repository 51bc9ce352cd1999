/* lib/core/json.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON, and owners of json-c objects that release themselves.
 *
 * Everything that parses JSON does it here. json-c decides from version to
 * version what its strict mode refuses, and that of 0.18 refuses every letter
 * outside ASCII. So the text is checked before json-c sees it, and json-c only
 * builds the objects.
 */
#ifndef ODKS_CORE_JSON_H
#define ODKS_CORE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

ODKS_DEFINE_CLEANUP(json, struct json_object *, json_object_put)
#define CLEANUP_JSON CLEANUP(odks_cleanup_json)

enum { ODKS_JSON_DEPTH = 64 }; /* of arrays and objects in each other */

/* Why a text cannot be read. */
struct odks_json_fault {
    const char *what; /* static: "invalid number"; NULL: nothing is wrong */
    size_t at;        /* bytes before the place */
    bool cut;         /* the text ends too early and is right up to there */
};

/*
 * Parse a text that is one JSON value as RFC 8259 defines it, in UTF-8, with
 * white space around it. What json-c might accept beyond that is refused, and
 * so is deeper nesting. An integer beyond 64 bits becomes the nearest one that
 * fits; a number with a decimal point or an exponent keeps its text. \u0000
 * becomes a NUL in a string, and the end of the name of a member.
 *
 * The caller puts *json, which is NULL for the value null, as everywhere in
 * json-c. fault may be NULL.
 */
ODKS_MUST_CHECK bool odks_json_parse(const char *text, size_t len,
                                     struct json_object **json,
                                     struct odks_json_fault *fault);

/*
 * The same of a string, for callers that need no reason: NULL when it cannot
 * be read.
 */
struct json_object *odks_json_read(const char *text);

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
