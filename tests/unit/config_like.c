/* tests/unit/config_like.c - SPDX-License-Identifier: Apache-2.0 */
/* Jobs that take settings from others, or stand for many forms. */
#include <config.h>

#include "config_fixture.h"

#define MODEL                                                             \
    "[job model]\nkind = submissions\nproject = 7\nform = m\ntable = t\n" \
    "raw = no\noverlap = 1m\nevery = 15m\n"

static const struct odks_job_conf *
find(const struct odks_config *cfg, const char *name)
{
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_job_conf *job = odks_config_find_job(cfg, name, &err);

    ck_assert_ptr_nonnull(job);
    return job;
}

START_TEST(what_is_not_said_is_as_in_the_other)
{
    struct odks_config *cfg = fixture_ok(
        CENTRAL "[job a]\nlike = model\nform = a\noverlap = 2m\n" MODEL);
    const struct odks_job_conf *a = find(cfg, "a");

    ck_assert_str_eq(a->kind, "submissions");
    ck_assert_int_eq(a->project, 7);
    ck_assert(!a->raw);
    ck_assert_int_eq(a->overlap_s, 120);
    ck_assert_int_eq(a->every_s, 900);
    ck_assert_str_eq(a->form, "a");
    ck_assert_ptr_null(a->table);
    odks_config_free(cfg);
}
END_TEST

/* every beside schedule would be a contradiction that nobody wrote. */
START_TEST(when_it_is_due_is_taken_as_one)
{
    struct odks_config *cfg = fixture_ok(
        CENTRAL MODEL "[job a]\nlike = model\nform = a\nafter = model\n");
    const struct odks_job_conf *a = find(cfg, "a");

    ck_assert_str_eq(a->after, "model");
    ck_assert_int_eq(a->every_s, 0);
    odks_config_free(cfg);
}
END_TEST

START_TEST(the_nearer_one_wins)
{
    struct odks_config *cfg =
        fixture_ok(CENTRAL "[job b]\nlike = a\nform = b\n" MODEL
                           "[job a]\nlike = model\nform = a\noverlap = 3m\n");
    const struct odks_job_conf *b = find(cfg, "b");

    ck_assert_int_eq(b->overlap_s, 180);
    ck_assert(!b->raw);
    odks_config_free(cfg);
}
END_TEST

START_TEST(the_environment_of_the_other_counts)
{
    ck_assert_int_eq(setenv("ODK_SYNC_JOB_MODEL_OVERLAP", "9m", 1), 0);
    struct odks_config *cfg =
        fixture_ok(CENTRAL MODEL "[job a]\nlike = model\nform = a\n");

    ck_assert_int_eq(find(cfg, "a")->overlap_s, 540);
    odks_config_free(cfg);
}
END_TEST

static const struct refusal refusals[] = {
    { CENTRAL MODEL "[job a]\nlike = modell\nform = a\n",
      "c.ini:13: [job a]: like = modell, but there is no such [job] section",
      "correct the name" },
    { CENTRAL "[job a]\nlike = b\nform = a\n[job b]\nlike = a\nform = b\n",
      "c.ini:5: [job a]: like leads back to where it began",
      "hold the settings itself" },
    { CENTRAL MODEL "include = a*\n",
      "c.ini:12: [job model]: include goes with form = * only", "form = *" },
    { CENTRAL "[job a]\nkind = submissions\nproject = 1\nform = *\ntable = t\n",
      "c.ini:8: [job a]: table does not go with form = *", "like = a" },
};

START_TEST(refused)
{
    fixture_refused(&refusals[_i]);
}
END_TEST

/* What the other kind does not know is no setting of it. */
START_TEST(another_kind)
{
    struct odks_config *cfg =
        fixture_ok(CENTRAL MODEL "labels = no\n"
                                 "[job a]\nkind = entities\nlike = model\n"
                                 "dataset = d\n");
    const struct odks_job_conf *a = find(cfg, "a");

    ck_assert_str_eq(a->dataset, "d");
    ck_assert_ptr_null(a->form);
    ck_assert_int_eq(a->project, find(cfg, "model")->project);
    odks_config_free(cfg);
}
END_TEST

START_TEST(patterns_choose_forms)
{
    struct odks_config *cfg =
        fixture_ok(CENTRAL "[job all]\nkind = submissions\nproject = 1\n"
                           "form = *\ninclude = a*, b?\nexclude = *test\n"
                           "[job mine]\nlike = all\nform = b1\n"
                           "[job else]\nlike = all\nform = b2\nproject = 2\n");
    const struct odks_job_conf *all = find(cfg, "all");

    ck_assert(odks_config_is_pattern(all));
    ck_assert(!odks_config_is_pattern(find(cfg, "mine")));
    ck_assert(odks_config_wants_form(cfg, all, "abc"));
    ck_assert(!odks_config_wants_form(cfg, all, "abc test"));
    ck_assert(!odks_config_wants_form(cfg, all, "c"));
    ck_assert(!odks_config_wants_form(cfg, all, "b1"));
    ck_assert(odks_config_wants_form(cfg, all, "b2"));
    odks_config_free(cfg);
}
END_TEST

START_TEST(a_form_that_was_found_is_a_job_after_it)
{
    struct odks_config *cfg =
        fixture_ok(CENTRAL "[job all]\nkind = submissions\nproject = 1\n"
                           "form = *\ninclude = a*\nevery = 5m\nraw = no\n");
    size_t before = odks_config_job_count(cfg);

    odks_config_add_form(cfg, find(cfg, "all"), "all.abc", "abc");
    const struct odks_job_conf *job = find(cfg, "all.abc");
    ck_assert_str_eq(job->form, "abc");
    ck_assert_str_eq(job->form_of, "all");
    ck_assert_str_eq(job->after, "all");
    ck_assert_int_eq(job->every_s, 0);
    ck_assert(!job->raw);
    ck_assert(!odks_config_is_pattern(job));
    ck_assert(odks_config_wants_form(cfg, find(cfg, "all"), "abc"));
    odks_config_remove_form(cfg, "all.abc");
    ck_assert_uint_eq(odks_config_job_count(cfg), before);
    odks_config_free(cfg);
}
END_TEST

START_TEST(a_form_that_is_gone_takes_no_other_with_it)
{
    struct odks_config *cfg =
        fixture_ok(CENTRAL "[job all]\nkind = submissions\nproject = 1\n"
                           "form = *\nevery = 5m\n"
                           "[job last]\nlike = all\nform = z\n");
    static const char *const types[] = { "all", "last", "all.a", "all.c" };

    odks_config_add_form(cfg, find(cfg, "all"), "all.a", "a");
    odks_config_add_form(cfg, find(cfg, "all"), "all.b", "b");
    odks_config_add_form(cfg, find(cfg, "all"), "all.c", "c");
    odks_config_remove_form(cfg, "all.b");
    odks_config_remove_form(cfg, "all.b");
    ck_assert_uint_eq(odks_config_job_count(cfg), COUNT(types));
    for (size_t i = 0; i < COUNT(types); i++) {
        ck_assert_str_eq(odks_config_job(cfg, i)->sync_type, types[i]);
        ck_assert_ptr_eq(odks_config_job(cfg, i), find(cfg, types[i]));
    }
    ck_assert_ptr_null(odks_config_job(cfg, COUNT(types)));
    odks_config_free(cfg);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_like");
    TCase *tc = fixture_case(s, "like");

    tcase_add_test(tc, what_is_not_said_is_as_in_the_other);
    tcase_add_test(tc, when_it_is_due_is_taken_as_one);
    tcase_add_test(tc, the_nearer_one_wins);
    tcase_add_test(tc, the_environment_of_the_other_counts);
    tcase_add_loop_test(tc, refused, 0, COUNT(refusals));
    tcase_add_test(tc, another_kind);
    tcase_add_test(tc, patterns_choose_forms);
    tcase_add_test(tc, a_form_that_was_found_is_a_job_after_it);
    tcase_add_test(tc, a_form_that_is_gone_takes_no_other_with_it);
    return s;
}

ODKS_UNIT_MAIN(suite)
