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
    { "\xe2\x80", "\xe2\x80" }, /* cut in the middle */
};

START_TEST(prints)
{
    char *got = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);

    odks_print_safe(texts[_i].text, out);
    (void) fclose(out);
    ck_assert_str_eq(got, texts[_i].printed);
    free(got);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_safe");
    TCase *tc = tcase_create("safe");

    tcase_add_loop_test(tc, prints, 0, sizeof(texts) / sizeof(texts[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
