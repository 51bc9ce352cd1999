/* lib/run/child.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "run/tail.h"

/* For what a program leaves behind to die, and its last words to be passed on
 */
enum { LINGER_MS = 5000 };

enum { READ, WRITE };

struct odks_child {
    pid_t guard;
    int line, status; /* to the guard, and from it; -1: closed */
    struct odks_deadline alive;
    int report, err;     /* from the program */
    char text[PIPE_BUF]; /* of its stderr, on the way to ours */
    size_t text_at, text_len;
    bool mute; /* nobody reads our stderr */
    struct odks_tail tail;
    struct odks_guard_word end;
    struct odks_deadline linger; /* from its end on */
    void (*on_report)(void *arg, const char *bytes, size_t len);
    void *report_arg;
};

struct pipes {
    int line[2], status[2], report[2], err[2];
};

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void) close(*fd);
    *fd = -1;
}

static int
steal_fd(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

static void
close_pipes(struct pipes *p)
{
    int *const ends[] = { p->line, p->status, p->report, p->err };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        close_fd(&ends[i][READ]);
        close_fd(&ends[i][WRITE]);
    }
}

static bool
open_pipes(struct pipes *p)
{
    return pipe2(p->line, O_CLOEXEC) == 0 && pipe2(p->status, O_CLOEXEC) == 0
           && pipe2(p->report, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0
           && fcntl(p->line[WRITE], F_SETFL, O_NONBLOCK) == 0
           && fcntl(p->report[READ], F_SETFL, O_NONBLOCK) == 0
           && fcntl(p->err[READ], F_SETFL, O_NONBLOCK) == 0;
}

/* Is one of names the name in entry, "NAME=value"? */
static bool
is_named(const char *entry, const char *const *names)
{
    size_t len = strcspn(entry, "=");

    for (; *names != NULL; names++) {
        if (strncmp(entry, *names, len) == 0
            && ((*names)[len] == '\0' || (*names)[len] == '='))
            return true;
    }
    return false;
}

/*
 * What is in old and neither hidden nor replaced by more, and then more: an
 * array that the caller frees, of words that nobody writes to.
 */
static char **
merge(char *const *old, const char *const *hidden, const char *const *more)
{
    size_t count = 1, n = 0;

    for (size_t i = 0; old[i] != NULL; i++)
        count++;
    for (size_t i = 0; more[i] != NULL; i++)
        count++;
    char **all = odks_xcalloc(count, sizeof(all[0]));
    for (; *old != NULL; old++) {
        if (!is_named(*old, hidden) && !is_named(*old, more))
            all[n++] = *old;
    }
    for (; *more != NULL; more++)
        memcpy(&all[n++], more, sizeof(*more));
    return all;
}

/*
 * With all signals blocked: a handler of ours, run in the guard before it is
 * one, would write into our own pipe.
 */
static pid_t
fork_guard(const struct odks_child_conf *conf, const struct pipes *p)
{
    char *const none[] = { NULL };
    const char *const nothing[] = { NULL };
    char **argv = merge(none, nothing, conf->argv);
    char **env = merge(environ, conf->hidden != NULL ? conf->hidden : nothing,
                       conf->env);
    struct odks_guard g = { .line = p->line[READ],
                            .status = p->status[WRITE],
                            .report = p->report[WRITE],
                            .err = p->err[WRITE],
                            .argv = argv,
                            .env = env,
                            .no_input = conf->no_input,
                            .alive = conf->alive };
    sigset_t all;

    (void) sigfillset(&all);
    (void) sigprocmask(SIG_SETMASK, &all, &g.signals);
    pid_t pid = fork();
    if (pid == 0)
        odks_guard_run(&g);
    (void) sigprocmask(SIG_SETMASK, &g.signals, NULL);
    free(argv);
    free(env);
    return pid;
}

bool
odks_child_start(const struct odks_child_conf *conf, struct odks_child **child,
                 struct odks_err *err)
{
    struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    pid_t guard = open_pipes(&p) ? fork_guard(conf, &p) : -1;

    *child = NULL;
    if (guard < 0) {
        odks_err_set(err, ODKS_EXIT_OS, "cannot start a process: %s",
                     strerror(errno));
        close_pipes(&p);
        return false;
    }
    struct odks_child *new = odks_xcalloc(1, sizeof(*new));
    new->guard = guard;
    new->alive = conf->alive;
    new->line = steal_fd(&p.line[WRITE]);
    new->status = steal_fd(&p.status[READ]);
    new->report = steal_fd(&p.report[READ]);
    new->err = steal_fd(&p.err[READ]);
    new->linger.at_ms = ODKS_NEVER;
    new->on_report = conf->report;
    new->report_arg = conf->report_arg;
    close_pipes(&p);
    *child = new;
    return true;
}

/* The first word of the guard counts; the end of its pipe is its own end. */
static void
hear_guard(struct odks_child *c)
{
    struct odks_guard_word word;
    ssize_t len = read(c->status, &word, sizeof(word));

    if (len < 0 && errno == EINTR)
        return;
    if (len != sizeof(word)) {
        close_fd(&c->status);
        word = (struct odks_guard_word){ .fate = ODKS_FATE_UNKNOWN };
    }
    if (c->end.fate != ODKS_FATE_RUNS)
        return;
    if (word.fate == ODKS_FATE_UNKNOWN) /* at least its process group */
        (void) kill(-c->guard, SIGKILL);
    c->end = word;
    c->linger = odks_deadline_in(LINGER_MS);
}

/* The number of bytes read into bytes; at its end the pipe is closed. */
static size_t
take(int *fd, char *bytes, size_t size)
{
    ssize_t len = read(*fd, bytes, size);

    if (len > 0)
        return (size_t) len;
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return 0;
}

static bool
take_report(struct odks_child *c)
{
    char bytes[PIPE_BUF];
    size_t len = take(&c->report, bytes, sizeof(bytes));

    if (len > 0)
        c->on_report(c->report_arg, bytes, len);
    return len > 0;
}

static void
take_err(struct odks_child *c)
{
    c->text_len = take(&c->err, c->text, sizeof(c->text));
    c->text_at = 0;
    odks_tail_add(&c->tail, c->text, c->text_len);
    if (c->mute)
        c->text_len = 0;
    else if (c->text_len > 0)
        odks_log_progress(NULL);
}

/*
 * At most PIPE_BUF bytes into what is ready for them: that does not block.
 * They are the words of a program that the user chose, and not changed.
 */
static void
pass_err(struct odks_child *c)
{
    ssize_t len =
        write(STDERR_FILENO, c->text + c->text_at, c->text_len - c->text_at);

    if (len > 0)
        c->text_at += (size_t) len;
    else if (errno != EAGAIN && errno != EINTR)
        c->mute = true;
    if (c->mute || c->text_at == c->text_len)
        c->text_at = c->text_len = 0;
}

/* Without the guard's word that all are dead we do not wait for ever. */
static struct odks_deadline
patience(const struct odks_child *c)
{
    const struct odks_deadline never = { ODKS_NEVER };
    bool all_dead = c->status < 0 && c->end.fate != ODKS_FATE_UNKNOWN;

    return all_dead ? never : c->linger;
}

static bool
is_over(const struct odks_child *c)
{
    return (c->status < 0 && c->report < 0 && c->err < 0 && c->text_len == 0)
           || odks_deadline_passed(patience(c));
}

/* Serve what is ready; true if there was a report. */
static bool
move(struct odks_child *c, const struct pollfd fds[4])
{
    if (fds[0].revents != 0)
        hear_guard(c);
    if (fds[2].revents != 0)
        take_err(c);
    if (fds[3].revents != 0)
        pass_err(c);
    return fds[1].revents != 0 && take_report(c);
}

typedef enum odks_wait waiter(struct pollfd *, nfds_t, struct odks_deadline);

static enum odks_wait
wait_with(struct odks_child *c, waiter *wait, struct odks_deadline until)
{
    while (!is_over(c)) {
        struct pollfd fds[] = {
            { .fd = c->status, .events = POLLIN },
            { .fd = c->report, .events = POLLIN },
            /* the program waits for its stderr as it would for ours */
            { .fd = c->text_len == 0 ? c->err : -1, .events = POLLIN },
            { .fd = c->text_len > 0 ? STDERR_FILENO : -1, .events = POLLOUT },
        };
        enum odks_wait got =
            wait(fds, 4, odks_deadline_earlier(until, patience(c)));

        if (got == ODKS_WAIT_STOPPED)
            return got;
        if ((got == ODKS_WAIT_READY && move(c, fds))
            || odks_deadline_passed(until))
            break;
    }
    return is_over(c) ? ODKS_WAIT_READY : ODKS_WAIT_TIMEOUT;
}

enum odks_wait
odks_child_wait(struct odks_child *child, struct odks_deadline until)
{
    return wait_with(child, odks_wait, until);
}

static void
tell_guard(const struct odks_child *c, int signal)
{
    const struct odks_guard_order order = { c->alive, signal };

    if (write(c->line, &order, sizeof(order)) < 0) {
        /* it is gone, which its pipe tells us, or it is stopped */
    }
}

void
odks_child_alive(struct odks_child *child, struct odks_deadline alive)
{
    child->alive = alive;
    tell_guard(child, 0);
}

static bool
over_by(struct odks_child *c, struct odks_deadline until)
{
    enum odks_wait got;

    do
        got = wait_with(c, odks_wait_to_the_end, until);
    while (got == ODKS_WAIT_TIMEOUT && !odks_deadline_passed(until));
    return got == ODKS_WAIT_READY;
}

void
odks_child_stop(struct odks_child *child, int signal, int64_t grace_ms)
{
    tell_guard(child, signal);
    if (over_by(child, odks_deadline_in(grace_ms)))
        return;
    close_fd(&child->line);
    (void) over_by(child, odks_deadline_in(LINGER_MS));
}

struct odks_guard_word
odks_child_fate(const struct odks_child *child)
{
    return child->end;
}

void
odks_child_said(const struct odks_child *child, char *text, size_t size)
{
    odks_tail_text(&child->tail, text, size);
}

void
odks_child_free(struct odks_child *child)
{
    if (child == NULL)
        return;
    /* a guard that cannot kill somebody stays with him, without us */
    if (child->status >= 0 && child->end.fate != ODKS_FATE_RUNS)
        odks_log(ODKS_LOG_WARN, "processes that the command started could not "
                                "be ended: they belong to another user");
    close_fd(&child->line);
    (void) waitpid(child->guard, NULL, child->status < 0 ? 0 : WNOHANG);
    close_fd(&child->status);
    close_fd(&child->report);
    close_fd(&child->err);
    free(child);
}
