/* tests/contract/odata.c - SPDX-License-Identifier: Apache-2.0 */
/* The Submissions feed. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

enum { CHUNK = 96 * 1024 };

/* A response while it is sent; shares nothing that changes. */
struct feed {
    struct sc_server *server;
    const struct sc_form *form;
    struct sc_shape shape;
    struct sc_select sel;
    size_t pos, from, to;
    struct sc_buf footer;
    bool fast;
    int64_t bad_row;
    unsigned rate;
    struct timespec start;
};

static void
feed_free(void *arg)
{
    struct feed *fd = arg;

    sc_select_free(&fd->sel);
    sc_buf_free(&fd->footer);
    free(fd->shape.mark);
    free(fd);
}

static void
feed_row(struct feed *fd, struct sc_buf *out)
{
    sc_item it = fd->sel.v[fd->pos];

    if (fd->bad_row == (int64_t) (fd->pos - fd->from))
        sc_buf_str(out, "{\"__id\":oops");
    if (fd->fast && sc_item_is_bulk(it)) {
        sc_bulk_row(fd->form, it >> 1, fd->shape.expand, out);
        return;
    }
    struct sc_rev *r = sc_item_open(fd->form, it);
    if (fd->form->dataset)
        sc_entity_print(&fd->shape, r, out);
    else
        sc_row_print(&fd->shape, r, out);
    sc_rev_unref(r);
}

/* Sleep until the given number of rows is due. */
static void
keep_rate(struct feed *fd)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    double gone = (double) (now.tv_sec - fd->start.tv_sec)
                  + (double) (now.tv_nsec - fd->start.tv_nsec) / 1e9;
    double due = (double) (fd->pos - fd->from) / fd->rate;
    if (due > gone)
        sc_sleep(fd->server, due - gone);
}

static bool
feed_more(void *arg, struct sc_buf *out)
{
    struct feed *fd = arg;
    unsigned rate = fd->rate;
    size_t stop = fd->to;

    if (fd->pos == fd->from)
        sc_buf_str(out, "{\"value\":[");
    if (rate > 0) {
        keep_rate(fd);
        if (stop > fd->pos + 1 + rate / 20)
            stop = fd->pos + 1 + rate / 20;
    }
    while (fd->pos < stop && out->len < CHUNK) {
        if (fd->pos > fd->from)
            sc_buf_put(out, ",", 1);
        feed_row(fd, out);
        fd->pos++;
    }
    if (fd->pos < fd->to)
        return true;
    if (rate > 0)
        keep_rate(fd);
    sc_buf_put(out, fd->footer.p, fd->footer.len);
    return false;
}

/* How many rows of a selection come before the one after the cursor. */
static size_t
after_cursor(struct sc_form *f, const struct sc_select *sel, const char *cursor)
{
    const struct sc_sub *sub = sc_sub_find(f, cursor);
    int64_t created, rowid;
    uint64_t bulk;

    if (sub != NULL && sub->cur != NULL) {
        created = sub->cur->created;
        rowid = sub->cur->rowid;
    } else if (sc_bulk_index(f, cursor, &bulk) && sc_bulk_live(f, bulk)) {
        created = sc_bulk_created(f, bulk);
        rowid = (int64_t) bulk + 1;
    } else {
        return sel->n; /* Central: as if nothing were left */
    }
    size_t lo = 0, hi = sel->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        struct sc_view v;
        char id[42];

        sc_item_view(f, sel->v[mid], &v, id);
        int64_t row = sc_item_is_bulk(sel->v[mid])
                          ? (int64_t) (sel->v[mid] >> 1) + 1
                          : sc_item_rev(sel->v[mid])->rowid;
        if (v.created > created || (v.created == created && row >= rowid))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static char *
last_id(const struct feed *fd)
{
    struct sc_view v;
    char id[42];

    if (fd->to == fd->from)
        return NULL;
    sc_item_view(fd->form, fd->sel.v[fd->to - 1], &v, id);
    return sc_dup(v.id);
}

static bool
has_hook(struct sc_request *q, const char *when)
{
    struct json_object *hook = sc_action(q, "hook");

    return hook != NULL && json_object_object_get_ex(hook, when, NULL);
}

static size_t
left_of(struct sc_form *f, const struct sc_select *sel, const char *cursor)
{
    return sel->n - (cursor != NULL ? after_cursor(f, sel, cursor) : 0);
}

/*
 * Central reads the rows and their count in two queries.  "race" changes
 * things between the count and the rows, "raceAfter" the other way round.
 */
static void
race(struct sc_request *q, struct sc_form *f, struct feed *fd,
     const struct sc_node *filter, bool deleted, const char *cursor,
     size_t *count, size_t *left)
{
    struct sc_select again = { 0 };
    struct sc_fault none = { 0 };
    bool rows = has_hook(q, "race");

    *count = fd->sel.n;
    *left = left_of(f, &fd->sel, cursor);
    if (!rows && !has_hook(q, "raceAfter"))
        return;
    sc_script_hook(q, rows ? "race" : "raceAfter");
    sc_select_rows(f, filter, deleted, &again, &none);
    if (rows) {
        sc_select_free(&fd->sel);
        fd->sel = again;
    } else {
        *count = again.n;
        *left = left_of(f, &again, cursor);
        sc_select_free(&again);
    }
    free(none.body);
}

static const char *
table_of(const struct sc_form *f)
{
    return f->dataset ? "Entities" : "Submissions";
}

static int
only_count(struct sc_request *q, const struct sc_form *f, const char *base,
           bool count, size_t n)
{
    struct sc_buf b = { 0 }, next = { 0 };

    sc_buf_str(&b, "{\"value\":[");
    if (f->dataset && n > 0) /* as if there were a page before this one */
        sc_next_link(q, NULL, NULL, &next);
    sc_footer(q, base, table_of(f), next.p, count ? (int64_t) n : -1, &b);
    sc_buf_free(&next);
    return sc_reply_buf(q, 200, "application/json; charset=utf-8", &b);
}

static int
send_feed(struct sc_request *q, struct feed *fd, const struct sc_options *o,
          const char *base, size_t count, size_t left)
{
    struct sc_select page = { fd->sel.v != NULL ? fd->sel.v + fd->from : NULL,
                              fd->to - fd->from, 0 };
    struct sc_buf next = { 0 };
    struct json_object *bad = sc_action(q, "badJson");

    if (!q->server->untagged && !fd->form->dataset) /* as before v2026.1 */
        sc_select_tag(q->server, &page, q->etag);
    if (sc_etag_matches(q, q->etag)) {
        feed_free(fd);
        return sc_reply_304(q);
    }
    /* $skip alone counts as a page of no size. */
    bool dataset = fd->form->dataset;
    if ((o->has_top || (o->skip > 0 && !dataset)) && left > (size_t) o->top) {
        char *id = last_id(fd);

        sc_next_link(q, dataset ? "uuid" : "instanceId", id, &next);
        free(id);
    }
    sc_footer(q, base, table_of(fd->form), next.p,
              o->count ? (int64_t) count : -1, &fd->footer);
    sc_buf_free(&next);
    fd->pos = fd->from;
    fd->bad_row = bad != NULL ? json_object_get_int64(bad) : -1;
    fd->fast = !fd->shape.some && !fd->shape.wkt && fd->form->nversions == 1;
    (void) clock_gettime(CLOCK_MONOTONIC, &fd->start);
    return sc_reply_stream(q, sc_stream_new(q, feed_more, feed_free, fd));
}

static int
submissions_feed(struct sc_request *q, struct sc_form *f, struct feed *fd,
                 struct sc_options *o, const struct sc_node *filter,
                 bool deleted, struct sc_fault *e)
{
    char *base = sc_service_base(q);
    size_t count, left, skip = 0;
    int ret;

    if (!f->dataset) {
        race(q, f, fd, filter, deleted, o->cursor, &count, &left);
    } else {
        race(q, f, fd, filter, deleted, NULL, &count, &left);
        if (o->cursor != NULL && !sc_entity_after(f, o->cursor, &fd->sel, e))
            goto refuse;
        left = o->cursor != NULL         ? fd->sel.n
               : (size_t) o->skip < left ? left - (size_t) o->skip
                                         : 0;
    }
    if (o->orderby != NULL && !sc_select_order(f, &fd->sel, o->orderby, e))
        goto refuse;
    if (o->cursor != NULL && !f->dataset)
        skip = after_cursor(f, &fd->sel, o->cursor);
    fd->from = (size_t) o->skip < fd->sel.n - skip ? skip + (size_t) o->skip
                                                   : fd->sel.n;
    fd->to = fd->sel.n;
    if (o->has_top && (size_t) o->top < fd->to - fd->from)
        fd->to = fd->from + (size_t) o->top;
    if (o->has_top && o->top == 0) {
        feed_free(fd);
        ret = only_count(q, f, base, o->count, count);
    } else if (o->select != NULL && f->dataset) {
        if (!sc_entity_select(&fd->shape, o->select, e))
            goto refuse;
        ret = send_feed(q, fd, o, base, count, left);
    } else if (o->select != NULL
               && !sc_shape_select(&fd->shape, o->select, e)) {
        struct sc_select page = { fd->sel.v + fd->from, fd->to - fd->from, 0 };

        sc_select_tag(q->server, &page, q->etag);
        goto refuse;
    } else {
        ret = send_feed(q, fd, o, base, count, left);
    }
    free(base);
    return ret;
refuse:
    free(base);
    feed_free(fd);
    return sc_reply_fault(q, e);
}

int
sc_odata(struct sc_request *q, struct sc_form *f, const char *table)
{
    bool root = f->dataset || strcmp(table, "Submissions") == 0;
    struct sc_options o = { 0 };
    struct sc_fault e = { 0 };
    struct sc_node *filter = NULL;
    struct feed *fd = sc_alloc(sizeof(*fd));
    const char *expand = sc_param(q, "$expand"), *wkt = sc_param(q, "$wkt");
    int ret;

    q->odata = true;
    fd->server = q->server;
    fd->rate = q->server->rate;
    fd->form = f;
    fd->shape.version = sc_form_current(f);
    fd->shape.table = fd->shape.version->root;
    fd->shape.all = !q->server->mute_trash;
    fd->shape.expand = expand != NULL && *expand == '*';
    fd->shape.wkt = wkt != NULL && strcmp(wkt, "true") == 0;
    if (sc_options_read(q,
                        f->dataset ? "uuid"
                        : root     ? "instanceId"
                                   : "repeatId",
                        &o, &e)
        && (o.filter == NULL
            || ((filter = sc_filter_parse(o.filter, f->dataset, &e)) != NULL
                && sc_filter_check(filter, !root, &e)))) {
        bool deleted =
            o.filter != NULL && strstr(o.filter, "__system/deletedAt") != NULL;

        sc_select_rows(f, filter, deleted, &fd->sel, &e);
        if (root) {
            ret = submissions_feed(q, f, fd, &o, filter, deleted, &e);
        } else {
            ret = sc_table_feed(q, f, &fd->shape, &o, &fd->sel, table);
            feed_free(fd);
        }
    } else {
        feed_free(fd);
        ret = sc_reply_fault(q, &e);
    }
    sc_filter_free(filter);
    sc_options_free(&o);
    return ret;
}

static int
single_rows(struct sc_request *q, struct sc_shape *sh, struct sc_rev *r,
            const char *rest)
{
    char *base = sc_service_base(q), *dotted = sc_dup(rest);
    struct sc_buf b = { 0 }, table = { 0 };
    struct sc_rows rows = { 0 };
    const char *select = sc_param(q, "$select");
    struct sc_fault e = { 0 };

    for (char *c = dotted; *c != '\0'; c++)
        *c = *c == '/' ? '.' : *c;
    sc_buf_str(&b, "{\"value\":[");
    sh->table =
        *rest == '\0' ? sh->version->root : sc_table_find(sh->version, dotted);
    free(dotted);
    if (sh->table == NULL) {
        sc_buf_free(&b);
        free(base);
        return sc_reply_404(q);
    }
    if (select != NULL && !sc_shape_select(sh, select, &e)) {
        sc_buf_free(&b);
        free(base);
        free(sh->mark);
        return sc_reply_fault(q, &e);
    }
    if (*rest == '\0') {
        sc_row_print(sh, r, &b);
    } else {
        size_t from = 0;

        sc_rows_of(sh, r, &rows);
        for (size_t i = 0; i < rows.n; from = rows.end[i++]) {
            sc_buf_str(&b, i > 0 ? "," : "");
            sc_buf_put(&b, rows.text.p + from, rows.end[i] - from);
        }
        sc_rows_free(&rows);
    }
    free(sh->mark);
    sc_table_path(sh->table, &table);
    sc_footer(q, base, table.p, NULL, -1, &b);
    sc_buf_free(&table);
    free(base);
    return sc_reply_buf(q, 200, "application/json; charset=utf-8", &b);
}

/* Submissions('id'), and the repeats of that one (not of its repeats). */
int
sc_odata_single(struct sc_request *q, struct sc_form *f, const char *segment,
                const char *rest)
{
    const char *expand = sc_param(q, "$expand");
    struct sc_shape sh = { .version = sc_form_current(f),
                           .expand = expand != NULL && *expand == '*' };
    size_t n = strlen(segment);
    char *id = sc_dup(segment + 13);
    struct sc_rev *r = NULL;
    uint64_t i;
    int ret;

    q->odata = true;
    if (n > 15 && strcmp(segment + n - 2, "')") == 0)
        id[n - 15] = '\0';
    struct sc_sub *sub = sc_sub_find(f, id);
    if (sub != NULL && sub->cur != NULL && sub->cur->deleted == SC_NONE)
        r = sc_rev_ref(sub->cur);
    else if (sc_bulk_index(f, id, &i) && sc_bulk_live(f, i))
        r = sc_item_open(f, (sc_item) (i << 1 | 1));
    free(id);
    ret = r == NULL ? sc_reply_404(q) : single_rows(q, &sh, r, rest);
    sc_rev_unref(r);
    return ret;
}
