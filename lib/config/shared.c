/* lib/config/shared.c - SPDX-License-Identifier: Apache-2.0 */
/* Jobs that fill the same table must agree on what is in it. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "core/index.h"
#include "core/mem.h"

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

/*
 * The form or dataset and the schema of a job, as one text that the caller
 * frees; NULL if the job mirrors nothing, or forms that are not known yet.
 */
static char *
make_source(const struct odks_job_conf *job)
{
    if (job->central == NULL || odks_config_is_pattern(job))
        return NULL;
    return odks_xasprintf("%s\n%" PRId64 "\n%s\n%s\n%s", job->central->name,
                          job->project, job->schema,
                          job->form != NULL ? job->form : "",
                          job->dataset != NULL ? job->dataset : "");
}

/* Do both fill a table, if they mirror the same form or dataset? */
static bool
share_a_table(const struct odks_job_conf *a, const struct odks_job_conf *b)
{
    return a->tables == NULL || b->tables == NULL
           || count_in(a->tables, b->tables) > 0;
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

static bool
check_pair(const struct odks_section *a, const struct odks_section *b,
           struct odks_err *err)
{
    const struct odks_job_conf *one = &a->conf.job.conf;
    const struct odks_job_conf *other = &b->conf.job.conf;

    if (!share_a_table(one, other))
        return true;
    for (size_t i = 0; i < sizeof(agreements) / sizeof(agreements[0]); i++) {
        if (agreements[i].holds(one, other))
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: %s and %s fill the same table, but %s", b->origin,
                     a->title, b->title, agreements[i].broken);
        odks_err_hint(err, "%s", agreements[i].hint);
        return false;
    }
    return true;
}

/* Jobs with the same source form a chain; only these are compared. */
struct chains {
    struct odks_index first; /* of a source: the number of a job */
    char **source;           /* of each job */
    size_t *next;            /* of each job: the next one + 1, or 0 */
    size_t count;
};

static void
free_chains(struct chains *c)
{
    odks_index_clear(&c->first);
    for (size_t i = 0; i < c->count; i++)
        free(c->source[i]);
    free(c->source);
    free(c->next);
}

bool
odks_config_check_shared(const struct odks_config *cfg, struct odks_err *err)
{
    const struct odks_sections *jobs = &cfg->of_kind[ODKS_SECTION_JOB];
    CLEANUP(free_chains) struct chains c = { .count = jobs->count };

    c.source = odks_xcalloc(jobs->count + 1, sizeof(c.source[0]));
    c.next = odks_xcalloc(jobs->count + 1, sizeof(c.next[0]));
    for (size_t i = 0; i < jobs->count; i++) {
        size_t other = i;

        c.source[i] = make_source(&jobs->section[i]->conf.job.conf);
        if (c.source[i] == NULL || odks_index_put(&c.first, c.source[i], i))
            continue;
        (void) odks_index_get(&c.first, c.source[i], &other);
        for (;; other = c.next[other] - 1) {
            if (!check_pair(jobs->section[other], jobs->section[i], err))
                return false;
            if (c.next[other] == 0)
                break;
        }
        c.next[other] = i + 1;
    }
    return true;
}
