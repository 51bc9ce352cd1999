/* tests/unit/run_tail.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/tail.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { SIZE = 11 };

static const struct {
    const char *in, *out;
} cases[] = {
    { "", "" },
    { "\n\r\n", "" },
    { "one", "one" },
    { "one\ntwo\n", "one\ntwo" },
    { "0123456789\n", "0123456789" },
    { "first\nsecond\n", "second" },        /* whole lines only */
    { "a\n0123456789\n", "0123456789" },    /* cut just before a line */
    { "0123456789abcdef\n", "6789abcdef" }, /* one line: its end */
    { "0123456789ab\nx\ny\n", "x\ny" },
    { "é\t\x01\x7f\x1b[m", "é\t???[m" },
    { "a\xff\xc3z\xed\xa0\x80\xc3", "a??z????" }, /* no UTF-8 */
    { "0123456789éé1234", "89éé1234" },
    { "é123456789", "123456789" }, /* cut within a character */
};

START_TEST(the_end_in_whole_lines_and_clean)
{
    struct odks_tail t = { .len = 0 };
    char text[SIZE];

    odks_tail_add(&t, cases[_i].in, strlen(cases[_i].in));
    odks_tail_text(&t, text, sizeof(text));
    ck_assert_str_eq(text, cases[_i].out);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
    struct odks_tail t = { .len = 0 };
    char text[SIZE];

    odks_tail_add(&t, "a\0b\n", 4);
    odks_tail_text(&t, text, sizeof(text));
    ck_assert_str_eq(text, "a?b");
}
END_TEST

START_TEST(any_amount_in_any_pieces)
{
    struct odks_tail t = { .len = 0 };
    char line[32], text[12], much[3 * ODKS_TAIL_BYTES];

    for (int i = 0; i < 10000; i++) {
        int len = snprintf(line, sizeof(line), "line %d\n", i);

        odks_tail_add(&t, line, (size_t) len);
    }
    odks_tail_text(&t, text, sizeof(text));
    ck_assert_str_eq(text, "line 9999");
    memset(much, 'x', sizeof(much));
    memcpy(much + sizeof(much) - 5, "\nlast", 5);
    odks_tail_add(&t, much, sizeof(much));
    odks_tail_text(&t, text, sizeof(text));
    ck_assert_str_eq(text, "last");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("run_tail");
    TCase *tc = tcase_create("tail");

    tcase_add_loop_test(tc, the_end_in_whole_lines_and_clean, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tc, a_nul_is_no_end);
    tcase_add_test(tc, any_amount_in_any_pieces);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
