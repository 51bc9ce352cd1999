/* tests/unit/core_err.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/err.h"

#include <string.h>

#include "unit.h"

START_TEST(set_forgets_what_was_there)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_err_set(&err, ODKS_EXIT_DATA, "first");
    odks_err_detail(&err, "detail %d", 1);
    odks_err_hint(&err, "Do this.");
    odks_err_set(&err, ODKS_EXIT_NOPERM, "second %s", "x");
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_str_eq(err.message, "second x");
    ck_assert_str_eq(err.detail, "");
    ck_assert_str_eq(err.hint, "");
}
END_TEST

START_TEST(message_is_one_line)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_err_set(&err, ODKS_EXIT_DATA, "a\nb\r\n");
    ck_assert_str_eq(err.message, "a b");
}
END_TEST

START_TEST(set_may_quote_its_own_message)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_err_set(&err, ODKS_EXIT_DATA, "inner");
    odks_err_set(&err, ODKS_EXIT_DATA, "outer (%s)", err.message);
    ck_assert_str_eq(err.message, "outer (inner)");
}
END_TEST

START_TEST(context_goes_in_front_and_is_cut)
{
    struct odks_err err = ODKS_ERR_INIT;
    char long_text[3000];

    odks_err_set(&err, ODKS_EXIT_DATA, "cause");
    odks_err_context(&err, "form %s", "x");
    ck_assert_str_eq(err.message, "form x: cause");
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    odks_err_context(&err, "%s", long_text);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

START_TEST(worse_is_the_worst_permanent_else_temporary)
{
    size_t count;
    const struct odks_exit_info *list = odks_exit_list(&count);

    ck_assert_int_eq(odks_exit_worse(ODKS_EXIT_OK, ODKS_EXIT_TEMPFAIL), 75);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (list[i].code >= 128 || list[j].code >= 128
                || list[i].class != ODKS_EXIT_CLASS_PERMANENT
                || list[j].class == ODKS_EXIT_CLASS_PERMANENT)
                continue;
            ck_assert_int_eq(odks_exit_worse(list[i].code, list[j].code),
                             list[i].code);
            ck_assert_int_eq(odks_exit_worse(list[j].code, list[i].code),
                             list[i].code);
        }
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_err");
    TCase *tc = tcase_create("err");

    tcase_add_test(tc, set_forgets_what_was_there);
    tcase_add_test(tc, message_is_one_line);
    tcase_add_test(tc, set_may_quote_its_own_message);
    tcase_add_test(tc, context_goes_in_front_and_is_cut);
    tcase_add_test(tc, worse_is_the_worst_permanent_else_temporary);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
