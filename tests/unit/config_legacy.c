/* tests/unit/config_legacy.c - SPDX-License-Identifier: Apache-2.0 */
/* The settings of the old service: which count, and what is said of them. */
#include <config.h>

#include "config_fixture.h"

#include "core/mem.h"

#define DOTENV                                                           \
    "ODK_BASE_URL=https://old.example.org\nODK_PROJECT_ID=3\n"           \
    "ODK_FORM_ID=a%20form\nODATA_USER=u@example.org\nODATA_PASS=secret1" \
    "\nPG_HOST=db\nPG_PASS='p@:/% \"#'\n"

/* Any variable here may be one of the old service's. */
static void
setup(void)
{
    ck_assert_int_eq(clearenv(), 0);
}

static void
write_env(const char *text, unsigned mode)
{
    fixture_write(".env", text, strlen(text), mode);
}

static struct odks_config *
load(void)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    ck_assert_msg(odks_config_load_legacy(NULL, 0, &cfg, &err), "%s",
                  err.message);
    return cfg;
}

static bool
has_remark(const struct odks_config *cfg, const char *text, bool is_urgent)
{
    for (size_t i = 0; i < odks_config_remark_count(cfg); i++) {
        bool urgent;

        if (strstr(odks_config_remark_text(cfg, i, &urgent), text) != NULL)
            return urgent == is_urgent;
    }
    return false;
}

START_TEST(file_is_enough)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db_conf conf;

    write_env(DOTENV, 0600);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    const struct odks_job_conf *job = odks_config_job(cfg, 0);
    ck_assert_str_eq(job->form, "a form");
    ck_assert_str_eq(job->central->password, "secret1");
    ck_assert_uint_eq(odks_config_remark_count(cfg), 0);
    ck_assert(odks_config_db_conf(cfg, "i", &conf, &err));
    const char *password = NULL;
    for (size_t i = 0; conf.keywords[i] != NULL; i++) {
        if (strcmp(conf.keywords[i], "password") == 0)
            password = conf.values[i];
    }
    ck_assert_str_eq(password, "p@:/% \"#");
}
END_TEST

START_TEST(environment_wins)
{
    write_env(DOTENV, 0600);
    ck_assert_int_eq(setenv("ODATA_USER", "real@example.org", 1), 0);
    ck_assert_int_eq(setenv("PG_HOST", "", 1), 0);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    ck_assert_str_eq(odks_config_job(cfg, 0)->central->user,
                     "real@example.org");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    odks_config_print(cfg, false, out);
    ck_assert_int_eq(fclose(out), 0);
    /* empty in the environment: as if it were nowhere */
    ck_assert_ptr_nonnull(strstr(text, "host = localhost "));
    ck_assert_ptr_nonnull(strstr(text, "; environment ODATA_USER\n"));
    ck_assert_ptr_nonnull(strstr(text, "/.env:2\n"));
    ck_assert_ptr_null(strstr(text, "secret1"));
    free(text);
}
END_TEST

START_TEST(found_above)
{
    write_env(DOTENV, 0600);
    ck_assert_int_eq(system("mkdir -p a/b/.env"), 0);
    ck_assert_int_eq(chdir("a/b"), 0);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 3);
    ck_assert_int_eq(chdir("../.."), 0);
}
END_TEST

/* Not read at all where there is a file of ours. */
START_TEST(ini_comes_first)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    write_env(DOTENV "what is this\n", 0644);
    fixture_write("odk-sync.ini", CENTRAL JOB, strlen(CENTRAL JOB), 0600);
    cfg = fixture_search(&err);
    ck_assert_ptr_nonnull(cfg);
    ck_assert_str_eq(odks_config_job(cfg, 0)->sync_type, "main");
    ck_assert_uint_eq(odks_config_remark_count(cfg), 0);
    odks_config_free(cfg);
}
END_TEST

START_TEST(remarks_on_the_file)
{
    write_env(DOTENV "what is this\n", 0644);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    ck_assert(has_remark(cfg, "/.env can be read by everybody", true));
    ck_assert(has_remark(cfg, "/.env:8 is not understood", true));
}
END_TEST

/* Every variable of the old service is used or named. */
static const char *const others[] = {
    "SYNC_INTERVAL",      "MAX_WORKERS",         "PRIORITIZE_NEW",
    "AWS_ACCESS_KEY_ID",  "AWS_ACCESS_KEY",      "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",     "AWS_BUCKET_NAME",     "AWS_DEFAULT_REGION",
    "AWS_REGION",         "S3_BASE_FOLDER",      "URL_REFRESH_THRESHOLD_HOURS",
    "ENABLE_URL_REFRESH", "POSTGRES_PASSWORD",   "POSTGRES_DB",
    "PYTHONUNBUFFERED",   "SUPERSET_SECRET_KEY",
};

START_TEST(others_are_named)
{
    CLEANUP_FREE char *remark = odks_xasprintf("not used: %s: ", others[_i]);
    CLEANUP_FREE char *text =
        odks_xasprintf("%s%s=secret2\n", DOTENV, others[_i]);

    write_env(text, 0600);
    CLEANUP_CONFIG struct odks_config *in_file = load();
    ck_assert(has_remark(in_file, remark, false));
    ck_assert_uint_eq(odks_config_remark_count(in_file), 1);
    write_env(DOTENV, 0600);
    ck_assert_int_eq(setenv(others[_i], "secret2", 1), 0);
    CLEANUP_CONFIG struct odks_config *in_environment = load();
    ck_assert(has_remark(in_environment, remark, false));
    ck_assert(!has_remark(in_environment, "secret2", false));
}
END_TEST

START_TEST(others_share_a_remark)
{
    write_env(DOTENV "AWS_REGION=a\nAWS_REGION=b\nAWS_SECRET_KEY=c\n"
                     "AWS_PROFILE=d\nPOSTGRES_=e\n",
              0600);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    ck_assert(has_remark(cfg, "not used: AWS_REGION, AWS_SECRET_KEY: ", false));
    ck_assert_uint_eq(odks_config_remark_count(cfg), 1);
}
END_TEST

static const struct {
    const char *text;
    unsigned mode;
    enum odks_exit code;
    const char *message; /* a part */
} refused[] = {
    { "A=1\n", 0600, ODKS_EXIT_CONFIG,
      "the environment variable ODK_BASE_URL is not set" },
    { "ODK_BASE_URL=https://c\n", 0600, ODKS_EXIT_CONFIG,
      "the environment variable ODATA_USER is not set" },
    { DOTENV, 0602, ODKS_EXIT_NOPERM, "/.env can be written by everybody" },
};

START_TEST(refuse)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    write_env(refused[_i].text, refused[_i].mode);
    ck_assert(!odks_config_load_legacy(NULL, 0, &cfg, &err));
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, refused[_i].code);
    ck_assert_msg(strstr(err.message, refused[_i].message) != NULL, "%s",
                  err.message);
}
END_TEST

START_TEST(nul)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    fixture_write(".env", "A=1\0B=2", 7, 0600);
    ck_assert(!odks_config_load_legacy(NULL, 0, &cfg, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "holds a NUL byte"));
}
END_TEST

/* Somebody else's file is not read; who has it all in variables may go on. */
START_TEST(file_of_another)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;
    static const char *const names[] = { "ODK_BASE_URL", "ODK_PROJECT_ID",
                                         "ODK_FORM_ID", "ODATA_USER",
                                         "ODATA_PASS" };

    if (geteuid() != 0)
        return;
    write_env(DOTENV, 0600);
    ck_assert_int_eq(chown(".env", 12345, 12345), 0);
    ck_assert(!odks_config_load_legacy(NULL, 0, &cfg, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_ptr_null(strstr(err.hint, "--config"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_int_eq(setenv(names[i], i == 1 ? "7" : "https://c", 1), 0);
    cfg = load();
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 7);
    ck_assert(has_remark(cfg, "not read: ", true));
    ck_assert(has_remark(cfg, "belongs to another user", true));
    odks_config_free(cfg);
}
END_TEST

/* What print_file() writes is read back; secrets are not in it. */
START_TEST(as_a_file)
{
    char *text = NULL;
    size_t len;

    write_env(DOTENV, 0600);
    ck_assert_int_eq(setenv("ODK_FORM_ID", "a;b ;c${", 1), 0);
    CLEANUP_CONFIG struct odks_config *cfg = load();
    FILE *out = open_memstream(&text, &len);
    odks_config_print_file(cfg, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_null(strstr(text, "secret1"));
    ck_assert_ptr_null(strstr(text, "p@:"));
    ck_assert_ptr_nonnull(strstr(text, "\npassword = ${ODATA_PASS}\n"));
    ck_assert_ptr_nonnull(strstr(text, "\npassword = ${PG_PASS}\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n; password_file = "));
    ck_assert_ptr_nonnull(strstr(text, "\nform = ${ODK_FORM_ID}\n"));
    ck_assert_ptr_null(strstr(text, "log_level"));
    ck_assert_int_eq(setenv("ODATA_PASS", "x", 1), 0);
    ck_assert_int_eq(setenv("PG_PASS", "y", 1), 0);
    CLEANUP_CONFIG struct odks_config *again = fixture_ok(text);
    ck_assert_str_eq(odks_config_job(again, 1)->form, "a;b ;c${");
    ck_assert_str_eq(odks_config_job(again, 1)->after, "main_submissions");
    free(text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_legacy");
    TCase *tc = fixture_case(s, "legacy");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, file_is_enough);
    tcase_add_test(tc, environment_wins);
    tcase_add_test(tc, found_above);
    tcase_add_test(tc, ini_comes_first);
    tcase_add_test(tc, remarks_on_the_file);
    tcase_add_loop_test(tc, others_are_named, 0,
                        sizeof(others) / sizeof(others[0]));
    tcase_add_test(tc, others_share_a_remark);
    tcase_add_loop_test(tc, refuse, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, nul);
    tcase_add_test(tc, file_of_another);
    tcase_add_test(tc, as_a_file);
    return s;
}

ODKS_UNIT_MAIN(suite)
