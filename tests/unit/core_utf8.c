/* tests/unit/core_utf8.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "unit.h"

static const struct {
    const char *text, *clean;
} texts[] = {
    { "", "" },
    { "plain\t\n\x01\x7f", "plain\t\n\x01\x7f" },
    { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "a\xc3", "a" }, /* cut */
    { "a\xe2\x82", "a" },
    { "a\xf0\x9f\x98", "a" },
    { "a\xc3z", "a?z" }, /* broken */
    { "a\xe2\x82z", "a??z" },
    { "\x80\xbf", "??" },
    { "\xc0\xaf", "??" },           /* longer than needed */
    { "\xed\xa0\x80", "???" },      /* a surrogate */
    { "\xf4\x90\x80\x80", "????" }, /* beyond Unicode */
    { "\xff\xfe", "??" },
    { "\xc3\xc3\xa4", "?\xc3\xa4" },
};

START_TEST(clean)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%s", texts[_i].text);
    odks_utf8_clean(text);
    ck_assert_str_eq(text, texts[_i].clean);
    ck_assert(odks_is_utf8(text, strlen(text)));
}
END_TEST

/* Any two bytes, before and behind others. */
START_TEST(every_byte)
{
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            char text[] = { (char) a, (char) b, 'x', (char) b, (char) a, 0 };

            odks_utf8_clean(text);
            ck_assert(odks_is_utf8(text, strlen(text)));
            ck_assert_ptr_nonnull(strchr(text, 'x'));
        }
    }
}
END_TEST

START_TEST(cut)
{
    const char *text = "a\xc3\xa4\xe2\x82\xac";
    const size_t ends[] = { 0, 1, 1, 3, 3, 3, 6, 6 };

    for (size_t max = 0; max < 8; max++)
        ck_assert_uint_eq(odks_utf8_cut(text, max), ends[max]);
}
END_TEST

START_TEST(format)
{
    static const char *const expected[] = {
        "", "", "1", "1", "1", "1\xe2\x82\xac", "1\xe2\x82\xac?"
    };
    char text[8];

    for (size_t size = 1; size < 7; size++) {
        memset(text, 'x', sizeof(text));
        odks_utf8_format(text, size, "%d%s", 1, "\xe2\x82\xac\xff");
        ck_assert_str_eq(text, expected[size]);
        ck_assert_int_eq(text[size], 'x');
    }
}
END_TEST

/* Wherever the buffer of an error ends, and whatever a peer said. */
START_TEST(errors_are_utf8)
{
    struct odks_err err = ODKS_ERR_INIT;
    char text[4000];

    for (size_t pad = 0; pad < 4; pad++) {
        memset(text, 'x', pad);
        for (size_t i = pad; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 5);
        text[3996 + pad % 4] = '\0';
        odks_err_set(&err, ODKS_EXIT_DATA, "%s", text);
        odks_err_detail(&err, "%s", text);
        odks_err_hint(&err, "%s", text);
        ck_assert(odks_is_utf8(err.message, strlen(err.message)));
        ck_assert(odks_is_utf8(err.detail, strlen(err.detail)));
        ck_assert(odks_is_utf8(err.hint, strlen(err.hint)));
        ck_assert_uint_gt(strlen(err.message), sizeof(err.message) - 5);
        odks_err_context(&err, "%.*s", (int) pad + 1, "cause");
        ck_assert(odks_is_utf8(err.message, strlen(err.message)));
    }
    odks_err_set(&err, ODKS_EXIT_DATA, "said: %s", "\xff\xc3");
    ck_assert_str_eq(err.message, "said: ?");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_utf8");
    TCase *tc = tcase_create("utf8");

    tcase_add_loop_test(tc, clean, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tc, every_byte);
    tcase_add_test(tc, cut);
    tcase_add_test(tc, format);
    tcase_add_test(tc, errors_are_utf8);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
