/* tests/unit/track_cursor.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/cursor.h"

#include "core/json.h"
#include "db.h"

#define NOON INT64_C(1795435200123456) /* 2026-11-23T12:00:00.123456Z */

static void
same(const struct odks_cursor *a, const struct odks_cursor *b)
{
    ck_assert_pstr_eq(a->form_hash, b->form_hash);
    ck_assert_pstr_eq(a->etag, b->etag);
    ck_assert_pstr_eq(a->etag_key, b->etag_key);
    ck_assert(a->etag_compared == b->etag_compared);
    ck_assert_int_eq(a->etag_empty, b->etag_empty);
    ck_assert_int_eq(a->etag_held, b->etag_held);
    ck_assert_int_eq(a->watermark, b->watermark);
    ck_assert_int_eq(a->backfill_started, b->backfill_started);
    ck_assert_int_eq(a->backfill_position, b->backfill_position);
    ck_assert_int_eq(a->backfill_job, b->backfill_job);
    ck_assert_int_eq(a->last_reconcile, b->last_reconcile);
    ck_assert_mem_eq(&a->backfill_progress, &b->backfill_progress,
                     sizeof(a->backfill_progress));
    ck_assert(json_object_equal(a->counts, b->counts));
}

START_TEST(store_and_load)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_cursor none = ODKS_CURSOR_INIT;
    struct odks_cursor got;
    struct odks_cursor full = { .form_hash = odks_xstrdup("abc"),
                                .watermark = NOON,
                                .etag = odks_xstrdup("\"e\""),
                                .etag_key = odks_xstrdup("k"),
                                .etag_compared = true,
                                .etag_empty = 2,
                                .etag_held = 9,
                                .backfill_started = NOON + 1,
                                .backfill_position = NOON + 2,
                                .backfill_job = 7,
                                .backfill_progress = { 100, 42, 40, 12, 9 },
                                .last_reconcile = NOON + 3,
                                .counts = odks_json_read("{\"n\": 3}") };

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_cursor_load(db, "a", &got, &err));
    same(&got, &none);
    ODKS_OK(odks_cursor_store(db, "a", &full, &err));
    ODKS_OK(odks_cursor_load(db, "a", &got, &err));
    same(&got, &full);
    odks_cursor_clear(&got);
    same(&got, &none);
    ODKS_OK(odks_cursor_load(db, "b", &got, &err));
    same(&got, &none);
    /* nothing of the old one stays */
    ODKS_OK(odks_cursor_store(db, "a", &none, &err));
    ODKS_OK(odks_cursor_load(db, "a", &got, &err));
    same(&got, &none);
    ODKS_OK(odks_db_commit(db, &err));
    odks_cursor_clear(&full);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("track_cursor");
    TCase *tc = tcase_create("cursor");

    tcase_add_test(tc, store_and_load);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
