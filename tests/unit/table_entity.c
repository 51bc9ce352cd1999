/* tests/unit/table_entity.c - SPDX-License-Identifier: Apache-2.0 */
/* Entities in their table: what differs from submissions. */
#include <config.h>

#include "table/batch.h"

#include <string.h>

#include "central_script.h"
#include "core/time.h"
#include "table/proof.h"
#include "table/reconcile.h"
#include "table_batch_help.h"

#define ID "05aa6c28-f91c-458c-a9d1-87d61047f566"
#define OTHER "6d07358d-7e50-4d07-889e-f991a611bce8"

/* A row as Central sends it, of 10 o'clock; more: of __system. */
#define ENTITY(id, more, properties)                                     \
    "{\"__id\":\"" id "\",\"label\":\"L\",\"__system\":{\"createdAt\":"  \
    "\"2026-11-23T10:00:00.000Z\",\"creatorId\":\"5\",\"creatorName\":"  \
    "\"anna\",\"updates\":0,\"updatedAt\":null,\"version\":1,\"conflict" \
    "\":null" more "}," properties "}"

#define ALL                                                                  \
    "SELECT _label, _creator, _updates, _version, coalesce(_conflict, '-')," \
    " coalesce(a, '-'), _deleted_at IS NULL FROM odk.f__entity ORDER BY _id"

static const struct odks_model_conf conf = {
    .sync_type = "sync",
    .central = "central",
    .project = 1,
    .feed = ODKS_FEED_DATASET,
    .form_id = "f",
    .schema = "odk",
    .raw = true,
};

static struct odks_merge
add(const char *row)
{
    return take(db, batch, odks_xstrdup(row), NULL);
}

START_TEST(a_row)
{
    with("a:text geometry:place", &conf, ODKS_DELETE_SOFT);
    struct odks_merge c =
        add(ENTITY(ID, "", "\"a\":\"\",\"geometry\":\"50 14 2 3\""));
    ck_counts(&c, 1, 0, 0, 0, 0);
    ck_ask(db, ALL, "L|anna|0|1|-|-|t");
    ck_ask(db,
           "SELECT geometry, geometry_lat, geometry_lon, geometry_alt,"
           " geometry_acc, _created_at = '2026-11-23 10:00Z',"
           " _raw->>'a' FROM odk.f__entity",
           "50 14 2 3|50|14|2|3|t|");
    c = add(ENTITY(ID, "", "\"a\":\"\",\"geometry\":\"50 14 2 3\""));
    ck_counts(&c, 0, 0, 0, 1, 0);
    c = add(ENTITY(ID, ",\"version\":2,\"conflict\":\"soft\"", "\"a\":\"x\""));
    ck_counts(&c, 0, 1, 0, 0, 0);
    ck_ask(db, ALL, "L|anna|0|2|soft|x|t");
}
END_TEST

/* Of a property it would say that there is none. */
START_TEST(an_empty_label)
{
    with("a:text", &conf, ODKS_DELETE_SOFT);
    (void) add("{\"__id\":\"" ID "\",\"label\":\"\",\"a\":\"\","
               "\"__system\":{\"createdAt\":\"2026-11-23T10:00:00.000Z\"}}");
    ck_ask(db, "SELECT _label = '', a IS NULL FROM odk.f__entity", "t|t");
}
END_TEST

/* The same entity twice in one batch: the later version counts. */
START_TEST(twice)
{
    with("a:text", &conf, ODKS_DELETE_SOFT);
    (void) take(
        db, batch, odks_xstrdup(ENTITY(ID, ",\"version\":3", "\"a\":\"new\"")),
        odks_xstrdup(ENTITY(ID, ",\"version\":2", "\"a\":\"old\"")), NULL);
    ck_ask(db, ALL, "L|anna|0|3|-|new|t");
}
END_TEST

START_TEST(no_entity)
{
    static const char *const rows[] = {
        "{\"__id\":\"" ID "\",\"label\":\"x\",\"__system\":{}}",
        "{\"__id\":\"" ID "\"}",
        "{\"__id\":\"\",\"__system\":{}}",
        "[]",
    };
    struct odks_err err = ODKS_ERR_INIT;

    with("a:text", &conf, ODKS_DELETE_SOFT);
    ck_assert(!odks_batch_add(batch, rows[_i], strlen(rows[_i]), &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
}
END_TEST

START_TEST(a_form_of_the_same_name)
{
    struct odks_model_conf form_conf = conf;
    struct odks_model_changes changes;
    bool intact;
    int64_t live;
    struct odks_err err = ODKS_ERR_INIT;

    form_conf.feed = ODKS_FEED_FORM;
    form_conf.sync_type = "other";
    with("a:text", &form_conf, ODKS_DELETE_SOFT);
    with("a:text b:text", &conf, ODKS_DELETE_SOFT);
    odks_model_free(prepare(db, &form_conf, fields, &changes));
    ck_assert_str_eq(changes.summary, "1 new column: b");
    ck_ask(db,
           "SELECT source, odata, count(*) FROM tracking.odk_sync_column"
           " GROUP BY 1, 2 ORDER BY 1",
           "dataset|Entities|4;form|Submissions|4");
    ck_ask(db,
           "SELECT string_agg(view_name, ' ' ORDER BY view_name) FROM"
           " tracking.odk_sync_view WHERE kind = 'live'",
           "v_f v_f__entity");
    run(db, "DROP TABLE odk.f CASCADE");
    begin(db);
    ck_assert(odks_table_intact(db, &conf, &intact, &live, &err));
    ck_assert(intact && live == 0);
    ck_assert(odks_table_intact(db, &form_conf, &intact, &live, &err));
    ck_assert(!intact);
    commit(db);
}
END_TEST

/* --- the trash ------------------------------------------------------------ */

/* A trash that knows of the one entity, and what becomes of its rows. */
static const struct {
    enum odks_on_delete on_delete;
    const char *first;  /* one that was never here */
    const char *second; /* one that was */
} fates[] = {
    { ODKS_DELETE_SOFT, "L|2026-11-23 16:17:45.604+00",
      "L|2026-11-23 16:17:45.604+00" },
    { ODKS_DELETE_HARD, "", "" },
    { ODKS_DELETE_KEEP, "L|-", "L|-" },
};

START_TEST(from_the_trash)
{
    const struct script_step steps[] = {
        LOGIN,
        JSON("[{\"uuid\":\"" ID
             "\",\"deletedAt\":\"2026-11-23T16:17:45.604Z\"}]"),
        { NULL }
    };
    static const char rows[] = "SELECT _label, _deleted_at FROM odk.f__entity";
    struct session s;
    struct odks_trash *trash;

    session_begin(&s, steps);
    ck_assert(odks_central_trash(s.central, 1, "f", &trash, &s.err));
    with("a:text", &conf, fates[_i].on_delete);
    odks_batch_from_trash(batch, trash);
    (void) add(ENTITY(OTHER, "", "\"a\":\"not in the trash\""));
    ck_ask(db, rows, "");
    (void) add(ENTITY(ID, "", "\"a\":\"x\""));
    ck_ask(db, rows, fates[_i].first);
    odks_batch_from_trash(batch, NULL);
    (void) add(ENTITY(ID, "", "\"a\":\"x\""));
    ck_ask(db, rows, "L|-");
    odks_batch_from_trash(batch, trash);
    (void) add(ENTITY(ID, "", "\"a\":\"x\""));
    ck_ask(db, rows, fates[_i].second);
    odks_trash_free(trash);
    session_end(&s);
}
END_TEST

/* --- keys ----------------------------------------------------------------- */

static const struct {
    const char *set; /* here, against an entity as it was added */
    const char *expected;
} differences[] = {
    { "_label = 'other'", "0" }, /* never without a date */
    { "_version = 2", "1" },        { "_version = NULL", "1" },
    { "_conflict = 'hard'", "1" },  { "_creator = 'renamed'", "1" },
    { "_updated_at = now()", "1" },
};

START_TEST(what_differs)
{
    static const char row[] = ENTITY(ID, "", "\"a\":\"\"");
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_difference d;
    struct odks_reconcile *r;
    CLEANUP_FREE char *sql =
        odks_xasprintf("UPDATE odk.f__entity SET %s", differences[_i].set);

    with("a:text", &conf, ODKS_DELETE_SOFT);
    (void) add(row);
    run(db, sql);
    begin(db);
    ck_assert(
        odks_reconcile_begin(db, model, "sync", ODKS_DELETE_SOFT, &r, &err));
    ck_assert(odks_reconcile_add(r, row, strlen(row), &err));
    ck_assert_msg(odks_reconcile_flush(r, db, &err), "%s", err.message);
    ck_assert_msg(odks_reconcile_compare(r, db, ODKS_TIME_NONE, &d, &err), "%s",
                  err.message);
    ck_assert_int_eq(d.missing, differences[_i].expected[0] - '0');
    ck_assert_int_eq(d.gone + d.deleted + d.restored, 0);
    commit(db);
    odks_reconcile_free(r);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_entity");
    TCase *tc = tcase_create("all");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_row);
    tcase_add_test(tc, an_empty_label);
    tcase_add_test(tc, twice);
    tcase_add_loop_test(tc, no_entity, 0, 4);
    tcase_add_test(tc, a_form_of_the_same_name);
    tcase_add_loop_test(tc, from_the_trash, 0, COUNT(fates));
    tcase_add_loop_test(tc, what_differs, 0, COUNT(differences));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
