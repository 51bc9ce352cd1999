/* lib/run/guard.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/guard.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "run/child.h"

/* Where the guard keeps its descriptors; it has no others. */
enum { LINE, STATUS, CHILDREN, FIRST_OTHER };

static void
say(int fd, enum odks_fate fate, int value)
{
    const struct odks_guard_word word = { fate, value };

    if (write(fd, &word, sizeof(word)) < 0) {
        /* we are alone: nobody needs to know */
    }
}

/* Before the guard moves its descriptors; errno of what failed. */
static int
start(const struct odks_guard *g, pid_t *pid)
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t files;
    sigset_t defaults;

    /* SIGPIPE is ignored by us, and would stay so */
    (void) sigemptyset(&defaults);
    (void) sigaddset(&defaults, SIGPIPE);
    (void) posix_spawnattr_init(&attr);
    (void) posix_spawn_file_actions_init(&files);
    int wrong = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK
                                                    | POSIX_SPAWN_SETSIGDEF);
    if (wrong == 0)
        wrong = posix_spawnattr_setsigmask(&attr, &g->signals);
    if (wrong == 0)
        wrong = posix_spawnattr_setsigdefault(&attr, &defaults);
    /* in a process group of its own it could only be stopped by a terminal */
    if (wrong == 0 && (g->no_input || isatty(STDIN_FILENO)))
        wrong = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
                                                 "/dev/null", O_RDONLY, 0);
    if (wrong == 0)
        wrong = posix_spawn_file_actions_adddup2(&files, g->err, STDERR_FILENO);
    if (wrong == 0)
        wrong = posix_spawn_file_actions_adddup2(&files, g->report,
                                                 ODKS_CHILD_REPORT_FD);
    if (wrong == 0)
        wrong = posix_spawnp(pid, g->argv[0], &files, &attr, g->argv, g->env);
    return wrong;
}

static pid_t
parent_of(const char *pid)
{
    char path[64], text[512];
    int parent = 0;

    (void) snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t len = read(fd, text, sizeof(text) - 1);
    (void) close(fd);
    text[len > 0 ? len : 0] = '\0';
    /* "pid (name) state parent ...", and a name may hold anything */
    const char *behind = strrchr(text, ')');
    if (behind == NULL || sscanf(behind, ") %*c %d", &parent) != 1)
        return 0;
    return parent;
}

static void
kill_children(void)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    if (proc == NULL) { /* then at least our process group, with ourselves */
        (void) kill(0, SIGKILL);
        return;
    }
    while ((entry = readdir(proc)) != NULL) {
        if (isdigit((unsigned char) entry->d_name[0])
            && parent_of(entry->d_name) == getpid())
            (void) kill((pid_t) strtol(entry->d_name, NULL, 10), SIGKILL);
    }
    (void) closedir(proc);
}

/* Kill and reap until there is nobody left: orphans become our children. */
_Noreturn static void
end_all(pid_t program)
{
    int status;

    for (;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid == 0) {
            kill_children();
            pid = waitpid(-1, &status, 0);
        }
        if (pid < 0)
            _exit(0);
        if (pid == program)
            say(STATUS, ODKS_FATE_ENDED, status);
    }
}

/* Reap who has ended; true if the program has. */
static bool
reap(pid_t program)
{
    struct signalfd_siginfo ignored;
    pid_t pid;
    int status;

    while (read(CHILDREN, &ignored, sizeof(ignored)) > 0) {
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == program) {
            say(STATUS, ODKS_FATE_ENDED, status);
            return true;
        }
    }
    return false;
}

/* All signals are blocked in the guard itself, which is of the group, too. */
static void
pass_on(pid_t program, int signal)
{
    (void) kill(0, signal);
    if (getpgid(program) != getpgrp())
        (void) kill(program, signal);
}

/* False: the other end is gone. */
static bool
listen(pid_t program)
{
    unsigned char bytes[64];
    ssize_t len = read(LINE, bytes, sizeof(bytes));

    for (ssize_t i = 0; i < len; i++) {
        if (bytes[i] != 0)
            pass_on(program, bytes[i]);
    }
    return len > 0;
}

_Noreturn static void
watch(pid_t program, int64_t alive_ms)
{
    struct odks_deadline until = odks_deadline_in(alive_ms);

    for (;;) {
        struct pollfd fds[] = { { .fd = LINE, .events = POLLIN },
                                { .fd = CHILDREN, .events = POLLIN } };

        (void) poll(fds, 2, odks_deadline_poll_ms(until));
        if (fds[1].revents != 0 && reap(program))
            end_all(program);
        if (fds[0].revents != 0) {
            if (!listen(program))
                end_all(program);
            until = odks_deadline_in(alive_ms);
        } else if (odks_deadline_passed(until)) {
            say(STATUS, ODKS_FATE_LATE, 0);
            end_all(program);
        }
    }
}

_Noreturn void
odks_guard_run(const struct odks_guard *g)
{
    sigset_t children;
    pid_t program = 0;

    (void) setpgid(0, 0);
    (void) prctl(PR_SET_NAME, "odk-sync-guard");
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void) signal(SIGCHLD, SIG_DFL);
    (void) sigemptyset(&children);
    (void) sigaddset(&children, SIGCHLD);
    int fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    int wrong = fd < 0 ? errno : start(g, &program);
    if (wrong != 0) {
        say(g->status, ODKS_FATE_NOT_STARTED, wrong);
        _exit(0);
    }
    /* keep neither the database's socket nor the program's pipes open */
    if (dup2(g->line, LINE) < 0 || dup2(g->status, STATUS) < 0
        || dup2(fd, CHILDREN) < 0)
        end_all(program);
    closefrom(FIRST_OTHER);
    watch(program, g->alive_ms);
}
