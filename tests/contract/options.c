/* tests/contract/options.c - SPDX-License-Identifier: Apache-2.0 */
/* The query options of a feed, and the links made from them. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

static void
refuse(struct sc_fault *e, int status, const char *code, const char *what,
       const char *detail, const char *before, const char *after)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m, "%s%s%s", before, what, after);
    sc_buf_fmt(&d, "{\"%s\":", detail);
    sc_buf_json(&d, what);
    sc_buf_str(&d, "}");
    sc_fault_set(e, status, code, m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
}

static bool
not_acceptable(struct sc_fault *e, const char *got)
{
    struct sc_buf d = { 0 };

    sc_buf_str(&d, "{\"allowed\":[\"application/json\",\"json\"],\"got\":");
    sc_buf_json(&d, got);
    sc_buf_str(&d, "}");
    sc_fault_set(e, 406, "406.1",
                 "Requested format not acceptable; this resource allows:"
                 " application/json,json.",
                 d.p);
    sc_buf_free(&d);
    return false;
}

/* What Central refuses before it asks who is calling. */
bool
sc_options_early(struct sc_request *q, struct sc_fault *e)
{
    static const char *const known[] = {
        "$filter", "$format",    "$expand", "$orderby", "$select", "$skip",
        "$search", "$skiptoken", "$top",    "$count",   "$wkt",    "st",
    };
    const char *accept = sc_header(q, "Accept");
    const char *format = sc_param(q, "$format");
    const char *expand = sc_param(q, "$expand");
    const char *max = sc_header(q, "OData-MaxVersion");

    if (max != NULL && strncmp(max, "4.", 2) != 0) {
        sc_fault_set(e, 404, "404.1",
                     "Could not find the resource you were looking for.", NULL);
        return false;
    }
    if (format != NULL && strcmp(format, "json") != 0
        && strcmp(format, "application/json") != 0)
        return not_acceptable(e, format);
    if (format == NULL && accept != NULL && strstr(accept, "json") == NULL
        && (strstr(accept, "xml") != NULL))
        return not_acceptable(e, accept);
    for (int i = 0; i < q->nparam; i++) {
        size_t k = 0, n = sizeof(known) / sizeof(*known);

        while (k < n && strcmp(known[k], q->param[i].key) != 0)
            k++;
        if (k == n) {
            refuse(e, 501, "501.1", q->param[i].key, "feature",
                   "The requested feature ",
                   " is not supported by this server.");
            return false;
        }
    }
    if (expand != NULL && strcmp(expand, "*") != 0 && *expand != '\0') {
        refuse(e, 501, "501.6", expand, "text",
               "The given OData expand expression is not supported by this "
               "server: \"",
               "\". Currently, only \"$expand=*\" is supported.");
        return false;
    }
    if (expand != NULL && sc_param(q, "$select") != NULL) {
        sc_fault_set(e, 501, "501.11",
                     "This server doesn't support $select query parameter"
                     " with $expand.",
                     NULL);
        return false;
    }
    return true;
}

/* As parseInt() and then a bigint parameter of the database. */
static bool
read_number(const char *text, bool table, int64_t *out, bool *given,
            struct sc_fault *e)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    *given = !table || end != text;
    if (table) { /* sliced by the server itself, which takes anything */
        *out = *out < 0 ? 0 : *out;
        return true;
    }
    if (end == text) {
        sc_fault_set(e, 400, "400.11",
                     "Invalid input data type: expected \"NaN\" to be (type"
                     " bigint)",
                     "{\"value\":\"NaN\",\"expected\":\"type bigint\"}");
        return false;
    }
    if (errno == ERANGE) {
        struct sc_buf m = { 0 }, d = { 0 };

        sc_buf_fmt(&m, "Provided value '%s' is out of range for type 'bigint'",
                   text);
        sc_buf_str(&d, "{\"value\":");
        sc_buf_json(&d, text);
        sc_buf_str(&d, ",\"type\":\"bigint\"}");
        sc_fault_set(e, 400, "400.22", m.p, d.p);
        sc_buf_free(&m);
        sc_buf_free(&d);
        return false;
    }
    if (*out < 0) {
        sc_fault_set(e, 500, NULL, "Internal Server Error", NULL);
        return false;
    }
    return true;
}

static bool
read_token(const char *token, const char *key, bool table, char **cursor,
           struct sc_fault *e)
{
    struct sc_buf text = { 0 };
    struct json_object *o = NULL, *v = NULL;
    bool ok = false;

    if (strncmp(token, "01", 2) == 0 && sc_unbase64(token + 2, &text))
        o = odks_json_read(text.p);
    bool json = o != NULL;
    if (json_object_is_type(o, json_type_object)
        && json_object_object_get_ex(o, key, &v)) {
        *cursor = sc_dup(v == NULL ? "" : json_object_get_string(v));
        ok = true;
    }
    if (!ok && json && table) {
        *cursor = sc_dup(""); /* no row has this id */
        ok = true;
    }
    json_object_put(o);
    sc_buf_free(&text);
    if (!ok && json)
        sc_fault_set(e, 500, NULL, "Internal Server Error", NULL);
    else if (!ok)
        sc_fault_set(e, 400, "400.35", "Invalid $skiptoken", NULL);
    return ok;
}

/* NULL, too, where a rule wants the server to ignore it. */
static const char *
option(const struct sc_request *q, const char *key)
{
    return sc_spoil_ignores(q, key) ? NULL : sc_param(q, key);
}

bool
sc_options_read(struct sc_request *q, const char *token_key,
                struct sc_options *o, struct sc_fault *e)
{
    const char *top = option(q, "$top"), *skip = option(q, "$skip");
    const char *count = option(q, "$count");
    struct json_object *page = sc_action(q, "pageSize");
    bool table = strcmp(token_key, "repeatId") == 0, given;

    memset(o, 0, sizeof(*o));
    o->filter = option(q, "$filter");
    o->orderby = option(q, "$orderby");
    o->select = option(q, "$select");
    o->skiptoken = option(q, "$skiptoken");
    o->count = count != NULL && strcasecmp(count, "true") == 0;
    if (o->orderby != NULL && *o->orderby == '\0')
        o->orderby = NULL;
    if (table && o->skiptoken != NULL && *o->skiptoken == '\0')
        o->skiptoken = NULL;
    if ((top != NULL && !read_number(top, table, &o->top, &o->has_top, e))
        || (skip != NULL && !read_number(skip, table, &o->skip, &given, e)))
        return false;
    if (page != NULL && json_object_get_int64(page) > 0
        && (!o->has_top || o->top > json_object_get_int64(page))) {
        o->has_top = true;
        o->top = json_object_get_int64(page);
    }
    if (o->skiptoken != NULL && o->orderby != NULL && !table) {
        refuse(e, 501, "501.1", "using $orderby and $skiptoken together",
               "feature", "The requested feature ",
               " is not supported by this server.");
        return false;
    }
    return o->skiptoken == NULL
           || read_token(o->skiptoken, token_key, table, &o->cursor, e);
}

void
sc_options_free(struct sc_options *o)
{
    free(o->cursor);
    o->cursor = NULL;
}

static void
mark_down(struct sc_shape *sh, const struct sc_field *f)
{
    sh->mark[f->index] = 1;
    for (size_t i = 0; i < f->nkids; i++)
        mark_down(sh, f->kids[i]);
}

static bool
select_field(struct sc_shape *sh, const char *name, struct sc_fault *e)
{
    const struct sc_field *f = sh->table;
    char *copy = sc_dup(name), *rest = copy, *part;

    while (f != NULL && (part = strsep(&rest, "/")) != NULL) {
        if (f->type == SC_REPEAT && f != sh->table) {
            refuse(e, 400, "400.24", name, "property",
                   "The given OData select property '",
                   "' uses features not supported by this server.");
            f = NULL;
            break;
        }
        f = sc_field_kid(f, part);
    }
    free(copy);
    if (f == NULL) {
        refuse(e, 400, "400.23", name, "property",
               "Could not find a property named '", "'");
        return false;
    }
    mark_down(sh, f);
    for (f = f->parent; f != NULL && f != sh->table; f = f->parent)
        if (sh->mark[f->index] == 0)
            sh->mark[f->index] = 2;
    return true;
}

static bool
is_parent_key(const struct sc_field *table, const char *name)
{
    struct sc_buf key = { 0 };
    const struct sc_field *up = table->parent;

    while (up->type != SC_REPEAT)
        up = up->parent;
    sc_parent_key(up, &key);
    bool same = strcmp(key.p, name) == 0;
    sc_buf_free(&key);
    return same;
}

static bool
select_one(struct sc_shape *sh, const char *name, struct sc_fault *e)
{
    bool root = sh->table->parent == NULL;

    if (strcmp(name, "*") == 0) {
        mark_down(sh, sh->table);
        sh->id = sh->parent_id = true;
        sh->system = ~0U;
        return true;
    }
    if (strcmp(name, "__id") == 0) {
        sh->id = true;
        return true;
    }
    if (root && strcmp(name, "__system") == 0) {
        sh->system = ~0U;
        return true;
    }
    if (root && strncmp(name, "__system/", 9) == 0)
        for (int i = 0; i < SC_NSYSTEM; i++)
            if (strcmp(name + 9, sc_system_keys[i]) == 0) {
                sh->system |= 1U << i;
                return true;
            }
    if (!root && is_parent_key(sh->table, name)) {
        sh->parent_id = true;
        return true;
    }
    return select_field(sh, name, e);
}

bool
sc_shape_select(struct sc_shape *sh, const char *select, struct sc_fault *e)
{
    char *copy = sc_dup(select), *rest = copy, *part;
    bool ok = true;

    sh->some = true;
    sh->mark = sc_alloc(sh->version->nfields);
    if (*select == '\0') { /* Central: then all but the keys of its own */
        mark_down(sh, sh->table);
        rest = NULL;
    }
    while (ok && (part = strsep(&rest, ",")) != NULL) {
        part += strspn(part, " ");
        ok = select_one(sh, part, e);
    }
    free(copy);
    return ok;
}

/* The path of the service, as it was asked for. */
char *
sc_service_base(const struct sc_request *q)
{
    const char *end = strstr(q->path, ".svc");

    for (const char *p = end; p != NULL; p = strstr(p + 1, ".svc"))
        if (p[4] == '/' || p[4] == '\0') {
            end = p;
            break;
        }
    size_t n = end != NULL ? (size_t) (end - q->path) + 4 : strlen(q->path);
    char *base = sc_alloc(n + 1);
    return memcpy(base, q->path, n);
}

/* id NULL: a cursor on no row, as Central gives after the last one. */
void
sc_next_link(struct sc_request *q, const char *key, const char *id,
             struct sc_buf *out)
{
    struct sc_buf json = { 0 }, token = { 0 };
    struct json_object *off = sc_action(q, "offOriginNextlink");

    sc_buf_str(out, off == NULL ? q->server->domain
                    : json_object_is_type(off, json_type_string)
                        ? json_object_get_string(off)
                        : "https://elsewhere.example.net");
    sc_buf_fmt(out, "%s?", q->path);
    for (int i = 0; i < q->nparam; i++) {
        if (strcmp(q->param[i].key, "$skip") == 0
            || strcmp(q->param[i].key, "$skiptoken") == 0)
            continue;
        sc_buf_form(out, q->param[i].key);
        sc_buf_str(out, "=");
        sc_buf_form(out, q->param[i].value);
        sc_buf_str(out, "&");
    }
    sc_buf_str(&json, "{");
    if (key != NULL) {
        sc_buf_fmt(&json, "\"%s\":", key);
        sc_buf_json(&json, id);
    }
    sc_buf_str(&json, "}");
    sc_buf_str(&token, "01");
    sc_base64(json.p, json.len, &token);
    sc_buf_str(out, "%24skiptoken=");
    sc_buf_form(out, token.p);
    sc_buf_free(&json);
    sc_buf_free(&token);
}

void
sc_footer(struct sc_request *q, const char *base, const char *table,
          const char *next, int64_t count, struct sc_buf *out)
{
    sc_buf_fmt(out, "],\"@odata.context\":\"%s%s/$metadata#%s\"",
               q->server->domain, base, table);
    if (next != NULL) {
        sc_buf_str(out, ",\"@odata.nextLink\":");
        sc_buf_json(out, next);
    }
    if (count >= 0)
        sc_buf_fmt(out, ",\"@odata.count\":%jd", (intmax_t) count);
    sc_buf_str(out, "}");
}
