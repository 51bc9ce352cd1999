/* tests/unit/db_migrate.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/migrate.h"

#include "db.h"

static struct odks_db *
empty(void)
{
    struct odks_db *db = test_connect();

    test_do(db, "DROP SCHEMA IF EXISTS odks_test, \"od\"\"k x\" CASCADE");
    return db;
}

/* odks_migrate_check() in a transaction of its own. */
static bool
check(struct odks_db *db, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    ck_assert(odks_db_begin(db, &ignored));
    bool ok = odks_migrate_check(db, err);
    odks_db_rollback(db);
    return ok;
}

START_TEST(from_nothing)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    ODKS_OK(odks_migrate(db, "od\"k x", &applied, &err));
    ck_assert_int_ge(applied, 1);
    ODKS_OK(check(db, &err));
    ODKS_SQL_IS(db,
                "SELECT count(*) FROM pg_namespace "
                "WHERE nspname IN ('odks_test', 'od\"k x')",
                "2");
    ODKS_SQL_IS(db,
                "SELECT string_agg(column_name || ' ' || CASE data_type "
                "WHEN 'character varying' THEN "
                "'varchar(' || character_maximum_length || ')' "
                "WHEN 'timestamp with time zone' THEN 'timestamptz' "
                "ELSE data_type END, ', ' ORDER BY ordinal_position) "
                "FROM information_schema.columns "
                "WHERE table_name = 'odk_sync_status' "
                "AND table_schema = 'odks_test'",
                "sync_type varchar(50), last_sync_timestamp timestamptz, "
                "last_attempt_timestamp timestamptz, "
                "last_sync_status varchar(20), last_error_message text, "
                "successful_sync_count integer, failed_sync_count integer, "
                "last_records_processed integer, created_at timestamptz, "
                "updated_at timestamptz");
    ODKS_SQL_IS(db,
                "SELECT string_agg(column_name || ' ' || data_type, ', ' "
                "ORDER BY ordinal_position) "
                "FROM information_schema.columns "
                "WHERE table_name = 'odk_sync_history' "
                "AND table_schema = 'odks_test'",
                "id integer, sync_type character varying, "
                "sync_timestamp timestamp with time zone, "
                "status character varying, records_processed integer, "
                "duration_seconds integer, error_message text, "
                "metadata text, service_instance character varying");
    ODKS_SQL_IS(db,
                "SELECT string_agg(i.indexdef, '; ' ORDER BY 1) FROM "
                "(SELECT indexdef FROM pg_indexes WHERE schemaname = "
                "'odks_test' AND indexdef LIKE '%lease%') i",
                "");
    /* again: nothing to do */
    ODKS_OK(odks_migrate(db, "odks_test", &applied, &err));
    ck_assert_int_eq(applied, 0);
}
END_TEST

/* A role that may create nothing needs no right for what is there. */
START_TEST(without_rights)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    int applied;

    test_do(
        db,
        "DO $$ BEGIN CREATE ROLE odks_weak LOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "GRANT USAGE ON SCHEMA odks_test TO odks_weak;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA odks_test TO odks_weak");
    static const char *const keywords[] = { "user", NULL };
    static const char *const values[] = { "odks_weak", NULL };
    struct odks_db_conf conf = test_conf;
    struct odks_db *weak;

    conf.keywords = keywords;
    conf.values = values;
    ODKS_OK(odks_db_connect(&conf, &weak, &err));
    ODKS_OK(odks_migrate(weak, "odks_test", &applied, &err));
    ck_assert_int_eq(applied, 0);
    ODKS_FAILS(odks_migrate(weak, "odks_absent", &applied, &err), NOPERM);
    odks_db_close(weak);
}
END_TEST

/* What check() and migrate() say of a schema that is not this program's. */
static const struct {
    const char *sql, *message;
    bool migrate_mends;
} states[] = {
    { "DROP SCHEMA odks_test CASCADE",
      "there are no odk_sync_* tables in schema \"odks_test\"", true },
    { "DELETE FROM odk_sync_schema WHERE version = 1; "
      "INSERT INTO odk_sync_schema VALUES (9999, 'later', 'x')",
      NULL, false },
    { "INSERT INTO odk_sync_schema VALUES (9999, 'later', 'x')",
      "this program is older than the database: it does not know version 9999 "
      "of the odk_sync_* tables",
      false },
    { "UPDATE odk_sync_schema SET checksum = 'x' WHERE version = 1",
      "version 1 of the odk_sync_* tables is not the one of this program: its "
      "checksum differs",
      false },
};

START_TEST(not_ours)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    test_do(db, states[_i].sql);
    ck_assert(!check(db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    if (states[_i].message != NULL)
        ck_assert_str_eq(err.message, states[_i].message);
    ck_assert_str_ne(err.hint, "");
    ck_assert(odks_migrate(db, "odks_test", &applied, &err)
              == states[_i].migrate_mends);
    if (!states[_i].migrate_mends)
        ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
}
END_TEST

START_TEST(older)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    test_do(db, "DELETE FROM odk_sync_schema");
    ck_assert(!check(db, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message, "the odk_sync_* tables are older than this "
                                  "program: version 1 is missing");
    ck_assert_str_eq(err.hint, "Run \"odk-sync init\".");
}
END_TEST

/* A step that fails takes all with it. */
START_TEST(all_or_nothing)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    test_do(db, "CREATE SCHEMA odks_test; "
                "CREATE TABLE odks_test.odk_sync_key ()");
    ck_assert(!odks_migrate(db, "od\"k x", &applied, &err));
    ck_assert_msg(strncmp(err.message, "migration 0001_base: ", 21) == 0, "%s",
                  err.message);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', to_regclass('odk_sync_status'), "
                "to_regnamespace('\"od\"\"k x\"'))",
                "");
}
END_TEST

START_TEST(tables_of_the_old_service)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    test_do(db, "CREATE SCHEMA odks_test; "
                "CREATE TABLE odks_test.odk_sync_history (id serial)");
    ck_assert(!odks_migrate(db, "odks_test", &applied, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "nothing was changed"));
    ODKS_SQL_IS(db, "SELECT to_regclass('odk_sync_schema')", "");
}
END_TEST

/* What init --print shows makes the same schema as init. */
START_TEST(printed)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    odks_migrate_print("odks_test", "od\"k x", out);
    ck_assert_int_eq(fclose(out), 0);
    ODKS_OK(odks_db_do(db, "printed", text, &err));
    ODKS_OK(check(db, &err));
    ODKS_SQL_IS(db, "SELECT to_regnamespace('\"od\"\"k x\"') IS NOT NULL", "t");
    free(text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("db_migrate");
    TCase *tc = tcase_create("migrate");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, from_nothing);
    tcase_add_test(tc, without_rights);
    tcase_add_loop_test(tc, not_ours, 0, sizeof(states) / sizeof(states[0]));
    tcase_add_test(tc, older);
    tcase_add_test(tc, all_or_nothing);
    tcase_add_test(tc, tables_of_the_old_service);
    tcase_add_test(tc, printed);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
