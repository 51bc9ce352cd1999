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

bool
odks_config_hash_key(const struct odks_job_conf *job, char **key,
                     struct odks_err *err)
{
    *key = NULL;
    if (job->hash == NULL)
        return true;
    if (!odks_secret_read_key(job->hash_key_file, key, err)) {
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
