/* tests/unit/table_names.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/names.h"

#include <string.h>

#include "core/mem.h"
#include "unit.h"

static const struct {
    const char *text;
    const char *name;
} snakes[] = {
    { "age", "age" },
    { "Street_Name", "street_name" },
    { "instanceID", "instance_id" },
    { "zip code", "zip_code" },
    { "GRA Rental Data Collection", "gra_rental_data_collection" },
    { "odd id-1.2 ž", "odd_id_1_2_ž" },
    { "a -- b", "a_b" },
    { "a_b_", "a_b_" },
    { "_1st", "q_1st" },
    { "2024_census", "q_2024_census" },
    { "__id", "q__id" },
    { "__", "q__" },
    { "", "q_" },
    { "!!!", "q_" },
    /* "SELECT user" answers with the role */
    { "user", "q_user" },
    { "Order", "q_order" },
    { "xmin", "q_xmin" },
    { "all", "q_all" },
    { "orders", "orders" },
    { "анкета", "анкета" },
};

START_TEST(snake)
{
    CLEANUP_FREE char *name = odks_name_snake(snakes[_i].text);

    ck_assert_str_eq(name, snakes[_i].name);
}
END_TEST

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

START_TEST(fit_keeps_what_fits)
{
    CLEANUP_FREE char *name = odks_name_fit(SIXTY "abc", "", 63, "/x");
    CLEANUP_FREE char *with = odks_name_fit(SIXTY, "_v2", 63, "/x");

    ck_assert_str_eq(name, SIXTY "abc");
    ck_assert_str_eq(with, SIXTY "_v2");
}
END_TEST

START_TEST(fit_marks_what_it_cuts)
{
    CLEANUP_FREE char *a = odks_name_fit(SIXTY "abcd", "", 63, "/a");
    CLEANUP_FREE char *b = odks_name_fit(SIXTY "abcd", "", 63, "/b");
    CLEANUP_FREE char *again = odks_name_fit(SIXTY "abcd", "", 63, "/a");

    ck_assert_uint_eq(strlen(a), 63);
    ck_assert_int_eq(strncmp(a, SIXTY, 54), 0);
    ck_assert_int_eq(a[54], '_');
    ck_assert_str_ne(a, b);
    ck_assert_str_eq(a, again);
}
END_TEST

START_TEST(fit_counts_bytes_and_keeps_characters)
{
    /* 35 letters of two bytes: byte 54 ends one, byte 53 is in the middle */
    static const char text[] = "žžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžž";
    CLEANUP_FREE char *even = odks_name_fit(text, "", 63, "/a");
    CLEANUP_FREE char *odd = odks_name_fit(text, "", 62, "/a");

    ck_assert_uint_eq(strlen(even), 63);
    ck_assert_uint_eq(strlen(odd), 61);
    ck_assert_int_eq(odd[52], '_');
}
END_TEST

/* Names for all paths of a table, one after the other. */
static const struct {
    const char *what;
    const char *taken; /* NULL: none */
    const char *path[4];
    const char *name[4];
} choices[] = {
    { "leaf alone", NULL, { "/g/age" }, { "age" } },
    { "group where the leaf is not unique",
      NULL,
      { "/a/name", "/b/name", "/name" },
      { "a_name", "b_name", "name" } },
    { "as many groups as needed",
      NULL,
      { "/x/a/name", "/y/a/name" },
      { "x_a_name", "y_a_name" } },
    { "letter case only", NULL, { "/Name", "/name" }, { "name", "name_2" } },
    { "a newcomer gets out of the way",
      "name",
      { "/b/name", "/name" },
      { "b_name", "name_2" } },
    { "a group that makes the name of a leaf",
      NULL,
      { "/a/b", "/c/b", "/a_b" },
      { "a_b", "c_b", "a_b_2" } },
};

START_TEST(choose)
{
    static const char *const suffix[] = { "", NULL };
    CLEANUP(odks_names_clear) struct odks_names taken = { 0 };
    struct odks_naming in = { .taken = &taken,
                              .prefix = "",
                              .root = "",
                              .path = choices[_i].path,
                              .suffix = suffix,
                              .max = ODKS_NAME_MAX };

    if (choices[_i].taken != NULL)
        odks_names_add(&taken, choices[_i].taken);
    while (in.count < 4 && in.path[in.count] != NULL)
        in.count++;
    for (size_t i = 0; i < in.count; i++) {
        CLEANUP_FREE char *name = odks_name_choose(&in, in.path[i]);

        ck_assert_msg(strcmp(name, choices[_i].name[i]) == 0, "%s: %s",
                      choices[_i].what, name);
        odks_names_add(&taken, name);
    }
}
END_TEST

START_TEST(choose_needs_all_suffixes_free)
{
    static const char *const suffix[] = { "_lat", "_lon", "", NULL };
    static const char *const path[] = { "/gps" };
    CLEANUP(odks_names_clear) struct odks_names taken = { 0 };
    const struct odks_naming in = { .taken = &taken,
                                    .prefix = "",
                                    .root = "",
                                    .path = path,
                                    .count = 1,
                                    .suffix = suffix,
                                    .max = 59 };

    odks_names_add(&taken, "gps_lon");
    CLEANUP_FREE char *name = odks_name_choose(&in, "/gps");
    ck_assert_str_eq(name, "gps_2");
}
END_TEST

START_TEST(next_version)
{
    static const char *const suffix[] = { "", NULL };
    CLEANUP(odks_names_clear) struct odks_names taken = { 0 };
    const struct odks_naming in = { .taken = &taken,
                                    .prefix = "",
                                    .root = "",
                                    .suffix = suffix,
                                    .max = ODKS_NAME_MAX };

    odks_names_add(&taken, "num");
    odks_names_add(&taken, "num_v2");
    CLEANUP_FREE char *name = odks_name_next_version(&in, "num", "/num");
    ck_assert_str_eq(name, "num_v3");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_names");
    TCase *tc = tcase_create("names");

    tcase_add_loop_test(tc, snake, 0, sizeof(snakes) / sizeof(snakes[0]));
    tcase_add_test(tc, fit_keeps_what_fits);
    tcase_add_test(tc, fit_marks_what_it_cuts);
    tcase_add_test(tc, fit_counts_bytes_and_keeps_characters);
    tcase_add_loop_test(tc, choose, 0, sizeof(choices) / sizeof(choices[0]));
    tcase_add_test(tc, choose_needs_all_suffixes_free);
    tcase_add_test(tc, next_version);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
