/* tests/unit/core_suggest.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/suggest.h"

#include "unit.h"

static const char *const known[] = { "run",    "enqueue", "queue", "history",
                                     "status", "resume",  "retry" };

static const struct {
    const char *word;
    const char *meant; /* NULL: none */
} words[] = {
    { "rnu", "run" },
    { "RUN", "run" },
    { "queu", "queue" },
    { "statsu", "status" },
    { "hstory", "history" },
    { "retyr", "retry" },
    { "resum", "resume" },
    { "xyzzy", NULL },
    { "", NULL },
    { "configuration", NULL },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      NULL },
};

START_TEST(suggests)
{
    const char *got =
        odks_suggest(words[_i].word, known, sizeof(known) / sizeof(known[0]));

    if (words[_i].meant == NULL)
        ck_assert_ptr_null(got);
    else
        ck_assert_pstr_eq(got, words[_i].meant);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_suggest");
    TCase *tc = tcase_create("suggest");

    tcase_add_loop_test(tc, suggests, 0, sizeof(words) / sizeof(words[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
