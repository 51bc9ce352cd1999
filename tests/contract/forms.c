/* tests/contract/forms.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms: the tree of their fields and the documents about them.
 *
 * A form is described in JSON: "name:type" is a field (string if there is
 * no type), {"name": [...]} a group, {"name[]": [...]} a repeat.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

static const char *const type_names[] = {
    "string",    "int",      "decimal",  "boolean",  "date",    "time",
    "dateTime",  "geopoint", "geotrace", "geoshape", "barcode", "binary",
    "structure", "repeat",   "unknown",  "odk:rank",
};

static struct sc_field *
field_new(struct sc_field *parent, const char *raw, size_t n)
{
    struct sc_field *f = sc_alloc(sizeof(*f));
    struct sc_buf name = { 0 };

    f->raw = sc_alloc(n + 1);
    memcpy(f->raw, raw, n);
    sc_sanitise(f->raw, &name);
    f->name = name.p;
    f->parent = parent;
    parent->kids = realloc(parent->kids, (parent->nkids + 1) * sizeof(f));
    if (parent->kids == NULL)
        abort();
    for (size_t i = 0; i < parent->nkids; i++)
        if (strcmp(parent->kids[i]->name, f->name) == 0)
            parent->kids[i]->shadowed = true;
    parent->kids[parent->nkids++] = f;
    return f;
}

static bool
leaf_type(struct sc_field *f, const char *type)
{
    if (strcmp(type, "selectMultiple") == 0) {
        f->multiple = true;
        return true;
    }
    if (strcmp(type, "select") == 0) {
        f->select = true;
        return true;
    }
    for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++)
        if (strcmp(type, type_names[i]) == 0) {
            f->type = (enum sc_type) i;
            return true;
        }
    return false;
}

static bool
fields_read(struct sc_field *parent, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);

        if (json_object_is_type(o, json_type_object)) {
            json_object_object_foreach(o, key, kids)
            {
                size_t n = strlen(key);
                bool rep = n > 2 && strcmp(key + n - 2, "[]") == 0;
                struct sc_field *f = field_new(parent, key, rep ? n - 2 : n);

                f->type = rep ? SC_REPEAT : SC_STRUCTURE;
                if (!fields_read(f, kids))
                    return false;
            }
        } else {
            const char *s = json_object_get_string(o);
            const char *colon = s != NULL ? strchr(s, ':') : NULL;

            if (s == NULL || *s == '\0')
                return false;
            struct sc_field *f =
                field_new(parent, s, colon ? (size_t) (colon - s) : strlen(s));
            if (colon != NULL && !leaf_type(f, colon + 1))
                return false;
        }
    }
    return true;
}

static void
number(struct sc_field *f, size_t *next)
{
    f->index = (*next)++;
    for (size_t i = 0; i < f->nkids; i++)
        number(f->kids[i], next);
}

static void
field_free(struct sc_field *f)
{
    for (size_t i = 0; i < f->nkids; i++)
        field_free(f->kids[i]);
    free(f->kids);
    free(f->raw);
    free(f->name);
    free(f);
}

void
sc_version_free(struct sc_version *v)
{
    field_free(v->root);
    free(v->name);
    free(v->title);
    free(v->xml);
    free(v);
}

/* NULL: the fields make no sense. */
struct sc_version *
sc_version_new(const char *name, const char *title, struct json_object *fields,
               const char *xml, int64_t now)
{
    struct sc_version *v = sc_alloc(sizeof(*v));
    struct sc_buf b = { 0 };

    v->name = sc_dup(name);
    v->title = sc_dup(title);
    v->xml = xml != NULL ? sc_dup(xml) : NULL;
    v->published = now;
    v->root = sc_alloc(sizeof(*v->root));
    v->root->type = SC_REPEAT;
    if (!fields_read(v->root, fields)) {
        sc_version_free(v);
        return NULL;
    }
    if (sc_field_kid(v->root, "meta") == NULL) {
        struct sc_field *meta = field_new(v->root, "meta", 4);

        meta->type = SC_STRUCTURE;
        (void) field_new(meta, "instanceID", 10);
        field_new(meta, "instanceName", 12)->type = SC_UNKNOWN;
    }
    number(v->root, &v->nfields);
    sc_buf_fmt(&b, "%s|%s|%s|%s", name, title,
               json_object_to_json_string_ext(fields, JSON_C_TO_STRING_PLAIN),
               xml != NULL ? xml : "");
    sc_md5_hex(b.p, b.len, v->hash);
    sc_sha1_hex(b.p, b.len, v->sha);
    (void) snprintf(v->sha256, sizeof(v->sha256), "%s%.24s", v->sha, v->hash);
    sc_buf_free(&b);
    return v;
}

struct sc_field *
sc_field_kid(const struct sc_field *f, const char *name)
{
    for (size_t i = 0; i < f->nkids; i++)
        if (strcmp(f->kids[i]->name, name) == 0 && !f->kids[i]->shadowed)
            return f->kids[i];
    return NULL;
}

/* path: what follows "Submissions.", in sanitised names. */
struct sc_field *
sc_table_find(const struct sc_version *v, const char *path)
{
    struct sc_field *f = v->root;
    char *copy = sc_dup(path), *rest = copy, *part;

    while (f != NULL && (part = strsep(&rest, ".")) != NULL)
        f = sc_field_kid(f, part);
    free(copy);
    return f != NULL && f->type == SC_REPEAT ? f : NULL;
}

void
sc_table_path(const struct sc_field *f, struct sc_buf *out)
{
    if (f->parent == NULL) {
        sc_buf_str(out, "Submissions");
        return;
    }
    sc_table_path(f->parent, out);
    sc_buf_fmt(out, ".%s", f->name);
}

/* The key that points from a row of an inner repeat to one of f. */
void
sc_parent_key(const struct sc_field *f, struct sc_buf *out)
{
    sc_buf_str(out, "__");
    sc_table_path(f, out);
    sc_buf_str(out, "-id");
    for (char *c = out->p; *c != '\0'; c++)
        *c = *c == '.' ? '-' : *c;
}

/* The published form, or NULL if its version exists or fields are wrong. */
static struct sc_form *
publish(struct sc_server *s, struct sc_form *f, int project, const char *id,
        const char *title, const char *version, struct json_object *fields,
        const char *xml)
{
    int64_t now = sc_now(s);

    for (size_t i = 0; f != NULL && i < f->nversions; i++)
        if (strcmp(f->versions[i]->name, version) == 0)
            return NULL;
    if (title == NULL)
        title = f != NULL ? sc_form_current(f)->title : id;
    struct sc_version *v = sc_version_new(version, title, fields, xml, now);
    if (v == NULL)
        return NULL;
    if (f == NULL) {
        f = sc_alloc(sizeof(*f));
        f->project = project == 0 ? 1 : project;
        f->id = sc_dup(id);
        f->state = "open";
        f->created = now;
        f->updated = SC_NONE;
        s->forms = realloc(s->forms, (s->nforms + 1) * sizeof(f));
        if (s->forms == NULL)
            abort();
        s->forms[s->nforms++] = f;
    } else {
        f->updated = now;
    }
    f->versions = realloc(f->versions, (f->nversions + 1) * sizeof(v));
    if (f->versions == NULL)
        abort();
    f->versions[f->nversions++] = v;
    return f;
}

struct sc_form *
sc_form_publish(struct sc_server *s, int project, const char *id,
                const char *title, const char *version,
                struct json_object *fields, const char *xml)
{
    return publish(s, sc_form_find(s, project, id), project, id, title, version,
                   fields, xml);
}

struct sc_form *
sc_dataset_publish(struct sc_server *s, int project, const char *name,
                   struct json_object *properties)
{
    struct sc_form *f = sc_dataset_find(s, project, name);
    char version[24];

    (void) snprintf(version, sizeof(version), "%zu",
                    f != NULL ? f->nversions + 1 : 1);
    f = publish(s, f, project, name, NULL, version, properties, NULL);
    if (f != NULL) {
        f->dataset = true;
        f->touched = sc_now(s);
    }
    return f;
}

static void
extended_json(struct sc_form *f, struct sc_buf *out)
{
    uint64_t live = f->bulk_n - f->bulk_ngone, edited = 0, issues = 0;
    uint64_t received = live;
    int64_t last = live > 0 ? sc_bulk_created(f, f->bulk_n - 1) : SC_NONE;

    for (size_t i = 0; i < f->nsubs; i++) {
        const struct sc_rev *r = f->subs[i]->cur;

        if (r == NULL || f->subs[i]->purged || r->deleted != SC_NONE)
            continue;
        live++;
        if (r->created > last)
            last = r->created;
        if (r->review == NULL)
            received++;
        else if (strcmp(r->review, "edited") == 0)
            edited++;
        else if (strcmp(r->review, "hasIssues") == 0)
            issues++;
    }
    sc_buf_fmt(out,
               ",\"submissions\":%ju,\"entityRelated\":false,"
               "\"reviewStates\":{\"received\":%ju,\"hasIssues\":%ju,"
               "\"edited\":%ju},\"lastSubmission\":",
               (uintmax_t) live, (uintmax_t) received, (uintmax_t) issues,
               (uintmax_t) edited);
    sc_buf_time(out, last);
    sc_buf_str(out, ",\"excelContentType\":null,\"publicLinks\":0,"
                    "\"createdBy\":{\"id\":5,\"type\":\"user\","
                    "\"displayName\":\"admin@example.org\",\"createdAt\":");
    sc_buf_time(out, f->created);
    sc_buf_str(out, ",\"updatedAt\":null,\"deletedAt\":null}");
}

void
sc_form_json(struct sc_server *s, struct sc_form *f, const struct sc_version *v,
             bool extended, struct sc_buf *out)
{
    (void) s;
    sc_buf_fmt(out, "{\"projectId\":%d,\"xmlFormId\":", f->project);
    sc_buf_json(out, f->id);
    sc_buf_fmt(out,
               ",\"state\":\"%s\",\"enketoId\":null,\"enketoOnceId\":null,"
               "\"createdAt\":",
               f->state);
    sc_buf_time(out, f->created);
    sc_buf_str(out, ",\"updatedAt\":");
    sc_buf_time(out, f->updated);
    sc_buf_fmt(out, ",\"webformsEnabled\":true,\"keyId\":%s,\"version\":",
               f->encrypted ? "1" : "null");
    sc_buf_json(out, v->name);
    sc_buf_fmt(out,
               ",\"hash\":\"%s\",\"sha\":\"%s\",\"sha256\":\"%s\","
               "\"draftToken\":null,\"publishedAt\":",
               v->hash, v->sha, v->sha256);
    sc_buf_time(out, v->published);
    sc_buf_str(out, ",\"name\":");
    sc_buf_json(out, v->title);
    if (extended)
        extended_json(f, out);
    sc_buf_str(out, "}");
}

static void
field_json(const struct sc_field *f, bool odata, const char *prefix,
           struct sc_buf *out)
{
    const char *name = odata ? f->name : f->raw;
    struct sc_buf path = { 0 };

    sc_buf_fmt(&path, "%s/%s", prefix, name);
    if (out->len > 1)
        sc_buf_str(out, ",");
    sc_buf_str(out, "{\"path\":");
    sc_buf_json(out, path.p);
    sc_buf_str(out, ",\"name\":");
    sc_buf_json(out, name);
    sc_buf_fmt(out, ",\"type\":\"%s\",\"binary\":%s,\"selectMultiple\":%s}",
               type_names[f->type], f->type == SC_BINARY ? "true" : "null",
               f->multiple ? "true" : "null");
    for (size_t i = 0; i < f->nkids; i++)
        field_json(f->kids[i], odata, path.p, out);
    sc_buf_free(&path);
}

void
sc_fields_json(const struct sc_version *v, bool odata, struct sc_buf *out)
{
    sc_buf_str(out, "[");
    for (size_t i = 0; i < v->root->nkids; i++)
        field_json(v->root->kids[i], odata, "", out);
    sc_buf_str(out, "]");
}

static void
tables_json(const struct sc_field *f, struct sc_buf *out)
{
    if (f->type == SC_REPEAT) {
        struct sc_buf name = { 0 };

        sc_table_path(f, &name);
        sc_buf_fmt(out,
                   "%s{\"name\":\"%s\",\"kind\":\"EntitySet\","
                   "\"url\":\"%s\"}",
                   f->parent == NULL ? "" : ",", name.p, name.p);
        sc_buf_free(&name);
    }
    for (size_t i = 0; i < f->nkids; i++)
        tables_json(f->kids[i], out);
}

void
sc_service_json(const struct sc_server *s, const struct sc_form *f,
                const char *base, struct sc_buf *out)
{
    sc_buf_fmt(out, "{\"@odata.context\":\"%s%s/$metadata\",\"value\":[",
               s->domain, base);
    tables_json(sc_form_current(f)->root, out);
    sc_buf_str(out, "]}");
}
