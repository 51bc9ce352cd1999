/* lib/config/check.c - SPDX-License-Identifier: Apache-2.0 */
/* The rules between values, and those that the table cannot say. */
#include <config.h>

#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/suggest.h"

static bool
require(const struct odks_config *cfg, const struct odks_section *section,
        const char *key, struct odks_err *err)
{
    if (odks_config_value(cfg, section, key)->text != NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s has no %s", section->origin,
                 section->title, key);
    odks_err_hint(err, "Add \"%s = %s\" to it.", key,
                  odks_config_option(cfg, section->kind, key)->help);
    return false;
}

/* At most one of two keys may be given. */
static bool
exclusive(const struct odks_config *cfg, const struct odks_section *section,
          const char *a, const char *b, struct odks_err *err)
{
    const struct odks_value *va = odks_config_value(cfg, section, a);
    const struct odks_value *vb = odks_config_value(cfg, section, b);

    if (va->text == NULL || vb->text == NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s has both %s and %s (%s)",
                 vb->origin, section->title, b, a, va->origin);
    odks_err_hint(err, "Delete one of the two.");
    return false;
}

static bool
check_central(struct odks_config *cfg, struct odks_section *section,
              struct odks_err *err)
{
    struct odks_central_part *central = &section->conf.central;
    struct odks_value *value = odks_config_value(cfg, section, "url");
    CLEANUP_FREE char *url = NULL;

    if (!require(cfg, section, "url", err)
        || !require(cfg, section, "user", err)
        || !exclusive(cfg, section, "password", "password_file", err))
        return false;
    if (!odks_config_url(value->text, central->allow_http, &url, err)) {
        odks_err_context(err, "%s", value->origin);
        return false;
    }
    value->text = odks_config_keep(cfg, url);
    central->conf.url = value->text;
    return true;
}

/* The names of all sections of a kind, for a suggestion. */
static const char *
suggest_section(const struct odks_config *cfg, enum odks_option_section kind,
                const char *word)
{
    const struct odks_sections *list = &cfg->of_kind[kind];
    const char **names = odks_xcalloc(list->count, sizeof(names[0]));

    for (size_t i = 0; i < list->count; i++)
        names[i] = list->section[i]->name;
    const char *near = odks_suggest(word, names, list->count);
    free(names);
    return near;
}

/* The section that a key of section names. */
static struct odks_section *
referred(const struct odks_config *cfg, const struct odks_section *section,
         const char *key, enum odks_option_section kind, struct odks_err *err)
{
    const struct odks_value *value = odks_config_value(cfg, section, key);
    struct odks_section *other = odks_config_section(cfg, kind, value->text);

    if (other != NULL)
        return other;
    const char *near = suggest_section(cfg, kind, value->text);
    const char *word = odks_option_section_name(kind);
    bool implied = strcmp(value->origin, "default") == 0;
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "%s: %s: %s = %s, but there is no such [%s] section",
                 implied ? section->origin : value->origin, section->title, key,
                 value->text, word);
    if (near != NULL)
        odks_err_hint(err, "Did you mean \"%s\"?", near);
    else
        odks_err_hint(err, "Add the section, or correct the name.");
    return NULL;
}

/*
 * Follow after from job to job: it must not come back. A loop further on is
 * found from the jobs in it.
 */
static bool
check_after(const struct odks_config *cfg, const struct odks_section *section,
            struct odks_err *err)
{
    const struct odks_section *at = section;

    for (size_t steps = 0; steps < cfg->all.count; steps++) {
        if (odks_config_value(cfg, at, "after")->text == NULL)
            return true;
        at = referred(cfg, at, "after", ODKS_SECTION_JOB, err);
        if (at == NULL)
            return false;
        if (at == section) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "%s: %s: after leads back to where it began",
                         odks_config_value(cfg, at, "after")->origin,
                         at->title);
            odks_err_hint(err, "One of the jobs must be due by itself: delete "
                               "its after.");
            return false;
        }
    }
    return true;
}

static bool
check_tables(const struct odks_config *cfg, const struct odks_section *section,
             struct odks_err *err)
{
    static const char root[] = "Submissions";
    const char *const *tables = section->conf.job.conf.tables;
    const size_t len = sizeof(root) - 1;

    for (; tables != NULL && *tables != NULL; tables++) {
        if (strncmp(*tables, root, len) == 0
            && ((*tables)[len] == '\0'
                || ((*tables)[len] == '.' && (*tables)[len + 1] != '\0')))
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: tables: found \"%.100s\", expected Submissions or "
                     "Submissions.<repeat>",
                     odks_config_value(cfg, section, "tables")->origin,
                     *tables);
        return false;
    }
    return true;
}

/* What goes with "form = *" and what does not. */
static bool
check_pattern(const struct odks_config *cfg, const struct odks_section *section,
              struct odks_err *err)
{
    bool pattern = odks_config_is_pattern(&section->conf.job.conf);
    static const char *const keys[] = { "include", "exclude", "table" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct odks_value *value =
            odks_config_value(cfg, section, keys[i]);
        bool of_patterns = strcmp(keys[i], "table") != 0;

        if (value->text == NULL || of_patterns == pattern)
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     of_patterns ? "%s: %s: %s goes with form = * only"
                                 : "%s: %s: %s does not go with form = *",
                     value->origin, section->title, keys[i]);
        odks_err_hint(err,
                      of_patterns
                          ? "Delete it, or write form = *."
                          : "Each form gets a table named after it; give "
                            "one form a [job] section of its own, with "
                            "like = %s.",
                      section->name);
        return false;
    }
    return true;
}

/* Which kinds of jobs a key is for, with spaces around each; all the others
 * are for every kind. */
static const struct {
    const char *key, *kinds;
    bool required;
} kind_keys[] = {
    { "project", " submissions entities ", true },
    { "form", " submissions ", true },
    { "dataset", " entities ", true },
    { "central", " submissions entities ", false },
    { "tables", " submissions ", false },
    { "table", " submissions entities ", false },
    { "overlap", " submissions entities ", false },
    { "reconcile", " submissions entities ", false },
    { "on_delete", " submissions entities ", false },
    { "raw", " submissions entities ", false },
    { "drop", " submissions entities ", false },
    { "hash", " submissions entities ", false },
    { "hash_key_file", " submissions entities ", false },
    { "coarsen", " submissions ", false },
    { "window_rows", " submissions entities ", false },
    { "batch_bytes", " submissions entities ", false },
    { "attachments_age", " submissions ", false },
    { "labels", " submissions ", false },
    { "languages", " submissions ", false },
    { "parent_columns", " submissions ", false },
    { "max_rejects", " submissions entities ", false },
    { "include", " submissions ", false },
    { "exclude", " submissions ", false },
    { "schema", " submissions entities sql ", false },
    { "command", " command ", true },
    { "sql", " sql ", false },
    { "sql_file", " sql ", false },
    { "max_runtime", " command sql ", false },
};

bool
odks_config_kind_takes(const char *kind, const char *key)
{
    char word[40];

    (void) snprintf(word, sizeof(word), " %s ", kind);
    for (size_t i = 0; i < sizeof(kind_keys) / sizeof(kind_keys[0]); i++) {
        if (strcmp(kind_keys[i].key, key) == 0)
            return strstr(kind_keys[i].kinds, word) != NULL;
    }
    return true;
}

bool
odks_config_applies(const struct odks_section *section, const char *key)
{
    const char *kind = section->conf.job.conf.kind;

    return section->kind != ODKS_SECTION_JOB || kind == NULL
           || odks_config_kind_takes(kind, key);
}

/* What its kind needs is there, and nothing that it does not know. */
static bool
check_kind(const struct odks_config *cfg, const struct odks_section *section,
           struct odks_err *err)
{
    for (size_t i = 0; i < sizeof(kind_keys) / sizeof(kind_keys[0]); i++) {
        const char *key = kind_keys[i].key;
        const struct odks_value *value = odks_config_value(cfg, section, key);

        if (odks_config_applies(section, key)) {
            if (kind_keys[i].required && !require(cfg, section, key, err))
                return false;
        } else if (value->text != NULL
                   && strcmp(value->origin, "default") != 0) {
            odks_err_set(err, ODKS_EXIT_CONFIG,
                         "%s: %s: %s does not go with kind = %s", value->origin,
                         section->title, key, section->conf.job.conf.kind);
            odks_err_hint(err, "Delete it, or correct kind.");
            return false;
        }
    }
    return true;
}

static bool
check_sql(const struct odks_config *cfg, const struct odks_section *section,
          struct odks_err *err)
{
    return strcmp(section->conf.job.conf.kind, "sql") != 0
           || (exclusive(cfg, section, "sql", "sql_file", err)
               && (odks_config_value(cfg, section, "sql")->text != NULL
                   || require(cfg, section, "sql_file", err)));
}

static void
decode_id(struct odks_config *cfg, const char **id)
{
    if (*id == NULL)
        return;
    CLEANUP_FREE char *decoded = odks_text_decode_form(*id);
    *id = odks_config_keep(cfg, decoded);
}

static bool
check_job(struct odks_config *cfg, struct odks_section *section,
          struct odks_err *err)
{
    struct odks_job_conf *job = &section->conf.job.conf;

    if (!require(cfg, section, "kind", err) || !check_kind(cfg, section, err)
        || !check_sql(cfg, section, err)
        || !exclusive(cfg, section, "schedule", "every", err)
        || !exclusive(cfg, section, "schedule", "after", err)
        || !exclusive(cfg, section, "every", "after", err)
        || !check_tables(cfg, section, err) || !check_after(cfg, section, err)
        || !odks_config_check_privacy(cfg, section, err))
        return false;
    if (job->schema == NULL)
        job->schema = odks_config_database(cfg)->schema;
    if (!odks_config_applies(section, "central"))
        return true;
    const struct odks_section *central =
        referred(cfg, section, "central", ODKS_SECTION_CENTRAL, err);
    if (central == NULL)
        return false;
    job->central = &central->conf.central.conf;
    decode_id(cfg, &job->dataset);
    if (job->form == NULL)
        return true;
    /* the form whose id is "*" is written %2A */
    job->all_forms = strcmp(job->form, "*") == 0;
    decode_id(cfg, &job->form);
    return check_pattern(cfg, section, err);
}

bool
odks_config_check(struct odks_config *cfg, struct odks_err *err)
{
    for (size_t i = 0; i < cfg->all.count; i++) {
        struct odks_section *section = cfg->all.section[i];
        bool fine = true;

        if (section->kind == ODKS_SECTION_DATABASE)
            fine = exclusive(cfg, section, "password", "password_file", err)
                   && odks_config_check_libpq(cfg, section, err);
        else if (section->kind == ODKS_SECTION_CENTRAL)
            fine = check_central(cfg, section, err);
        else if (section->kind == ODKS_SECTION_JOB)
            fine = check_job(cfg, section, err);
        if (!fine)
            return false;
    }
    return odks_config_check_shared(cfg, err);
}
