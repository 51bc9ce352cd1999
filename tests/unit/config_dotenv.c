/* tests/unit/config_dotenv.c - SPDX-License-Identifier: Apache-2.0 */
/* The .env file of the old service, as python-dotenv reads it. */
#include <config.h>

#include "config_fixture.h"

#include "config/internal.h"
#include "core/mem.h"

static const struct {
    const char *text;
    const char *want; /* NAME=value, with | between */
    int wrong;        /* line of the first that is not understood */
} files[] = {
    { "", "", 0 },
    { "A=1\nB=2", "A=1|B=2", 0 },
    { "\xef\xbb\xbf"
      "A=1\r\nB=2\rC=3\r\n",
      "A=1|B=2|C=3", 0 },
    { "  export A = x y  \n\texport\tB=2", "A=x y|B=2", 0 },
    { "exported=1\nexport=2", "exported=1|export=2", 0 },
    { "# A=1\n  # B=2\nC=3", "C=3", 0 },
    { "A=1 # one\nB=2# two\nC=# three\nD= #four\nE=\t5\t#",
      "A=1|B=2# two|C=# three|D=#four|E=5", 0 },
    { "A=\nB= \nC", "A=|B=|C", 0 },
    { "A='a # b' # c\nB=\"a # b\"\nC=a'b\"", "A=a # b|B=a # b|C=a'b\"", 0 },
    { "A='\\' \\\\ \\n'\nB=\"\\\" \\' \\\\ \\t\\a\\b\\f\\v \\x\"",
      "A=' \\ \\n|B=\" ' \\ \t\a\b\f\v \\x", 0 },
    { "A='1\n2'\nB=\"3\r\n4\\n5\"\nC=6", "A=1\n2|B=3\r\n4\n5|C=6", 0 },
    { "'A B'=1\nA.b-c=2", "A B=1|A.b-c=2", 0 },
    { "A=1\nA=2\nB=3\nB", "A=1|A=2|B=3|B", 0 },
    /* quotes that do not end where they should */
    { "A=\"1\\\"\nB=2", "A=1\\|B=2", 0 },
    { "A='1\nB=2\n", "B=2", 1 },
    { "A='1' 2\nB=2", "B=2", 1 },
    { "A=1\nnot a setting\nB=2\n=3", "A=1|B=2", 2 },
    { "''=1\n'A=1\nB=2", "B=2", 1 },
    /* variables: of the environment first, then of what stands above */
    { "A=1\nB=${A}2${A}\nC='${A}'", "A=1|B=121|C=1", 0 },
    { "B=${A}\nA=1", "B=|A=1", 0 },
    { "A=${NONE:-x}${NONE:-}${NONE}${SEEN:-y}", "A=xseen", 0 },
    { "SEEN=hidden\nA=${SEEN}", "SEEN=hidden|A=seen", 0 },
    { "A=$SEEN $ ${ ${SEEN ${SEEN:x} ${EMPTY:-x}.",
      "A=$SEEN $ ${ ${SEEN ${SEEN:x} .", 0 },
};

START_TEST(parse)
{
    CLEANUP_DOTENV struct odks_dotenv env = { 0 };
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(4096);

    ck_assert_int_eq(setenv("SEEN", "seen", 1), 0);
    ck_assert_int_eq(setenv("EMPTY", "", 1), 0);
    ck_assert_int_eq(odks_dotenv_parse(files[_i].text, &env), files[_i].wrong);
    ck_assert(odks_buf_add_str(&b, ""));
    for (size_t i = 0; i < env.count; i++) {
        const struct odks_dotenv_entry *e = &env.entries[i];

        ck_assert(odks_buf_printf(&b, "%s%s%s%s", i > 0 ? "|" : "", e->name,
                                  e->value != NULL ? "=" : "",
                                  e->value != NULL ? e->value : ""));
    }
    ck_assert_str_eq(b.data, files[_i].want);
}
END_TEST

START_TEST(get)
{
    CLEANUP_DOTENV struct odks_dotenv env = { 0 };
    int line = 0;

    ck_assert_int_eq(
        odks_dotenv_parse("A='1\n2'\n\n\rA=3\nB=4\nB\nC=\"\n\"\nD=5", &env), 0);
    ck_assert_str_eq(odks_dotenv_get(&env, "A", &line), "3");
    ck_assert_int_eq(line, 5);
    ck_assert_ptr_null(odks_dotenv_get(&env, "B", &line));
    ck_assert_ptr_null(odks_dotenv_get(&env, "E", NULL));
    ck_assert_str_eq(odks_dotenv_get(&env, "D", &line), "5");
    ck_assert_int_eq(line, 10);
}
END_TEST

START_TEST(too_long)
{
    CLEANUP_DOTENV struct odks_dotenv env = { 0 };
    CLEANUP_FREE char *text = odks_xcalloc(ODKS_CONFIG_VALUE_MAX + 10, 1);

    memset(text, 'x', ODKS_CONFIG_VALUE_MAX + 3);
    memcpy(text, "A=", 2);
    ck_assert_int_eq(odks_dotenv_parse(text, &env), 1);
    ck_assert_uint_eq(env.count, 0);
    text[ODKS_CONFIG_VALUE_MAX + 2] = '\0';
    ck_assert_int_eq(odks_dotenv_parse(text, &env), 0);
    ck_assert_uint_eq(env.count, 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_dotenv");
    TCase *tc = fixture_case(s, "dotenv");

    tcase_add_loop_test(tc, parse, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(tc, get);
    tcase_add_test(tc, too_long);
    return s;
}

ODKS_UNIT_MAIN(suite)
