/* lib/central/restore.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/restore.h"

#include <stdint.h>
#include <string.h>

#include "central/central.h"
#include "central/xml.h"
#include "core/buf.h"
#include "core/index.h"
#include "core/mem.h"
#include "core/sha1.h"

enum { MAX_TEXT = 1 << 30 };

static struct json_object *
get_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        (void) json_object_object_get_ex(object, name, &value);
    return value;
}

static const char *
key_of(const struct odks_field *field)
{
    return field->key != NULL ? field->key : field->name;
}

static void
copy_member(struct json_object *from, const char *key, struct json_object *to,
            const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(from, json_type_object)
        && json_object_object_get_ex(from, key, &value))
        (void) json_object_object_add(to, name, json_object_get(value));
}

/* --- what OData has ------------------------------------------------------- */

static void copy_fields(const struct odks_field *field,
                        struct json_object *from, struct json_object *to);

static struct json_object *
copy_repeat_row(const struct odks_field *field, struct json_object *from)
{
    if (!json_object_is_type(from, json_type_object))
        return json_object_get(from);
    struct json_object *row = json_object_new_object();

    copy_member(from, "__id", row, "__id");
    copy_fields(field, from, row);
    return row;
}

static struct json_object *
copy_branch(const struct odks_field *field, struct json_object *from)
{
    if (field->type == ODKS_FIELD_GROUP
        && json_object_is_type(from, json_type_object)) {
        struct json_object *group = json_object_new_object();

        copy_fields(field, from, group);
        return group;
    }
    if (field->type != ODKS_FIELD_REPEAT
        || !json_object_is_type(from, json_type_array))
        return json_object_get(from);
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(from); i++)
        (void) json_object_array_add(
            rows, copy_repeat_row(field, json_object_array_get_idx(from, i)));
    return rows;
}

/* Copy all but shared fields; groups that share a key are copied in part. */
static void
copy_fields(const struct odks_field *field, struct json_object *from,
            struct json_object *to)
{
    for (size_t i = 0; i < field->child_count; i++) {
        const struct odks_field *child = field->child[i];
        struct json_object *value = get_member(from, key_of(child));

        if (child->is_shared
            && (child->type != ODKS_FIELD_GROUP
                || !json_object_is_type(value, json_type_object)))
            continue;
        if (child->type == ODKS_FIELD_GROUP || child->type == ODKS_FIELD_REPEAT)
            (void) json_object_object_add(to, child->name,
                                          copy_branch(child, value));
        else
            copy_member(from, key_of(child), to, child->name);
    }
}

/* --- what the XML has ----------------------------------------------------- */

/* An element of the submission, with its fields and both objects. */
struct place {
    const struct odks_field *field;
    const struct odks_xml *element;
    struct json_object *from; /* of OData; NULL: it has none */
    struct json_object *to;
    struct odks_buf *way; /* the text that ids of repeat rows are made of */
};

static const char *
name_in_form(const struct odks_field *field)
{
    const char *step = strrchr(field->path, '/');

    return step != NULL ? step + 1 : field->path;
}

static void restore_fields(const struct place *at);

/* All text within an element, as it is. */
static void
collect_text(const struct odks_xml *element, struct odks_buf *b)
{
    for (const struct odks_xml *n = element->first; n != NULL; n = n->next) {
        if (n->text != NULL)
            (void) !odks_buf_add_str(b, n->text);
        else
            collect_text(n, b); /* ODKS_XML_DEPTH deep at most */
    }
}

static void
restore_leaf(const struct place *at)
{
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(MAX_TEXT);

    collect_text(at->element, &text);
    if (text.len > 0)
        (void) json_object_object_add(at->to, at->field->name,
                                      odks_restore_value(at->field, text.data));
}

static void
restore_group(const struct place *at)
{
    struct json_object *to = get_member(at->to, at->field->name);

    if (!json_object_is_type(to, json_type_object)) {
        to = json_object_new_object();
        (void) json_object_object_add(at->to, at->field->name, to);
    }
    size_t len = at->way->len;
    (void) !odks_buf_printf(at->way, "%%%%%s#", name_in_form(at->field));
    restore_fields(&(struct place){ at->field, at->element,
                                    get_member(at->from, key_of(at->field)), to,
                                    at->way });
    odks_buf_truncate(at->way, len);
}

/* Repeats that share a key have one list in OData, in the order of the XML. */
static struct json_object *
take_next_row(struct json_object *rows, size_t *number)
{
    *number = (uintptr_t) json_object_get_userdata(rows);
    json_object_set_userdata(rows, (void *) (uintptr_t) (*number + 1), NULL);
    return *number < json_object_array_length(rows)
               ? json_object_array_get_idx(rows, *number)
               : NULL;
}

/* A repeat row missing from OData, with the id that Central would compute. */
static struct json_object *
new_row(const struct place *at)
{
    struct json_object *row = json_object_new_object();
    char id[ODKS_SHA1_TEXT];

    odks_sha1(at->way->data, at->way->len, id);
    (void) json_object_object_add(row, "__id", json_object_new_string(id));
    return row;
}

static struct json_object *
append_row(const struct place *at, struct json_object *list,
           struct json_object *from)
{
    struct json_object *row =
        from != NULL ? copy_repeat_row(at->field, from) : new_row(at);

    (void) json_object_array_add(list, row);
    return row;
}

static void
restore_repeat_row(const struct place *at)
{
    struct json_object *rows = get_member(at->from, key_of(at->field));
    struct json_object *list = get_member(at->to, at->field->name);
    struct json_object *from = NULL, *to;
    size_t number = 0, len = at->way->len;

    if (json_object_is_type(rows, json_type_array))
        from = take_next_row(rows, &number);
    if (from == NULL && !at->field->is_shared)
        return;
    if (at->field->is_shared && list == NULL) {
        list = json_object_new_array();
        (void) json_object_object_add(at->to, at->field->name, list);
    }
    (void) !odks_buf_printf(
        at->way, "%%%%%s#%zu", name_in_form(at->field),
        at->field->is_shared ? json_object_array_length(list) : number);
    to = at->field->is_shared ? append_row(at, list, from)
                              : json_object_array_get_idx(list, number);
    if (json_object_is_type(to, json_type_object))
        restore_fields(
            &(struct place){ at->field, at->element, from, to, at->way });
    odks_buf_truncate(at->way, len);
}

/* In the order of the XML; a question that the form does not have is skipped.
 */
static void
restore_fields(const struct place *at)
{
    CLEANUP(odks_index_clear) struct odks_index names = { 0 };
    const struct odks_field *field = at->field;

    for (size_t i = 0; i < field->child_count; i++) {
        (void) odks_index_put(&names, name_in_form(field->child[i]), i);
    }
    for (const struct odks_xml *e = at->element->first; e != NULL;
         e = e->next) {
        size_t i;

        if (e->name == NULL || !odks_index_get(&names, e->name, &i))
            continue;
        const struct place child = { field->child[i], e, at->from, at->to,
                                     at->way };
        if (child.field->type == ODKS_FIELD_GROUP)
            restore_group(&child);
        else if (child.field->type == ODKS_FIELD_REPEAT)
            restore_repeat_row(&child);
        else if (child.field->is_shared)
            restore_leaf(&child);
    }
}

struct json_object *
odks_restore_row(const struct odks_field *fields, struct json_object *row,
                 const struct odks_xml *xml)
{
    struct json_object *whole = json_object_new_object();

    copy_member(row, "__id", whole, "__id");
    copy_member(row, "__system", whole, "__system");
    copy_member(row, "label", whole, "label"); /* of an entity */
    copy_fields(fields, row, whole);
    if (xml == NULL)
        return whole;
    CLEANUP_BUF struct odks_buf way = ODKS_BUF_INIT(MAX_TEXT);
    (void) !odks_buf_printf(&way, "Submissions#%s",
                            json_object_get_string(get_member(row, "__id")));
    restore_fields(&(struct place){ fields, xml, row, whole, &way });
    return whole;
}
