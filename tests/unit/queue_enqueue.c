/* tests/unit/queue_enqueue.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/queue.h"

#include "core/mem.h"
#include "job.h"

#define MINUTE INT64_C(60000000)
#define NOON INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

START_TEST(by_hand)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id, again;

    what.run_at = NOON;
    what.priority = 7;
    what.max_failures = 3;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', sync_type, run_at, priority, "
                "max_failures, state, failures, payload, slot IS NULL) "
                "FROM odk_sync_queue",
                "a|2026-11-23 12:00:00+00|7|3|pending|0|{}|t");

    /* a second one of the type merges: the earlier, the more urgent */
    what.run_at = NOON + MINUTE;
    what.priority = 5;
    what.max_failures = 9;
    ck_assert_int_eq(test_enqueue(db, &what, &again), ODKS_QUEUED_MERGED);
    ck_assert_int_eq(id, again);
    what.run_at = NOON - MINUTE;
    what.priority = 50;
    ck_assert_int_eq(test_enqueue(db, &what, &again), ODKS_QUEUED_MERGED);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', run_at, priority, max_failures) "
                "FROM odk_sync_queue",
                "2026-11-23 11:59:00+00|5|9");

    /* another type does not */
    what = test_job("b");
    ck_assert_int_eq(test_enqueue(db, &what, &again), ODKS_QUEUED_NEW);
    ck_assert_int_ne(id, again);
    ODKS_SQL_IS(db,
                "SELECT run_at <= clock_timestamp() FROM odk_sync_queue "
                "WHERE sync_type = 'b'",
                "t");
}
END_TEST

/* Two after each other, by hand, and what is to be done in the end. */
static const struct {
    struct odks_payload a, b;
    const char *want;
} payloads[] = {
#define NONE ODKS_TIME_NONE
    { { false, NONE, NONE, false }, { false, NONE, NONE, false }, "{}" },
    { { true, NONE, NONE, false },
      { false, NONE, NONE, false },
      "{\"full\": true}" },
    { { false, NOON, NONE, false },
      { true, NONE, NONE, false },
      "{\"full\": true}" },
    { { true, NONE, NONE, false },
      { false, NOON, NOON, true },
      "{\"full\": true, \"allow_mass_delete\": true}" },
    { { false, NOON, NONE, false },
      { false, NONE, NONE, true },
      "{\"since\": \"2026-11-23T12:00:00.000Z\", "
      "\"allow_mass_delete\": true}" },
    { { false, NONE, NONE, true },
      { false, NONE, NOON, false },
      "{\"until\": \"2026-11-23T12:00:00.000Z\", "
      "\"allow_mass_delete\": true}" },
    { { .since = NOON, .until = NONE, .reconcile = true },
      { false, NONE, NONE, true },
      "{\"since\": \"2026-11-23T12:00:00.000Z\", \"reconcile\": true, "
      "\"allow_mass_delete\": true}" },
    { { true, NONE, NONE, false },
      { .since = NONE, .until = NONE, .reconcile = true },
      "{\"full\": true, \"reconcile\": true}" },
    { { false, NOON, NOON + MINUTE, false },
      { false, NOON - MINUTE, NOON, false },
      "{\"since\": \"2026-11-23T11:59:00.000Z\", "
      "\"until\": \"2026-11-23T12:01:00.000Z\"}" },
    { { false, NOON, NOON + MINUTE, false },
      { false, NOON + MINUTE, NOON + 2 * MINUTE, false },
      "{\"since\": \"2026-11-23T12:00:00.000Z\", "
      "\"until\": \"2026-11-23T12:02:00.000Z\"}" },
    { { false, NOON, NOON, false },
      { false, NOON, NONE, false },
      "{\"since\": \"2026-11-23T12:00:00.000Z\"}" },
    { { false, NOON, NONE, false },
      { false, NONE, NOON, false },
      "{\"full\": true}" },
    { { .rejects = true, .since = NONE, .until = NONE },
      { false, NONE, NONE, false },
      "{\"rejects\": true}" },
    { { false, NOON, NONE, false },
      { .rejects = true, .since = NONE, .until = NONE },
      "{\"since\": \"2026-11-23T12:00:00.000Z\", \"rejects\": true}" },
    { { .rejects = true, .since = NONE, .until = NONE },
      { true, NONE, NONE, true },
      "{\"full\": true, \"rejects\": true, \"allow_mass_delete\": true}" },
};

START_TEST(payload)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.payload = payloads[_i].a;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);
    what.payload = payloads[_i].b;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_MERGED);
    ODKS_SQL_IS(db, "SELECT payload FROM odk_sync_queue", payloads[_i].want);
}
END_TEST

static const char *const poison[] = {
    "[]",
    "{\"full\": \"yes\"}",
    "{\"allow_mass_delete\": 1}",
    "{\"reconcile\": null}",
    "{\"rejects\": \"all\"}",
    "{\"since\": \"2026-02-31\"}",
    "{\"until\": \"infinity\"}",
};

/* What no claim could read cannot be written. */
START_TEST(poison_refused)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_FREE char *text = odks_xasprintf(
        "INSERT INTO {schema}.odk_sync_queue (sync_type, payload)"
        " VALUES ('a', '%s')",
        poison[_i]);

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_FAILS(odks_db_do(db, "poison", text, &err), DATA);
}
END_TEST

START_TEST(slots)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    const struct odks_enqueue what = test_job("a");

    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_NEW);
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_NOT);
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON - MINUTE),
                     ODKS_QUEUED_NOT);
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON + MINUTE),
                     ODKS_QUEUED_MERGED);
    ODKS_SQL_IS(db, "SELECT slot FROM odk_sync_queue",
                "2026-11-23 12:01:00+00");

    /* the job is done and gone: its slot stays used */
    test_do(db, "DELETE FROM odk_sync_queue");
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON + MINUTE),
                     ODKS_QUEUED_NOT);
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON + 2 * MINUTE),
                     ODKS_QUEUED_NEW);
}
END_TEST

/* An idle run only reads. */
START_TEST(used_slot_writes_nothing)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_enqueue what = test_job("a");
    enum odks_queued queued;

    (void) test_enqueue_slot(db, &what, NOON);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_slot(db, &what, NOON, &queued, &err));
    ODKS_SQL_IS(db, "SELECT pg_current_xact_id_if_assigned() IS NULL", "t");
    odks_db_rollback(db);
}
END_TEST

START_TEST(slot_that_is_rolled_back_is_not_used)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_enqueue what = test_job("a");
    enum odks_queued queued;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_slot(db, &what, NOON, &queued, &err));
    odks_db_rollback(db);
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_NEW);
}
END_TEST

START_TEST(slot_and_back_off)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id;

    (void) test_enqueue_slot(db, &what, NOON);
    test_do(db, "UPDATE odk_sync_queue SET failures = 2, "
                "run_at = '2100-01-01', last_error = 'x'");
    /* a slot does not cut it short, a person does */
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON + MINUTE),
                     ODKS_QUEUED_MERGED);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', run_at, failures) FROM odk_sync_queue",
                "2100-01-01 00:00:00+00|2");
    what.run_at = NOON;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_MERGED);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', run_at, failures) FROM odk_sync_queue",
                "2026-11-23 12:00:00+00|2");
}
END_TEST

START_TEST(dead_comes_back)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_enqueue what = test_job("a");
    int64_t id, again;

    what.run_at = NOON;
    (void) test_enqueue(db, &what, &id);
    for (int i = 0; i < 2; i++) {
        test_do(db, "UPDATE odk_sync_queue SET state = 'dead', failures = 5,"
                    " run_at = '2020-01-01', claim_no = 9");
        if (i == 0)
            ck_assert_int_eq(test_enqueue(db, &what, &again),
                             ODKS_QUEUED_MERGED);
        else
            ck_assert_int_eq(test_enqueue_slot(db, &what, NOON),
                             ODKS_QUEUED_MERGED);
        ODKS_SQL_IS(db,
                    "SELECT concat_ws('|', state, failures, run_at, claim_no) "
                    "FROM odk_sync_queue",
                    "pending|0|2026-11-23 12:00:00+00|9");
    }
    ck_assert_int_eq(id, again);
}
END_TEST

START_TEST(pause)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_enqueue what = test_job("a");
    int64_t id;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_pause(db, "a", true, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_NOT);
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);

    /* the slot was not used up: it comes after the pause */
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_pause(db, "a", false, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_MERGED);
    /* and pausing forgets no slot */
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_pause(db, "a", true, &err));
    ODKS_OK(odks_queue_pause(db, "a", false, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_NOT);
}
END_TEST

START_TEST(cancel_and_retry)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_enqueue what = test_job("a");
    int64_t id;
    int found, running;

    (void) test_enqueue(db, &what, &id);
    const struct odks_queue_which one = { .id = id }, none = { .id = id + 1 };
    test_do(db, "UPDATE odk_sync_queue SET state = 'dead', failures = 5,"
                " run_at = '2100-01-01'");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_retry(db, one, &found, &err));
    ck_assert_int_eq(found, 1);
    ODKS_OK(odks_queue_retry(db, none, &found, &err));
    ck_assert_int_eq(found, 0);
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', state, failures, "
                "run_at <= clock_timestamp()) FROM odk_sync_queue",
                "pending|0|t");

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_cancel(db, one, &found, &running, &err));
    ck_assert(found == 1 && running == 0);
    ODKS_OK(odks_queue_cancel(db, one, &found, &running, &err));
    ck_assert(found == 0 && running == 0);
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, "SELECT count(*) FROM odk_sync_queue", "0");
}
END_TEST

/* All of a type, and nothing of another one. */
static const char of_a_type[] =
    "INSERT INTO odk_sync_queue (sync_type, state, failures, run_at,"
    " claimed_by, lease_until, direct, history_id) VALUES"
    " ('a', 'dead', 5, '2100-01-01Z', NULL, NULL, NULL, NULL),"
    " ('a', 'timed', 0, '2100-01-01Z', NULL, NULL, NULL, NULL),"
    " ('a', 'running', 1, '2026-01-01Z', 'h', '2100-01-01Z', true, 1),"
    " ('b', 'pending', 2, '2100-01-01Z', NULL, NULL, NULL, NULL)";
#define STATES                                                          \
    "SELECT string_agg(concat_ws('|', sync_type, state, failures,"      \
    " run_at <= clock_timestamp(), cancel_requested), ';' ORDER BY id)" \
    " FROM odk_sync_queue"

START_TEST(retry_and_cancel_a_type)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_queue_which a = { .sync_type = "a" };
    int found, running;

    test_do(db, of_a_type);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_retry(db, a, &found, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert_int_eq(found, 1);
    ODKS_SQL_IS(db, STATES,
                "a|pending|0|t|f;a|timed|0|f|f;a|running|1|t|f;"
                "b|pending|2|f|f");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_cancel(db, a, &found, &running, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ck_assert(found == 3 && running == 1);
    ODKS_SQL_IS(db, STATES, "a|running|1|t|t;b|pending|2|f|f");
}
END_TEST

#define LATER INT64_C(4102444800000000) /* 2100-01-01T00:00:00Z */

/* A job with a time of its own moves no other one, nor is it moved. */
START_TEST(timed)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_enqueue what = test_job("a");
    int64_t waiting, id, again;

    (void) test_enqueue(db, &what, &waiting);
    what.run_at = LATER;
    what.payload.full = true;
    what.priority = 7;
    ck_assert_int_eq(test_enqueue(db, &what, &id), ODKS_QUEUED_NEW);
    what.payload.full = false;
    what.priority = 9;
    ck_assert_int_eq(test_enqueue(db, &what, &again), ODKS_QUEUED_MERGED);
    ck_assert_int_eq(id, again);
    what = test_job("a");
    ck_assert_int_eq(test_enqueue_slot(db, &what, NOON), ODKS_QUEUED_MERGED);
#define JOBS                                                           \
    "SELECT string_agg(concat_ws('|', state, priority, payload), ';' " \
    "ORDER BY state) FROM odk_sync_queue"
    ODKS_SQL_IS(db, JOBS, "pending|100|{};timed|7|{\"full\": true}");

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_timed(db, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, JOBS, "pending|100|{};timed|7|{\"full\": true}");

    /* its time has come: the two become one */
    test_do(db, "UPDATE odk_sync_queue SET run_at = clock_timestamp() "
                "WHERE state = 'timed'");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_timed(db, &err));
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db, JOBS, "pending|7|{\"full\": true}");
}
END_TEST

START_TEST(timed_keeps_its_number)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_enqueue what = test_job("a");
    int64_t id;

    what.run_at = LATER;
    what.max_failures = 3;
    (void) test_enqueue(db, &what, &id);
    test_do(db, "UPDATE odk_sync_queue SET run_at = clock_timestamp()");
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_enqueue_timed(db, &err));
    ODKS_OK(odks_db_commit(db, &err));
    CLEANUP_FREE char *want = odks_xasprintf("%lld|pending|3", (long long) id);
    ODKS_SQL_IS(db,
                "SELECT concat_ws('|', id, state, max_failures) "
                "FROM odk_sync_queue",
                want);
}
END_TEST

static void
apply_settings(struct odks_db *db, const char *digests, const char *due)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf types = ODKS_BUF_INIT(100);
    PGresult *res;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_queue_apply_settings(db, digests, &res, &err));
    ck_assert(odks_buf_add_str(&types, ""));
    for (int i = 0; i < PQntuples(res); i++)
        ck_assert(odks_buf_printf(&types, "%s ", PQgetvalue(res, i, 0)));
    ck_assert_str_eq(types.data, due);
    PQclear(res);
    ODKS_OK(odks_db_commit(db, &err));
}

START_TEST(other_settings_give_another_chance)
{
    CLEANUP_DB struct odks_db *db = test_fresh();

    test_do(db,
            "INSERT INTO odk_sync_queue (sync_type, state, failures, run_at)"
            " VALUES ('a', 'dead', 5, '2100-01-01Z'),"
            " ('b', 'pending', 2, '2100-01-01Z'),"
            " ('c', 'pending', 0, '2100-01-01Z')");
    /* nothing is known of what they failed with */
    apply_settings(db, "{\"a\": \"1\", \"b\": \"1\", \"c\": \"1\"}", "");
    apply_settings(db, "{\"a\": \"1\"}", "");
    apply_settings(db, "{\"a\": \"2\", \"b\": \"1\", \"c\": \"2\"}", "a ");
    apply_settings(db, "{\"b\": \"2\"}", "b ");
    ODKS_SQL_IS(db,
                "SELECT string_agg(concat_ws('|', sync_type, state, failures,"
                " run_at <= clock_timestamp()), ';' ORDER BY id)"
                " FROM odk_sync_queue",
                "a|pending|0|t;b|pending|0|t;c|pending|0|f");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("queue_enqueue");
    TCase *tc = tcase_create("enqueue");

    tcase_add_test(tc, by_hand);
    tcase_add_loop_test(tc, payload, 0, sizeof(payloads) / sizeof(payloads[0]));
    tcase_add_loop_test(tc, poison_refused, 0,
                        sizeof(poison) / sizeof(poison[0]));
    tcase_add_test(tc, slots);
    tcase_add_test(tc, used_slot_writes_nothing);
    tcase_add_test(tc, slot_that_is_rolled_back_is_not_used);
    tcase_add_test(tc, slot_and_back_off);
    tcase_add_test(tc, dead_comes_back);
    tcase_add_test(tc, pause);
    tcase_add_test(tc, cancel_and_retry);
    tcase_add_test(tc, retry_and_cancel_a_type);
    tcase_add_test(tc, timed);
    tcase_add_test(tc, timed_keeps_its_number);
    tcase_add_test(tc, other_settings_give_another_chance);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
