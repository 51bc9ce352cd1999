/* tests/unit/config_options.c - SPDX-License-Identifier: Apache-2.0 */
/* The table itself, and the example file that has to show all of it. */
#include <config.h>

#include "config/options.h"

#include <ctype.h>
#include <regex.h>

#include "config_fixture.h"

static const struct odks_option *
find(enum odks_option_section section, const char *key)
{
    size_t count;
    const struct odks_option *options = odks_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (options[i].section == section && strcmp(options[i].key, key) == 0)
            return &options[i];
    }
    ck_abort_msg("no option %s", key);
    return NULL;
}

START_TEST(every_option_is_well_formed)
{
    size_t count;
    const struct odks_option *options = odks_options(&count);

    for (size_t i = 0; i < count; i++) {
        const struct odks_option *o = &options[i];
        char expected[ODKS_OPTION_EXPECTED];

        ck_assert_msg(i == 0 || o[-1].section <= o->section, "%s: ungrouped",
                      o->key);
        for (size_t k = 0; k < i; k++)
            ck_assert(options[k].section != o->section
                      || strcmp(options[k].key, o->key) != 0);
        ck_assert_msg(o->min <= o->max, "%s: range", o->key);
        ck_assert_uint_ne(o->offset, ODKS_OPTION_NO_FIELD);
        size_t len = strlen(o->help);
        ck_assert_msg(len > 0 && len < 80 && o->help[len - 1] != '.', "%s",
                      o->key);
        ck_assert_int_eq(o->type == ODKS_OPTION_ENUM
                             || o->type == ODKS_OPTION_WORD,
                         o->choices != NULL);
        odks_option_expected(o, expected);
        ck_assert_str_ne(expected, "");
        for (const char *c = o->key; *c != '\0'; c++)
            ck_assert(islower((unsigned char) *c) || *c == '_');
    }
}
END_TEST

static const struct {
    enum odks_option_section section;
    const char *key, *name, *variable;
} variables[] = {
    { ODKS_SECTION_RUN, "lease", "", "ODK_SYNC_LEASE" },
    { ODKS_SECTION_DATABASE, "schema", "", "ODK_SYNC_DATABASE_SCHEMA" },
    { ODKS_SECTION_CENTRAL, "url", "", "ODK_SYNC_CENTRAL_URL" },
    { ODKS_SECTION_CENTRAL, "url", "central", "ODK_SYNC_CENTRAL_URL" },
    { ODKS_SECTION_CENTRAL, "url", "b-1", "ODK_SYNC_CENTRAL_B_1_URL" },
    { ODKS_SECTION_JOB, "form", "main_submissions",
      "ODK_SYNC_JOB_MAIN_SUBMISSIONS_FORM" },
    { ODKS_SECTION_JOB, "form", "a b\xc5\xbe", "ODK_SYNC_JOB_A_B___FORM" },
};

START_TEST(variables_are_derived)
{
    char *name = odks_option_env(find(variables[_i].section, variables[_i].key),
                                 variables[_i].name);

    ck_assert_str_eq(name, variables[_i].variable);
    free(name);
}
END_TEST

START_TEST(expectations_are_worded)
{
    char text[ODKS_OPTION_EXPECTED];

    odks_option_expected(find(ODKS_SECTION_JOB, "on_delete"), text);
    ck_assert_str_eq(text, "one of soft, hard, keep");
    odks_option_expected(find(ODKS_SECTION_RUN, "lease"), text);
    ck_assert_str_eq(text,
                     "a duration from 15s to 1h, such as 90s, 15m or 24h");
    odks_option_expected(find(ODKS_SECTION_CENTRAL, "password"), text);
    ck_assert_str_eq(text, "text of at most 4095 bytes");
}
END_TEST

static char *
read_example(void)
{
    const char *srcdir = getenv("top_srcdir");
    char path[1000];
    char *text = calloc(1 << 16, 1);

    (void) snprintf(path, sizeof(path), "%s/etc/odk-sync.ini.example",
                    srcdir != NULL ? srcdir : ".");
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL && text != NULL, "cannot open %s", path);
    ck_assert_uint_gt(fread(text, 1, (1 << 16) - 1, in), 0);
    (void) fclose(in);
    return text;
}

START_TEST(example_loads_as_it_is)
{
    char *text = read_example();
    struct odks_config *cfg = fixture_ok(text);

    ck_assert_uint_eq(odks_config_job_count(cfg), 1);
    ck_assert_uint_eq(odks_config_central_count(cfg), 1);
    odks_config_free(cfg);
    free(text);
}
END_TEST

/* Is there a line "key = VALUE" or ";key = VALUE" with that value? */
static bool
shows(const char *text, const char *key, const char *value)
{
    char pattern[200];
    regex_t re;

    (void) snprintf(pattern, sizeof(pattern), "^;?%s = %s%s", key,
                    value != NULL ? value : "[^ ]", value != NULL ? "$" : "");
    ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
    bool found = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

START_TEST(example_shows_every_option_and_its_default)
{
    char *text = read_example();
    size_t count;
    const struct odks_option *options = odks_options(&count);

    for (size_t i = 0; i < count; i++)
        ck_assert_msg(shows(text, options[i].key, options[i].default_text),
                      "the example lacks %s = %s", options[i].key,
                      options[i].default_text != NULL ? options[i].default_text
                                                      : "...");
    free(text);
}
END_TEST

/* Each commented key of the example, uncommented, is one the reader takes. */
START_TEST(example_shows_nothing_else)
{
    char *text = read_example();
    char section[100] = "";

    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        struct odks_err err = ODKS_ERR_INIT;
        char file[400];

        if (strncmp(line, "; --- [job", 10) == 0)
            (void) snprintf(section, sizeof(section), "[job x]");
        else if (strncmp(line, "; --- [", 7) == 0)
            (void) snprintf(section, sizeof(section), "%.*s",
                            (int) strcspn(line + 6, ":"), line + 6);
        else if (strcmp(line, ";[odk-sync]") == 0)
            (void) snprintf(section, sizeof(section), "%s", line + 1);
        else if (*section != '\0' && line[0] == ';' && line[1] != ' ') {
            (void) snprintf(file, sizeof(file), "%s\n%s\n", section, line + 1);
            odks_config_free(fixture_load(file, &err));
            ck_assert_msg(strstr(err.message, "unknown key") == NULL, "%s: %s",
                          line, err.message);
        }
    }
    free(text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_options");
    TCase *tc = fixture_case(s, "options");

    tcase_add_test(tc, every_option_is_well_formed);
    tcase_add_loop_test(tc, variables_are_derived, 0, COUNT(variables));
    tcase_add_test(tc, expectations_are_worded);
    tcase_add_test(tc, example_loads_as_it_is);
    tcase_add_test(tc, example_shows_every_option_and_its_default);
    tcase_add_test(tc, example_shows_nothing_else);
    return s;
}

ODKS_UNIT_MAIN(suite)
