/* tests/contract/route.c - SPDX-License-Identifier: Apache-2.0 */
/* Addresses under /v1 and the documents about projects and forms. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

#define JSON_TYPE "application/json; charset=utf-8"

static int
forbidden(struct sc_request *q)
{
    return sc_reply_error(q, 403, "403.1",
                          "The authentication you provided does not have"
                          " rights to perform that action.",
                          NULL);
}

static bool
is_get(const struct sc_request *q)
{
    return strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
}

static void
project_json(struct sc_server *s, int id, struct sc_buf *b)
{
    sc_buf_fmt(b,
               "{\"id\":%d,\"name\":\"%s\",\"description\":null,"
               "\"archived\":null,\"keyId\":%s,\"createdAt\":",
               id, id == 1 ? "Sync test" : "Encrypted", id == 1 ? "null" : "1");
    sc_buf_time(b, s->nforms > 0 ? s->forms[0]->created : 0);
    sc_buf_str(b, ",\"updatedAt\":null,\"deletedAt\":null}");
}

static int
projects(struct sc_request *q)
{
    struct sc_buf b = { 0 };

    sc_buf_str(&b, "[");
    if (q->user->reads) {
        project_json(q->server, 2, &b);
        sc_buf_str(&b, ",");
        project_json(q->server, 1, &b);
    }
    sc_buf_str(&b, "]");
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static int
by_id(const void *a, const void *b)
{
    const struct sc_form *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

static int
form_list(struct sc_request *q, int project)
{
    struct sc_server *s = q->server;
    const char *ext = sc_header(q, "X-Extended-Metadata");
    const char *del = sc_param(q, "deleted");
    bool trash = del != NULL && strcmp(del, "true") == 0;
    struct sc_form **sorted = sc_alloc((s->nforms + 1) * sizeof(*sorted));
    struct sc_buf b = { 0 };

    memcpy(sorted, s->forms, s->nforms * sizeof(*sorted));
    qsort(sorted, s->nforms, sizeof(*sorted), by_id);
    sc_buf_str(&b, "[");
    for (size_t i = 0; i < s->nforms; i++) {
        if (sorted[i]->project != project || sorted[i]->deleted != trash
            || sorted[i]->dataset)
            continue;
        sc_buf_str(&b, b.len > 1 ? "," : "");
        sc_form_json(s, sorted[i], sc_form_current(sorted[i]),
                     ext != NULL && strcmp(ext, "true") == 0, &b);
    }
    sc_buf_str(&b, "]");
    free(sorted);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static const struct sc_version *
version_of(const struct sc_form *f, const char *name)
{
    for (size_t i = 0; i < f->nversions; i++)
        if (strcmp(f->versions[i]->name, name) == 0)
            return f->versions[i];
    return NULL;
}

static int
fields(struct sc_request *q, const struct sc_version *v)
{
    const char *odata = sc_param(q, "odata");
    struct sc_buf b = { 0 };

    if (v == NULL)
        return sc_reply_404(q);
    sc_fields_json(v, odata != NULL && strcmp(odata, "true") == 0, &b);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

/* /versions, /versions/V and /versions/V/fields */
static int
versions(struct sc_request *q, struct sc_form *f)
{
    struct sc_buf b = { 0 };
    const struct sc_version *v;

    if (q->nseg == 8 && strcmp(q->seg[7], "fields") == 0)
        return fields(q, version_of(f, q->seg[6]));
    if (q->nseg == 7) {
        v = version_of(f, q->seg[6]);
        if (v == NULL)
            return sc_reply_404(q);
        sc_form_json(q->server, f, v, false, &b);
        return sc_reply_buf(q, 200, JSON_TYPE, &b);
    }
    if (q->nseg != 6)
        return sc_reply_404(q);
    sc_buf_str(&b, "[");
    for (size_t i = f->nversions; i-- > 0;) {
        sc_form_json(q->server, f, f->versions[i], false, &b);
        sc_buf_str(&b, i > 0 ? "," : "");
    }
    sc_buf_str(&b, "]");
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static int
service(struct sc_request *q, struct sc_form *f)
{
    struct sc_buf b = { 0 };
    const char *table = q->nseg > 5 ? q->seg[5] : NULL;

    q->odata = true;
    if (table == NULL) {
        char *base = sc_service_base(q);

        sc_service_json(q->server, f, base, &b);
        free(base);
        return sc_reply_buf(q, 200, JSON_TYPE "; odata.metadata=minimal", &b);
    }
    if (strcmp(table, "$metadata") == 0) {
        sc_metadata_xml(f, &b);
        return sc_reply_buf(q, 200, "application/xml; charset=utf-8", &b);
    }
    if (strncmp(table, "Submissions('", 13) == 0) {
        for (int i = 6; i < q->nseg; i++)
            sc_buf_fmt(&b, "%s%s", i > 6 ? "/" : "", q->seg[i]);
        int ret = sc_odata_single(q, f, table, b.len > 0 ? b.p : "");
        sc_buf_free(&b);
        return ret;
    }
    if (q->nseg > 6) {
        q->odata = false;
        return sc_reply_404(q);
    }
    return sc_odata(q, f, table);
}

static int
xform(struct sc_request *q, const struct sc_form *f)
{
    struct sc_buf b = { 0 };

    sc_xform_xml(f, sc_form_current(f), &b);
    return sc_reply_buf(q, 200, "application/xml; charset=utf-8", &b);
}

static int
form(struct sc_request *q, struct sc_form *f)
{
    const char *ext = sc_header(q, "X-Extended-Metadata");
    struct sc_buf b = { 0 };

    if (q->nseg == 5) {
        sc_form_json(q->server, f, sc_form_current(f),
                     ext != NULL && strcmp(ext, "true") == 0, &b);
        return sc_reply_buf(q, 200, JSON_TYPE, &b);
    }
    if (strcmp(q->seg[5], "fields") == 0 && q->nseg == 6)
        return fields(q, sc_form_current(f));
    if (strcmp(q->seg[5], "versions") == 0)
        return versions(q, f);
    if (strcmp(q->seg[5], "submissions") == 0)
        return sc_submissions(q, f);
    return sc_reply_404(q);
}

/*
 * "X.svc" is the service of X and "X.xml" its XForm, unless a form is called
 * just that.
 */
static char *
without(const char *seg, const char *extension)
{
    size_t n = strlen(seg);
    char *id;

    if (n < 5 || strcmp(seg + n - 4, extension) != 0)
        return NULL;
    id = sc_dup(seg);
    id[n - 4] = '\0';
    return id;
}

static int
bad_integer(struct sc_request *q, const char *text)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m,
               "Invalid input data type: expected \"%s\" to be (type"
               " integer)",
               text);
    sc_buf_str(&d, "{\"value\":");
    sc_buf_json(&d, text);
    sc_buf_str(&d, ",\"expected\":\"type integer\"}");
    int ret = sc_reply_error(q, 400, "400.11", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
    return ret;
}

static int
forms(struct sc_request *q, int project)
{
    char *svc = without(q->seg[4], ".svc");
    char *xml = q->nseg == 5 ? without(q->seg[4], ".xml") : NULL;
    struct sc_form *f = sc_form_find(q->server, project,
                                     svc != NULL   ? svc
                                     : xml != NULL ? xml
                                                   : q->seg[4]);
    bool feed = svc != NULL, definition = xml != NULL;

    free(svc);
    free(xml);
    q->odata = feed;
    if (f == NULL)
        return sc_reply_404(q);
    if (!q->user->reads || !is_get(q))
        return forbidden(q);
    q->odata = false;
    if (definition)
        return xform(q, f);
    return feed ? service(q, f) : form(q, f);
}

static int
project(struct sc_request *q)
{
    char *end;
    long id = strtol(q->seg[2], &end, 10);
    struct sc_buf b = { 0 };

    if (*end != '\0')
        return bad_integer(q, q->seg[2]);
    if (id != 1 && id != 2)
        return sc_reply_404(q);
    if (q->nseg > 4 && strcmp(q->seg[3], "forms") == 0)
        return forms(q, (int) id);
    if (q->nseg > 3 && strcmp(q->seg[3], "datasets") == 0)
        return sc_datasets(q, (int) id);
    if (!q->user->reads || !is_get(q))
        return forbidden(q);
    if (q->nseg == 3) {
        project_json(q->server, (int) id, &b);
        return sc_reply_buf(q, 200, JSON_TYPE, &b);
    }
    if (q->nseg == 4 && strcmp(q->seg[3], "forms") == 0)
        return form_list(q, (int) id);
    return sc_reply_404(q);
}

static int
authorised(struct sc_request *q)
{
    if (strcmp(q->seg[1], "projects") == 0)
        return q->nseg == 2 ? projects(q) : project(q);
    if (strcmp(q->seg[1], "sessions") == 0 && q->nseg == 3
        && strcmp(q->method, "DELETE") == 0)
        return sc_session_delete(q);
    if (strcmp(q->seg[1], "audits") == 0)
        return q->user->admin ? sc_reply_json(q, 200, "[]") : forbidden(q);
    return sc_reply_404(q);
}

static bool
is_feed(const struct sc_request *q)
{
    size_t n = q->nseg > 5 ? strlen(q->seg[4]) : 0;

    return n > 4 && strcmp(q->seg[4] + n - 4, ".svc") == 0
           && strcmp(q->seg[5], "$metadata") != 0;
}

int
sc_route(struct sc_request *q)
{
    struct sc_fault e = { 0 };

    q->foreign = q->nseg < 2 || strcmp(q->seg[0], "v1") != 0;
    if (q->nseg < 2 || q->seg[0][0] != 'v'
        || strspn(q->seg[0] + 1, "0123456789") != strlen(q->seg[0] + 1))
        return sc_reply_error(q, 404, "404.2",
                              "Expected an API version (eg /v1) at the"
                              " start of the request URL.",
                              NULL);
    if (strcmp(q->seg[0], "v1") != 0) {
        struct sc_buf m = { 0 }, d = { 0 };

        sc_buf_fmt(&m, "Unexpected an API version (accepts: 1) (got: %s).",
                   q->seg[0] + 1);
        sc_buf_fmt(&d, "{\"got\":\"%s\"}", q->seg[0] + 1);
        int ret = sc_reply_error(q, 404, "404.3", m.p, d.p);
        sc_buf_free(&m);
        sc_buf_free(&d);
        return ret;
    }
    if (q->nseg == 2 && strcmp(q->seg[1], "sessions") == 0
        && strcmp(q->method, "POST") == 0)
        return sc_session_create(q);
    if (is_feed(q) && !sc_options_early(q, &e))
        return sc_reply_fault(q, &e);
    if (!sc_auth(q))
        return 1;
    return authorised(q);
}
