/* tests/unit/core_safe.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/safe.h"

#include "unit.h"

static const struct {
    const char *text;
    const char *printed;
} texts[] = {
    { "", "" },
    { "plain text 1", "plain text 1" },
    { "\xc5\xbe \xe6\xbc\xa2 \xf0\x9f\x98\x80",
      "\xc5\xbe \xe6\xbc\xa2 \xf0\x9f\x98\x80" },
    { "a\nb\r\tc", "a\\x0ab\\x0d\\x09c" },
    { "\033[31mred\x7f", "\\x1b[31mred\\x7f" },
    { "\xc2\x85\xc2\x9b\xc2\xa0", "\\xc2\\x85\\xc2\\x9b\xc2\xa0" },
    { "\xe2\x80\xaetxt.exe", "\\xe2\\x80\\xaetxt.exe" },
    { "\xe2\x80\x8b\xe2\x81\xa6", "\\xe2\\x80\\x8b\\xe2\\x81\\xa6" },
    { "\xe2\x80\x93\xe2\x82\xac", "\xe2\x80\x93\xe2\x82\xac" },
    { "\xe2\x80", "\\xe2\\x80" }, /* cut in the middle */
    { "\x9b\xff"
      "a\xc0\xaf",
      "\\x9b\\xffa\\xc0\\xaf" },
    { "\xed\xa0\x80\xf5", "\\xed\\xa0\\x80\\xf5" },
    { "\xe2\x80\xa8\xef\xbb\xbf", "\\xe2\\x80\\xa8\\xef\\xbb\\xbf" },
    { "\xd8\x9c\xf3\xa0\x81\x81", "\\xd8\\x9c\\xf3\\xa0\\x81\\x81" },
};

/* Of the values in a JSON text nothing changes. */
static const struct {
    const char *json;
    const char *printed;
} jsons[] = {
    { "{\n  \"a\": \"\xc5\xbe\"\n}", "{\n  \"a\": \"\xc5\xbe\"\n}" },
    { "\"\x7f\xc2\x9b\"", "\"\\u007f\\u009b\"" },
    { "\"\xe2\x80\xae\xe2\x80\xa8\"", "\"\\u202e\\u2028\"" },
    { "\"\xf3\xa0\x81\x81\"", "\"\\udb40\\udc41\"" },
    { "\"\xff\"", "\"\\ufffd\"" },
};

START_TEST(prints)
{
    char *got = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);

    odks_print(out, "%s", texts[_i].text);
    (void) fclose(out);
    ck_assert_str_eq(got, texts[_i].printed);
    free(got);
}
END_TEST

START_TEST(prints_json)
{
    char *got = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);

    odks_print_json_text(out, jsons[_i].json);
    (void) fclose(out);
    ck_assert_uint_eq(len, strlen(jsons[_i].printed) + 1);
    ck_assert_int_eq(got[len - 1], '\n');
    ck_assert_mem_eq(got, jsons[_i].printed, len - 1);
    free(got);
}
END_TEST

START_TEST(newlines_of_the_format_are_printed)
{
    char *got = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);

    odks_print(out, "\n\n%s:%s\n", "a\nb", "c\n");
    odks_print(out, "\n");
    odks_print(out, "%s", "");
    odks_print_lines(out, "a\tb\n\rc\n");
    (void) fclose(out);
    ck_assert_str_eq(got, "\n\na\\x0ab:c\\x0a\n\na\tb\n\\x0dc\n");
    free(got);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_safe");
    TCase *tc = tcase_create("safe");

    tcase_add_loop_test(tc, prints, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_loop_test(tc, prints_json, 0, sizeof(jsons) / sizeof(jsons[0]));
    tcase_add_test(tc, newlines_of_the_format_are_printed);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
