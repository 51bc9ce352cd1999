/* tests/unit/table_obey.c - SPDX-License-Identifier: Apache-2.0 */
/* Names of privacy rules against the form as it is, and as its tables know it
 * to have been. */
#include <config.h>

#include "table/privacy.h"

#include <string.h>

#include "table_model_help.h"

/* What prepares with a rule that drops name; pattern: the job is of many. */
static bool
prepares(const char *fields, const char *name, bool pattern,
         struct odks_err *err)
{
    const char *const list[] = { name, NULL };
    const struct odks_job_conf job = { .sync_type = "sync",
                                       .drop = list,
                                       .form_of = pattern ? "all" : NULL };
    struct odks_model_conf conf = model_conf;
    struct odks_model_changes changes;
    struct odks_model *model = NULL;
    struct odks_privacy *privacy;
    struct odks_field *root = form(fields);

    odks_privacy_new(&job, NULL, &privacy);
    conf.privacy = privacy;
    ck_assert(odks_privacy_bind(privacy, root, err));
    begin(db);
    bool ok =
        odks_model_prepare(db, &conf, root, false, NULL, &model, &changes, err);
    commit(db);
    odks_model_free(model);
    odks_privacy_free(privacy);
    free_form(root);
    return ok;
}

static const struct {
    const char *before; /* what the form was, or NULL */
    const char *now;
    const char *name;
    bool pattern;
    bool known;
} names[] = {
    { NULL, "a:text", "a", false, true },
    { NULL, "a:text", "b", false, false },
    { NULL, "a:text", "b", true, true },
    { NULL, "a:text", "_submitter", false, true },
    { NULL, "a:text", "/meta/instanceName", false, true },
    { NULL, "a:text", "instanceName", false, false },
    { "a:text b:text", "a:text", "b", false, true },
    { "a:text g{b:text}", "a:text", "/g", false, true },
    { "a:text r[b:text]", "a:text", "/r/b", false, true },
    { "a:text g{b:text}", "a:text", "/b", false, false },
};

START_TEST(names_are_checked)
{
    struct odks_err err = ODKS_ERR_INIT;

    if (names[_i].before != NULL)
        publish(names[_i].before, "1", NULL);
    bool ok = prepares(names[_i].now, names[_i].name, names[_i].pattern, &err);
    ck_assert_msg(ok == names[_i].known, "%s: %s", names[_i].name, err.message);
    ck_assert_int_eq(err.code, ok ? ODKS_EXIT_OK : ODKS_EXIT_CONFIG);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
    Suite *s = suite_create("table_obey");
    TCase *tc = tcase_create("all");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, names_are_checked, 0, COUNT(names));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
