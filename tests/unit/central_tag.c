/* tests/unit/central_tag.c - SPDX-License-Identifier: Apache-2.0 */
/* Central's tag of a set of submissions, and asking whether it holds. */
#include <config.h>

#include "central/central.h"

#include <string.h>

#include "central_script.h"
#include "unit.h"

#define TAG "W/\"eventhash:0123456789abcdef0123456789abcdef\""
#define TYPE "Content-Type: application/json\r\n"
#define ROWS "{\"value\":[{\"__id\":\"a\"}],\"@odata.context\":\"x\"}"
#define TAGGED(tag)                                                           \
    {                                                                         \
        .status = "200 OK", .headers = TYPE "ETag: " tag "\r\n", .body = ROWS \
    }
#define HOLDS                                                       \
    {                                                               \
        .raw = "HTTP/1.1 304 Not Modified\r\nETag: " TAG "\r\n\r\n" \
    }

static const struct odks_query all = { .project = 7,
                                       .form_id = "f",
                                       .select = "__id" };

static const struct {
    const char *name;
    struct script_step steps[MAX_STEPS + 1];
    const char *tag; /* that we have */
    enum odks_exit code;
    bool same;
    const char *now;
} cases[] = {
    { "first tag", { LOGIN, TAGGED(TAG) }, NULL, ODKS_EXIT_OK, false, TAG },
    { "it holds", { LOGIN, HOLDS }, TAG, ODKS_EXIT_OK, true, NULL },
    { "another one", { LOGIN, TAGGED(TAG) }, "x", ODKS_EXIT_OK, false, TAG },
    { "no tags here", { LOGIN, JSON(ROWS) }, TAG, ODKS_EXIT_OK, false, NULL },
    { "a tag of somebody else",
      { LOGIN, TAGGED("W/\"7e-C1DA1gbG9AUxwOh5QFryvG3DCw8\"") },
      NULL,
      ODKS_EXIT_OK,
      false,
      NULL },
    { "304 behind a new login",
      { LOGIN, REFUSAL("401 Unauthorized", "401.2"), LOGIN, HOLDS },
      TAG,
      ODKS_EXIT_OK,
      true,
      NULL },
    { "304 that nobody asked for",
      { LOGIN, HOLDS },
      NULL,
      ODKS_EXIT_PROTOCOL,
      false,
      NULL },
    { "a login page",
      { LOGIN, HTML("200 OK") },
      TAG,
      ODKS_EXIT_PROTOCOL,
      false,
      NULL },
    { "no rights",
      { LOGIN, REFUSAL("403 Forbidden", "403.1") },
      TAG,
      ODKS_EXIT_NOPERM,
      false,
      NULL },
};

START_TEST(tag)
{
    CLEANUP_FREE char *now = NULL;
    bool same = !cases[_i].same;
    struct session s;

    session_begin(&s, cases[_i].steps);
    bool ok =
        odks_central_tag(s.central, &all, cases[_i].tag, &same, &now, &s.err);
    ck_assert_msg(ok == (cases[_i].code == ODKS_EXIT_OK), "%s: %s",
                  cases[_i].name, s.err.message);
    ck_assert_int_eq(s.err.code, cases[_i].code);
    ck_assert_msg(same == cases[_i].same, "%s", cases[_i].name);
    ck_assert_pstr_eq(now, cases[_i].now);
    const char *header = strstr(s.script.log->text, "If-None-Match: ");
    ck_assert((header != NULL) == (cases[_i].tag != NULL));
    if (header != NULL)
        ck_assert(strncmp(header + strlen("If-None-Match: "), cases[_i].tag,
                          strlen(cases[_i].tag))
                  == 0);
    session_end(&s);
}
END_TEST

/* A body that was not read costs the connection, nothing else. */
START_TEST(then_something_else)
{
    static const struct script_step steps[] = {
        LOGIN, TAGGED(TAG), TAGGED(TAG), { 0 }
    };
    CLEANUP_FREE char *now = NULL;
    CLEANUP_ROWS struct odks_rows *rows = NULL;
    struct session s;
    const char *row;
    size_t len;
    bool same;

    session_begin(&s, steps);
    ck_assert(odks_central_tag(s.central, &all, NULL, &same, &now, &s.err));
    ck_assert(odks_central_rows(s.central, &all, &rows, &s.err));
    ck_assert_str_eq(odks_rows_tag(rows), TAG);
    ck_assert(odks_rows_next(rows, &row, &len, &s.err));
    ck_assert_str_eq(row, "{\"__id\":\"a\"}");
    ck_assert(odks_rows_next(rows, &row, &len, &s.err));
    ck_assert_ptr_null(row);
    ck_assert_str_eq(odks_rows_tag(rows), TAG);
    odks_rows_close(odks_steal(&rows));
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_tag");
    TCase *tc = tcase_create("tag");

    tcase_add_loop_test(tc, tag, 0, COUNT(cases));
    tcase_add_test(tc, then_something_else);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
