/* lib/config/like.c - SPDX-License-Identifier: Apache-2.0 */
/* "like = JOB": one job takes its settings from another. */
#include <config.h>

#include <string.h>

#include "config/internal.h"

/* What a job reads and where to is its own. */
static const char *const never[] = { "like",    "form",    "dataset", "table",
                                     "include", "exclude", NULL };

/* When a job is due is one setting, however it is written. */
static const char *const due[] = { "schedule", "every", "after", NULL };

static bool
is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

static const char *
text_of(const struct odks_config *cfg, const struct odks_section *section,
        const char *key)
{
    return odks_config_value(cfg, section, key)->text;
}

/* The section that section is like, NULL for none or, with err, no such. */
static struct odks_section *
model_of(const struct odks_config *cfg, const struct odks_section *section,
         struct odks_err *err)
{
    const struct odks_value *like = odks_config_value(cfg, section, "like");

    if (like->text == NULL)
        return NULL;
    struct odks_section *other =
        odks_config_section(cfg, ODKS_SECTION_JOB, like->text);
    if (other == NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: %s: like = %s, but there is no such [job] section",
                     like->origin, section->title, like->text);
        odks_err_hint(err, "Add the section, or correct the name.");
    }
    return other;
}

static void
take(const struct odks_config *cfg, struct odks_section *section,
     const struct odks_section *from)
{
    const struct odks_schema *schema = &cfg->schema[ODKS_SECTION_JOB];
    const char *kind = text_of(cfg, section, "kind");
    bool has_due = false;

    for (size_t i = 0; due[i] != NULL; i++)
        has_due |= text_of(cfg, section, due[i]) != NULL;
    for (size_t i = 0; i < schema->count; i++) {
        const char *key = schema->options[i].key;

        /* what its own kind does not know is meant for the other one */
        if (section->values[i].text == NULL && !is_one_of(key, never)
            && (kind == NULL || odks_config_kind_takes(kind, key))
            && !(has_due && is_one_of(key, due)))
            section->values[i] = from->values[i];
    }
}

/* From the nearest one on, so that the nearer one wins. */
static bool
inherit(const struct odks_config *cfg, struct odks_section *section,
        struct odks_err *err)
{
    const struct odks_section *from = section;

    for (size_t steps = 0; steps < cfg->all.count; steps++) {
        from = model_of(cfg, from, err);
        if (from == NULL)
            return err->code == ODKS_EXIT_OK;
        take(cfg, section, from);
    }
    odks_err_set(
        err, ODKS_EXIT_CONFIG, "%s: %s: like leads back to where it began",
        odks_config_value(cfg, section, "like")->origin, section->title);
    odks_err_hint(err, "One of the jobs must hold the settings itself.");
    return false;
}

bool
odks_config_inherit(struct odks_config *cfg, struct odks_err *err)
{
    const struct odks_sections *jobs = &cfg->of_kind[ODKS_SECTION_JOB];

    for (size_t i = 0; i < jobs->count; i++) {
        if (!inherit(cfg, jobs->section[i], err))
            return false;
    }
    return true;
}
