/* tests/contract/instance.c - SPDX-License-Identifier: Apache-2.0 */
/* A submission as XML: with the names of its form, as a device sent it. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "instance.h"

struct json_object *
sc_member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    if (json_object_is_type(o, json_type_object))
        (void) json_object_object_get_ex(o, name, &v);
    return v;
}

struct json_object *
sc_value_of(struct json_object *o, const struct sc_field *f)
{
    struct json_object *v = sc_member(o, f->raw);

    return v != NULL || f->shadowed ? v : sc_member(o, f->name);
}

static void
append_all(struct json_object *to, struct json_object *from)
{
    for (size_t i = 0; i < json_object_array_length(from); i++)
        json_object_array_add(
            to, json_object_get(json_object_array_get_idx(from, i)));
}

/* What Central makes of one value and another that comes under its key: texts
 * are put together, as are lists; of all else the last one stays. */
static struct json_object *
both_values(struct json_object *a, struct json_object *b, enum sc_type type)
{
    if (json_object_is_type(a, json_type_array)
        && json_object_is_type(b, json_type_array)) {
        struct json_object *both = json_object_new_array();

        append_all(both, a);
        append_all(both, b);
        return both;
    }
    bool is_text = type != SC_INT && type != SC_DECIMAL && type != SC_DATETIME
                   && json_object_is_type(b, json_type_string);
    if (a == NULL || !is_text)
        return json_object_get(b);
    struct sc_buf text = { 0 };
    sc_buf_str(&text, json_object_get_string(a));
    sc_buf_str(&text, json_object_get_string(b));
    struct json_object *both = json_object_new_string(text.p);
    sc_buf_free(&text);
    return both;
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
        struct json_object *v = sc_value_of(o, f->kids[i]);

        if (v == NULL || strcmp(f->kids[i]->name, last->name) != 0)
            continue;
        struct json_object *both = both_values(found, v, f->kids[i]->type);
        json_object_put(found);
        found = both;
    }
    return found;
}

/* A place as a device sends it: "lat lon alt accuracy", many with ";". */
static void
put_places(struct sc_buf *out, struct json_object *at, struct json_object *acc)
{
    struct json_object *first = json_object_array_get_idx(at, 0);

    if (json_object_is_type(first, json_type_array)) {
        /* a ring has its accuracies in one list, as a line has */
        bool ring = json_object_is_type(json_object_array_get_idx(first, 0),
                                        json_type_array);

        for (size_t i = 0; i < json_object_array_length(at); i++) {
            sc_buf_str(out, i > 0 ? ";" : "");
            put_places(out, json_object_array_get_idx(at, i),
                       ring ? acc : json_object_array_get_idx(acc, i));
        }
        return;
    }
    sc_buf_fmt(out, "%s",
               json_object_get_string(json_object_array_get_idx(at, 1)));
    sc_buf_fmt(out, " %s", json_object_get_string(first));
    if (json_object_array_length(at) > 2)
        sc_buf_fmt(out, " %s",
                   json_object_get_string(json_object_array_get_idx(at, 2)));
    if (acc != NULL)
        sc_buf_fmt(out, " %s", json_object_get_string(acc));
}

void
sc_place_text(struct json_object *v, struct sc_buf *out)
{
    struct json_object *properties = sc_member(v, "properties");
    struct json_object *acc = sc_member(properties, "accuracies");

    put_places(out, sc_member(v, "coordinates"),
               acc != NULL ? acc : sc_member(properties, "accuracy"));
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
            put_field(out, f->kids[i], sc_value_of(o, f->kids[i]));
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
