/* tests/unit/http_client.c - SPDX-License-Identifier: Apache-2.0 */
/* What is sent, what is kept, and what ends a wait. */
#include <config.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/stop.h"
#include "http/http.h"

#include <string.h>

#include "core/time.h"
#include "http_script.h"
#include "unit.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
/* The whole body; what odks_http_read() says. */
static bool
read_all(struct odks_http_response *response, struct odks_buf *body,
         struct odks_err *err)
{
    const char *data;
    size_t len;

    do {
        if (!odks_http_read(response, &data, &len, err))
            return false;
        ck_assert(odks_buf_add(body, data, len));
    } while (len > 0);
    return true;
}

struct fixture {
    struct script script;
    struct odks_http_conf conf;
    struct odks_http *http;
    struct odks_http_response *response;
    struct odks_err err;
};

static void
begin(struct fixture *f, const struct script_step *steps)
{
    *f = (struct fixture){ .err = ODKS_ERR_INIT };
    script_start(&f->script, steps);
    f->conf = (struct odks_http_conf){
        .origin = f->script.origin, .timeout_s = 5, .stall_s = 5, .retry_s = 5
    };
    ck_assert(odks_http_new(&f->conf, &f->http, &f->err));
}

static void
end(struct fixture *f)
{
    odks_http_close(f->response);
    odks_http_free(f->http);
    script_stop(&f->script);
}

static void
get(struct fixture *f, const struct odks_http_request *request, char *body)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(100);

    odks_http_close(odks_steal(&f->response));
    ck_assert_msg(odks_http_open(f->http, request, &f->response, &f->err), "%s",
                  f->err.message);
    ck_assert(read_all(f->response, &b, &f->err));
    if (body != NULL)
        memcpy(body, b.data != NULL ? b.data : "", b.len + 1);
}

static const struct odks_http_request plain = { .method = "GET",
                                                .target = "/v1/x?$top=1" };

START_TEST(request_as_sent)
{
    static const struct script_step steps[] = {
        { .status = "304 Not Modified",
          .headers = "ETag: W/\"x\"\r\nDate: Mon, 23 Nov 2026 18:33:00 GMT\r\n"
                     "Content-Type: application/json; charset=utf-8\r\n" },
        { .status = "200 OK", .headers = "Set-Cookie: session=abc\r\n" },
        { .status = "200 OK" },
        { NULL }
    };
    const struct odks_http_request request = { .method = "GET",
                                               .target = "/v1/x?$filter=a%20b",
                                               .bearer = "to!k$en",
                                               .if_none_match = "W/\"x\"" };
    const struct odks_http_request post = { .method = "POST",
                                            .target = "/v1/sessions",
                                            .body = "{\"a\":1}" };
    const struct odks_http_request gone = { .method = "DELETE",
                                            .target = "/v1/sessions/current" };
    struct fixture f;

    begin(&f, steps);
    get(&f, &request, NULL);
    ck_assert_int_eq(odks_http_status(f.response), 304);
    ck_assert_str_eq(odks_http_etag(f.response), "W/\"x\"");
    ck_assert_str_eq(odks_http_content_type(f.response),
                     "application/json; charset=utf-8");
    ck_assert_ptr_null(odks_http_location(f.response));
    ck_assert_int_eq(odks_http_date(f.response), INT64_C(1795458780) * 1000000);
    const char *sent = f.script.log->text;
    ck_assert_ptr_nonnull(strstr(sent, "GET /v1/x?$filter=a%20b HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "Authorization: Bearer to!k$en\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "If-None-Match: W/\"x\"\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "Accept-Encoding: gzip\r\n"));
    ck_assert_ptr_nonnull(
        strstr(sent, "User-Agent: odk-sync/" PACKAGE_VERSION "\r\n"));

    get(&f, &post, NULL);
    ck_assert_int_eq(odks_http_date(f.response), ODKS_TIME_NONE);
    sent = strstr(sent, "POST /v1/sessions HTTP/1.1\r\n");
    ck_assert_ptr_nonnull(sent);
    ck_assert_ptr_nonnull(strstr(sent, "Content-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\n\r\n{\"a\":1}"));
    ck_assert_ptr_null(strstr(sent, "Authorization"));

    get(&f, &gone, NULL);
    sent = strstr(sent, "DELETE /v1/sessions/current HTTP/1.1\r\n");
    ck_assert_ptr_nonnull(sent);
    ck_assert_ptr_null(strstr(sent, "Cookie"));
    ck_assert_int_eq(f.script.log->connections, 1);
    ck_assert_int_eq(odks_http_stats(f.http)->requests, 3);
    end(&f);
}
END_TEST

START_TEST(connection_that_died_idle)
{
    static const struct script_step steps[] = {
        { .raw = OK_HEAD "Content-Length: 1\r\n\r\na", .then = SCRIPT_CLOSE },
        { .raw = OK_HEAD "Content-Length: 1\r\n\r\nb", .then = SCRIPT_RESET },
        { .status = "200 OK", .body = "c" },
        { NULL }
    };
    struct fixture f;
    char body[101];

    begin(&f, steps);
    f.conf.retry_s = 0;
    get(&f, &plain, body);
    ck_assert_str_eq(body, "a");
    get(&f, &plain, body);
    ck_assert_str_eq(body, "b");
    get(&f, &plain, body);
    ck_assert_str_eq(body, "c");
    ck_assert_int_eq(odks_http_stats(f.http)->retries, 0);
    end(&f);
}
END_TEST

START_TEST(nobody_listens)
{
    static const struct script_step steps[] = { { NULL } };
    struct fixture f;

    begin(&f, steps);
    f.conf.retry_s = 1;
    ck_assert(!odks_http_open(f.http, &plain, &f.response, &f.err));
    ck_assert_int_eq(f.err.code, ODKS_EXIT_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(f.err.message, "tried "));
    ck_assert_str_ne(f.err.hint, "");
    ck_assert_int_gt(odks_http_stats(f.http)->retries, 0);
    end(&f);
}
END_TEST

START_TEST(limit_of_one_request)
{
    static const struct script_step steps[] = {
        { .raw = "", .then = SCRIPT_HANG }, { NULL }
    };
    const struct odks_http_request request = { .method = "DELETE",
                                               .target = "/v1/x",
                                               .limit_s = 1 };
    struct fixture f;

    begin(&f, steps);
    f.conf.timeout_s = 600; /* the test's own time limit would strike */
    ck_assert(!odks_http_open(f.http, &request, &f.response, &f.err));
    ck_assert_int_eq(f.err.code, ODKS_EXIT_UNAVAILABLE);
    end(&f);
}
END_TEST

START_TEST(own_time_limit)
{
    static const struct script_step steps[] = {
        { .raw = "", .then = SCRIPT_HANG }, { NULL }
    };
    struct fixture f;

    begin(&f, steps);
    f.conf.timeout_s = 600;
    odks_stop_at(odks_deadline_in(50));
    ck_assert(!odks_http_open(f.http, &plain, &f.response, &f.err));
    ck_assert_int_eq(f.err.code, ODKS_EXIT_TEMPFAIL);
    ck_assert(f.err.interrupted);
    end(&f);
}
END_TEST

START_TEST(own_time_limit_in_the_body)
{
    static const struct script_step steps[] = {
        { .raw = OK_HEAD "Content-Length: 10\r\n\r\n", .then = SCRIPT_HANG },
        { NULL }
    };
    struct fixture f;
    const char *data;
    size_t len;

    begin(&f, steps);
    f.conf.stall_s = 600;
    ck_assert(odks_http_open(f.http, &plain, &f.response, &f.err));
    odks_stop_at(odks_deadline_in(0));
    ck_assert(!odks_http_read(f.response, &data, &len, &f.err));
    ck_assert_int_eq(f.err.code, ODKS_EXIT_TEMPFAIL);
    ck_assert(f.err.interrupted);
    end(&f);
}
END_TEST

static bool
lose_claim(void *arg, struct odks_err *err)
{
    int *calls = arg;

    ++*calls;
    odks_err_set(err, ODKS_EXIT_FENCED, "claim lost");
    return false;
}

START_TEST(tick_ends_a_wait)
{
    static const struct script_step steps[] = {
        { .raw = "", .then = SCRIPT_HANG }, { NULL }
    };
    struct fixture f;
    int calls = 0;

    begin(&f, steps);
    f.conf.timeout_s = 600;
    f.conf.tick = lose_claim;
    f.conf.tick_arg = &calls;
    ck_assert(!odks_http_open(f.http, &plain, &f.response, &f.err));
    ck_assert_int_eq(f.err.code, ODKS_EXIT_FENCED);
    ck_assert_str_eq(f.err.message, "claim lost");
    ck_assert_int_eq(calls, 1);
    end(&f);
}
END_TEST

START_TEST(bomb_comes_in_small_pieces)
{
    static const struct script_step steps[] = {
        { .raw = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n"
                 "Content-Encoding: gzip\r\n\r\n",
          .then = SCRIPT_BOMB },
        { NULL }
    };
    struct fixture f;
    const char *data;
    size_t len, total = 0;

    begin(&f, steps);
    ck_assert(odks_http_open(f.http, &plain, &f.response, &f.err));
    do {
        ck_assert_msg(odks_http_read(f.response, &data, &len, &f.err), "%s",
                      f.err.message);
        ck_assert_uint_le(len, 256 * 1024);
        total += len;
    } while (len > 0);
    ck_assert_uint_eq(total, 64 << 20);
    ck_assert_int_eq(odks_http_stats(f.http)->bytes, 64 << 20);
    end(&f);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("http_client");
    TCase *tc = tcase_create("client");

    tcase_add_test(tc, request_as_sent);
    tcase_add_test(tc, connection_that_died_idle);
    tcase_add_test(tc, nobody_listens);
    tcase_add_test(tc, limit_of_one_request);
    tcase_add_test(tc, own_time_limit);
    tcase_add_test(tc, own_time_limit_in_the_body);
    tcase_add_test(tc, tick_ends_a_wait);
    tcase_add_test(tc, bomb_comes_in_small_pieces);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
