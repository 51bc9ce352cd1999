/* tests/unit/core_stop.c - SPDX-License-Identifier: Apache-2.0 */
/* Check runs each test in a process of its own: signals go nowhere else. */
#include <config.h>

#include "core/stop.h"

#include <signal.h>
#include <unistd.h>

#include "core/err.h"
#include "unit.h"

static const struct odks_deadline never = { ODKS_NEVER };

START_TEST(nothing_asked_waits_until_its_deadline)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_stop_install();
    ck_assert(!odks_stop_requested());
    ck_assert_int_eq(odks_wait(NULL, 0, odks_deadline_in(0)),
                     ODKS_WAIT_TIMEOUT);
    odks_stop_reraise(); /* returns: there was no signal */
    ck_assert_int_eq(err.code, ODKS_EXIT_OK);
}
END_TEST

static const struct {
    int number;
    int code;
} signals[] = { { SIGTERM, 143 }, { SIGINT, 130 }, { SIGHUP, 143 } };

START_TEST(a_signal_ends_every_wait_until_acknowledged)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_stop_install();
    (void) raise(signals[_i].number);
    ck_assert(odks_stop_requested());
    ck_assert_int_eq(odks_wait(NULL, 0, never), ODKS_WAIT_STOPPED);
    odks_stop_err(&err);
    ck_assert_int_eq(err.code, signals[_i].code);
    ck_assert(err.interrupted);

    odks_stop_acknowledge();
    ck_assert(!odks_stop_requested());
    ck_assert_int_eq(odks_stop_fd(), -1);
    ck_assert_int_eq(odks_wait(NULL, 0, odks_deadline_in(0)),
                     ODKS_WAIT_TIMEOUT);
    ck_assert_int_eq(odks_stop_signal(), signals[_i].number);
}
END_TEST

START_TEST(a_second_signal_is_deadly)
{
    odks_stop_install();
    (void) raise(SIGTERM);
    (void) raise(SIGTERM);
}
END_TEST

START_TEST(reraise_dies_by_the_signal)
{
    odks_stop_install();
    (void) raise(SIGINT);
    odks_stop_acknowledge();
    odks_stop_reraise();
}
END_TEST

START_TEST(own_time_limit_is_a_stop)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_stop_at(odks_deadline_in(0));
    ck_assert(odks_stop_requested());
    ck_assert_int_eq(odks_wait(NULL, 0, never), ODKS_WAIT_STOPPED);
    odks_stop_err(&err);
    ck_assert_int_eq(err.code, ODKS_EXIT_TEMPFAIL);
    ck_assert(err.interrupted);
    odks_stop_acknowledge();
    ck_assert_int_eq(odks_stop_deadline().at_ms, ODKS_NEVER);
}
END_TEST

START_TEST(a_ready_descriptor_ends_the_wait)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    struct pollfd fd = { .fd = ends[0], .events = POLLIN };
    ck_assert_int_eq(odks_wait(&fd, 1, odks_deadline_in(0)), ODKS_WAIT_TIMEOUT);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(odks_wait(&fd, 1, never), ODKS_WAIT_READY);
    ck_assert_int_ne(fd.revents & POLLIN, 0);
    ck_assert_int_eq(odks_wait_to_the_end(&fd, 1, never), ODKS_WAIT_READY);
    fd.fd = -1;
    ck_assert_int_eq(odks_wait_to_the_end(&fd, 1, odks_deadline_in(0)),
                     ODKS_WAIT_TIMEOUT);
}
END_TEST

START_TEST(what_must_end_does_not_mind_a_signal)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    odks_stop_install();
    (void) raise(SIGTERM);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct pollfd fd = { .fd = ends[0], .events = POLLIN };
    ck_assert_int_eq(odks_wait_to_the_end(&fd, 1, never), ODKS_WAIT_READY);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_stop");
    TCase *tc = tcase_create("stop");

    tcase_add_test(tc, nothing_asked_waits_until_its_deadline);
    tcase_add_loop_test(tc, a_signal_ends_every_wait_until_acknowledged, 0,
                        sizeof(signals) / sizeof(signals[0]));
    tcase_add_test_raise_signal(tc, a_second_signal_is_deadly, SIGTERM);
    tcase_add_test_raise_signal(tc, reraise_dies_by_the_signal, SIGINT);
    tcase_add_test(tc, own_time_limit_is_a_stop);
    tcase_add_test(tc, a_ready_descriptor_ends_the_wait);
    tcase_add_test(tc, what_must_end_does_not_mind_a_signal);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
