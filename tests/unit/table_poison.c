/* tests/unit/table_poison.c - SPDX-License-Identifier: Apache-2.0 */
/* What does not fit, whoever refuses it: the rest goes on. */
#include <config.h>

#include "table/batch.h"

#include <string.h>

#include "table_batch_help.h"

#define REJECTS                                                          \
    "SELECT table_name, submission_id, row_id, path, column_name, kept," \
    " reason, value FROM tracking.odk_sync_reject ORDER BY id"

/* The batch of with(), that takes no more than so many rejects. */
static void
limit(int64_t max_rejects)
{
    struct odks_batch_conf bc = batch_conf;

    odks_batch_free(batch);
    bc.model = model;
    bc.max_rejects = max_rejects;
    batch = odks_batch_new(&bc);
}

static const struct {
    const char *answers;
    const char *rejects;
} shapes[] = {
    { "\"r\":{}", "f__r|u|u|/r|-|f|not a list of rows|{}" },
    { "\"r\":\"text\"", "f__r|u|u|/r|-|f|not a list of rows|\"text\"" },
    { "\"r\":[{\"x\":1}]", "f__r|u|u|/r|-|f|a row without an __id|{\"x\":1}" },
    { "\"r\":[7,null]", "f__r|u|u|/r|-|f|a row without an __id|7;"
                        "f__r|u|u|/r|-|f|a row without an __id|null" },
    { "\"r\":[{\"__id\":7}]",
      "f__r|u|u|/r|-|f|a row without an __id|{\"__id\":7}" },
    { "\"g\":[1]", "f|u|u|/g|-|f|not a group|[1]" },
    { "\"g\":\"x\"", "f|u|u|/g|-|f|not a group|\"x\"" },
    { "\"a\":{\"b\":1}", "f|u|u|/a|a|f|not a text|{\"b\":1}" },
    { "\"a\":[\"b\"]", "f|u|u|/a|a|f|not a text|[\"b\"]" },
};

START_TEST(shapes_that_are_none)
{
    with("a:text g{b:int} r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++) { /* straight, and through the stage */
        char id[2] = { (char) ('u' + i), '\0' };
        struct odks_merge c = take(
            db, batch, submission(id, shapes[_i].answers, ""),
            submission("ok", "\"a\":\"x\",\"r\":[" R("5", "r5") "]", ""), NULL);
        ck_assert_int_ge(c.rejected, 1);
        if (i == 0)
            ck_ask(db, REJECTS, shapes[_i].rejects);
    }
    ck_ask(db, "SELECT _id, a, b FROM odk.f ORDER BY 1", "ok|x|-;u|-|-;v|-|-");
    ck_ask(db, "SELECT _id, x FROM odk.f__r", "r5|5");
}
END_TEST

START_TEST(of_two_equal_keys_the_last_one_wins)
{
    with("a:text", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u", "\"a\":\"1\",\"a\":\"2\"", ""), NULL);
    ck_ask(db, "SELECT a, _raw->>'a' FROM odk.f", "2|2");
}
END_TEST

START_TEST(doubtful_numbers_are_kept)
{
    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    struct odks_merge c =
        take(db, batch, submission("u", "\"n\":9007199254740992", ""),
             submission("v", "\"n\":9007199254740991", ""), NULL);
    ck_assert_int_eq(c.rejected, 0);
    ck_assert_int_eq(c.doubtful, 1);
    ck_ask(db, "SELECT n FROM odk.f ORDER BY 1",
           "9007199254740991;9007199254740992");
    ck_ask(db, REJECTS,
           "f|u|u|/n|n|t|2^53 or more: Central may have rounded it|"
           "9007199254740992");
    c = take(db, batch, submission("u", "\"n\":9007199254740992", ""),
             submission("w", "\"n\":-9223372036854775808e0", ""), NULL);
    ck_assert_int_eq(c.doubtful, 1);
    ck_assert_int_eq(c.unchanged, 1);
    ck_ask(db, "SELECT count(*) FROM tracking.odk_sync_reject WHERE kept", "2");
}
END_TEST

/* Rows of another version of this program, or of a column that is new. */
START_TEST(rejects_follow_rows_that_do_not_change)
{
    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u", "\"n\":\"x\"", ""), NULL);
    run(db, "UPDATE tracking.odk_sync_reject SET reason = 'old'");
    struct odks_merge c =
        take(db, batch, submission("u", "\"n\":\"x\"", ""), NULL);
    ck_assert_int_eq(c.unchanged, 1);
    ck_assert_int_eq(c.rejected, 1);
    ck_ask(db, REJECTS, "f|u|u|/n|n|f|not a number|\"x\"");
    CLEANUP_FREE char *before =
        ask(db, "SELECT xmin, id FROM tracking.odk_sync_reject");
    c = take(db, batch, submission("u", "\"n\":\"x\"", ""), NULL);
    ck_assert_int_eq(c.rejected, 0);
    ck_ask(db, "SELECT xmin, id FROM tracking.odk_sync_reject", before);
}
END_TEST

START_TEST(more_rejects_than_allowed)
{
    struct odks_merge c = ODKS_MERGE_INIT;
    struct odks_err err = ODKS_ERR_INIT;

    with("n:int d:date", &model_conf, ODKS_DELETE_SOFT);
    limit(2);
    take(db, batch, submission("a", "\"n\":\"x\"", ""),
         submission("b", "\"n\":9007199254740992,\"d\":\"x\"", ""), NULL);
    char *row = submission("c", "\"n\":\"secret\"", "");
    ck_assert(odks_batch_add(batch, row, strlen(row), &err));
    free(row);
    begin(db);
    ck_assert(!odks_batch_merge(batch, db, &c, &err));
    odks_db_rollback(db);
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_str_eq(err.message, "3 values do not fit their columns, more "
                                  "than max_rejects = 2");
    ck_assert_str_eq(err.hint,
                     "Most often: /n (not a number), /d (no such date). Mend "
                     "the form, or raise max_rejects in [job sync].");
    ck_ask(db, "SELECT count(*) FROM odk.f", "2");
    /* what is no worse than before is let through */
    take(db, batch, submission("d", "\"n\":1", ""), NULL);
    ck_ask(db, "SELECT count(*) FROM odk.f", "3");
}
END_TEST

START_TEST(index_that_takes_no_long_text)
{
    CLEANUP_FREE char *text = odks_xcalloc(40001, 1);
    uint32_t random = 1;

    /* an index compresses: what repeats would go in */
    for (size_t i = 0; i < 40000; i++) {
        random = random * 1103515245 + 12345;
        text[i] = (char) ('a' + (random >> 16) % 26);
    }
    CLEANUP_FREE char *answers = odks_xasprintf(
        "\"n\":1,\"b\":\"%s\",\"a\":\"q\\t\\\"z\",\"r\":[" R("3", "r3") "]",
        text);
    with("n:int b:text a:text r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    run(db, "CREATE INDEX ON odk.f (b)");
    for (int i = 0; i < 2; i++) { /* straight, and through the stage */
        struct odks_merge c = take(
            db, batch, submission("x", "\"n\":1", ""),
            submission("y", "\"n\":2,\"b\":\"short\"", ""),
            submission("u", answers, ""), submission("z", "\"n\":3", ""), NULL);
        ck_assert_int_eq(c.rejected, i == 0);
        ck_assert_int_eq(i == 0 ? c.inserted : c.unchanged, 4);
        ck_ask(db,
               "SELECT _id, n, b, a, (SELECT x FROM odk.f__r r WHERE"
               " r._submission_id = f._id), length(_raw->>'b')"
               " FROM odk.f ORDER BY 1",
               "u|1|-|q\t\"z|3|40000;x|1|-|-|-|-;y|2|short|-|-|5;"
               "z|3|-|-|-|-");
    }
    ck_ask(db,
           "SELECT path, column_name, reason, length(value) FROM"
           " tracking.odk_sync_reject",
           "/b|b|refused: index row requires 40016 bytes, maximum size is"
           " 8191|8192");
    /* when it fits, all is well again */
    take(db, batch, submission("u", "\"b\":\"x\"", EDIT("1", "7")), NULL);
    ck_ask(db, REJECTS, "");
}
END_TEST

/* An index takes no such key: the submission is on record, and not here. */
START_TEST(id_that_is_too_long)
{
    char id[1502];

    memset(id, 'k', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++) {
        struct odks_merge c = take(db, batch, submission(id, "\"n\":1", ""),
                                   submission("v", "\"n\":2", ""), NULL);
        ck_assert_int_eq(c.left_out, i == 0);
    }
    ck_ask(db, "SELECT _id, n FROM odk.f", "v|2");
    ck_ask(db,
           "SELECT length(submission_id) < 300, path, reason, length(value),"
           " refused, submitted_at IS NOT NULL FROM tracking.odk_sync_reject",
           "t|__id|longer than 1,000 bytes|1503|f|t");
    take(db, batch, submission(id, "\"n\":1", DELETED), NULL);
    ck_ask(db, REJECTS, "");
}
END_TEST

/* They are numbers in JSON, and too large for jsonb and numeric. */
START_TEST(numbers_that_jsonb_does_not_take)
{
    with("n:int d:decimal", &model_conf, ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++) { /* straight, and through the stage */
        char id[2] = { (char) ('u' + i), '\0' };
        struct odks_merge c =
            take(db, batch, submission(id, "\"n\":1,\"d\":1e400000", ""),
                 submission("w", "\"n\":2,\"later\":[1e400000,5]", ""), NULL);
        ck_counts(&c, 2 - i, 0, 0, i, 0);
        ck_assert_int_eq(c.refused, 0);
        ck_assert_int_eq(c.rejected, i == 0 ? 2 : 1);
    }
    ck_ask(db,
           "SELECT _id, n, d, _raw->>'d', _raw->>'later' FROM odk.f"
           " ORDER BY 1",
           "u|1|-|-|-;v|1|-|-|-;w|2|-|-|[null, 5]");
    ck_ask(db,
           "SELECT submission_id, path, column_name, value FROM"
           " tracking.odk_sync_reject ORDER BY 1",
           "u|/d|d|1e400000;v|/d|d|1e400000;w||_raw|null");
}
END_TEST

/* A repeat of 1,500 answers: in numbers they need more than a page. */
START_TEST(row_that_is_wider_than_a_page)
{
    struct odks_buf text = ODKS_BUF_INIT(1 << 20);
    struct odks_buf answers = ODKS_BUF_INIT(1 << 20);

    for (int i = 0; i < 1500; i++) {
        ck_assert(odks_buf_printf(&text, "q%d:%s ", i,
                                  i % 3 == 0   ? "int"
                                  : i % 3 == 1 ? "text"
                                               : "decimal"));
        ck_assert(odks_buf_printf(&answers, "%s\"q%d\":%s", i > 0 ? "," : "", i,
                                  i % 3 == 1 ? "\"some text of an answer\""
                                             : "12345"));
    }
    with(text.data, &model_conf, ODKS_DELETE_SOFT);
    for (int i = 0; i < 2; i++) {
        struct odks_merge c = take(db, batch, submission("u", answers.data, ""),
                                   submission("v", "\"q1499\":1.5", ""), NULL);
        ck_assert_int_eq(i == 0 ? c.inserted : c.unchanged, 2);
    }
    ck_ask(db,
           "SELECT _id, q0, q1, q1499, _raw->>'q1499' FROM odk.f ORDER BY 1",
           "u|12345|some text of an answer|-|12345;v|-|-|1.5|1.5");
    ck_ask(db,
           "SELECT count(*) > 300, count(DISTINCT reason), min(reason)"
           " FROM tracking.odk_sync_reject",
           "t|1|no room: a row of PostgreSQL ends at 8 kB");
    odks_buf_free(&text);
    odks_buf_free(&answers);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_poison");
    TCase *tc = tcase_create("poison");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, shapes_that_are_none, 0,
                        sizeof(shapes) / sizeof(shapes[0]));
    tcase_add_test(tc, of_two_equal_keys_the_last_one_wins);
    tcase_add_test(tc, doubtful_numbers_are_kept);
    tcase_add_test(tc, rejects_follow_rows_that_do_not_change);
    tcase_add_test(tc, more_rejects_than_allowed);
    tcase_add_test(tc, index_that_takes_no_long_text);
    tcase_add_test(tc, id_that_is_too_long);
    tcase_add_test(tc, numbers_that_jsonb_does_not_take);
    tcase_add_test(tc, row_that_is_wider_than_a_page);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
