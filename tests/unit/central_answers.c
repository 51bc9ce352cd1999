/* tests/unit/central_answers.c - SPDX-License-Identifier: Apache-2.0 */
/* Logins, forms, fields and counts, and what each refusal becomes. */
#include <config.h>

#include "central/central.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "http_script.h"
#include "unit.h"

#define JSON(text)                       \
    {                                    \
        .status = "200 OK", .body = text \
    }
#define LOGIN JSON("{\"token\":\"first\"}")
#define REFUSAL(line, code)                                        \
    {                                                              \
        .status = line,                                            \
        .body = "{\"message\":\"No, because.\",\"code\":" code "}" \
    }
#define HTML(line)                                                \
    {                                                             \
        .status = line, .headers = "Content-Type: text/html\r\n", \
        .body = "<html>{\"message\":\"x\"}"                       \
    }
#define NO_FORM REFUSAL("404 Not Found", "404.1")
#define DATE "Date: Mon, 23 Nov 2026 18:33:00 GMT\r\n"
#define DATED(text)                                                        \
    {                                                                      \
        .status = "200 OK",                                                \
        .headers = "Content-Type: application/json\r\n" DATE, .body = text \
    }
#define FORM(more)                                                           \
    "{\"projectId\":1,\"xmlFormId\":\"f\",\"state\":\"closed\",\"version\":" \
    "\"\",\"hash\":\"abc\",\"name\":null" more "}"

enum { MAX_STEPS = 6 };

struct session {
    struct script script;
    struct odks_central_login login;
    struct odks_central *central;
    struct odks_err err;
};

static void
begin(struct session *s, const struct script_step *steps)
{
    *s = (struct session){ .err = ODKS_ERR_INIT };
    script_start(&s->script, steps);
    s->login = (struct odks_central_login){
        .http = { .origin = s->script.origin, .timeout_s = 5, .stall_s = 5 },
        .user = "bot@example.org",
        .password = "s3\"cret",
        .max_row_bytes = 1000
    };
    ck_assert(odks_central_open(&s->login, &s->central, &s->err));
}

static void
end(struct session *s)
{
    odks_central_close(s->central);
    script_stop(&s->script);
}

/* --- refusals ------------------------------------------------------------- */

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

    begin(&s, refusals[_i].steps);
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
    end(&s);
}
END_TEST

/* --- sessions ------------------------------------------------------------- */

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

    begin(&s, steps);
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
    end(&s);
}
END_TEST

START_TEST(no_request_no_session)
{
    static const struct script_step steps[] = { LOGIN, { NULL } };
    struct session s;

    begin(&s, steps);
    odks_central_close(s.central);
    s.central = NULL;
    ck_assert_int_eq(s.script.log->connections, 0);
    end(&s);
}
END_TEST

/* --- forms ---------------------------------------------------------------- */

static const struct {
    const char *name;
    struct script_step answer;
    enum odks_exit code;
    bool encrypted;
} forms[] = {
    { "plain", DATED(FORM(",\"keyId\":null")), ODKS_EXIT_OK, false },
    { "older Central", DATED(FORM("")), ODKS_EXIT_OK, false },
    { "encrypted", DATED(FORM(",\"keyId\":3")), ODKS_EXIT_OK, true },
    { "no clock", JSON(FORM("")), ODKS_EXIT_PROTOCOL, false },
    { "no form", DATED("{\"xmlFormId\":\"f\"}"), ODKS_EXIT_PROTOCOL, false },
    { "a list", DATED("[]"), ODKS_EXIT_PROTOCOL, false },
};

START_TEST(form_answer)
{
    const struct script_step steps[] = { LOGIN, forms[_i].answer, { NULL } };
    struct session s;
    struct odks_form form;

    begin(&s, steps);
    bool ok = odks_central_form(s.central, 1, "a b/c", &form, &s.err);
    ck_assert_msg(s.err.code == forms[_i].code, "%s: %s", forms[_i].name,
                  s.err.message);
    ck_assert_int_eq(ok, s.err.code == ODKS_EXIT_OK);
    if (ok) {
        ck_assert_str_eq(form.id, "f");
        ck_assert_str_eq(form.name, "");
        ck_assert_str_eq(form.version, "");
        ck_assert_str_eq(form.hash, "abc");
        ck_assert_str_eq(form.state, "closed");
        ck_assert_int_eq(form.encrypted, forms[_i].encrypted);
        ck_assert_int_eq(form.date, INT64_C(1795458780) * 1000000);
    }
    ck_assert_ptr_nonnull(
        strstr(s.script.log->text, "GET /v1/projects/1/forms/a%20b%2Fc HTTP"));
    odks_form_clear(&form);
    ck_assert_ptr_null(form.id);
    end(&s);
}
END_TEST

#define ONE(id, name, published)                 \
    "{\"xmlFormId\":\"" id "\",\"name\":\"" name \
    "\",\"publishedAt\":" published "}"

static const struct {
    const char *name;
    struct script_step steps[MAX_STEPS + 1];
    enum odks_exit code;
    const char *says;
    const char *hint;
} missing[] = {
    { "typing error",
      { LOGIN, NO_FORM, JSON("[" ONE("household", "H", "\"x\"") "]"),
        JSON("[]") },
      ODKS_EXIT_CONFIG,
      "project 7 has no form housholt",
      "mean household?" },
    { "name instead of id",
      { LOGIN, NO_FORM, JSON("[" ONE("x1", "housholt", "\"x\"") "]"),
        JSON("[]") },
      ODKS_EXIT_CONFIG,
      "no form housholt",
      "mean x1?" },
    { "nothing like it",
      { LOGIN, NO_FORM,
        JSON("[" ONE("x1", "A", "1") "," ONE("x2", "B", "1") "]"), JSON("[]") },
      ODKS_EXIT_CONFIG,
      "no form housholt",
      "It has: x1, x2." },
    { "no forms at all",
      { LOGIN, NO_FORM, JSON("[]"), JSON("[]") },
      ODKS_EXIT_CONFIG,
      "no form housholt",
      "It has: none." },
    { "trash not to be seen",
      { LOGIN, NO_FORM, JSON("[]"), REFUSAL("403 Forbidden", "403.1") },
      ODKS_EXIT_CONFIG,
      "no form housholt",
      "It has: none." },
    { "in the trash",
      { LOGIN, NO_FORM, JSON("[]"), JSON("[" ONE("housholt", "H", "1") "]") },
      ODKS_EXIT_CONFIG,
      "was deleted",
      "Restore" },
    { "never published",
      { LOGIN, NO_FORM, JSON("[" ONE("housholt", "H", "null") "]") },
      ODKS_EXIT_CONFIG,
      "never published",
      "Publish" },
    { "no project",
      { LOGIN, NO_FORM, NO_FORM, JSON("[{\"id\":1},{\"id\":12}]") },
      ODKS_EXIT_CONFIG,
      "no project 7",
      "see: 1, 12." },
    { "no project, no list",
      { LOGIN, NO_FORM, NO_FORM, JSON("{}") },
      ODKS_EXIT_CONFIG,
      "no project 7",
      "" },
    { "there after all",
      { LOGIN, NO_FORM, JSON("[" ONE("housholt", "H", "\"x\"") "]") },
      ODKS_EXIT_CONFIG,
      "does not have",
      "form" },
    { "Central goes away",
      { LOGIN, NO_FORM, { .status = "503 Down" } },
      ODKS_EXIT_UNAVAILABLE,
      "trouble",
      "" },
};

START_TEST(missing_form)
{
    struct session s;
    struct odks_form form;

    begin(&s, missing[_i].steps);
    ck_assert(!odks_central_form(s.central, 7, "housholt", &form, &s.err));
    ck_assert_msg(s.err.code == missing[_i].code, "%s: %d %s", missing[_i].name,
                  s.err.code, s.err.message);
    ck_assert_msg(strstr(s.err.message, missing[_i].says) != NULL, "%s: %s",
                  missing[_i].name, s.err.message);
    ck_assert_msg(strstr(s.err.hint, missing[_i].hint) != NULL, "%s: %s",
                  missing[_i].name, s.err.hint);
    end(&s);
}
END_TEST

START_TEST(long_list_of_forms)
{
    static char list[32 * 1024];
    size_t n = 0;
    struct session s;
    struct odks_form form;

    for (int i = 0; i < 500; i++)
        n += (size_t) snprintf(list + n, sizeof(list) - n,
                               "%c{\"xmlFormId\":\"form_%d\"}",
                               i == 0 ? '[' : ',', i);
    (void) snprintf(list + n, sizeof(list) - n, "]");
    const struct script_step steps[] = {
        LOGIN, NO_FORM, JSON(list), JSON("[]"), { NULL }
    };
    begin(&s, steps);
    ck_assert(!odks_central_form(s.central, 7, "x", &form, &s.err));
    ck_assert_ptr_nonnull(strstr(s.err.hint, "form_0, form_1"));
    ck_assert_ptr_nonnull(strstr(s.err.hint, ", .... A form"));
    end(&s);
}
END_TEST

static const struct {
    const char *body;
    enum odks_exit code;
    int64_t count;
} counts[] = {
    { "{\"value\":[],\"@odata.context\":\"x\",\"@odata.count\":490}",
      ODKS_EXIT_OK, 490 },
    { "{\"value\":[],\"@odata.count\":0}", ODKS_EXIT_OK, 0 },
    { "{\"value\":[]}", ODKS_EXIT_DATA, 0 },
    { "{\"@odata.count\":\"5\"}", ODKS_EXIT_DATA, 0 },
    { "{\"@odata.count\":-1}", ODKS_EXIT_DATA, 0 },
    { "{\"@odata.count\":null}", ODKS_EXIT_DATA, 0 },
    { "[]", ODKS_EXIT_DATA, 0 },
};

START_TEST(count)
{
    const struct script_step steps[] = { LOGIN,
                                         JSON(counts[_i].body),
                                         { NULL } };
    struct session s;
    int64_t n;

    begin(&s, steps);
    bool ok = odks_central_count(s.central, 1, "f", "a ge 1", &n, &s.err);
    ck_assert_int_eq(s.err.code, counts[_i].code);
    ck_assert_int_eq(ok, counts[_i].code == ODKS_EXIT_OK);
    ck_assert_int_eq(n, counts[_i].count);
    ck_assert_ptr_nonnull(strstr(s.script.log->text,
                                 "GET /v1/projects/1/forms/f.svc/Submissions"
                                 "?$top=0&$count=true&$filter=a%20ge%201 "));
    end(&s);
}
END_TEST

/* --- fields --------------------------------------------------------------- */

#define FIELD(path, type)                     \
    "{\"path\":\"" path "\",\"type\":\"" type \
    "\",\"binary\":null,\"selectMultiple\":null}"

static const char
    all_types
        [] =
            "[" FIELD("/a", "string") "," FIELD("/b", "int") "," FIELD(
                "/c",
                "decim"
                "al") "," FIELD("/d", "boolean") "," FIELD("/e", "date") "," FIELD("/f",
                                                                                   "time") "," FIELD("/g",
                                                                                                     "dateTime") "," FIELD("/h", "geopoint") "," FIELD("/i", "geotrace") "," FIELD("/j", "geoshape") "," FIELD("/k", "barcode") "," FIELD("/l", "unknown") ",{\"path\":\"/m\",\"type\":\"binary\",\"binary\":true},"
                                                                                                                                                                                                                                                           "{\"path\":\"/n\",\"type\":\"string\",\"selectMultiple\":true}," FIELD("/o", "structure") "," FIELD("/o/x", "int") "," FIELD(
                                                                                                                                                                                                                                                               "/p",
                                                                                                                                                                                                                                                               "repeat") "," FIELD("/p/__system", "string") "," FIELD("/p/q",
                                                                                                                                                                                                                                                                                                                      "structure") "," FIELD("/p/q/__id", "string") "," FIELD("/p/q/r", "repeat") "," FIELD("/p/q/r/x",
                                                                                                                                                                                                                                                                                                                                                                                                            "date") "," FIELD("/A",
                                                                                                                                                                                                                                                                                                                                                                                                                              "int") "]";

START_TEST(fields)
{
    static const enum odks_field_type types[] = {
        ODKS_FIELD_TEXT,     ODKS_FIELD_INT,
        ODKS_FIELD_DECIMAL,  ODKS_FIELD_BOOLEAN,
        ODKS_FIELD_DATE,     ODKS_FIELD_TIME,
        ODKS_FIELD_DATETIME, ODKS_FIELD_GEOPOINT,
        ODKS_FIELD_GEOTRACE, ODKS_FIELD_GEOSHAPE,
        ODKS_FIELD_TEXT,     ODKS_FIELD_TEXT,
        ODKS_FIELD_BINARY,   ODKS_FIELD_SELECT_MULTIPLE,
        ODKS_FIELD_GROUP,    ODKS_FIELD_REPEAT,
        ODKS_FIELD_INT
    };
    const struct script_step steps[] = { LOGIN, JSON(all_types), { NULL } };
    struct session s;
    struct odks_field *root;

    begin(&s, steps);
    ck_assert_msg(odks_central_fields(s.central, 1, "f", &root, &s.err), "%s",
                  s.err.message);
    ck_assert_str_eq(root->name, "");
    ck_assert_int_eq(root->type, ODKS_FIELD_GROUP);
    ck_assert_uint_eq(root->child_count, sizeof(types) / sizeof(types[0]));
    for (size_t i = 0; i < root->child_count; i++)
        ck_assert_int_eq(root->child[i]->type, types[i]);
    const struct odks_field *p = root->child[15];
    ck_assert_str_eq(p->name, "p");
    ck_assert_uint_eq(p->child_count, 2);
    const struct odks_field *x = p->child[1]->child[1]->child[0];
    ck_assert_str_eq(x->path, "/p/q/r/x");
    ck_assert_str_eq(x->name, "x");
    ck_assert_int_eq(x->type, ODKS_FIELD_DATE);
    odks_field_free(root);
    end(&s);
}
END_TEST

static const struct {
    const char *name;
    const char *odata;
    const char *raw;
    enum odks_exit code;
    const char *says;
} refused[] = {
    { "two questions, one key",
      "[" FIELD("/a_b", "int") "," FIELD("/x", "int") "," FIELD("/a_b",
                                                                "int") "]",
      "[{\"path\":\"/a-b\"},{\"path\":\"/x\"},{\"path\":\"/a.b\"}]",
      ODKS_EXIT_DATA, "/a-b and /a.b: it hands out both as /a_b" },
    { "two repeats, one key",
      "[" FIELD("/r_1", "repeat") "," FIELD("/r_1/v", "int") "," FIELD(
          "/r_1", "repeat") "," FIELD("/r_1/v", "int") "]",
      "[{\"path\":\"/r-1\"},{},{\"path\":\"/r.1\"}]", ODKS_EXIT_DATA,
      "/r-1 and /r.1" },
    { "two questions, names not to be had",
      "[" FIELD("/a_b", "int") "," FIELD("/a_b", "int") "]", "{}",
      ODKS_EXIT_DATA, "/a_b and /a_b" },
    { "__id", "[" FIELD("/__id", "string") "]", NULL, ODKS_EXIT_DATA, "/__id" },
    { "__system", "[" FIELD("/__system", "string") "]", NULL, ODKS_EXIT_DATA,
      "/__system" },
    { "__id in a repeat",
      "[" FIELD("/r", "repeat") "," FIELD("/r/__id", "string") "]", NULL,
      ODKS_EXIT_DATA, "/r/__id" },
    { "no group", "[" FIELD("/a/b", "string") "]", NULL, ODKS_EXIT_DATA,
      "/a/b" },
    { "in a question",
      "[" FIELD("/a", "string") "," FIELD("/a/b", "string") "]", NULL,
      ODKS_EXIT_DATA, "/a/b" },
    { "no slash", "[" FIELD("a", "string") "]", NULL, ODKS_EXIT_DATA, "a" },
    { "no name", "[" FIELD("/", "string") "]", NULL, ODKS_EXIT_DATA, "/" },
    { "no path", "[{}]", NULL, ODKS_EXIT_DATA, "definition" },
    { "no object", "[1]", NULL, ODKS_EXIT_DATA, "definition" },
    { "no list", "{}", NULL, ODKS_EXIT_PROTOCOL, "no list" },
};

START_TEST(refused_fields)
{
    const struct script_step steps[] = {
        LOGIN,
        JSON(refused[_i].odata),
        { .status = refused[_i].raw != NULL ? "200 OK" : NULL,
          .body = refused[_i].raw },
        { NULL }
    };
    struct session s;
    struct odks_field *root;

    begin(&s, steps);
    ck_assert(!odks_central_fields(s.central, 1, "f", &root, &s.err));
    ck_assert_ptr_null(root);
    ck_assert_msg(s.err.code == refused[_i].code, "%s: %d %s", refused[_i].name,
                  s.err.code, s.err.message);
    ck_assert_msg(strstr(s.err.message, refused[_i].says) != NULL, "%s: %s",
                  refused[_i].name, s.err.message);
    end(&s);
}
END_TEST

#define COUNT(list) ((int) (sizeof(list) / sizeof((list)[0])))

static Suite *
suite(void)
{
    Suite *s = suite_create("central_answers");
    TCase *tc = tcase_create("answers");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, refusal, 0, COUNT(refusals));
    tcase_add_test(tc, one_session);
    tcase_add_test(tc, no_request_no_session);
    tcase_add_loop_test(tc, form_answer, 0, COUNT(forms));
    tcase_add_loop_test(tc, missing_form, 0, COUNT(missing));
    tcase_add_test(tc, long_list_of_forms);
    tcase_add_loop_test(tc, count, 0, COUNT(counts));
    tcase_add_test(tc, fields);
    tcase_add_loop_test(tc, refused_fields, 0, COUNT(refused));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
