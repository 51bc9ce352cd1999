/* tests/contract/table.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The feeds of repeats.  As in Central, every page reads all submissions
 * again; unlike Central, the whole page is made before it is sent.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

struct page {
    struct sc_buf text;
    int64_t seen;  /* rows of the table so far */
    int64_t first; /* the first wanted, once the cursor was seen */
    int64_t top;   /* wanted; negative: all */
    int64_t printed;
    bool found; /* the cursor, or none is needed */
    char last[41];
};

static void
page_add(struct page *p, const struct sc_rows *rows, const char *cursor,
         int64_t skip)
{
    size_t from = 0;

    for (size_t i = 0; i < rows->n; from = rows->end[i++], p->seen++) {
        if (!p->found) {
            if (strcmp(rows->id[i], cursor) == 0) {
                p->found = true;
                p->first = p->seen + 1 + skip;
            }
            continue;
        }
        if (p->seen < p->first || (p->top >= 0 && p->printed >= p->top))
            continue;
        if (p->printed++ > 0)
            sc_buf_str(&p->text, ",");
        sc_buf_put(&p->text, rows->text.p + from, rows->end[i] - from);
        memcpy(p->last, rows->id[i], sizeof(p->last));
    }
}

static void
page_fill(struct page *p, struct sc_form *f, const struct sc_shape *sh,
          const struct sc_options *o, const struct sc_select *sel)
{
    p->found = o->cursor == NULL;
    p->first = o->skip;
    p->top = o->has_top ? o->top : -1;
    sc_buf_str(&p->text, "{\"value\":[");
    for (size_t i = 0; i < sel->n; i++) {
        struct sc_rev *r = sc_item_open(f, sel->v[i]);
        struct sc_rows rows = { 0 };

        sc_rows_of(sh, r, &rows);
        page_add(p, &rows, o->cursor, o->skip);
        sc_rows_free(&rows);
        sc_rev_unref(r);
    }
}

static bool
whole(void *arg, struct sc_buf *out)
{
    struct sc_buf *b = arg;

    sc_buf_put(out, b->p, b->len);
    return false;
}

static void
whole_free(void *arg)
{
    sc_buf_free(arg);
    free(arg);
}

static int
page_send(struct sc_request *q, struct page *p, const struct sc_options *o,
          const char *table)
{
    char *base = sc_service_base(q);
    struct sc_buf next = { 0 };

    if (o->has_top && p->first + o->top < p->seen)
        sc_next_link(q, "repeatId", p->printed > 0 ? p->last : NULL, &next);
    sc_footer(q, base, table, next.p, o->count ? p->seen : -1, &p->text);
    sc_buf_free(&next);
    free(base);
    struct sc_buf *body = sc_alloc(sizeof(*body));
    *body = p->text;
    return sc_reply_stream(q, sc_stream_new(q, whole, whole_free, body));
}

int
sc_table_feed(struct sc_request *q, struct sc_form *f, struct sc_shape *sh,
              struct sc_options *o, struct sc_select *sel, const char *table)
{
    struct sc_fault e = { 0 };
    struct page p = { 0 };

    if (o->orderby != NULL && !sc_select_order(f, sel, o->orderby, &e))
        return sc_reply_fault(q, &e);
    if (!(o->has_top && o->top == 0 && o->count))
        sc_select_tag(q->server, sel, q->etag);
    sh->table = strncmp(table, "Submissions.", 12) == 0
                    ? sc_table_find(sh->version, table + 12)
                    : NULL;
    if (sh->table == NULL)
        return sc_reply_404(q);
    if (sc_etag_matches(q, q->etag))
        return sc_reply_304(q);
    if (o->select != NULL && !sc_shape_select(sh, o->select, &e))
        return sc_reply_fault(q, &e);
    page_fill(&p, f, sh, o, sel);
    if (!p.found) {
        sc_buf_free(&p.text);
        return sc_reply_error(
            q, 400, "400.34",
            "Record associated with the provided $skiptoken not found.", NULL);
    }
    return page_send(q, &p, o, table);
}
