/* tests/unit/core_log.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/json.h"
#include "unit.h"

static char printed[4096];

/* Send standard error into a file. */
static void
capture(void)
{
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    (void) fclose(file);
}

/* What came there. */
static const char *
said(void)
{
    (void) fflush(stderr);
    ssize_t len = pread(STDERR_FILENO, printed, sizeof(printed) - 1, 0);
    ck_assert_int_ge(len, 0);
    printed[len] = '\0';
    return printed;
}

static struct odks_err
an_error(void)
{
    struct odks_err err = ODKS_ERR_INIT;

    odks_err_set(&err, ODKS_EXIT_NOPERM, "refused \"x\"\033[0m");
    odks_err_detail(&err, "HTTP status 401");
    odks_err_hint(&err, "Check it.");
    return err;
}

START_TEST(text_has_all_parts_and_no_control_bytes)
{
    const struct odks_err err = an_error();

    capture();
    odks_log_set_job("people");
    odks_log_err(ODKS_LOG_ERROR, &err);
    ck_assert_str_eq(said(), "odk-sync: error: people: refused \"x\"\\x1b[0m "
                             "[77]\n  detail: HTTP status 401\n"
                             "  hint: Check it.\n");
}
END_TEST

START_TEST(json_is_the_same_record_on_one_line)
{
    const struct odks_err err = an_error();
    struct json_object *value;

    capture();
    odks_log_init(ODKS_LOG_WARN, ODKS_LOG_JSON);
    odks_log_set_run("host-1");
    odks_log_set_job("people");
    odks_log_set_step("form");
    odks_log_err(ODKS_LOG_ERROR, &err);
    const char *line = said();
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    struct json_object *o = odks_json_read(line);
    static const char *const want[][2] = {
        { "level", "error" },    { "run_id", "host-1" },
        { "job", "people" },     { "step", "form" },
        { "code", "77" },        { "msg", "refused \"x\"\033[0m" },
        { "hint", "Check it." }, { "detail", "HTTP status 401" },
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        ck_assert_msg(json_object_object_get_ex(o, want[i][0], &value), "%s",
                      want[i][0]);
        ck_assert_str_eq(json_object_get_string(value), want[i][1]);
    }
    ck_assert(json_object_object_get_ex(o, "ts", &value));
    (void) json_object_put(o);
}
END_TEST

START_TEST(levels)
{
    capture();
    odks_log_init(ODKS_LOG_INFO, ODKS_LOG_TEXT);
    odks_log(ODKS_LOG_DEBUG, "not this");
    odks_log(ODKS_LOG_INFO, "this %d", 1);
    odks_log(ODKS_LOG_WARN, "and this");
    ck_assert_str_eq(said(), "odk-sync: this 1\nodk-sync: warning: and this\n");
    ck_assert(odks_log_enabled(ODKS_LOG_INFO));
    ck_assert(!odks_log_enabled(ODKS_LOG_DEBUG));
}
END_TEST

START_TEST(no_progress_without_a_terminal)
{
    capture();
    odks_log_progress("50 of 100");
    odks_log_progress(NULL);
    ck_assert_str_eq(said(), "");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("core_log");
    TCase *tc = tcase_create("log");

    tcase_add_test(tc, text_has_all_parts_and_no_control_bytes);
    tcase_add_test(tc, json_is_the_same_record_on_one_line);
    tcase_add_test(tc, levels);
    tcase_add_test(tc, no_progress_without_a_terminal);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
