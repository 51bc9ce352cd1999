/* tests/unit/db_fill.c - SPDX-License-Identifier: Apache-2.0 */
/* Holes in SQL text, and what only looks like one. */
#include <config.h>

#include "db/fill.h"

#include "unit.h"

static const struct {
    const char *text, *schema, *want; /* NULL: an unknown hole */
} texts[] = {
    { "SELECT 1", "s", "SELECT 1" },
    { "", "s", NULL },
    { "{schema}.t, {schema}.u", "s", "\"s\".t, \"s\".u" },
    { "{schema_name}", "s", "'s'" },
    { "{schema}.t {schema_name}", "it's \"x\"",
      "\"it's \"\"x\"\"\".t 'it''s \"x\"'" },
    { "{schema}", "{schema}", "\"{schema}\"" },
    { "'{schema}' \"{schema}\" {schema}", "s",
      "'{schema}' \"{schema}\" \"s\"" },
    { "'it''s {schema}' {schema}", "s", "'it''s {schema}' \"s\"" },
    { "-- isn't {schema}\n{schema}", "s", "-- isn't {schema}\n\"s\"" },
    { "/* isn't {schema} */ {schema}", "s", "/* isn't {schema} */ \"s\"" },
    { "1 - 2 / {schema}.f()", "s", "1 - 2 / \"s\".f()" },
    { "$$ SELECT {schema}.f() $$", "s", "$$ SELECT \"s\".f() $$" },
    { "'open {schema}", "s", "'open {schema}" },
    { "/* open {schema}", "s", "/* open {schema}" },
    { "{schemas}", "s", NULL },
    { "{table}", "s", NULL },
    { "{schema", "s", NULL },
};

START_TEST(filled)
{
    CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(1000);
    struct odks_err err = ODKS_ERR_INIT;
    bool ok = odks_fill(texts[_i].text, texts[_i].schema, &out, &err);

    if (texts[_i].text[0] == '\0') {
        ck_assert(ok);
    } else if (texts[_i].want != NULL) {
        ck_assert_msg(ok, "%s", err.message);
        ck_assert_str_eq(out.data, texts[_i].want);
    } else {
        ck_assert(!ok);
        ck_assert_int_eq(err.code, ODKS_EXIT_SOFTWARE);
    }
}
END_TEST

START_TEST(no_room)
{
    CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(3);
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(!odks_fill("{schema}", "long", &out, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_OS);
    odks_err_clear(&err);
    ck_assert(!odks_fill("SELECT", "s", &out, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_OS);
}
END_TEST

START_TEST(needed)
{
    ck_assert(odks_fill_needed("a {schema}.t"));
    ck_assert(odks_fill_needed("{schema_name}"));
    ck_assert(!odks_fill_needed("'{\"full\": true}'"));
}
END_TEST

/* Two of them could end a function's body. */
START_TEST(dollars)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(odks_fill_fits("public", &err));
    ck_assert(odks_fill_fits("a$b", &err));
    ck_assert(!odks_fill_fits("a$b$", &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("db_fill");
    TCase *tc = tcase_create("fill");

    tcase_add_loop_test(tc, filled, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, needed);
    tcase_add_test(tc, dollars);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
