/* lib/config/digest.c - SPDX-License-Identifier: Apache-2.0 */
/* Whether the settings of a job are those of last time. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/hash.h"

/* Secrets stay out: the digest is stored where others may read it. */
static uint64_t
add_section(uint64_t hash, const struct odks_config *cfg,
            const struct odks_section *section)
{
    const struct odks_schema *schema = &cfg->schema[section->kind];

    for (size_t i = 0; i < schema->count; i++) {
        if (schema->options[i].type != ODKS_OPTION_SECRET)
            hash = odks_hash_text(hash, section->values[i].text);
    }
    return hash;
}

/*
 * Of [database] what decides about rights and names; the rest, which may hold
 * a password in a connection string, is no matter of the jobs.
 */
static uint64_t
add_database(uint64_t hash, const struct odks_config *cfg)
{
    static const char *const keys[] = { "user", "schema", "lock_wait",
                                        "statement_timeout" };
    const struct odks_section *database =
        odks_config_section(cfg, ODKS_SECTION_DATABASE, "");

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        hash = odks_hash_text(hash,
                              odks_config_value(cfg, database, keys[i])->text);
    return hash;
}

void
odks_config_digest(const struct odks_config *cfg,
                   const struct odks_job_conf *job,
                   char digest[ODKS_CONFIG_DIGEST])
{
    const struct odks_section *section =
        odks_config_section(cfg, ODKS_SECTION_JOB, job->sync_type);
    uint64_t hash = add_database(ODKS_HASH_INIT, cfg);

    hash = add_section(hash, cfg, section);
    if (job->central != NULL)
        hash = add_section(
            hash, cfg,
            odks_config_section(cfg, ODKS_SECTION_CENTRAL, job->central->name));
    (void) snprintf(digest, ODKS_CONFIG_DIGEST, "%016" PRIx64, hash);
}
