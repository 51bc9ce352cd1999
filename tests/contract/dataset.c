/* tests/contract/dataset.c - SPDX-License-Identifier: Apache-2.0 */
/* Datasets: their documents, and entities as Central prints them. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

#define JSON_TYPE "application/json; charset=utf-8"

enum key {
    CREATED,
    CREATOR_ID,
    CREATOR,
    UPDATES,
    UPDATED,
    DELETED,
    NUMBER,
    CONFLICT,
    NKEYS
};

/* The keys of __system; which of them $select may name. */
static const struct {
    const char *name;
    bool selectable;
} keys[NKEYS] = {
    [CREATED] = { "createdAt", true },    [CREATOR_ID] = { "creatorId", true },
    [CREATOR] = { "creatorName", false }, [UPDATES] = { "updates", false },
    [UPDATED] = { "updatedAt", true },    [DELETED] = { "deletedAt", true },
    [NUMBER] = { "version", false },      [CONFLICT] = { "conflict", true },
};

static bool
is_property(const struct sc_field *f)
{
    return f->type != SC_STRUCTURE; /* meta, of forms */
}

/* --- rows ----------------------------------------------------------------- */

static void
member(struct sc_buf *out, const char *name)
{
    char last = out->p[out->len - 1];

    sc_buf_fmt(out, "%s\"%s\":", last == '{' ? "" : ",", name);
}

static void
system_value(const struct sc_rev *r, int key, struct sc_buf *out)
{
    switch (key) {
    case CREATED:
        sc_buf_time(out, r->created);
        break;
    case CREATOR_ID:
        sc_buf_fmt(out, "\"%d\"", r->submitter);
        break;
    case CREATOR:
        sc_buf_json(out, r->submitter_name);
        break;
    case UPDATES:
        sc_buf_fmt(out, "%d", r->edits);
        break;
    case UPDATED:
        sc_buf_time(out, r->updated);
        break;
    case DELETED:
        sc_buf_time(out, r->deleted);
        break;
    case NUMBER:
        sc_buf_fmt(out, "%d", r->edits + 1);
        break;
    default:
        sc_buf_json(out, r->review);
        break;
    }
}

/* For some weeks Central announced deletedAt without printing it. */
static void
system_values(const struct sc_shape *sh, const struct sc_rev *r,
              struct sc_buf *out)
{
    sc_buf_str(out, "{");
    for (int i = CREATED; i < NKEYS; i++) {
        if ((i == DELETED && !sh->all)
            || (sh->some && (sh->system & (1U << i)) == 0))
            continue;
        member(out, keys[i].name);
        system_value(r, i, out);
    }
    sc_buf_str(out, "}");
}

static void
label(const struct sc_rev *r, struct json_object *data, struct sc_buf *out)
{
    struct sc_buf made = { 0 };

    sc_buf_fmt(&made, "Entity %jd", (intmax_t) r->rowid);
    sc_buf_json(out, sc_json_str(data, "label", made.p));
    sc_buf_free(&made);
}

void
sc_entity_print(const struct sc_shape *sh, const struct sc_rev *r,
                struct sc_buf *out)
{
    const struct sc_field *root = sh->version->root;
    char *text = sc_rev_text(r);
    struct json_object *data = odks_json_read(text);

    sc_buf_str(out, "{");
    if (!sh->some || sh->id) {
        member(out, "__id");
        sc_buf_json(out, r->id);
    }
    if (!sh->some) {
        member(out, "label");
        label(r, data, out);
    }
    if (!sh->some || sh->system != 0) {
        member(out, "__system");
        system_values(sh, r, out);
    }
    for (size_t i = 0; i < root->nkids; i++) {
        const struct sc_field *f = root->kids[i];

        if (!is_property(f) || f->shadowed
            || (sh->some && sh->mark[f->index] == 0))
            continue;
        member(out, f->name);
        sc_buf_json(out, sc_json_str(data, f->name, ""));
    }
    sc_buf_str(out, "}");
    json_object_put(data);
    free(text);
}

/* Under their own names: Central does not know those of OData here. */
static bool
select_one(struct sc_shape *sh, const char *name)
{
    const struct sc_field *root = sh->version->root;

    if (strcmp(name, "__id") == 0 || strcmp(name, "__system") == 0) {
        sh->id |= name[2] == 'i';
        sh->system |= name[2] == 's' ? ~0U : 0;
        return true;
    }
    for (int i = CREATED; i < NKEYS; i++)
        if (keys[i].selectable && strncmp(name, "__system/", 9) == 0
            && strcmp(name + 9, keys[i].name) == 0) {
            sh->system |= 1U << i;
            return true;
        }
    for (size_t i = 0; i < root->nkids; i++)
        if (is_property(root->kids[i])
            && strcmp(root->kids[i]->raw, name) == 0) {
            sh->mark[root->kids[i]->index] = 1;
            return true;
        }
    return false;
}

static void
unknown_property(const char *name, struct sc_fault *e)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m, "Could not find a property named '%s'", name);
    sc_buf_str(&d, "{\"property\":");
    sc_buf_json(&d, name);
    sc_buf_str(&d, "}");
    sc_fault_set(e, 400, "400.23", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
}

bool
sc_entity_select(struct sc_shape *sh, const char *select, struct sc_fault *e)
{
    char *copy = sc_dup(select), *rest = copy, *part;
    bool ok = true;

    sh->some = true;
    sh->mark = sc_alloc(sh->version->nfields);
    while (ok && (part = strsep(&rest, ",")) != NULL) {
        part += strspn(part, " ");
        ok = select_one(sh, part);
        if (!ok)
            unknown_property(part, e);
    }
    free(copy);
    return ok;
}

/* "createdAt <= c AND id < c.id" though rows come by createdAt, then id. */
bool
sc_entity_after(struct sc_form *f, const char *cursor, struct sc_select *sel,
                struct sc_fault *e)
{
    const struct sc_sub *sub = sc_sub_find(f, cursor);
    size_t kept = 0;

    if (strlen(cursor) != 36) {
        struct sc_buf m = { 0 }, d = { 0 };

        sc_buf_fmt(&m,
                   "Invalid input data type: expected \"%s\" to be (type uuid)",
                   cursor);
        sc_buf_str(&d, "{\"value\":");
        sc_buf_json(&d, cursor);
        sc_buf_str(&d, ",\"expected\":\"type uuid\"}");
        sc_fault_set(e, 400, "400.11", m.p, d.p);
        sc_buf_free(&m);
        sc_buf_free(&d);
        return false;
    }
    for (size_t i = 0; i < sel->n; i++) {
        struct sc_rev *r = sc_item_rev(sel->v[i]);

        if (sub != NULL && sub->cur != NULL && r->created <= sub->cur->created
            && r->rowid < sub->cur->rowid)
            sel->v[kept++] = sel->v[i];
        else
            sc_rev_unref(r);
    }
    sel->n = kept;
    return true;
}

/* --- documents ------------------------------------------------------------ */

static void
head(const struct sc_form *f, struct sc_buf *out)
{
    sc_buf_str(out, "{\"name\":");
    sc_buf_json(out, f->id);
    sc_buf_str(out, ",\"createdAt\":");
    sc_buf_time(out, f->created);
    sc_buf_fmt(out,
               ",\"projectId\":%d,\"approvalRequired\":false,"
               "\"ownerOnly\":false,\"deletedAt\":",
               f->project);
    sc_buf_time(out, f->deleted ? f->updated : SC_NONE);
}

void
sc_dataset_json(const struct sc_form *f, struct sc_buf *out)
{
    const struct sc_field *root = sc_form_current(f)->root;
    bool first = true;

    head(f, out);
    sc_buf_str(out, ",\"lastUpdate\":");
    sc_buf_time(out, f->touched);
    sc_buf_str(out, ",\"linkedForms\":[],\"sourceForms\":[],"
                    "\"draftLinkedForms\":[],\"draftSourceForms\":[],"
                    "\"properties\":[");
    for (size_t i = 0; i < root->nkids; i++) {
        if (!is_property(root->kids[i]))
            continue;
        sc_buf_str(out, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        sc_buf_json(out, root->kids[i]->raw);
        sc_buf_str(out, ",\"publishedAt\":");
        sc_buf_time(out, sc_form_current(f)->published);
        sc_buf_str(out, ",\"odataName\":");
        sc_buf_json(out, root->kids[i]->name);
        sc_buf_str(out, ",\"forms\":[]}");
    }
    sc_buf_str(out, "]}");
}

static int
list(struct sc_request *q, int project)
{
    struct sc_server *s = q->server;
    const char *del = sc_param(q, "deleted");
    bool trash = del != NULL && strcmp(del, "true") == 0;
    struct sc_buf b = { 0 };

    sc_buf_str(&b, "[");
    for (size_t i = 0; i < s->nforms; i++) {
        const struct sc_form *f = s->forms[i];

        if (!f->dataset || f->deleted != trash || f->project != project)
            continue;
        sc_buf_str(&b, b.len > 1 ? "," : "");
        head(f, &b);
        if (trash)
            sc_buf_fmt(&b, ",\"id\":%zu", i + 1);
        sc_buf_str(&b, "}");
    }
    sc_buf_str(&b, "]");
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static void
rest_entity(const struct sc_rev *r, struct sc_buf *out)
{
    char *text = sc_rev_text(r);
    struct json_object *data = odks_json_read(text);

    sc_buf_str(out, "{\"uuid\":");
    sc_buf_json(out, r->id);
    sc_buf_fmt(out, ",\"creatorId\":%d,\"conflict\":", r->submitter);
    sc_buf_json(out, r->review);
    sc_buf_str(out, ",\"createdAt\":");
    sc_buf_time(out, r->created);
    sc_buf_str(out, ",\"updatedAt\":");
    sc_buf_time(out, r->updated);
    sc_buf_str(out, ",\"deletedAt\":");
    sc_buf_time(out, r->deleted);
    sc_buf_str(out, ",\"currentVersion\":{\"current\":true,\"label\":");
    label(r, data, out);
    sc_buf_fmt(out, ",\"version\":%d}}", r->edits + 1);
    json_object_put(data);
    free(text);
}

/* /entities: live ones, or with deleted=true the trash. */
static int
entities(struct sc_request *q, struct sc_form *f)
{
    const char *del = sc_param(q, "deleted");
    bool trash = del != NULL && strcmp(del, "true") == 0;
    struct sc_select sel = { 0 };
    struct sc_fault none = { 0 };
    struct sc_buf b = { 0 };

    sc_select_rows(f, NULL, trash, &sel, &none);
    sc_buf_str(&b, "[");
    for (size_t i = 0; i < sel.n; i++) {
        const struct sc_rev *r = sc_item_rev(sel.v[i]);

        if ((r->deleted != SC_NONE) != trash)
            continue;
        sc_buf_str(&b, b.len > 1 ? "," : "");
        rest_entity(r, &b);
    }
    sc_buf_str(&b, "]");
    sc_select_free(&sel);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static int
service(struct sc_request *q, struct sc_form *f)
{
    struct sc_buf b = { 0 };

    if (q->nseg == 6 && strcmp(q->seg[5], "Entities") == 0)
        return sc_odata(q, f, q->seg[5]);
    if (q->nseg > 5)
        return sc_reply_404(q);
    char *base = sc_service_base(q);
    sc_buf_fmt(&b,
               "{\"@odata.context\":\"%s%s/$metadata\",\"value\":[{\"name\":"
               "\"Entities\",\"kind\":\"EntitySet\",\"url\":\"Entities\"}]}",
               q->server->domain, base);
    free(base);
    q->odata = true;
    return sc_reply_buf(q, 200, JSON_TYPE "; odata.metadata=minimal", &b);
}

static int
forbidden(struct sc_request *q)
{
    return sc_reply_error(q, 403, "403.1",
                          "The authentication you provided does not have"
                          " rights to perform that action.",
                          NULL);
}

/* Of a service, rights are looked at before whether there is any. */
static int
one(struct sc_request *q, int project)
{
    struct sc_buf b = { 0 };
    size_t n = strlen(q->seg[4]);
    bool svc = n > 4 && strcmp(q->seg[4] + n - 4, ".svc") == 0;
    char *name = sc_dup(q->seg[4]);

    if (svc)
        name[n - 4] = '\0';
    struct sc_form *f = sc_dataset_find(q->server, project, name);
    free(name);
    q->odata = svc;
    if (svc && !q->user->reads)
        return forbidden(q);
    if (f == NULL)
        return sc_reply_404(q);
    if (!q->user->reads)
        return forbidden(q);
    if (svc)
        return service(q, f);
    if (q->nseg == 6 && strcmp(q->seg[5], "entities") == 0)
        return entities(q, f);
    if (q->nseg > 5)
        return sc_reply_404(q);
    sc_dataset_json(f, &b);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

int
sc_datasets(struct sc_request *q, int project)
{
    if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
        return forbidden(q);
    if (q->nseg > 4)
        return one(q, project);
    return q->user->reads ? list(q, project) : forbidden(q);
}
