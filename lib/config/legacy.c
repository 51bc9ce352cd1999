/* lib/config/legacy.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables of the service that odk-sync replaces: without any file, its
 * environment still runs its form under its two sync types.
 */
#include <config.h>

#include <stdlib.h>

#include "config/internal.h"
#include "core/mem.h"

#define LEGACY "environment (ODK_BASE_URL)"

static const char *
variable(const char *name)
{
    const char *value = name != NULL ? getenv(name) : NULL;

    return value != NULL && *value != '\0' ? value : NULL;
}

static bool
set(struct odks_config *cfg, struct odks_section *section, const char *key,
    const char *text, const char *origin, struct odks_err *err)
{
    return odks_config_set(cfg, section,
                           odks_config_option(cfg, section->kind, key), text,
                           origin, err);
}

static bool
set_from(struct odks_config *cfg, struct odks_section *section, const char *key,
         const char *name, struct odks_err *err)
{
    const char *value = variable(name);

    if (value != NULL) {
        CLEANUP_FREE char *origin = odks_xasprintf("environment %s", name);

        return set(cfg, section, key, value, origin, err);
    }
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "the environment variable %s is not set", name);
    odks_err_hint(err, "Without a configuration file ODK_BASE_URL, "
                       "ODK_PROJECT_ID, ODK_FORM_ID, ODATA_USER and ODATA_PASS "
                       "are needed.");
    return false;
}

/*
 * The old service's defaults stand in unless libpq's own variables say
 * something; its default password does not, so that ~/.pgpass can.
 */
static bool
read_database(struct odks_config *cfg, struct odks_err *err)
{
    static const struct {
        const char *key, *name, *libpq, *otherwise;
    } keys[] = {
        { "host", "PG_HOST", "PGHOST", "localhost" },
        { "port", "PG_PORT", "PGPORT", "5432" },
        { "dbname", "PG_DB", "PGDATABASE", "postgres" },
        { "user", "PG_USER", "PGUSER", "postgres" },
        { "password", "PG_PASS", NULL, NULL },
    };
    struct odks_section *section =
        odks_config_add_section(cfg, ODKS_SECTION_DATABASE, "", LEGACY);

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        bool done = true;

        if (variable(keys[i].name) != NULL)
            done = set_from(cfg, section, keys[i].key, keys[i].name, err);
        else if (keys[i].otherwise != NULL && variable(keys[i].libpq) == NULL)
            done =
                set(cfg, section, keys[i].key, keys[i].otherwise, LEGACY, err);
        if (!done)
            return false;
    }
    return true;
}

static bool
read_central(struct odks_config *cfg, struct odks_err *err)
{
    struct odks_section *section =
        odks_config_add_section(cfg, ODKS_SECTION_CENTRAL, "central", LEGACY);

    return set_from(cfg, section, "url", "ODK_BASE_URL", err)
           && set_from(cfg, section, "user", "ODATA_USER", err)
           && set_from(cfg, section, "password", "ODATA_PASS", err);
}

static bool
read_job(struct odks_config *cfg, const char *name, const char *tables,
         const char *after, struct odks_err *err)
{
    struct odks_section *section =
        odks_config_add_section(cfg, ODKS_SECTION_JOB, name, LEGACY);

    return set(cfg, section, "kind", "submissions", LEGACY, err)
           && set_from(cfg, section, "project", "ODK_PROJECT_ID", err)
           && set_from(cfg, section, "form", "ODK_FORM_ID", err)
           && set(cfg, section, "tables", tables, LEGACY, err)
           && (after == NULL || set(cfg, section, "after", after, LEGACY, err));
}

bool
odks_config_read_legacy(struct odks_config *cfg, bool *found,
                        struct odks_err *err)
{
    *found = variable("ODK_BASE_URL") != NULL;
    return !*found
           || (read_database(cfg, err) && read_central(cfg, err)
               && read_job(cfg, "main_submissions", "Submissions", NULL, err)
               && read_job(cfg, "person_details", "Submissions.person_details",
                           "main_submissions", err));
}
