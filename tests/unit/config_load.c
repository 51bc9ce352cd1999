/* tests/unit/config_load.c - SPDX-License-Identifier: Apache-2.0 */
/* What wins: flags, environment, file, defaults. */
#include <config.h>

#include "config_fixture.h"
#include "core/mem.h"

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

static const struct {
    unsigned mode;
    bool with_password;
    enum odks_exit code;
    const char *message, *hint;
} modes[] = {
    { 0600, true, ODKS_EXIT_OK, "", "" },
    { 0640, true, ODKS_EXIT_OK, "", "" },
    { 0644, false, ODKS_EXIT_OK, "", "" },
    { 0644, true, ODKS_EXIT_NOPERM,
      "c.ini:5: a password in a file that everybody can read",
      "Run: chmod o-r c.ini (or use password_file)." },
    { 0606, false, ODKS_EXIT_NOPERM,
      "configuration: c.ini can be written by everybody",
      "Run: chmod o-w c.ini" },
};

START_TEST(mode_of_the_file_is_checked)
{
    const char *text =
        modes[_i].with_password ? CENTRAL "\npassword = x\n" : CENTRAL;
    struct odks_err err = ODKS_ERR_INIT;

    fixture_write("c.ini", text, strlen(text), modes[_i].mode);
    struct odks_config *cfg = load("c.ini", &err);
    ck_assert_int_eq(err.code, modes[_i].code);
    ck_assert_int_eq(cfg != NULL, modes[_i].code == ODKS_EXIT_OK);
    ck_assert_str_eq(err.message, modes[_i].message);
    ck_assert_str_eq(err.hint, modes[_i].hint);
    odks_config_free(cfg);
}
END_TEST

static const struct {
    const char *text;
    bool fine;
} bare_secrets[] = {
    { CENTRAL "password = ${ODKS_TEST_SECRET}\n", true },
    { CENTRAL "password = x${ODKS_TEST_SECRET}\n", false },
    { CENTRAL "[database]\npassword = x\n", false },
    { CENTRAL "[database]\nsslpassword = x\n", false },
    { CENTRAL "[database]\npassword = ${ODKS_TEST_SECRET}\n", true },
};

START_TEST(variables_keep_a_password_out_of_a_public_file)
{
    struct odks_err err = ODKS_ERR_INIT;
    const char *text = bare_secrets[_i].text;

    ck_assert_int_eq(setenv("ODKS_TEST_SECRET", "s", 1), 0);
    fixture_write("c.ini", text, strlen(text), 0644);
    struct odks_config *cfg = load("c.ini", &err);
    ck_assert_int_eq(cfg != NULL, bare_secrets[_i].fine);
    odks_config_free(cfg);
}
END_TEST

/* As root we can make a file of somebody else's, and become somebody. */
START_TEST(environment_wins_over_file)
{
    ck_assert_int_eq(setenv("ODK_SYNC_LEASE", "30s", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_DATABASE_SCHEMA", "s", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_DATABASE_HOST", "h", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_CENTRAL_TIMEOUT", "3s", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_CENTRAL_URL", "", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_CENTRAL_B_1_TIMEOUT", "4s", 1), 0);
    /* no file's syntax in it */
    ck_assert_int_eq(setenv("ODK_SYNC_JOB_MAIN_FORM", "a ;${b}", 1), 0);
    struct odks_config *cfg = fixture_ok(
        "[odk-sync]\nlease = 20s\n[database]\nhost = x\n" CENTRAL
        "timeout = 1s\n[central b-1]\nurl = https://b\nuser = u\n" JOB);
    struct odks_db_conf conf;
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_int_eq(odks_config_run(cfg)->lease_s, 30);
    ck_assert_str_eq(odks_config_database(cfg)->schema, "s");
    ck_assert_int_eq(odks_config_central(cfg, 0)->timeout_s, 3);
    ck_assert_str_eq(odks_config_central(cfg, 0)->url, "https://c.example.org");
    ck_assert_int_eq(odks_config_central(cfg, 1)->timeout_s, 4);
    ck_assert_str_eq(odks_config_job(cfg, 0)->form, "a ;${b}");
    ck_assert(odks_config_db_conf(cfg, "i", &conf, &err));
    ck_assert_str_eq(conf.keywords[0], "host");
    ck_assert_str_eq(conf.values[0], "h");
    ck_assert_ptr_null(conf.keywords[1]);
    odks_config_free(cfg);
}
END_TEST

START_TEST(environment_alone_can_be_the_central)
{
    ck_assert_int_eq(setenv("ODK_SYNC_CENTRAL_URL", "https://e", 1), 0);
    ck_assert_int_eq(setenv("ODK_SYNC_CENTRAL_USER", "e", 1), 0);
    struct odks_config *cfg = fixture_ok(JOB);

    ck_assert_uint_eq(odks_config_central_count(cfg), 1);
    ck_assert_str_eq(odks_config_job(cfg, 0)->central->url, "https://e");
    odks_config_free(cfg);
}
END_TEST

static const struct {
    const char *name, *value, *message;
} wrong_variables[] = {
    { "ODK_SYNC_JOB_MAIN_OVERLAP", "soon",
      "environment ODK_SYNC_JOB_MAIN_OVERLAP: overlap: found \"soon\", "
      "expected a duration from 0 to 7d, such as 90s, 15m or 24h" },
    { "ODK_SYNC_CENTRAL_URL", "c",
      "environment ODK_SYNC_CENTRAL_URL: url: it does not begin with "
      "https://" },
    { "ODK_SYNC_DATABASE_HOST", "a\nb",
      "environment ODK_SYNC_DATABASE_HOST: host holds a control character or "
      "is not UTF-8" },
    { "ODK_SYNC_JOB_A_B_FORM", "x",
      "environment ODK_SYNC_JOB_A_B_FORM: it stands for both [job a-b] and "
      "[job a_b]" },
};

START_TEST(wrong_variable_is_named)
{
    struct refusal r = {
        CENTRAL JOB "[job a-b]\nkind = submissions\nproject = 1\nform = f\n"
                    "[job a_b]\nkind = submissions\nproject = 1\nform = f\n",
        wrong_variables[_i].message, NULL
    };

    odks_config_free(fixture_ok(r.text));
    ck_assert_int_eq(
        setenv(wrong_variables[_i].name, wrong_variables[_i].value, 1), 0);
    fixture_refused(&r);
}
END_TEST

static const struct {
    const char *name, *hint;
} unknown_variables[] = {
    { "ODK_SYNC_JOB_MAIM_DROP", "Did you mean ODK_SYNC_JOB_MAIN_DROP?" },
    { "ODK_SYNC_JOB_MAIN_DROPP", "Did you mean ODK_SYNC_JOB_MAIN_DROP?" },
    { "ODK_SYNC_DATABASE_HOSTT", "Did you mean ODK_SYNC_DATABASE_HOST?" },
    { "ODK_SYNC_CONFIGS", "Did you mean ODK_SYNC_CONFIG?" },
    { "ODK_SYNC_JOB_SOMETHING_ELSE_DROP", "ODK_SYNC_<SECTION>_<NAME>_<KEY>" },
    /* longer than what most words have, as the names of jobs may be */
    { "ODK_SYNC_JOB_A23456789012345678901234567890123456789012345_HASH_KEY_"
      "FIEL",
      "Did you mean "
      "ODK_SYNC_JOB_A23456789012345678901234567890123456789012345_HASH_KEY_"
      "FILE?" },
    { "ODK_SYNC_", "ODK_SYNC_<KEY>" },
};

START_TEST(unknown_variable_is_refused)
{
    CLEANUP_FREE char *message = odks_xasprintf(
        "environment %s: unknown variable", unknown_variables[_i].name);
    struct refusal r = { CENTRAL JOB
                         "[job a23456789012345678901234567890123456789012345]\n"
                         "kind = submissions\nproject = 1\nform = g\n",
                         message, unknown_variables[_i].hint };

    odks_config_free(fixture_ok(r.text));
    ck_assert_int_eq(setenv(unknown_variables[_i].name, "", 1), 0);
    fixture_refused(&r);
}
END_TEST

/* What a command finds in its environment, and what is not ours. */
START_TEST(other_variables_are_known)
{
    static const char *const names[] = {
        "ODK_SYNC_REPORT_FD",
        "ODK_SYNC_CENTRAL_CA_FILE",
        "ODK_SYNC_DATABASE_SSLMODE",
        "ODK_SYNCED",
        "ODK_SYNC",
        "LAST_SYNC_TIMESTAMP",
    };

    for (int i = 0; i < COUNT(names); i++)
        ck_assert_int_eq(setenv(names[i], "", 1), 0);
    odks_config_free(fixture_ok(JOB CENTRAL));
}
END_TEST

START_TEST(flags_win_over_environment)
{
    static const struct odks_config_flag flags[] = {
        { "odk-sync", "max_time", "5m" },
        { "job main", "project", "9" },
        { "central", "timeout", "2s" },
    };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    ck_assert_int_eq(setenv("ODK_SYNC_MAX_TIME", "6m", 1), 0);
    fixture_write("c.ini", CENTRAL JOB, strlen(CENTRAL JOB), 0600);
    ck_assert(odks_config_load("c.ini", flags, 3, &cfg, &err));
    ck_assert_int_eq(odks_config_run(cfg)->max_time_s, 300);
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 9);
    ck_assert_int_eq(odks_config_central(cfg, 0)->timeout_s, 2);
    odks_config_free(cfg);
}
END_TEST

static const struct {
    struct odks_config_flag flag;
    const char *message;
} wrong_flags[] = {
    { { "odk-sync", "max_time", "soon" },
      "flag --max-time: max_time: found \"soon\", expected a duration from 0 "
      "to 7d, such as 90s, 15m or 24h" },
    { { "odk-sync", "max_time", "" }, "flag --max-time: max_time is empty" },
    { { "odk-sync", "max_tim", "1" },
      "there is no option max_tim in [odk-sync]" },
    { { "nothing", "x", "1" }, "there is no option x in [nothing]" },
    { { "job other", "project", "1" },
      "there is no option project in [job other]" },
};

START_TEST(wrong_flag_is_a_usage_error)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    fixture_write("c.ini", CENTRAL JOB, strlen(CENTRAL JOB), 0600);
    ck_assert(!odks_config_load("c.ini", &wrong_flags[_i].flag, 1, &cfg, &err));
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, ODKS_EXIT_USAGE);
    ck_assert_str_eq(err.message, wrong_flags[_i].message);
}
END_TEST

static void
set_old_service(void)
{
    static const char *const variables[][2] = {
        { "ODK_BASE_URL", "https://old.example.org/" },
        { "ODK_PROJECT_ID", "3" },
        { "ODK_FORM_ID", "GRA%20Rental%20Data%20Collection" },
        { "ODATA_USER", "u@example.org" },
        { "ODATA_PASS", "pw" },
        { "PG_HOST", "db" },
        { "PG_PASS", "p@:/%" },
    };

    for (int i = 0; i < COUNT(variables); i++)
        ck_assert_int_eq(setenv(variables[i][0], variables[i][1], 1), 0);
}

START_TEST(old_service_runs_from_its_variables)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db_conf conf;

    set_old_service();
    ck_assert_int_eq(setenv("PGUSER", "other", 1), 0);
    struct odks_config *cfg = load(NULL, &err);
    ck_assert_msg(cfg != NULL, "%s", err.message);
    ck_assert_uint_eq(odks_config_job_count(cfg), 2);
    const struct odks_job_conf *job = odks_config_job(cfg, 0);
    const struct odks_job_conf *details = odks_config_job(cfg, 1);
    ck_assert_str_eq(job->sync_type, "main_submissions");
    ck_assert_int_eq(job->project, 3);
    ck_assert_str_eq(job->form, "GRA Rental Data Collection");
    ck_assert_str_eq(job->tables[0], "Submissions");
    ck_assert_ptr_null(job->tables[1]);
    ck_assert_str_eq(job->central->url, "https://old.example.org");
    ck_assert_str_eq(job->central->user, "u@example.org");
    ck_assert_str_eq(job->central->password, "pw");
    ck_assert_str_eq(details->sync_type, "person_details");
    ck_assert_str_eq(details->tables[0], "Submissions.person_details");
    ck_assert_str_eq(details->after, "main_submissions");

    ck_assert(odks_config_db_conf(cfg, "i", &conf, &err));
    const char *found[4] = { "", "", "", "" };
    for (size_t i = 0; conf.keywords[i] != NULL; i++) {
        static const char *const keys[] = { "host", "dbname", "user",
                                            "password" };
        for (int k = 0; k < COUNT(keys); k++) {
            if (strcmp(conf.keywords[i], keys[k]) == 0)
                found[k] = conf.values[i];
        }
    }
    ck_assert_str_eq(found[0], "db");
    ck_assert_str_eq(found[1], "postgres");
    ck_assert_str_eq(found[2], ""); /* libpq's PGUSER */
    ck_assert_str_eq(found[3], "p@:/%");
    odks_config_free(cfg);
}
END_TEST

START_TEST(old_service_needs_all_of_them)
{
    static const char *const names[] = { "ODK_PROJECT_ID", "ODK_FORM_ID",
                                         "ODATA_USER", "ODATA_PASS" };
    struct odks_err err = ODKS_ERR_INIT;
    char message[100];

    set_old_service();
    ck_assert_int_eq(unsetenv(names[_i]), 0);
    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    (void) snprintf(message, sizeof(message),
                    "the environment variable %s is not set", names[_i]);
    ck_assert_str_eq(err.message, message);
}
END_TEST

START_TEST(old_variables_are_checked_too)
{
    struct odks_err err = ODKS_ERR_INIT;

    set_old_service();
    ck_assert_int_eq(setenv("PG_PORT", "54\n32", 1), 0);
    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_str_eq(err.message, "environment PG_PORT: port holds a control "
                                  "character or is not UTF-8");
    ck_assert_int_eq(unsetenv("PG_PORT"), 0);
    ck_assert_int_eq(setenv("ODK_PROJECT_ID", "one", 1), 0);
    ck_assert_ptr_null(load(NULL, &err));
    ck_assert_str_eq(err.message,
                     "environment ODK_PROJECT_ID: project: found \"one\", "
                     "expected a whole number from 1 to 2147483647");
}
END_TEST

START_TEST(a_file_ends_the_reign_of_the_old_variables)
{
    set_old_service();
    struct odks_config *cfg = fixture_ok(CENTRAL JOB);

    ck_assert_uint_eq(odks_config_job_count(cfg), 1);
    ck_assert_str_eq(odks_config_central(cfg, 0)->url, "https://c.example.org");
    odks_config_free(cfg);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_load");
    TCase *tc = fixture_case(s, "load");

    tcase_add_loop_test(tc, mode_of_the_file_is_checked, 0, COUNT(modes));
    tcase_add_loop_test(tc, variables_keep_a_password_out_of_a_public_file, 0,
                        COUNT(bare_secrets));
    tcase_add_test(tc, environment_wins_over_file);
    tcase_add_test(tc, environment_alone_can_be_the_central);
    tcase_add_loop_test(tc, wrong_variable_is_named, 0, COUNT(wrong_variables));
    tcase_add_loop_test(tc, unknown_variable_is_refused, 0,
                        COUNT(unknown_variables));
    tcase_add_test(tc, other_variables_are_known);
    tcase_add_test(tc, flags_win_over_environment);
    tcase_add_loop_test(tc, wrong_flag_is_a_usage_error, 0, COUNT(wrong_flags));
    tcase_add_test(tc, old_service_runs_from_its_variables);
    tcase_add_loop_test(tc, old_service_needs_all_of_them, 0, 4);
    tcase_add_test(tc, old_variables_are_checked_too);
    tcase_add_test(tc, a_file_ends_the_reign_of_the_old_variables);
    return s;
}

ODKS_UNIT_MAIN(suite)
