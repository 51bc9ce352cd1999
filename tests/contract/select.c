/* tests/contract/select.c - SPDX-License-Identifier: Apache-2.0 */
/* Which submissions a request is about, in which order. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

enum { IDS_MAX = 1024 };

struct sc_rev *
sc_item_open(const struct sc_form *f, sc_item it)
{
    char id[42];

    if (!sc_item_is_bulk(it))
        return sc_rev_ref(sc_item_rev(it));
    uint64_t i = it >> 1;
    struct sc_rev *r = sc_alloc(sizeof(*r));

    sc_bulk_id(i, id);
    r->refs = 1;
    r->source = SC_FROM_BULK;
    r->form = f;
    r->seed = i;
    r->id = sc_dup(id);
    r->instance_id = sc_dup(id);
    r->rowid = (int64_t) i + 1;
    r->created = sc_bulk_created(f, i);
    r->updated = r->deleted = SC_NONE;
    r->event = i + 1;
    r->submitter = 5;
    r->submitter_name = sc_dup("admin@example.org");
    r->form_version = sc_dup(f->versions[0]->name);
    r->made_with = f->versions[0];
    return r;
}

void
sc_item_view(const struct sc_form *f, sc_item it, struct sc_view *v,
             char idbuf[42])
{
    if (!sc_item_is_bulk(it)) {
        const struct sc_rev *r = sc_item_rev(it);

        *v = (struct sc_view){ .id = r->id,
                               .review = r->review,
                               .created = r->created,
                               .updated = r->updated,
                               .deleted = r->deleted,
                               .submitter = r->submitter };
        return;
    }
    sc_bulk_id(it >> 1, idbuf);
    *v = (struct sc_view){ .id = idbuf,
                           .created = sc_bulk_created(f, it >> 1),
                           .updated = SC_NONE,
                           .deleted = SC_NONE,
                           .submitter = 5 };
}

void
sc_select_free(struct sc_select *sel)
{
    for (size_t i = 0; i < sel->n; i++)
        if (!sc_item_is_bulk(sel->v[i]))
            sc_rev_unref(sc_item_rev(sel->v[i]));
    free(sel->v);
    memset(sel, 0, sizeof(*sel));
}

static void
keep(struct sc_select *sel, sc_item it)
{
    if (sel->n == sel->cap) {
        sel->cap = sel->cap == 0 ? 256 : sel->cap * 2;
        sel->v = realloc(sel->v, sel->cap * sizeof(sel->v[0]));
        if (sel->v == NULL)
            abort();
    }
    if (!sc_item_is_bulk(it))
        (void) sc_rev_ref(sc_item_rev(it));
    sel->v[sel->n++] = it;
}

static bool
passes(const struct sc_form *f, const struct sc_node *filter, sc_item it,
       bool deleted_too, struct sc_fault *e)
{
    struct sc_view v;
    char id[42];

    if (!sc_item_is_bulk(it)) {
        if (!deleted_too && sc_item_rev(it)->deleted != SC_NONE)
            return false;
    }
    if (filter == NULL)
        return true;
    sc_item_view(f, it, &v, id);
    return sc_filter_eval(filter, &v, e) == 1;
}

static int64_t
rowid_of(sc_item it)
{
    return sc_item_is_bulk(it) ? (int64_t) (it >> 1) + 1
                               : sc_item_rev(it)->rowid;
}

/*
 * The ids a filter limits itself to, if it does: then nobody need look at
 * all the rows.  False: it may be true of any row, or of too many ids.
 */
static bool
only_ids(const struct sc_node *n, const char **ids, size_t *count)
{
    size_t keep_count = *count;

    if (n->kind == SC_PAREN)
        return only_ids(n->a, ids, count);
    if (n->kind == SC_OR)
        return only_ids(n->a, ids, count) && only_ids(n->b, ids, count);
    if (n->kind == SC_AND) {
        if (only_ids(n->a, ids, count))
            return true;
        *count = keep_count;
        return only_ids(n->b, ids, count);
    }
    if (n->kind != SC_EQ || n->a->kind != SC_PATH || n->a->field != 0
        || n->b->kind != SC_STR || *count == IDS_MAX)
        return false;
    ids[(*count)++] = n->b->text;
    return true;
}

static int
newest_first(const void *pa, const void *pb, void *form)
{
    struct sc_view a, b;
    char ida[42], idb[42];
    sc_item x = *(const sc_item *) pa, y = *(const sc_item *) pb;

    sc_item_view(form, x, &a, ida);
    sc_item_view(form, y, &b, idb);
    if (a.created != b.created)
        return a.created < b.created ? 1 : -1;
    return rowid_of(x) < rowid_of(y) ? 1 : rowid_of(x) > rowid_of(y) ? -1 : 0;
}

static void
select_ids(struct sc_form *f, const struct sc_node *filter, bool deleted_too,
           const char **ids, size_t n, struct sc_select *sel,
           struct sc_fault *e)
{
    for (size_t k = 0; k < n; k++) {
        const struct sc_sub *sub = sc_sub_find(f, ids[k]);
        sc_item it = sub != NULL ? (sc_item) sub->cur : 0;
        uint64_t i;
        size_t had = 0;

        if (sub == NULL && sc_bulk_index(f, ids[k], &i) && sc_bulk_live(f, i))
            it = (sc_item) (i << 1 | 1);
        while (had < sel->n && sel->v[had] != it)
            had++;
        if (it != 0 && had == sel->n && passes(f, filter, it, deleted_too, e))
            keep(sel, it);
    }
    if (sel->n > 1)
        qsort_r(sel->v, sel->n, sizeof(sel->v[0]), newest_first, f);
}

/* Newest first: the bulk rows and the stored ones, merged. */
void
sc_select_rows(struct sc_form *f, const struct sc_node *filter,
               bool deleted_too, struct sc_select *sel, struct sc_fault *e)
{
    uint64_t bulk = f->bulk_n;
    const char *ids[IDS_MAX];
    size_t nids = 0;

    if (filter != NULL && only_ids(filter, ids, &nids)) {
        select_ids(f, filter, deleted_too, ids, nids, sel, e);
        return;
    }
    sc_form_sort(f);
    for (size_t i = f->nsubs; i > 0 || bulk > 0;) {
        const struct sc_rev *r = i > 0 ? f->subs[i - 1]->cur : NULL;
        sc_item it;

        if (i > 0 && (r == NULL || f->subs[i - 1]->purged)) {
            i--;
            continue;
        }
        if (bulk > 0 && !sc_bulk_live(f, bulk - 1)) {
            bulk--;
            continue;
        }
        int64_t made = bulk > 0 ? sc_bulk_created(f, bulk - 1) : 0;
        if (bulk == 0
            || (r != NULL
                && (r->created > made
                    || (r->created == made && r->rowid > (int64_t) bulk)))) {
            it = (sc_item) r;
            i--;
        } else {
            it = (sc_item) (--bulk << 1 | 1);
        }
        if (passes(f, filter, it, deleted_too, e))
            keep(sel, it);
    }
}

struct sort_key {
    int field;
    bool desc;
};

struct sort_context {
    const struct sc_form *form;
    struct sort_key keys[8];
    int n;
};

static int
cmp_text(const char *a, const char *b, bool *null)
{
    *null = a == NULL || b == NULL;
    if (*null)
        return (a == NULL) == (b == NULL) ? 0 : a == NULL ? -1 : 1;
    return strcmp(a, b);
}

static int
cmp_key(const struct sc_view *a, const struct sc_view *b, int field)
{
    bool null;
    int64_t x, y;

    if (field == 0)
        return cmp_text(a->id, b->id, &null);
    if (field == 5)
        return cmp_text(a->review, b->review, &null);
    x = field == 1   ? a->created
        : field == 2 ? a->updated
        : field == 3 ? a->deleted
                     : a->submitter;
    y = field == 1   ? b->created
        : field == 2 ? b->updated
        : field == 3 ? b->deleted
                     : b->submitter;
    return x < y ? -1 : x > y; /* SC_NONE, null, is the least: first asc */
}

static int
by_keys(const void *pa, const void *pb, void *ctx)
{
    const struct sort_context *c = ctx;
    sc_item ia = *(const sc_item *) pa, ib = *(const sc_item *) pb;
    struct sc_view a, b;
    char ida[42], idb[42];

    sc_item_view(c->form, ia, &a, ida);
    sc_item_view(c->form, ib, &b, idb);
    for (int i = 0; i < c->n; i++) {
        int d = cmp_key(&a, &b, c->keys[i].field);

        if (d != 0)
            return c->keys[i].desc ? -d : d;
    }
    int64_t ra = rowid_of(ia), rb = rowid_of(ib);
    bool desc = c->n > 0 && c->keys[c->n - 1].desc;
    return ra == rb ? 0 : (ra < rb) != desc ? -1 : 1;
}

static void
no_order(const char *what, struct sc_fault *e)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m,
               "The given OData filter expression references fields not"
               " supported by this server: %s",
               what);
    sc_buf_str(&d, "{\"text\":");
    sc_buf_json(&d, what);
    sc_buf_str(&d, "}");
    sc_fault_set(e, 501, "501.5", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
}

static bool
order_key(char *part, struct sort_context *c, struct sc_fault *e)
{
    static const char *const names[2][6] = {
        { "__id", "__system/submissionDate", "__system/updatedAt",
          "__system/deletedAt", "__system/submitterId",
          "__system/reviewState" },
        { "__id", "__system/createdAt", "__system/updatedAt",
          "__system/deletedAt", "__system/creatorId", "__system/conflict" },
    };
    char *save = NULL;
    const char *name = strtok_r(part, " ", &save);
    const char *way = strtok_r(NULL, " ", &save);

    if (name != NULL && strncmp(name, "$root/Submissions/", 18) == 0)
        name += 18;
    for (int i = 0; name != NULL && i < 6; i++) {
        if (strcmp(names[c->form->dataset][i], name) != 0)
            continue;
        if (way != NULL && strcasecmp(way, "asc") != 0
            && strcasecmp(way, "desc") != 0) {
            no_order(way, e);
            return false;
        }
        if (c->n < 8)
            c->keys[c->n++] =
                (struct sort_key){ i, way != NULL
                                          && strcasecmp(way, "desc") == 0 };
        return true;
    }
    no_order(name != NULL ? name : "", e);
    return false;
}

bool
sc_select_order(const struct sc_form *f, struct sc_select *sel,
                const char *orderby, struct sc_fault *e)
{
    struct sort_context c = { .form = f };
    char *copy = sc_dup(orderby), *rest = copy, *part;
    bool ok = true;

    while (ok && (part = strsep(&rest, ",")) != NULL)
        ok = order_key(part, &c, e);
    if (ok && sel != NULL && sel->n > 1)
        qsort_r(sel->v, sel->n, sizeof(sel->v[0]), by_keys, &c);
    free(copy);
    return ok;
}

/* Over the events only: what the columns are has no say in it. */
void
sc_select_tag(const struct sc_server *s, const struct sc_select *sel,
              char out[60])
{
    uint64_t a = s->one_tag ? s->next_event : 0, b = 0;

    for (size_t i = 0; i < sel->n; i++) {
        uint64_t ev = sc_item_is_bulk(sel->v[i])
                          ? (sel->v[i] >> 1) + 1
                          : sc_item_rev(sel->v[i])->event;

        a = sc_mix(a ^ ev);
        b = (b + ev) * 0x9e3779b97f4a7c15ULL;
    }
    (void) snprintf(out, 60, "W/\"eventhash:%016jx%016jx\"", (uintmax_t) a,
                    (uintmax_t) (sel->n == 0 ? 0 : sc_mix(b)));
}
