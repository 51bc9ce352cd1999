/* tests/unit/central_dataset.c - SPDX-License-Identifier: Apache-2.0 */
/* Datasets, their rows, and what is in their trash. */
#include <config.h>

#include "central/central.h"

#include <string.h>

#include "central_script.h"
#include "unit.h"

#define ID "05aa6c28-f91c-458c-a9d1-87d61047f566"
#define OTHER "6d07358d-7e50-4d07-889e-f991a611bce8"
#define AT "2026-11-23T16:17:45.604Z"
#define P(name, odata) "{\"name\":\"" name "\",\"odataName\":\"" odata "\"}"
#define PEOPLE(list) "{\"name\":\"people\",\"properties\":" list "}"

START_TEST(dataset)
{
    const struct script_step steps[] = {
        LOGIN,
        DATED(PEOPLE("[" P("age", "age") "," P("home-town", "home_town") "," P(
            "home.town", "home_town") "," P("geometry", "geometry") "]")),
        { NULL }
    };
    struct session s;
    struct odks_form form;
    CLEANUP_FIELD struct odks_field *root = NULL;

    session_begin(&s, steps);
    ck_assert_msg(
        odks_central_dataset(s.central, 1, "a b", &form, &root, &s.err), "%s",
        s.err.message);
    ck_assert_str_eq(form.id, "people");
    ck_assert_ptr_null(form.version);
    ck_assert_uint_eq(strlen(form.hash), 16);
    ck_assert_int_eq(form.date, INT64_C(1795458780) * 1000000);
    ck_assert_uint_eq(root->child_count, 4);
    ck_assert_str_eq(root->child[0]->path, "/age");
    ck_assert_int_eq(root->child[0]->type, ODKS_FIELD_TEXT);
    ck_assert_str_eq(root->child[1]->name, "home-town");
    ck_assert_str_eq(root->child[2]->path, "/home.town");
    ck_assert_str_eq(root->child[2]->key, "home_town");
    ck_assert(!root->child[0]->is_shared && root->child[2]->is_shared);
    ck_assert_int_eq(root->child[3]->type, ODKS_FIELD_PLACE);
    ck_assert_ptr_nonnull(
        strstr(s.script.log->text, "GET /v1/projects/1/datasets/a%20b HTTP"));
    odks_form_clear(&form);
    session_end(&s);
}
END_TEST

static const struct {
    struct script_step steps[MAX_STEPS + 1];
    enum odks_exit code;
    const char *says, *hint;
} refusals[] = {
    { { LOGIN, JSON(PEOPLE("[]")) },
      ODKS_EXIT_PROTOCOL,
      "without a Date header",
      "url in [central]" },
    { { LOGIN, DATED(PEOPLE("null")) },
      ODKS_EXIT_PROTOCOL,
      "without name or properties",
      "url in [central]" },
    { { LOGIN, DATED("{\"properties\":[]}") },
      ODKS_EXIT_PROTOCOL,
      "without name or properties",
      "url in [central]" },
    { { LOGIN, DATED("[]") },
      ODKS_EXIT_PROTOCOL,
      "without name or properties",
      "" },
    { { LOGIN, DATED(PEOPLE("[" P("\xd1\x8eid", "__id") "]")) },
      ODKS_EXIT_DATA,
      "/\xd1\x8eid has the name __id in OData",
      "" },
    { { LOGIN, NO_FORM, JSON("[{\"name\":\"peoples\"}]") },
      ODKS_EXIT_CONFIG,
      "project 7 has no dataset people",
      "Did you mean peoples?" },
    { { LOGIN, NO_FORM, JSON("[{\"name\":\"a\"},{\"name\":\"b\"}]") },
      ODKS_EXIT_CONFIG,
      "no dataset people",
      "It has: a, b." },
    { { LOGIN, NO_FORM, NO_FORM, JSON("[{\"id\":3}]") },
      ODKS_EXIT_CONFIG,
      "Central has no project 7",
      "3" },
    { { LOGIN, REFUSAL("403 Forbidden", "403.1") }, ODKS_EXIT_NOPERM, "", "" },
};

START_TEST(refused)
{
    struct session s;
    struct odks_form form;
    CLEANUP_FIELD struct odks_field *root = NULL;

    session_begin(&s, refusals[_i].steps);
    ck_assert(
        !odks_central_dataset(s.central, 7, "people", &form, &root, &s.err));
    ck_assert_int_eq(s.err.code, refusals[_i].code);
    ck_assert_msg(strstr(s.err.message, refusals[_i].says) != NULL, "%s",
                  s.err.message);
    ck_assert_msg(strstr(s.err.hint, refusals[_i].hint) != NULL, "%s",
                  s.err.hint);
    odks_form_clear(&form);
    session_end(&s);
}
END_TEST

#define DELETED(id) "{\"uuid\":\"" id "\",\"deletedAt\":\"" AT "\"}"

START_TEST(trash_finds)
{
    const struct script_step steps[] = {
        LOGIN, JSON(" [" DELETED(OTHER) ", " DELETED(ID) "]\n"), { NULL }
    };
    struct session s;
    struct odks_trash *trash;

    session_begin(&s, steps);
    ck_assert_msg(odks_central_trash(s.central, 1, "d", &trash, &s.err), "%s",
                  s.err.message);
    ck_assert_str_eq(odks_trash_find(trash, ID), AT);
    ck_assert_str_eq(odks_trash_find(trash, OTHER), AT);
    ck_assert_ptr_null(odks_trash_find(trash, "x"));
    ck_assert_ptr_null(odks_trash_find(trash, ID "x"));
    ck_assert_ptr_nonnull(
        strstr(s.script.log->text, "/datasets/d/entities?deleted=true HTTP"));
    odks_trash_free(trash);
    odks_trash_free(NULL);
    session_end(&s);
}
END_TEST

static const struct {
    struct script_step answer;
    enum odks_exit code;
    const char *says;
} lists[] = {
    { JSON("[]"), ODKS_EXIT_OK, "" },
    { JSON("[" DELETED(ID)), ODKS_EXIT_UNAVAILABLE, "cut short behind entity" },
    { JSON("[" DELETED(ID) ","), ODKS_EXIT_UNAVAILABLE, "cut short" },
    { JSON("["), ODKS_EXIT_UNAVAILABLE, "cut short" },
    { JSON(""), ODKS_EXIT_UNAVAILABLE, "cut short" },
    { JSON("{}"), ODKS_EXIT_DATA, "no list of rows" },
    { JSON("[1]"), ODKS_EXIT_DATA, "broken" },
    { JSON("[" DELETED("x") "]"), ODKS_EXIT_DATA, "without uuid" },
    { JSON("[{\"uuid\":\"" ID "\",\"deletedAt\":null}]"), ODKS_EXIT_DATA,
      "without uuid or deletedAt" },
    { JSON("[{\"uuid\":\"" ID "\",\"deletedAt\":\"soon\"}]"), ODKS_EXIT_DATA,
      "without uuid or deletedAt" },
};

START_TEST(trash_answer)
{
    const struct script_step steps[] = { LOGIN, lists[_i].answer, { NULL } };
    struct session s;
    struct odks_trash *trash;

    session_begin(&s, steps);
    bool ok = odks_central_trash(s.central, 1, "d", &trash, &s.err);
    ck_assert_msg(s.err.code == lists[_i].code
                      && strstr(s.err.message, lists[_i].says) != NULL,
                  "%s", s.err.message);
    ck_assert_int_eq(ok, lists[_i].code == ODKS_EXIT_OK);
    if (ok)
        ck_assert_ptr_null(odks_trash_find(trash, ID));
    odks_trash_free(trash);
    session_end(&s);
}
END_TEST

START_TEST(rows)
{
    const struct script_step steps[] = {
        LOGIN, JSON("{\"value\":[{\"__id\":\"" ID "\"}"), { NULL }
    };
    const struct odks_query query = { .feed = ODKS_FEED_DATASET,
                                      .project = 1,
                                      .form_id = "d" };
    struct session s;
    CLEANUP_ROWS struct odks_rows *r = NULL;
    const char *row;
    size_t len;

    session_begin(&s, steps);
    ck_assert(odks_central_rows(s.central, &query, &r, &s.err));
    ck_assert(odks_rows_next(r, &row, &len, &s.err));
    ck_assert_str_eq(row, "{\"__id\":\"" ID "\"}");
    ck_assert(!odks_rows_next(r, &row, &len, &s.err));
    ck_assert_str_eq(s.err.message,
                     "Central's answer was cut short behind entity 1");
    ck_assert_ptr_nonnull(
        strstr(s.script.log->text, "/datasets/d.svc/Entities HTTP"));
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_dataset");
    TCase *tc = tcase_create("all");

    tcase_add_test(tc, dataset);
    tcase_add_loop_test(tc, refused, 0, COUNT(refusals));
    tcase_add_test(tc, trash_finds);
    tcase_add_loop_test(tc, trash_answer, 0, COUNT(lists));
    tcase_add_test(tc, rows);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
