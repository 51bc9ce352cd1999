/* bin/doctor.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of "odk-sync doctor". Each check reports what it found through
 * the functions below and goes on: doctor lists all problems at once.
 */
#ifndef ODKS_BIN_DOCTOR_H
#define ODKS_BIN_DOCTOR_H

#include "bin/cmd.h"
#include "config/config.h"
#include "core/time.h"

struct json_object;
struct odks_central;
struct odks_field;

struct odks_doctor {
    const struct odks_cli *cli;
    struct odks_cmd_db c;
    struct json_object *findings; /* for --json */
    enum odks_exit worst;         /* of all that failed */
    int64_t db_now;               /* ODKS_TIME_NONE: unknown */
    bool lacks_rights;            /* some are missing, and were reported */
    bool has_tables; /* the tracking tables, of this program's version */
};

/*
 * Report the result of a check, at once. what says in a word what was checked;
 * fix says what to do about it, "" for nothing.
 */
void odks_doctor_good(struct odks_doctor *d, const char *what, const char *fmt,
                      ...) ODKS_PRINTF(3, 4);
void odks_doctor_warn(struct odks_doctor *d, const char *what,
                      const char *message, const char *fix);
/*
 * Report a row of doctor_database.sql or doctor_tables.sql: code is the exit
 * code of a run that meets it, 0 for a warning, -1 for a remark.
 */
void odks_doctor_found(struct odks_doctor *d, const char *what, int code,
                       const char *message, const char *fix);
/* Clears err, and has its code among those that the exit code is made of. */
void odks_doctor_fail(struct odks_doctor *d, const char *what,
                      struct odks_err *err);

/* On a terminal: name what is waited for, until the next report. */
void odks_doctor_wait(const struct odks_doctor *d, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* Connect, and check the database, the tracking tables and the rights. */
void odks_doctor_database(struct odks_doctor *d, struct odks_err *err);

/* Log in at a Central, and check all jobs that read from it. */
void odks_doctor_central(struct odks_doctor *d,
                         const struct odks_central_conf *conf,
                         struct odks_err *err);

/*
 * Check privacy rules and tables of a job, as far as that goes. fields: of its
 * form or dataset, NULL for a job that stands for many forms.
 */
void odks_doctor_job(struct odks_doctor *d, const struct odks_job_conf *job,
                     struct odks_central *central, struct odks_field *fields,
                     struct odks_err *err);

#endif
