/* lib/config/environment.c - SPDX-License-Identifier: Apache-2.0 */
/* Variables of the environment that look like ours and mean nothing. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/suggest.h"

static const char prefix[] = "ODK_SYNC_";

/* The variables that are no option: the second one is for child programs. */
static const char *const others[] = { "ODK_SYNC_CONFIG", "ODK_SYNC_REPORT_FD" };

enum { OTHERS = sizeof(others) / sizeof(others[0]), SHOWN_NAME = 150 };

struct names {
    char **list;
    size_t count;
};

static void
free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

static void
add_name(struct names *names, char *name)
{
    names->list = odks_xreallocarray(names->list, names->count + 1,
                                     sizeof(names->list[0]));
    names->list[names->count++] = name;
}

static void
add_options(const struct odks_config *cfg, enum odks_option_section kind,
            const char *section_name, struct names *names)
{
    const struct odks_schema *schema = &cfg->schema[kind];

    for (size_t i = 0; i < schema->count; i++)
        add_name(names, odks_option_env(&schema->options[i], section_name));
}

/* The sections without a name may be given by variables alone. */
static void
collect_names(const struct odks_config *cfg, struct names *names)
{
    for (size_t i = 0; i < OTHERS; i++)
        add_name(names, odks_xstrdup(others[i]));
    add_options(cfg, ODKS_SECTION_RUN, "", names);
    add_options(cfg, ODKS_SECTION_DATABASE, "", names);
    add_options(cfg, ODKS_SECTION_CENTRAL, "", names);
    for (size_t i = 0; i < cfg->all.count; i++) {
        const struct odks_section *section = cfg->all.section[i];

        if (section->name[0] != '\0')
            add_options(cfg, section->kind, section->name, names);
    }
}

static bool
is_name(const struct names *names, const char *variable, size_t len)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->list[i], variable, len) == 0
            && names->list[i][len] == '\0')
            return true;
    }
    return false;
}

static void
refuse_variable(const struct names *names, const char *variable, size_t len,
                struct odks_err *err)
{
    CLEANUP_FREE char *name = odks_xstrndup(variable, len);
    const char *near =
        odks_suggest(name, (const char *const *) names->list, names->count);

    odks_err_set(err, ODKS_EXIT_CONFIG, "environment %.*s: unknown variable",
                 (int) SHOWN_NAME, name);
    if (near != NULL)
        odks_err_hint(err, "Did you mean %s?", near);
    else
        odks_err_hint(err,
                      "The name is ODK_SYNC_<KEY>, ODK_SYNC_<SECTION>_<KEY> "
                      "or ODK_SYNC_<SECTION>_<NAME>_<KEY>, of a section that "
                      "exists; unset what is not for this program.");
}

bool
odks_config_check_environment(const struct odks_config *cfg,
                              struct odks_err *err)
{
    CLEANUP(free_names) struct names names = { .list = NULL };

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        size_t len = strcspn(*entry, "=");

        if (strncmp(*entry, prefix, strlen(prefix)) != 0)
            continue;
        if (names.count == 0)
            collect_names(cfg, &names);
        if (!is_name(&names, *entry, len)) {
            refuse_variable(&names, *entry, len, err);
            return false;
        }
    }
    return true;
}
