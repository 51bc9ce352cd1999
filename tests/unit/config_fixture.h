/* tests/unit/config_fixture.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of its own per test, with files in it, and a load() that says
 * what became of them. Check forks for each test, so the directory, the
 * environment and the current directory are the test's alone.
 */
#ifndef ODKS_TESTS_CONFIG_FIXTURE_H
#define ODKS_TESTS_CONFIG_FIXTURE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/internal.h"
#include "core/err.h"
#include "core/exit.h"
#include "unit.h"

#define CENTRAL "[central]\nurl = https://c.example.org\nuser = u@example.org\n"
#define JOB "[job main]\nkind = submissions\nproject = 1\nform = f\n"

static char fixture_dir[64];

/* The names of variables are part of what is tested: none is set. */
static inline void
fixture_setup(void)
{
    const char *srcdir = getenv("top_srcdir");
    char *kept = srcdir != NULL ? strdup(srcdir) : NULL;

    ck_assert_int_eq(clearenv(), 0);
    if (kept != NULL)
        ck_assert_int_eq(setenv("top_srcdir", kept, 1), 0);
    free(kept);
    ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
    (void) snprintf(fixture_dir, sizeof(fixture_dir), "%s",
                    "/tmp/odks-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture_dir));
    ck_assert_int_eq(chmod(fixture_dir, 0755), 0);
    ck_assert_int_eq(chdir(fixture_dir), 0);
}

static inline void
fixture_teardown(void)
{
    char command[128];

    (void) snprintf(command, sizeof(command), "rm -rf %s", fixture_dir);
    ck_assert_int_eq(system(command), 0);
}

static inline void
fixture_write(const char *name, const void *bytes, size_t len, unsigned mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t) len);
    ck_assert_int_eq(fchmod(fd, (mode_t) mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

/*
 * odks_config_load() without a path, with system.ini in place of the file in
 * /etc; NULL with *err set if there is nothing that can be used.
 */
static inline struct odks_config *
fixture_search(struct odks_err *err)
{
    struct odks_config *cfg;

    odks_err_clear(err);
    bool done =
        odks_config_load_from(NULL, "etc/system.ini", NULL, 0, &cfg, err);
    ck_assert_int_eq(done, cfg != NULL);
    return cfg;
}

/* Load text as the file c.ini; NULL with *err set if it is refused. */
static inline struct odks_config *
fixture_load(const char *text, struct odks_err *err)
{
    struct odks_config *cfg;

    odks_err_clear(err);
    fixture_write("c.ini", text, strlen(text), 0640);
    bool done = odks_config_load("c.ini", NULL, 0, &cfg, err);
    ck_assert_int_eq(done, cfg != NULL);
    ck_assert_int_eq(done, err->code == ODKS_EXIT_OK);
    return cfg;
}

/* Load what must be right. */
static inline struct odks_config *
fixture_ok(const char *text)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = fixture_load(text, &err);

    ck_assert_msg(cfg != NULL, "%s (%s)", err.message, err.hint);
    return cfg;
}

/* What a text must be refused with; hint NULL: any. */
struct refusal {
    const char *text;
    const char *message; /* whole */
    const char *hint;    /* a part */
};

static inline void
fixture_refused(const struct refusal *r)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = fixture_load(r->text, &err);

    ck_assert_msg(cfg == NULL, "accepted: %s", r->text);
    ck_assert_str_eq(err.message, r->message);
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    if (r->hint != NULL)
        ck_assert_msg(strstr(err.hint, r->hint) != NULL, "hint: %s", err.hint);
}

static inline TCase *
fixture_case(Suite *s, const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
    suite_add_tcase(s, tc);
    return tc;
}

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

#endif
