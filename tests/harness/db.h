/* tests/harness/db.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * For unit tests on a real PostgreSQL: where PG* variables lead to, in the
 * schema "odks_test", made anew for every test. Without ODKS_TEST_PG the whole
 * test is skipped (77).
 */
#ifndef ODKS_TESTS_DB_H
#define ODKS_TESTS_DB_H

#include <stdio.h>

#include "core/mem.h"
#include "db/internal.h"
#include "db/migrate.h"
#include "unit.h"

static const char *const test_keywords[] = { NULL };
static const struct odks_db_conf test_conf = {
    .keywords = test_keywords,
    .values = test_keywords,
    .tracking_schema = "odks_test",
    .instance = "unit",
    .statement_timeout_s = 30,
};

/* What must succeed; err says why if it does not. */
#define ODKS_OK(call)                                                  \
    ck_assert_msg((call), #call ": %d %s (%s)", err.code, err.message, \
                  err.detail)

/* What must fail with exit code ODKS_EXIT_want; clears err. */
#define ODKS_FAILS(call, want)                                            \
    do {                                                                  \
        ck_assert_msg(!(call), #call " succeeded");                       \
        ck_assert_msg(err.code == ODKS_EXIT_##want, #call ": %d %s (%s)", \
                      err.code, err.message, err.detail);                 \
        odks_err_clear(&err);                                             \
    } while (0)

static inline struct odks_db *
test_connect(void)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db;

    ODKS_OK(odks_db_connect(&test_conf, &db, &err));
    return db;
}

/* Let SQL of the test in the open transaction name tables without schema. */
static inline void
test_use_path(struct odks_db *db)
{
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_do(db, "test", "SET LOCAL search_path = {schema}, pg_temp",
                       &err));
}

/*
 * Run SQL in the open transaction or else in one of its own, with the tracking
 * schema in its path alone; the first field of its result as text ("" for NULL
 * or no row), to be freed.
 */
static inline char *
test_sql(struct odks_db *db, const char *text)
{
    struct odks_err err = ODKS_ERR_INIT;
    bool own = PQtransactionStatus(db->conn) == PQTRANS_IDLE;

    if (own)
        ODKS_OK(odks_db_begin(db, &err));
    test_use_path(db);
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, "test", text, 0, NULL, &err);
    ck_assert_msg(res != NULL, "%s: %s", text, err.message);
    if (PQtransactionStatus(db->conn) == PQTRANS_INTRANS)
        ODKS_OK(odks_db_do(
            db, "test", "SET LOCAL search_path = pg_catalog, pg_temp", &err));
    const char *value =
        PQntuples(res) > 0 && PQnfields(res) > 0 ? PQgetvalue(res, 0, 0) : "";
    char *copy = odks_xstrdup(value);
    if (own)
        ODKS_OK(odks_db_commit(db, &err));
    return copy;
}

#define ODKS_SQL_IS(db, text, want)      \
    do {                                 \
        char *got_ = test_sql(db, text); \
        ck_assert_str_eq(got_, want);    \
        free(got_);                      \
    } while (0)

static inline void
test_do(struct odks_db *db, const char *text)
{
    free(test_sql(db, text));
}

/* A connection, with an empty schema "odks_test" of this version. */
static inline struct odks_db *
test_fresh(void)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db *db = test_connect();
    int applied;

    test_do(db, "DROP SCHEMA IF EXISTS odks_test CASCADE");
    ODKS_OK(odks_migrate(db, SCHEMAS("odks_test"), NULL, &applied, &err));
    ck_assert_int_gt(applied, 0);
    return db;
}

#endif
