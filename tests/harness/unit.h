/* tests/harness/unit.h - SPDX-License-Identifier: Apache-2.0 */
/* The main() of a unit test: one suite, TAP on stdout, status non-zero on
 * failure. */
#ifndef ODKS_TESTS_UNIT_H
#define ODKS_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The one schema for odks_migrate(). */
#define SCHEMAS(name) ((const char *const[]){ (name), NULL })

/*
 * The environment of a test that is started by hand, as tests/harness/clean.py
 * makes that of all others: nothing of the caller's reaches the test, least of
 * all its PostgreSQL or its home directory.
 */
static inline void
unit_clean(void)
{
    static const char *const kept[] = {
        "PATH",         "TMPDIR",  "top_srcdir",  "CK_TAP_LOG_FILE_NAME",
        "CK_VERBOSITY", "CK_FORK", "CK_RUN_CASE", "CK_DEFAULT_TIMEOUT",
    };
    enum { COUNT_KEPT = sizeof(kept) / sizeof(kept[0]) };
    char *values[COUNT_KEPT] = { NULL };

    if (getenv("ODKS_CLEAN") != NULL)
        return;
    for (int i = 0; i < COUNT_KEPT; i++) {
        const char *value = getenv(kept[i]);

        values[i] = value != NULL ? strdup(value) : NULL;
    }
    (void) clearenv();
    for (int i = 0; i < COUNT_KEPT; i++) {
        if (values[i] != NULL)
            (void) setenv(kept[i], values[i], 1);
        free(values[i]);
    }
    (void) setenv("HOME", "/dev/null", 1);
    (void) setenv("LC_ALL", "C.UTF-8", 1);
    (void) setenv("TZ", "UTC", 1);
}

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
        unit_clean();                \
        return unit_run(make_suite); \
    }

/* Of tests that need PostgreSQL: skipped without. */
#define ODKS_DB_UNIT_MAIN(make_suite)                                      \
    int main(void)                                                         \
    {                                                                      \
        unit_clean();                                                      \
        return getenv("ODKS_TEST_PG") == NULL ? 77 : unit_run(make_suite); \
    }

#endif
