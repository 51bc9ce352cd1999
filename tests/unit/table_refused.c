/* tests/unit/table_refused.c - SPDX-License-Identifier: Apache-2.0 */
/* What PostgreSQL refuses because of something that a user added. */
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

START_TEST(constraint_of_the_user)
{
    with("n:int d:date r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    run(db, "ALTER TABLE odk.f ADD CONSTRAINT small CHECK (n < 100)");
    struct odks_merge c = take(
        db, batch, submission("u", "\"n\":1", ""),
        submission("v", "\"n\":100,\"d\":\"x\",\"r\":[" R("1", "r1") "]", ""),
        NULL);
    ck_counts(&c, 2, 0, 0, 0, 1);
    ck_assert_int_eq(c.rejected, 2);
    ck_assert_int_eq(c.refused, 1);
    ck_ask(db,
           "SELECT _id, n, _raw->>'n', (SELECT x FROM odk.f__r r WHERE"
           " r._submission_id = f._id) FROM odk.f ORDER BY 1",
           "u|1|1|-;v|-|100|1");
    ck_ask(db, REJECTS,
           "f|v|v|/d|d|f|no such date|\"x\";"
           "f|v|v|/n|n|f|refused: new row for relation \"f\" violates check"
           " constraint \"small\"|100");
    ck_ask(db,
           "SELECT refused, constraint_name, submitted_at FROM"
           " tracking.odk_sync_reject WHERE refused",
           "t|small|-");
}
END_TEST

#define EDITED EDIT("1", "7")

/* What a user may add, an edit that it refuses, and what is to blame. */
static const struct {
    const char *sql;
    const char *answers; /* of the edit */
    const char *reject;  /* column, value, constraint */
} refusals[] = {
    { "ALTER TABLE odk.f ADD CONSTRAINT small CHECK (n < 100)",
      "\"a\":\"y\",\"n\":300", "/n|n|300|small" },
    { "CREATE UNIQUE INDEX one ON odk.f (a)", "\"a\":\"other\",\"n\":2",
      "/a|a|\"other\"|one" },
    { "CREATE UNIQUE INDEX one ON odk.f (lower(a))", "\"a\":\"OTHER\",\"n\":2",
      "/a|a|\"OTHER\"|one" },
    { "ALTER TABLE odk.f ADD CONSTRAINT one EXCLUDE USING btree (a WITH =)",
      "\"a\":\"other\",\"n\":2", "/a|a|\"other\"|one" },
    { "CREATE TABLE odk.known (a text PRIMARY KEY); INSERT INTO odk.known"
      " VALUES ('x'), ('p'), ('other'); ALTER TABLE odk.f ADD CONSTRAINT fk "
      "FOREIGN"
      " KEY (a) REFERENCES odk.known",
      "\"a\":\"new\",\"n\":2", "/a|a|\"new\"|fk" },
    { "DROP VIEW odk.v_f__r, odk.v_f; ALTER TABLE odk.f ALTER a TYPE"
      " varchar(5)",
      "\"a\":\"too long\",\"n\":2", "/a|a|\"too long\"|-" },
    { "CREATE DOMAIN odk.short AS text CONSTRAINT len CHECK (length(value) <"
      " 6); DROP VIEW odk.v_f__r, odk.v_f; ALTER TABLE odk.f ALTER a TYPE"
      " odk.short",
      "\"a\":\"too long\",\"n\":2", "/a|a|\"too long\"|len" },
    { "ALTER TABLE odk.f ALTER n SET NOT NULL", "\"a\":\"y\"", "|-|-|-" },
    { "CREATE FUNCTION odk.t() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
      " IF NEW.a = 'bad' THEN RAISE EXCEPTION 'secret %', NEW.a; END IF;"
      " RETURN NEW; END$$; CREATE TRIGGER t BEFORE INSERT OR UPDATE ON odk.f"
      " FOR EACH ROW EXECUTE FUNCTION odk.t()",
      "\"a\":\"bad\",\"n\":2", "/a|a|\"bad\"|-" },
    { "CREATE FUNCTION odk.t() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
      " RAISE EXCEPTION 'never'; END$$; CREATE TRIGGER t BEFORE UPDATE ON"
      " odk.f FOR EACH ROW EXECUTE FUNCTION odk.t()",
      "\"a\":\"y\",\"n\":2", "|-|-|-" },
    { "ALTER TABLE odk.f__r ADD CONSTRAINT little CHECK (x < 5)",
      "\"a\":\"y\",\"n\":2,\"r\":[" R("4", "r1") "," R("7", "r2") "]",
      "/r/x|x|7|little" },
};

START_TEST(what_is_stored_survives)
{
    CLEANUP_FREE char *reject = NULL;

    with("a:text n:int r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("o", "\"a\":\"other\",\"n\":1", ""),
         submission("u", "\"a\":\"x\",\"n\":1,\"r\":[" R("1", "r1") "]", ""),
         NULL);
    run(db, refusals[_i].sql);
    for (int i = 0; i < 2; i++) { /* and when it is read again */
        struct odks_merge c =
            take(db, batch, submission("u", refusals[_i].answers, EDITED),
                 submission("p", "\"a\":\"p\",\"n\":3", ""), NULL);
        ck_assert_int_eq(c.refused, i == 0);
        ck_assert_int_eq(c.rejected, i == 0);
        ck_assert_int_eq(c.unchanged, i == 0 ? 1 : 2);
        ck_ask(db, "SELECT _id, a, n, _edits FROM odk.f ORDER BY 1",
               "o|other|1|0;p|p|3|0;u|x|1|0");
        ck_ask(db, "SELECT _id, x FROM odk.f__r", "r1|1");
    }
    reject = ask(db, "SELECT path, column_name, value, constraint_name FROM"
                     " tracking.odk_sync_reject");
    if (strncmp(refusals[_i].reject, "|", 1) != 0)
        ck_assert_str_eq(reject, refusals[_i].reject);
    ck_ask(db,
           "SELECT count(*) FROM tracking.odk_sync_reject WHERE refused AND"
           " submitted_at IS NULL AND reason NOT LIKE '%secret%'",
           "1");
}
END_TEST

/* Of a submission that is new, only what is to blame is NULL. */
START_TEST(of_a_new_one_the_rest_is_stored)
{
    CLEANUP_FREE char *answers =
        odks_xasprintf("%s,\"r\":[" R("1", "r1") "]", "\"a\":\"bad\",\"n\":2");

    with("a:text n:int r[x:int]", &model_conf, ODKS_DELETE_SOFT);
    run(db, refusals[8].sql);
    struct odks_merge c = take(db, batch, submission("u", answers, ""),
                               submission("p", "\"a\":\"p\"", ""), NULL);
    ck_counts(&c, 2, 0, 0, 0, 1);
    ck_ask(db, "SELECT _id, a, n FROM odk.f ORDER BY 1", "p|p|-;u|-|2");
    /* what was not stored before may change */
    answers[strlen("\"a\":\"bad\",\"n\":")] = '7';
    c = take(db, batch, submission("u", answers, EDITED), NULL);
    ck_assert_int_eq(c.updated, 1);
    ck_assert_int_eq(c.refused, 0);
    ck_ask(db,
           "SELECT a, n, (SELECT x FROM odk.f__r) FROM odk.f WHERE _id ="
           " 'u'",
           "-|7|1");
    run(db, "DROP TRIGGER t ON odk.f");
    take(db, batch, submission("u", answers, EDITED), NULL);
    ck_ask(db, "SELECT a, n FROM odk.f WHERE _id = 'u'", "bad|7");
    ck_ask(db, REJECTS, "");
}
END_TEST

START_TEST(refused_but_deleted)
{
    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    take(db, batch, submission("u", "\"n\":1", ""),
         submission("v", "\"n\":2", ""), NULL);
    run(db, "ALTER TABLE odk.f ADD CONSTRAINT small CHECK (n < 100)");
    take(db, batch, submission("u", "\"n\":300", DELETED), NULL);
    ck_ask(db, "SELECT _id, n, _deleted_at IS NULL FROM odk.f ORDER BY 1",
           "u|1|f;v|2|t");
}
END_TEST

START_TEST(row_that_nothing_makes_acceptable)
{
    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    run(db, "ALTER TABLE odk.f ADD CONSTRAINT never CHECK (_edits > 99)");
    for (int i = 0; i < 2; i++) {
        struct odks_merge c =
            take(db, batch, submission("u", "\"n\":7", ""), NULL);
        ck_assert_int_eq(c.refused, i == 0);
        ck_counts(&c, 0, 0, 0, 0, 0);
    }
    ck_ask(db,
           "SELECT refused, constraint_name, submitted_at IS NOT NULL FROM"
           " tracking.odk_sync_reject",
           "t|never|t");
    run(db, "ALTER TABLE odk.f DROP CONSTRAINT never");
    take(db, batch, submission("u", "\"n\":7", ""), NULL);
    ck_ask(db, "SELECT n FROM odk.f", "7");
    ck_ask(db, REJECTS, "");
}
END_TEST

static bool
try_five(struct odks_err *err)
{
    struct odks_merge c = ODKS_MERGE_INIT;

    for (int i = 0; i < 5; i++) {
        char id[2] = { (char) ('a' + i), '\0' };
        char *row = submission(id, "\"n\":7", "");
        ck_assert(odks_batch_add(batch, row, strlen(row), err));
        free(row);
    }
    begin(db);
    bool ok = odks_batch_merge(batch, db, &c, err);
    odks_db_rollback(db);
    return ok;
}

/* That is no single row, nor an error that is about a row. */
START_TEST(systematic_errors_change_nothing)
{
    struct odks_err err = ODKS_ERR_INIT;

    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    run(db, "ALTER TABLE odk.f ADD CONSTRAINT never CHECK (_edits > 99)");
    ck_assert(!try_five(&err));
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "every row"));
    ck_assert_ptr_nonnull(strstr(err.message, "\"never\""));
    ck_assert_ptr_nonnull(strstr(err.hint, "did not make"));
    run(db, "ALTER TABLE odk.f DROP CONSTRAINT never; CREATE FUNCTION odk.t()"
            " RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.no > 1 THEN"
            " RETURN NEW; END IF; RETURN NEW; END$$; CREATE TRIGGER t BEFORE"
            " INSERT ON odk.f FOR EACH ROW EXECUTE FUNCTION odk.t()");
    ck_assert(!try_five(&err));
    ck_assert_str_eq(err.sqlstate, "42703");
}
END_TEST

START_TEST(refused_rows_and_the_limit)
{
    struct odks_merge c = ODKS_MERGE_INIT;
    struct odks_err err = ODKS_ERR_INIT;

    with("n:int", &model_conf, ODKS_DELETE_SOFT);
    limit(1);
    run(db, "ALTER TABLE odk.f ADD CONSTRAINT small CHECK (n < 100)");
    char *row = submission("u", "\"n\":300", "");
    ck_assert(odks_batch_add(batch, row, strlen(row), &err));
    free(row);
    begin(db);
    ck_assert(!odks_batch_merge(batch, db, &c, &err));
    odks_db_rollback(db);
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_str_eq(err.message, "PostgreSQL refuses 1 submissions, and"
                                  " max_rejects is 1");
}
END_TEST

/* Values that the database quotes are no part of our messages. */
START_TEST(refused_value_is_not_told)
{
    with("n:text", &model_conf, ODKS_DELETE_SOFT);
    run(db, "CREATE INDEX ON odk.f ((n::numeric))");
    take(db, batch, submission("u", "\"n\":\"secret\"", ""),
         submission("v", "\"n\":\"7\"", ""), NULL);
    ck_ask(db, "SELECT _id, n FROM odk.f ORDER BY 1", "u|-;v|7");
    ck_ask(db, "SELECT path, reason FROM tracking.odk_sync_reject",
           "/n|refused: PostgreSQL refuses a value");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_refused");
    TCase *tc = tcase_create("refused");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, what_is_stored_survives, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tc, constraint_of_the_user);
    tcase_add_test(tc, of_a_new_one_the_rest_is_stored);
    tcase_add_test(tc, refused_but_deleted);
    tcase_add_test(tc, row_that_nothing_makes_acceptable);
    tcase_add_test(tc, systematic_errors_change_nothing);
    tcase_add_test(tc, refused_rows_and_the_limit);
    tcase_add_test(tc, refused_value_is_not_told);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
