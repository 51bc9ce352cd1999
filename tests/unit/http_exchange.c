/* tests/unit/http_exchange.c - SPDX-License-Identifier: Apache-2.0 */
/* One request, whatever the other side does with it. */
#include <config.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/stop.h"
#include "http/http.h"

#include <string.h>

#include "http_script.h"
#include "unit.h"

#define TEN "1234567890"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG HUNDRED HUNDRED HUNDRED /* dripping it takes three seconds */
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define MAX_STEPS 4

struct exchange {
    const char *name;
    struct script_step steps[MAX_STEPS + 1];
    const char *method; /* NULL: GET */
    int64_t retry_s;
    int64_t timeout_s;   /* for an answer, and of silence in it; 0: 60 */
    int requests;        /* that reach the server */
    enum odks_exit open; /* how odks_http_open() ends */
    int status;          /* if it succeeds */
    enum odks_exit read; /* how reading ends */
    const char *body;    /* if that succeeds */
    const char *says;    /* a part of the message */
};

static const struct exchange exchanges[] = {
    { "length",
      { { .status = "200 OK", .body = "hello" } },
      .requests = 1,
      .status = 200,
      .body = "hello" },
    { "chunks",
      { { .raw = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                         "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" } },
      .requests = 1,
      .status = 200,
      .body = "hello" },
    { "until the connection ends",
      { { .raw = "HTTP/1.0 200 OK\r\n\r\nhello", .then = SCRIPT_CLOSE } },
      .requests = 1,
      .status = 200,
      .body = "hello" },
    { "drip, never silent for long",
      { { .raw = OK_HEAD "Content-Length: 300\r\n\r\n" LONG,
          .then = SCRIPT_DRIP } },
      .timeout_s = 2,
      .requests = 1,
      .status = 200,
      .body = LONG },
    { "no content",
      { { .raw = "HTTP/1.1 204 No Content\r\n\r\n" } },
      .requests = 1,
      .status = 204,
      .body = "" },
    { "continue first",
      { { .raw = "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD
                 "Content-Length: 2\r\n\r\nok" } },
      .requests = 1,
      .status = 200,
      .body = "ok" },
    { "not found is a result",
      { { .status = "404 Not Found", .body = "no" } },
      .requests = 1,
      .status = 404,
      .body = "no" },
    { "redirect is a result",
      { { .status = "302 Found", .headers = "Location: http://b.org/\r\n" } },
      .retry_s = 5,
      .requests = 1,
      .status = 302,
      .body = "" },
    { "redirect to itself is not followed",
      { { .status = "301 Moved", .headers = "Location: /v1/x\r\n" } },
      .retry_s = 5,
      .requests = 1,
      .status = 301,
      .body = "" },

    { "body shorter than its length",
      { { .raw = OK_HEAD "Content-Length: 10\r\n\r\nhello",
          .then = SCRIPT_CLOSE } },
      .retry_s = 5,
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "cut short" },
    { "chunks without an end",
      { { .raw = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
          .then = SCRIPT_CLOSE } },
      .retry_s = 5,
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "cut short" },
    { "a chunk that is none",
      { { .raw = OK_HEAD "Transfer-Encoding: chunked\r\n\r\nhello\r\n",
          .then = SCRIPT_CLOSE } },
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "cut short" },
    { "reset in the body",
      { { .raw = OK_HEAD "Content-Length: 10\r\n\r\nhello",
          .then = SCRIPT_RESET } },
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "cut short" },
    { "body stalls",
      { { .raw = OK_HEAD "Content-Length: 10\r\n\r\nhello",
          .then = SCRIPT_HANG } },
      .timeout_s = 1,
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "stalled" },
    { "damaged gzip",
      { { .raw = OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"
                         "hello" } },
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "damaged" },

    { "trouble passes",
      { { .status = "500 Internal Server Error" },
        { .status = "502 Bad Gateway",
          .headers = "Content-Type: x/y\r\n",
          .then = SCRIPT_CLOSE },
        { .status = "200 OK", .body = "hello" } },
      .retry_s = 10,
      .requests = 3,
      .status = 200,
      .body = "hello" },
    { "trouble stays",
      { { .status = "503 Unavailable" }, { .status = "504 Timeout" } },
      .retry_s = 3,
      .requests = 2,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "tried " },
    { "a reset passes",
      { { .raw = "", .then = SCRIPT_RESET },
        { .status = "200 OK", .body = "hello" } },
      .retry_s = 10,
      .requests = 2,
      .status = 200,
      .body = "hello" },
    { "half an answer passes",
      { { .raw = "HTTP/1.1 200 OK\r\nContent-", .then = SCRIPT_CLOSE },
        { .status = "200 OK", .body = "hello" } },
      .retry_s = 10,
      .requests = 2,
      .status = 200,
      .body = "hello" },
    { "no time to try again",
      { { .raw = "", .then = SCRIPT_RESET } },
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "connection" },
    { "no answer",
      { { .raw = "", .then = SCRIPT_HANG } },
      .timeout_s = 1,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "no answer within 1 s" },
    { "a body trickles",
      { { .raw = OK_HEAD "Content-Length: 300\r\n\r\n" LONG,
          .then = SCRIPT_TRICKLE } },
      .timeout_s = 1,
      .requests = 1,
      .status = 200,
      .read = ODKS_EXIT_UNAVAILABLE,
      .says = "less than 32 bytes a second" },
    { "headers drip for ever",
      { { .raw = "HTTP/1.1 200 OK\r\nX: " LONG, .then = SCRIPT_DRIP } },
      .timeout_s = 1,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "no answer within 1 s" },

    { "asks to come back",
      { { .status = "429 Too Many", .headers = "Retry-After: 1\r\n" },
        { .status = "200 OK", .body = "hello" } },
      .retry_s = 10,
      .requests = 2,
      .status = 200,
      .body = "hello" },
    { "asks to come back much later",
      { { .status = "429 Too Many", .headers = "Retry-After: 3600\r\n" } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_TEMPFAIL,
      .says = "too many requests" },
    { "asks to come back on a date",
      { { .status = "503 Down",
          .headers = "Date: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
                     "Retry-After: Mon, 23 Nov 2026 17:00:00 GMT\r\n" } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "in trouble" },
    { "asks to come back on a date that has been",
      { { .status = "503 Down",
          .headers = "Date: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
                     "Retry-After: Mon, 23 Nov 2026 15:00:00 GMT\r\n" },
        { .status = "200 OK", .body = "hello" } },
      .retry_s = 10,
      .requests = 2,
      .status = 200,
      .body = "hello" },
    { "asks for nonsense",
      { { .status = "503 Down",
          .headers = "Retry-After: 99999999999999999999\r\n" } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "in trouble" },

    { "a proxy's own code passes",
      { { .status = "520 Web Server Error" }, { .status = "200 OK" } },
      .retry_s = 10,
      .requests = 2,
      .status = 200,
      .body = "" },
    { "what a server will never do is asked once",
      { { .status = "501 Not Implemented" } },
      .retry_s = 10,
      .requests = 1,
      .status = 501,
      .body = "" },
    { "asks to come back in the year 9999999",
      { { .status = "503 Down",
          .headers = "Retry-After: Mon, 23 Nov 9999999 17:00:00 GMT\r\n" } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "in trouble" },

    { "a login is sent once",
      { { .status = "503 Unavailable" } },
      .method = "POST",
      .retry_s = 10,
      .requests = 1,
      .status = 503,
      .body = "" },
    { "a login that may have arrived",
      { { .raw = "", .then = SCRIPT_RESET } },
      .method = "POST",
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "connection" },

    { "headers without end",
      { { .raw = "HTTP/1.1 200 OK\r\n", .then = SCRIPT_HEADERS } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_PROTOCOL,
      .says = "headers" },
    { "not HTTP",
      { { .raw = "SSH-2.0-OpenSSH_9.2\r\n", .then = SCRIPT_CLOSE } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_PROTOCOL,
      .says = "does not speak HTTP" },
    { "asked to stop while it tries again",
      { { .status = "503 Unavailable", .then = SCRIPT_SIGTERM } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_SIGTERM,
      .says = "SIGTERM" },
    { "asks to come back on a date, but has no clock",
      { { .status = "503 Down",
          .headers = "Retry-After: Mon, 23 Nov 2099 17:00:00 GMT\r\n" } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_UNAVAILABLE,
      .says = "in trouble" },
    { "asked to stop",
      { { .raw = "", .then = SCRIPT_SIGTERM } },
      .retry_s = 10,
      .requests = 1,
      .open = ODKS_EXIT_SIGTERM,
      .says = "SIGTERM" },
};

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

static void
check_exchange(const struct exchange *e, struct odks_http *http)
{
    const struct odks_http_request request = {
        .method = e->method != NULL ? e->method : "GET",
        .target = "/v1/x",
        .body = e->method != NULL ? "{}" : NULL
    };
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf body = ODKS_BUF_INIT(1 << 20);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

    if (odks_http_open(http, &request, &response, &err)) {
        ck_assert_msg(e->open == ODKS_EXIT_OK, "%s: opened", e->name);
        ck_assert_int_eq(odks_http_status(response), e->status);
        bool ok = read_all(response, &body, &err);
        ck_assert_msg(ok == (e->read == ODKS_EXIT_OK), "%s: %s", e->name,
                      err.message);
        if (ok)
            ck_assert_str_eq(body.data, e->body);
        else
            ck_assert_msg(err.code == e->read, "%s: %d", e->name, err.code);
    } else {
        ck_assert_msg(err.code == e->open, "%s: %d %s", e->name, err.code,
                      err.message);
        ck_assert_ptr_null(response);
    }
    if (e->says != NULL)
        ck_assert_msg(strstr(err.message, e->says) != NULL, "%s: %s", e->name,
                      err.message);
}

START_TEST(exchange)
{
    const struct exchange *e = &exchanges[_i];
    struct odks_err err = ODKS_ERR_INIT;
    struct script script;
    struct odks_http *http;

    odks_stop_install();
    script_start(&script, e->steps);
    int64_t timeout_s = e->timeout_s > 0 ? e->timeout_s : 60;
    const struct odks_http_conf conf = { .origin = script.origin,
                                         .timeout_s = timeout_s,
                                         .stall_s = timeout_s,
                                         .retry_s = e->retry_s };
    ck_assert(odks_http_new(&conf, &http, &err));
    check_exchange(e, http);
    ck_assert_msg(script.log->requests == e->requests, "%s: %d requests",
                  e->name, script.log->requests);
    odks_http_free(http);
    script_stop(&script);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("http_exchange");
    TCase *tc = tcase_create("exchange");

    tcase_add_loop_test(tc, exchange, 0,
                        sizeof(exchanges) / sizeof(exchanges[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
