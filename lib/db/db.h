/* lib/db/db.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to PostgreSQL, never blocking beyond a deadline of ours.
 *
 * Everything runs in a transaction that odks_db_begin() opened: it sets, for
 * that transaction alone, search_path (pg_catalog, so that nobody else's
 * functions are called; every other object is written with its schema, those of
 * odk-sync as {schema}.odk_sync_..., which db/fill.h fills in), every other
 * setting that changes what SQL means or prints, and the time limits. There is
 * no session state apart from the advisory locks of a direct connection, so the
 * same code works through a pooler in transaction mode.
 *
 * Errors carry SQLSTATE and the exit code that belongs to it. After an error
 * the transaction is over in all but name: call odks_db_rollback().
 */
#ifndef ODKS_DB_DB_H
#define ODKS_DB_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/time.h"

struct odks_db; /* opaque */

struct odks_db_conf {
    const char *const *keywords; /* libpq's, NULL-terminated */
    const char *const *values;   /* as many, NULL-terminated */
    const char *tracking_schema; /* where the odk_sync_* tables are */
    const char *instance;        /* for application_name */
    unsigned statement_timeout_s;
};

/* An embedded statement: sql/queries/NAME.sql, with its declared shape. */
struct odks_sql {
    const char *name;
    const char *text;
    int min_rows, max_rows; /* max_rows -1: any number */
    int columns;
    int params;
};

ODKS_DEFINE_CLEANUP(pgresult, PGresult *, PQclear)
#define CLEANUP_PGRESULT CLEANUP(odks_cleanup_pgresult)

/*
 * Might a setting in the parameter "options" be a password, by the len bytes of
 * its name? An error about it must not show its value.
 */
bool odks_db_is_secret_setting(const char *name, size_t len);

/* Connect; the caller owns *db. conf must outlive it. */
ODKS_MUST_CHECK bool odks_db_connect(const struct odks_db_conf *conf,
                                     struct odks_db **db, struct odks_err *err);
void odks_db_close(struct odks_db *db); /* db may be NULL */
ODKS_DEFINE_CLEANUP(db, struct odks_db *, odks_db_close)
#define CLEANUP_DB CLEANUP(odks_cleanup_db)

/*
 * Connect again when the session has ended: the transaction that was open, and
 * the advisory locks, are gone. False: there is still no session.
 */
ODKS_MUST_CHECK bool odks_db_reconnect(struct odks_db *db,
                                       struct odks_err *err);

/*
 * Does a pooler stand between us and the server? Session-wide locks and
 * settings are useless then.
 */
bool odks_db_pooled(const struct odks_db *db);

/* Is the connection still usable, so that a failure can be recorded on it? */
bool odks_db_alive(const struct odks_db *db);

const char *odks_db_tracking_schema(const struct odks_db *db);

/*
 * Begin a transaction. Behind a pooler a session that has ended is replaced
 * first, for nothing depends on it; a direct one may hold advisory locks, and
 * only odks_db_reconnect() replaces it.
 */
ODKS_MUST_CHECK bool odks_db_begin(struct odks_db *db, struct odks_err *err);

/*
 * Let each statement of this transaction take so long, instead of
 * statement_timeout.
 */
ODKS_MUST_CHECK bool odks_db_allow(struct odks_db *db, unsigned seconds,
                                   struct odks_err *err);

/*
 * Undo what SQL of the user's has set in this transaction, for the session or
 * for the transaction alone: role and settings are again what
 * odks_db_begin() makes them, also after the commit.
 */
ODKS_MUST_CHECK bool odks_db_reset(struct odks_db *db, struct odks_err *err);

/*
 * Commit. Being asked to stop does not break this off. If the connection is
 * lost meanwhile, whether it took effect is unknown: the error says 75.
 */
ODKS_MUST_CHECK bool odks_db_commit(struct odks_db *db, struct odks_err *err);

/* End the transaction without effect, if there is one; never fails. */
void odks_db_rollback(struct odks_db *db);

/*
 * Run an embedded statement with its sql->params parameters (text, NULL for
 * SQL NULL; params may be NULL if there are none). A result of another shape
 * than declared is an error of ours (70). The caller owns the result.
 */
ODKS_MUST_CHECK PGresult *odks_db_query(struct odks_db *db,
                                        const struct odks_sql *sql,
                                        const char *const *params,
                                        struct odks_err *err);

/*
 * Run a statement that was put together at run time (DDL, merges): every
 * identifier in it came through odks_db_ident(), or is a hole of db/fill.h.
 * name is for messages. With count = 0 text may hold several statements; the
 * result is the last one's.
 */
ODKS_MUST_CHECK PGresult *odks_db_exec(struct odks_db *db, const char *name,
                                       const char *text, int count,
                                       const char *const *params,
                                       struct odks_err *err);

/* As odks_db_exec() for who does not need the result. */
ODKS_MUST_CHECK bool odks_db_do(struct odks_db *db, const char *name,
                                const char *text, struct odks_err *err);

/* COPY ... FROM STDIN (text format) with all of data. */
ODKS_MUST_CHECK bool odks_db_copy(struct odks_db *db, const char *copy,
                                  const struct odks_buf *data,
                                  struct odks_err *err);

/*
 * Take words out of err that may have values of submissions in them: for what
 * the database said of a statement that writes rows.
 */
void odks_db_hide_values(struct odks_err *err);

/* name as a quoted identifier, into b. False: over the cap of b. */
ODKS_MUST_CHECK bool odks_db_ident(struct odks_db *db, const char *name,
                                   struct odks_buf *b);
/* s as a quoted literal, for DDL that takes no parameters (COMMENT). */
ODKS_MUST_CHECK bool odks_db_literal(struct odks_db *db, const char *s,
                                     struct odks_buf *b);

/* Fields of a result: NULL for SQL NULL; 0 and false stand for NULL. */
const char *odks_db_text(const PGresult *res, int row, int column);
int64_t odks_db_int64(const PGresult *res, int row, int column);
bool odks_db_bool(const PGresult *res, int row, int column);
/* A column of microseconds since 1970; ODKS_TIME_NONE stands for NULL. */
int64_t odks_db_time(const PGresult *res, int row, int column);

/*
 * Values as parameters: written into text, which is returned, or NULL for
 * ODKS_TIME_NONE.
 */
const char *odks_db_time_param(int64_t us, char text[ODKS_TIME_TEXT]);
enum { ODKS_DB_INT64_TEXT = 24 };
const char *odks_db_int64_param(int64_t n, char text[ODKS_DB_INT64_TEXT]);

#endif
