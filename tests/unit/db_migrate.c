/* tests/unit/db_migrate.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/migrate.h"

#include "core/mem.h"
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

    ODKS_OK(odks_migrate(db, SCHEMAS("od\"k x"), NULL, &applied, &err));
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
    ODKS_OK(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err));
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
    ODKS_OK(odks_migrate(weak, SCHEMAS("odks_test"), NULL, &applied, &err));
    ck_assert_int_eq(applied, 0);
    ODKS_FAILS(odks_migrate(weak, SCHEMAS("odks_absent"), NULL, &applied, &err),
               NOPERM);
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
    ck_assert(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err)
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
    ck_assert(!odks_migrate(db, SCHEMAS("od\"k x"), NULL, &applied, &err));
    ck_assert_msg(strncmp(err.message, "migration 0001_base: ", 21) == 0, "%s",
                  err.message);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', to_regclass('odk_sync_status'), "
                "to_regnamespace('\"od\"\"k x\"'))",
                "");
}
END_TEST

/* Two tables as the Python service makes them, with a row. */
#define OLD                                                                 \
    "CREATE SCHEMA odks_test; SET LOCAL search_path = odks_test; "          \
    "CREATE TABLE odk_sync_status (sync_type varchar(50) PRIMARY KEY, "     \
    "last_sync_timestamp timestamptz, last_sync_status varchar(20)); "      \
    "CREATE TABLE odk_sync_history (id serial PRIMARY KEY, sync_type text," \
    " sync_timestamp timestamptz, status text); "                           \
    "INSERT INTO odk_sync_history (sync_type) VALUES ('a')"

/* The tables of OLD, and what is in the way of adopting them; NULL: nothing. */
static const struct {
    const char *sql, *message;
} olds[] = {
    { "SELECT", NULL },
    { "DROP TABLE odk_sync_status", NULL },
    { "DROP TABLE odk_sync_history", NULL },
    { "DROP TABLE odk_sync_status; CREATE VIEW odk_sync_status AS SELECT 1",
      "odks_test.odk_sync_status is a view: it was not made by the Python "
      "service" },
    { "DROP TABLE odk_sync_history; CREATE SEQUENCE odk_sync_history",
      "odks_test.odk_sync_history is not a table: it was not made by the "
      "Python service" },
    { "ALTER TABLE odk_sync_history DROP COLUMN sync_type",
      "odks_test.odk_sync_history has no column sync_type: it was not made by "
      "the Python service" },
    { "ALTER TABLE odk_sync_status DROP CONSTRAINT odk_sync_status_pkey; "
      "ALTER TABLE odk_sync_status ADD PRIMARY KEY (last_sync_status)",
      "odks_test.odk_sync_status has a primary key other than (sync_type): it "
      "was not made by the Python service" },
    { "ALTER TABLE odk_sync_status DROP CONSTRAINT odk_sync_status_pkey; "
      "ALTER TABLE odk_sync_status ADD PRIMARY KEY (last_sync_status), "
      "ADD UNIQUE (sync_type)",
      NULL },
    { "ALTER TABLE odk_sync_history ADD COLUMN metadata jsonb",
      "column metadata of odks_test.odk_sync_history is jsonb, not text" },
    { "ALTER TABLE odk_sync_history ALTER id TYPE smallint",
      "column id of odks_test.odk_sync_history is smallint, not integer" },
    { "ALTER TABLE odk_sync_history ALTER sync_timestamp TYPE timestamp",
      "column sync_timestamp of odks_test.odk_sync_history is timestamp "
      "without time zone, not timestamptz" },
    { "ALTER TABLE odk_sync_status ALTER sync_type TYPE varchar(30)", NULL },
    { "ALTER TABLE odk_sync_status ALTER sync_type TYPE varchar(30); "
      "CREATE VIEW odks_test.seen AS SELECT sync_type FROM odk_sync_status",
      "column sync_type of odks_test.odk_sync_status is too short, and "
      "odks_test.seen uses it" },
    { "ALTER TABLE odk_sync_history ADD COLUMN \"the site\" text; "
      "UPDATE odk_sync_history SET \"the site\" = ''; "
      "ALTER TABLE odk_sync_history ALTER \"the site\" SET NOT NULL",
      "column \"the site\" of odks_test.odk_sync_history is NOT NULL without "
      "a default" },
    { "CREATE RULE r AS ON INSERT TO odk_sync_status DO ALSO NOTHING",
      "rule r of odks_test.odk_sync_status stands in the way of writing" },
    { "CREATE RULE r AS ON INSERT TO odk_sync_history DO ALSO NOTHING", NULL },
    { "CREATE RULE r AS ON UPDATE TO odk_sync_history DO INSTEAD NOTHING",
      "rule r of odks_test.odk_sync_history stands in the way of writing" },
    { "CREATE TABLE odk_sync_history_adopted ()",
      "odk_sync_history_adopted is in the way of adopting "
      "odks_test.odk_sync_history" },
    { "ALTER TABLE odk_sync_status DROP CONSTRAINT odk_sync_status_pkey; "
      "INSERT INTO odk_sync_status VALUES ('a'), ('a')",
      "odks_test.odk_sync_status: add primary key (sync_type): could not "
      "create unique index \"odk_sync_status_pkey\"" },
    { "UPDATE odk_sync_history SET status = 'failed'", NULL },
};

START_TEST(tables_of_the_old_service)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    const char *message = olds[_i].message;
    int applied = -1;

    CLEANUP_FREE char *sql = odks_xasprintf(OLD "; %s", olds[_i].sql);
    test_do(db, sql);
    ck_assert(!check(db, &err));
    ck_assert_str_eq(err.message,
                     "schema \"odks_test\" has odk_sync_status or "
                     "odk_sync_history of another program, not adopted yet");
    odks_err_clear(&err);
    bool ok = odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err);
    if (message != NULL) {
        ck_assert(!ok);
        ck_assert_str_eq(err.message, message);
        ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
        ck_assert_str_ne(err.hint, "");
        ODKS_SQL_IS(db, "SELECT to_regclass('odk_sync_schema')", "");
        return;
    }
    ck_assert_msg(ok, "%d %s (%s)", err.code, err.message, err.detail);
    ODKS_OK(check(db, &err));
    /* one of them with its metadata written by either name */
    ODKS_SQL_IS(db,
                "SELECT odk_sync_complete(odk_sync_start('b', 'h'), 'b', 1, "
                "NULL, '{\"x\": 1}'); "
                "INSERT INTO odk_sync_history (sync_type, status, "
                "sync_metadata) VALUES ('c', 'success', 'y'); "
                "SELECT string_agg(metadata || sync_metadata, ',' ORDER BY id)"
                " FROM odk_sync_history WHERE sync_type IN ('b', 'c')",
                "{\"x\": 1}{\"x\": 1},yy");
    ODKS_OK(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err));
    ck_assert_int_eq(applied, 0);
}
END_TEST

/* A stray table of that name is not taken for one that is being adopted. */
START_TEST(stray)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    test_do(db, "CREATE SCHEMA odks_test; "
                "CREATE TABLE odks_test.odk_sync_status_adopted (a integer)");
    ODKS_OK(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err));
    ODKS_SQL_IS(db,
                "SELECT count(*) FROM pg_attribute WHERE attrelid IN "
                "('odk_sync_status'::regclass, "
                "'odk_sync_status_adopted'::regclass) AND attnum > 0",
                "11");
}
END_TEST

static FILE *told; /* what take_line() got */

static void
take_line(const char *what)
{
    ck_assert_int_ge(fprintf(told, "%s\n", what), 0);
}

/* The plan of odks_migrate() as text; what it fails with stays in err. */
static char *
plan(struct odks_db *db, const char *form_schema, struct odks_err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct odks_err ignored = ODKS_ERR_INIT;

    told = open_memstream(&text, &len);
    odks_err_clear(err);
    ck_assert(odks_db_begin(db, &ignored));
    ck_assert(odks_migrate_plan(db, SCHEMAS(form_schema), take_line, err)
              == (err->code == ODKS_EXIT_OK));
    odks_db_rollback(db);
    ck_assert_int_eq(fclose(told), 0);
    return text;
}

#define PLAN_IS(form_schema, want, want_message)                             \
    do {                                                                     \
        char *got_ = plan(db, form_schema, &err);                            \
        ck_assert_str_eq(got_, want);                                        \
        free(got_);                                                          \
        ck_assert_str_eq(err.message, want_message);                         \
        ck_assert_int_eq(err.code, want_message[0] == 0 ? ODKS_EXIT_OK       \
                                                        : ODKS_EXIT_CONFIG); \
    } while (0)

START_TEST(planned)
{
    CLEANUP_DB struct odks_db *db = empty();
    struct odks_err err = ODKS_ERR_INIT;
    int applied = -1;

    char *got = plan(db, "od\"k x", &err);
    ck_assert_msg(strncmp(got,
                          "create schema \"od\"\"k x\"\n"
                          "create schema odks_test\n"
                          "apply 0001_base\napply 0002_adoption\n",
                          84)
                      == 0,
                  "%s", got);
    free(got);
    ck_assert_str_eq(err.message,
                     "there are no odk_sync_* tables in schema \"odks_test\"");
    ODKS_OK(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err));
    PLAN_IS("odks_test", "", "");
    PLAN_IS("od\"k x", "create schema \"od\"\"k x\"\n",
            "a schema for form tables is missing");
    test_do(db, "DELETE FROM odk_sync_schema WHERE version > 1");
    got = plan(db, "odks_test", &err);
    ck_assert_msg(strncmp(got, "apply 0002_adoption\n", 20) == 0, "%s", got);
    free(got);
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
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

    ODKS_OK(odks_migrate_print("odks_test", SCHEMAS("od\"k x"), out, &err));
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

    tcase_add_test(tc, from_nothing);
    tcase_add_test(tc, without_rights);
    tcase_add_loop_test(tc, not_ours, 0, sizeof(states) / sizeof(states[0]));
    tcase_add_test(tc, older);
    tcase_add_test(tc, all_or_nothing);
    tcase_add_loop_test(tc, tables_of_the_old_service, 0,
                        sizeof(olds) / sizeof(olds[0]));
    tcase_add_test(tc, stray);
    tcase_add_test(tc, planned);
    tcase_add_test(tc, printed);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
