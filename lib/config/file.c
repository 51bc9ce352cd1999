/* lib/config/file.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/suggest.h"

enum { SHOWN_PATH = 200 };

/* The end of a path, as much as a message can hold. */
static const char *
shown_path(const char *path)
{
    size_t len = strlen(path);

    return len > SHOWN_PATH ? path + len - SHOWN_PATH : path;
}

bool
odks_config_split_header(char *header, enum odks_option_section *kind,
                         const char **name, const char **message,
                         const char **suggestion)
{
    const char *words[ODKS_SECTION_COUNT];
    size_t i;

    *suggestion = NULL;
    for (i = 0; i < ODKS_SECTION_COUNT; i++)
        words[i] = odks_option_section_name((enum odks_option_section) i);
    header += strspn(header, " ");
    char *rest = header + strcspn(header, " ");
    while (*rest == ' ')
        *rest++ = '\0';
    for (size_t len = strlen(rest); len > 0 && rest[len - 1] == ' '; len--)
        rest[len - 1] = '\0';
    for (i = 0; i < ODKS_SECTION_COUNT; i++) {
        if (strcmp(words[i], header) == 0)
            break;
    }
    *kind = (enum odks_option_section) i;
    *name = *kind == ODKS_SECTION_CENTRAL && *rest == '\0' ? "central" : rest;
    *message = NULL;
    if (i == ODKS_SECTION_COUNT) {
        *message = "unknown section";
        *suggestion = odks_suggest(header, words, ODKS_SECTION_COUNT);
    } else if (*kind == ODKS_SECTION_JOB && *rest == '\0') {
        *message = "a job needs a name, [job NAME], in section";
    } else if (*kind < ODKS_SECTION_CENTRAL && *rest != '\0') {
        *message = "there is one section of its kind, without a name:";
    } else if (odks_text_has_control(rest)) {
        *message = "a control character in the name of section";
    }
    return *message == NULL;
}

static bool
begin_section(struct odks_config *cfg, const struct odks_ini_entry *entry,
              const char *origin, struct odks_section **section,
              struct odks_err *err)
{
    CLEANUP_FREE char *header = odks_xstrdup(entry->section);
    enum odks_option_section kind;
    const char *name, *message, *near;

    if (!odks_config_split_header(header, &kind, &name, &message, &near)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s [%s]", origin, message,
                     entry->section);
        if (near != NULL)
            odks_err_hint(err, "Did you mean [%s%s]?", near,
                          strcmp(near, "job") == 0 ? " NAME" : "");
        else
            odks_err_hint(err, "Sections are [odk-sync], [database], "
                               "[central], [central NAME] and [job NAME].");
        return false;
    }
    *section = odks_config_section(cfg, kind, name);
    if (*section != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: section %s is there already (%s)", origin,
                     (*section)->title, (*section)->origin);
        odks_err_hint(err, "Put all keys of a section into one place.");
        return false;
    }
    *section = odks_config_add_section(cfg, kind, name, origin);
    return true;
}

/* The section, other than kind, that has such a key; or NULL. */
static const char *
section_of_key(const struct odks_config *cfg, const char *key)
{
    for (int i = 0; i < ODKS_SECTION_COUNT; i++) {
        enum odks_option_section kind = (enum odks_option_section) i;

        if (odks_config_option(cfg, kind, key) != NULL)
            return odks_option_section_name(kind);
    }
    return NULL;
}

static void
unknown_key(const struct odks_config *cfg, const struct odks_section *section,
            const char *key, const char *origin, struct odks_err *err)
{
    const struct odks_schema *schema = &cfg->schema[section->kind];
    const char **keys = odks_xcalloc(schema->count, sizeof(keys[0]));
    const char *home = section_of_key(cfg, key);

    for (size_t i = 0; i < schema->count; i++)
        keys[i] = schema->options[i].key;
    const char *near = odks_suggest(key, keys, schema->count);
    odks_err_set(err, ODKS_EXIT_CONFIG, "%s: unknown key \"%.80s\" in %s",
                 origin, key, section->title);
    if (home != NULL)
        odks_err_hint(err, "That key belongs in [%s].", home);
    else if (near != NULL)
        odks_err_hint(err, "Did you mean \"%s\"?", near);
    else
        odks_err_hint(err, "odk-sync.ini.example has every key.");
    free(keys);
}

/* A password in a file that everybody reads is none. */
static bool
secret_is_safe(const struct odks_config *cfg, const struct odks_option *option,
               bool bare, const char *origin, struct odks_err *err)
{
    if (option->type != ODKS_OPTION_SECRET || !bare || !cfg->world_readable)
        return true;
    odks_err_set(err, ODKS_EXIT_NOPERM,
                 "%s: a %s in a file that everybody can read", origin,
                 option->key);
    odks_err_hint(err, "Run: chmod o-r %s (or use password_file).", cfg->file);
    return false;
}

static void
wipe_buf(struct odks_buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->size);
    odks_buf_free(b);
}

/* The names in ${NAME}; text is one that odks_text_expand() accepts. */
static void
keep_variables(struct odks_config *cfg, const char *text)
{
    for (const char *s = text; (s = strstr(s, "${")) != NULL; s += 2) {
        if (s > text && s[-1] == '$')
            continue;
        CLEANUP_FREE char *name = odks_xstrndup(s + 2, strcspn(s + 2, "}"));
        odks_config_add_secret_variable(cfg, name);
    }
}

static bool
take_entry(struct odks_config *cfg, struct odks_section *section,
           const struct odks_ini_entry *entry, const char *origin,
           struct odks_err *err)
{
    CLEANUP(wipe_buf)
    struct odks_buf text = ODKS_BUF_INIT(ODKS_CONFIG_VALUE_MAX);
    const struct odks_option *option =
        odks_config_option(cfg, section->kind, entry->key);
    bool bare;

    if (option == NULL) {
        unknown_key(cfg, section, entry->key, origin, err);
        return false;
    }
    const struct odks_value *before =
        odks_config_value(cfg, section, entry->key);
    if (before->text != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s is there already (%s)",
                     origin, entry->key, before->origin);
        odks_err_hint(err, "Delete one of the two.");
        return false;
    }
    if (!odks_text_expand(entry->value, &text, &bare, err)) {
        odks_err_context(err, "%s: %s", origin, entry->key);
        return false;
    }
    if (odks_config_is_secret(option, text.data))
        keep_variables(cfg, entry->value);
    return secret_is_safe(cfg, option, bare, origin, err)
           && odks_config_set(cfg, section, option, text.data, origin, err);
}

static bool
take_entries(struct odks_config *cfg, const struct odks_ini *ini,
             const char *shown, struct odks_err *err)
{
    struct odks_section *section = NULL;

    for (size_t i = 0; i < ini->count; i++) {
        const struct odks_ini_entry *entry = &ini->entries[i];
        CLEANUP_FREE char *origin = odks_xasprintf("%s:%d", shown, entry->line);

        if (entry->key == NULL) {
            if (!begin_section(cfg, entry, origin, &section, err))
                return false;
        } else if (section == NULL) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "%s: a key before the first section", origin);
            odks_err_hint(err, "Begin with [database], for example.");
            return false;
        } else if (!take_entry(cfg, section, entry, origin, err)) {
            return false;
        }
    }
    return true;
}

bool
odks_config_read_file(struct odks_config *cfg, const char *path,
                      struct odks_err *err)
{
    CLEANUP(wipe_buf)
    struct odks_buf text = ODKS_BUF_INIT(ODKS_CONFIG_FILE_MAX);
    CLEANUP_INI struct odks_ini ini = { .entries = NULL };

    cfg->file = odks_config_keep(cfg, path);
    if (!odks_config_slurp(path, &text, &cfg->world_readable, err)) {
        odks_err_context(err, "configuration");
        return false;
    }
    return odks_ini_parse(&text, shown_path(path), &ini, err)
           && take_entries(cfg, &ini, shown_path(path), err);
}
