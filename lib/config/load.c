/* lib/config/load.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/internal.h"
#include "core/mem.h"

static const char here[] = "./odk-sync.ini";

/*
 * A file that nobody named must not come from whoever may write to the
 * directory we happen to be in.
 */
bool
odks_config_is_trusted(const char *path, struct odks_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0 || st.st_uid == 0 || st.st_uid == geteuid())
        return true;
    odks_err_set(err, ODKS_EXIT_NOPERM, "%s belongs to another user", path);
    odks_err_hint(err, "If it is yours to use, name it: --config %s", path);
    return false;
}

static bool
is_missing(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/*
 * Is there no file of that name where we are? A directory that we may not
 * enter (that of root, under sudo -u) has none for us. What does exist, even
 * as a link to a place out of reach, must not be passed over in silence.
 */
static bool
is_missing_here(const char *path)
{
    struct stat st;

    return is_missing(path) || (lstat(path, &st) != 0 && errno == EACCES);
}

static bool
read_nothing(struct odks_config *cfg, const char *system_wide,
             struct odks_err *err)
{
    bool found = false;

    if (!odks_config_read_legacy(cfg, &found, err))
        return false;
    if (found)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "no configuration: neither %s nor %s is there", here,
                 system_wide);
    odks_err_hint(err, "Copy odk-sync.ini.example to one of them and fill it "
                       "in, or name a file with --config or ODK_SYNC_CONFIG.");
    return false;
}

static bool
read_first(struct odks_config *cfg, const char *path, const char *system_wide,
           struct odks_err *err)
{
    const char *named = getenv("ODK_SYNC_CONFIG");

    if (path != NULL)
        return odks_config_read_file(cfg, path, err);
    if (named != NULL && *named != '\0') {
        if (odks_config_read_file(cfg, named, err))
            return true;
        if (err->code == ODKS_EXIT_NOINPUT)
            odks_err_hint(err, "ODK_SYNC_CONFIG names that file.");
        return false;
    }
    if (!is_missing_here(here))
        return odks_config_is_trusted(here, err)
               && odks_config_read_file(cfg, here, err);
    if (!is_missing(system_wide))
        return odks_config_read_file(cfg, system_wide, err);
    return read_nothing(cfg, system_wide, err);
}

/* The value of the variable for an option, or NULL; empty is as good as none.
 */
static const char *
from_environment(const struct odks_option *option, const char *section_name,
                 char **variable)
{
    *variable = odks_option_env(option, section_name);
    const char *value = getenv(*variable);

    return value != NULL && *value != '\0' ? value : NULL;
}

/* Sections that need no header in the file. */
static void
add_missing_sections(struct odks_config *cfg)
{
    const struct odks_schema *central = &cfg->schema[ODKS_SECTION_CENTRAL];

    if (odks_config_section(cfg, ODKS_SECTION_RUN, "") == NULL)
        (void) odks_config_add_section(cfg, ODKS_SECTION_RUN, "", "default");
    if (odks_config_section(cfg, ODKS_SECTION_DATABASE, "") == NULL)
        (void) odks_config_add_section(cfg, ODKS_SECTION_DATABASE, "",
                                       "default");
    for (size_t i = 0; i < central->count; i++) {
        CLEANUP_FREE char *variable = NULL;

        if (odks_config_section(cfg, ODKS_SECTION_CENTRAL, "central") == NULL
            && from_environment(&central->options[i], "", &variable) != NULL)
            (void) odks_config_add_section(cfg, ODKS_SECTION_CENTRAL, "central",
                                           "environment");
    }
}

/* [job a-b] and [job a_b] share their variables: whose is this one? */
static bool
is_unambiguous(const struct odks_config *cfg,
               const struct odks_section *section,
               const struct odks_option *option, const char *variable,
               struct odks_err *err)
{
    const struct odks_sections *siblings = &cfg->of_kind[section->kind];

    for (size_t i = 0; i < siblings->count; i++) {
        const struct odks_section *other = siblings->section[i];

        if (other == section)
            continue;
        CLEANUP_FREE char *name = odks_option_env(option, other->name);
        if (strcmp(name, variable) == 0) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "environment %s: it stands for both %s and %s",
                         variable, section->title, other->title);
            odks_err_hint(err, "Rename one of the sections, or write the value "
                               "into the file.");
            return false;
        }
    }
    return true;
}

static bool
apply_environment(struct odks_config *cfg, struct odks_section *section,
                  const struct odks_option *option, struct odks_err *err)
{
    CLEANUP_FREE char *variable = NULL;
    const char *value = from_environment(option, section->name, &variable);

    if (value == NULL)
        return true;
    if (odks_config_is_secret(option, value))
        odks_config_add_secret_variable(cfg, variable);
    CLEANUP_FREE char *origin = odks_xasprintf("environment %s", variable);
    if (!is_unambiguous(cfg, section, option, variable, err)
        || !odks_config_set(cfg, section, option, value, origin, err))
        return false;
    odks_config_value(cfg, section, option->key)->variable =
        odks_config_keep(cfg, variable);
    return true;
}

static bool
apply_flag(struct odks_config *cfg, const struct odks_config_flag *flag,
           struct odks_err *err)
{
    CLEANUP_FREE char *header = odks_xstrdup(flag->section);
    const struct odks_option *option = NULL;
    struct odks_section *section = NULL;
    enum odks_option_section kind;
    const char *name, *message, *near;

    if (odks_config_split_header(header, &kind, &name, &message, &near)) {
        section = odks_config_section(cfg, kind, name);
        option = odks_config_option(cfg, kind, flag->key);
    }
    if (section == NULL || option == NULL) {
        odks_err_set(err, ODKS_EXIT_USAGE, "there is no option %s in [%s]",
                     flag->key, flag->section);
        return false;
    }
    CLEANUP_FREE char *origin =
        odks_xasprintf("flag %s%s", option->flag != NULL ? "--" : "",
                       option->flag != NULL ? option->flag : option->key);
    if (!odks_config_set(cfg, section, option, flag->value, origin, err)) {
        err->code = ODKS_EXIT_USAGE;
        return false;
    }
    odks_config_value(cfg, section, flag->key)->from_flag = true;
    return true;
}

static bool
read_environment(struct odks_config *cfg, struct odks_section *section,
                 struct odks_err *err)
{
    const struct odks_schema *schema = &cfg->schema[section->kind];

    for (size_t i = 0; i < schema->count; i++) {
        if (!apply_environment(cfg, section, &schema->options[i], err))
            return false;
    }
    return true;
}

static bool
parse_section(struct odks_config *cfg, struct odks_section *section,
              struct odks_err *err)
{
    const struct odks_schema *schema = &cfg->schema[section->kind];

    if (section->kind == ODKS_SECTION_CENTRAL)
        section->conf.central.conf.name = section->name;
    else if (section->kind == ODKS_SECTION_JOB)
        section->conf.job.conf.sync_type = section->name;
    for (size_t i = 0; i < schema->count; i++) {
        const struct odks_option *option = &schema->options[i];
        struct odks_value *value = &section->values[i];

        if (value->text == NULL && option->default_text != NULL)
            *value = (struct odks_value){ .text = option->default_text,
                                          .origin = "default" };
        if (!odks_config_parse_value(cfg, section, &schema->options[i], err))
            return false;
    }
    return true;
}

/* From the texts of the sections to a configuration that is checked. */
static bool
finish(struct odks_config *cfg, const struct odks_config_flag *flags,
       size_t flag_count, struct odks_err *err)
{
    add_missing_sections(cfg);
    if (!odks_config_check_environment(cfg, err))
        return false;
    for (size_t i = 0; i < cfg->all.count; i++) {
        if (!read_environment(cfg, cfg->all.section[i], err))
            return false;
    }
    for (size_t i = 0; i < flag_count; i++) {
        if (!apply_flag(cfg, &flags[i], err))
            return false;
    }
    if (!odks_config_inherit(cfg, err))
        return false;
    for (size_t i = 0; i < cfg->all.count; i++) {
        if (!parse_section(cfg, cfg->all.section[i], err))
            return false;
    }
    return odks_config_check(cfg, err);
}

bool
odks_config_load_from(const char *path, const char *system_wide,
                      const struct odks_config_flag *flags, size_t flag_count,
                      struct odks_config **cfg, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *new = odks_config_new();

    *cfg = NULL;
    if (!read_first(new, path, system_wide, err)
        || !finish(new, flags, flag_count, err))
        return false;
    *cfg = odks_steal(&new);
    return true;
}

bool
odks_config_load(const char *path, const struct odks_config_flag *flags,
                 size_t flag_count, struct odks_config **cfg,
                 struct odks_err *err)
{
    return odks_config_load_from(path, "/etc/odk-sync/odk-sync.ini", flags,
                                 flag_count, cfg, err);
}

bool
odks_config_load_legacy(const struct odks_config_flag *flags, size_t flag_count,
                        struct odks_config **cfg, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *new = odks_config_new();
    bool found = false;

    *cfg = NULL;
    if (!odks_config_read_legacy(new, &found, err))
        return false;
    if (!found) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "the environment variable ODK_BASE_URL is not set");
        odks_err_hint(err, "Go to the directory of the old service's .env, or "
                           "set its variables.");
        return false;
    }
    if (!finish(new, flags, flag_count, err))
        return false;
    *cfg = odks_steal(&new);
    return true;
}
