/* jobs/command.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of somebody else's as a job: kind command, and odk-sync exec. It
 * runs for as long as the claim is ours, and tells us what it does through a
 * pipe.
 *
 * What it does outside of the database cannot be rolled back, so two of it must
 * never run at once. Two rules see to that, whatever becomes of us, of the
 * network and of the server:
 *
 * - The claim ends with its lease alone, never with our session (lease_only).
 * - The guard kills the program, and all that it started, when the last renewal
 *   that was committed is 5/6 of a lease old; if we are dead, at once.
 *
 * So when the session is lost the program goes on, and we connect again and
 * renew the claim in the time that is left.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "core/utf8.h"
#include "jobs/kinds.h"
#include "run/child.h"
#include "run/report.h"

enum {
    GRACE_MS = 10000,   /* between SIGTERM and SIGKILL */
    PROGRESS_MS = 1000, /* history hears of it no more often */
    RETRY_MS = 1000,    /* after a renewal that failed */
    ENV_MAX = 6,
    CANNOT_RUN = 126, /* these are the shell's, and those who call it know */
    NOT_FOUND = 127,
    BY_SIGNAL = 128
};

struct command {
    struct odks_attempt *a;
    struct odks_child *child;
    struct odks_report report;
    bool news;                   /* that history does not know */
    struct odks_deadline retry;  /* no renewal before that */
    struct odks_err not_renewed; /* why the last renewal failed */
    struct odks_deadline limit;  /* max_runtime */
    char title[80];              /* cut: error_message has more to hold */
};

static void
on_report(void *arg, const char *bytes, size_t len)
{
    struct command *c = arg;
    int64_t before = c->report.lines;

    odks_report_feed(&c->report, bytes, len);
    c->news = c->news || c->report.lines != before;
}

static void
take_over(struct command *c)
{
    if (c->report.records >= 0)
        c->a->records = c->report.records;
    c->a->latest = c->report.latest;
    if (c->report.bad > 0)
        (void) json_object_object_add(c->a->metadata, "bad_report_lines",
                                      json_object_new_int64(c->report.bad));
}

/*
 * A renewal failed. Is there time to try again? Not when the claim is lost, and
 * not when we are to stop. Then have a session again, if that can be.
 */
static bool
may_try_again(struct command *c, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    if (err->interrupted || err->code == ODKS_EXIT_FENCED
        || !odks_err_is_temporary(err)
        || odks_deadline_passed(odks_attempt_certain(c->a)))
        return false;
    odks_log(ODKS_LOG_INFO, "the claim could not be renewed, trying again: %s",
             err->message);
    c->not_renewed = *err;
    odks_err_clear(err);
    odks_db_rollback(c->a->db);
    if (!odks_db_reconnect(c->a->db, &ignored))
        odks_log(ODKS_LOG_INFO, "%s", ignored.message);
    c->retry = odks_deadline_in(RETRY_MS);
    return true;
}

/* Check the claim, tell history what is new, and let the program live on. */
static bool
beat(struct command *c, struct odks_err *err)
{
    take_over(c);
    if (!odks_attempt_begin(c->a, err)
        || (c->news && !odks_attempt_progress(c->a, c->report.records, err))
        || !odks_attempt_commit(c->a, err))
        return may_try_again(c, err);
    c->news = false;
    odks_child_alive(c->child, odks_attempt_certain(c->a));
    return true;
}

static struct odks_deadline
next_beat(const struct command *c)
{
    struct odks_deadline beat = odks_attempt_next_beat(c->a);

    if (c->news)
        beat.at_ms = c->a->beat_ms + PROGRESS_MS;
    if (beat.at_ms < c->retry.at_ms)
        beat = c->retry;
    return odks_deadline_earlier(beat, c->limit);
}

/* True when the program is over, whatever came of it. */
static bool
supervise(struct command *c, struct odks_err *err)
{
    for (;;) {
        switch (odks_child_wait(c->child, next_beat(c))) {
        case ODKS_WAIT_READY:
            return true;
        case ODKS_WAIT_STOPPED:
            odks_stop_err(err);
            odks_err_hint(err, "%s was ended.", c->title);
            return false;
        case ODKS_WAIT_TIMEOUT:
        default:
            break;
        }
        if (odks_deadline_passed(c->limit)) {
            odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                         "%s ran for longer than max_runtime, %" PRId64
                         " s, and was ended",
                         c->title, c->a->conf->max_runtime_s);
            return false;
        }
        if (odks_deadline_passed(next_beat(c)) && !beat(c, err))
            return false;
    }
}

/*
 * A program that failed. What exec started has its code passed on; a job of the
 * configuration is tried again, unless there is nothing to be run.
 */
static void
set_failed(struct command *c, int code, struct odks_err *err)
{
    struct odks_attempt *a = c->a;
    bool absent = code == CANNOT_RUN || code == NOT_FOUND;

    a->passed_on = a->conf->argv != NULL;
    if (a->passed_on) {
        err->code = (enum odks_exit) code;
        return;
    }
    (void) json_object_object_add(a->metadata, "command_exit_code",
                                  json_object_new_int(code));
    err->code = absent ? ODKS_EXIT_CONFIG : ODKS_EXIT_TEMPFAIL;
    if (absent)
        odks_err_hint(err, "Check command in [job %s], and PATH.",
                      a->conf->sync_type);
}

static bool
judge(struct command *c, struct odks_err *err)
{
    struct odks_guard_word end = odks_child_fate(c->child);
    int number = WIFSIGNALED(end.value) ? WTERMSIG(end.value) : 0;

    switch (end.fate) {
    case ODKS_FATE_ENDED:
        if (end.value == 0)
            return true;
        if (number == 0) {
            odks_err_set(err, ODKS_EXIT_TEMPFAIL, "%s ended with exit code %d",
                         c->title, WEXITSTATUS(end.value));
            set_failed(c, WEXITSTATUS(end.value), err);
        } else {
            odks_err_set(err, ODKS_EXIT_TEMPFAIL, "%s was ended by SIG%s",
                         c->title, sigabbrev_np(number));
            set_failed(c, BY_SIGNAL + number, err);
        }
        return false;
    case ODKS_FATE_NOT_STARTED:
        odks_err_set(err, ODKS_EXIT_CONFIG, "cannot start %s: %s", c->title,
                     strerror(end.value));
        set_failed(c, end.value == ENOENT ? NOT_FOUND : CANNOT_RUN, err);
        return false;
    case ODKS_FATE_LATE:
        odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                     "%s was ended, because its claim could not be renewed in "
                     "time",
                     c->title);
        odks_err_detail(err, "%s", c->not_renewed.message);
        return false;
    default:
        odks_err_set(err, ODKS_EXIT_TEMPFAIL,
                     "the process that guards %s was killed", c->title);
        return false;
    }
}

/* What the program finds in its environment, to be freed. */
static void
make_environment(const struct command *c, int64_t last_sync, char *env[ENV_MAX])
{
    const struct odks_job *job = c->a->job;
    char last[ODKS_TIME_TEXT] = "";
    size_t n = 0;

    if (last_sync != ODKS_TIME_NONE)
        odks_time_format(last_sync, last);
    env[n++] = odks_xasprintf("LAST_SYNC_TIMESTAMP=%s", last);
    env[n++] = odks_xasprintf("SYNC_TYPE=%s", job->sync_type);
    env[n++] = odks_xasprintf("HISTORY_ID=%" PRId64, job->history_id);
    env[n++] = odks_xasprintf("SERVICE_INSTANCE=%s", job->instance);
    env[n++] =
        odks_xasprintf("ODK_SYNC_REPORT_FD=%d", (int) ODKS_CHILD_REPORT_FD);
    env[n] = NULL;
}

static bool
start(struct command *c, struct odks_err *err)
{
    const struct odks_job_conf *conf = c->a->conf;
    const char *const shell[] = { "/bin/sh", "-c", conf->command, NULL };
    char *env[ENV_MAX];
    int64_t last_sync;

    if (!odks_attempt_begin(c->a, err)
        || !odks_attempt_last_sync(c->a, &last_sync, err)
        || !odks_attempt_commit(c->a, err))
        return false;
    make_environment(c, last_sync, env);
    const struct odks_child_conf child = {
        .argv = conf->argv != NULL ? conf->argv : shell,
        .env = (const char *const *) env,
        .hidden = odks_config_secret_variables(c->a->cfg),
        .no_input = conf->argv == NULL,
        .alive = odks_attempt_certain(c->a),
        .report = on_report,
        .report_arg = c,
    };
    bool started = odks_child_start(&child, &c->child, err);
    for (size_t i = 0; env[i] != NULL; i++)
        free(env[i]);
    c->limit = odks_deadline_in(
        conf->max_runtime_s > 0 ? conf->max_runtime_s * 1000 : -1);
    return started;
}

/* That it succeeded is not to be lost with a session. */
static bool
begin_to_finish(struct command *c, struct odks_err *err)
{
    while (!odks_attempt_begin(c->a, err)) {
        if (!may_try_again(c, err))
            return false;
        (void) odks_wait_to_the_end(NULL, 0, c->retry);
    }
    return true;
}

/* The program is over, and everything that it said was read. */
static bool
finish(struct command *c, struct odks_err *err)
{
    if (!judge(c, err) || !begin_to_finish(c, err)
        || !odks_attempt_finish(c->a, err))
        return false;
    odks_log(ODKS_LOG_INFO, "%s is done; %" PRId64 " records", c->title,
             c->a->records);
    return true;
}

static bool
run_command(struct command *c, struct odks_err *err)
{
    if (!start(c, err))
        return false;
    bool over = supervise(c, err);
    if (!over) /* with a claim that is lost it has run too long already */
        odks_child_stop(c->child,
                        odks_stop_signal() != 0 ? odks_stop_signal() : SIGTERM,
                        err->code == ODKS_EXIT_FENCED ? 0 : GRACE_MS);
    odks_report_end(&c->report);
    take_over(c);
    odks_child_said(c->child, c->a->said, sizeof(c->a->said));
    return over && finish(c, err);
}

static bool
run(struct odks_attempt *a, struct odks_err *err)
{
    struct command c = { .a = a };

    if (odks_attempt_is_dry(a)) {
        (void) json_object_object_add(a->metadata, "command",
                                      json_object_new_string(a->conf->command));
        return true;
    }
    odks_utf8_format(c.title, sizeof(c.title), "%s",
                     a->conf->argv != NULL ? a->conf->argv[0] : "the command");
    odks_report_init(&c.report, a->metadata);
    bool ok = run_command(&c, err);
    odks_report_end(&c.report);
    odks_child_free(c.child);
    return ok;
}

const struct odks_job_kind odks_kind_command = { .name = "command",
                                                 .lease_only = true,
                                                 .run = run };
