/* tests/unit/central_form.c - SPDX-License-Identifier: Apache-2.0 */
/* Forms, why there is none, and counts. */
#include <config.h>

#include "central/central.h"

#include <stdio.h>
#include <string.h>

#include "central_script.h"
#include "unit.h"

#define FORM(more)                                                           \
    "{\"projectId\":1,\"xmlFormId\":\"f\",\"state\":\"closed\",\"version\":" \
    "\"\",\"hash\":\"abc\",\"name\":null" more "}"

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

    session_begin(&s, steps);
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
    session_end(&s);
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
    { "a draft, to who may not edit",
      { LOGIN, REFUSAL("403 Forbidden", "403.1"), JSON("[]") },
      ODKS_EXIT_NOPERM,
      "form housholt of project 7 was never published, or is hidden",
      "Publish its draft" },
    { "refused though it shows",
      { LOGIN, REFUSAL("403 Forbidden", "403.1"),
        JSON("[" ONE("housholt", "H", "\"x\"") "]") },
      ODKS_EXIT_NOPERM,
      "does not let",
      "Project Viewer" },
    { "all refused",
      { LOGIN, REFUSAL("403 Forbidden", "403.1"),
        REFUSAL("403 Forbidden", "403.1") },
      ODKS_EXIT_NOPERM,
      "does not let",
      "Project Viewer" },
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

    session_begin(&s, missing[_i].steps);
    ck_assert(!odks_central_form(s.central, 7, "housholt", &form, &s.err));
    ck_assert_msg(s.err.code == missing[_i].code, "%s: %d %s", missing[_i].name,
                  s.err.code, s.err.message);
    ck_assert_msg(strstr(s.err.message, missing[_i].says) != NULL, "%s: %s",
                  missing[_i].name, s.err.message);
    ck_assert_msg(strstr(s.err.hint, missing[_i].hint) != NULL, "%s: %s",
                  missing[_i].name, s.err.hint);
    session_end(&s);
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
    session_begin(&s, steps);
    ck_assert(!odks_central_form(s.central, 7, "x", &form, &s.err));
    ck_assert_ptr_nonnull(strstr(s.err.hint, "form_0, form_1"));
    ck_assert_ptr_nonnull(strstr(s.err.hint, ", .... A form"));
    session_end(&s);
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

    session_begin(&s, steps);
    const struct odks_query query = { .project = 1,
                                      .form_id = "f",
                                      .filter = "a ge 1" };
    bool ok = odks_central_count(s.central, &query, &n, &s.err);
    ck_assert_int_eq(s.err.code, counts[_i].code);
    ck_assert_int_eq(ok, counts[_i].code == ODKS_EXIT_OK);
    ck_assert_int_eq(n, counts[_i].count);
    ck_assert_ptr_nonnull(strstr(s.script.log->text,
                                 "GET /v1/projects/1/forms/f.svc/Submissions"
                                 "?$top=0&$count=true&$filter=a%20ge%201 "));
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_form");
    TCase *tc = tcase_create("form");

    tcase_add_loop_test(tc, form_answer, 0, COUNT(forms));
    tcase_add_loop_test(tc, missing_form, 0, COUNT(missing));
    tcase_add_test(tc, long_list_of_forms);
    tcase_add_loop_test(tc, count, 0, COUNT(counts));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
