/* tests/unit/table_views.c - SPDX-License-Identifier: Apache-2.0 */
/* Names of views and of their columns, and what becomes of them. */
#include <config.h>

#include "table/views.h"

#include <string.h>

#include "table/viewplan.h"
#include "table_model_help.h"

START_TEST(suffixes)
{
    static const char *const cases[][2] = {
        { "English (en)", "en" },
        { "Fran\xc3\xa7"
          "ais (fr)",
          "fr" },
        { "Portugu\xc3\xaas (pt-BR)", "pt_br" },
        { "Kiswahili", "kiswahili" },
        { "Old English", "old_english" },
        { "default", "default" },
        { "Odia (or)", "or" }, /* reserved, but not alone */
        { "Chinese (simplified) ", "chinese_simplified" },
        { "Empty ()", "empty" },
        { "(x", "x" },
        { "!!!", "default" },
        { "\xd8\xb9\xd8\xb1", "\xd8\xb9\xd8\xb1" },
    };
    char *suffix = odks_language_suffix(cases[_i][0]);

    ck_assert_str_eq(suffix, cases[_i][1]);
    free(suffix);
}
END_TEST

/* A form of two languages with one code; the caller frees it. */
static struct odks_xform *
labelled(void)
{
    static const char text[] =
        "<html><head><title>T</title><model><itext>"
        "<translation lang=\"English (en)\"/>"
        "<translation lang=\"British (en)\"/>"
        "<translation lang=\"Espa\xc3\xb1ol (es)\"/></itext></model></head>"
        "<body><select1 ref=\"/data/a\"><label>A?</label>"
        "<item><value>y</value><label>Yes</label></item></select1></body>"
        "</html>";
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *xform = NULL;

    ck_assert(odks_xform_parse(text, strlen(text), &xform, &err));
    return xform;
}

START_TEST(languages_by_name_or_code)
{
    struct odks_xform *xform = labelled();

    ck_assert_uint_eq(odks_language_find(xform, "BRITISH (EN)"), 1);
    ck_assert_uint_eq(odks_language_find(xform, "En"), 0);
    ck_assert_uint_eq(odks_language_find(xform, "es"), 2);
    ck_assert_uint_eq(odks_language_find(xform, "fr"), 3);
    odks_xform_free(xform);
}
END_TEST

/* Publish, with labels; how many steps that took. */
static size_t
publish_labels(const char *fields, const char *table)
{
    const struct odks_views_conf with = { .labels = true };
    struct odks_model_conf conf = model_conf;
    struct odks_field *root = form(fields);

    conf.table = table;
    struct odks_model *model = prepare_tables(db, &conf, root, NULL);
    struct odks_xform *xform = labelled();
    size_t steps = make_views(db, &conf, model, &with, xform);
    odks_xform_free(xform);
    odks_model_free(model);
    free_form(root);
    return steps;
}

START_TEST(languages_of_one_code)
{
    publish("a:text", "1", NULL);
    ck_ask(db, TABLES "'v'", "v_f");
    ck_assert_uint_gt(publish_labels("a:text", NULL), 0);
    ck_ask(db, TABLES "'v'",
           "v_f v_f_choices v_f_label_en v_f_label_en_2 v_f_label_es");
    ck_ask(db,
           "SELECT key, view_name FROM tracking.odk_sync_view"
           " WHERE kind = 'label' AND key ~ 'en' ORDER BY key",
           "British (en)|v_f_label_en_2;English (en)|v_f_label_en");
    ck_assert_uint_eq(publish_labels("a:text", NULL), 0);
}
END_TEST

START_TEST(long_names)
{
    static const char table[] =
        "a_table_with_a_name_that_is_just_as_long_as_a_name_may_be_012";

    ck_assert_uint_eq(strlen(table), ODKS_TABLE_NAME_MAX);
    (void) publish_labels("a:text b:select_multiple", table);
    ck_ask(db,
           "SELECT count(DISTINCT relname), max(octet_length(relname)) <= 63"
           " FROM pg_class WHERE relkind = 'v'"
           " AND relnamespace = 'odk'::regnamespace",
           "6|t");
    ck_assert_uint_eq(publish_labels("a:text b:select_multiple", table), 0);
}
END_TEST

START_TEST(each_change_is_a_step)
{
    (void) publish_labels("a:text", NULL);
    /* four views one by one, and the comments of all */
    ck_assert_uint_eq(publish_labels("a:text n:int", NULL), 5);
    /* one that is new, and what was there with its comments */
    ck_assert_uint_eq(publish_labels("a:text n:int m:select_multiple", NULL),
                      6);
}
END_TEST

START_TEST(a_repeat_comes_to_own_a_name)
{
    static const char *const parent[] = { "a", "_submitted_at", NULL };
    const struct odks_views_conf with = { .parent_columns = parent };
    struct odks_field *root = form("a:text r[x:int]");
    struct odks_model *model = prepare_tables(db, &model_conf, root, NULL);

    (void) make_views(db, &model_conf, model, &with, NULL);
    odks_model_free(model);
    free_form(root);
    ck_ask(db, COLUMNS_OF("v_f__r"), "x:int8 a:text");
    root = form("a:text r[x:int a:text]");
    model = prepare_tables(db, &model_conf, root, NULL);
    (void) make_views(db, &model_conf, model, &with, NULL);
    odks_model_free(model);
    free_form(root);
    run(db, "INSERT INTO odk.f (_id, _submitted_at, a) VALUES"
            " ('1', now(), 'parent');"
            "INSERT INTO odk.f__r (_id, _parent_id, _submission_id,"
            " _position, a) VALUES ('1', '1', '1', 1, 'child')");
    ck_ask(db, "SELECT a, a_2 FROM odk.v_f__r", "parent|child");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_views");
    TCase *names = tcase_create("names");
    TCase *tc = tcase_create("views");

    tcase_add_loop_test(names, suffixes, 0, 12);
    tcase_add_test(names, languages_by_name_or_code);
    suite_add_tcase(s, names);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, languages_of_one_code);
    tcase_add_test(tc, long_names);
    tcase_add_test(tc, each_change_is_a_step);
    tcase_add_test(tc, a_repeat_comes_to_own_a_name);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
