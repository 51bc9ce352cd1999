/* tests/harness/unit.h - SPDX-License-Identifier: Apache-2.0 */
/* The main() of a unit test: one suite, TAP on stdout, status non-zero on
 * failure. */
#ifndef ODKS_TESTS_UNIT_H
#define ODKS_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* The one schema for odks_migrate(). */
#define SCHEMAS(name) ((const char *const[]){ (name), NULL })

/* Run it; what is hung ends after two minutes, which no slow machine needs. */
static inline int
unit_run(Suite *make_suite(void))
{
    (void) setenv("CK_DEFAULT_TIMEOUT", "120", 0); /* read in tcase_create() */
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define ODKS_UNIT_MAIN(make_suite)   \
    int main(void)                   \
    {                                \
        return unit_run(make_suite); \
    }

/* Of tests that need PostgreSQL: skipped without. */
#define ODKS_DB_UNIT_MAIN(make_suite)                                      \
    int main(void)                                                         \
    {                                                                      \
        return getenv("ODKS_TEST_PG") == NULL ? 77 : unit_run(make_suite); \
    }

#endif
