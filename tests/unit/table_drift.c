/* tests/unit/table_drift.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/model.h"

#include <string.h>

#include "table_model_help.h"

/* A second run must not even get a transaction id. */
START_TEST(nothing_to_do_writes_nothing)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_model_changes changes;
    struct odks_model *model = NULL;
    struct odks_field *root = form("a:text g:geopoint r[x:int]");

    publish("a:text g:geopoint r[x:int]", "1", NULL);
    begin(db);
    ck_assert(odks_model_prepare(db, &model_conf, root, false, NULL, &model,
                                 &changes, &err));
    PGresult *res =
        odks_db_exec(db, "test",
                     "SELECT pg_current_xact_id_if_assigned() IS NULL,"
                     " (SELECT count(*) FROM pg_locks WHERE locktype ="
                     " 'advisory' AND pid = pg_backend_pid())",
                     0, NULL, &err);
    ck_assert_str_eq(odks_db_text(res, 0, 0), "t");
    ck_assert_str_eq(odks_db_text(res, 0, 1), "0");
    PQclear(res);
    commit(db);
    ck_assert_int_eq(changes.tables + changes.columns, 0);
    ck_assert_str_eq(changes.summary, "");
    ck_assert_uint_eq(model->table_count, 2);
    ck_assert_str_eq(model->table[1]->column[4].name, "x");
    odks_model_free(model);
    free_form(root);
}
END_TEST

/* How PostgreSQL prints a type decides nothing. */
START_TEST(types_are_numbers)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_model_changes changes;
    struct odks_model *model = NULL;
    struct odks_field *root = form("g:geotrace");

    publish("g:geotrace", "1", NULL);
    begin(db);
    ck_assert(
        odks_db_do(db, "test", "SET LOCAL quote_all_identifiers = on", &err));
    ck_assert(odks_model_prepare(db, &model_conf, root, false, NULL, &model,
                                 &changes, &err));
    commit(db);
    ck_assert(!model->table[0]->target[0].geometry);
    odks_model_free(model);
    free_form(root);
}
END_TEST

START_TEST(new_question_becomes_a_column)
{
    struct odks_model_changes changes;

    publish("a:text", "1", NULL);
    publish("n:int a:text g{gp:geopoint}", "2", &changes);
    ck_assert_int_eq(changes.tables, 0);
    ck_assert_int_eq(changes.columns, 6);
    ck_assert_str_eq(changes.summary,
                     "6 new columns: n, gp_lat, gp_lon, gp_alt, gp_acc, gp");
    ck_ask(db, COLUMNS_OF("f"),
           "a:text n:int8 gp_lat:float8 gp_lon:float8 gp_alt:float8"
           " gp_acc:float8 gp:jsonb");
    ck_ask(db,
           "SELECT column_name, first_version, last_version"
           " FROM tracking.odk_sync_column WHERE path IN ('/a', '/n')"
           " ORDER BY 1",
           "a|1|2;n|2|2");
    ck_ask(db,
           "SELECT change, detail, form_version"
           " FROM tracking.odk_sync_schema_log WHERE detail LIKE 'n %'",
           "new column|n bigint for /n|2");
    /* the view got them behind what it had */
    ck_ask(db, COLUMNS_OF("v_f"),
           "a:text n:int8 gp_lat:float8 gp_lon:float8 gp_alt:float8"
           " gp_acc:float8 gp:jsonb");
}
END_TEST

START_TEST(changed_type_becomes_a_column)
{
    publish("num:int g:text", "1", NULL);
    run(db, "INSERT INTO odk.f (_id, _submitted_at, num) VALUES ('a', now(),"
            " 7)");
    publish("num:text g:text", "2", NULL);
    publish("num:decimal g:text", "3", NULL);
    ck_ask(db, COLUMNS_OF("f"), "num:int8 g:text num_v2:text num_v3:numeric");
    ck_ask(db, "SELECT num, num_v2 FROM odk.f", "7|-");
    ck_ask(db,
           "SELECT column_name, retired_at IS NOT NULL"
           " FROM tracking.odk_sync_column WHERE path = '/num'"
           " ORDER BY column_name",
           "num|t;num_v2|t;num_v3|f");
    /* back to the first type: its column */
    publish("num:int g:text", "4", NULL);
    ck_ask(db,
           "SELECT column_name FROM tracking.odk_sync_column"
           " WHERE path = '/num' AND retired_at IS NULL",
           "num");
    ck_ask(db, COLUMNS_OF("f"), "num:int8 g:text num_v2:text num_v3:numeric");
}
END_TEST

START_TEST(gone_and_back)
{
    struct odks_model_changes changes;

    publish("a:text b:text r[x:int]", "1", NULL);
    run(db, "INSERT INTO odk.f (_id, _submitted_at, b) VALUES ('i', now(),"
            " 'kept')");
    publish("a:text", "2", &changes);
    ck_assert_str_eq(changes.summary, "3 columns out of use");
    ck_ask(db, "SELECT b FROM odk.f", "kept");
    ck_ask(db, TABLES "'r'", "f f__r");
    publish("a:text b:text r[x:int]", "3", &changes);
    ck_assert_int_eq(changes.columns + changes.tables, 0);
    ck_assert_str_eq(changes.summary, "2 columns in use again");
    ck_ask(db, COLUMNS_OF("f"), "a:text b:text");
    ck_ask(db,
           "SELECT count(*) FROM tracking.odk_sync_column"
           " WHERE retired_at IS NOT NULL",
           "0");
}
END_TEST

START_TEST(names_never_change)
{
    publish("a{name:text}", "1", NULL);
    publish("a{name:text} b{name:text} Name:text user:text", "2", NULL);
    ck_ask(db,
           "SELECT path, column_name FROM tracking.odk_sync_column"
           " WHERE path <> '' AND odk_type <> 'raw'"
           " ORDER BY path COLLATE \"C\"",
           "/Name|name_2;/a/name|name;/b/name|b_name;/user|q_user");
}
END_TEST

START_TEST(views_keep_their_grants)
{
    publish("a:text", "1", NULL);
    run(db, "GRANT SELECT ON odk.v_f TO PUBLIC");
    publish("z:text a:text", "2", NULL);
    ck_ask(db,
           "SELECT relacl::text LIKE '%,=r/%' FROM pg_class"
           " WHERE relname = 'v_f'",
           "t");
    ck_ask(db, COLUMNS_OF("v_f"), "a:text z:text");
}
END_TEST

/* count fields "q1:text q2:text..."; the caller frees. */
static char *
many(int count, const char *more)
{
    struct odks_buf text = ODKS_BUF_INIT(1 << 20);

    for (int i = 1; i <= count; i++)
        ck_assert(odks_buf_printf(&text, "q%d:text ", i));
    ck_assert(odks_buf_add_str(&text, more));
    return text.data;
}

START_TEST(more_fields_than_columns)
{
    struct odks_model_changes changes;
    /* 12 system columns, _raw and _synced_at leave 1,576 */
    CLEANUP_FREE char *all = many(1575, "loc:geopoint last:text late:text");

    publish(all, "1", &changes);
    ck_assert_str_eq(changes.summary, "1 new table: f");
    ck_assert_str_eq(changes.warning, "2 questions have no column, for the"
                                      " table is full: only in _raw");
    ck_ask(db,
           "SELECT count(*) FROM information_schema.columns"
           " WHERE table_schema = 'odk' AND table_name = 'f'",
           "1590");
    ck_ask(db,
           "SELECT string_agg(detail, ' ') FROM tracking.odk_sync_schema_log"
           " WHERE change = 'no room for a column'",
           "/loc /late");
    publish(all, "1", &changes); /* nothing changed */
    ck_assert_str_eq(changes.summary, "");
    ck_assert_str_eq(changes.warning, "");
}
END_TEST

START_TEST(long_names)
{
#define SIXTY "this_is_a_very_long_field_name_that_goes_beyond_the_sixty_three"
    publish(SIXTY "_byte_limit_a:text " SIXTY "_byte_limit_b:int " SIXTY
                  "_byte_limit_c:geopoint",
            "1", NULL);
    ck_ask(db,
           "SELECT count(DISTINCT column_name), max(octet_length(column_name)),"
           " count(*) FILTER (WHERE column_name LIKE '%\\_lat')"
           " FROM tracking.odk_sync_column WHERE path LIKE '/this%'",
           "7|63|1");
    CLEANUP_FREE char *before =
        ask(db, "SELECT string_agg(column_name, ' ' ORDER BY column_name)"
                " FROM tracking.odk_sync_column");
    publish(SIXTY "_byte_limit_b:int " SIXTY "_byte_limit_a:text " SIXTY
                  "_byte_limit_c:geopoint",
            "2", NULL);
    ck_ask(db,
           "SELECT string_agg(column_name, ' ' ORDER BY column_name)"
           " FROM tracking.odk_sync_column",
           before);
}
END_TEST

START_TEST(raw_comes_later)
{
    struct odks_model_conf conf = model_conf;
    struct odks_field *root = form("a:text");

    conf.raw = false;
    struct odks_model *model = prepare(db, &conf, root, NULL);
    ck_assert_uint_eq(model->table[0]->system_count, ODKS_SYSTEM_COLUMNS);
    odks_model_free(model);
    model = prepare(db, &model_conf, root, NULL);
    ck_assert_uint_eq(model->table[0]->system_count, ODKS_SYSTEM_COLUMNS + 1);
    odks_model_free(model);
    /* and stays a column, to be emptied */
    model = prepare(db, &conf, root, NULL);
    ck_assert_uint_eq(model->table[0]->system_count, ODKS_SYSTEM_COLUMNS + 1);
    ck_assert(!model->raw);
    odks_model_free(model);
    free_form(root);
}
END_TEST

START_TEST(version_may_be_null)
{
    publish("a:text", NULL, NULL);
    struct odks_model_changes changes;
    publish("a:text", NULL, &changes);
    ck_assert_str_eq(changes.summary, "");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_drift");
    TCase *tc = tcase_create("drift");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_to_do_writes_nothing);
    tcase_add_test(tc, types_are_numbers);
    tcase_add_test(tc, new_question_becomes_a_column);
    tcase_add_test(tc, changed_type_becomes_a_column);
    tcase_add_test(tc, gone_and_back);
    tcase_add_test(tc, names_never_change);
    tcase_add_test(tc, views_keep_their_grants);
    tcase_add_test(tc, more_fields_than_columns);
    tcase_add_test(tc, long_names);
    tcase_add_test(tc, raw_comes_later);
    tcase_add_test(tc, version_may_be_null);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
