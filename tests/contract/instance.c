/* tests/contract/instance.c - SPDX-License-Identifier: Apache-2.0 */
/* A submission as XML: with the names of its form, as a device sent it. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "instance.h"

static struct json_object *
member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    if (json_object_is_type(o, json_type_object))
        (void) json_object_object_get_ex(o, name, &v);
    return v;
}

/*
 * What the data have for a field: under its own name, else under that of OData,
 * which goes for the last one of those that share it.
 */
static struct json_object *
value_of(struct json_object *o, const struct sc_field *f)
{
    struct json_object *v = member(o, f->raw);

    return v != NULL || f->shadowed ? v : member(o, f->name);
}

/*
 * What OData has under the name of the last field that has it: the last answer,
 * or the rows of all repeats. The caller puts it.
 */
struct json_object *
sc_shared_value(struct json_object *o, const struct sc_field *last)
{
    const struct sc_field *f = last->parent;
    struct json_object *found = NULL;

    for (size_t i = 0; i < f->nkids; i++) {
        struct json_object *v = value_of(o, f->kids[i]);

        if (v == NULL || strcmp(f->kids[i]->name, last->name) != 0)
            continue;
        if (!json_object_is_type(found, json_type_array)
            || !json_object_is_type(v, json_type_array)) {
            json_object_put(found);
            found = json_object_get(v);
            continue;
        }
        struct json_object *both = json_object_new_array();
        for (size_t j = 0; j < json_object_array_length(found); j++)
            json_object_array_add(
                both, json_object_get(json_object_array_get_idx(found, j)));
        for (size_t j = 0; j < json_object_array_length(v); j++)
            json_object_array_add(
                both, json_object_get(json_object_array_get_idx(v, j)));
        json_object_put(found);
        found = both;
    }
    return found;
}

static void
put_value(struct sc_buf *out, struct json_object *v)
{
    struct json_object *coordinates;

    if (json_object_is_type(v, json_type_object)
        && json_object_object_get_ex(v, "coordinates", &coordinates))
        sc_place_text(v, out);
    else
        sc_xml_text(out, json_object_get_string(v));
}

static void put_fields(struct sc_buf *out, const struct sc_field *f,
                       struct json_object *o);

static void
put_branch(struct sc_buf *out, const struct sc_field *f, struct json_object *o)
{
    sc_buf_fmt(out, "<%s>", sc_element(f));
    put_fields(out, f, o);
    sc_buf_fmt(out, "</%s>", sc_element(f));
}

static void
put_field(struct sc_buf *out, const struct sc_field *f, struct json_object *v)
{
    if (f->type == SC_STRUCTURE) {
        put_branch(out, f, v);
    } else if (f->type != SC_REPEAT) {
        sc_buf_fmt(out, "<%s>", sc_element(f));
        if (v != NULL)
            put_value(out, v);
        sc_buf_fmt(out, "</%s>", sc_element(f));
    } else if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++)
            put_branch(out, f, json_object_array_get_idx(v, i));
    }
}

static void
put_fields(struct sc_buf *out, const struct sc_field *f, struct json_object *o)
{
    for (size_t i = 0; i < f->nkids; i++) {
        if (f->parent != NULL || strcmp(f->kids[i]->name, "meta") != 0)
            put_field(out, f->kids[i], value_of(o, f->kids[i]));
    }
}

void
sc_instance_xml(const struct sc_version *v, const struct sc_rev *r,
                struct sc_buf *out)
{
    char *text = sc_rev_text(r);
    struct json_object *o = json_tokener_parse(text);

    sc_buf_str(out, "<?xml version=\"1.0\"?>\n<data><meta><instanceID>");
    sc_xml_text(out, r->instance_id);
    sc_buf_str(out, "</instanceID></meta>\n");
    put_fields(out, v->root, o);
    sc_buf_str(out, "</data>");
    json_object_put(o);
    free(text);
}
