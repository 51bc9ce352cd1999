/* tests/unit/core_file.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "unit.h"

static char dir[64];

static void
setup(void)
{
    (void) snprintf(dir, sizeof(dir), "%s", "/tmp/odks-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
}

static void
teardown(void)
{
    CLEANUP_FREE char *command = odks_xasprintf("rm -rf %s", dir);

    ck_assert_int_eq(system(command), 0);
}

static void
file_is(const char *path, const char *want)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(1 << 20);

    ck_assert_msg(odks_file_read(path, &b, &err), "%s", err.message);
    ck_assert_uint_eq(b.len, strlen(want));
    ck_assert(b.len == 0 || memcmp(b.data, want, b.len) == 0);
}

static void
write_file(const char *path, const char *text)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_msg(odks_file_replace(path, text, strlen(text), &err), "%s",
                  err.message);
}

static mode_t
mode_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

START_TEST(read_all)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(5000);
    char text[5001];

    memset(text, 'x', sizeof(text));
    ck_assert(odks_file_replace("f", text, 5000, &err));
    ck_assert(odks_file_read("f", &b, &err));
    ck_assert_uint_eq(b.len, 5000);
    odks_buf_truncate(&b, 0);
    ck_assert(odks_file_replace("f", text, 5001, &err));
    ck_assert(!odks_file_read("f", &b, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_str_eq(err.message, "f is over 5000 bytes");
    ck_assert(!odks_file_read("absent", &b, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert(!odks_file_read(".", &b, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
}
END_TEST

START_TEST(read_what_is_refused)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(10);

    write_file("f", "x");
    ck_assert_int_eq(chmod("f", 0), 0);
    ck_assert_int_eq(chmod(".", 0755), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert(!odks_file_read("f", &b, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_str_ne(err.hint, "");
    if (getuid() == 0) {
        ck_assert(!odks_file_replace("g", "y", 1, &err));
        ck_assert_int_eq(err.code, ODKS_EXIT_CANTCREAT);
        ck_assert_int_eq(seteuid(0), 0);
    }
}
END_TEST

START_TEST(replace)
{
    (void) umask(027);
    write_file("f", "a long text");
    file_is("f", "a long text");
    ck_assert_uint_eq(mode_of("f"), 0640);
    ck_assert_int_eq(chmod("f", 0604), 0);
    ck_assert_int_eq(symlink("f", "link"), 0);
    write_file("link", "short");
    file_is("f", "short");
    ck_assert_uint_eq(mode_of("f"), 0604);
    struct stat st;
    ck_assert_int_eq(lstat("link", &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    write_file("f", "");
    file_is("f", "");
    ck_assert_int_eq(system("test \"$(ls)\" = \"$(printf 'f\\nlink')\""), 0);
}
END_TEST

START_TEST(a_link_to_nothing_is_refused)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct stat st;

    ck_assert_int_eq(symlink("nothing", "link"), 0);
    ck_assert(!odks_file_replace("link", "x", 1, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CANTCREAT);
    ck_assert_int_eq(lstat("link", &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_ne(lstat("nothing", &st), 0);
}
END_TEST

static const struct {
    const char *path, *message;
} failures[] = {
    { "absent/f", "cannot write absent/f: No such file or directory" },
    { ".", "cannot write .: Is a directory" },
    { "/dev/full", "cannot write /dev/full: No space left on device" },
};

START_TEST(replace_fails)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(!odks_file_replace(failures[_i].path, "x", 1, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CANTCREAT);
    ck_assert_str_eq(err.message, failures[_i].message);
    ck_assert_int_eq(system("test -z \"$(ls)\""), 0);
}
END_TEST

/* The name of the backup of f with that content. */
static void
backup_is(const char *text, const char *want)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(100);
    CLEANUP_FREE char *name = NULL;

    ck_assert(odks_buf_add_str(&b, text));
    ck_assert_msg(odks_file_backup("f", &b, &name, &err), "%s", err.message);
    ck_assert_str_eq(name, want);
    file_is(name, text);
}

START_TEST(backup)
{
    write_file("f", "x");
    ck_assert_int_eq(chmod("f", 0640), 0);
    backup_is("one", "f.backup");
    ck_assert_uint_eq(mode_of("f.backup"), 0640);
    backup_is("one", "f.backup");
    backup_is("two", "f.backup.1");
    backup_is("three is longer", "f.backup.2");
    backup_is("", "f.backup.3");
    backup_is("two", "f.backup.1");
    file_is("f.backup", "one");
    file_is("f", "x");
}
END_TEST

START_TEST(backup_fails)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(100);
    char *name;

    ck_assert(odks_buf_add_str(&b, "x"));
    ck_assert(!odks_file_backup("absent/f", &b, &name, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CANTCREAT);
    ck_assert_ptr_null(name);
    write_file("f.backup", "other");
    ck_assert_int_eq(system("i=0; while [ $((i += 1)) -lt 1000 ]; do "
                            "echo >f.backup.$i; done"),
                     0);
    ck_assert(!odks_file_backup("f", &b, &name, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CANTCREAT);
    ck_assert_str_eq(err.message, "f.backup and 999 more are there");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_file");
    TCase *tc = tcase_create("file");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, read_all);
    tcase_add_test(tc, read_what_is_refused);
    tcase_add_test(tc, replace);
    tcase_add_test(tc, a_link_to_nothing_is_refused);
    tcase_add_loop_test(tc, replace_fails, 0,
                        sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tc, backup);
    tcase_add_test(tc, backup_fails);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
