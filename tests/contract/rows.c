/* tests/contract/rows.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as OData prints them: fields in the order of the current form, then
 * __id, __system, and last the repeats.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "standin.h"

const char *const sc_system_keys[SC_NSYSTEM] = {
    "submissionDate", "updatedAt",          "submitterId",
    "submitterName",  "attachmentsPresent", "attachmentsExpected",
    "status",         "reviewState",        "deviceId",
    "edits",          "formVersion",        "deletedAt",
};

struct printer {
    bool only_set; /* leave out what has no answer */
    const struct sc_shape *sh;
    const struct sc_rev *rev;
    struct sc_buf *out;
    struct sc_buf nav; /* where the row is: Submissions('id')/... */
    struct sc_buf src; /* what the __id of a repeat is the digest of */
    struct sc_rows *rows;
};

static void
comma(struct printer *p, bool *first)
{
    if (!*first)
        sc_buf_put(p->out, ",", 1);
    *first = false;
}

static bool
wanted(const struct printer *p, const struct sc_field *f)
{
    return !f->shadowed && (!p->sh->some || p->sh->mark[f->index] != 0);
}

static void
put_json(struct sc_buf *out, struct json_object *v)
{
    size_t n;
    const char *s = json_object_to_json_string_length(
        v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    sc_buf_put(out, s, n);
}

/* "x y z" of one position, or a comma list of them. */
static void
wkt_points(struct sc_buf *out, struct json_object *v)
{
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        struct json_object *o = json_object_array_get_idx(v, i);

        if (json_object_is_type(o, json_type_array)) {
            sc_buf_str(out, i > 0 ? "," : "");
            wkt_points(out, o);
        } else {
            sc_buf_fmt(out, "%s%s", i > 0 ? " " : "",
                       json_object_get_string(o));
        }
    }
}

static void
put_wkt(struct sc_buf *out, const struct sc_field *f, struct json_object *v)
{
    struct json_object *at = sc_member(v, "coordinates");

    if (f->type == SC_GEOSHAPE)
        at = json_object_array_get_idx(at, 0);
    sc_buf_str(out, f->type == SC_GEOPOINT   ? "\"POINT ("
                    : f->type == SC_GEOTRACE ? "\"LINESTRING ("
                                             : "\"POLYGON ((");
    wkt_points(out, at);
    sc_buf_str(out, f->type == SC_GEOSHAPE ? "))\"" : ")\"");
}

static void
put_geo_text(struct sc_buf *out, struct json_object *v)
{
    sc_buf_str(out, "\"");
    sc_place_text(v, out);
    sc_buf_str(out, "\"");
}

static void
leaf(struct printer *p, const struct sc_field *f, struct json_object *v)
{
    bool geo = f->type >= SC_GEOPOINT && f->type <= SC_GEOSHAPE;
    bool number = json_object_is_type(v, json_type_int)
                  || json_object_is_type(v, json_type_double);

    if (v == NULL)
        sc_buf_str(p->out, "null");
    else if (geo && p->sh->wkt && sc_member(v, "coordinates") != NULL)
        put_wkt(p->out, f, v);
    else if (!geo && sc_member(v, "coordinates") != NULL)
        put_geo_text(p->out, v); /* it was a place once */
    else if (number && f->type != SC_INT && f->type != SC_DECIMAL)
        /* the field has become a string since */
        sc_buf_fmt(p->out, "\"%s\"", json_object_get_string(v));
    else
        put_json(p->out, v);
}

static void repeats(struct printer *p, const struct sc_field *f,
                    struct json_object *o, bool *first);

/* A step into a group or an iteration, and back by the lengths kept. */
static void
enter(struct printer *p, const struct sc_field *f, int index, size_t keep[2])
{
    keep[0] = p->nav.len;
    keep[1] = p->src.len;
    sc_buf_fmt(&p->nav, "/%s", f->name);
    if (index < 0)
        sc_buf_fmt(&p->src, "%%%%%s#", f->raw);
    else
        sc_buf_fmt(&p->src, "%%%%%s#%d", f->raw, index);
}

static void
leave(struct printer *p, const size_t keep[2])
{
    p->nav.len = keep[0];
    p->src.len = keep[1];
    p->nav.p[p->nav.len] = '\0';
    p->src.p[p->src.len] = '\0';
}

static void members(struct printer *p, const struct sc_field *f,
                    struct json_object *o, bool *first);

/*
 * A group: those that share its name are in the same object, which begins as
 * the last of them has it, so that only it has nulls.
 */
static void
group(struct printer *p, const struct sc_field *last, struct json_object *o)
{
    bool none = true, only_set = p->only_set;
    size_t keep[2];

    sc_buf_put(p->out, "{", 1);
    for (size_t i = 0; i < last->parent->nkids; i++) {
        const struct sc_field *k = last->parent->kids[i];

        if (k->type != SC_STRUCTURE || strcmp(k->name, last->name) != 0)
            continue;
        p->only_set = only_set || k != last;
        members(p, k, sc_value_of(o, k), &none);
        enter(p, k, -1, keep);
        repeats(p, k, sc_value_of(o, k), &none);
        leave(p, keep);
    }
    p->only_set = only_set;
    sc_buf_put(p->out, "}", 1);
}

static void
members(struct printer *p, const struct sc_field *f, struct json_object *o,
        bool *first)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];

        if (k->type == SC_REPEAT || !wanted(p, k))
            continue;
        struct json_object *v = sc_shared_value(o, k);
        if (p->only_set && v == NULL)
            continue;
        comma(p, first);
        sc_buf_fmt(p->out, "\"%s\":", k->name);
        if (k->type == SC_STRUCTURE) {
            group(p, k, o);
        } else if (strcmp(k->name, "instanceID") == 0 && f->parent != NULL
                   && f->parent->parent == NULL
                   && strcmp(f->name, "meta") == 0) {
            sc_buf_json(p->out, p->rev->instance_id);
        } else {
            leaf(p, k, v);
        }
        json_object_put(v);
    }
}

/* The inside of one iteration; its address is already in nav and src. */
static void
iteration(struct printer *p, const struct sc_field *f, struct json_object *o,
          const char *parent_key, const char *parent_id, char sha[41])
{
    bool first = true, all = !p->sh->some;
    size_t keep = p->nav.len;

    sc_sha1_hex(p->src.p, p->src.len, sha);
    sc_buf_put(p->out, "{", 1);
    members(p, f, o, &first);
    if (all || p->sh->id) {
        comma(p, &first);
        sc_buf_fmt(p->out, "\"__id\":\"%s\"", sha);
    }
    if (parent_key != NULL && (all || p->sh->parent_id)) {
        comma(p, &first);
        sc_buf_fmt(p->out, "\"%s\":", parent_key);
        sc_buf_json(p->out, parent_id);
    }
    sc_buf_fmt(&p->nav, "('%s')", sha);
    repeats(p, f, o, &first);
    p->nav.len = keep;
    sc_buf_put(p->out, "}", 1);
}

static void
repeats(struct printer *p, const struct sc_field *f, struct json_object *o,
        bool *first)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];
        size_t keep[2];
        char sha[41];

        if (k->type != SC_REPEAT || !wanted(p, k))
            continue;
        struct json_object *list = sc_shared_value(o, k);
        if (!json_object_is_type(list, json_type_array)
            || json_object_array_length(list) == 0) {
            json_object_put(list);
            continue;
        }
        comma(p, first);
        sc_buf_fmt(p->out, "\"%s@odata.navigationLink\":", k->name);
        enter(p, k, 0, keep);
        sc_buf_json(p->out, p->nav.p);
        leave(p, keep);
        if (!p->sh->expand) {
            json_object_put(list);
            continue;
        }
        sc_buf_fmt(p->out, ",\"%s\":[", k->name);
        for (size_t j = 0; j < json_object_array_length(list); j++) {
            sc_buf_str(p->out, j > 0 ? "," : "");
            enter(p, k, (int) j, keep);
            iteration(p, k, json_object_array_get_idx(list, j), NULL, NULL,
                      sha);
            leave(p, keep);
        }
        sc_buf_put(p->out, "]", 1);
        json_object_put(list);
    }
}

static void
system_value(const struct sc_rev *r, int key, struct sc_buf *out)
{
    switch (key) {
    case 0:
        sc_buf_time(out, r->created);
        break;
    case 1:
        sc_buf_time(out, r->updated);
        break;
    case 2:
        if (r->submitter == 0)
            sc_buf_str(out, "null");
        else
            sc_buf_fmt(out, "\"%d\"", r->submitter);
        break;
    case 3:
        sc_buf_json(out, r->submitter == 0 ? NULL : r->submitter_name);
        break;
    case 4:
        sc_buf_fmt(out, "%d", r->present);
        break;
    case 5:
        sc_buf_fmt(out, "%d", r->expected);
        break;
    case 6:
        sc_buf_json(out, r->status);
        break;
    case 7:
        sc_buf_json(out, r->review);
        break;
    case 8:
        sc_buf_json(out, r->device);
        break;
    case 9:
        sc_buf_fmt(out, "%d", r->edits);
        break;
    case 10:
        sc_buf_json(out, r->form_version);
        break;
    default:
        sc_buf_time(out, r->deleted);
        break;
    }
}

static void
system_object(struct printer *p, unsigned keys)
{
    bool first = true;

    sc_buf_str(p->out, "\"__system\":{");
    for (int i = 0; i < SC_NSYSTEM; i++)
        if ((keys >> i & 1) != 0) {
            comma(p, &first);
            sc_buf_fmt(p->out, "\"%s\":", sc_system_keys[i]);
            system_value(p->rev, i, p->out);
        }
    sc_buf_put(p->out, "}", 1);
}

static struct json_object *
data_of(const struct sc_rev *r)
{
    char *text = sc_rev_text(r);
    struct json_object *o = odks_json_read(text);

    free(text);
    return o;
}

static bool
needs_data(const struct sc_shape *sh)
{
    for (size_t i = 0; i < sh->version->nfields; i++)
        if (sh->mark[i] != 0)
            return true;
    return false;
}

static void
printer_init(struct printer *p, const struct sc_shape *sh,
             const struct sc_rev *r, struct sc_buf *out)
{
    *p = (struct printer){ .sh = sh, .rev = r, .out = out };
    sc_buf_str(&p->nav, "Submissions('");
    sc_buf_component(&p->nav, r->id);
    sc_buf_str(&p->nav, "')");
    sc_buf_fmt(&p->src, "Submissions#%s", r->id);
}

void
sc_row_print(const struct sc_shape *sh, const struct sc_rev *r,
             struct sc_buf *out)
{
    bool first = true, all = !sh->some;
    bool locked = r->status != NULL; /* encrypted: no form data at all */
    struct json_object *o = NULL;
    struct printer p;

    printer_init(&p, sh, r, out);
    if (!locked && (all || needs_data(sh)))
        o = data_of(r);
    sc_buf_put(out, "{", 1);
    if (!locked)
        members(&p, sh->version->root, o, &first);
    if (all || sh->id) {
        comma(&p, &first);
        sc_buf_str(out, "\"__id\":");
        sc_buf_json(out, r->id);
    }
    if (all || sh->system != 0) {
        comma(&p, &first);
        system_object(&p, all ? ~0U : sh->system);
    }
    if (!locked)
        repeats(&p, sh->version->root, o, &first);
    sc_buf_put(out, "}", 1);
    json_object_put(o);
    sc_buf_free(&p.nav);
    sc_buf_free(&p.src);
}

static bool
leads_to(const struct sc_field *f, const struct sc_field *target)
{
    for (; target != NULL; target = target->parent)
        if (target == f)
            return true;
    return false;
}

static void
keep_row(struct printer *p, const struct sc_field *f, struct json_object *o,
         const char *key, const char *parent_id)
{
    struct sc_rows *rows = p->rows;

    if (rows->n == rows->cap) {
        rows->cap = rows->cap == 0 ? 16 : rows->cap * 2;
        rows->end = realloc(rows->end, rows->cap * sizeof(rows->end[0]));
        rows->id = realloc(rows->id, rows->cap * sizeof(rows->id[0]));
        if (rows->end == NULL || rows->id == NULL)
            abort();
    }
    iteration(p, f, o, key, parent_id, rows->id[rows->n]);
    rows->end[rows->n++] = p->out->len;
}

/* Down to the table: f is on its path, o the data there. */
static void
descend(struct printer *p, const struct sc_field *f, struct json_object *o,
        const char *key, const char *parent_id)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];
        struct json_object *v = sc_member(o, k->name);
        size_t keep[2];

        if (k->shadowed || !leads_to(k, p->sh->table))
            continue;
        if (k->type != SC_REPEAT) {
            enter(p, k, -1, keep);
            descend(p, k, v, key, parent_id);
            leave(p, keep);
            continue;
        }
        if (!json_object_is_type(v, json_type_array))
            continue;
        struct sc_buf path = { 0 };
        sc_parent_key(k, &path);
        for (size_t j = 0; j < json_object_array_length(v); j++) {
            struct json_object *it = json_object_array_get_idx(v, j);
            char sha[41];

            enter(p, k, (int) j, keep);
            sc_sha1_hex(p->src.p, p->src.len, sha);
            if (k == p->sh->table) {
                keep_row(p, k, it, key, parent_id);
            } else {
                sc_buf_fmt(&p->nav, "('%s')", sha);
                descend(p, k, it, path.p, sha);
            }
            leave(p, keep);
        }
        sc_buf_free(&path);
    }
}

void
sc_rows_of(const struct sc_shape *sh, const struct sc_rev *r,
           struct sc_rows *rows)
{
    struct printer p;

    if (r->status != NULL)
        return;
    struct json_object *o = data_of(r);
    printer_init(&p, sh, r, &rows->text);
    p.rows = rows;
    descend(&p, sh->version->root, o, "__Submissions-id", r->id);
    json_object_put(o);
    sc_buf_free(&p.nav);
    sc_buf_free(&p.src);
}

void
sc_rows_free(struct sc_rows *rows)
{
    sc_buf_free(&rows->text);
    free(rows->end);
    free(rows->id);
    memset(rows, 0, sizeof(*rows));
}
