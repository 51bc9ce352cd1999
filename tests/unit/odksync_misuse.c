/* tests/unit/odksync_misuse.c - SPDX-License-Identifier: Apache-2.0 */
/* What libodksync says to who calls it wrongly or where it cannot work. */
#include <config.h>

#include "odksync_help.h"

static struct odks_sync *sync;
static int running, ended; /* attempts of "a" */

static int
start(const char *type)
{
    int id;
    return odks_start_sync(sync, type, NULL, &id);
}

static int
cleanup(int days)
{
    return odks_cleanup_history(sync, days, NULL);
}

static int
progress(int id, int64_t latest, const char *metadata)
{
    return odks_update_progress(sync, id, 1, latest, metadata);
}

static int
complete(int id, const char *type, int64_t latest, const char *metadata)
{
    return odks_complete_sync(sync, id, type, 1, latest, metadata);
}

static const char long_type[] = "123456789012345678901234567890"
                                "123456789012345678901";

/* A wrong call, as a statement of its own; its error and what it says. */
#define CALLS                                                                  \
    CALL("no sync type", start(NULL))                                          \
    CALL("no sync type", start(""))                                            \
    CALL("", start(long_type))                                                 \
    CALL("invalid byte", start("\xff"))                                        \
    CALL("no place", odks_start_sync(sync, "a", NULL, NULL))                   \
    CALL("no attempt 4711", progress(4711, ODKS_TIME_NONE, NULL))              \
    CALL("no attempt -1", progress(-1, ODKS_TIME_NONE, NULL))                  \
    CALL("ended before", progress(ended, ODKS_TIME_NONE, NULL))                \
    CALL("JSON object", progress(running, ODKS_TIME_NONE, "[1]"))              \
    CALL("json", progress(running, ODKS_TIME_NONE, "{"))                       \
    CALL("time is none", progress(running, INT64_MAX, NULL))                   \
    CALL("time is none", progress(running, INT64_MIN + 1, NULL))               \
    CALL("no sync type", complete(running, NULL, ODKS_TIME_NONE, NULL))        \
    CALL("no attempt 4711", complete(4711, "a", ODKS_TIME_NONE, NULL))         \
    CALL("ended before, with success",                                         \
         complete(ended, "a", ODKS_TIME_NONE, NULL))                           \
    CALL("is not one of b", complete(running, "b", ODKS_TIME_NONE, NULL))      \
    CALL("json", complete(running, "a", ODKS_TIME_NONE, "no"))                 \
    CALL("time is none", complete(running, "a", INT64_MAX, NULL))              \
    CALL("no sync type", odks_fail_sync(sync, running, NULL, "x"))             \
    CALL("no attempt 0", odks_fail_sync(sync, 0, "a", "x"))                    \
    CALL("ended before", odks_fail_sync(sync, ended, "a", "x"))                \
    CALL("is not one of b", odks_fail_sync(sync, running, "b", "x"))           \
    CALL("no sync type", odks_get_last_sync_time(sync, NULL, &(int64_t){ 0 })) \
    CALL("no place", odks_get_last_sync_time(sync, "a", NULL))                 \
    CALL("no sync type", odks_set_last_sync_time(sync, NULL, 0))               \
    CALL("time is none", odks_set_last_sync_time(sync, "a", INT64_MAX))        \
    CALL("", odks_set_last_sync_time(sync, long_type, 0))                      \
    CALL("no place", odks_sync_statistics(sync, NULL))                         \
    CALL("no place", odks_sync_health(sync, NULL))                             \
    CALL("one day at least", cleanup(0))                                       \
    CALL("one day at least", cleanup(-5))

/* Each is an error of the caller's (64) and changes nothing. */
START_TEST(wrong_calls)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    sync = test_open(NULL);
    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &ended));
    SYNC_OK(sync, odks_complete_sync(sync, ended, "a", 1, 0, NULL));
    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &running));
    char *before = test_sql(
        db, "SELECT concat((SELECT json_agg(h) FROM odk_sync_history h), "
            "(SELECT json_agg(s) FROM odk_sync_status s))");

#define CALL(said, call)                                                    \
    SYNC_FAILS(sync, call, ODKS_E_USAGE);                                   \
    ck_assert_msg(strstr(odks_error_message(sync), said) != NULL, "%s: %s", \
                  #call, odks_error_message(sync));
    CALLS
#undef CALL
    ODKS_SQL_IS(db,
                "SELECT concat((SELECT json_agg(h) FROM odk_sync_history h), "
                "(SELECT json_agg(s) FROM odk_sync_status s))",
                before);
    free(before);
    /* and the handle is as good as before */
    SYNC_OK(sync, odks_complete_sync(sync, running, "a", 2, 0, NULL));
    odks_close(sync);
}
END_TEST

START_TEST(sqlstate_is_told)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    ODKS_SQL_IS(db, "SELECT 1", "1");
    sync = test_open(NULL);
    SYNC_FAILS(sync, odks_fail_sync(sync, 1, "a", "x"), ODKS_E_USAGE);
    ck_assert_str_eq(odks_error_sqlstate(sync), "55000");
    ck_assert_str_ne(odks_error_hint(sync), "");
    SYNC_FAILS(sync, start(NULL), ODKS_E_USAGE);
    ck_assert_str_eq(odks_error_sqlstate(sync), "");
    odks_close(sync);
}
END_TEST

START_TEST(no_handle)
{
    char text[ODKS_TIME_SIZE];
    int64_t us;
    int id;

    sync = NULL;
    ck_assert_int_eq(odks_open(NULL, NULL, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_create_tables(NULL), ODKS_E_USAGE);
    ck_assert_int_eq(cleanup(1), ODKS_E_USAGE);
    ck_assert_int_eq(odks_get_last_sync_time(NULL, "a", &us), ODKS_E_USAGE);
    ck_assert_int_eq(odks_set_last_sync_time(NULL, "a", 0), ODKS_E_USAGE);
    ck_assert_int_eq(odks_start_sync(NULL, "a", NULL, &id), ODKS_E_USAGE);
    ck_assert_int_eq(progress(1, 0, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(complete(1, "a", 0, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_fail_sync(NULL, 1, "a", NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_sync_statistics(NULL, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_sync_health(NULL, NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_error_code(NULL), ODKS_E_USAGE);
    ck_assert_str_ne(odks_error_message(NULL), "");
    ck_assert_str_ne(odks_error_hint(NULL), "");
    ck_assert_str_eq(odks_error_sqlstate(NULL), "");
    odks_close(NULL);

    ck_assert_int_eq(odks_parse_time(NULL, &us), ODKS_E_USAGE);
    ck_assert_int_eq(odks_parse_time("2026-11-23", NULL), ODKS_E_USAGE);
    ck_assert_int_eq(odks_parse_time("yesterday", &us), ODKS_E_USAGE);
    ck_assert_int_eq(odks_parse_time("", &us), ODKS_E_USAGE);
    ck_assert_int_eq(odks_format_time(0, NULL, 40), ODKS_E_USAGE);
    ck_assert_int_eq(odks_format_time(0, text, 0), ODKS_E_USAGE);
    ck_assert_int_eq(odks_format_time(ODKS_TIME_NONE, text, sizeof(text)),
                     ODKS_E_USAGE);
    ck_assert_int_eq(odks_format_time(INT64_MAX, text, sizeof(text)),
                     ODKS_E_USAGE);
}
END_TEST

static const struct {
    const char *conninfo;
    int code;
    const char *message, *hint;
} refused[] = {
    { "hots=db", ODKS_E_USAGE, "invalid connection option \"hots\"",
      "dbname=" },
    { "password=x hunter2", ODKS_E_USAGE,
      "the connection string cannot be read", "dbname=" },
    { "dbname=odks_no_such_db", ODKS_E_CONFIG, "does not exist",
      "connection string" },
    { "user=odks_no_such_role", ODKS_E_NOPERM, NULL, "password" },
    { "host=/nonexistent", ODKS_E_TEMPFAIL, "cannot connect", "host and port" },
};

/* The handle tells why, every verb tries anew, and no password is told. */
START_TEST(no_connection)
{
    int id;

    if (getenv("PGHOST_DIRECT") != NULL) { /* a pooler has its own words */
        (void) setenv("PGHOST", getenv("PGHOST_DIRECT"), 1);
        (void) setenv("PGPORT", getenv("PGPORT_DIRECT"), 1);
    }
    ck_assert_int_eq(odks_open(refused[_i].conninfo, NULL, &sync),
                     refused[_i].code);
    ck_assert_ptr_nonnull(sync);
    for (int again = 0; again < 2; again++) {
        if (refused[_i].message != NULL)
            ck_assert_msg(
                again == 1
                    || strstr(odks_error_message(sync), refused[_i].message)
                           != NULL,
                "%s", odks_error_message(sync));
        ck_assert_msg(strstr(odks_error_hint(sync), refused[_i].hint) != NULL,
                      "%s", odks_error_hint(sync));
        ck_assert_ptr_null(strstr(odks_error_message(sync), "hunter2"));
        SYNC_FAILS(sync, odks_start_sync(sync, "a", NULL, &id),
                   refused[_i].code);
        SYNC_FAILS(sync, odks_create_tables(sync), refused[_i].code);
    }
    odks_close(sync);
}
END_TEST

/* Schemas that a verb cannot work with. */
static const struct {
    const char *sql;
    bool mended; /* by odks_create_tables() */
} schemas[] = {
    { "DROP SCHEMA odks_test CASCADE", true },
    { "DROP SCHEMA odks_test CASCADE; CREATE SCHEMA odks_test", true },
    { "DROP TABLE odk_sync_history CASCADE", false },
    { "DROP TABLE odk_sync_status CASCADE", false },
    { "ALTER TABLE odk_sync_history RENAME service_instance TO host", false },
    { "DROP FUNCTION odk_sync_start; DELETE FROM odk_sync_schema; INSERT INTO "
      "odk_sync_schema VALUES (9999, 'later', 'x')",
      false },
};

START_TEST(other_tables)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, schemas[_i].sql);
    sync = test_open(NULL);
    SYNC_FAILS(sync, start("a"), ODKS_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(odks_error_hint(sync), "odks_create_tables"));
    if (schemas[_i].mended) {
        SYNC_OK(sync, odks_create_tables(sync));
        SYNC_OK(sync, start("a"));
    }
    odks_close(sync);
}
END_TEST

START_TEST(tables_of_a_newer_version)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db, "INSERT INTO odk_sync_schema VALUES (9999, 'later', 'x')");
    sync = test_open(NULL);
    SYNC_FAILS(sync, odks_create_tables(sync), ODKS_E_CONFIG);
    SYNC_OK(sync, start("a")); /* the verbs are still there */
    odks_close(sync);
}
END_TEST

static const char *const rights[] = {
    "REVOKE USAGE ON SCHEMA odks_test FROM odks_poor",
    "REVOKE ALL ON ALL TABLES IN SCHEMA odks_test FROM odks_poor",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA odks_test FROM odks_poor",
};

START_TEST(no_rights)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(
        db,
        "DO $$ BEGIN CREATE ROLE odks_poor LOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "GRANT USAGE ON SCHEMA odks_test TO odks_poor;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
        "odks_test TO odks_poor;"
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA odks_test TO odks_poor");
    sync = test_open("user=odks_poor");
    SYNC_OK(sync, start("a"));
    SYNC_OK(sync, odks_create_tables(sync)); /* which has nothing to do */
    test_do(db, rights[_i]);
    SYNC_FAILS(sync, start("a"), ODKS_E_NOPERM);
    ck_assert_ptr_nonnull(strstr(odks_error_hint(sync), "USAGE"));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|-1");
    odks_close(sync);
}
END_TEST

START_TEST(no_right_to_create)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(
        db,
        "DO $$ BEGIN CREATE ROLE odks_poor LOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "DROP SCHEMA odks_test CASCADE");
    sync = test_open("user=odks_poor");
    SYNC_FAILS(sync, odks_create_tables(sync), ODKS_E_NOPERM);
    odks_close(sync);
}
END_TEST

/* What fails inside a migration is no argument of the caller's. */
START_TEST(tables_that_cannot_be_made)
{
    CLEANUP_DB struct odks_db *db = test_connect();

    test_do(db, "DROP SCHEMA IF EXISTS odks_test CASCADE;"
                "CREATE FUNCTION public.no_more() RETURNS event_trigger "
                "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no more tables' "
                "USING ERRCODE = 'check_violation'; END $$;"
                "CREATE EVENT TRIGGER no_more ON ddl_command_start WHEN TAG IN "
                "('CREATE TABLE') EXECUTE FUNCTION public.no_more()");
    sync = test_open(NULL);
    SYNC_FAILS(sync, odks_create_tables(sync), ODKS_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(odks_error_message(sync), "no more tables"));
    test_do(db, "DROP EVENT TRIGGER no_more");
    test_do(db, "DROP FUNCTION public.no_more()");
    SYNC_OK(sync, odks_create_tables(sync));
    odks_close(sync);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("odksync_misuse");
    TCase *tc = tcase_create("misuse");

    tcase_add_test(tc, wrong_calls);
    tcase_add_test(tc, sqlstate_is_told);
    tcase_add_test(tc, no_handle);
    tcase_add_loop_test(tc, no_connection, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_loop_test(tc, other_tables, 0,
                        sizeof(schemas) / sizeof(schemas[0]));
    tcase_add_test(tc, tables_of_a_newer_version);
    tcase_add_loop_test(tc, no_rights, 0, sizeof(rights) / sizeof(rights[0]));
    tcase_add_test(tc, no_right_to_create);
    tcase_add_test(tc, tables_that_cannot_be_made);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
