/* lib/odksync/call.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "odksync/internal.h"

#include <string.h>

#include "core/stop.h"
#include "sql/queries.h"

enum { ONCE_XID, ONCE_ANSWER };          /* columns of what is done once */
enum { ASK_S = 10, ASK_AGAIN_MS = 100 }; /* for the end of a transaction */
enum outcome { COMMITTED, NOT_DONE, NOT_KNOWN };

PGresult *
odks_lib_query(struct odks_sync *sync, const struct odks_sql *sql,
               const char *const *params)
{
    if (!odks_lib_begin(sync))
        return NULL;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(sync->db, sql, params, &sync->err);
    if (res == NULL || !odks_db_commit(sync->db, &sync->err)) {
        odks_db_rollback(sync->db);
        return NULL;
    }
    return odks_steal(&res);
}

/* FNV-1a, to know the same call again. */
static uint64_t
hash(const struct odks_sql *sql, const char *const *params)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (int i = 0; i < sql->params; i++) {
        const char *p = params[i] != NULL ? params[i] : "\xff";
        size_t len = strlen(p) + 1; /* with its end */

        for (size_t k = 0; k < len; k++)
            h = (h ^ (unsigned char) p[k]) * UINT64_C(1099511628211);
    }
    return h;
}

/* Ask the server once; err is for nobody but us. */
static enum outcome
look(struct odks_sync *sync, bool *running)
{
    const char *const params[] = { sync->unsure.xid };

    *running = false;
    if (!odks_lib_begin(sync))
        return NOT_KNOWN;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(sync->db, &odks_sql_odksync_outcome, params, &sync->err);
    odks_db_rollback(sync->db);
    if (res == NULL) /* 22023: in the future, so not in this server's past */
        return strcmp(sync->err.sqlstate, "22023") == 0 ? NOT_DONE : NOT_KNOWN;
    const char *said = odks_db_text(res, 0, 0);

    *running = said != NULL && strcmp(said, "in progress") == 0;
    if (*running)
        return NOT_KNOWN;
    return said != NULL && strcmp(said, "committed") == 0 ? COMMITTED
                                                          : NOT_DONE;
}

/*
 * What became of the transaction in sync->unsure. The server may still be at
 * it: it notices only after a while that we are gone.
 */
static enum outcome
find_out(struct odks_sync *sync)
{
    struct odks_deadline until = odks_deadline_in(ASK_S * 1000);
    bool running;
    enum outcome outcome = look(sync, &running);

    while (running && !odks_deadline_passed(until)) {
        (void) odks_wait_to_the_end(NULL, 0, odks_deadline_in(ASK_AGAIN_MS));
        outcome = look(sync, &running);
    }
    if (outcome == NOT_KNOWN) {
        odks_err_set(&sync->err, ODKS_EXIT_TEMPFAIL,
                     "the connection to the database was lost, and it is not "
                     "known yet whether the call took effect");
        odks_err_hint(&sync->err, "Make the same call again: it finds out "
                                  "before it does anything.");
    } else {
        sync->unsure.sql = NULL;
    }
    return outcome;
}

/* Do it; *commits tells that COMMIT was about to be sent. */
static bool
act(struct odks_sync *sync, const struct odks_sql *sql,
    const char *const *params, bool *commits)
{
    *commits = false;
    if (!odks_lib_begin(sync))
        return false;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(sync->db, sql, params, &sync->err);
    if (res == NULL)
        return false;
    sync->unsure.params = hash(sql, params);
    sync->unsure.answer = odks_db_int64(res, 0, ONCE_ANSWER);
    (void) snprintf(sync->unsure.xid, sizeof(sync->unsure.xid), "%s",
                    PQgetvalue(res, 0, ONCE_XID));
    *commits = true;
    sync->unsure.sql = sql;
    if (!odks_db_commit(sync->db, &sync->err))
        return false;
    sync->unsure.sql = NULL;
    return true;
}

bool
odks_lib_once(struct odks_sync *sync, const struct odks_sql *sql,
              const char *const *params, int64_t *answer)
{
    struct odks_lib_unsure *unsure = &sync->unsure;
    enum outcome outcome = NOT_DONE;
    bool commits;

    if (unsure->sql == sql && unsure->params == hash(sql, params))
        outcome = find_out(sync);
    if (outcome == NOT_DONE) {
        odks_err_clear(&sync->err);
        if (act(sync, sql, params, &commits)) {
            outcome = COMMITTED;
        } else {
            struct odks_err why = sync->err;

            odks_db_rollback(sync->db);
            outcome = commits ? find_out(sync) : NOT_DONE;
            if (outcome == NOT_DONE)
                sync->err = why;
        }
    }
    if (outcome != COMMITTED)
        return false;
    odks_err_clear(&sync->err);
    if (answer != NULL)
        *answer = unsure->answer;
    return true;
}
