/* tests/unit/table_attachment.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/attachment.h"

#include "core/mem.h"
#include "table_help.h"
#include "unit.h"

#define NOON INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */
#define MINUTE INT64_C(60000000)
#define DAY (24 * 60 * MINUTE)
#define WEEK_S (7 * INT64_C(86400))

static struct odks_db *db;
static struct odks_field *fields;
static struct odks_model *model;

static void
setup(void)
{
    db = open_db();
    fields = form("a:text r[x:int]");
    model = prepare(db, &model_conf, fields, NULL);
}

static void
teardown(void)
{
    odks_model_free(model);
    free_form(fields);
    close_db(db);
}

/* A submission of 11:00. */
static void
here(const char *id, int present, int expected)
{
    CLEANUP_FREE char *sql = odks_xasprintf(
        "INSERT INTO odk.f (_id, _submitted_at, _attachments_present,"
        " _attachments_expected) VALUES ('%s', '2026-11-23 11:00Z', %d, %d)",
        id, present, expected);

    run(db, sql);
}

static void
refresh(int64_t now, int64_t age_s)
{
    struct odks_err err = ODKS_ERR_INIT;

    begin(db);
    ck_assert_msg(odks_attachment_refresh(db, model, "sync", now, age_s, &err),
                  "%s", err.message);
    commit(db);
}

/* How many are due, and that they are those of 11:00. */
static int
due(int64_t now, int64_t max)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_FREE int64_t *dates = NULL;
    size_t count = 99;

    begin(db);
    ck_assert(odks_attachment_due(db, "sync", now, max, &dates, &count, &err));
    commit(db);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(dates[i], NOON - 60 * MINUTE);
    return (int) count;
}

static void
checked(int64_t now, int64_t max)
{
    struct odks_err err = ODKS_ERR_INIT;

    begin(db);
    ck_assert_msg(odks_attachment_checked(db, "sync", now, max, WEEK_S, &err),
                  "%s", err.message);
    commit(db);
}

#define LIST                                                \
    "SELECT submission_id, present, expected, checks,"      \
    " to_char(next_check AT TIME ZONE 'UTC', 'DD HH24:MI')" \
    " FROM tracking.odk_sync_attachment WHERE sync_type = 'sync' ORDER BY 1"

START_TEST(which_wait)
{
    here("whole", 2, 2);
    here("none", 0, 0);
    here("more than asked for", 3, 2);
    here("late", 1, 3);
    here("dead", 0, 1);
    run(db, "INSERT INTO odk.f (_id, _submitted_at) VALUES ('unknown', now());"
            "UPDATE odk.f SET _deleted_at = now() WHERE _id = 'dead'");
    refresh(NOON, WEEK_S);
    ck_ask(db, LIST, "late|1|3|0|23 12:15");
}
END_TEST

START_TEST(off_the_list)
{
    here("came", 0, 1);
    here("deleted", 0, 1);
    here("purged", 0, 1);
    here("late", 0, 1);
    refresh(NOON, WEEK_S);
    run(db, "INSERT INTO tracking.odk_sync_attachment SELECT 'other',"
            " submission_id, submitted_at, since, present, expected"
            " FROM tracking.odk_sync_attachment");
    run(db, "UPDATE odk.f SET _attachments_present = 1 WHERE _id = 'came';"
            "UPDATE odk.f SET _deleted_at = now() WHERE _id = 'deleted';"
            "DELETE FROM odk.f WHERE _id = 'purged'");
    refresh(NOON, WEEK_S);
    ck_ask(db, LIST, "late|0|1|0|23 12:15");
    ck_ask(db,
           "SELECT count(*) FROM tracking.odk_sync_attachment"
           " WHERE sync_type = 'other'",
           "4");
}
END_TEST

START_TEST(when_to_look)
{
    here("b", 0, 1);
    here("a", 0, 1);
    refresh(NOON, WEEK_S);
    ck_assert_int_eq(due(NOON, 9), 0);
    ck_assert_int_eq(due(NOON + 15 * MINUTE, 9), 2);
    ck_assert_int_eq(due(NOON + 15 * MINUTE, 1), 1);
    checked(NOON + 15 * MINUTE, 1);
    ck_ask(db, LIST, "a|0|1|1|23 12:45;b|0|1|0|23 12:15");
    /* nothing new: the list keeps what it knows */
    refresh(NOON + 16 * MINUTE, WEEK_S);
    ck_ask(db, LIST, "a|0|1|1|23 12:45;b|0|1|0|23 12:15");
    ck_assert_int_eq(due(NOON + 15 * MINUTE, 9), 1);
    for (int i = 0; i < 12; i++)
        checked(NOON + i * DAY / 2, 9);
    /* a day at most */
    ck_ask(db,
           "SELECT count(*) FROM tracking.odk_sync_attachment WHERE next_check"
           " BETWEEN '2026-11-29 00:00:01Z' AND '2026-11-30 00:00Z'",
           "2");
}
END_TEST

START_TEST(given_up)
{
    here("late", 0, 1);
    refresh(NOON, 3600); /* it is an hour old just now */
    ck_ask(db, LIST, "late|0|1|0|-");
    ck_assert_int_eq(due(NOON + DAY, 9), 0);
    refresh(NOON, 3601); /* a last look, in a second */
    ck_ask(db, LIST, "late|0|1|0|23 12:00");
    refresh(NOON, WEEK_S); /* patience grew: what is planned stays */
    ck_ask(db, LIST, "late|0|1|0|23 12:00");
    checked(NOON + 7 * DAY, 9);
    ck_ask(db, LIST, "late|0|1|1|-");
    refresh(NOON + 7 * DAY, WEEK_S);
    ck_ask(db, LIST, "late|0|1|1|-");
    /* one of two came: somebody has the device in hand */
    run(db, "UPDATE odk.f SET _attachments_expected = 2");
    refresh(NOON + 7 * DAY, WEEK_S + 7200);
    ck_ask(db, LIST, "late|0|2|0|30 12:15");
}
END_TEST

START_TEST(edited)
{
    here("late", 0, 1);
    refresh(NOON + 8 * DAY, WEEK_S);
    ck_ask(db, LIST, "late|0|1|0|-");
    run(db, "UPDATE odk.f SET _updated_at = '2026-12-01 12:00Z'");
    refresh(NOON + 8 * DAY, WEEK_S);
    ck_ask(db, LIST, "late|0|1|0|01 12:15");
}
END_TEST

START_TEST(other_tables)
{
    here("late", 0, 1);
    refresh(NOON, WEEK_S);
    model->table[0]->wanted = false;
    refresh(NOON, WEEK_S);
    ck_ask(db, LIST, "");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_attachment");
    TCase *tc = tcase_create("attachment");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, which_wait);
    tcase_add_test(tc, off_the_list);
    tcase_add_test(tc, when_to_look);
    tcase_add_test(tc, given_up);
    tcase_add_test(tc, edited);
    tcase_add_test(tc, other_tables);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
