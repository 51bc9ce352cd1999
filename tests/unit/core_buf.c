/* tests/unit/core_buf.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/buf.h"

#include <string.h>

#include "core/mem.h"
#include "unit.h"

START_TEST(empty)
{
    struct odks_buf b = ODKS_BUF_INIT(10);

    ck_assert_ptr_null(b.data);
    ck_assert(odks_buf_add(&b, NULL, 0));
    ck_assert_str_eq(b.data, "");
    odks_buf_free(&b);
    ck_assert_ptr_null(b.data);
    ck_assert(odks_buf_add_str(&b, "again"));
    ck_assert_str_eq(b.data, "again");
    odks_buf_free(&b);
}
END_TEST

START_TEST(over_the_cap_changes_nothing)
{
    struct odks_buf b = ODKS_BUF_INIT(10);

    ck_assert(odks_buf_add_str(&b, "12345678"));
    ck_assert(!odks_buf_add_str(&b, "90a"));
    ck_assert(!odks_buf_printf(&b, "%d", 123));
    ck_assert_str_eq(b.data, "12345678");
    ck_assert(odks_buf_printf(&b, "%d", 90));
    ck_assert(!odks_buf_add_char(&b, 'x'));
    ck_assert_str_eq(b.data, "1234567890");
    ck_assert(!odks_buf_add(&b, "", SIZE_MAX));
    odks_buf_free(&b);
}
END_TEST

START_TEST(grows_and_keeps_nul_bytes)
{
    struct odks_buf b = ODKS_BUF_INIT(100000);

    for (int i = 0; i < 1000; i++)
        ck_assert(odks_buf_add(&b, "ab\0cd", 5));
    ck_assert_uint_eq(b.len, 5000);
    ck_assert_int_eq(memcmp(b.data + 4995, "ab\0cd", 6), 0);
    odks_buf_truncate(&b, 2);
    ck_assert_str_eq(b.data, "ab");
    odks_buf_free(&b);
}
END_TEST

START_TEST(steal_leaves_nothing_behind)
{
    CLEANUP_FREE char *owner = odks_xasprintf("%s-%d", "x", 1);
    CLEANUP_FREE char *next = odks_steal(&owner);

    ck_assert_ptr_null(owner);
    ck_assert_str_eq(next, "x-1");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_buf");
    TCase *tc = tcase_create("buf");

    tcase_add_test(tc, empty);
    tcase_add_test(tc, over_the_cap_changes_nothing);
    tcase_add_test(tc, grows_and_keeps_nul_bytes);
    tcase_add_test(tc, steal_leaves_nothing_behind);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
