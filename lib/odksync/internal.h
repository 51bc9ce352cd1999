/* lib/odksync/internal.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of libodksync share. They are compiled a second time with
 * lib/core and lib/db, as position-independent code; what the library cannot
 * have there (core/mem, core/log, the handlers of core/stop) is not linked.
 */
#ifndef ODKS_ODKSYNC_INTERNAL_H
#define ODKS_ODKSYNC_INTERNAL_H

#include <stdbool.h>

#include "core/err.h"
#include "db/db.h"
#include "odksync.h"

enum { ODKS_LIB_INSTANCE = 101 };

struct odks_sync {
    struct odks_db *db; /* NULL before the first connection */
    struct odks_db_conf conf;
    PQconninfoOption *options; /* what keywords and values point into */
    const char **keywords, **values;
    char *schema;
    char instance[ODKS_LIB_INSTANCE];
    struct odks_err err; /* of the last verb */

    /* The newest call of which nobody knows whether it was committed. */
    struct odks_lib_unsure {
        const struct odks_sql *sql; /* NULL: there is none */
        uint64_t params;            /* hash */
        char xid[ODKS_DB_INT64_TEXT];
        int64_t answer;
    } unsure;
};

/* Open a transaction, on a new connection if there is none that works. */
ODKS_MUST_CHECK bool odks_lib_begin(struct odks_sync *sync);

/* Begin a verb: forget the last error. False: there is no handle. */
bool odks_lib_enter(struct odks_sync *sync);

/* End it: the error as the caller of a library has to see it, or 0. */
int odks_lib_leave(struct odks_sync *sync);

/* Is it a time that can be written, or none? */
bool odks_lib_is_time(int64_t us);

/* Set the error of a wrong call and return it. */
int odks_lib_misuse(struct odks_sync *sync, const char *what);

/*
 * Run one statement in a transaction of its own; NULL and sync->err on
 * failure. For what may be called again without harm: when the connection is
 * lost it is not known whether it took effect.
 */
PGresult *odks_lib_query(struct odks_sync *sync, const struct odks_sql *sql,
                         const char *const *params);

/*
 * The same for what must not be done twice: a statement whose first column is
 * its transaction. When the answer to the COMMIT is lost, finds out. *answer,
 * which may be NULL, is the second column. False and sync->err on failure; if
 * that could not be found out, the same call will look again before it acts.
 */
bool odks_lib_once(struct odks_sync *sync, const struct odks_sql *sql,
                   const char *const *params, int64_t *answer);

#endif
