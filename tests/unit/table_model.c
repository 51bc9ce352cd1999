/* tests/unit/table_model.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/model.h"

#include <string.h>

#include "table_model_help.h"

/* Prepare must fail so. */
static void
refuse(const struct odks_model_conf *conf, const char *fields,
       const char *message, const char *hint)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_model *model = NULL;
    struct odks_model_changes changes;
    struct odks_field *root = form(fields);

    begin(db);
    ck_assert(!odks_model_prepare(db, conf, root, false, NULL, &model, &changes,
                                  &err));
    odks_db_rollback(db);
    ck_assert_ptr_null(model);
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, hint);
    free_form(root);
}

START_TEST(all_types)
{
    struct odks_model_changes changes;

    publish("t:text i:int d:decimal b:boolean da:date ti:time dt:dateTime"
            " gp:geopoint gt:geotrace gs:geoshape f:binary m:select_multiple",
            "1", &changes);
    ck_assert_int_eq(changes.tables, 1);
    ck_assert_str_eq(changes.summary, "1 new table: f");
    ck_ask(db, COLUMNS_OF("f"),
           "t:text i:int8 d:numeric b:bool da:date ti:text dt:timestamptz"
           " gp_lat:float8 gp_lon:float8 gp_alt:float8 gp_acc:float8 gp:jsonb"
           " gt:jsonb gs:jsonb f:text m:_text");
    ck_ask(db,
           "SELECT string_agg(column_name || ':' || udt_name"
           " || CASE is_nullable WHEN 'NO' THEN '!' ELSE '' END, ' '"
           " ORDER BY ordinal_position)"
           " FROM information_schema.columns WHERE table_schema = 'odk'"
           " AND column_name ~ '^_' AND table_name = 'f'",
           "_id:text! _submitted_at:timestamptz! _updated_at:timestamptz"
           " _deleted_at:timestamptz _review_state:text _submitter:text"
           " _device_id:text _edits:int4 _form_version:text _status:text"
           " _attachments_present:int4 _attachments_expected:int4 _raw:jsonb"
           " _synced_at:timestamptz!");
}
END_TEST

START_TEST(tables_of_repeats)
{
    publish("hh:text p[n:text v[d:date]] g{a[k:text]} h{a[k:text]}", "1", NULL);
    ck_ask(db, TABLES "'r'", "f f__g_a f__h_a f__p f__p__v");
    ck_ask(db, TABLES "'v'", "v_f v_f__g_a v_f__h_a v_f__p v_f__p__v");
    ck_ask(db,
           "SELECT string_agg(column_name || ':' || udt_name"
           " || CASE is_nullable WHEN 'NO' THEN '!' ELSE '' END, ' '"
           " ORDER BY ordinal_position)"
           " FROM information_schema.columns WHERE table_schema = 'odk'"
           " AND table_name = 'f__p__v'",
           "_id:text! _parent_id:text! _submission_id:text! _position:int4!"
           " _synced_at:timestamptz! d:date");
    ck_ask(db,
           "SELECT odata, path, odk_type, table_name, column_name"
           " FROM tracking.odk_sync_column WHERE odata LIKE '%.v'"
           " ORDER BY path",
           "Submissions.p.v||table|f__p__v|;"
           "Submissions.p.v|/p/v/d|date|f__p__v|d");
}
END_TEST

START_TEST(comments)
{
    publish("g{q:geopoint}", "1", NULL);
    ck_ask(db, "SELECT obj_description('odk.f'::regclass)",
           "odk-sync: Submissions of form f, project 1 of central");
    ck_ask(db,
           "SELECT col_description('odk.f'::regclass, attnum) FROM"
           " pg_attribute WHERE attrelid = 'odk.f'::regclass"
           " AND attname IN ('q', 'q_lat') ORDER BY attname",
           "/g/q (geopoint);/g/q (geopoint, lat)");
}
END_TEST

START_TEST(views_show_live_rows)
{
    publish("a:text r[x:int]", "1", NULL);
    run(db, "INSERT INTO odk.f (_id, _submitted_at, _deleted_at) VALUES"
            " ('live', now(), NULL), ('dead', now(), now());"
            "INSERT INTO odk.f__r VALUES ('1', 'live', 'live', 1, now(), 1),"
            " ('2', 'dead', 'dead', 1, now(), 2)");
    ck_ask(db, "SELECT _id FROM odk.v_f", "live");
    ck_ask(db, "SELECT x FROM odk.v_f__r", "1");
    ck_ask(db,
           "SELECT count(*) FROM information_schema.columns"
           " WHERE table_name = 'v_f' AND column_name = '_raw'",
           "0");
}
END_TEST

START_TEST(one_table_of_a_form)
{
    static const char *const only[] = { "Submissions.r", NULL };
    struct odks_model_conf conf = model_conf;
    struct odks_field *root = form("a:text r[x:int]");

    conf.tables = only;
    odks_model_free(prepare(db, &conf, root, NULL));
    ck_ask(db, TABLES "'r'", "f__r");
    run(db, "INSERT INTO odk.f__r VALUES ('1', 's', 's', 1, now(), 1)");
    ck_ask(db, "SELECT x FROM odk.v_f__r", "1");
    /* with the submissions, the view begins to look at them */
    odks_model_free(prepare(db, &model_conf, root, NULL));
    ck_ask(db, "SELECT x FROM odk.v_f__r", "");
    run(db, "INSERT INTO odk.f (_id, _submitted_at) VALUES ('s', now())");
    ck_ask(db, "SELECT x FROM odk.v_f__r", "1");
    /* and nothing of the one job is undone by the other */
    odks_model_free(prepare(db, &conf, root, NULL));
    ck_ask(db,
           "SELECT count(*) FROM tracking.odk_sync_column"
           " WHERE retired_at IS NOT NULL",
           "0");
    free_form(root);
}
END_TEST

START_TEST(unknown_table)
{
    static const char *const wrong[] = { "Submissions.persons", NULL };
    static const char *const odd[] = { "Submissions/x/y/z/0", NULL };
    struct odks_model_conf conf = model_conf;

    conf.tables = wrong;
    refuse(&conf, "a:text person[x:int]",
           "form f has no table Submissions.persons",
           "Did you mean Submissions.person?");
    conf.tables = odd;
    refuse(&conf, "a:text", "form f has no table Submissions/x/y/z/0",
           "Leave tables = out to have all of them.");
}
END_TEST

START_TEST(foreign_relations)
{
    struct odks_model_conf conf = model_conf;

    run(db, "CREATE TABLE odk.f (x int); CREATE VIEW odk.v_g AS SELECT 1 AS"
            " x");
    refuse(&model_conf, "a:text", "odk.f exists already and is not of form f",
           "Rename it, or set table = f_2 in [job sync].");
    conf.table = "g";
    refuse(&conf, "a:text", "odk.v_g exists already and is not of form f",
           "Rename it, or set table = f_2 in [job sync].");
    conf.table = "h";
    struct odks_field *root = form("a:text");
    odks_model_free(prepare(db, &conf, root, NULL));
    free_form(root);
    ck_ask(db, TABLES "'r'", "f h");
    /* a job that does not say where finds them by the registry */
    publish("a:text b:text", "2", NULL);
    ck_ask(db, COLUMNS_OF("h"), "a:text b:text");
    conf.table = "i";
    refuse(&conf, "a:text",
           "the submissions of form f are in table h, not in"
           " i",
           "Set table = h in [job sync].");
    conf.table = NULL;
    conf.schema = "elsewhere";
    refuse(&conf, "a:text",
           "the tables of form f are in schema odk, not in elsewhere",
           "Set schema = odk in [job sync].");
    conf.schema = "odk";
    conf.project = 2;
    conf.table = "h";
    refuse(&conf, "a:text", "odk.h exists already and is not of form f",
           "Rename it, or set table = f_2 in [job sync].");
}
END_TEST

START_TEST(dropped_tables)
{
    publish("a:text r[x:int]", "1", NULL);
    run(db, "DROP TABLE odk.f__r CASCADE");
    refuse(&model_conf, "a:text r[x:int]", "table odk.f__r is gone",
           "Restore it, or drop the other tables of form f too: then all of"
           " them are made and filled anew.");
    run(db, "DROP TABLE odk.f CASCADE");
    publish("a:text r[x:int]", "1", NULL);
    ck_ask(db, TABLES "'r'", "f f__r");
    ck_ask(db, TABLES "'v'", "v_f v_f__r");
    run(db, "ALTER TABLE odk.f DROP COLUMN a CASCADE");
    refuse(&model_conf, "a:text r[x:int]", "column a of table f is gone",
           "Add it again as text, and run the job with --full to fill it.");
}
END_TEST

START_TEST(dry_run)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_model *model = NULL;
    struct odks_model_changes changes;
    struct odks_buf ddl = ODKS_BUF_INIT(1 << 20);
    struct odks_field *root = form("a:text r[x:int]");

    begin(db);
    ck_assert(odks_model_prepare(db, &model_conf, root, true, &ddl, &model,
                                 &changes, &err));
    commit(db);
    ck_ask(db, TABLES "'r'", "-");
    ck_ask(db, "SELECT count(*) FROM tracking.odk_sync_column", "0");
    ck_assert_ptr_nonnull(strstr(ddl.data, "CREATE TABLE \"odk\".\"f__r\""));
    ck_assert_str_eq(changes.summary, "2 new tables: f, f__r");
    ck_assert_uint_eq(model->table_count, 2);
    run(db, ddl.data); /* it is complete, and runs */
    ck_ask(db, TABLES "'r'", "f f__r");
    odks_buf_free(&ddl);
    odks_model_free(model);
    free_form(root);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_model");
    TCase *tc = tcase_create("model");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_types);
    tcase_add_test(tc, tables_of_repeats);
    tcase_add_test(tc, comments);
    tcase_add_test(tc, views_show_live_rows);
    tcase_add_test(tc, one_table_of_a_form);
    tcase_add_test(tc, unknown_table);
    tcase_add_test(tc, foreign_relations);
    tcase_add_test(tc, dropped_tables);
    tcase_add_test(tc, dry_run);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
