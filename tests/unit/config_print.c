/* tests/unit/config_print.c - SPDX-License-Identifier: Apache-2.0 */
/* `odk-sync config`: every value, its origin, no secret. */
#include <config.h>

#include "config_fixture.h"
#include "core/json.h"

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static char *
print(const struct odks_config *cfg, bool json)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    ck_assert_ptr_nonnull(out);
    odks_config_print(cfg, json, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void
assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in\n%s", part, text);
}

static const char given[] =
    "[job main]\nkind = submissions\nproject = 7\nform = f\nraw = no\n"
    "tables = Submissions, Submissions.a\noverlap = 90s\n" CENTRAL
    "password = secret1\n[database]\npassword = secret2\nhost = h\n"
    "sslpassword = secret3\n";

START_TEST(ini_shows_every_value_with_its_origin)
{
    ck_assert_int_eq(setenv("ODK_SYNC_JOB_MAIN_PRIORITY", "3", 1), 0);
    ck_assert_int_eq(setenv("PGUSER", "me", 1), 0);
    ck_assert_int_eq(setenv("PGPASSWORD", "secret4", 1), 0);
    struct odks_config *cfg = fixture_ok(given);
    char *text = print(cfg, false);

    ck_assert_int_eq(strncmp(text, "[odk-sync]\n", 11), 0);
    assert_holds(text, "log_level = warn                       ; default\n");
    assert_holds(text, "\n\n[database]\n");
    assert_holds(text, "host = h                               ; c.ini:14\n");
    assert_holds(text, "user = me                              "
                       "; environment PGUSER\n");
    assert_holds(text, "\n; password = ***  ; c.ini:13\n");
    assert_holds(text, "\n; sslpassword = ***  ; c.ini:15\n");
    assert_holds(text, "\n\n[central]\n");
    assert_holds(text, "url = https://c.example.org            ; c.ini:9\n");
    assert_holds(text, "\n; password = ***  ; c.ini:11\n");
    assert_holds(text, "\n\n[job main]\nkind = submissions");
    assert_holds(text, "tables = Submissions, Submissions.a    ; c.ini:6\n");
    assert_holds(text, "overlap = 90s                          ; c.ini:7\n");
    assert_holds(text, "priority = 3                           "
                       "; environment ODK_SYNC_JOB_MAIN_PRIORITY\n");
    ck_assert_ptr_null(strstr(text, "secret"));
    ck_assert_ptr_null(strstr(text, "schedule"));
    free(text);
    odks_config_free(cfg);
}
END_TEST

START_TEST(a_job_shows_what_its_kind_knows)
{
    struct odks_config *cfg =
        fixture_ok("[job main]\nkind = command\ncommand = a\n");
    char *text = print(cfg, false);

    assert_holds(text, "\n\n[job main]\nkind = command");
    assert_holds(text, "command = a                            ; c.ini:3\n");
    assert_holds(text, "max_runtime = 0                        ; default\n");
    ck_assert_ptr_null(strstr(text, "overlap"));
    ck_assert_ptr_null(strstr(text, "central ="));
    free(text);
    odks_config_free(cfg);
}
END_TEST

START_TEST(flags_are_shown)
{
    static const struct odks_config_flag flag = { "odk-sync", "max_time",
                                                  "5m" };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    fixture_write("c.ini", "", 0, 0600);
    ck_assert(odks_config_load("c.ini", &flag, 1, &cfg, &err));
    char *text = print(cfg, false);
    assert_holds(text, "max_time = 5m                          "
                       "; flag --max-time\n");
    free(text);
    odks_config_free(cfg);
}
END_TEST

static struct json_object *
at(struct json_object *object, const char *key)
{
    struct json_object *found = NULL;

    ck_assert_msg(json_object_object_get_ex(object, key, &found), "no %s", key);
    return found;
}

START_TEST(json_shows_types_and_origins)
{
    ck_assert_int_eq(setenv("PGHOSTADDR", "\xff", 1), 0);
    struct odks_config *cfg = fixture_ok(given);
    char *text = print(cfg, true);
    struct json_object *root = odks_json_read(text);

    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_null(strstr(text, "secret"));
    ck_assert_str_eq(json_object_get_string(at(root, "file")), "c.ini");
    struct json_object *job = at(at(root, "job"), "main");
    struct json_object *project = at(job, "project");
    ck_assert(json_object_is_type(at(project, "value"), json_type_int));
    ck_assert_int_eq(json_object_get_int64(at(project, "value")), 7);
    ck_assert_str_eq(json_object_get_string(at(project, "origin")), "c.ini:3");
    ck_assert(
        json_object_is_type(at(at(job, "raw"), "value"), json_type_boolean));
    struct json_object *tables = at(at(job, "tables"), "value");
    ck_assert_uint_eq(json_object_array_length(tables), 2);
    ck_assert_str_eq(
        json_object_get_string(json_object_array_get_idx(tables, 1)),
        "Submissions.a");
    struct json_object *central = at(at(root, "central"), "central");
    ck_assert_str_eq(
        json_object_get_string(at(at(central, "password"), "value")), "***");
    struct json_object *database = at(root, "database");
    ck_assert_str_eq(
        json_object_get_string(at(at(database, "hostaddr"), "value")),
        "(not UTF-8)");
    ck_assert_str_eq(
        json_object_get_string(at(at(at(root, "odk-sync"), "lease"), "origin")),
        "default");
    (void) json_object_put(root);
    free(text);
    odks_config_free(cfg);
}
END_TEST

START_TEST(json_without_a_file)
{
    ck_assert_int_eq(setenv("ODK_BASE_URL", "https://c", 1), 0);
    ck_assert_int_eq(setenv("ODK_PROJECT_ID", "1", 1), 0);
    ck_assert_int_eq(setenv("ODK_FORM_ID", "f", 1), 0);
    ck_assert_int_eq(setenv("ODATA_USER", "u", 1), 0);
    ck_assert_int_eq(setenv("ODATA_PASS", "secret", 1), 0);
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = fixture_search(&err);

    ck_assert_ptr_nonnull(cfg);
    char *text = print(cfg, true);
    assert_holds(text, "\"file\":null");
    assert_holds(text, "\"origin\":\"environment (ODK_BASE_URL)\"");
    assert_holds(text, "\"origin\":\"environment ODK_FORM_ID\"");
    ck_assert_ptr_null(strstr(text, "secret"));
    free(text);
    odks_config_free(cfg);
}
END_TEST

/* Values of an environment that a file cannot hold plainly, or at all. */
static const struct {
    const char *form;
    bool writable;
} forms[] = {
    { "a ${X} $${Y} $", true },
    { "a # b;c = d", true },
    { X50 X50 " " X50 X50 " " X50 X50 X50 " end", true },
    { X50 X50 X50 X10 X10 " key = " X50 " [x] #y", true },
    { X50 X50 X50 X10 X10 X10 " " X50 "  two " X50, true },
    { X50 X50 X50 X50 X50, true },
    { "a ;b", false },
    { ";a", false },
    { " a", false },
    { "a ", false },
};

START_TEST(ini_is_read_back_as_it_was)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert_int_eq(setenv("ODK_SYNC_JOB_MAIN_FORM", forms[_i].form, 1), 0);
    struct odks_config *cfg = fixture_ok(given);
    char *text = print(cfg, false);

    ck_assert_str_eq(odks_config_job(cfg, 0)->form, forms[_i].form);
    odks_config_free(cfg);
    ck_assert_int_eq(unsetenv("ODK_SYNC_JOB_MAIN_FORM"), 0);
    cfg = fixture_load(text, &err);
    if (forms[_i].writable) {
        ck_assert_msg(cfg != NULL, "%s in\n%s", err.message, text);
        ck_assert_str_eq(odks_config_job(cfg, 0)->form, forms[_i].form);
    } else {
        assert_holds(text, "; form = (cannot be written as INI)  ; "
                           "environment ODK_SYNC_JOB_MAIN_FORM\n");
        ck_assert_ptr_nonnull(strstr(err.message, "[job main] has no form"));
    }
    odks_config_free(cfg);
    free(text);
}
END_TEST

START_TEST(a_long_path_does_not_break_a_line)
{
    char path[1200];
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;
    size_t len = (size_t) snprintf(path, sizeof(path), "%s", fixture_dir);

    for (int i = 0; i < 5; i++) {
        len += (size_t) snprintf(path + len, sizeof(path) - len,
                                 "/" X50 X50 X50 X50);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    (void) snprintf(path + len, sizeof(path) - len, "/a\nb.ini");
    fixture_write(path, given, strlen(given), 0600);
    ck_assert_msg(odks_config_load(path, NULL, 0, &cfg, &err), "%s",
                  err.message);
    char *text = print(cfg, false);
    odks_config_free(cfg);
    cfg = fixture_ok(text);
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 7);
    odks_config_free(cfg);
    free(text);
}
END_TEST

/* Print an id as `odk-sync discover` does; the file that has it is loaded. */
static void
assert_id_is_read_back(const char *id)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    ck_assert_ptr_nonnull(out);
    (void) fputs(CENTRAL "[job main]\nkind = submissions\nproject = 1\n", out);
    ck_assert(odks_config_print_id("form", id, out));
    (void) fputs("[job other]\nkind = entities\nproject = 1\n", out);
    ck_assert(odks_config_print_id("dataset", id, out));
    ck_assert_int_eq(fclose(out), 0);
    struct odks_config *cfg = fixture_ok(text);
    ck_assert_int_eq((int) odks_config_job_count(cfg), 2);
    ck_assert_str_eq(odks_config_job(cfg, 0)->form, id);
    ck_assert_str_eq(odks_config_job(cfg, 1)->dataset, id);
    ck_assert(!odks_config_is_pattern(odks_config_job(cfg, 0)));
    odks_config_free(cfg);
    free(text);
}

START_TEST(any_id_is_read_back)
{
    static const char *const parts[] = {
        "%",
        "41",
        "%41",
        "*",
        "?",
        "[job x]\n",
        "[",
        "]",
        ";",
        " ;",
        " ",
        "#",
        "${HOME}",
        "$${",
        "$",
        "}",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\033[2J",
        "\177",
        "\302\233",
        "\342\200\256",
        "\342\200\250",
        "\302\240",
        "\343\200\200",
        "\346\227\245",
        "\360\237\230\200",
        "a",
        "key = v",
        "\"",
        "'",
        "=",
        ":",
        "x;y",
    };
    unsigned seed = (unsigned) _i;
    char id[200] = "";

    for (int n = 1 + rand_r(&seed) % 12; n > 0; n--) {
        size_t len = strlen(id);

        (void) snprintf(id + len, sizeof(id) - len, "%s",
                        parts[(size_t) rand_r(&seed) % COUNT(parts)]);
    }
    assert_id_is_read_back(id);
}
END_TEST

START_TEST(a_long_id_is_read_back)
{
    char id[1025] = "";

    for (int n = 0; n < _i; n++)
        (void) snprintf(id + strlen(id), sizeof(id) - strlen(id), "%s",
                        n % 7 == 6 ? "\346\227\245" : "x");
    assert_id_is_read_back(id);
}
END_TEST

START_TEST(an_id_that_cannot_be_written_is_refused)
{
    char id[1100];

    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    ck_assert(!odks_config_print_id("form", id, stderr));
    ck_assert(!odks_config_print_id("form", "", stderr));
    ck_assert(!odks_config_print_id("form", "\xff", stderr));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_print");
    TCase *tc = fixture_case(s, "print");

    tcase_add_test(tc, ini_shows_every_value_with_its_origin);
    tcase_add_test(tc, a_job_shows_what_its_kind_knows);
    tcase_add_test(tc, flags_are_shown);
    tcase_add_test(tc, json_shows_types_and_origins);
    tcase_add_test(tc, json_without_a_file);
    tcase_add_loop_test(tc, ini_is_read_back_as_it_was, 0, COUNT(forms));
    tcase_add_test(tc, a_long_path_does_not_break_a_line);
    tcase_add_loop_test(tc, any_id_is_read_back, 0, 300);
    tcase_add_loop_test(tc, a_long_id_is_read_back, 180, 210);
    tcase_add_loop_test(tc, a_long_id_is_read_back, 770, 790);
    tcase_add_test(tc, an_id_that_cannot_be_written_is_refused);
    return s;
}

ODKS_UNIT_MAIN(suite)
