/* lib/config/forms.c - SPDX-License-Identifier: Apache-2.0 */
/* "form = *": a job that stands for all forms of a project. */
#include <config.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"

bool
odks_config_is_pattern(const struct odks_job_conf *job)
{
    return job->all_forms;
}

static bool
matches(const char *form_id, const char *const *patterns)
{
    for (; *patterns != NULL; patterns++) {
        if (fnmatch(*patterns, form_id, 0) == 0)
            return true;
    }
    return false;
}

/* Does the file say something of its own about the form? */
static bool
has_section(const struct odks_config *cfg, const struct odks_job_conf *job,
            const char *form_id)
{
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const struct odks_job_conf *other = odks_config_job(cfg, i);

        if (other->form_of == NULL && other->central == job->central
            && other->project == job->project
            && strcmp(other->kind, job->kind) == 0 && other->form != NULL
            && !other->all_forms && strcmp(other->form, form_id) == 0)
            return true;
    }
    return false;
}

bool
odks_config_wants_form(const struct odks_config *cfg,
                       const struct odks_job_conf *job, const char *form_id)
{
    return (job->include == NULL || matches(form_id, job->include))
           && (job->exclude == NULL || !matches(form_id, job->exclude))
           && !has_section(cfg, job, form_id);
}

/* Have the value as it is in force, for odks_config_print(). */
static void
put(struct odks_config *cfg, struct odks_section *section, const char *key,
    const char *text, const char *origin)
{
    *odks_config_value(cfg, section, key) =
        (struct odks_value){ .text = text, .origin = origin };
}

void
odks_config_add_form(struct odks_config *cfg, const struct odks_job_conf *job,
                     const char *sync_type, const char *form_id)
{
    const struct odks_section *parent =
        odks_config_section(cfg, ODKS_SECTION_JOB, job->sync_type);
    CLEANUP_FREE char *origin = odks_xasprintf("form = * of %s", parent->title);
    struct odks_section *section =
        odks_config_add_section(cfg, ODKS_SECTION_JOB, sync_type, origin);
    struct odks_job_conf *conf = &section->conf.job.conf;

    memcpy(section->values, parent->values,
           cfg->schema[ODKS_SECTION_JOB].count * sizeof(section->values[0]));
    section->conf = parent->conf;
    conf->sync_type = section->name;
    conf->form = odks_config_keep(cfg, form_id);
    conf->all_forms = false;
    conf->form_of = conf->after = parent->name;
    conf->schedule = NULL;
    conf->every_s = 0;
    conf->include = conf->exclude = NULL;
    put(cfg, section, "form", conf->form, section->origin);
    put(cfg, section, "after", conf->after, section->origin);
    put(cfg, section, "schedule", NULL, NULL);
    put(cfg, section, "every", NULL, NULL);
    put(cfg, section, "include", NULL, NULL);
    put(cfg, section, "exclude", NULL, NULL);
}

void
odks_config_remove_form(struct odks_config *cfg, const char *sync_type)
{
    struct odks_section *section =
        odks_config_section(cfg, ODKS_SECTION_JOB, sync_type);

    if (section != NULL)
        odks_config_remove_section(cfg, section);
}
