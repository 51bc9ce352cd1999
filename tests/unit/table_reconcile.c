/* tests/unit/table_reconcile.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/reconcile.h"

#include <string.h>

#include "core/mem.h"
#include "core/time.h"
#include "table_help.h"
#include "unit.h"

static struct odks_db *db;
static struct odks_field *fields;
static struct odks_model *model;
static struct odks_reconcile *r;

static void
setup(void)
{
    struct odks_err err = ODKS_ERR_INIT;

    db = open_db();
    /* questions may have any name */
    fields =
        form("a:text n:int same:int submitted_at:date k:text t:text id:text"
             " sync_type:text r[x:int]");
    model = prepare(db, &model_conf, fields, NULL);
    begin(db);
    ck_assert(
        odks_reconcile_begin(db, model, "sync", ODKS_DELETE_SOFT, &r, &err));
    commit(db);
}

/* As setup, for another on_delete. */
static void
begin_again(enum odks_on_delete on_delete)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_reconcile_free(r);
    begin(db);
    ck_assert(odks_reconcile_begin(db, model, "sync", on_delete, &r, &err));
    commit(db);
}

static void
teardown(void)
{
    odks_reconcile_free(r);
    odks_model_free(model);
    free_form(fields);
    close_db(db);
}

/* A submission in our table, there since long; hour of the 23rd. */
static void
here(const char *id, int hour, const char *set)
{
    CLEANUP_FREE char *sql = odks_xasprintf(
        "INSERT INTO odk.f (_id, _submitted_at, _review_state, _synced_at)"
        " VALUES ('%s', '2026-11-23 %d:00Z', 'received', '2026-01-01');"
        "INSERT INTO odk.f__r VALUES ('r%s', '%s', '%s', 1, now(), 1);"
        "UPDATE odk.f SET %s WHERE _id = '%s'",
        id, hour, id, id, id, set, id);

    run(db, sql);
}

/* A key as Central sends it. */
static void
there(const char *id, int hour, const char *more)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_FREE char *row = odks_xasprintf(
        "{\"__id\":\"%s\",\"__system\":{\"submissionDate\":"
        "\"2026-11-23T%02d:00:00.000Z\",\"updatedAt\":null,\"deletedAt\":null,"
        "\"reviewState\":null%s%s}}",
        id, hour, more[0] != '\0' ? "," : "", more);

    ck_assert_msg(odks_reconcile_add(r, row, strlen(row), &err), "%s",
                  err.message);
}

static void
flush(void)
{
    struct odks_err err = ODKS_ERR_INIT;

    begin(db);
    ck_assert_msg(odks_reconcile_flush(r, db, &err), "%s", err.message);
    commit(db);
}

/* "missing gone deleted restored live" */
static void
ck_difference(const char *expected)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_difference d = { 0 };

    begin(db);
    ck_assert_msg(odks_reconcile_compare(r, db, ODKS_TIME_NONE, &d, &err), "%s",
                  err.message);
    commit(db);
    CLEANUP_FREE char *got =
        odks_xasprintf("%d %d %d %d %d", (int) d.missing, (int) d.gone,
                       (int) d.deleted, (int) d.restored, (int) d.live);
    ck_assert_str_eq(got, expected);
}

/* "from until,from until" in hours of the day */
static void
ck_windows(int64_t rows, const char *expected)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_FREE struct odks_window *windows = NULL;
    CLEANUP_BUF struct odks_buf got = ODKS_BUF_INIT(1000);
    size_t count;

    begin(db);
    ck_assert_msg(odks_reconcile_windows(r, db, rows, &windows, &count, &err),
                  "%s", err.message);
    commit(db);
    ck_assert(odks_buf_add_str(&got, ""));
    for (size_t i = 0; i < count; i++) {
        char from[ODKS_TIME_TEXT], until[ODKS_TIME_TEXT];

        odks_time_format(windows[i].from, from);
        odks_time_format(windows[i].until, until);
        ck_assert_str_eq(until + 13, ":00:00.000001Z");
        ck_assert(odks_buf_printf(&got, "%s%.2s-%.2s", i > 0 ? "," : "",
                                  from + 11, until + 11));
    }
    ck_assert_str_eq(got.data, expected);
}

#define DELETED "\"deletedAt\":\"2026-11-23T18:00:00.000Z\""
#define EDITED "\"updatedAt\":\"2026-11-23T18:00:00.000Z\""

START_TEST(nothing_differs)
{
    here("a", 1, "a = 'x'");
    here("b", 2, "_deleted_at = '2026-11-23 18:00Z'");
    here("c", 3,
         "_updated_at = '2026-11-23 18:00Z', _review_state = 'approved',"
         " _submitter = 'Ann', _status = 'notDecrypted',"
         " _attachments_present = 1, _attachments_expected = 2");
    there("a", 1, "");
    there("b", 2, DELETED);
    there("c", 3,
          EDITED ",\"reviewState\":\"approved\",\"submitterName\":\"Ann\","
                 "\"status\":\"notDecrypted\",\"attachmentsPresent\":1,"
                 "\"attachmentsExpected\":2");
    there("purged soon", 4, DELETED);
    flush();
    ck_difference("0 0 0 0 2");
    ck_windows(10, "");
}
END_TEST

static const struct {
    const char *what;
    const char *set;   /* NULL: not here */
    const char *there; /* NULL: not there */
    const char *difference;
    const char *windows;
} cases[] = {
    { "missing", NULL, "", "1 0 0 0 0", "05-05" },
    { "edited", "a = 'x'", EDITED, "1 0 0 0 1", "05-05" },
    { "reviewed", "a = 'x'", "\"reviewState\":\"rejected\"", "1 0 0 0 1",
      "05-05" },
    { "review taken back", "_review_state = 'approved'", "", "1 0 0 0 1",
      "05-05" },
    { "submitter renamed", "_submitter = 'Ann'", "\"submitterName\":\"Anna\"",
      "1 0 0 0 1", "05-05" },
    { "decryptable now", "_status = 'missingEncryptedFormData'",
      "\"status\":\"notDecrypted\"", "1 0 0 0 1", "05-05" },
    { "attachment came", "_attachments_present = 0", "\"attachmentsPresent\":1",
      "1 0 0 0 1", "05-05" },
    { "attachments asked for", "_attachments_expected = 0",
      "\"attachmentsExpected\":1", "1 0 0 0 1", "05-05" },
    { "deleted again", "_deleted_at = '2026-11-23 17:00Z'", DELETED,
      "1 0 0 0 0", "05-05" },
    { "deleted, never here", NULL, DELETED, "0 0 0 0 0", "" },
    { "deleted", "a = 'x'", DELETED, "0 0 1 0 1", "05-05" },
    { "restored", "_deleted_at = now()", "", "0 0 0 1 0", "05-05" },
    { "gone", "a = 'x'", NULL, "0 1 0 0 1", "" },
    { "gone and deleted", "_deleted_at = now()", NULL, "0 0 0 0 0", "" },
    { "came while we looked", "_synced_at = now() + interval '1 hour'", NULL,
      "0 0 0 0 1", "" },
};

START_TEST(difference)
{
    if (cases[_i].set != NULL)
        here("s", 5, cases[_i].set);
    if (cases[_i].there != NULL)
        there("s", 5, cases[_i].there);
    flush();
    ck_difference(cases[_i].difference);
    ck_windows(10, cases[_i].windows);
}
END_TEST

/* Ten keys, one each hour from 0; those of missing are not here. */
static void
ten(const char *missing)
{
    for (int hour = 0; hour < 10; hour++) {
        char id[2] = { (char) ('0' + hour), '\0' };

        there(id, hour, "");
        if (strchr(missing, id[0]) == NULL)
            here(id, hour, "a = 'x'");
    }
}

static const struct {
    const char *missing;
    int rows;
    const char *windows;
} slices[] = {
    { "0123456789", 10, "00-09" },
    { "0123456789", 4, "00-03,04-07,08-09" },
    { "0123456789", 1,
      "00-00,01-01,02-02,03-03,04-04,05-05,06-06,07-07,08-08,09-09" },
    { "5", 4, "05-05" },
    { "17", 4, "01-01,07-07" },
    { "17", 10, "01-07" },
    { "123", 4, "01-03" },
};

START_TEST(windows)
{
    ten(slices[_i].missing);
    flush();
    ck_windows(slices[_i].rows, slices[_i].windows);
}
END_TEST

START_TEST(windows_of_one_instant)
{
    static const char *const ids[] = { "a", "b", "c", "d", "e" };

    there("0", 0, "");
    for (size_t i = 0; i < 5; i++)
        there(ids[i], 1, "");
    there("9", 2, "");
    flush();
    ck_windows(3, "00-00,01-01,02-02");
    ck_windows(10, "00-02");
}
END_TEST

/* What hard and keep see otherwise. */
static const struct {
    enum odks_on_delete on_delete;
    const char *set, *there, *difference;
} other_cases[] = {
    { ODKS_DELETE_HARD, "a = 'x'", DELETED, "0 0 1 0 1" },
    { ODKS_DELETE_HARD, "a = 'x'", NULL, "0 1 0 0 1" },
    /* marked before hard was chosen */
    { ODKS_DELETE_HARD, "_deleted_at = '2026-11-23 18:00Z'", DELETED,
      "0 0 1 0 0" },
    { ODKS_DELETE_HARD, "_deleted_at = now()", NULL, "0 1 0 0 0" },
    { ODKS_DELETE_HARD, "_deleted_at = now()", "", "0 0 0 1 0" },
    { ODKS_DELETE_KEEP, "a = 'x'", DELETED, "0 0 0 0 1" },
    { ODKS_DELETE_KEEP, "a = 'x'", NULL, "0 1 0 0 1" },
    { ODKS_DELETE_KEEP, NULL, DELETED, "1 0 0 0 0" },
};

START_TEST(difference_hard_or_keep)
{
    begin_again(other_cases[_i].on_delete);
    if (other_cases[_i].set != NULL)
        here("s", 5, other_cases[_i].set);
    if (other_cases[_i].there != NULL)
        there("s", 5, other_cases[_i].there);
    flush();
    ck_difference(other_cases[_i].difference);
}
END_TEST

/* Ten that are as in Central, one that is gone, one written just now. */
static void
with_gone(enum odks_on_delete on_delete, int64_t expected)
{
    struct odks_err err = ODKS_ERR_INIT;
    int64_t rows = -1;

    begin_again(on_delete);
    ten("");
    here("gone", 3, "a = 'x'");
    here("late", 3, "_synced_at = now() + interval '1 hour'");
    flush();
    ck_difference("0 1 0 0 12");
    begin(db);
    ck_assert_msg(odks_reconcile_remove_gone(r, db, &rows, &err), "%s",
                  err.message);
    commit(db);
    ck_assert_int_eq(rows, expected);
}

START_TEST(gone_kept)
{
    with_gone(ODKS_DELETE_KEEP, 0);
    ck_difference("0 1 0 0 12");
}
END_TEST

START_TEST(gone_softly)
{
    with_gone(ODKS_DELETE_SOFT, 1);
    ck_ask(db, "SELECT _id FROM odk.f WHERE _deleted_at IS NOT NULL", "gone");
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "12");
    ck_difference("0 0 0 0 11");
}
END_TEST

/* A job of its own wrote the repeats, and its rejects. */
START_TEST(gone_for_good)
{
    run(db, "INSERT INTO tracking.odk_sync_reject (sync_type, table_name,"
            " submission_id, path, reason) VALUES ('sync', 'f', 'gone', '/a',"
            " 'x'), ('sync', 'f', '1', '/a', 'x'), ('other', 'f__r', 'gone',"
            " '/r/x', 'x'), ('other', 'g', 'gone', '/a', 'x')");
    model->table[1]->wanted = false;
    with_gone(ODKS_DELETE_HARD, 1);
    ck_ask(db, "SELECT count(*) FROM odk.f", "11");
    ck_ask(db, "SELECT count(*) FROM odk.f__r", "11");
    ck_ask(db,
           "SELECT string_agg(table_name, ' ' ORDER BY 1)"
           " FROM tracking.odk_sync_reject",
           "f g");
}
END_TEST

/* The proof leaves out what came since it was begun. */
START_TEST(gone_and_old)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_difference d;
    int64_t before;

    here("old", 3, "a = 'x'");
    here("new", 4, "a = 'x'");
    here("marked", 2, "_deleted_at = now()");
    here("kept", 1, "a = 'x'");
    there("kept", 1, "");
    flush();
    ck_assert(odks_time_parse("2026-11-23T04:00:00Z", &before, NULL));
    begin(db);
    ck_assert_msg(odks_reconcile_compare(r, db, before, &d, &err), "%s",
                  err.message);
    commit(db);
    ck_assert_int_eq(d.gone, 2);
    ck_assert_int_eq(d.gone_old, 1);
}
END_TEST

START_TEST(lost_keys_are_no_keys)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_difference d;

    here("a", 1, "a = 'x'");
    there("a", 1, "");
    there("b", 1, "");
    there("b", 1, ""); /* the same key twice counts once */
    flush();
    ck_difference("1 0 0 0 1");
    run(db, "TRUNCATE tracking.odk_sync_key"); /* as a crash does */
    begin(db);
    ck_assert(!odks_reconcile_compare(r, db, ODKS_TIME_NONE, &d, &err));
    odks_db_rollback(db);
    ck_assert_int_eq(err.code, ODKS_EXIT_TEMPFAIL);
}
END_TEST

START_TEST(begin_and_end_forget)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_reconcile *again = NULL;

    there("a", 1, "");
    flush();
    run(db, "INSERT INTO tracking.odk_sync_key (sync_type, id) VALUES"
            " ('other', 'o')");
    begin(db);
    ck_assert(odks_reconcile_begin(db, model, "sync", ODKS_DELETE_SOFT, &again,
                                   &err));
    commit(db);
    odks_reconcile_free(again);
    ck_ask(db, "SELECT sync_type FROM tracking.odk_sync_key", "other");
    there("a", 1, "");
    flush();
    begin(db);
    ck_assert(odks_reconcile_end(r, db, &err));
    commit(db);
    ck_ask(db, "SELECT sync_type FROM tracking.odk_sync_key", "other");
}
END_TEST

START_TEST(bad_keys)
{
    static const char *const rows[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"__id\":\"a\"}",
        "{\"__id\":\"\",\"__system\":{\"submissionDate\":"
        "\"2026-11-23T01:00:00Z\"}}",
        "{\"__id\":\"a\",\"__system\":{\"submissionDate\":null}}",
        "{\"__id\":\"a\",\"__system\":{\"submissionDate\":"
        "\"2026-11-23T01:00:00Z\",\"deletedAt\":\"x\"}}",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct odks_err err = ODKS_ERR_INIT;

        ck_assert_msg(!odks_reconcile_add(r, rows[i], strlen(rows[i]), &err),
                      "%s", rows[i]);
        ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    }
    there("a", 1, "");
    flush();
    ck_difference("1 0 0 0 0");
}
END_TEST

START_TEST(full)
{
    char id[20];

    ck_assert(!odks_reconcile_is_full(r));
    for (int i = 0; !odks_reconcile_is_full(r); i++) {
        (void) snprintf(id, sizeof(id), "id %d", i);
        there(id, 1, "");
        ck_assert_int_lt(i, 1000000);
    }
    flush();
    ck_assert(!odks_reconcile_is_full(r));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_reconcile");
    TCase *tc = tcase_create("reconcile");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_differs);
    tcase_add_loop_test(tc, difference, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_loop_test(tc, windows, 0, sizeof(slices) / sizeof(slices[0]));
    tcase_add_test(tc, windows_of_one_instant);
    tcase_add_loop_test(tc, difference_hard_or_keep, 0,
                        sizeof(other_cases) / sizeof(other_cases[0]));
    tcase_add_test(tc, gone_kept);
    tcase_add_test(tc, gone_softly);
    tcase_add_test(tc, gone_for_good);
    tcase_add_test(tc, gone_and_old);
    tcase_add_test(tc, lost_keys_are_no_keys);
    tcase_add_test(tc, begin_and_end_forget);
    tcase_add_test(tc, bad_keys);
    tcase_add_test(tc, full);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
