/* tests/unit/odksync_scope.c - SPDX-License-Identifier: Apache-2.0 */
/* An attempt that is recorded as failed when it is left without success. */
#include <config.h>

#include "odksync_help.h"

/* The ways to leave a scope. */
enum way { SUCCEED, RETURN, BREAK, FAIL, ERROR, SUCCEED_AND_ERR, BADLY, WAYS };

static const char *const left[WAYS] = {
    [SUCCEED] = "a|success|3",
    [RETURN] = "a|error|-1|left without success",
    [BREAK] = "a|error|-1|left without success",
    [FAIL] = "a|error|-1|no answer",
    [ERROR] = "a|error|-1|there is no attempt 4711",
    [SUCCEED_AND_ERR] = "a|success|3",
    [BADLY] = "a|error|-1|invalid input syntax for type json",
};

static int
work(struct odks_sync *sync, enum way way)
{
    ODKS_SYNC_SCOPE struct odks_scope *scope =
        odks_enter_scope(sync, "a", NULL);

    ck_assert_ptr_nonnull(scope);
    ck_assert_int_gt(odks_scope_history_id(scope), 0);
    switch (way) {
    case SUCCEED:
        return odks_complete_scope(scope, 3, ODKS_TIME_NONE, NULL);
    case RETURN:
        return 0;
    case FAIL:
        return odks_fail_scope(scope, "no answer");
    case ERROR:
        return odks_update_progress(sync, 4711, 1, ODKS_TIME_NONE, NULL);
    case SUCCEED_AND_ERR:
        SYNC_OK(sync, odks_complete_scope(scope, 3, ODKS_TIME_NONE, NULL));
        return odks_complete_scope(scope, 3, ODKS_TIME_NONE, NULL);
    case BADLY:
        return odks_complete_scope(scope, 3, ODKS_TIME_NONE, "{");
    default:
        break;
    }
    return 0;
}

START_TEST(ways)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int code = work(sync, (enum way) _i);

    ODKS_SQL_IS(db, TEST_HISTORY, left[_i]);
    /* the handle tells what went wrong inside, not of the leaving */
    ck_assert_int_eq(code, odks_error_code(sync));
    ck_assert_int_eq(code, _i < ERROR ? 0 : ODKS_E_USAGE);
    if (_i == ERROR)
        ck_assert_str_eq(odks_error_message(sync), "there is no attempt 4711");
}
END_TEST

START_TEST(without_attribute)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    struct odks_scope *scope = odks_enter_scope(sync, "a", "me");

    odks_leave_scope(&scope);
    ck_assert_ptr_null(scope);
    odks_leave_scope(&scope);
    odks_leave_scope(NULL);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|error|-1|left without success");
    ODKS_SQL_IS(db, "SELECT service_instance FROM odk_sync_history", "me");
}
END_TEST

START_TEST(one_in_another)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);

    {
        ODKS_SYNC_SCOPE struct odks_scope *outer =
            odks_enter_scope(sync, "a", NULL);

        for (int i = 0; i < 3; i++) {
            ODKS_SYNC_SCOPE struct odks_scope *inner =
                odks_enter_scope(sync, "b", NULL);

            if (i == 1)
                continue;
            SYNC_OK(sync, odks_complete_scope(inner, i, ODKS_TIME_NONE, NULL));
        }
        SYNC_OK(sync, odks_complete_scope(outer, 9, ODKS_TIME_NONE, NULL));
    }
    ODKS_SQL_IS(db, TEST_HISTORY,
                "a|success|9;b|success|0;b|error|-1|left without success;"
                "b|success|2");
}
END_TEST

/* Somebody else ended the attempt: that stands. */
START_TEST(ended_elsewhere)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);

    {
        ODKS_SYNC_SCOPE struct odks_scope *scope =
            odks_enter_scope(sync, "a", NULL);

        test_do(db, "SELECT odk_sync_complete(1, 'a', 8, NULL, NULL)");
        ck_assert_int_eq(odks_scope_history_id(scope), 1);
    }
    ck_assert_int_eq(odks_error_code(sync), 0);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|8");
}
END_TEST

START_TEST(not_entered)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    ODKS_SYNC_SCOPE struct odks_scope *scope = odks_enter_scope(sync, "", NULL);

    ck_assert_ptr_null(scope);
    ck_assert_int_eq(odks_error_code(sync), ODKS_E_USAGE);
    ck_assert_ptr_null(odks_enter_scope(sync, NULL, NULL));
    ck_assert_int_eq(odks_error_code(sync), ODKS_E_USAGE);
    ck_assert_ptr_null(odks_enter_scope(NULL, "a", NULL));
    ck_assert_int_eq(odks_scope_history_id(NULL), 0);
    ck_assert_int_eq(odks_complete_scope(NULL, 1, 0, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_fail_scope(NULL, "x"), ODKS_E_USAGE);
    ODKS_SQL_IS(db, TEST_HISTORY, "");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("odksync_scope");
    TCase *tc = tcase_create("scope");

    tcase_add_loop_test(tc, ways, 0, WAYS);
    tcase_add_test(tc, without_attribute);
    tcase_add_test(tc, one_in_another);
    tcase_add_test(tc, ended_elsewhere);
    tcase_add_test(tc, not_entered);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
