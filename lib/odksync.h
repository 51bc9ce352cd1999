/* lib/odksync.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * libodksync: the sync tracking of odk-sync for any program in C or C++. Its
 * rules are the SQL functions odk_sync_*(); these are the same verbs.
 *
 * Errors. A verb returns 0, or one of enum odks_error; then the handle has a
 * message and a hint. An out-parameter is only written on success.
 *
 * Connection. Each verb is one transaction, and keeps nothing in the session:
 * a pooler in transaction mode will do. A connection that was lost between two
 * calls is replaced without a word. One that is lost during a call is an error
 * (ODKS_E_TEMPFAIL), and the next call connects anew; if the answer to a
 * COMMIT was lost, the server is asked what became of it. Connecting may take
 * 15 seconds, a statement 75, a wait for somebody else's lock 10.
 *
 * Threads. A handle belongs to one thread at a time, and not to both sides of
 * a fork(); different handles are independent of each other.
 *
 * Manners. The library never prints, never ends the process, and installs no
 * signal handler. Texts are UTF-8; those given to a verb are not kept.
 */
#ifndef ODKS_ODKSYNC_H
#define ODKS_ODKSYNC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct odks_sync;  /* a handle: one connection */
struct odks_scope; /* an attempt that cannot be left open by mistake */

/* What can go wrong; the numbers are the exit codes of odk-sync(1). */
enum odks_error {
    /* the call is wrong: an argument, an attempt unknown or ended before */
    ODKS_E_USAGE = 64,
    ODKS_E_SOFTWARE = 70, /* a bug in libodksync, or an odd server */
    ODKS_E_OS = 71,       /* out of memory or descriptors */
    ODKS_E_TEMPFAIL = 75, /* the database is away: call again later */
    ODKS_E_NOPERM = 77,   /* credentials or rights refused */
    ODKS_E_CONFIG = 78    /* no such database or schema, no or other tables */
};

/* --- points in time ------------------------------------------------------ */

/* Microseconds since 1970-01-01T00:00:00Z; of a time_t: t * 1000000. */
#define ODKS_TIME_NONE INT64_MIN /* no time: SQL NULL */
#define ODKS_TIME_SIZE 40        /* bytes for odks_format_time() */

/*
 * Read an ISO 8601 text, as "2026-11-23T16:15:30.123Z" or "2026-11-23"; without
 * a zone it is taken as UTC. 0 or ODKS_E_USAGE.
 */
int odks_parse_time(const char *text, int64_t *us);

/* Write "2026-11-23T16:15:30.123Z" and a NUL into text; 0 or ODKS_E_USAGE. */
int odks_format_time(int64_t us, char *text, size_t size);

/* --- the handle ---------------------------------------------------------- */

/*
 * Connect. conninfo is a connection string or URI of libpq, NULL or "" for its
 * environment variables alone; tracking_schema is where the odk_sync_* tables
 * are, NULL for "public".
 *
 * *sync is set even when this fails: ask it for the message and close it, or
 * go on with it, and each verb tries to connect. It is NULL when memory is
 * short. The caller owns it.
 */
int odks_open(const char *conninfo, const char *tracking_schema,
              struct odks_sync **sync);
void odks_close(struct odks_sync *sync); /* may be NULL */

/*
 * Of the last call with this handle: 0 or its error, and "" or what to tell a
 * person. A message is one line, a hint a sentence that says what to do. The
 * SQLSTATE is "" unless PostgreSQL refused something. Texts are the handle's
 * and last until its next call.
 */
int odks_error_code(const struct odks_sync *sync);
const char *odks_error_message(const struct odks_sync *sync);
const char *odks_error_hint(const struct odks_sync *sync);
const char *odks_error_sqlstate(const struct odks_sync *sync);

/* Of this library, as "0.1.0". */
const char *odks_version(void);

/* --- the tables ---------------------------------------------------------- */

/* Create or upgrade the odk_sync_* tables and functions, as odk-sync init. */
int odks_create_tables(struct odks_sync *sync);

/*
 * Forget attempts older than days (1 at least); *removed, which may be NULL,
 * is their number. Done in batches: after an error some may be gone.
 */
int odks_cleanup_history(struct odks_sync *sync, int days, int64_t *removed);

/* --- where a sync type stands -------------------------------------------- */

/* Up to when it is synced; ODKS_TIME_NONE if it never was. */
int odks_get_last_sync_time(struct odks_sync *sync, const char *sync_type,
                            int64_t *us);

/*
 * Set it by hand, which leaves a row in the history. Where the SQL function
 * refuses to move it back, so does this (ODKS_E_USAGE).
 */
int odks_set_last_sync_time(struct odks_sync *sync, const char *sync_type,
                            int64_t us);

/* --- an attempt ---------------------------------------------------------- */

#define ODKS_UNCHANGED (-1) /* a number of records that is not known */

/*
 * An attempt begins; *history_id names it. service_instance tells who makes
 * it, NULL for host, process and a random number.
 */
int odks_start_sync(struct odks_sync *sync, const char *sync_type,
                    const char *service_instance, int *history_id);

/*
 * What it has done so far: records (or ODKS_UNCHANGED), the newest date seen
 * (or ODKS_TIME_NONE), and a JSON object whose keys are added to the metadata
 * (or NULL).
 */
int odks_update_progress(struct odks_sync *sync, int history_id, int records,
                         int64_t latest, const char *metadata);

/* It succeeded. latest moves the last sync time, forward only. */
int odks_complete_sync(struct odks_sync *sync, int history_id,
                       const char *sync_type, int records, int64_t latest,
                       const char *metadata);

/* It failed, and why: message may be NULL. */
int odks_fail_sync(struct odks_sync *sync, int history_id,
                   const char *sync_type, const char *message);

/* --- reports: JSON texts that the caller releases with free() ------------ */

int odks_sync_statistics(struct odks_sync *sync, char **json);
int odks_sync_health(struct odks_sync *sync, char **json);

/* --- a scope ------------------------------------------------------------- */

/*
 * An attempt that is recorded as failed when it is left without success:
 *
 *     ODKS_SYNC_SCOPE struct odks_scope *scope =
 *         odks_enter_scope(sync, "main_submissions", NULL);
 *
 *     if (scope == NULL || !work(odks_scope_history_id(scope)))
 *         return 1;
 *     return odks_complete_scope(scope, records, latest, NULL);
 *
 * Leaving is returning, falling out of the block, break and goto, and in C++
 * throwing; not exit() and longjmp(). A compiler without the attribute calls
 * odks_leave_scope() at every way out.
 */
#if defined(__GNUC__) || defined(__clang__)
#define ODKS_SYNC_SCOPE __attribute__((__cleanup__(odks_leave_scope)))
#endif

/* odks_start_sync(); NULL if it failed, and the handle says why. */
struct odks_scope *odks_enter_scope(struct odks_sync *sync,
                                    const char *sync_type,
                                    const char *service_instance);

/* For odks_update_progress(); 0 of NULL. */
int odks_scope_history_id(const struct odks_scope *scope);

/* odks_complete_sync(); after an error the scope is as before. */
int odks_complete_scope(struct odks_scope *scope, int records, int64_t latest,
                        const char *metadata);

/* odks_fail_sync(), for who has a message of its own. */
int odks_fail_scope(struct odks_scope *scope, const char *message);

/*
 * Release *scope, which may be NULL, and set it to NULL. If it was neither
 * completed nor failed, its attempt is recorded as failed, with the error of
 * the handle's last call as the message if there was one. The error of the
 * handle stays as it is: a failure to record the failure is not reported.
 * The handle must still be open.
 */
void odks_leave_scope(struct odks_scope **scope);

#ifdef __cplusplus
}
#endif

#endif
