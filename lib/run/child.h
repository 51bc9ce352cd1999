/* lib/run/child.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of somebody else's, run under guard (guard.h).
 *
 * Its stdout is ours. What it writes to stderr goes on to ours, as fast as that
 * takes it, and the end of it is kept. What it writes to descriptor 3 is handed
 * to us as it comes. Nothing that it does with these blocks us for long or
 * costs more than a few pages of memory. SIGPIPE must be ignored, see
 * odks_stop_install().
 */
#ifndef ODKS_RUN_CHILD_H
#define ODKS_RUN_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/stop.h"
#include "run/guard.h"

enum { ODKS_CHILD_REPORT_FD = 3 }; /* one digit: some shells take no more */

struct odks_child; /* opaque */

struct odks_child_conf {
    const char *const *argv;    /* NULL-terminated; argv[0] by PATH */
    const char *const *env;     /* NAME=value, NULL-terminated, over ours */
    const char *const *hidden;  /* variables that it does not inherit */
    bool no_input;              /* stdin is empty; else ours, if no terminal */
    struct odks_deadline alive; /* it is killed then; see odks_child_alive() */
    /* Gets what comes through descriptor 3, cut anywhere. */
    void (*report)(void *arg, const char *bytes, size_t len);
    void *report_arg;
};

/*
 * Start it. Whether it could be started is told by odks_child_wait() and
 * odks_child_fate(); false means that we have no process or descriptor left.
 * conf is not needed any more afterwards.
 */
ODKS_MUST_CHECK bool odks_child_start(const struct odks_child_conf *conf,
                                      struct odks_child **child,
                                      struct odks_err *err);

/*
 * Move bytes until it is over (ODKS_WAIT_READY): the program has ended, what it
 * left behind is killed, and what they wrote was read. ODKS_WAIT_TIMEOUT comes
 * early when there was a report.
 */
enum odks_wait odks_child_wait(struct odks_child *child,
                               struct odks_deadline until);

/* Our claim was renewed: the program may run until then. */
void odks_child_alive(struct odks_child *child, struct odks_deadline alive);

/*
 * Send the signal to the program and its process group, and kill what there
 * still is after grace_ms. Being asked to stop does not shorten this.
 */
void odks_child_stop(struct odks_child *child, int signal, int64_t grace_ms);

/* How it ended. */
struct odks_guard_word odks_child_fate(const struct odks_child *child);

/*
 * The last lines of its stderr that fit into size bytes, as clean UTF-8 and
 * without the newline at the end; "" for none. See odks_tail_text().
 */
void odks_child_said(const struct odks_child *child, char *text, size_t size);

/* Kills what still runs. child may be NULL. */
void odks_child_free(struct odks_child *child);
ODKS_DEFINE_CLEANUP(child, struct odks_child *, odks_child_free)
#define CLEANUP_CHILD CLEANUP(odks_cleanup_child)

#endif
