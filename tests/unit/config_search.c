/* tests/unit/config_search.c - SPDX-License-Identifier: Apache-2.0 */
/* Which file is read, when it is named and when it is not. */
#include <config.h>

#include <grp.h>

#include "config_fixture.h"

static struct odks_config *
load(const char *path, struct odks_err *err)
{
    struct odks_config *cfg;

    if (path == NULL)
        return fixture_search(err);
    odks_err_clear(err);
    bool done = odks_config_load(path, NULL, 0, &cfg, err);
    ck_assert_int_eq(done, cfg != NULL);
    return cfg;
}

static void
write_project(const char *name, int project)
{
    char text[300];

    (void) snprintf(text, sizeof(text),
                    CENTRAL "[job x]\nkind = submissions\nform = f\n"
                            "project = %d\n",
                    project);
    fixture_write(name, text, strlen(text), 0640);
}

static int64_t
project_of(const char *path)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = load(path, &err);

    ck_assert_msg(cfg != NULL, "%s", err.message);
    int64_t project = odks_config_job(cfg, 0)->project;
    odks_config_free(cfg);
    return project;
}

START_TEST(named_file_then_variable_then_directory)
{
    write_project("a.ini", 1);
    write_project("b.ini", 2);
    write_project("odk-sync.ini", 3);
    ck_assert_int_eq(project_of(NULL), 3);
    ck_assert_int_eq(setenv("ODK_SYNC_CONFIG", "", 1), 0);
    ck_assert_int_eq(project_of(NULL), 3);
    ck_assert_int_eq(setenv("ODK_SYNC_CONFIG", "b.ini", 1), 0);
    ck_assert_int_eq(project_of(NULL), 2);
    ck_assert_int_eq(project_of("a.ini"), 1);
}
END_TEST

START_TEST(named_file_that_is_missing_is_66)
{
    struct odks_err err = ODKS_ERR_INIT;

    write_project("odk-sync.ini", 3);
    ck_assert_ptr_null(load("no.ini", &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert_str_eq(err.message, "configuration: cannot read no.ini: "
                                  "No such file or directory");
    ck_assert_int_eq(setenv("ODK_SYNC_CONFIG", "no.ini", 1), 0);
    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert_str_eq(err.hint, "ODK_SYNC_CONFIG names that file.");
    ck_assert_ptr_null(load(".", &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert_str_eq(err.message,
                     "configuration: cannot read .: Is a directory");
}
END_TEST

START_TEST(file_of_the_system_comes_last)
{
    ck_assert_int_eq(mkdir("etc", 0755), 0);
    write_project("etc/system.ini", 4);
    ck_assert_int_eq(project_of(NULL), 4);
    ck_assert_int_eq(symlink("nowhere", "odk-sync.ini"), 0);
    ck_assert_int_eq(project_of(NULL), 4);
    ck_assert_int_eq(unlink("odk-sync.ini"), 0);
    write_project("odk-sync.ini", 3);
    ck_assert_int_eq(project_of(NULL), 3);
}
END_TEST

/* As another user, whose umask and rights the files in the way do not suit. */
static void
become_another_user(void)
{
    enum { SOME_USER = 65534 };

    if (geteuid() == 0) {
        ck_assert_int_eq(setgroups(0, NULL), 0);
        ck_assert_int_eq(setegid(SOME_USER), 0);
        ck_assert_int_eq(seteuid(SOME_USER), 0);
    }
}

static void
become_the_first_user_again(void)
{
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}

/* sudo -u odk-sync odk-sync status, in the directory of root. */
START_TEST(directory_that_may_not_be_entered_has_no_file)
{
    struct odks_err err = ODKS_ERR_INIT;
    char system_wide[128];
    struct odks_config *cfg;

    write_project("system.ini", 4);
    (void) snprintf(system_wide, sizeof(system_wide), "%s/system.ini",
                    fixture_dir);
    ck_assert_int_eq(chmod("system.ini", 0644), 0);
    ck_assert_int_eq(mkdir("home", 0700), 0);
    ck_assert_int_eq(chdir("home"), 0);
    write_project("odk-sync.ini", 3);
    ck_assert_int_eq(chmod(".", 0), 0);
    become_another_user();
    bool done = odks_config_load_from(NULL, system_wide, NULL, 0, &cfg, &err);
    become_the_first_user_again();
    ck_assert_msg(done, "%s", err.message);
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 4);
    odks_config_free(cfg);
    /* who is not root cannot leave it while it is closed */
    char home[128];
    (void) snprintf(home, sizeof(home), "%s/home", fixture_dir);
    ck_assert_int_eq(chmod(home, 0700), 0);
    ck_assert_int_eq(chdir(".."), 0);
}
END_TEST

/* What exists is not passed over, whether it or what it leads to is closed. */
START_TEST(file_that_may_not_be_read_is_77)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_int_eq(mkdir("etc", 0755), 0);
    write_project("etc/system.ini", 4);
    ck_assert_int_eq(chmod("etc/system.ini", 0644), 0);
    ck_assert_int_eq(mkdir("closed", 0700), 0);
    write_project("closed/odk-sync.ini", 3);
    if (_i == 0) {
        write_project("odk-sync.ini", 3);
        ck_assert_int_eq(chmod("odk-sync.ini", 0), 0);
    } else {
        ck_assert_int_eq(symlink("closed/odk-sync.ini", "odk-sync.ini"), 0);
        ck_assert_int_eq(chmod("closed", 0), 0);
    }
    become_another_user();
    struct odks_config *cfg = load(NULL, &err);
    become_the_first_user_again();
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_int_eq(chmod("closed", 0700), 0);
}
END_TEST

/* Nobody is told that there is no file where there is one out of reach. */
START_TEST(file_of_the_system_out_of_reach_is_77)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_int_eq(mkdir("etc", 0700), 0);
    write_project("etc/system.ini", 4);
    ck_assert_int_eq(chmod("etc", 0), 0);
    become_another_user();
    struct odks_config *cfg = load(NULL, &err);
    become_the_first_user_again();
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_int_eq(chmod("etc", 0700), 0);
}
END_TEST

START_TEST(foreign_and_unreadable_files_are_77)
{
    struct odks_err err = ODKS_ERR_INIT;

    if (geteuid() != 0)
        return;
    write_project("odk-sync.ini", 1);
    ck_assert_int_eq(chown("odk-sync.ini", 65534, 65534), 0);
    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_str_eq(err.message, "./odk-sync.ini belongs to another user");
    ck_assert_int_eq(project_of("./odk-sync.ini"), 1);

    ck_assert_int_eq(chown("odk-sync.ini", 0, 0), 0);
    ck_assert_int_eq(chmod("odk-sync.ini", 0600), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    struct odks_config *cfg = load(NULL, &err);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_str_eq(err.message, "configuration: cannot read ./odk-sync.ini: "
                                  "Permission denied");
    ck_assert_ptr_nonnull(strstr(err.hint, "(65534)"));
}
END_TEST

START_TEST(no_file_at_all_is_78)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message, "no configuration: neither ./odk-sync.ini "
                                  "nor etc/system.ini is there");
    ck_assert_ptr_nonnull(strstr(err.hint, "odk-sync.ini.example"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_search");
    TCase *tc = fixture_case(s, "search");

    tcase_add_test(tc, named_file_then_variable_then_directory);
    tcase_add_test(tc, named_file_that_is_missing_is_66);
    tcase_add_test(tc, file_of_the_system_comes_last);
    tcase_add_test(tc, directory_that_may_not_be_entered_has_no_file);
    tcase_add_test(tc, foreign_and_unreadable_files_are_77);
    tcase_add_loop_test(tc, file_that_may_not_be_read_is_77, 0, 2);
    tcase_add_test(tc, file_of_the_system_out_of_reach_is_77);
    tcase_add_test(tc, no_file_at_all_is_78);
    return s;
}

ODKS_UNIT_MAIN(suite)
