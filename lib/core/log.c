/* lib/core/log.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/safe.h"
#include "core/time.h"
#include "core/utf8.h"

enum { FIELD = 101 };

static struct {
    enum odks_log_level level;
    enum odks_log_format format;
    char run[FIELD], job[FIELD], step[FIELD];
    bool progress_shown;
} logger = { .level = ODKS_LOG_WARN, .format = ODKS_LOG_TEXT };

static const char *const level_names[] = { "error", "warning", "info",
                                           "debug" };

void
odks_log_init(enum odks_log_level level, enum odks_log_format format)
{
    logger.level = level;
    logger.format = format;
}

bool
odks_log_enabled(enum odks_log_level level)
{
    return level <= logger.level;
}

static void
set_field(char field[FIELD], const char *value)
{
    odks_utf8_format(field, FIELD, "%s", value != NULL ? value : "");
}

void
odks_log_set_run(const char *run)
{
    set_field(logger.run, run);
}

void
odks_log_set_job(const char *job)
{
    set_field(logger.job, job);
}

void
odks_log_set_step(const char *step)
{
    set_field(logger.step, step);
}

static void
print_text(enum odks_log_level level, const struct odks_err *record)
{
    odks_print(stderr, "odk-sync: ");
    if (level != ODKS_LOG_INFO)
        odks_print(stderr, "%s: ", level_names[level]);
    if (logger.job[0] != '\0')
        odks_print(stderr, "%s: ", logger.job);
    odks_print(stderr, "%s", record->message);
    if (record->code != ODKS_EXIT_OK)
        odks_print(stderr, " [%d]", (int) record->code);
    odks_print(stderr, "\n");
    if (record->detail[0] != '\0')
        odks_print(stderr, "  detail: %s\n", record->detail);
    if (record->hint[0] != '\0')
        odks_print(stderr, "  hint: %s\n", record->hint);
}

static void
add_text(struct json_object *o, const char *key, const char *value)
{
    if (value[0] != '\0')
        (void) json_object_object_add(o, key, json_object_new_string(value));
}

static void
print_json(enum odks_log_level level, const struct odks_err *record)
{
    struct json_object *o = json_object_new_object();
    char now[ODKS_TIME_TEXT];
    struct timespec ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    odks_time_format((int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000, now);
    add_text(o, "ts", now);
    add_text(o, "level", level_names[level]);
    add_text(o, "run_id", logger.run);
    add_text(o, "job", logger.job);
    add_text(o, "step", logger.step);
    if (record->code != ODKS_EXIT_OK)
        (void) json_object_object_add(o, "code",
                                      json_object_new_int(record->code));
    add_text(o, "msg", record->message);
    add_text(o, "sqlstate", record->sqlstate);
    add_text(o, "detail", record->detail);
    add_text(o, "hint", record->hint);
    odks_print_json_text(
        stderr, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    (void) json_object_put(o);
}

static void
print(enum odks_log_level level, const struct odks_err *record)
{
    odks_log_progress(NULL);
    if (logger.format == ODKS_LOG_JSON)
        print_json(level, record);
    else
        print_text(level, record);
}

void
odks_log(enum odks_log_level level, const char *fmt, ...)
{
    int saved = errno;
    struct odks_err record = ODKS_ERR_INIT;
    va_list args;

    if (!odks_log_enabled(level))
        return;
    va_start(args, fmt);
    odks_utf8_vformat(record.message, sizeof(record.message), fmt, args);
    va_end(args);
    print(level, &record);
    errno = saved;
}

void
odks_log_err(enum odks_log_level level, const struct odks_err *err)
{
    int saved = errno;

    if (odks_log_enabled(level))
        print(level, err);
    errno = saved;
}

bool
odks_log_has_progress(void)
{
    const char *term = getenv("TERM"), *ci = getenv("CI");

    return logger.format == ODKS_LOG_TEXT && logger.level >= ODKS_LOG_WARN
           && isatty(STDERR_FILENO) && (ci == NULL || ci[0] == '\0')
           && term != NULL && strcmp(term, "dumb") != 0;
}

void
odks_log_progress(const char *line)
{
    if (line == NULL && logger.progress_shown) {
        odks_print_erase(stderr);
        logger.progress_shown = false;
    } else if (line != NULL && odks_log_has_progress()) {
        odks_print_erase(stderr);
        odks_print(stderr, "%s", line);
        (void) fflush(stderr);
        logger.progress_shown = true;
    }
}
