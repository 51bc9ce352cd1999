/* bin/cmd_doctor.c - SPDX-License-Identifier: Apache-2.0 */
/* Try each thing that a run needs, and print each problem with its fix. */
#include <config.h>

#include <stdarg.h>
#include <string.h>

#include "bin/doctor.h"
#include "bin/print.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/safe.h"
#include "core/utf8.h"

/* One line for each check, at once: the next one may take its time. */
static void
report_finding(struct odks_doctor *d, const char *verdict, const char *what,
               const char *message, const char *fix)
{
    struct json_object *o;

    odks_log_progress(NULL);
    if (!d->cli->json) {
        odks_print(stdout, "%-5s %-9s %s\n", verdict, what, message);
        if (fix[0] != '\0')
            odks_print(stdout, "%15s fix: %s\n", "", fix);
        (void) fflush(stdout);
        return;
    }
    o = json_object_new_object();
    (void) json_object_object_add(o, "verdict",
                                  json_object_new_string(verdict));
    (void) json_object_object_add(o, "check", json_object_new_string(what));
    (void) json_object_object_add(o, "message",
                                  json_object_new_string(message));
    (void) json_object_object_add(o, "fix", json_object_new_string(fix));
    (void) json_object_array_add(d->findings, o);
}

void
odks_doctor_good(struct odks_doctor *d, const char *what, const char *fmt, ...)
{
    char message[2000];
    va_list args;

    va_start(args, fmt);
    odks_utf8_vformat(message, sizeof(message), fmt, args);
    va_end(args);
    report_finding(d, "ok", what, message, "");
}

void
odks_doctor_warn(struct odks_doctor *d, const char *what, const char *message,
                 const char *fix)
{
    report_finding(d, "warn", what, message, fix);
}

void
odks_doctor_found(struct odks_doctor *d, const char *what, int code,
                  const char *message, const char *fix)
{
    report_finding(d,
                   code > 0    ? "FAIL"
                   : code == 0 ? "warn"
                               : "ok",
                   what, message, fix);
    if (code > 0)
        d->worst = odks_exit_worse(d->worst, (enum odks_exit) code);
}

void
odks_doctor_wait(const struct odks_doctor *d, const char *fmt, ...)
{
    char text[200];
    va_list args;

    if (d->cli->json)
        return;
    va_start(args, fmt);
    odks_utf8_vformat(text, sizeof(text), fmt, args);
    va_end(args);
    odks_log_progress(text);
}

void
odks_doctor_fail(struct odks_doctor *d, const char *what, struct odks_err *err)
{
    CLEANUP_FREE char *message =
        err->detail[0] != '\0'
            ? odks_xasprintf("%s (%s)", err->message, err->detail)
            : odks_xstrdup(err->message);

    report_finding(d, "FAIL", what, message, err->hint);
    d->worst = odks_exit_worse(d->worst, err->code);
    odks_err_clear(err);
}

static void
check_sql(struct odks_doctor *d, const struct odks_job_conf *job,
          struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_CONFIG_SQL_MAX);

    if (!odks_config_job_sql(job, &sql, err))
        odks_doctor_fail(d, job->sync_type, err);
    else
        odks_doctor_good(d, job->sync_type,
                         "%zu bytes of SQL; odk-sync run %s --dry-run tries it",
                         sql.len, job->sync_type);
}

enum odks_exit
odks_cmd_doctor(const struct odks_cli *cli, struct odks_err *err)
{
    struct odks_doctor d = { .cli = cli, .db_now = ODKS_TIME_NONE };

    d.findings = json_object_new_array();
    if (!odks_cmd_config_load(cli, &d.c.cfg, err)) {
        odks_doctor_fail(&d, "config", err);
    } else {
        odks_doctor_good(&d, "config", "%zu job%s",
                         odks_config_job_count(d.c.cfg),
                         odks_config_job_count(d.c.cfg) == 1 ? "" : "s");
        odks_doctor_database(&d, err);
        for (size_t i = 0; i < odks_config_central_count(d.c.cfg); i++)
            odks_doctor_central(&d, odks_config_central(d.c.cfg, i), err);
        for (size_t i = 0; i < odks_config_job_count(d.c.cfg); i++) {
            if (strcmp(odks_config_job(d.c.cfg, i)->kind, "sql") == 0)
                check_sql(&d, odks_config_job(d.c.cfg, i), err);
        }
    }
    if (cli->json)
        odks_print_json(d.findings);
    else
        json_object_put(d.findings);
    odks_cmd_close(&d.c);
    return d.worst;
}
