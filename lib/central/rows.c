/* lib/central/rows.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "central/scan.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"

enum { MAX_TARGET = 64 * 1024, MAX_COUNT = 1024 * 1024 };

#define MAX_ROWS INT64_C(1000000000000) /* that a count is believed of */

/* What other servers on the way make of a body is none of our business. */
#define EVENT_TAG "W/\"eventhash:"
#define EVENT_DIGITS "0123456789abcdef"
enum { EVENT_DIGITS_MAX = 128 };

struct odks_rows {
    struct odks_central *central;
    struct odks_http_response *response; /* NULL: at the end */
    struct odks_scan scan;
    const char *data; /* of the response, not yet scanned */
    size_t len;
    bool failed;
    bool one_page;  /* a link behind it is none of ours */
    char *tag;      /* or NULL */
    int64_t before; /* rows of the pages before this one */
    char *mark;     /* a link we followed, to notice a ring of links */
    int64_t pages;  /* since mark */
    int64_t mark_after;
};

static bool
option(struct odks_buf *b, const char *name, const char *value)
{
    CLEANUP_FREE char *escaped = odks_http_escape(value);
    const char *before = strchr(b->data, '?') == NULL ? "?" : "&";

    return odks_buf_printf(b, "%s$%s=%s", before, name, escaped);
}

static bool
number_option(struct odks_buf *b, const char *name, int64_t value)
{
    CLEANUP_FREE char *text = odks_xasprintf("%" PRId64, value);

    return value <= 0 || option(b, name, text);
}

const struct odks_feed_names *
odks_feed_names(enum odks_feed feed)
{
    static const struct odks_feed_names names[] = {
        [ODKS_FEED_FORM] = { "form", "submission", "submissions", "forms",
                             "Submissions", "submissionDate", "edits" },
        [ODKS_FEED_DATASET] = { "dataset", "entity", "entities", "datasets",
                                "Entities", "createdAt", "version" },
    };

    return &names[feed];
}

static bool
query_target(const struct odks_query *q, struct odks_buf *b,
             struct odks_err *err)
{
    const struct odks_feed_names *names = odks_feed_names(q->feed);
    CLEANUP_FREE char *id = odks_http_escape(q->form_id);

    if (odks_buf_printf(b, "/v1/projects/%" PRId64 "/%s/%s.svc/%s", q->project,
                        names->path, id, names->table)
        && (q->filter == NULL || option(b, "filter", q->filter))
        && (q->select == NULL || option(b, "select", q->select))
        && (q->orderby == NULL || option(b, "orderby", q->orderby))
        && (!q->expand || option(b, "expand", "*"))
        && number_option(b, "top", q->top) && number_option(b, "skip", q->skip))
        return true;
    odks_err_set(err, ODKS_EXIT_SOFTWARE, "a query of ours is too long");
    return false;
}

/* A tag of the kind that Central makes of events; copied, or NULL. */
static char *
event_tag(const struct odks_http_response *response)
{
    const char *tag = odks_http_etag(response);

    if (tag == NULL || strncmp(tag, EVENT_TAG, strlen(EVENT_TAG)) != 0)
        return NULL;
    size_t len = strspn(tag + strlen(EVENT_TAG), EVENT_DIGITS);
    const char *rest = tag + strlen(EVENT_TAG) + len;
    return len > 0 && len <= EVENT_DIGITS_MAX && strcmp(rest, "\"") == 0
               ? odks_xstrdup(tag)
               : NULL;
}

bool
odks_central_tag(struct odks_central *central, const struct odks_query *query,
                 const char *tag, bool *same, char **now, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf target = ODKS_BUF_INIT(MAX_TARGET);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

    *same = false;
    *now = NULL;
    if (!query_target(query, &target, err)
        || !odks_central_request_unless(central, target.data, tag, &response,
                                        err))
        return false;
    *same = odks_http_status(response) == 304;
    if (!*same)
        *now = event_tag(response);
    return true;
}

bool
odks_central_count(struct odks_central *central, const struct odks_query *query,
                   int64_t *count, struct odks_err *err)
{
    const struct odks_query bare = { .feed = query->feed,
                                     .project = query->project,
                                     .form_id = query->form_id };
    CLEANUP_BUF struct odks_buf target = ODKS_BUF_INIT(MAX_TARGET);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    CLEANUP_JSON struct json_object *json = NULL;
    struct json_object *value;

    *count = 0;
    if (!query_target(&bare, &target, err))
        return false;
    if (!odks_buf_add_str(&target, "?$top=0&$count=true")
        || (query->filter != NULL
            && !option(&target, "filter", query->filter))) {
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "a query of ours is too long");
        return false;
    }
    if (!odks_central_feed_request(central, query->feed, query->project,
                                   query->form_id, target.data, &response, err)
        || !odks_central_read_json(response, MAX_COUNT, &json, err))
        return false;
    value = odks_json_member(json, "@odata.count");
    if (!json_object_is_type(value, json_type_int)
        || json_object_get_int64(value) < 0
        || json_object_get_int64(value) > MAX_ROWS) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central's answer holds no count of %s",
                     odks_feed_names(query->feed)->rows);
        return false;
    }
    *count = json_object_get_int64(value);
    return true;
}

bool
odks_central_rows(struct odks_central *central, const struct odks_query *query,
                  struct odks_rows **rows, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf target = ODKS_BUF_INIT(MAX_TARGET);
    struct odks_http_response *response;

    *rows = NULL;
    if (!query_target(query, &target, err)
        || !odks_central_feed_request(central, query->feed, query->project,
                                      query->form_id, target.data, &response,
                                      err))
        return false;
    *rows = odks_xcalloc(1, sizeof(**rows));
    (*rows)->central = central;
    (*rows)->response = response;
    (*rows)->tag = event_tag(response);
    (*rows)->one_page = query->top > 0 || query->skip > 0;
    odks_scan_init(&(*rows)->scan, central->login->max_row_bytes);
    (*rows)->scan.what = odks_feed_names(query->feed);
    return true;
}

const char *
odks_rows_tag(const struct odks_rows *rows)
{
    return rows->tag;
}

void
odks_rows_close(struct odks_rows *rows)
{
    if (rows == NULL)
        return;
    odks_http_close(rows->response);
    odks_scan_free(&rows->scan);
    free(rows->tag);
    free(rows->mark);
    free(rows);
}

/*
 * A link that comes again would go round for ever. Keeping one link, at pages
 * 1, 2, 4, 8 ..., is enough to meet it again in any ring.
 */
static bool
goes_round(struct odks_rows *rows, const char *target)
{
    if (rows->mark != NULL && strcmp(rows->mark, target) == 0)
        return true;
    if (rows->pages++ == rows->mark_after) {
        free(rows->mark);
        rows->mark = odks_xstrdup(target);
        rows->pages = 0;
        rows->mark_after = rows->mark_after * 2 + 1;
    }
    return false;
}

static bool
follow(struct odks_rows *rows, const char *link, struct odks_err *err)
{
    CLEANUP_FREE char *target = NULL;

    if (rows->scan.rows == rows->before) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central sent a next link behind a page without %s",
                     rows->scan.what->rows);
        return false;
    }
    if (!odks_http_link(rows->central->http, link, &target, err))
        return false;
    if (goes_round(rows, target)) {
        odks_err_set(
            err, ODKS_EXIT_DATA,
            "Central sent the same next link twice, behind %s %" PRId64,
            rows->scan.what->row, rows->scan.rows);
        return false;
    }
    odks_scan_again(&rows->scan);
    rows->before = rows->scan.rows;
    return odks_central_request(rows->central, target, &rows->response, err);
}

/* What stood around the rows of a body that came to its end. */
static struct json_object *
parse_envelope(const struct odks_scan *scan, struct odks_err *err)
{
    struct odks_err why = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *json = NULL;

    if (!odks_scan_end(scan, err))
        return NULL;
    if (odks_central_parse(&scan->envelope, &json, &why)
        && json_object_is_type(odks_json_member(json, "value"), json_type_array)
        && *odks_json_text(json, "@odata.context") != '\0')
        return odks_steal(&json);
    odks_err_set(err, ODKS_EXIT_DATA,
                 "Central's answer is no OData behind %s %" PRId64,
                 scan->what->row, scan->rows);
    odks_err_detail(err, "%s", why.message);
    return NULL;
}

/* The body ended: was it whole, and is there another page? */
static bool
turn_page(struct odks_rows *rows, struct odks_err *err)
{
    odks_http_close(odks_steal(&rows->response));
    CLEANUP_JSON struct json_object *envelope =
        parse_envelope(&rows->scan, err);
    if (envelope == NULL)
        return false;
    const char *link = odks_json_text(envelope, "@odata.nextLink");
    if (*link == '\0' || rows->one_page)
        return true;
    return follow(rows, link, err);
}

static bool
read_on(struct odks_rows *rows, struct odks_err *err)
{
    if (!odks_http_read(rows->response, &rows->data, &rows->len, err)) {
        if (!err->interrupted)
            odks_err_context(err, "behind %s %" PRId64, rows->scan.what->row,
                             rows->scan.rows);
        return false;
    }
    return rows->len > 0 || turn_page(rows, err);
}

static bool
next(struct odks_rows *rows, bool *complete, struct odks_err *err)
{
    *complete = false;
    while (rows->response != NULL && !*complete) {
        if (!odks_scan_feed(&rows->scan, &rows->data, &rows->len, complete,
                            err))
            return false;
        if (!*complete && !read_on(rows, err))
            return false;
    }
    return true;
}

bool
odks_rows_next(struct odks_rows *rows, const char **row, size_t *len,
               struct odks_err *err)
{
    bool complete;

    *row = NULL;
    *len = 0;
    if (rows->failed) { /* an error must not look like the end later on */
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "rows read behind an error");
        return false;
    }
    rows->failed = !next(rows, &complete, err);
    if (rows->failed)
        return false;
    if (complete) {
        *row = rows->scan.row.data;
        *len = rows->scan.row.len;
    }
    return true;
}
