/* tests/unit/db_connect.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db.h"
#include "db/internal.h"

#define DIRECT_HOST                                            \
    (getenv("PGHOST_DIRECT") != NULL ? getenv("PGHOST_DIRECT") \
                                     : getenv("PGHOST"))
#define DIRECT_PORT                                            \
    (getenv("PGPORT_DIRECT") != NULL ? getenv("PGPORT_DIRECT") \
                                     : getenv("PGPORT"))

/* Connect past any pooler, with one parameter more; NULL and err set. */
static struct odks_db *
direct(const char *keyword, const char *value, struct odks_err *err)
{
    static const char *keywords[6], *values[6];
    static struct odks_db_conf conf;
    struct odks_db *db;

    keywords[0] = "host";
    values[0] = DIRECT_HOST;
    keywords[1] = "port";
    values[1] = DIRECT_PORT;
    keywords[2] = keyword;
    values[2] = value;
    keywords[3] = values[3] = NULL;
    conf = test_conf;
    conf.keywords = keywords;
    conf.values = values;
    return odks_db_connect(&conf, &db, err) ? db : NULL;
}

START_TEST(pooler_is_noticed)
{
    CLEANUP_DB struct odks_db *db = test_connect();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_DB struct odks_db *past = direct(NULL, NULL, &err);

    ck_assert(odks_db_pooled(db) == (getenv("ODKS_TEST_POOLER") != NULL));
    ck_assert_msg(past != NULL, "%s", err.message);
    ck_assert(!odks_db_pooled(past));
    ck_assert(odks_db_alive(past));
    ck_assert(!odks_db_alive(NULL));
    ODKS_SQL_IS(past, "SHOW application_name", "odk-sync/unit");
    ODKS_SQL_IS(past,
                "SELECT concat_ws('|', "
                "current_setting('client_connection_check_interval'), "
                "current_setting('client_encoding'))",
                "1s|UTF8");
}
END_TEST

/* What a transaction finds, and that none of it stays behind. */
START_TEST(settings_of_a_transaction)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_begin(db, &err));
    CLEANUP_PGRESULT PGresult *inside = odks_db_exec(
        db, "inside",
        "SELECT concat_ws('|', current_setting('search_path'), "
        "current_setting('timezone'), current_setting('lock_timeout'),"
        "current_setting('statement_timeout'), "
        "current_setting('idle_in_transaction_session_timeout'))",
        0, NULL, &err);
    ck_assert_str_eq(PQgetvalue(inside, 0, 0),
                     "pg_catalog, pg_temp|UTC|10s|30s|1min");
    odks_db_rollback(db);
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "outside", "SHOW search_path", 0, NULL, &err);
    ck_assert_str_eq(PQgetvalue(res, 0, 0), "\"$user\", public");
}
END_TEST

/* Of the role, the database or the server: they are for other programs. */
START_TEST(limits_of_a_role_are_not_for_us)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_DB struct odks_db *db =
        direct("options",
               "-c idle_in_transaction_session_timeout=1h"
               " -c statement_timeout=1h -c lock_timeout=1h",
               &err);

    ck_assert_msg(db != NULL, "%s", err.message);
    ODKS_SQL_IS(db,
                "SELECT string_agg(setting, '|' ORDER BY name) FROM pg_settings"
                " WHERE name IN ('idle_in_transaction_session_timeout',"
                " 'lock_timeout', 'statement_timeout')",
                "60000|10000|30000");
    if (PQserverVersion(db->conn) < 140000)
        return;
    odks_db_close(odks_steal(&db));
    db = direct("options", "-c idle_session_timeout=1h", &err);
    ck_assert_msg(db != NULL, "%s", err.message);
    ODKS_SQL_IS(db, "SHOW idle_session_timeout", "0");
}
END_TEST

START_TEST(reconnect_where_the_session_has_ended)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_DB struct odks_db *db = direct(NULL, NULL, &err);
    CLEANUP_DB struct odks_db *other = direct(NULL, NULL, &err);

    CLEANUP_FREE char *pid = test_sql(db, "SELECT pg_backend_pid()");
    ODKS_OK(odks_db_reconnect(db, &err)); /* nothing to do */
    ODKS_SQL_IS(db, "SELECT pg_backend_pid()", pid);
    CLEANUP_FREE char *end =
        odks_xasprintf("SELECT pg_terminate_backend(%s)", pid);
    test_do(other, end);
    ODKS_FAILS(odks_db_begin(db, &err), TEMPFAIL);
    ck_assert(!odks_db_alive(db));
    ODKS_OK(odks_db_reconnect(db, &err));
    ODKS_SQL_IS(db, "SELECT 1", "1");
}
END_TEST

/* A pooler that gives each client a session of its own: the role may limit how
 * long that is idle, and we cannot tell the server otherwise. */
START_TEST(pooled_session_that_has_ended_is_replaced)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_DB struct odks_db *db = direct(NULL, NULL, &err);
    CLEANUP_DB struct odks_db *other = direct(NULL, NULL, &err);

    CLEANUP_FREE char *pid = test_sql(db, "SELECT pg_backend_pid()");
    CLEANUP_FREE char *end =
        odks_xasprintf("SELECT pg_terminate_backend(%s)", pid);
    test_do(other, end);
    db->pooled = true;
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_OK);
}
END_TEST

static const struct {
    const char *keyword, *value;
    enum odks_exit code;
    const char *message, *sqlstate;
} refused[] = {
    { "dbname", "odks_no_such_db", ODKS_EXIT_CONFIG,
      "cannot connect to the database: database \"odks_no_such_db\" does not "
      "exist",
      "3D000" },
    { "user", "odks_no_such_role", ODKS_EXIT_NOPERM,
      "cannot connect to the database: role \"odks_no_such_role\" does not "
      "exist",
      "28000" },
    { "options", "-c no_such_setting=1", ODKS_EXIT_CONFIG,
      "cannot connect to the database: unrecognized configuration parameter "
      "\"no_such_setting\"",
      "42704" },
};

START_TEST(refuse)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_ptr_null(direct(refused[_i].keyword, refused[_i].value, &err));
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    ck_assert_int_eq(err.code, refused[_i].code);
}
END_TEST

START_TEST(nobody_there)
{
    static const char *const keywords[] = { "host", "port", NULL };
    static const char *const values[] = { "127.0.0.1", "1", NULL };
    struct odks_db_conf conf = test_conf;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db = NULL;

    conf.keywords = keywords;
    conf.values = values;
    ck_assert(!odks_db_connect(&conf, &db, &err));
    ck_assert_ptr_null(db);
    ck_assert_int_eq(err.code, ODKS_EXIT_TEMPFAIL);
    ck_assert_str_eq(err.message,
                     "cannot connect to the database: connection to server at "
                     "\"127.0.0.1\", port 1 failed: Connection refused");
    ck_assert_str_ne(err.hint, "");
}
END_TEST

/* What libpq says before a server has answered; see connect_err.c. */
static const struct {
    const char *said;
    enum odks_exit code;
    const char *hint;
} words[] = {
    { "definition of service \"x\" not found\n", ODKS_EXIT_CONFIG,
      "PGSERVICE" },
    { "connection to server at \"h\", port 5432 failed: root certificate file "
      "\"/root/.postgresql/root.crt\" does not exist\nEither provide the file "
      "or change sslmode to disable server certificate verification.\n",
      ODKS_EXIT_CONFIG, "sslrootcert" },
    { "connection to server at \"h\", port 5432 failed: server certificate for "
      "\"a\" does not match host name \"h\"\n",
      ODKS_EXIT_PROTOCOL, "host in [database]" },
    { "connection to server at \"h\", port 5432 failed: SSL error: certificate "
      "verify failed\n",
      ODKS_EXIT_PROTOCOL, "sslrootcert" },
    { "connection to server at \"h\", port 5432 failed: server does not "
      "support "
      "SSL, but SSL was required\n",
      ODKS_EXIT_CONFIG, "sslmode" },
    { "connection to server at \"h\", port 5432 failed: received invalid "
      "response to SSL negotiation: H\n",
      ODKS_EXIT_CONFIG, "No PostgreSQL listens there" },
    { "invalid port number: \"x\"\n", ODKS_EXIT_CONFIG, "[database]" },
    { "private key file \"k\" has group or world access; file must have "
      "permissions u=rw (0600) or less if owned by the current user\n",
      ODKS_EXIT_NOPERM, "chmod 0600" },
    { "could not translate host name \"h\" to address: Name or service not "
      "known\n",
      ODKS_EXIT_TEMPFAIL, "name service" },
    { "connection to server at \"h\", port 5432 failed: session is read-only\n",
      ODKS_EXIT_TEMPFAIL, "target_session_attrs" },
    { "connection to server at \"h\", port 5432 failed: Connection refused\n",
      ODKS_EXIT_TEMPFAIL, "host and port" },
    { "connection to server at \"h\", port 6432 failed: FATAL:  08P01: no such "
      "database: x\n",
      ODKS_EXIT_CONFIG, "dbname" },
    { "connection to server at \"h\", port 5432 failed: FATAL:  42501: "
      "permission denied for database \"x\"\n",
      ODKS_EXIT_NOPERM, "GRANT CONNECT" },
    { "", ODKS_EXIT_TEMPFAIL, "host and port" },
};

START_TEST(words_of_libpq)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_db_connect_said(words[_i].said, &err);
    ck_assert_msg(err.code == words[_i].code, "%d %s", err.code, err.message);
    ck_assert_msg(strstr(err.hint, words[_i].hint) != NULL, "%s", err.hint);
}
END_TEST

/* A role that the server asks for a password: see tests/harness/pg.py. */
static void
make_role(void)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_DB struct odks_db *db = direct(NULL, NULL, &err);

    ck_assert_msg(db != NULL, "%s", err.message);
    test_do(
        db,
        "DO $$ BEGIN CREATE ROLE needs_password; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "DO $$ BEGIN CREATE ROLE odks_secret LOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "GRANT needs_password TO odks_secret;"
        "ALTER ROLE odks_secret PASSWORD 'right'");
}

START_TEST(password)
{
    static const char *const keywords[] = { "host", "port", "user", "password",
                                            NULL };
    const char *values[] = { DIRECT_HOST, DIRECT_PORT, "odks_secret", "wrong",
                             NULL };
    struct odks_db_conf conf = test_conf;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db = NULL;

    make_role();
    conf.keywords = keywords;
    conf.values = values;
    ck_assert(!odks_db_connect(&conf, &db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_str_eq(err.sqlstate, "28P01");
    ck_assert_str_eq(err.message,
                     "cannot connect to the database: password authentication "
                     "failed for user \"odks_secret\"");
    ck_assert_ptr_null(strstr(err.detail, "wrong"));

    values[3] = "right";
    ODKS_OK(odks_db_connect(&conf, &db, &err));
    odks_db_close(db);

    values[3] = "";
    ck_assert_int_eq(unsetenv("PGPASSFILE"), 0);
    ck_assert_int_eq(setenv("HOME", "/nonexistent", 1), 0);
    ck_assert(!odks_db_connect(&conf, &db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_ptr_nonnull(strstr(err.hint, "password_file"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("db_connect");
    TCase *tc = tcase_create("connect");

    tcase_add_test(tc, pooler_is_noticed);
    tcase_add_test(tc, settings_of_a_transaction);
    tcase_add_test(tc, limits_of_a_role_are_not_for_us);
    tcase_add_test(tc, reconnect_where_the_session_has_ended);
    tcase_add_test(tc, pooled_session_that_has_ended_is_replaced);
    tcase_add_loop_test(tc, refuse, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, nobody_there);
    tcase_add_loop_test(tc, words_of_libpq, 0,
                        sizeof(words) / sizeof(words[0]));
    tcase_add_test(tc, password);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
