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
look(struct odks_sync *sync, const char *xid, bool *running)
{
    const char *const params[] = { xid };

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
 * What became of a call. The server may still be at it: it notices only after
 * a while that we are gone. What cannot be found out is kept in the handle.
 */
static enum outcome
find_out(struct odks_sync *sync, const struct odks_lib_unsure *call)
{
    struct odks_deadline until = odks_deadline_in(ASK_S * 1000);
    bool running;
    enum outcome outcome = look(sync, call->xid, &running);

    while (running && !odks_deadline_passed(until)) {
        (void) odks_wait_to_the_end(NULL, 0, odks_deadline_in(ASK_AGAIN_MS));
        outcome = look(sync, call->xid, &running);
    }
    if (outcome == NOT_KNOWN) {
        sync->unsure = *call;
        odks_err_set(&sync->err, ODKS_EXIT_TEMPFAIL,
                     "the connection to the database was lost, and it is not "
                     "known yet whether the call took effect");
        odks_err_hint(&sync->err, "Make the same call again: it finds out "
                                  "before it does anything.");
    }
    return outcome;
}

static enum outcome
act(struct odks_sync *sync, const char *const *params,
    struct odks_lib_unsure *call)
{
    if (!odks_lib_begin(sync))
        return NOT_DONE;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(sync->db, call->sql, params, &sync->err);
    if (res == NULL) {
        odks_db_rollback(sync->db);
        return NOT_DONE;
    }
    call->answer = odks_db_int64(res, 0, ONCE_ANSWER);
    (void) snprintf(call->xid, sizeof(call->xid), "%s",
                    PQgetvalue(res, 0, ONCE_XID));
    if (odks_db_commit(sync->db, &sync->err))
        return COMMITTED;

    struct odks_err why = sync->err;
    odks_db_rollback(sync->db);
    enum outcome outcome = find_out(sync, call);
    if (outcome == NOT_DONE)
        sync->err = why;
    return outcome;
}

bool
odks_lib_once(struct odks_sync *sync, const struct odks_sql *sql,
              const char *const *params, int64_t *answer)
{
    struct odks_lib_unsure call = { .sql = sql, .params = hash(sql, params) };
    struct odks_lib_unsure *unsure = &sync->unsure;
    enum outcome outcome = NOT_DONE;

    if (unsure->sql == sql && unsure->params == call.params) {
        call = *unsure;
        unsure->sql = NULL;
        outcome = find_out(sync, &call);
    }
    if (outcome == NOT_DONE) {
        odks_err_clear(&sync->err);
        outcome = act(sync, params, &call);
    }
    if (outcome != COMMITTED)
        return false;
    odks_err_clear(&sync->err);
    if (answer != NULL)
        *answer = call.answer;
    return true;
}
