/* tests/unit/table_merge.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/batch.h"

#include <string.h>

#include "table_batch_help.h"

/* Which rows a merge wrote shows in xmin. */
#define XMINS "SELECT string_agg(xmin::text, ' ' ORDER BY _id) FROM odk."

START_TEST(unchanged_rows_are_not_written)
{
    with("a:text gp:geopoint m:select_multiple r[x:int]", &model_conf,
         ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++) {
        CLEANUP_FREE char *before = ask(db, XMINS "f");
        CLEANUP_FREE char *below = ask(db, XMINS "f__r");
        struct odks_merge c = take(
            db, batch,
            submission("u1",
                       "\"a\":\"x\",\"gp\":{\"type\":\"Point\",\"coordinates\""
                       ":[1.5,2.5]},\"m\":\"a b\",\"r\":[" R("1", "r1") "]",
                       ""),
            submission("u2", "\"a\":\"y\"", ""), NULL);
        if (i == 0) {
            ck_counts(&c, 2, 0, 0, 0, 1);
            continue;
        }
        ck_counts(&c, 0, 0, 0, 2, 0);
        ck_ask(db, XMINS "f", before);
        ck_ask(db, XMINS "f__r", below);
    }
    /* one changes: the other one stays */
    CLEANUP_FREE char *other =
        ask(db, "SELECT xmin FROM odk.f WHERE _id = 'u2'");
    struct odks_merge c =
        take(db, batch, submission("u1", "\"a\":\"z\"", "\"edits\":1"),
             submission("u2", "\"a\":\"y\"", ""), NULL);
    ck_counts(&c, 0, 1, 0, 1, 0);
    ck_ask(db, "SELECT xmin FROM odk.f WHERE _id = 'u2'", other);
    ck_ask(db, "SELECT a, gp, m FROM odk.f WHERE _id = 'u1'", "z|-|-");
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "0");
}
END_TEST

/* What differs in a repeat alone makes the submission change, in each way. */
static const struct {
    const char *what;
    const char *repeat;
    const char *rows;
} repeats[] = {
    { "a value", "[" R("1", "r1") "," R("9", "r2") "]", "r1 1 1;r2 2 9" },
    { "one more", "[" R("1", "r1") "," R("2", "r2") "," R("3", "r3") "]",
      "r1 1 1;r2 2 2;r3 3 3" },
    { "one less", "[" R("1", "r1") "]", "r1 1 1" },
    /* ids go by position: with the first gone, all others get new ones */
    { "the first gone", "[" R("2", "r1") "]", "r1 1 2" },
    { "another order", "[" R("2", "r1") "," R("1", "r2") "]", "r1 1 2;r2 2 1" },
    { "none", "null", "" },
};

START_TEST(repeats_are_replaced)
{
    struct odks_model_conf conf = model_conf;

    conf.raw = false; /* or it is _raw that differs */
    with("r[x:int]", &conf, ODKS_DELETE_SOFT);
    take(db, batch,
         submission("u1", "\"r\":[" R("1", "r1") "," R("2", "r2") "]", ""),
         submission("u2", "\"r\":[" R("5", "o1") "]", ""), NULL);
    CLEANUP_FREE char *answers = odks_xasprintf("\"r\":%s", repeats[_i].repeat);
    struct odks_merge c =
        take(db, batch, submission("u1", answers, ""),
             submission("u2", "\"r\":[" R("5", "o1") "]", ""), NULL);
    ck_assert_msg(c.updated == 1 && c.unchanged == 1, "%s", repeats[_i].what);
    ck_ask(db,
           "SELECT _id || ' ' || _position || ' ' || x FROM odk.f__r"
           " WHERE _submission_id = 'u1' ORDER BY _position",
           repeats[_i].rows);
    ck_ask(db, "SELECT x FROM odk.f__r WHERE _submission_id = 'u2'", "5");
}
END_TEST

START_TEST(nested_repeats_are_replaced)
{
    with("p[n:text v[d:int]]", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch,
         submission("u1",
                    "\"p\":[{\"n\":\"A\",\"__id\":\"p0\",\"v\":[{\"d\":1,"
                    "\"__id\":\"v00\"}]},{\"n\":\"B\",\"__id\":\"p1\",\"v\":"
                    "[{\"d\":2,\"__id\":\"v10\"}]}]",
                    ""),
         NULL);
    /* the first person is gone: the second has her id now */
    struct odks_merge c =
        take(db, batch,
             submission("u1",
                        "\"p\":[{\"n\":\"B\",\"__id\":\"p0\",\"v\":[{\"d\":2,"
                        "\"__id\":\"v00\"}]}]",
                        "\"edits\":1"),
             NULL);
    ck_counts(&c, 0, 1, 0, 0, 2);
    ck_ask(db,
           "SELECT p._id, n, v._id, d FROM odk.f__p p JOIN odk.f__p__v v"
           " ON v._parent_id = p._id",
           "p0|B|v00|2");
}
END_TEST

START_TEST(soft)
{
    with("a:text r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u1", ANSWERS, ""), NULL);
    struct odks_merge c =
        take(db, batch, submission("u1", ANSWERS, DELETED), NULL);
    ck_counts(&c, 0, 0, 1, 0, 1);
    ck_ask(db, "SELECT _deleted_at, a FROM odk.f", "2026-11-23 17:00:00+00|x");
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "1");
    ck_ask(db, "SELECT count(*) FROM odk.v_f__r", "0");
    /* one that was deleted before we ever saw it is new, not deleted */
    c = take(db, batch, submission("u1", ANSWERS, DELETED),
             submission("u2", "\"a\":\"y\"", DELETED), NULL);
    ck_counts(&c, 1, 0, 0, 1, 0);
    c = take(db, batch, submission("u1", ANSWERS, DELETED), NULL);
    ck_counts(&c, 0, 0, 0, 1, 0);
    c = take(db, batch, submission("u1", ANSWERS, ""), NULL);
    ck_counts(&c, 0, 1, 0, 0, 1);
    ck_ask(db, "SELECT _deleted_at FROM odk.f WHERE _id = 'u1'", "-");
}
END_TEST

START_TEST(hard)
{
    with("a:int r[x:int]", &model_conf, ODKS_DELETE_HARD);
    take(db, batch,
         submission("u1", "\"a\":\"bad\",\"r\":[" R("1", "r1") "]", ""),
         submission("u2", "\"r\":[" R("2", "r2") "]", ""), NULL);
    ck_ask(db, "SELECT count(*) FROM tracking.odk_sync_reject", "1");
    struct odks_merge c = take(
        db, batch,
        submission("u1", "\"a\":\"bad\",\"r\":[" R("1", "r1") "]", DELETED),
        submission("never here", "\"a\":1", DELETED), NULL);
    ck_counts(&c, 0, 0, 1, 0, 0);
    ck_ask(db, "SELECT _id FROM odk.f", "u2");
    ck_ask(db, "SELECT _id FROM odk.f__r", "r2");
    ck_ask(db, "SELECT count(*) FROM tracking.odk_sync_reject", "0");
}
END_TEST

START_TEST(hard_reaches_repeats_of_the_past)
{
    with("a:text old[x:int]", &model_conf, ODKS_DELETE_HARD);
    take(db, batch, submission("u1", "\"old\":[" R("1", "r1") "]", ""), NULL);
    with("a:text", &model_conf, ODKS_DELETE_HARD);
    ck_assert_uint_eq(model->retired_count, 1);
    take(db, batch, submission("u1", "", DELETED), NULL);
    ck_ask(db, "SELECT count(*) FROM odk.f__old", "0");
}
END_TEST

START_TEST(keep)
{
    with("a:text r[x:int]", &model_conf, ODKS_DELETE_KEEP);
    take(db, batch, submission("u1", ANSWERS, ""), NULL);
    struct odks_merge c =
        take(db, batch, submission("u1", ANSWERS, DELETED), NULL);
    ck_assert_int_eq(c.deleted, 0);
    ck_ask(db, "SELECT _deleted_at, a FROM odk.f", "-|x");
    ck_ask(db, "SELECT count(*) FROM odk.v_f__r", "1");
}
END_TEST

START_TEST(same_submission_twice)
{
    with("a:text r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c =
        take(db, batch,
             submission("u1", "\"a\":\"first\",\"r\":[" R("1", "r1") "]", ""),
             submission("u2", "\"a\":\"other\",\"r\":[" R("7", "o1") "]", ""),
             submission("u1", "\"a\":\"last\",\"r\":[" R("2", "r1") "]",
                        EDIT("2", "8")),
             submission("u1", "\"a\":\"late\",\"r\":[" R("3", "r1") "]",
                        EDIT("1", "7")),
             NULL);
    ck_assert_int_eq(c.received, 4);
    ck_counts(&c, 2, 0, 0, 0, 2);
    ck_ask(db,
           "SELECT a, x FROM odk.f JOIN odk.f__r ON _submission_id ="
           " f._id ORDER BY a",
           "last|2;other|7");
    /* of two that claim to be the same, what came last */
    c = take(db, batch, submission("u1", "\"a\":\"p\"", EDIT("2", "8")),
             submission("u1", "\"a\":\"q\"", EDIT("2", "8")), NULL);
    ck_counts(&c, 0, 1, 0, 0, 0);
    ck_ask(db, "SELECT a FROM odk.f WHERE _id = 'u1'", "q");
}
END_TEST

START_TEST(only_a_repeat)
{
    static const char *const only[] = { "Submissions.r", NULL };
    struct odks_model_conf conf = model_conf;

    conf.tables = only;
    with("a:text r[x:int s[y:int]]", &conf, ODKS_DELETE_SOFT);
    struct odks_merge c = take(db, batch, submission("u1", ANSWERS, ""),
                               submission("u2", "\"a\":1", ""), NULL);
    ck_assert_int_eq(c.received, 2);
    ck_assert_int_eq(c.repeats, 1);
    c = take(db, batch, submission("u1", ANSWERS, ""), NULL);
    ck_counts(&c, 0, 0, 0, 1, 0);
    c = take(db, batch,
             submission("u1", "\"r\":[" R("1", "r1") "," R("2", "r2") "]", ""),
             submission("u3", "", ""), NULL);
    ck_counts(&c, 0, 1, 0, 1, 2);
    c = take(db, batch, submission("u1", ANSWERS, DELETED), NULL);
    ck_ask(db, "SELECT _id FROM odk.f__r", "r1");
    with("a:text r[x:int s[y:int]]", &conf, ODKS_DELETE_HARD);
    c = take(db, batch, submission("u1", ANSWERS, DELETED), NULL);
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "0");
}
END_TEST

START_TEST(only_a_nested_repeat)
{
    static const char *const only[] = { "Submissions.p.v", NULL };
    struct odks_model_conf conf = model_conf;

    conf.tables = only;
    with("p[n:text v[d:int]]", &conf, ODKS_DELETE_SOFT);
    take(db, batch,
         submission("u1",
                    "\"p\":[{\"n\":\"A\",\"__id\":\"p0\",\"v\":[{\"d\":1,"
                    "\"__id\":\"v00\"}]}]",
                    ""),
         NULL);
    ck_ask(db, "SELECT _id, _parent_id, _submission_id, d FROM odk.f__p__v",
           "v00|p0|u1|1");
}
END_TEST

START_TEST(only_the_submissions)
{
    static const char *const only[] = { "Submissions", NULL };
    struct odks_model_conf conf = model_conf;

    conf.tables = only;
    with("a:text r[x:int]", &conf, ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++)
        take(db, batch, submission("u1", ANSWERS, ""), NULL);
    ck_ask(db, "SELECT a FROM odk.f", "x");
}
END_TEST

START_TEST(raw_is_emptied_when_it_is_not_wanted)
{
    struct odks_model_conf conf = model_conf;

    with("a:text", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u1", "\"a\":\"x\"", ""), NULL);
    conf.raw = false;
    with("a:text", &conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u1", "\"a\":\"x\"", ""), NULL);
    ck_ask(db, "SELECT a, _raw FROM odk.f", "x|-");
}
END_TEST

START_TEST(columns_out_of_use_stay)
{
    with("a:text b:text", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u1", "\"a\":\"x\",\"b\":\"kept\"", ""), NULL);
    with("a:text", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u1", "\"a\":\"y\"", ""), NULL);
    ck_ask(db, "SELECT a, b FROM odk.f", "y|kept");
}
END_TEST

START_TEST(two_merges_in_one_transaction)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_merge c = ODKS_MERGE_INIT;

    with("a:text", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u", "\"a\":\"0\"", ""), NULL);
    begin(db);
    for (int i = 1; i <= 2; i++) {
        CLEANUP_FREE char *answer = odks_xasprintf("\"a\":\"%d\"", i);
        CLEANUP_FREE char *row = submission("u", answer, "");
        ck_assert(odks_batch_add(batch, row, strlen(row), &err));
        ck_assert_msg(odks_batch_merge(batch, db, &c, &err), "%s", err.message);
    }
    commit(db);
    ck_assert_int_eq(c.updated, 2);
    ck_ask(db, "SELECT a FROM odk.f", "2");
}
END_TEST

/* Half new, half known, some changed: many at once. */
START_TEST(big_batch)
{
    enum { ROWS = 4000 };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_merge c = ODKS_MERGE_INIT;

    with("n:int r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    for (int round = 0; round < 2; round++) {
        c = (struct odks_merge) ODKS_MERGE_INIT;
        for (int i = 0; i < ROWS; i++) {
            int id = i + round * ROWS / 2;
            CLEANUP_FREE char *name = odks_xasprintf("u%05d", id);
            CLEANUP_FREE char *answers =
                odks_xasprintf("\"n\":%d,\"r\":[{\"x\":%d,\"__id\":\"r%d\"}]",
                               id % 100 == 0 ? round : 7, id, id);
            CLEANUP_FREE char *row = submission(name, answers, "");
            ck_assert(odks_batch_add(batch, row, strlen(row), &err));
        }
        begin(db);
        ck_assert(odks_batch_merge(batch, db, &c, &err));
        commit(db);
    }
    ck_counts(&c, ROWS / 2, ROWS / 200, 0, ROWS / 2 - ROWS / 200,
              ROWS / 2 + ROWS / 200);
    ck_ask(db, "SELECT count(*), sum(x) FROM odk.f__r", "6000|17997000");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_merge");
    TCase *tc = tcase_create("merge");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, unchanged_rows_are_not_written);
    tcase_add_loop_test(tc, repeats_are_replaced, 0,
                        sizeof(repeats) / sizeof(repeats[0]));
    tcase_add_test(tc, nested_repeats_are_replaced);
    tcase_add_test(tc, soft);
    tcase_add_test(tc, hard);
    tcase_add_test(tc, hard_reaches_repeats_of_the_past);
    tcase_add_test(tc, keep);
    tcase_add_test(tc, same_submission_twice);
    tcase_add_test(tc, only_a_repeat);
    tcase_add_test(tc, only_a_nested_repeat);
    tcase_add_test(tc, only_the_submissions);
    tcase_add_test(tc, raw_is_emptied_when_it_is_not_wanted);
    tcase_add_test(tc, columns_out_of_use_stay);
    tcase_add_test(tc, two_merges_in_one_transaction);
    tcase_add_test(tc, big_batch);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
