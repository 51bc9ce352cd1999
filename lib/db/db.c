/* lib/db/db.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/db.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/stop.h"
#include "db/fill.h"
#include "db/internal.h"

enum {
    GRACE_S = 15,         /* beyond the server's own statement_timeout */
    CANCEL_WAIT_S = 5,    /* for the answer after a cancel */
    COPY_CHUNK = 1 << 16, /* bytes per PQputCopyData() */
    FILLED_MAX = 64 << 20 /* bytes of a statement */
};

bool
odks_db_pooled(const struct odks_db *db)
{
    return db->pooled;
}

bool
odks_db_alive(const struct odks_db *db)
{
    return db != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

const char *
odks_db_tracking_schema(const struct odks_db *db)
{
    return db->conf->tracking_schema;
}

typedef enum odks_wait waiter(struct pollfd *, nfds_t, struct odks_deadline);

static struct odks_deadline
statement_deadline(const struct odks_db *db)
{
    return odks_deadline_in((int64_t) (db->limit_s + GRACE_S) * 1000);
}

/*
 * Is there nothing to wait for? Without a socket libpq has given the
 * connection up, and PQgetResult() tells so without waiting.
 */
static bool
is_ready(const struct odks_db *db, int unsent)
{
    return unsent < 0 || PQsocket(db->conn) < 0
           || (unsent == 0 && !PQisBusy(db->conn));
}

/*
 * Send what libpq has buffered and take in what has arrived; wait is
 * odks_wait(), or odks_wait_to_the_end() for COMMIT and ROLLBACK.
 */
static enum odks_wait
pump(struct odks_db *db, waiter *wait, struct odks_deadline until)
{
    for (;;) {
        int unsent = PQflush(db->conn);
        if (is_ready(db, unsent))
            return ODKS_WAIT_READY;

        struct pollfd fd = { .fd = PQsocket(db->conn),
                             .events = (short) (POLLIN
                                                | (unsent > 0 ? POLLOUT : 0)) };
        enum odks_wait got = wait(&fd, 1, until);
        if (got != ODKS_WAIT_READY)
            return got;
        if ((fd.revents & ~POLLOUT) != 0 && !PQconsumeInput(db->conn))
            return ODKS_WAIT_READY;
    }
}

/* Ask the server to drop the running statement, and drain its answer. */
static void
cancel(struct odks_db *db)
{
    char said[256];
    PGcancel *handle = PQgetCancel(db->conn);

    if (handle != NULL) {
        (void) PQcancel(handle, said, sizeof(said));
        PQfreeCancel(handle);
    }
    struct odks_deadline until = odks_deadline_in(CANCEL_WAIT_S * 1000);
    /* what does not drain in time falls with the connection */
    while (pump(db, odks_wait_to_the_end, until) == ODKS_WAIT_READY
           && !odks_deadline_passed(until)) {
        CLEANUP_PGRESULT PGresult *res = PQgetResult(db->conn);

        if (res == NULL)
            return;
        /* a COPY goes on until we say that it is over */
        if (PQresultStatus(res) == PGRES_COPY_IN
            && PQputCopyEnd(db->conn, "broken off") < 0)
            return;
    }
}

static void
wait_err(struct odks_db *db, enum odks_wait got, const char *name,
         struct odks_err *err)
{
    cancel(db);
    if (got == ODKS_WAIT_STOPPED) {
        odks_stop_err(err);
        return;
    }
    odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                 "the database did not answer within %u s",
                 db->limit_s + GRACE_S);
    odks_err_detail(err, "in %s", name);
}

/*
 * Collect the results of what was sent; the last one is handed out. A result
 * that starts a COPY is handed out at once: the data comes next.
 */
static PGresult *
collect(struct odks_db *db, const char *name, waiter *wait,
        struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *last = NULL;
    struct odks_deadline until = statement_deadline(db);

    for (;;) {
        enum odks_wait got = pump(db, wait, until);
        if (got != ODKS_WAIT_READY) {
            wait_err(db, got, name, err);
            return NULL;
        }
        PGresult *res = PQgetResult(db->conn);
        if (res == NULL)
            break;
        if (last == NULL || PQresultStatus(last) != PGRES_FATAL_ERROR) {
            PQclear(last);
            last = res;
        } else {
            PQclear(res);
        }
        if (PQresultStatus(last) == PGRES_COPY_IN)
            return odks_steal(&last);
    }
    ExecStatusType status =
        last != NULL ? PQresultStatus(last) : PGRES_FATAL_ERROR;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        odks_db_result_err(db, last, name, err);
        return NULL;
    }
    return odks_steal(&last);
}

/* text, or filled with it if it has holes; NULL: err is set. */
static const char *
fill(const struct odks_db *db, const char *text, struct odks_buf *filled,
     struct odks_err *err)
{
    if (!odks_fill_needed(text))
        return text;
    return odks_fill(text, db->conf->tracking_schema, filled, err)
               ? filled->data
               : NULL;
}

PGresult *
odks_db_exec(struct odks_db *db, const char *name, const char *text, int count,
             const char *const *params, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf filled = ODKS_BUF_INIT(FILLED_MAX);

    text = fill(db, text, &filled, err);
    if (text == NULL)
        return NULL;
    int sent = count == 0 ? PQsendQuery(db->conn, text)
                          : PQsendQueryParams(db->conn, text, count, NULL,
                                              params, NULL, NULL, 0);

    if (!sent) {
        odks_db_result_err(db, NULL, name, err);
        return NULL;
    }
    return collect(db, name, odks_wait, err);
}

bool
odks_db_do(struct odks_db *db, const char *name, const char *text,
           struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_db_exec(db, name, text, 0, NULL, err);

    return res != NULL;
}

PGresult *
odks_db_query(struct odks_db *db, const struct odks_sql *sql,
              const char *const *params, struct odks_err *err)
{
    assert(PQtransactionStatus(db->conn) != PQTRANS_IDLE);
    CLEANUP_PGRESULT PGresult *res =
        odks_db_exec(db, sql->name, sql->text, sql->params, params, err);
    if (res == NULL)
        return NULL;

    int rows = PQntuples(res), columns = PQnfields(res);
    if (columns != sql->columns || rows < sql->min_rows
        || (sql->max_rows >= 0 && rows > sql->max_rows)) {
        odks_err_set(err, ODKS_EXIT_SOFTWARE,
                     "%s: %d rows of %d columns are not what was declared",
                     sql->name, rows, columns);
        return NULL;
    }
    return odks_steal(&res);
}

static bool
begin(struct odks_db *db, struct odks_err *err)
{
    assert(PQtransactionStatus(db->conn) != PQTRANS_INTRANS);
    db->limit_s = db->conf->statement_timeout_s;
    return odks_db_do(db, "begin", db->begin, err);
}

bool
odks_db_begin(struct odks_db *db, struct odks_err *err)
{
    if (begin(db, err))
        return true;
    if (!db->pooled || odks_db_alive(db))
        return false;
    odks_err_clear(err);
    return odks_db_reconnect(db, err) && begin(db, err);
}

bool
odks_db_allow(struct odks_db *db, unsigned seconds, struct odks_err *err)
{
    char text[64];

    (void) snprintf(text, sizeof(text), "SET LOCAL statement_timeout = '%us'",
                    seconds);
    if (!odks_db_do(db, "statement_timeout", text, err))
        return false;
    db->limit_s = seconds;
    return true;
}

bool
odks_db_commit(struct odks_db *db, struct odks_err *err)
{
    if (!PQsendQuery(db->conn, "COMMIT")) {
        odks_db_result_err(db, NULL, "commit", err);
        return false;
    }
    CLEANUP_PGRESULT PGresult *res =
        collect(db, "commit", odks_wait_to_the_end, err);
    if (res == NULL)
        return false;
    /* COMMIT of a failed transaction succeeds with the tag ROLLBACK */
    if (strcmp(PQcmdStatus(res), "COMMIT") != 0) {
        odks_err_set(err, ODKS_EXIT_SOFTWARE,
                     "commit of a transaction that had failed");
        return false;
    }
    return true;
}

void
odks_db_rollback(struct odks_db *db)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    if (!odks_db_alive(db))
        return;
    PGTransactionStatusType status = PQtransactionStatus(db->conn);
    if (status == PQTRANS_ACTIVE)
        cancel(db);
    else if (status == PQTRANS_IDLE)
        return;
    if (PQsendQuery(db->conn, "ROLLBACK"))
        PQclear(collect(db, "rollback", odks_wait_to_the_end, &ignored));
}

/*
 * Hand over a chunk and wait until it is on its way: else libpq would keep all
 * of the data a second time.
 */
static bool
put(struct odks_db *db, const char *p, int len, struct odks_err *err)
{
    struct odks_deadline until = statement_deadline(db);

    if (PQputCopyData(db->conn, p, len) <= 0) {
        odks_db_result_err(db, NULL, "copy", err);
        return false;
    }
    for (;;) {
        int unsent = PQflush(db->conn);

        if (unsent == 0)
            return true;
        if (unsent < 0 || PQsocket(db->conn) < 0) {
            odks_db_result_err(db, NULL, "copy", err);
            return false;
        }
        struct pollfd fd = { .fd = PQsocket(db->conn),
                             .events = POLLIN | POLLOUT };
        enum odks_wait got = odks_wait(&fd, 1, until);
        if (got != ODKS_WAIT_READY) {
            wait_err(db, got, "copy", err);
            return false;
        }
        if ((fd.revents & ~POLLOUT) != 0 && !PQconsumeInput(db->conn)) {
            odks_db_result_err(db, NULL, "copy", err);
            return false;
        }
    }
}

/* The end of the data, and what the server says of it. */
static bool
end_copy(struct odks_db *db, struct odks_err *err)
{
    int ended;

    while ((ended = PQputCopyEnd(db->conn, NULL)) == 0) {
        enum odks_wait got = pump(db, odks_wait, statement_deadline(db));

        if (got != ODKS_WAIT_READY) {
            wait_err(db, got, "copy", err);
            return false;
        }
    }
    CLEANUP_PGRESULT PGresult *res =
        ended > 0 ? collect(db, "copy", odks_wait, err) : NULL;
    if (res != NULL && PQresultStatus(res) == PGRES_COMMAND_OK)
        return true;
    if (ended < 0 || res != NULL) /* still in COPY: nobody is there */
        odks_db_result_err(db, NULL, "copy", err);
    return false;
}

bool
odks_db_copy(struct odks_db *db, const char *copy, const struct odks_buf *data,
             struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf filled = ODKS_BUF_INIT(FILLED_MAX);

    copy = fill(db, copy, &filled, err);
    if (copy == NULL)
        return false;
    if (!PQsendQuery(db->conn, copy)) {
        odks_db_result_err(db, NULL, "copy", err);
        return false;
    }
    CLEANUP_PGRESULT PGresult *started = collect(db, "copy", odks_wait, err);
    if (started == NULL)
        return false;
    for (size_t at = 0; at < data->len; at += COPY_CHUNK) {
        size_t left = data->len - at;

        if (!put(db, data->data + at,
                 (int) (left < COPY_CHUNK ? left : COPY_CHUNK), err))
            return false;
    }
    return end_copy(db, err);
}

bool
odks_db_ident(struct odks_db *db, const char *name, struct odks_buf *b)
{
    char *quoted = PQescapeIdentifier(db->conn, name, strlen(name));
    bool ok = quoted != NULL && odks_buf_add_str(b, quoted);

    PQfreemem(quoted);
    return ok;
}

bool
odks_db_literal(struct odks_db *db, const char *s, struct odks_buf *b)
{
    char *quoted = PQescapeLiteral(db->conn, s, strlen(s));
    bool ok = quoted != NULL && odks_buf_add_str(b, quoted);

    PQfreemem(quoted);
    return ok;
}

const char *
odks_db_text(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

int64_t
odks_db_int64(const PGresult *res, int row, int column)
{
    return strtoimax(PQgetvalue(res, row, column), NULL, 10);
}

bool
odks_db_bool(const PGresult *res, int row, int column)
{
    return PQgetvalue(res, row, column)[0] == 't';
}

int64_t
odks_db_time(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? ODKS_TIME_NONE
                                         : odks_db_int64(res, row, column);
}

const char *
odks_db_time_param(int64_t us, char text[ODKS_TIME_TEXT])
{
    if (us == ODKS_TIME_NONE)
        return NULL;
    odks_time_format(us, text);
    return text;
}

const char *
odks_db_int64_param(int64_t n, char text[ODKS_DB_INT64_TEXT])
{
    (void) snprintf(text, ODKS_DB_INT64_TEXT, "%" PRId64, n);
    return text;
}
