/* lib/run/guard.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that stands between us and a program we start, so that nothing
 * of it outlives its claim.
 *
 * The guard starts the program and is the subreaper of all that comes of it:
 * whoever loses its parent becomes the guard's child, whatever process group or
 * session it is in. It kills every one of them (SIGKILL) when the program has
 * ended, when we are gone, however we died, and at the moment up to which we
 * said that our claim is certain: it may be another runner's after that. The
 * moment is absolute, on the clock that runs while the machine sleeps, so that
 * neither we nor the guard can be stopped or delayed and then go by an old one.
 * Out of its reach are processes that became another user's, and all of them
 * should the guard itself be killed or stopped.
 *
 * We speak to it through a pipe, in struct odks_guard_order; the end of the
 * pipe is the end of it all. It answers through another: one struct
 * odks_guard_word, and the end of the pipe when nothing is left.
 */
#ifndef ODKS_RUN_GUARD_H
#define ODKS_RUN_GUARD_H

#include <signal.h>
#include <stdbool.h>

#include "core/clock.h"

enum odks_fate {
    ODKS_FATE_RUNS,
    ODKS_FATE_ENDED,       /* value: as waitpid(2) has it */
    ODKS_FATE_NOT_STARTED, /* value: errno */
    ODKS_FATE_LATE,        /* killed, or never started: the time was up */
    ODKS_FATE_UNKNOWN      /* the guard was killed */
};

struct odks_guard_word {
    enum odks_fate fate;
    int value;
};

/* Written whole: it is far below PIPE_BUF. */
struct odks_guard_order {
    struct odks_deadline alive; /* how long the program may run from now on */
    int signal; /* for the program and its process group; 0: none */
};

struct odks_guard {
    int line;          /* read end: orders */
    int status;        /* write end: the answer */
    int report, err;   /* write ends: descriptor 3 and stderr of the program */
    char *const *argv; /* argv[0] is looked up in PATH */
    char *const *env;
    bool no_input;    /* its stdin is empty; else ours, unless a terminal */
    sigset_t signals; /* that the program finds blocked */
    struct odks_deadline alive;
};

/* What a process that was just forked, with all signals blocked, becomes. */
_Noreturn void odks_guard_run(const struct odks_guard *g);

#endif
