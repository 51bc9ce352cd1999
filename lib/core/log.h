/* lib/core/log.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for people and log collectors, on stderr, one line each.
 *
 * Text and JSON are two printers of one record: time, level, run, job, step,
 * code, message, detail, hint. Control bytes are escaped. Results never come
 * here (they go to stdout), nor do passwords, tokens, conninfo, URL queries
 * and values of submissions.
 */
#ifndef ODKS_CORE_LOG_H
#define ODKS_CORE_LOG_H

#include <stdbool.h>

#include "core/cleanup.h"

struct odks_err;

enum odks_log_level {
    ODKS_LOG_ERROR,
    ODKS_LOG_WARN,
    ODKS_LOG_INFO,
    ODKS_LOG_DEBUG
};

enum odks_log_format { ODKS_LOG_TEXT, ODKS_LOG_JSON };

/* Defaults: ODKS_LOG_WARN, ODKS_LOG_TEXT. */
void odks_log_init(enum odks_log_level level, enum odks_log_format format);
bool odks_log_enabled(enum odks_log_level level);

/*
 * What every later line carries: the run (service_instance), the job (sync
 * type) and its step. Each is copied and cut at 100 bytes; NULL clears it.
 */
void odks_log_set_run(const char *run);
void odks_log_set_job(const char *job);
void odks_log_set_step(const char *step);

/* fmt: lower case, no full stop, no newline. */
void odks_log(enum odks_log_level level, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* An error with its code, detail and hint. */
void odks_log_err(enum odks_log_level level, const struct odks_err *err);

/*
 * A progress line on a terminal, overwritten by the next one and wiped before
 * any message; without a terminal on stderr, in CI or in JSON this
 * does nothing. NULL wipes it.
 */
void odks_log_progress(const char *line);
bool odks_log_has_progress(void);

#endif
