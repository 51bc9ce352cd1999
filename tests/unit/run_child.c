/* tests/unit/run_child.c - SPDX-License-Identifier: Apache-2.0 */
/* Real programs under a real guard; the test is deaf to none of its pipes. */
#include <config.h>

#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum { FOR_EVER_MS = 3600 * 1000 };

static const struct odks_deadline never = { ODKS_NEVER };
static char reported[64];
static size_t reported_len;
static int err_pipe[2]; /* what is our stderr, and its other end */

static void
on_report(void *arg, const char *bytes, size_t len)
{
    (void) arg;
    for (size_t i = 0; i < len && reported_len < sizeof(reported) - 1; i++)
        reported[reported_len++] = bytes[i];
}

static void
setup(void)
{
    odks_stop_install(); /* SIGPIPE */
    ck_assert_int_eq(pipe(err_pipe), 0);
    ck_assert_int_eq(dup2(err_pipe[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(close(err_pipe[1]), 0);
}

static struct odks_child *
start(const char *script, int64_t ms)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    const char *const env[] = { "ODKS_TEST=new", NULL };
    const struct odks_child_conf conf = { .argv = argv,
                                          .env = env,
                                          .no_input = true,
                                          .alive = odks_deadline_in(ms),
                                          .report = on_report };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_child *child;

    ck_assert_int_eq(setenv("ODKS_TEST", "old", 1), 0);
    ck_assert_msg(odks_child_start(&conf, &child, &err), "%s", err.message);
    return child;
}

static void
ends(struct odks_child *child, enum odks_fate fate, int value)
{
    enum odks_wait got = ODKS_WAIT_TIMEOUT;

    while (got == ODKS_WAIT_TIMEOUT) /* there was a report */
        got = odks_child_wait(child, never);
    ck_assert_int_eq(got, ODKS_WAIT_READY);
    ck_assert_int_eq(odks_child_fate(child).fate, fate);
    ck_assert_int_eq(odks_child_fate(child).value, value);
}

static void
wait_for_report(struct odks_child *child, const char *text)
{
    while (strcmp(reported, text) != 0)
        ck_assert_int_eq(odks_child_wait(child, odks_deadline_in(1)),
                         ODKS_WAIT_TIMEOUT);
}

/* The numbers of processes that were reported are nobody's any more. */
static void
all_dead(void)
{
    char *save = NULL;

    for (char *word = strtok_r(reported, " \n", &save); word != NULL;
         word = strtok_r(NULL, " \n", &save)) {
        ck_assert_int_eq(kill((pid_t) strtol(word, NULL, 10), 0), -1);
        ck_assert_int_eq(errno, ESRCH);
    }
}

START_TEST(its_words_its_environment_and_its_code)
{
    CLEANUP_CHILD struct odks_child *child =
        start("echo $ODKS_TEST >&3; echo told >&2; cat; exit 7", FOR_EVER_MS);
    char said[64], text[16] = "";

    ends(child, ODKS_FATE_ENDED, 7 << 8);
    ck_assert_str_eq(reported, "new\n");
    odks_child_said(child, said, sizeof(said));
    ck_assert_str_eq(said, "told");
    ck_assert_int_eq(read(err_pipe[0], text, sizeof(text)), 5);
    ck_assert_str_eq(text, "told\n");
}
END_TEST

START_TEST(what_cannot_be_started_says_why)
{
    const char *const argv[] = { "/nonexistent", NULL };
    const char *const env[] = { NULL };
    const struct odks_child_conf conf = {
        .argv = argv, .env = env, .alive = never, .report = on_report
    };
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_CHILD struct odks_child *child = NULL;

    ck_assert(odks_child_start(&conf, &child, &err));
    ends(child, ODKS_FATE_NOT_STARTED, ENOENT);
}
END_TEST

START_TEST(signals_are_as_they_were)
{
    /* handlers and the ignored SIGPIPE are ours alone; what was ignored before
     * us, as SIGQUIT is behind `&` in a script, still is; nothing is blocked
     * (the last seven digits: what glibc keeps for itself is beyond them) */
    (void) signal(SIGQUIT, SIG_IGN);
    CLEANUP_CHILD struct odks_child *child =
        start("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2 | cut -c10- |"
              " tr '\\n' ' ' >&3",
              FOR_EVER_MS);

    ends(child, ODKS_FATE_ENDED, 0);
    ck_assert_str_eq(reported, "0000000 0000004 ");
}
END_TEST

START_TEST(stop_is_a_signal_for_the_group)
{
    CLEANUP_CHILD struct odks_child *child =
        start("trap 'exit 5' TERM; sh -c 'trap \"\" INT; echo >&3; sleep 1000' "
              "& wait",
              FOR_EVER_MS);

    wait_for_report(child, "\n");
    odks_child_stop(child, SIGTERM, FOR_EVER_MS);
    ends(child, ODKS_FATE_ENDED, 5 << 8);
}
END_TEST

START_TEST(stop_kills_what_does_not_listen)
{
    CLEANUP_CHILD struct odks_child *child = start(
        "trap '' TERM; echo $$ >&3; while :; do sleep 1000; done", FOR_EVER_MS);

    while (reported_len == 0)
        (void) odks_child_wait(child, odks_deadline_in(1));
    odks_child_stop(child, SIGTERM, 1);
    ends(child, ODKS_FATE_ENDED, SIGKILL);
    all_dead();
}
END_TEST

/* In the group, in a session of its own, in another group, and deeper. */
#define LEAVE(how)                                                        \
    "f=$(mktemp); " how " sh -c 'echo $$ >&3; echo >$0; exec sleep 1000'" \
    " $f & until [ -s $f ]; do :; done; rm $f"
static const char *const leftovers[] = {
    LEAVE(""),
    LEAVE("setsid"),
    LEAVE("timeout 1000"),
    LEAVE("setsid sh -c 'trap \"\" TERM; \"$@\"; exit' sh"),
};

START_TEST(nothing_is_left_behind)
{
    CLEANUP_CHILD struct odks_child *child = start(leftovers[_i], FOR_EVER_MS);

    /* all of them hold the pipes open, and nobody waits for them */
    ends(child, ODKS_FATE_ENDED, 0);
    all_dead();
}
END_TEST

START_TEST(nothing_outlives_us)
{
    int numbers[2];
    char text[64] = "";

    ck_assert_int_eq(pipe(numbers), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct odks_child *child =
            start("setsid sleep 1000 & echo $$ $! >&3; wait", FOR_EVER_MS);

        while (strchr(reported, '\n') == NULL)
            (void) odks_child_wait(child, odks_deadline_in(1));
        (void) !write(numbers[1], reported, reported_len);
        (void) raise(SIGKILL);
    }
    ck_assert_int_gt(read(numbers[0], text, sizeof(text) - 1), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    for (char *p = text; *p != '\0' && *p != '\n';) {
        long number = strtol(p, &p, 10);
        char path[64];

        /* gone, as soon as the guard has noticed */
        (void) snprintf(path, sizeof(path), "/proc/%ld", number);
        while (access(path, F_OK) == 0)
            (void) odks_wait(NULL, 0, odks_deadline_in(1));
    }
}
END_TEST

START_TEST(without_a_sign_of_life_it_is_killed)
{
    CLEANUP_CHILD struct odks_child *child =
        start("echo $$ >&3; sleep 1000", 2000);

    while (reported_len == 0) {
        odks_child_alive(child, odks_deadline_in(2000));
        (void) odks_child_wait(child, odks_deadline_in(1));
    }
    ends(child, ODKS_FATE_LATE, 0);
    all_dead();
}
END_TEST

/* However long we were held up between the renewal and the fork. */
START_TEST(a_claim_that_is_not_certain_starts_nothing)
{
    CLEANUP_CHILD struct odks_child *child = start("echo started >&3", 0);

    ends(child, ODKS_FATE_LATE, 0);
    ck_assert_str_eq(reported, "");
}
END_TEST

/* The sign of life was sent in time, and comes late. */
START_TEST(an_old_sign_of_life_is_none)
{
    CLEANUP_CHILD struct odks_child *child =
        start("echo $$ >&3; sleep 1000", FOR_EVER_MS);

    while (reported_len == 0)
        (void) odks_child_wait(child, odks_deadline_in(1));
    odks_child_alive(child, odks_deadline_in(0));
    ends(child, ODKS_FATE_LATE, 0);
    all_dead();
}
END_TEST

START_TEST(signs_of_life_keep_it_alive)
{
    /* it waits for us, and we for longer than one sign lasts */
    CLEANUP_CHILD struct odks_child *child =
        start("echo >&3; sleep 3; exit 3", 2000);

    while (odks_child_wait(child, odks_deadline_in(50)) != ODKS_WAIT_READY)
        odks_child_alive(child, odks_deadline_in(2000));
    ends(child, ODKS_FATE_ENDED, 3 << 8);
}
END_TEST

START_TEST(pipes_closed_early_are_no_end)
{
    CLEANUP_CHILD struct odks_child *child = start(
        "echo a >&3; exec 3>&- 2>&-; echo b >/dev/null; exit 4", FOR_EVER_MS);

    ends(child, ODKS_FATE_ENDED, 4 << 8);
    ck_assert_str_eq(reported, "a\n");
}
END_TEST

START_TEST(a_stderr_that_nobody_reads_holds_nothing_else_up)
{
    CLEANUP_CHILD struct odks_child *child =
        start("yes >&2 & echo >&3; wait", FOR_EVER_MS);
    char bytes[4096];

    wait_for_report(child, "\n");
    /* until our stderr takes no more */
    struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    while (poll(&fd, 1, 0) == 1)
        ck_assert_int_eq(odks_child_wait(child, odks_deadline_in(1)),
                         ODKS_WAIT_TIMEOUT);
    ck_assert_int_eq(odks_child_wait(child, odks_deadline_in(1)),
                     ODKS_WAIT_TIMEOUT);
    /* somebody reads, and it goes on */
    ck_assert_int_gt(read(err_pipe[0], bytes, sizeof(bytes)), 0);
    while (poll(&fd, 1, 0) == 1)
        (void) odks_child_wait(child, odks_deadline_in(1));
    /* nobody ever will again, and it goes on, too */
    ck_assert_int_eq(close(err_pipe[0]), 0);
    ck_assert_int_eq(odks_child_wait(child, odks_deadline_in(1)),
                     ODKS_WAIT_TIMEOUT);
    odks_child_stop(child, SIGTERM, FOR_EVER_MS);
    ends(child, ODKS_FATE_ENDED, SIGTERM);
}
END_TEST

START_TEST(a_guard_that_was_killed_is_told)
{
    CLEANUP_CHILD struct odks_child *child =
        start("echo $$ >&3; kill -9 $PPID; exec sleep 1000", FOR_EVER_MS);

    ends(child, ODKS_FATE_UNKNOWN, 0); /* and its pipes are closed */
}
END_TEST

START_TEST(being_asked_to_stop_ends_the_wait)
{
    /* with a trap: dash loses a SIGINT that comes while it starts a program */
    CLEANUP_CHILD struct odks_child *child =
        start("trap 'exit 5' INT; echo >&3; sleep 1000 & wait", FOR_EVER_MS);

    wait_for_report(child, "\n");
    (void) raise(SIGINT);
    ck_assert_int_eq(odks_child_wait(child, never), ODKS_WAIT_STOPPED);
    odks_child_stop(child, odks_stop_signal(), FOR_EVER_MS);
    ends(child, ODKS_FATE_ENDED, 5 << 8);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("run_child");
    TCase *tc = tcase_create("child");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, its_words_its_environment_and_its_code);
    tcase_add_test(tc, what_cannot_be_started_says_why);
    tcase_add_test(tc, signals_are_as_they_were);
    tcase_add_test(tc, stop_is_a_signal_for_the_group);
    tcase_add_test(tc, stop_kills_what_does_not_listen);
    tcase_add_loop_test(tc, nothing_is_left_behind, 0,
                        sizeof(leftovers) / sizeof(leftovers[0]));
    tcase_add_test(tc, nothing_outlives_us);
    tcase_add_test(tc, without_a_sign_of_life_it_is_killed);
    tcase_add_test(tc, a_claim_that_is_not_certain_starts_nothing);
    tcase_add_test(tc, an_old_sign_of_life_is_none);
    tcase_add_test(tc, signs_of_life_keep_it_alive);
    tcase_add_test(tc, pipes_closed_early_are_no_end);
    tcase_add_test(tc, a_stderr_that_nobody_reads_holds_nothing_else_up);
    tcase_add_test(tc, a_guard_that_was_killed_is_told);
    tcase_add_test(tc, being_asked_to_stop_ends_the_wait);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
