/* tests/unit/central_answers.c - SPDX-License-Identifier: Apache-2.0 */
/* Logins, and what each refusal becomes. */
#include <config.h>

#include "central/central.h"

#include <stdio.h>
#include <string.h>

#include "central_script.h"
#include "unit.h"

static const struct {
    const char *name;
    struct script_step steps[MAX_STEPS + 1];
    enum odks_exit code;
    const char *says;
    const char *hint;
} refusals[] = {
    { "wrong password",
      { REFUSAL("401 Unauthorized", "401.2") },
      ODKS_EXIT_NOPERM,
      "bot@example.org",
      "password_file" },
    { "single sign-on",
      { REFUSAL("404 Not Found", "404.2") },
      ODKS_EXIT_NOPERM,
      "no passwords",
      "single sign-on" },
    { "login page of nobody",
      { HTML("404 Not Found") },
      ODKS_EXIT_PROTOCOL,
      "text/html",
      "url" },
    { "proxy wants a login",
      { HTML("401 Unauthorized") },
      ODKS_EXIT_PROTOCOL,
      "text/html",
      "url" },
    { "login answered with HTML",
      { HTML("200 OK") },
      ODKS_EXIT_PROTOCOL,
      "text/html",
      "url" },
    { "login without a token",
      { JSON("{\"csrf\":\"x\"}") },
      ODKS_EXIT_PROTOCOL,
      "token",
      "url" },
    { "token with a line end",
      { JSON("{\"token\":\"a\\r\\nX: y\"}") },
      ODKS_EXIT_PROTOCOL,
      "token",
      "url" },
    { "login not JSON", { JSON("hello") }, ODKS_EXIT_PROTOCOL, "JSON", "" },
    { "login cut",
      { JSON("{\"token\":\"fi") },
      ODKS_EXIT_UNAVAILABLE,
      "cut short",
      "" },
    { "login too often",
      { HTML("429 Too Many Requests") },
      ODKS_EXIT_TEMPFAIL,
      "too many",
      "" },
    { "login down",
      { HTML("502 Bad Gateway") },
      ODKS_EXIT_UNAVAILABLE,
      "trouble",
      "" },
    { "a proxy's code for a login",
      { HTML("522 Connection Timed Out") },
      ODKS_EXIT_UNAVAILABLE,
      "trouble",
      "" },
    { "login redirected",
      { { .status = "301 Moved",
          .headers = "Location: https://b.org/v1?secret#x\r\n" } },
      ODKS_EXIT_PROTOCOL,
      "to https://b.org/v1)",
      "https" },

    { "token refused twice",
      { LOGIN, REFUSAL("401 Unauthorized", "401.2"), LOGIN,
        REFUSAL("401 Unauthorized", "401.2") },
      ODKS_EXIT_NOPERM,
      "just given",
      "proxy" },
    { "password changed meanwhile",
      { LOGIN, REFUSAL("401 Unauthorized", "401.2"),
        REFUSAL("401 Unauthorized", "401.2") },
      ODKS_EXIT_NOPERM,
      "bot@example.org",
      "password_file" },
    { "no rights",
      { LOGIN, REFUSAL("403 Forbidden", "403.1") },
      ODKS_EXIT_NOPERM,
      "bot@example.org",
      "Project Viewer on project 7" },
    { "query not understood",
      { LOGIN, REFUSAL("400 Bad Request", "400.18") },
      ODKS_EXIT_DATA,
      "query",
      "v2024.3" },
    { "query not known",
      { LOGIN, REFUSAL("501 Not Implemented", "501.1") },
      ODKS_EXIT_DATA,
      "query",
      "v2024.3" },
    { "URL too long",
      { LOGIN, { .status = "431 Too Large", .headers = "" } },
      ODKS_EXIT_SOFTWARE,
      "too long",
      "" },
    { "not found",
      { LOGIN, NO_FORM },
      ODKS_EXIT_CONFIG,
      "does not have",
      "form" },
    { "trouble",
      { LOGIN, { .status = "500 Error" } },
      ODKS_EXIT_UNAVAILABLE,
      "500",
      "" },
    { "a proxy's code",
      { LOGIN, HTML("530 Origin DNS Error") },
      ODKS_EXIT_UNAVAILABLE,
      "530",
      "" },
    { "what a proxy will never do",
      { LOGIN, HTML("501 Not Implemented") },
      ODKS_EXIT_PROTOCOL,
      "status 501",
      "url" },
    { "a version that it does not speak",
      { LOGIN, HTML("505 HTTP Version Not Supported") },
      ODKS_EXIT_PROTOCOL,
      "status 505",
      "url" },
    { "unchanged, though nobody asked",
      { LOGIN, { .raw = "HTTP/1.1 304 Not Modified\r\n\r\n" } },
      ODKS_EXIT_PROTOCOL,
      "status 304",
      "url" },
    { "too many",
      { LOGIN, { .status = "429 Slow" } },
      ODKS_EXIT_TEMPFAIL,
      "429",
      "" },
    { "HTML",
      { LOGIN, HTML("200 OK") },
      ODKS_EXIT_PROTOCOL,
      "text/html",
      "url" },
    { "HTML refusal",
      { LOGIN, HTML("403 Forbidden") },
      ODKS_EXIT_PROTOCOL,
      "status 403, text/html",
      "url" },
    { "JSON of somebody else",
      { LOGIN, { .status = "403 Forbidden", .body = "{\"error\":\"x\"}" } },
      ODKS_EXIT_PROTOCOL,
      "status 403",
      "url" },
    { "odd status",
      { LOGIN, REFUSAL("418 Teapot", "418.1") },
      ODKS_EXIT_PROTOCOL,
      "status 418",
      "url" },
    { "no content",
      { LOGIN, { .raw = "HTTP/1.1 204 No Content\r\n\r\n" } },
      ODKS_EXIT_PROTOCOL,
      "no content type",
      "url" },
    { "redirect",
      { LOGIN, { .status = "302 Found", .headers = "Location: /login\r\n" } },
      ODKS_EXIT_PROTOCOL,
      "to /login",
      "url" },
    { "redirect to nowhere",
      { LOGIN, { .status = "302 Found" } },
      ODKS_EXIT_PROTOCOL,
      "nowhere",
      "url" },
    { "cut", { LOGIN, JSON("[1,") }, ODKS_EXIT_UNAVAILABLE, "cut short", "" },
    { "two values",
      { LOGIN, JSON("[1] [2]") },
      ODKS_EXIT_PROTOCOL,
      "not JSON",
      "" },
    { "no strict JSON",
      { LOGIN, JSON("['a']") },
      ODKS_EXIT_PROTOCOL,
      "not JSON",
      "" },
};

START_TEST(refusal)
{
    struct session s;
    struct json_object *json;

    session_begin(&s, refusals[_i].steps);
    const char *name = refusals[_i].name;
    bool ok = odks_central_get(s.central, "/v1/projects/7/x?secret", &json,
                               NULL, &s.err);
    ck_assert_msg(!ok, "%s", name);
    ck_assert_ptr_null(json);
    ck_assert_msg(s.err.code == refusals[_i].code, "%s: %d %s", name,
                  s.err.code, s.err.message);
    ck_assert_msg(strstr(s.err.message, refusals[_i].says) != NULL, "%s: %s",
                  name, s.err.message);
    ck_assert_msg(strstr(s.err.hint, refusals[_i].hint) != NULL, "%s: %s", name,
                  s.err.hint);
    ck_assert_ptr_null(strstr(s.err.message, "secret"));
    ck_assert_ptr_null(strstr(s.err.detail, "secret"));
    session_end(&s);
}
END_TEST

START_TEST(one_session)
{
    static const struct script_step steps[] = { LOGIN,
                                                DATED("[1]"),
                                                REFUSAL("401 Unauthorized",
                                                        "401.2"),
                                                JSON("{\"token\":\"second\"}"),
                                                JSON("[2]"),
                                                JSON("{}"),
                                                { NULL } };
    struct session s;
    struct json_object *json;
    int64_t date;

    session_begin(&s, steps);
    ck_assert_int_eq(s.script.log->requests, 0);
    ck_assert(odks_central_get(s.central, "/v1/a", &json, &date, &s.err));
    ck_assert_str_eq(json_object_get_string(json), "[ 1 ]");
    ck_assert_int_eq(date, INT64_C(1795458780) * 1000000);
    (void) json_object_put(json);
    ck_assert(odks_central_get(s.central, "/v1/b", &json, &date, &s.err));
    ck_assert_str_eq(json_object_get_string(json), "[ 2 ]");
    (void) json_object_put(json);
    ck_assert_int_eq(odks_central_stats(s.central)->requests, 5);
    odks_central_close(s.central);
    s.central = NULL;

    const char *sent = s.script.log->text;
    ck_assert_ptr_nonnull(strstr(sent, "{\"email\":\"bot@example.org\","
                                       "\"password\":\"s3\\\"cret\"}"));
    sent = strstr(sent, "GET /v1/b ");
    sent = strstr(sent, "Authorization: Bearer first");
    sent = strstr(sent, "GET /v1/b ");
    sent = strstr(sent, "Authorization: Bearer second");
    sent = strstr(sent, "DELETE /v1/sessions/current ");
    ck_assert_ptr_nonnull(sent);
    ck_assert_ptr_nonnull(strstr(sent, "Authorization: Bearer second"));
    ck_assert_int_eq(s.script.log->requests, 6);
    session_end(&s);
}
END_TEST

/* What a server refuses once is not asked again, by no detour. */
static const struct {
    struct script_step steps[MAX_STEPS + 1];
    int requests;
    const char *says;
} refused[] = {
    { { REFUSAL("401 Unauthorized", "401.2"),
        REFUSAL("401 Unauthorized", "401.2") },
      1,
      "the password" },
    { { REFUSAL("404 Not Found", "404.2"), REFUSAL("404 Not Found", "404.2") },
      1,
      "takes no passwords" },
    { { LOGIN, REFUSAL("401 Unauthorized", "401.2"), LOGIN,
        REFUSAL("401 Unauthorized", "401.2"), LOGIN },
      4,
      "just given" },
};

START_TEST(asked_once)
{
    struct odks_field *fields;
    struct session s;

    session_begin(&s, refused[_i].steps);
    for (int i = 0; i < 2; i++) {
        ck_assert(!odks_central_fields(s.central, 7, "f", &fields, &s.err));
        ck_assert_int_eq(s.err.code, ODKS_EXIT_NOPERM);
        ck_assert_msg(strstr(s.err.message, refused[_i].says) != NULL, "%s",
                      s.err.message);
        ck_assert_int_eq(s.script.log->requests, refused[_i].requests);
    }
    session_end(&s);
}
END_TEST

START_TEST(no_request_no_session)
{
    static const struct script_step steps[] = { LOGIN, { NULL } };
    struct session s;

    session_begin(&s, steps);
    odks_central_close(s.central);
    s.central = NULL;
    ck_assert_int_eq(s.script.log->connections, 0);
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_answers");
    TCase *tc = tcase_create("answers");

    tcase_add_loop_test(tc, refusal, 0, COUNT(refusals));
    tcase_add_loop_test(tc, asked_once, 0, COUNT(refused));
    tcase_add_test(tc, one_session);
    tcase_add_test(tc, no_request_no_session);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
