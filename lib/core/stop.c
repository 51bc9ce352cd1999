/* lib/core/stop.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

enum { MAX_FDS = 8 };

static volatile sig_atomic_t stop_signal;
static int stop_pipe[2] = { -1, -1 };
static bool acknowledged;
static struct odks_deadline limit = { ODKS_NEVER };

static void
on_signal(int number)
{
    int saved = errno;

    if (stop_signal != 0) { /* the second one means it */
        sigset_t own;

        (void) sigemptyset(&own);
        (void) sigaddset(&own, number); /* blocked while we are in here */
        (void) signal(number, SIG_DFL);
        (void) sigprocmask(SIG_UNBLOCK, &own, NULL);
        (void) raise(number);
        _exit(128 + number);
    }
    stop_signal = number;
    if (write(stop_pipe[1], "", 1) < 0) {
        /* the pipe is full: it is readable, which is all that is wanted */
    }
    errno = saved;
}

void
odks_stop_install(void)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };

    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        stop_pipe[0] = stop_pipe[1] = -1; /* the flag alone still works */
    (void) sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction old;

        /* what nohup(1) or a shell ignores for us stays ignored */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        (void) sigaction(signals[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    (void) sigaction(SIGPIPE, &action, NULL);
}

void
odks_stop_at(struct odks_deadline d)
{
    limit = d;
}

bool
odks_stop_requested(void)
{
    return !acknowledged && (stop_signal != 0 || odks_deadline_passed(limit));
}

int
odks_stop_signal(void)
{
    return stop_signal;
}

void
odks_stop_acknowledge(void)
{
    acknowledged = true;
}

void
odks_stop_err(struct odks_err *err)
{
    if (stop_signal == SIGINT)
        odks_err_set(err, ODKS_EXIT_SIGINT, "stopped by SIGINT");
    else if (stop_signal != 0)
        odks_err_set(err, ODKS_EXIT_SIGTERM, "stopped by SIG%s",
                     sigabbrev_np(stop_signal));
    else
        odks_err_set(err, ODKS_EXIT_TEMPFAIL, "own time limit reached");
    err->timed_out = stop_signal == 0;
    odks_err_hint(err, "The work done so far is committed; the next run goes "
                       "on from there.");
    err->interrupted = true;
}

void
odks_stop_reraise(void)
{
    int number = stop_signal;

    if (number == 0)
        return;
    (void) signal(number, SIG_DFL);
    (void) raise(number);
    _exit(128 + number);
}

int
odks_stop_fd(void)
{
    return acknowledged ? -1 : stop_pipe[0];
}

struct odks_deadline
odks_stop_deadline(void)
{
    const struct odks_deadline never = { ODKS_NEVER };

    return acknowledged ? never : limit;
}

enum odks_wait
odks_wait(struct pollfd *fds, nfds_t n, struct odks_deadline until)
{
    struct pollfd all[MAX_FDS];

    if (n > MAX_FDS - 1)
        n = MAX_FDS - 1;
    for (;;) {
        if (odks_stop_requested())
            return ODKS_WAIT_STOPPED;
        if (n > 0)
            memcpy(all, fds, n * sizeof(*fds));
        all[n] = (struct pollfd){ .fd = odks_stop_fd(), .events = POLLIN };

        struct odks_deadline next =
            odks_deadline_earlier(until, odks_stop_deadline());
        int ready = poll(all, n + 1, odks_deadline_poll_ms(next));
        if (ready < 0 && errno != EINTR)
            return ODKS_WAIT_TIMEOUT;
        if (odks_stop_requested())
            return ODKS_WAIT_STOPPED;
        if (ready > 0 && n > 0) {
            memcpy(fds, all, n * sizeof(*fds));
            return ODKS_WAIT_READY;
        }
        if (odks_deadline_passed(until))
            return ODKS_WAIT_TIMEOUT;
    }
}

enum odks_wait
odks_wait_to_the_end(struct pollfd *fds, nfds_t n, struct odks_deadline until)
{
    for (;;) {
        int ready = poll(fds, n, odks_deadline_poll_ms(until));

        if (ready > 0)
            return ODKS_WAIT_READY;
        if ((ready < 0 && errno != EINTR) || odks_deadline_passed(until))
            return ODKS_WAIT_TIMEOUT;
    }
}
