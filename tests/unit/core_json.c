/* tests/unit/core_json.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/json.h"

#include <string.h>

#include "unit.h"

/* What is right, and what json-c prints of it again. */
static const struct {
    const char *text;
    const char *printed; /* NULL: the same */
} right[] = {
    { "null", NULL },
    { " true\r\n", "true" },
    { "\tfalse", "false" },
    { "0", NULL },
    { "-0", "0" },
    { "12", NULL },
    { "-9223372036854775808", NULL },
    { "18446744073709551615", NULL },
    { "100000000000000000000", "18446744073709551615" },
    { "-100000000000000000000", "-9223372036854775808" },
    { "1.50", NULL },
    { "-0.5E+10", NULL },
    { "1e5", NULL },
    { "100000000000000000000.0", NULL },
    { "\"\"", NULL },
    { "\"caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80 \xc2\x85 \x7f\"", NULL },
    { "\"\xd0\x90\"", NULL },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83d\\ude00\"",
      "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xf0\x9f\x98\x80\"" },
    { "\"a\\u0000b\"", NULL },
    { "[]", NULL },
    { " [ 1 , \"a\" , null ] ", "[1,\"a\",null]" },
    { "{}", NULL },
    { "{ \"\xc3\xa9\" : { \"a b\" : [ { } ] } , \"\" : 1 }",
      "{\"\xc3\xa9\":{\"a b\":[{}]},\"\":1}" },
};

START_TEST(what_is_right_is_read)
{
    const char *text = right[_i].text;
    const char *want = right[_i].printed != NULL ? right[_i].printed : text;
    struct odks_json_fault fault;
    CLEANUP_JSON struct json_object *json = NULL;

    ck_assert_msg(odks_json_parse(text, strlen(text), &json, &fault),
                  "%s: %s at %zu", text, fault.what, fault.at);
    ck_assert_ptr_null(fault.what);
    ck_assert_str_eq(
        json_object_to_json_string_ext(
            json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
        want);
}
END_TEST

static const struct {
    const char *text;
    const char *what;
    size_t at;
} wrong[] = {
    { "x", "unexpected character", 0 },
    { "{} {}", "text after the value", 3 },
    { "1 2", "text after the value", 2 },
    { "[1]]", "text after the value", 3 },
    { "\xef\xbb\xbf{}", "unexpected character", 0 }, /* byte order mark */
    { "[1,]", "unexpected character", 3 },
    { "[,1]", "unexpected character", 1 },
    { "[1 2]", "unexpected character", 3 },
    { "[1}", "unexpected character", 2 },
    { "{\"a\":1,}", "unexpected character", 7 },
    { "{\"a\" 1}", "unexpected character", 5 },
    { "{a:1}", "unexpected character", 1 },
    { "{'a':1}", "unexpected character", 1 },
    { "['a']", "unexpected character", 1 },
    { "[NaN]", "unexpected character", 1 },
    { "[nan]", "unexpected character", 2 },
    { "[Infinity]", "unexpected character", 1 },
    { "[-Infinity]", "invalid number", 2 },
    { "[True]", "unexpected character", 1 },
    { "[nulL]", "unexpected character", 4 },
    { "[1]/* x */", "text after the value", 3 },
    { "[/* x */1]", "unexpected character", 1 },
    { "[+1]", "unexpected character", 1 },
    { "[01]", "invalid number", 3 },
    { "[01.5]", "invalid number", 3 },
    { "[.5]", "unexpected character", 1 },
    { "[1.]", "invalid number", 3 },
    { "[1e]", "invalid number", 3 },
    { "[1e+]", "invalid number", 4 },
    { "[1.e5]", "invalid number", 3 },
    { "[--1]", "invalid number", 2 },
    { "[1.5.5]", "unexpected character", 4 },
    { "\"a\nb\"", "control character in a string", 2 },
    { "\"a\tb\"", "control character in a string", 2 },
    { "{\"a\x01\":1}", "control character in a string", 3 },
    { "[1\f]", "unexpected character", 2 },
    { "\"\\x\"", "invalid escape sequence", 2 },
    { "\"\\'\"", "invalid escape sequence", 2 },
    { "\"\\u12g4\"", "invalid escape sequence", 5 },
    { "\"\xff\"", "invalid UTF-8", 1 },
    { "\"\x80\"", "invalid UTF-8", 1 },
    { "\"\xc3\"", "invalid UTF-8", 2 },
    { "\"\xc3(\"", "invalid UTF-8", 2 },
    { "\"\xc0\x80\"", "invalid UTF-8", 1 },
    { "\"\xed\xa0\x80\"", "invalid UTF-8", 2 },     /* a surrogate */
    { "\"\xf4\x90\x80\x80\"", "invalid UTF-8", 2 }, /* over U+10FFFF */
    { "{\"\xe9\":1}", "invalid UTF-8", 3 },
    { "\xc3\xa9", "unexpected character", 0 },
};

START_TEST(what_is_wrong_is_refused)
{
    const char *text = wrong[_i].text;
    struct odks_json_fault fault;
    struct json_object *json;

    ck_assert_msg(!odks_json_parse(text, strlen(text), &json, &fault),
                  "%s was read", text);
    ck_assert_ptr_null(json);
    ck_assert_str_eq(fault.what, wrong[_i].what);
    ck_assert_uint_eq(fault.at, wrong[_i].at);
    ck_assert(!fault.cut);
    ck_assert_ptr_null(odks_json_read(text));
}
END_TEST

START_TEST(what_lacks_its_end_was_cut)
{
    static const char text[] =
        "{\"a\": [1.5e+3, true, \"\xf0\x9f\x98\x80\\u00e9\\n\", null, {}]}";
    struct odks_json_fault fault;
    struct json_object *json;

    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        ck_assert(!odks_json_parse(text, len, &json, &fault));
        ck_assert_msg(fault.cut, "after %zu bytes: %s", len, fault.what);
        ck_assert_str_eq(fault.what, "unexpected end");
        ck_assert_uint_eq(fault.at, len);
    }
    json_object_put(odks_json_read(text));
    ck_assert(!odks_json_parse(NULL, 0, &json, &fault)); /* an empty buffer */
    ck_assert(fault.cut);
}
END_TEST

START_TEST(bytes_after_the_length_do_not_count)
{
    struct json_object *json;

    ck_assert(odks_json_parse("123", 2, &json, NULL));
    ck_assert_int_eq(json_object_get_int64(json), 12);
    json_object_put(json);
    ck_assert(!odks_json_parse("{}\0", 3, &json, NULL)); /* a NUL is one */
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    char text[2 * ODKS_JSON_DEPTH + 3] = { 0 };
    struct odks_json_fault fault;
    struct json_object *json;

    memset(text, '[', ODKS_JSON_DEPTH);
    memset(text + ODKS_JSON_DEPTH, ']', ODKS_JSON_DEPTH);
    json = odks_json_read(text);
    ck_assert_ptr_nonnull(json);
    json_object_put(json);
    memset(text, '[', ODKS_JSON_DEPTH + 1);
    memset(text + ODKS_JSON_DEPTH + 1, ']', ODKS_JSON_DEPTH + 1);
    ck_assert(!odks_json_parse(text, strlen(text), &json, &fault));
    ck_assert_str_eq(fault.what, "nested too deeply");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_json");
    TCase *tc = tcase_create("parse");

    tcase_add_loop_test(tc, what_is_right_is_read, 0,
                        sizeof(right) / sizeof(right[0]));
    tcase_add_loop_test(tc, what_is_wrong_is_refused, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tc, what_lacks_its_end_was_cut);
    tcase_add_test(tc, bytes_after_the_length_do_not_count);
    tcase_add_test(tc, nesting_has_a_limit);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
