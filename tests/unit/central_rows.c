/* tests/unit/central_rows.c - SPDX-License-Identifier: Apache-2.0 */
/* The Submissions feed, over a connection that may do anything. */
#include <config.h>

#include "central/central.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "http_script.h"
#include "unit.h"

#define LOGIN                                               \
    {                                                       \
        .status = "200 OK", .body = "{\"token\":\"first\"}" \
    }
#define AGAIN                                                \
    {                                                        \
        .status = "200 OK", .body = "{\"token\":\"second\"}" \
    }
#define REFUSED                                                           \
    {                                                                     \
        .status = "401 Unauthorized",                                     \
        .body = "{\"message\":\"Could not authenticate\",\"code\":401.2}" \
    }
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CONTEXT "\"@odata.context\":\"http://a.org/$metadata#Submissions\""
#define LINK(target) ",\"@odata.nextLink\":\"" target "\""
#define PAGE(rows, more)                                                      \
    {                                                                         \
        .status = "200 OK", .body = "{\"value\":[" rows "]," CONTEXT more "}" \
    }

enum { MAX_STEPS = 8 };

struct feed {
    const char *name;
    struct script_step steps[MAX_STEPS + 1];
    struct odks_query query;
    enum odks_exit code;
    const char *rows; /* all that were handed out, end to end */
    const char *says; /* a part of the message */
    int requests;     /* with logins, without logout */
};

static const struct feed feeds[] = {
    { "rows",
      { LOGIN, PAGE("{\"a\":1},{\"a\":2}", "") },
      .rows = "{\"a\":1}{\"a\":2}",
      .requests = 2 },
    { "no rows", { LOGIN, PAGE("", "") }, .rows = "", .requests = 2 },
    { "pages",
      { LOGIN, PAGE("{\"a\":1}", LINK("/v1/x?%24skiptoken=1")),
        PAGE("{\"a\":2}", LINK("/v1/x?%24skiptoken=2")),
        PAGE("{\"a\":3}", "") },
      .rows = "{\"a\":1}{\"a\":2}{\"a\":3}",
      .requests = 4 },
    { "token ends between pages",
      { LOGIN, PAGE("{\"a\":1}", LINK("/v1/x?%24skiptoken=1")), REFUSED, AGAIN,
        PAGE("{\"a\":2}", "") },
      .rows = "{\"a\":1}{\"a\":2}",
      .requests = 5 },
    { "trouble between pages passes",
      { LOGIN,
        PAGE("{\"a\":1}", LINK("/v1/x?%24skiptoken=1")),
        { .status = "503 Unavailable" },
        PAGE("{\"a\":2}", "") },
      .rows = "{\"a\":1}{\"a\":2}",
      .requests = 4 },
    { "link behind a page that was asked for",
      { LOGIN, PAGE("{\"a\":1}", LINK("/v1/x")) },
      .query = { .top = 1 },
      .rows = "{\"a\":1}",
      .requests = 2 },
    { "link behind skipped rows",
      { LOGIN, PAGE("", LINK("/v1/x")) },
      .query = { .skip = 100 },
      .rows = "",
      .requests = 2 },
    { "link to elsewhere",
      { LOGIN, PAGE("{\"a\":1}", LINK("http://b.org/v1/x")) },
      .code = ODKS_EXIT_PROTOCOL,
      .rows = "{\"a\":1}",
      .says = "b.org",
      .requests = 2 },
    { "link to the same page",
      { LOGIN, PAGE("{\"a\":1}", LINK("/v1/x")),
        PAGE("{\"a\":1}", LINK("/v1/x")) },
      .code = ODKS_EXIT_DATA,
      .rows = "{\"a\":1}{\"a\":1}",
      .says = "twice",
      .requests = 3 },
    { "ring of links",
      { LOGIN, PAGE("{}", LINK("/v1/a")), PAGE("{}", LINK("/v1/b")),
        PAGE("{}", LINK("/v1/c")), PAGE("{}", LINK("/v1/b")),
        PAGE("{}", LINK("/v1/c")), PAGE("{}", LINK("/v1/b")),
        PAGE("{}", LINK("/v1/c")) },
      .code = ODKS_EXIT_DATA,
      .rows = "{}{}{}{}{}",
      .says = "twice",
      .requests = 6 },
    { "ever new links behind nothing",
      { LOGIN, PAGE("{}", LINK("/v1/a")), PAGE("", LINK("/v1/b")),
        PAGE("", LINK("/v1/c")) },
      .code = ODKS_EXIT_DATA,
      .rows = "{}",
      .says = "without submissions",
      .requests = 3 },
    { "next page refused",
      { LOGIN,
        PAGE("{\"a\":1}", LINK("/v1/x")),
        { .status = "501 Not Implemented",
          .body =
              "{\"message\":\"$orderby and $skiptoken\",\"code\":501.1}" } },
      .code = ODKS_EXIT_DATA,
      .rows = "{\"a\":1}",
      .says = "query",
      .requests = 3 },

    { "clean end, but the JSON is cut",
      { LOGIN, { .status = "200 OK", .body = "{\"value\":[{\"a\":1},{\"a\"" } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "{\"a\":1}",
      .says = "cut short behind submission 1",
      .requests = 2 },
    { "clean end between rows",
      { LOGIN, { .status = "200 OK", .body = "{\"value\":[{\"a\":1}" } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "{\"a\":1}",
      .says = "cut short",
      .requests = 2 },
    { "HTTP/1.0 proxy ends in the middle",
      { LOGIN,
        { .raw = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
                 "{\"value\":[{\"a\":1}]",
          .then = SCRIPT_CLOSE } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "{\"a\":1}",
      .says = "cut short",
      .requests = 2 },
    { "length too small",
      { LOGIN,
        { .raw = HEAD "Content-Length: 20\r\n\r\n{\"value\":[{\"a\":1},{}]}",
          .then = SCRIPT_CLOSE } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "{\"a\":1}{}",
      .says = "cut short",
      .requests = 2 },
    { "no body",
      { LOGIN, { .status = "200 OK" } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "",
      .says = "cut short",
      .requests = 2 },
    { "chunks without an end",
      { LOGIN,
        { .raw = HEAD "Transfer-Encoding: chunked\r\n\r\n"
                      "12\r\n{\"value\":[{\"a\":1}]\r\n",
          .then = SCRIPT_CLOSE } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "{\"a\":1}",
      .says = "behind submission 1",
      .requests = 2 },

    { "no footer",
      { LOGIN, { .status = "200 OK", .body = "{\"value\":[{}]}" } },
      .code = ODKS_EXIT_DATA,
      .rows = "{}",
      .says = "OData",
      .requests = 2 },
    { "broken footer",
      { LOGIN, { .status = "200 OK", .body = "{\"value\":[{}] " CONTEXT "}" } },
      .code = ODKS_EXIT_DATA,
      .rows = "{}",
      .says = "OData",
      .requests = 2 },
    { "two footers",
      { LOGIN, PAGE("{}", ",\"value\":null") },
      .code = ODKS_EXIT_DATA,
      .rows = "{}",
      .says = "OData",
      .requests = 2 },
    { "another object",
      { LOGIN, { .status = "200 OK", .body = "{\"a\":[{}]}" } },
      .code = ODKS_EXIT_DATA,
      .rows = "",
      .says = "no list",
      .requests = 2 },
    { "row too large",
      { LOGIN,
        PAGE("{\"a\":\"12345678901234567890123456789012345678901\"}", "") },
      .code = ODKS_EXIT_DATA,
      .rows = "",
      .says = "larger than 40",
      .requests = 2 },
    { "a bomb",
      { LOGIN,
        { .raw = HEAD "Connection: close\r\nContent-Encoding: gzip\r\n\r\n",
          .then = SCRIPT_BOMB } },
      .code = ODKS_EXIT_UNAVAILABLE,
      .rows = "",
      .says = "cut short",
      .requests = 2 },
};

static void
describe_sent(const struct script *script)
{
    (void) fprintf(stderr, "%s\n", script->log->text);
}

static bool
read_rows(struct odks_rows *rows, struct odks_buf *all, struct odks_err *err)
{
    const char *row;
    size_t len;

    do {
        if (!odks_rows_next(rows, &row, &len, err)) {
            struct odks_err second = ODKS_ERR_INIT;

            ck_assert_ptr_null(row);
            ck_assert_msg(!odks_rows_next(rows, &row, &len, &second),
                          "an error became an end");
            return false;
        }
        if (row != NULL) {
            ck_assert_uint_eq(strlen(row), len);
            ck_assert(odks_buf_add(all, row, len));
        }
    } while (row != NULL);
    ck_assert(odks_rows_next(rows, &row, &len, err));
    ck_assert_ptr_null(row);
    return true;
}

START_TEST(feed)
{
    const struct feed *f = &feeds[_i];
    struct odks_err err = ODKS_ERR_INIT;
    struct script script;
    CLEANUP_BUF struct odks_buf all = ODKS_BUF_INIT(1000);

    script_start(&script, f->steps);
    const struct odks_central_login login = { .http = { .origin = script.origin,
                                                        .timeout_s = 5,
                                                        .stall_s = 5,
                                                        .retry_s = 5 },
                                              .user = "a@b.org",
                                              .password = "secret",
                                              .max_row_bytes = 40 };
    struct odks_central *central;
    struct odks_rows *rows;
    struct odks_query query = f->query;

    query.project = 1;
    query.form_id = "f";
    ck_assert(odks_central_open(&login, &central, &err));
    ck_assert_msg(odks_central_rows(central, &query, &rows, &err), "%s: %s",
                  f->name, err.message);
    bool ok = read_rows(rows, &all, &err);
    ck_assert_msg(err.code == f->code, "%s: %d %s", f->name, err.code,
                  err.message);
    ck_assert_int_eq(ok, f->code == ODKS_EXIT_OK);
    ck_assert_msg(strcmp(all.len > 0 ? all.data : "", f->rows) == 0, "%s: %s",
                  f->name, all.data);
    if (f->says != NULL)
        ck_assert_msg(strstr(err.message, f->says) != NULL, "%s: %s", f->name,
                      err.message);
    if (script.log->requests != f->requests)
        describe_sent(&script);
    ck_assert_int_eq(script.log->requests, f->requests);
    odks_rows_close(rows);
    odks_central_close(central);
    script_stop(&script);
}
END_TEST

static const struct {
    struct odks_query query;
    const char *line;
} queries[] = {
    { { .project = 1, .form_id = "f", .top = -1 },
      "GET /v1/projects/1/forms/f.svc/Submissions HTTP" },
    { { .project = 12, .form_id = "odd id-1.2 \xc5\xbe", .expand = true },
      "GET /v1/projects/12/forms/odd%20id-1.2%20%C5%BE.svc/"
      "Submissions?$expand=%2A HTTP" },
    { { .project = 1,
        .form_id = "f",
        .filter = "__system/submissionDate ge 2026-11-23T00:00:00.000+01:00",
        .select = "__id,__system",
        .orderby = "__system/submissionDate asc",
        .top = 1,
        .skip = 5000 },
      "GET /v1/projects/1/forms/f.svc/Submissions?$filter=__system%2F"
      "submissionDate%20ge%202026-11-23T00%3A00%3A00.000%2B01%3A00&$select="
      "__id%2C__system&$orderby=__system%2FsubmissionDate%20asc&$top=1&"
      "$skip=5000 HTTP" },
};

START_TEST(query_as_sent)
{
    static const struct script_step steps[] = { LOGIN, PAGE("", ""), { NULL } };
    struct odks_err err = ODKS_ERR_INIT;
    struct script script;

    script_start(&script, steps);
    const struct odks_central_login login = {
        .http = { .origin = script.origin, .timeout_s = 5, .stall_s = 5 },
        .user = "a@b.org",
        .password = "secret",
        .max_row_bytes = 40
    };
    struct odks_central *central;
    struct odks_rows *rows;
    ck_assert(odks_central_open(&login, &central, &err));
    ck_assert(odks_central_rows(central, &queries[_i].query, &rows, &err));
    ck_assert_msg(strstr(script.log->text, queries[_i].line) != NULL, "%s",
                  script.log->text);
    odks_rows_close(rows);
    odks_central_close(central);
    script_stop(&script);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_rows");
    TCase *tc = tcase_create("rows");

    tcase_add_loop_test(tc, feed, 0, sizeof(feeds) / sizeof(feeds[0]));
    tcase_add_loop_test(tc, query_as_sent, 0,
                        sizeof(queries) / sizeof(queries[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
