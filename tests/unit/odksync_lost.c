/* tests/unit/odksync_lost.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that breaks: between calls, during one, and while a COMMIT is
 * on its way. The last is done in front of the real libpq: this program's
 * PQsendQuery() and PQconnectStartParams() come before libpq's.
 */
#include <config.h>

#include <dlfcn.h>
#include <sys/socket.h>

#include "odksync_help.h"

static enum { NEVER, BEFORE, BEHIND } cut_commit;
static bool away;         /* nobody can connect */
static bool other_server; /* which has not come to our transaction yet */
static int commits;

#define REAL(name) \
    __typeof__(name) *real = (__typeof__(name) *) dlsym(RTLD_NEXT, #name)

/* The answer is lost even if it came before we could cut. */
static void
lose_answer(int fd)
{
    char answer[512];

    (void) shutdown(fd, SHUT_RDWR);
    while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
        ;
}

int
PQsendQuery(PGconn *conn, const char *text)
{
    REAL(PQsendQuery);
    bool cut = strcmp(text, "COMMIT") == 0 && cut_commit != NEVER;

    commits += strcmp(text, "COMMIT") == 0;
    if (cut && cut_commit == BEFORE)
        (void) shutdown(PQsocket(conn), SHUT_RDWR);
    int ok = real(conn, text);
    if (cut && cut_commit == BEHIND && PQflush(conn) == 0)
        lose_answer(PQsocket(conn));
    if (cut)
        cut_commit = NEVER;
    return ok;
}

int
PQsendQueryParams(PGconn *conn, const char *text, int n, const Oid *types,
                  const char *const *values, const int *lengths,
                  const int *formats, int format)
{
    REAL(PQsendQueryParams);
    static const char *const future[] = { "4000000000000" };

    if (other_server && strstr(text, "txid_status") != NULL)
        values = future;
    return real(conn, text, n, types, values, lengths, formats, format);
}

PGconn *
PQconnectStartParams(const char *const *keywords, const char *const *values,
                     int expand)
{
    REAL(PQconnectStartParams);
    static const char *const keyword[] = { "host", NULL };
    static const char *const nowhere[] = { "/nonexistent", NULL };

    return away ? real(keyword, nowhere, 0) : real(keywords, values, expand);
}

/* The next COMMIT is cut, and then nobody can connect. */
static void
cut(int when, bool then_away)
{
    cut_commit = when;
    away = then_away;
}

/* End the sessions of the handle, as a restart of the server does. */
static void
terminate(struct odks_db *db)
{
    ODKS_SQL_IS(db,
                "SELECT coalesce(bool_and(pg_terminate_backend(pid, 10000)), "
                "true) FROM pg_stat_activity WHERE application_name = 'lost' "
                "AND datname = current_database() "
                "AND pid <> pg_backend_pid()",
                "t");
}

START_TEST(between_calls)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open("application_name=lost");
    int64_t us;
    int id;

    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    terminate(db);
    SYNC_OK(sync, odks_update_progress(sync, id, 1, 0, NULL));
    terminate(db);
    SYNC_OK(sync, odks_complete_sync(sync, id, "a", 2, 0, NULL));
    terminate(db);
    SYNC_OK(sync, odks_get_last_sync_time(sync, "a", &us));
    terminate(db);
    SYNC_OK(sync, odks_create_tables(sync));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|2");
}
END_TEST

/* A session that ends in the middle of its own statement. */
#define ENDS_ITSELF                                                        \
    "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " \
    "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"

START_TEST(during_a_call)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id, written = -1;

    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    test_do(db, ENDS_ITSELF
            "CREATE TRIGGER stop BEFORE INSERT OR UPDATE ON odk_sync_history "
            "FOR EACH ROW EXECUTE FUNCTION stop()");
    SYNC_FAILS(sync, odks_start_sync(sync, "b", NULL, &written),
               ODKS_E_TEMPFAIL);
    ck_assert_int_eq(written, -1);
    SYNC_FAILS(sync, odks_update_progress(sync, id, 1, 0, NULL),
               ODKS_E_TEMPFAIL);
    SYNC_FAILS(sync, odks_complete_sync(sync, id, "a", 1, 0, NULL),
               ODKS_E_TEMPFAIL);
    ck_assert_str_ne(odks_error_hint(sync), "");
    SYNC_FAILS(sync, odks_fail_sync(sync, id, "a", "x"), ODKS_E_TEMPFAIL);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|-1");
    test_do(db, "DROP TRIGGER stop ON odk_sync_history");
    SYNC_OK(sync, odks_complete_sync(sync, id, "a", 3, 0, NULL));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|3");
}
END_TEST

/* The verbs that must not be done twice. */
enum { START, COMPLETE, FAIL, SET, ONCE };

static const struct {
    const char *before, *after; /* the history */
} once[ONCE] = {
    { "", "a|in_progress|-1" },
    { "a|in_progress|-1", "a|success|4" },
    { "a|in_progress|-1", "a|error|-1|why" },
    { "", "a|success|0" },
};

static int
prepare(struct odks_sync *sync, int verb)
{
    int id = 0;

    if (verb == COMPLETE || verb == FAIL)
        SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    return id;
}

/* *id is that of the attempt, and set by START. */
static int
call(struct odks_sync *sync, int verb, int *id)
{
    switch (verb) {
    case START:
        return odks_start_sync(sync, "a", NULL, id);
    case COMPLETE:
        return odks_complete_sync(sync, *id, "a", 4, 0, NULL);
    case FAIL:
        return odks_fail_sync(sync, *id, "a", "why");
    default:
        return odks_set_last_sync_time(sync, "a", 0);
    }
}

/* The answer to COMMIT is lost: it is asked after, and all is well. */
START_TEST(committed_without_answer)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id = prepare(sync, _i);

    cut(BEHIND, false);
    SYNC_OK(sync, call(sync, _i, &id));
    ck_assert_int_eq(cut_commit, NEVER);
    ODKS_SQL_IS(db, TEST_HISTORY, once[_i].after);
    if (_i == START) {
        SYNC_OK(sync, odks_complete_sync(sync, id, "a", 9, 0, NULL));
        ODKS_SQL_IS(db, TEST_HISTORY, "a|success|9");
    }
}
END_TEST

/* COMMIT never arrives: nothing was done, and it can be done again. */
START_TEST(not_committed)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id = prepare(sync, _i);

    cut(BEFORE, false);
    SYNC_FAILS(sync, call(sync, _i, &id), ODKS_E_TEMPFAIL);
    ODKS_SQL_IS(db, TEST_HISTORY, once[_i].before);
    SYNC_OK(sync, call(sync, _i, &id));
    ODKS_SQL_IS(db, TEST_HISTORY, once[_i].after);
}
END_TEST

/* As when another server took over without our transaction. */
START_TEST(not_in_this_servers_past)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id = prepare(sync, COMPLETE);

    other_server = true;
    cut(BEFORE, false);
    SYNC_FAILS(sync, call(sync, COMPLETE, &id), ODKS_E_TEMPFAIL);
    ck_assert_ptr_nonnull(strstr(odks_error_message(sync), "was lost"));
    ck_assert_ptr_null(strstr(odks_error_message(sync), "not known"));
    SYNC_OK(sync, call(sync, COMPLETE, &id));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|4");
}
END_TEST

/* Nobody can be asked: the same call again finds out, and does nothing twice.
 */
START_TEST(unknown_until_the_same_call)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int verb = _i / 2, when = _i % 2 == 0 ? BEHIND : BEFORE;
    int id = prepare(sync, verb);

    cut(when, true);
    SYNC_FAILS(sync, call(sync, verb, &id), ODKS_E_TEMPFAIL);
    ck_assert_ptr_nonnull(strstr(odks_error_message(sync), "not known yet"));
    ck_assert_ptr_nonnull(strstr(odks_error_hint(sync), "same call again"));
    SYNC_FAILS(sync, call(sync, verb, &id), ODKS_E_TEMPFAIL);
    away = false;
    SYNC_OK(sync, call(sync, verb, &id));
    ODKS_SQL_IS(db, TEST_HISTORY, once[verb].after);
    if (verb == START) {
        SYNC_OK(sync, odks_fail_sync(sync, id, "a", "x"));
        /* found out once; the next start is another attempt */
        SYNC_OK(sync, call(sync, verb, &id));
        ODKS_SQL_IS(db, TEST_HISTORY, "a|error|-1|x;a|in_progress|-1");
    }
}
END_TEST

/* Another call is not the same call. */
START_TEST(unknown_and_another_call)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id = prepare(sync, COMPLETE), other;

    cut(BEHIND, true);
    SYNC_FAILS(sync, call(sync, COMPLETE, &id), ODKS_E_TEMPFAIL);
    away = false;
    SYNC_OK(sync, odks_start_sync(sync, "b", NULL, &other));
    ck_assert_int_ne(other, id);
    SYNC_FAILS(sync, odks_complete_sync(sync, id, "a", 5, 0, NULL),
               ODKS_E_USAGE);
    SYNC_FAILS(sync, odks_fail_sync(sync, id, "a", "x"), ODKS_E_USAGE);
    SYNC_OK(sync, call(sync, COMPLETE, &id));
    /* that is settled now: again would be a second end */
    SYNC_FAILS(sync, call(sync, COMPLETE, &id), ODKS_E_USAGE);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|4;b|in_progress|-1");
}
END_TEST

/* The server is still at the COMMIT when it is asked. */
START_TEST(still_in_progress)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    struct odks_err err = ODKS_ERR_INIT;
    int id = prepare(sync, COMPLETE);

    if (odks_db_pooled(db))
        return; /* only a session of one's own notices that we are gone */
    test_do(db, "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; "
                "END $$;"
                "CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON "
                "odk_sync_history DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION wait()");
    ODKS_OK(odks_db_begin(db, &err));
    test_do(db, "SELECT pg_advisory_xact_lock(42)");
    cut(BEHIND, false);
    SYNC_FAILS(sync, call(sync, COMPLETE, &id), ODKS_E_TEMPFAIL);
    ck_assert_ptr_null(strstr(odks_error_message(sync), "not known"));
    odks_db_rollback(db);
    SYNC_OK(sync, call(sync, COMPLETE, &id));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|success|4");
}
END_TEST

/* A COMMIT that the server refuses was not one, and the reason is told. */
START_TEST(refused_at_commit)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int id = prepare(sync, COMPLETE);

    test_do(db, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = "
                "'check_violation'; END $$;"
                "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON "
                "odk_sync_history DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION refuse()");
    SYNC_FAILS(sync, call(sync, COMPLETE, &id), ODKS_E_USAGE);
    ck_assert_str_eq(odks_error_message(sync), "not today");
    ck_assert_str_eq(odks_error_sqlstate(sync), "23514");
    test_do(db, "DROP TRIGGER refuse ON odk_sync_history");
    SYNC_OK(sync, call(sync, COMPLETE, &id));
}
END_TEST

/* What may be called twice is an error, and does no harm when called again. */
START_TEST(repeatable)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = test_open(NULL);
    int64_t removed;
    int id = prepare(sync, COMPLETE);

    for (int when = BEFORE; when <= BEHIND; when++) {
        cut(when, false);
        SYNC_FAILS(sync, odks_update_progress(sync, id, 7, 0, "{\"a\": 1}"),
                   ODKS_E_TEMPFAIL);
        SYNC_OK(sync, odks_update_progress(sync, id, 7, 0, "{\"a\": 1}"));
        cut(when, false);
        SYNC_FAILS(sync, odks_cleanup_history(sync, 1, &removed),
                   ODKS_E_TEMPFAIL);
        SYNC_OK(sync, odks_cleanup_history(sync, 1, &removed));
        cut(when, false);
        SYNC_FAILS(sync, odks_create_tables(sync), ODKS_E_TEMPFAIL);
        SYNC_OK(sync, odks_create_tables(sync));
    }
    ck_assert_int_gt(commits, 6);
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|7");
}
END_TEST

/* The handle outlives a time without a database. */
START_TEST(away_from_the_start)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    CLEANUP_SYNC struct odks_sync *sync = NULL;
    int id;

    away = true;
    ck_assert_int_eq(odks_open(NULL, "odks_test", &sync), ODKS_E_TEMPFAIL);
    SYNC_FAILS(sync, odks_start_sync(sync, "a", NULL, &id), ODKS_E_TEMPFAIL);
    away = false;
    SYNC_OK(sync, odks_start_sync(sync, "a", NULL, &id));
    ODKS_SQL_IS(db, TEST_HISTORY, "a|in_progress|-1");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("odksync_lost");
    TCase *tc = tcase_create("lost");

    tcase_add_test(tc, between_calls);
    tcase_add_test(tc, during_a_call);
    tcase_add_loop_test(tc, committed_without_answer, 0, ONCE);
    tcase_add_loop_test(tc, not_committed, 0, ONCE);
    tcase_add_test(tc, not_in_this_servers_past);
    tcase_add_loop_test(tc, unknown_until_the_same_call, 0, 2 * ONCE);
    tcase_add_test(tc, unknown_and_another_call);
    tcase_add_test(tc, still_in_progress);
    tcase_add_test(tc, refused_at_commit);
    tcase_add_test(tc, repeatable);
    tcase_add_test(tc, away_from_the_start);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
