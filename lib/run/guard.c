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
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/child.h"

/* Where the guard keeps its descriptors; it has no others. */
enum { LINE, STATUS, CHILDREN, TIMER, FIRST_OTHER };

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
listen(pid_t program, struct odks_deadline *alive)
{
    struct odks_guard_order orders[16];
    ssize_t len = read(LINE, orders, sizeof(orders));

    for (ssize_t i = 0; i < len / (ssize_t) sizeof(orders[0]); i++) {
        *alive = orders[i].alive;
        if (orders[i].signal != 0)
            pass_on(program, orders[i].signal);
    }
    return len > 0;
}

/* Wake up then. The time that poll(2) takes stands still with the machine. */
static void
set_timer(struct odks_deadline d)
{
    struct itimerspec at = { 0 };

    if (d.at_ms != ODKS_NEVER) {
        at.it_value.tv_sec = d.at_ms / 1000;
        at.it_value.tv_nsec = d.at_ms % 1000 * 1000000;
    }
    (void) timerfd_settime(TIMER, TFD_TIMER_ABSTIME, &at, NULL);
}

_Noreturn static void
watch(pid_t program, struct odks_deadline alive)
{
    for (;;) {
        struct pollfd fds[] = { { .fd = LINE, .events = POLLIN },
                                { .fd = CHILDREN, .events = POLLIN },
                                { .fd = TIMER, .events = POLLIN } };

        set_timer(alive);
        (void) poll(fds, 3, -1);
        if (fds[1].revents != 0 && reap(program))
            end_all(program);
        if (fds[0].revents != 0 && !listen(program, &alive))
            end_all(program);
        if (odks_deadline_passed(alive)) {
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
    int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    int fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (odks_deadline_passed(g->alive)) { /* we were held up before the fork */
        say(g->status, ODKS_FATE_LATE, 0);
        _exit(0);
    }
    int wrong = fd < 0 || timer < 0 ? errno : start(g, &program);
    if (wrong != 0) {
        say(g->status, ODKS_FATE_NOT_STARTED, wrong);
        _exit(0);
    }
    /* keep neither the database's socket nor the program's pipes open */
    if (dup2(g->line, LINE) < 0 || dup2(g->status, STATUS) < 0
        || dup2(fd, CHILDREN) < 0 || dup2(timer, TIMER) < 0)
        end_all(program);
    closefrom(FIRST_OTHER);
    watch(program, g->alive);
}
