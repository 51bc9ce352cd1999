/* tests/unit/config_rules.c - SPDX-License-Identifier: Apache-2.0 */
/* Types, ranges, defaults, and the rules between values. */
#include <config.h>

#include "config_fixture.h"

START_TEST(defaults_are_those_of_the_manual)
{
    struct odks_config *cfg = fixture_ok(CENTRAL JOB);
    const struct odks_run_conf *run = odks_config_run(cfg);
    const struct odks_database_conf *database = odks_config_database(cfg);
    const struct odks_central_conf *central = odks_config_central(cfg, 0);
    const struct odks_job_conf *job = odks_config_job(cfg, 0);

    ck_assert_int_eq(run->log_level, ODKS_LOG_WARN);
    ck_assert_int_eq(run->log_format, ODKS_LOG_TEXT);
    ck_assert_int_eq(run->max_time_s, 0);
    ck_assert_int_eq(run->lease_s, 60);
    ck_assert_int_eq(run->history_days, 30);
    ck_assert_str_eq(database->schema, "odk");
    ck_assert_str_eq(database->tracking_schema, "public");
    ck_assert_int_eq(database->statement_timeout_s, 300);
    ck_assert_str_eq(central->name, "central");
    ck_assert_ptr_null(central->password_file);
    ck_assert_ptr_null(central->password);
    ck_assert_ptr_null(central->ca_file);
    ck_assert_int_eq(central->timeout_s, 60);
    ck_assert_int_eq(central->stall_s, 150);
    ck_assert_int_eq(central->retry_s, 60);
    ck_assert_int_eq(central->max_row_bytes, 16 << 20);
    ck_assert_str_eq(job->sync_type, "main");
    ck_assert_str_eq(job->kind, "submissions");
    ck_assert_ptr_eq(job->central, central);
    ck_assert_ptr_null(job->tables);
    ck_assert_ptr_null(job->table);
    ck_assert_ptr_null(job->schedule);
    ck_assert_int_eq(job->every_s, 0);
    ck_assert_str_eq(job->timezone, "UTC");
    ck_assert_ptr_null(job->after);
    ck_assert_int_eq(job->overlap_s, 300);
    ck_assert_int_eq(job->reconcile_s, 86400);
    ck_assert_int_eq(job->on_delete, ODKS_DELETE_SOFT);
    ck_assert(job->raw);
    ck_assert_int_eq(job->window_rows, 20000);
    ck_assert_int_eq(job->batch_bytes, 2 << 20);
    ck_assert_int_eq(job->priority, 100);
    ck_assert_int_eq(job->max_failures, 5);
    ck_assert_int_eq(job->max_runtime_s, 0);
    odks_config_free(cfg);
}
END_TEST

START_TEST(each_kind_has_its_keys)
{
    struct odks_config *cfg = fixture_ok(
        "[job c]\nkind = command\ncommand = a b | c\nmax_runtime = 1h\n"
        "[job s]\nkind = sql\nsql = SELECT 1\nafter = c\n"
        "[job f]\nkind = sql\nsql_file = f.sql\n");
    const struct odks_job_conf *c = odks_config_job(cfg, 0);
    const struct odks_job_conf *s = odks_config_job(cfg, 1);
    const struct odks_job_conf *f = odks_config_job(cfg, 2);
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(ODKS_CONFIG_SQL_MAX);
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_str_eq(c->kind, "command");
    ck_assert_str_eq(c->command, "a b | c");
    ck_assert_int_eq(c->max_runtime_s, 3600);
    ck_assert_ptr_null(c->central);
    ck_assert_str_eq(s->sql, "SELECT 1");
    ck_assert_str_eq(f->sql_file, "f.sql");
    ck_assert(odks_config_job_sql(s, &text, &err));
    ck_assert_str_eq(text.data, "SELECT 1");
    ck_assert(!odks_config_job_sql(f, &text, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    odks_config_free(cfg);
}
END_TEST

START_TEST(given_values_win_over_defaults)
{
    struct odks_config *cfg = fixture_ok(
        "[odk-sync]\nlog_level = debug\nlog_format = json\nmax_time = 10m\n"
        "lease = 15s\nhistory_days = 7\n" CENTRAL
        "[central b]\nurl = https://b.example.org\nuser = b\ntimeout = 1m\n"
        "stall = 10\nmax_row_bytes = 1024\nca_file = /ca\npassword = p w\n"
        "[job x]\nkind = submissions\ncentral = b\nproject = 7\nform = f\n"
        "tables = Submissions , Submissions.a.b\ntable = t\nevery = 1h30m\n"
        "timezone = Europe/Ljubljana\noverlap = 0\nreconcile = 0\n"
        "on_delete = keep\nraw = No\nwindow_rows = 1\nbatch_bytes = 1\n"
        "priority = 0\nmax_failures = 1\n");
    const struct odks_run_conf *run = odks_config_run(cfg);
    const struct odks_job_conf *job = odks_config_job(cfg, 0);

    ck_assert_int_eq(run->log_level, ODKS_LOG_DEBUG);
    ck_assert_int_eq(run->log_format, ODKS_LOG_JSON);
    ck_assert_int_eq(run->max_time_s, 600);
    ck_assert_int_eq(run->lease_s, 15);
    ck_assert_int_eq(run->history_days, 7);
    ck_assert_uint_eq(odks_config_central_count(cfg), 2);
    ck_assert_ptr_null(odks_config_central(cfg, 2));
    ck_assert_ptr_eq(job->central, odks_config_central(cfg, 1));
    ck_assert_str_eq(job->central->name, "b");
    ck_assert_str_eq(job->central->password, "p w");
    ck_assert_str_eq(job->central->ca_file, "/ca");
    ck_assert_int_eq(job->central->stall_s, 10);
    ck_assert_str_eq(job->tables[0], "Submissions");
    ck_assert_str_eq(job->tables[1], "Submissions.a.b");
    ck_assert_ptr_null(job->tables[2]);
    ck_assert_str_eq(job->table, "t");
    ck_assert_int_eq(job->every_s, 5400);
    ck_assert_str_eq(job->timezone, "Europe/Ljubljana");
    ck_assert_int_eq(job->on_delete, ODKS_DELETE_KEEP);
    ck_assert(!job->raw);
    ck_assert_uint_eq(odks_config_job_count(cfg), 1);
    ck_assert_ptr_null(odks_config_job(cfg, 1));
    odks_config_free(cfg);
}
END_TEST

#define DURATION ", such as 90s, 15m or 24h"
#define CENTRAL_WITHOUT_URL "[central]\nuser = u\n"

static const struct refusal refusals[] = {
    { "[odk-sync]\nlog_level = warm\n",
      "c.ini:2: log_level: found \"warm\", expected one of error, warn, "
      "info, debug",
      "Did you mean \"warn\"?" },
    { "[odk-sync]\nlease = 14s\n",
      "c.ini:2: lease: found \"14s\", expected a duration from 15s to "
      "1h" DURATION,
      NULL },
    { "[odk-sync]\nlease = 2h\n",
      "c.ini:2: lease: found \"2h\", expected a duration from 15s to "
      "1h" DURATION,
      NULL },
    { "[odk-sync]\nmax_time = -1\n",
      "c.ini:2: max_time: found \"-1\", expected a duration from 0 to "
      "7d" DURATION,
      NULL },
    { "[odk-sync]\nhistory_days = 30d\n",
      "c.ini:2: history_days: found \"30d\", expected a whole number from 1 "
      "to 36500",
      NULL },
    { "[odk-sync]\nhistory_days = 0\n",
      "c.ini:2: history_days: found \"0\", expected a whole number from 1 "
      "to 36500",
      NULL },
    { "[odk-sync]\nhistory_days = 99999999999999999999\n",
      "c.ini:2: history_days: found \"99999999999999999999\", expected a "
      "whole number from 1 to 36500",
      NULL },
    { CENTRAL "allow_http = maybe\n",
      "c.ini:4: allow_http: found \"maybe\", expected yes or no", NULL },
    { "[job a]\nkind = submisions\n",
      "c.ini:2: kind: found \"submisions\", expected one of submissions, "
      "entities, command, sql",
      "Did you mean \"submissions\"?" },
    { "[job a]\nproject = 0\n",
      "c.ini:2: project: found \"0\", expected a whole number from 1 to "
      "2147483647",
      NULL },
    { "[job a]\nproject = +1\n",
      "c.ini:2: project: found \"+1\", expected a whole number from 1 to "
      "2147483647",
      NULL },
    { "[job a]\ntables = Submissions,,\n",
      "c.ini:2: tables: found \"Submissions,,\", expected names with commas "
      "between, each once",
      NULL },
    { "[job a]\ntables = Submissions, Submissions\n",
      "c.ini:2: tables: found \"Submissions, Submissions\", expected names "
      "with commas between, each once",
      NULL },
    { CENTRAL JOB "tables = Submissions.\n",
      "c.ini:8: tables: found \"Submissions.\", expected Submissions or "
      "Submissions.<repeat>",
      NULL },
    { CENTRAL JOB "tables = person_details\n",
      "c.ini:8: tables: found \"person_details\", expected Submissions or "
      "Submissions.<repeat>",
      NULL },
    { "[job a]\n"
      "table = 0123456789012345678901234567890123456789012345678901234567890123"
      "\n",
      "c.ini:2: table: found \"012345678901234567890123456789012345678901234567"
      "8901234567890123\", expected text of at most 63 bytes",
      NULL },
    /* what has to be there */
    { "[job x]\nkind = command\n", "c.ini:1: [job x] has no command",
      "command =" },
    { "[job x]\nkind = sql\n", "c.ini:1: [job x] has no sql_file",
      "sql_file =" },
    { "[job x]\nkind = sql\nsql = a\nsql_file = b\n",
      "c.ini:4: [job x] has both sql_file and sql (c.ini:3)", "Delete" },
    { "[job x]\nkind = sql\nsql = a\nform = f\n",
      "c.ini:4: [job x]: form does not go with kind = sql", "correct kind" },
    { "[job x]\nkind = command\ncommand = a\ncentral = b\n",
      "c.ini:4: [job x]: central does not go with kind = command", NULL },
    { CENTRAL JOB "command = a\n",
      "c.ini:8: [job main]: command does not go with kind = submissions",
      NULL },
    { CENTRAL JOB "max_runtime = 1h\n",
      "c.ini:8: [job main]: max_runtime does not go with kind = submissions",
      NULL },
    { CENTRAL "[job x]\nkind = entities\nproject = 1\n",
      "c.ini:4: [job x] has no dataset", "dataset =" },
    { CENTRAL "[job x]\nkind = entities\nproject = 1\ndataset = d\nform = f\n",
      "c.ini:8: [job x]: form does not go with kind = entities", NULL },
    { CENTRAL "[job x]\nkind = entities\nproject = 1\ndataset = d\n"
              "labels = no\n",
      "c.ini:8: [job x]: labels does not go with kind = entities", NULL },
    { CENTRAL JOB "dataset = d\n",
      "c.ini:8: [job main]: dataset does not go with kind = submissions",
      "correct kind" },
    { "[job x]\nkind = sql\nsql = a\nmax_runtime = 8d\n",
      "c.ini:4: max_runtime: found \"8d\", expected a duration from 0 to "
      "7d" DURATION,
      NULL },
    { CENTRAL "\n[job x]\n", "c.ini:5: [job x] has no kind", "kind =" },
    { CENTRAL "[job x]\nkind = submissions\n",
      "c.ini:4: [job x] has no project", NULL },
    { CENTRAL "[job x]\nkind = submissions\nproject = 1\n",
      "c.ini:4: [job x] has no form", NULL },
    { "[central]\n", "c.ini:1: [central] has no url", NULL },
    { "[central b]\nurl = https://x\n", "c.ini:1: [central b] has no user",
      NULL },
    /* what excludes each other */
    { CENTRAL JOB "schedule = @daily\nevery = 1h\n",
      "c.ini:9: [job main] has both every and schedule (c.ini:8)",
      "Delete one" },
    { CENTRAL JOB "schedule = @daily\nafter = x\n",
      "c.ini:9: [job main] has both after and schedule (c.ini:8)", NULL },
    { CENTRAL JOB "after = x\nevery = 1h\n",
      "c.ini:8: [job main] has both after and every (c.ini:9)", NULL },
    { CENTRAL "password = x\npassword_file = y\n",
      "c.ini:5: [central] has both password_file and password (c.ini:4)",
      NULL },
    { "[database]\npassword = x\npassword_file = y\n",
      "c.ini:3: [database] has both password_file and password (c.ini:2)",
      NULL },
    /* what names something else */
    { JOB,
      "c.ini:1: [job main]: central = central, but there is no such "
      "[central] section",
      "Add the section" },
    { CENTRAL JOB "central = centrall\n",
      "c.ini:8: [job main]: central = centrall, but there is no such "
      "[central] section",
      "Did you mean \"central\"?" },
    { CENTRAL JOB "after = mian\n",
      "c.ini:8: [job main]: after = mian, but there is no such [job] section",
      "Did you mean \"main\"?" },
    { CENTRAL JOB "after = main\n",
      "c.ini:8: [job main]: after leads back to where it began",
      "due by itself" },
    { CENTRAL JOB "after = b\n[job b]\nkind = submissions\nproject = 1\n"
                  "form = f\nafter = c\n[job c]\nkind = submissions\n"
                  "project = 1\nform = f\nafter = b\n",
      "c.ini:13: [job b]: after leads back to where it began", NULL },
    /* the address */
    { CENTRAL_WITHOUT_URL "url = c.example.org\n",
      "c.ini:3: url: it does not begin with https://", NULL },
    { CENTRAL_WITHOUT_URL "url = ftp://c.example.org\n",
      "c.ini:3: url: it does not begin with https://", NULL },
    { CENTRAL_WITHOUT_URL "url = https://u:secret@c.example.org\n",
      "c.ini:3: url: it holds a user or password", "password_file" },
    { CENTRAL_WITHOUT_URL "url = https://c.example.org/?st=secret\n",
      "c.ini:3: url: it holds a ? or #", NULL },
    { CENTRAL_WITHOUT_URL "url = https://c.example.org/#/projects\n",
      "c.ini:3: url: it holds a ? or #", NULL },
    { CENTRAL_WITHOUT_URL "url = https://c.example.org/a b\n",
      "c.ini:3: url: it holds a character that does not belong there", NULL },
    { CENTRAL_WITHOUT_URL "url = https://\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://:80\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://h:\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://h:65536\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://h:1:2\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://[::1\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://[::g]\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://[::1]x\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://h]\n",
      "c.ini:3: url: host or port is wrong", NULL },
    { CENTRAL_WITHOUT_URL "url = https://h/v1/projects/1\n",
      "c.ini:3: url: it goes on behind /v1", NULL },
    { CENTRAL_WITHOUT_URL "url = http://c.example.org\n",
      "c.ini:3: url: plain http would send the password readable",
      "allow_http" },
    { CENTRAL_WITHOUT_URL "url = http://127.0.0.1.example.org\n",
      "c.ini:3: url: plain http would send the password readable", NULL },
    { CENTRAL_WITHOUT_URL "url = http://localhost.example.org\n",
      "c.ini:3: url: plain http would send the password readable", NULL },
    { CENTRAL_WITHOUT_URL "url = http://[::2]\n",
      "c.ini:3: url: plain http would send the password readable", NULL },
};

START_TEST(wrong_values_are_refused_with_their_line)
{
    fixture_refused(&refusals[_i]);
}
END_TEST

static const struct {
    const char *given, *kept;
} urls[] = {
    { "https://h", "https://h" },
    { "HTTPS://H.Example.ORG/", "https://h.example.org" },
    { "https://h:8443//", "https://h:8443" },
    { "https://h/v1", "https://h" },
    { "https://h/v1/", "https://h" },
    { "https://h/Odk/v1/", "https://h/Odk" },
    { "https://v1", "https://v1" },
    { "https://[2001:DB8::1]:443", "https://[2001:db8::1]:443" },
    { "http://localhost:8080", "http://localhost:8080" },
    { "http://127.0.0.1", "http://127.0.0.1" },
    { "http://127.9.9.9:1/", "http://127.9.9.9:1" },
    { "http://[::1]:8080/v1", "http://[::1]:8080" },
    { "http://h.example.org\nallow_http = yes", "http://h.example.org" },
};

START_TEST(url_is_brought_to_one_form)
{
    char text[200];

    (void) snprintf(text, sizeof(text), CENTRAL_WITHOUT_URL "url = %s\n",
                    urls[_i].given);
    struct odks_config *cfg = fixture_ok(text);
    ck_assert_str_eq(odks_config_central(cfg, 0)->url, urls[_i].kept);
    odks_config_free(cfg);
}
END_TEST

START_TEST(bool_has_four_spellings)
{
    static const char *const words[] = { "no",  "yes", "false", "TRUE",
                                         "Off", "on",  "0",     "1" };
    char text[200];

    (void) snprintf(text, sizeof(text), CENTRAL JOB "raw = %s\n", words[_i]);
    struct odks_config *cfg = fixture_ok(text);
    ck_assert_int_eq(odks_config_job(cfg, 0)->raw, _i % 2);
    odks_config_free(cfg);
}
END_TEST

START_TEST(unknown_sync_type_is_a_usage_error)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = fixture_ok(
        CENTRAL JOB "[job details]\nkind = submissions\nproject = 1\n"
                    "form = f\nafter = main\n");

    ck_assert_ptr_eq(odks_config_find_job(cfg, "details", &err),
                     odks_config_job(cfg, 1));
    ck_assert_int_eq(err.code, ODKS_EXIT_OK);
    ck_assert_ptr_null(odks_config_find_job(cfg, "detials", &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_USAGE);
    ck_assert_str_eq(err.message, "unknown sync type \"detials\"");
    ck_assert_str_eq(err.hint,
                     "Did you mean \"details\"? There is: main, details.");
    ck_assert_ptr_null(odks_config_find_job(cfg, "", &err));
    ck_assert_str_eq(err.hint, "There is: main, details.");
    odks_config_free(cfg);

    cfg = fixture_ok("");
    ck_assert_ptr_null(odks_config_find_job(cfg, "x", &err));
    ck_assert_str_eq(err.hint, "The configuration has no [job NAME] section.");
    odks_config_free(cfg);
}
END_TEST

START_TEST(many_sync_types_are_cut_short)
{
    struct odks_err err = ODKS_ERR_INIT;
    char text[8000] = CENTRAL;

    for (int i = 0; i < 100; i++) {
        size_t len = strlen(text);

        (void) snprintf(text + len, sizeof(text) - len,
                        "[job job%03d]\nkind = submissions\nproject = 1\n"
                        "form = f\n",
                        i);
    }
    struct odks_config *cfg = fixture_ok(text);
    ck_assert_ptr_null(odks_config_find_job(cfg, "job099x", &err));
    ck_assert_ptr_eq(strstr(err.hint, "Did you mean \"job099\"? There is: "),
                     err.hint);
    odks_config_free(cfg);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_rules");
    TCase *tc = fixture_case(s, "rules");

    tcase_add_test(tc, defaults_are_those_of_the_manual);
    tcase_add_test(tc, each_kind_has_its_keys);
    tcase_add_test(tc, given_values_win_over_defaults);
    tcase_add_loop_test(tc, wrong_values_are_refused_with_their_line, 0,
                        COUNT(refusals));
    tcase_add_loop_test(tc, url_is_brought_to_one_form, 0, COUNT(urls));
    tcase_add_loop_test(tc, bool_has_four_spellings, 0, 8);
    tcase_add_test(tc, unknown_sync_type_is_a_usage_error);
    tcase_add_test(tc, many_sync_types_are_cut_short);
    return s;
}

ODKS_UNIT_MAIN(suite)
