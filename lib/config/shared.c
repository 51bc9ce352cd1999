/* lib/config/shared.c - SPDX-License-Identifier: Apache-2.0 */
/* Jobs that fill the same table must agree on what is in it. */
#include <config.h>

#include <string.h>

#include "config/internal.h"

static bool
same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* How many of items are in list. */
static size_t
count_in(const char *const *list, const char *const *items)
{
    size_t count = 0;

    for (; list != NULL && items != NULL && *items != NULL; items++) {
        const char *const *at = list;

        while (*at != NULL && strcmp(*at, *items) != 0)
            at++;
        count += *at != NULL;
    }
    return count;
}

static bool
same_items(const char *const *a, const char *const *b)
{
    return count_in(a, b) == count_in(b, b) && count_in(b, a) == count_in(a, a);
}

/* Do both fill a table of the same form or dataset? */
static bool
share_a_table(const struct odks_job_conf *a, const struct odks_job_conf *b)
{
    return a->central != NULL && a->central == b->central
           && a->project == b->project && strcmp(a->schema, b->schema) == 0
           && same_text(a->form, b->form) && same_text(a->dataset, b->dataset)
           && !odks_config_is_pattern(a) && !odks_config_is_pattern(b)
           && (a->tables == NULL || b->tables == NULL
               || count_in(a->tables, b->tables) > 0);
}

static bool
same_rules(const struct odks_job_conf *a, const struct odks_job_conf *b)
{
    return same_items(a->drop, b->drop) && same_items(a->hash, b->hash)
           && same_items(a->coarsen, b->coarsen)
           && (a->hash == NULL
               || same_text(a->hash_key_file, b->hash_key_file));
}

static bool
has_submissions(const struct odks_job_conf *job)
{
    static const char *const root[] = { "Submissions", NULL };

    return job->tables == NULL || count_in(job->tables, root) > 0;
}

/*
 * A submission that one job has read looks read to the other one, which would
 * miss its repeats.
 */
static bool
same_tables(const struct odks_job_conf *a, const struct odks_job_conf *b)
{
    return !has_submissions(a) || !has_submissions(b)
           || (a->tables == NULL
                   ? b->tables == NULL
                   : b->tables != NULL && same_items(a->tables, b->tables));
}

/* Do both make the same rows of what Central says? */
static bool
same_rows(const struct odks_job_conf *a, const struct odks_job_conf *b)
{
    return a->raw == b->raw && a->on_delete == b->on_delete
           && same_text(a->timezone, b->timezone);
}

static const struct agreement {
    bool (*holds)(const struct odks_job_conf *a, const struct odks_job_conf *b);
    const char *broken, *hint;
} agreements[] = {
    { same_rules, "have other privacy rules",
      "Give both the same drop, hash, coarsen and hash_key_file." },
    { same_rows, "make other rows",
      "Give both the same raw, on_delete and timezone." },
    { same_tables, "not the same repeats",
      "Leave all tables to one job, or Submissions out of the tables of one." },
};

bool
odks_config_check_shared(const struct odks_config *cfg,
                         const struct odks_section *section,
                         struct odks_err *err)
{
    const struct odks_job_conf *job = &section->conf.job.conf;

    for (size_t i = 0; cfg->sections[i] != section; i++) {
        const struct odks_section *other = cfg->sections[i];
        const struct odks_job_conf *its = &other->conf.job.conf;

        if (other->kind != ODKS_SECTION_JOB || !share_a_table(its, job))
            continue;
        for (size_t k = 0; k < sizeof(agreements) / sizeof(agreements[0]);
             k++) {
            if (agreements[k].holds(its, job))
                continue;
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "%s: %s and %s fill the same table, but %s",
                         section->origin, other->title, section->title,
                         agreements[k].broken);
            odks_err_hint(err, "%s", agreements[k].hint);
            return false;
        }
    }
    return true;
}
