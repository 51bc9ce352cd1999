/* tests/contract/spoil.c - SPDX-License-Identifier: Apache-2.0 */
/* Answers with something else in one place, as a scripted rule wants. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "standin.h"

static void
put(struct json_object *in, struct json_object *key, struct json_object *value,
    bool gone)
{
    if (json_object_is_type(in, json_type_array)) {
        size_t i = (size_t) json_object_get_int64(key);

        if (gone)
            json_object_array_del_idx(in, i, 1);
        else
            json_object_array_put_idx(in, i, json_object_get(value));
    } else if (json_object_is_type(in, json_type_object)) {
        if (gone)
            json_object_object_del(in, json_object_get_string(key));
        else
            json_object_object_add(in, json_object_get_string(key),
                                   json_object_get(value));
    }
}

static struct json_object *
step(struct json_object *in, struct json_object *key)
{
    struct json_object *next = NULL;

    if (json_object_is_type(in, json_type_array))
        return json_object_array_get_idx(in,
                                         (size_t) json_object_get_int64(key));
    if (json_object_is_type(in, json_type_object))
        (void) json_object_object_get_ex(in, json_object_get_string(key),
                                         &next);
    return next;
}

/* "put": {"at": [key or index, ...], "value": any}; no value: take it out. */
void
sc_spoil_body(const struct sc_request *q, struct sc_buf *body)
{
    struct json_object *wish = sc_action(q, "put"), *at = NULL, *value = NULL;

    if (wish == NULL)
        return;
    struct json_object *root = json_tokener_parse(body->p);
    bool gone = !json_object_object_get_ex(wish, "value", &value);
    (void) json_object_object_get_ex(wish, "at", &at);
    size_t depth = json_object_array_length(at);
    struct json_object *in = root;

    for (size_t i = 0; i + 1 < depth; i++)
        in = step(in, json_object_array_get_idx(at, i));
    if (depth > 0) {
        put(in, json_object_array_get_idx(at, depth - 1), value, gone);
    } else {
        json_object_put(root);
        root = json_object_get(value);
    }
    body->len = 0;
    if (depth > 0 || !gone)
        sc_buf_str(
            body, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
    json_object_put(root);
}

/* "headers": {"Date": text, or null for none}. */
void
sc_spoil_headers(const struct sc_request *q, struct MHD_Response *r)
{
    struct json_object *wish = sc_action(q, "headers");

    if (!json_object_is_type(wish, json_type_object))
        return;
    json_object_object_foreach(wish, key, value)
    {
        const char *old = MHD_get_response_header(r, key);

        if (old != NULL)
            (void) MHD_del_response_header(r, key, old);
        if (value != NULL)
            sc_reply_header(r, key, json_object_get_string(value));
    }
}

/* "ignore": the query options that the server does not look at. */
bool
sc_spoil_ignores(const struct sc_request *q, const char *option)
{
    struct json_object *wish = sc_action(q, "ignore");

    for (size_t i = 0; wish != NULL && i < json_object_array_length(wish); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(wish, i)),
                   option)
            == 0)
            return true;
    return false;
}
