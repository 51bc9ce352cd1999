/* lib/db/internal.h - SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/db share with each other and with nobody else. */
#ifndef ODKS_DB_INTERNAL_H
#define ODKS_DB_INTERNAL_H

#include "db/db.h"

struct odks_db {
    PGconn *conn;
    const struct odks_db_conf *conf;
    char *begin; /* BEGIN and the settings of a transaction */
    bool pooled;
    unsigned limit_s; /* of a statement of this transaction */
};

/* The exit code that belongs to an SQLSTATE; "" stands for no connection. */
enum odks_exit odks_db_exit_code(const char *sqlstate);

/* Set err from a failed result, or from the connection when res is NULL. */
void odks_db_result_err(const struct odks_db *db, const PGresult *res,
                        const char *name, struct odks_err *err);

/* Set code, message, SQLSTATE and the hint that belongs to it. */
void odks_db_set_err(struct odks_err *err, const char *sqlstate,
                     const char *message);

/*
 * Set err from what libpq said, with PQERRORS_VERBOSE, of an attempt to connect
 * that failed: temporary unless a person has to change something.
 */
void odks_db_connect_said(const char *said, struct odks_err *err);

/* Set err from an attempt to connect that failed. */
void odks_db_connect_err(PGconn *conn, struct odks_err *err);

#endif
