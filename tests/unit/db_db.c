/* tests/unit/db_db.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <signal.h>

#include "core/stop.h"
#include "db.h"

static struct odks_db *
begun(void)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db = test_fresh();

    ODKS_OK(odks_db_begin(db, &err));
    return db;
}

/* One row of two columns is what comes; what was declared is another matter. */
static const struct {
    int min_rows, max_rows, columns;
    bool ok;
} shapes[] = {
    { 1, 1, 2, true },  { 0, -1, 2, true }, { 2, -1, 2, false },
    { 0, 0, 2, false }, { 1, 1, 1, false }, { 1, 1, 3, false },
};

START_TEST(shape)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_sql sql = { .name = "shape",
                                  .text = "SELECT $1::int, 2",
                                  .min_rows = shapes[_i].min_rows,
                                  .max_rows = shapes[_i].max_rows,
                                  .columns = shapes[_i].columns,
                                  .params = 1 };
    const char *const params[] = { NULL };
    CLEANUP_PGRESULT PGresult *res = odks_db_query(db, &sql, params, &err);

    ck_assert((res != NULL) == shapes[_i].ok);
    if (!shapes[_i].ok) {
        ck_assert_int_eq(err.code, ODKS_EXIT_SOFTWARE);
        return;
    }
    ck_assert_ptr_null(odks_db_text(res, 0, 0));
    ck_assert_int_eq(odks_db_int64(res, 0, 0), 0);
    ck_assert(!odks_db_bool(res, 0, 0));
    ck_assert_int_eq(odks_db_time(res, 0, 0), ODKS_TIME_NONE);
    ck_assert_int_eq(odks_db_time(res, 0, 1), 2);
}
END_TEST

static const struct {
    const char *text;
    enum odks_exit code;
    const char *sqlstate, *message;
} wrong[] = {
    { "SELECT 1/0", ODKS_EXIT_DATA, "22012", "division by zero" },
    { "SELECT 1; SELECT 1/0; SELECT 2", ODKS_EXIT_DATA, "22012",
      "division by zero" },
    { "SELECT * FROM no_such_table", ODKS_EXIT_CONFIG, "42P01",
      "relation \"no_such_table\" does not exist" },
    { "SELEC", ODKS_EXIT_SOFTWARE, "42601",
      "syntax error at or near \"SELEC\"" },
    { "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(60)",
      ODKS_EXIT_TEMPFAIL, "57014",
      "canceling statement due to statement timeout" },
    /* DETAIL would quote the row */
    { "CREATE TEMP TABLE t (v text UNIQUE); "
      "INSERT INTO t VALUES ('patient'), ('patient')",
      ODKS_EXIT_DATA, "23505",
      "duplicate key value violates unique constraint \"t_v_key\"" },
};

START_TEST(errors)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(!odks_db_do(db, "the name", wrong[_i].text, &err));
    ck_assert_str_eq(err.message, wrong[_i].message);
    ck_assert_str_eq(err.sqlstate, wrong[_i].sqlstate);
    ck_assert_int_eq(err.code, wrong[_i].code);
    ck_assert(!err.interrupted);
    ck_assert_ptr_null(strstr(err.detail, "patient"));
    ck_assert_ptr_nonnull(strstr(err.detail, "the name"));

    /* the transaction is lost, the connection is not */
    ODKS_FAILS(odks_db_commit(db, &err), SOFTWARE);
    odks_db_rollback(db);
    ODKS_SQL_IS(db, "SELECT 1", "1");
}
END_TEST

START_TEST(line_of_what_was_executed)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(!odks_db_do(db, "it",
                          "DO $$ BEGIN EXECUTE E'SELECT 1;\\n-- \u00e9\u00e9"
                          "\\nSELECT\\n  missing'; END $$",
                          &err));
    ck_assert_str_eq(err.detail, "SQLSTATE 42703 in it, line 4");
}
END_TEST

START_TEST(longer_for_one_transaction)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_allow(db, 3600, &err));
    ODKS_SQL_IS(db, "SHOW statement_timeout", "1h");
    ck_assert_uint_eq(db->limit_s, 3600);
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_SQL_IS(db, "SHOW statement_timeout", "30s");
    ck_assert_uint_eq(db->limit_s, 30);
}
END_TEST

START_TEST(rollback)
{
    CLEANUP_DB struct odks_db *db = begun();

    test_do(db, "CREATE TABLE rows AS SELECT 1");
    odks_db_rollback(db);
    odks_db_rollback(db); /* without one: nothing happens */
    ODKS_SQL_IS(db, "SELECT to_regclass('rows') IS NULL", "t");
    odks_db_rollback(NULL);
    odks_db_close(NULL);
}
END_TEST

START_TEST(copy)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf data = ODKS_BUF_INIT(8 << 20);
    enum { ROWS = 50000 };

    for (int i = 0; i < ROWS; i++)
        ck_assert(odks_buf_printf(&data, "%d\t%080d\n", i, i));
    test_do(db, "CREATE TEMP TABLE t (n int, v text)");
    ODKS_OK(odks_db_copy(db, "COPY t FROM STDIN", &data, &err));
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', count(*), sum(n), min(length(v))) "
                "FROM t",
                "50000|1249975000|80");
    odks_buf_truncate(&data, 0);
    ODKS_OK(odks_db_copy(db, "COPY t FROM STDIN", &data, &err));
    ODKS_SQL_IS(db, "SELECT count(*) FROM t", "50000");
}
END_TEST

START_TEST(copy_fails)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf data = ODKS_BUF_INIT(8 << 20);

    ck_assert(odks_buf_add_str(&data, "x\n"));
    for (int i = 0; i < 500000; i++)
        ck_assert(odks_buf_printf(&data, "%d\n", i));
    ODKS_FAILS(odks_db_copy(db, "COPY no_such FROM STDIN", &data, &err),
               CONFIG);
    odks_db_rollback(db);
    ODKS_OK(odks_db_begin(db, &err));
    test_do(db, "CREATE TEMP TABLE t (n int)");
    ck_assert(!odks_db_copy(db, "COPY t FROM STDIN", &data, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_str_eq(err.sqlstate, "22P02");
    odks_db_rollback(db);
    ODKS_SQL_IS(db, "SELECT 1", "1");
}
END_TEST

/* Asked to stop: the statement is cancelled, a commit is not broken off. */
START_TEST(stop)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    odks_stop_install();
    test_do(db, "CREATE TABLE rows AS SELECT 1 AS n");
    ck_assert_int_eq(raise(SIGTERM), 0);
    ODKS_OK(odks_db_commit(db, &err));

    ck_assert(!odks_db_begin(db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_SIGTERM);
    ck_assert(err.interrupted);
    odks_db_rollback(db);
    odks_stop_acknowledge();
    ck_assert(odks_db_alive(db));
    ODKS_SQL_IS(db, "SELECT n FROM rows", "1");
}
END_TEST

START_TEST(stop_in_mid_statement)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    odks_stop_install();
    odks_stop_at(odks_deadline_in(50));
    ck_assert(!odks_db_do(db, "sleep", "SELECT pg_sleep(50)", &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_TEMPFAIL);
    ck_assert(err.interrupted);
    odks_db_rollback(db);
    odks_stop_acknowledge();
    ck_assert(odks_db_alive(db));
    ODKS_SQL_IS(db,
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE query LIKE '%pg_sleep(50)%' AND state = 'active' "
                "AND pid <> pg_backend_pid()",
                "0");
}
END_TEST

START_TEST(server_gone)
{
    CLEANUP_DB struct odks_db *db = begun();
    CLEANUP_DB struct odks_db *other = test_connect();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_FREE char *pid = test_sql(db, "SELECT pg_backend_pid()");
    CLEANUP_FREE char *end =
        odks_xasprintf("SELECT pg_terminate_backend(%s, 10000)", pid);

    ODKS_SQL_IS(other, end, "t");
    ODKS_FAILS(odks_db_commit(db, &err), TEMPFAIL);
    odks_db_rollback(db);
    ck_assert(!odks_db_alive(db));
    ODKS_FAILS(odks_db_begin(db, &err), TEMPFAIL);
}
END_TEST

START_TEST(quoting)
{
    CLEANUP_DB struct odks_db *db = begun();
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(64);

    ck_assert(odks_buf_add_str(&b, "SELECT "));
    ck_assert(odks_db_literal(db, "it's \\ x", &b));
    ck_assert(odks_buf_add_str(&b, " AS "));
    ck_assert(odks_db_ident(db, "Sel\"ect", &b));
    ck_assert_str_eq(b.data, "SELECT  E'it''s \\\\ x' AS \"Sel\"\"ect\"");
    ODKS_SQL_IS(db, b.data, "it's \\ x");
    CLEANUP_BUF struct odks_buf small = ODKS_BUF_INIT(4);
    ck_assert(!odks_db_ident(db, "too long", &small));
    ck_assert(!odks_db_literal(db, "too long", &small));
}
END_TEST

START_TEST(params)
{
    char time[ODKS_TIME_TEXT], number[ODKS_DB_INT64_TEXT];

    ck_assert_ptr_null(odks_db_time_param(ODKS_TIME_NONE, time));
    ck_assert_str_eq(odks_db_time_param(1, time),
                     "1970-01-01T00:00:00.000001Z");
    ck_assert_str_eq(odks_db_int64_param(INT64_MIN, number),
                     "-9223372036854775808");
}
END_TEST

/* Of a server, a role, or whoever had the session before. */
static const char disturb[] =
    "SET quote_all_identifiers = on; SET datestyle = 'German';"
    " SET timezone = 'Asia/Kabul'; SET intervalstyle = 'iso_8601';"
    " SET standard_conforming_strings = off; SET extra_float_digits = 0;"
    " SET bytea_output = 'escape'; SET array_nulls = off;"
    " SET transform_null_equals = on; SET client_encoding = 'LATIN1';"
    " SET default_transaction_isolation = 'serializable'";

static void
ck_pinned(struct odks_db *db)
{
    ODKS_SQL_IS(db, "SELECT format_type('int8'::regtype, NULL)", "bigint");
    ODKS_SQL_IS(db, "SELECT '2026-11-28 12:00+00'::timestamptz",
                "2026-11-28 12:00:00+00");
    ODKS_SQL_IS(db, "SELECT '90 s'::interval", "00:01:30");
    ODKS_SQL_IS(db, "SELECT 0.1::float8 + 0.2::float8", "0.30000000000000004");
    ODKS_SQL_IS(db, "SELECT decode('5c', 'hex')", "\\x5c");
    ODKS_SQL_IS(db, "SELECT length('\\\\')", "2");
    ODKS_SQL_IS(db, "SELECT (NULL = NULL) IS NULL", "t");
    ODKS_SQL_IS(db, "SELECT '{NULL}'::text[] = '{\"NULL\"}'", "f");
    ODKS_SQL_IS(db, "SHOW transaction_isolation", "read committed");
    ODKS_SQL_IS(db, "SHOW client_encoding", "UTF8");
}

START_TEST(settings_that_change_a_meaning)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_do(db, "test", disturb, &err));
    ODKS_OK(odks_db_begin(db, &err));
    ck_pinned(db);
}
END_TEST

/* By SQL of the user's, in the middle of a transaction of ours. */
START_TEST(reset_what_was_set)
{
    CLEANUP_DB struct odks_db *db = begun();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_do(db, "test",
                       "SET quote_all_identifiers = on; SET search_path = x;"
                       " SET LOCAL datestyle = 'German';"
                       " SET ROLE pg_read_all_data",
                       &err));
    ODKS_OK(odks_db_reset(db, &err));
    ck_pinned(db);
    ODKS_SQL_IS(db, "SELECT current_user = session_user", "t");
    ODKS_OK(odks_db_commit(db, &err));
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "test", "SHOW quote_all_identifiers", 0, NULL, &err);
    ck_assert_str_eq(odks_db_text(res, 0, 0), "off");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("db_db");
    TCase *tc = tcase_create("db");

    tcase_add_loop_test(tc, shape, 0, sizeof(shapes) / sizeof(shapes[0]));
    tcase_add_loop_test(tc, errors, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tc, rollback);
    tcase_add_test(tc, line_of_what_was_executed);
    tcase_add_test(tc, longer_for_one_transaction);
    tcase_add_test(tc, copy);
    tcase_add_test(tc, copy_fails);
    tcase_add_test(tc, stop);
    tcase_add_test(tc, stop_in_mid_statement);
    tcase_add_test(tc, server_gone);
    tcase_add_test(tc, settings_that_change_a_meaning);
    tcase_add_test(tc, reset_what_was_set);
    tcase_add_test(tc, quoting);
    tcase_add_test(tc, params);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
