/* lib/core/err.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, for the person who reads it and the scheduler that acts.
 *
 * A value on the caller's stack: ODKS_ERR_INIT, no memory to free, usable when
 * memory is short. A function that can fail returns bool (or a pointer), takes
 * a struct odks_err * last and sets it once, where the cause is known; callers
 * add context in front and never re-word. Longer texts are cut.
 *
 * message: lower case, one line, no full stop. detail: facts (an SQLSTATE, an
 * HTTP status). hint: a sentence that says what to do. None of them ever holds
 * a password, a token or a value of a submission.
 */
#ifndef ODKS_CORE_ERR_H
#define ODKS_CORE_ERR_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/exit.h"

struct odks_err {
    enum odks_exit code; /* ODKS_EXIT_OK: no error */
    bool interrupted;    /* we were asked to stop: hand the job back */
    bool timed_out;      /* by our own time limit */
    char sqlstate[6];    /* "" unless PostgreSQL said it */
    bool raised;         /* a function in PostgreSQL chose state and words */
    char routine[100];   /* function in PostgreSQL, not of odk-sync, in which it
                            failed; "" for none */
    /* what PostgreSQL names beside its words; "": nothing */
    char table[64];
    char column[64];
    char constraint[64]; /* or the unique index */
    char message[1024];
    char detail[512];
    char hint[512];
};

#define ODKS_ERR_INIT        \
    {                        \
        .code = ODKS_EXIT_OK \
    }

/* Set code and message; forgets detail, hint and all that was there. */
void odks_err_set(struct odks_err *err, enum odks_exit code, const char *fmt,
                  ...) ODKS_PRINTF(3, 4);

/* Replace the message alone; an argument may be the present one. */
void odks_err_message(struct odks_err *err, const char *fmt, ...)
    ODKS_PRINTF(2, 3);
void odks_err_detail(struct odks_err *err, const char *fmt, ...)
    ODKS_PRINTF(2, 3);
void odks_err_hint(struct odks_err *err, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* Put "context: " in front of the message. */
void odks_err_context(struct odks_err *err, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* May the same work succeed later without a person? */
bool odks_err_is_temporary(const struct odks_err *err);

/* Forget the error. */
void odks_err_clear(struct odks_err *err);

#endif
