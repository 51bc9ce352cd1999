/* tests/unit/db_error.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/internal.h"

#include "unit.h"

static const struct {
    const char *sqlstate;
    enum odks_exit code;
} states[] = {
    { "", ODKS_EXIT_TEMPFAIL },      /* no connection */
    { "08006", ODKS_EXIT_TEMPFAIL }, /* connection failure */
    { "0A000", ODKS_EXIT_CONFIG },   /* such as COPY under row security */
    { "22P02", ODKS_EXIT_DATA },     /* invalid text representation */
    { "22P05", ODKS_EXIT_CONFIG },   /* not in the database's encoding */
    { "23505", ODKS_EXIT_DATA },     /* unique violation */
    { "25006", ODKS_EXIT_TEMPFAIL }, /* read-only transaction */
    { "25P02", ODKS_EXIT_SOFTWARE }, /* in failed transaction */
    { "25P03", ODKS_EXIT_TEMPFAIL }, /* idle in transaction timeout */
    { "28000", ODKS_EXIT_NOPERM },   /* no such role, or pg_hba.conf */
    { "28P01", ODKS_EXIT_NOPERM },   /* wrong password */
    { "3D000", ODKS_EXIT_CONFIG },   /* no such database */
    { "3F000", ODKS_EXIT_CONFIG },   /* no such schema */
    { "40001", ODKS_EXIT_TEMPFAIL }, /* serialization failure */
    { "40P01", ODKS_EXIT_TEMPFAIL }, /* deadlock */
    { "42501", ODKS_EXIT_NOPERM },   /* insufficient privilege */
    { "42601", ODKS_EXIT_SOFTWARE }, /* syntax error */
    { "42703", ODKS_EXIT_CONFIG },   /* no such column */
    { "42883", ODKS_EXIT_CONFIG },   /* no such function */
    { "42P10", ODKS_EXIT_CONFIG },   /* no unique index for ON CONFLICT */
    { "42P01", ODKS_EXIT_CONFIG },   /* no such table */
    { "53100", ODKS_EXIT_TEMPFAIL }, /* disk full */
    { "53300", ODKS_EXIT_TEMPFAIL }, /* too many connections */
    { "54000", ODKS_EXIT_DATA },     /* program limit */
    { "55000", ODKS_EXIT_SOFTWARE }, /* our own double finish */
    { "55P03", ODKS_EXIT_TEMPFAIL }, /* lock not available */
    { "57014", ODKS_EXIT_TEMPFAIL }, /* query cancelled */
    { "57P01", ODKS_EXIT_TEMPFAIL }, /* admin shutdown */
    { "58030", ODKS_EXIT_TEMPFAIL }, /* input/output error */
    { "P0001", ODKS_EXIT_SOFTWARE }, /* raised by somebody's trigger */
    { "XX000", ODKS_EXIT_TEMPFAIL }, /* the server's own bug */
    { "99999", ODKS_EXIT_SOFTWARE }, /* unheard of */
};

START_TEST(exit_code)
{
    ck_assert_msg(odks_db_exit_code(states[_i].sqlstate) == states[_i].code,
                  "%s", states[_i].sqlstate);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("db_error");
    TCase *tc = tcase_create("error");

    tcase_add_loop_test(tc, exit_code, 0, sizeof(states) / sizeof(states[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
