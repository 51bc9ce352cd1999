/* lib/config/privacy.c - SPDX-License-Identifier: Apache-2.0 */
/* drop, hash and coarsen: how a rule is written, and the key of hash. */
#include <config.h>

#include <string.h>

#include "config/internal.h"
#include "core/mem.h"

enum { KEY_MIN = 16 }; /* bytes */

bool
odks_config_coarsen(const char *item, size_t *name_len, const char **to)
{
    static const char *const words[] = { "year", "month", "day", "0", "1",
                                         "2",    "3",     "4",   "5", "6" };
    const char *last = strrchr(item, ' ');

    if (last == NULL)
        return false;
    *to = last + 1;
    while (last > item && last[-1] == ' ')
        last--;
    *name_len = (size_t) (last - item);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(*to, words[i]) == 0)
            return true;
    }
    return false;
}

/* "phone" or "/person/phone". */
static bool
is_name(const char *name, size_t len)
{
    bool path = len > 0 && name[0] == '/';

    if (len == 0 || name[len - 1] == '/' || memchr(name, ' ', len) != NULL
        || memchr(name, '\t', len) != NULL)
        return false;
    for (size_t i = 1; i < len; i++) {
        if (name[i] == '/' && (!path || name[i - 1] == '/'))
            return false;
    }
    return true;
}

bool
odks_config_is_system(const struct odks_job_conf *job, const char *name,
                      size_t len)
{
    static const char *const names[][2] = { { "_submitter", "_device_id" },
                                            { "_creator", "_label" } };

    for (size_t i = 0; i < 2; i++) {
        const char *known = names[job->dataset != NULL][i];

        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return true;
    }
    return false;
}

static bool
check_list(const struct odks_config *cfg, const struct odks_section *section,
           const char *key, const char *const *list, struct odks_err *err)
{
    bool coarsen = strcmp(key, "coarsen") == 0;

    for (; list != NULL && *list != NULL; list++) {
        size_t len = strlen(*list);
        const char *to = NULL;

        if ((!coarsen || odks_config_coarsen(*list, &len, &to))
            && is_name(*list, len)
            && !(coarsen
                 && odks_config_is_system(&section->conf.job.conf, *list, len)))
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: %s: found \"%.100s\", expected a question as name or "
                     "/path%s",
                     odks_config_value(cfg, section, key)->origin, key, *list,
                     coarsen ? " and 0 to 6 (decimals), year, month or day"
                             : "");
        return false;
    }
    return true;
}

bool
odks_config_check_privacy(const struct odks_config *cfg,
                          const struct odks_section *section,
                          struct odks_err *err)
{
    const struct odks_job_conf *job = &section->conf.job.conf;

    if (!check_list(cfg, section, "drop", job->drop, err)
        || !check_list(cfg, section, "hash", job->hash, err)
        || !check_list(cfg, section, "coarsen", job->coarsen, err))
        return false;
    if (job->hash == NULL || job->hash_key_file != NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s has hash and no hash_key_file",
                 odks_config_value(cfg, section, "hash")->origin,
                 section->title);
    odks_err_hint(err, "Make a key, for example with openssl rand -hex 32, and "
                       "keep it where who sees the tables does not.");
    return false;
}

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
           && !odks_config_is_pattern(a)
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

bool
odks_config_check_shared(const struct odks_config *cfg,
                         const struct odks_section *section,
                         struct odks_err *err)
{
    const struct odks_job_conf *job = &section->conf.job.conf;

    for (size_t i = 0; cfg->sections[i] != section; i++) {
        const struct odks_section *other = cfg->sections[i];

        if (other->kind != ODKS_SECTION_JOB
            || !share_a_table(&other->conf.job.conf, job)
            || same_rules(&other->conf.job.conf, job))
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: %s and %s fill the same table, but have other "
                     "privacy rules",
                     section->origin, other->title, section->title);
        odks_err_hint(err, "Give both the same drop, hash, coarsen and "
                           "hash_key_file.");
        return false;
    }
    return true;
}

bool
odks_config_hash_key(const struct odks_job_conf *job, char **key,
                     struct odks_err *err)
{
    *key = NULL;
    if (job->hash == NULL)
        return true;
    if (!odks_secret_read(job->hash_key_file, key, err)) {
        odks_err_context(err, "hash_key_file of [job %s]", job->sync_type);
        return false;
    }
    if (strlen(*key) >= KEY_MIN)
        return true;
    free(odks_steal(key));
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "hash_key_file of [job %s]: %s has fewer than %d bytes",
                 job->sync_type, job->hash_key_file, KEY_MIN);
    odks_err_hint(err, "A short key is soon guessed; openssl rand -hex 32 "
                       "makes a good one.");
    return false;
}
