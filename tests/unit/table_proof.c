/* tests/unit/table_proof.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/proof.h"

#include "core/time.h"
#include "table_help.h"
#include "unit.h"

static struct odks_db *db;
static struct odks_field *fields;
static struct odks_model *model;

static void
setup(void)
{
    db = open_db();
    fields = form("a:text r[x:int]");
    model = prepare(db, &model_conf, fields, NULL);
    run(db, "INSERT INTO odk.f (_id, _submitted_at, _deleted_at) VALUES"
            " ('a', '2026-11-23 01:00Z', NULL),"
            " ('b', '2026-11-23 02:00Z', now()),"
            " ('c', '2026-11-23 03:00Z', NULL)");
}

static void
teardown(void)
{
    odks_model_free(model);
    free_form(fields);
    close_db(db);
}

START_TEST(count)
{
    struct odks_err err = ODKS_ERR_INIT;
    int64_t live = -1, before;

    ck_assert(odks_time_parse("2026-11-23T03:00:00Z", &before, NULL));
    begin(db);
    ck_assert(odks_table_count(db, model, before, &live, &err));
    ck_assert_int_eq(live, 1);
    ck_assert(odks_table_count(db, model, before + 1, &live, &err));
    ck_assert_int_eq(live, 2);
    commit(db);
}
END_TEST

static void
ck_intact(const struct odks_model_conf *conf, bool expected,
          int64_t expected_live)
{
    struct odks_err err = ODKS_ERR_INIT;
    int64_t live = 0;
    bool intact = !expected;

    begin(db);
    ck_assert_msg(odks_table_intact(db, conf, &intact, &live, &err), "%s",
                  err.message);
    commit(db);
    ck_assert(intact == expected);
    ck_assert_int_eq(live, expected_live);
}

START_TEST(intact)
{
    struct odks_model_conf other = model_conf;

    ck_intact(&model_conf, true, 2);
    other.form_id = "never seen";
    ck_intact(&other, false, -1);
}
END_TEST

/* What of the tables a person may have taken away. */
static const char *const damage[] = {
    "DROP TABLE odk.f CASCADE",
    "DROP TABLE odk.f__r CASCADE",
    "ALTER TABLE odk.f RENAME TO g",
    "ALTER TABLE odk.f DROP COLUMN a CASCADE",
    "ALTER TABLE odk.f__r DROP COLUMN x CASCADE",
    "DROP SCHEMA odk CASCADE",
};

START_TEST(damaged)
{
    run(db, damage[_i]);
    ck_intact(&model_conf, false, -1);
}
END_TEST

/* What the form has no more need not be there. */
START_TEST(retired)
{
    struct odks_field *less = form("b:text");

    odks_model_free(model);
    model = prepare(db, &model_conf, less, NULL);
    run(db, "DROP TABLE odk.f__r CASCADE;"
            "ALTER TABLE odk.f DROP COLUMN a CASCADE");
    ck_intact(&model_conf, true, 2);
    odks_model_free(odks_steal(&model));
    free_form(less);
}
END_TEST

START_TEST(no_table_of_submissions)
{
    static const char *const tables[] = { "Submissions.r", NULL };
    struct odks_model_conf conf = model_conf;

    conf.form_id = "h";
    conf.table = "h";
    conf.tables = tables;
    odks_model_free(model);
    model = prepare(db, &conf, fields, NULL);
    ck_intact(&conf, true, -1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_proof");
    TCase *tc = tcase_create("proof");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, count);
    tcase_add_test(tc, intact);
    tcase_add_loop_test(tc, damaged, 0, sizeof(damage) / sizeof(damage[0]));
    tcase_add_test(tc, retired);
    tcase_add_test(tc, no_table_of_submissions);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
