/* lib/config/config.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "config/config.h"

#include <libpq-fe.h>
#include <stdarg.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "core/utf8.h"

/* What libpq offers and we do not: the program depends on their values. */
static const char *const not_offered[] = { "client_encoding", "replication",
                                           "fallback_application_name" };

static bool
is_offered(const PQconninfoOption *o)
{
    for (size_t i = 0; i < sizeof(not_offered) / sizeof(not_offered[0]); i++) {
        if (strcmp(o->keyword, not_offered[i]) == 0)
            return false;
    }
    return true;
}

/* Behind our own options of [database] come the parameters of libpq. */
static void
add_libpq(struct odks_config *cfg)
{
    struct odks_schema *schema = &cfg->schema[ODKS_SECTION_DATABASE];
    PQconninfoOption *libpq = PQconndefaults();
    size_t count = schema->count;

    cfg->libpq = libpq;
    for (const PQconninfoOption *o = libpq; o != NULL && o->keyword != NULL;
         o++)
        count++;
    cfg->database = odks_xcalloc(count, sizeof(cfg->database[0]));
    memcpy(cfg->database, schema->options,
           schema->count * sizeof(cfg->database[0]));
    for (const PQconninfoOption *o = libpq; o != NULL && o->keyword != NULL;
         o++) {
        if (o->envvar != NULL && strcmp(o->dispchar, "*") == 0)
            odks_config_add_secret_variable(cfg, o->envvar);
        if (!is_offered(o))
            continue;
        cfg->database[schema->count++] = (struct odks_option){
            .section = ODKS_SECTION_DATABASE,
            .type = strcmp(o->dispchar, "*") == 0 ? ODKS_OPTION_SECRET
                                                  : ODKS_OPTION_TEXT,
            .key = o->keyword,
            .min = 1,
            .max = 4095,
            .help = o->label,
            .offset = ODKS_OPTION_NO_FIELD,
        };
    }
    schema->options = cfg->database;
}

struct odks_config *
odks_config_new(void)
{
    struct odks_config *cfg = odks_xcalloc(1, sizeof(*cfg));
    size_t count;
    const struct odks_option *options = odks_options(&count);

    for (size_t i = count; i-- > 0;) {
        cfg->schema[options[i].section].options = &options[i];
        cfg->schema[options[i].section].count++;
    }
    add_libpq(cfg);
    return cfg;
}

void
odks_config_own(struct odks_config *cfg, void *p, size_t len)
{
    cfg->owned = odks_xreallocarray(cfg->owned, cfg->owned_count + 1,
                                    sizeof(cfg->owned[0]));
    cfg->owned[cfg->owned_count++] = (struct odks_owned){ p, len };
}

const char *
odks_config_keep(struct odks_config *cfg, const char *s)
{
    char *copy = odks_xstrdup(s);

    odks_config_own(cfg, copy, strlen(copy));
    return copy;
}

void
odks_config_remark(struct odks_config *cfg, bool urgent, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    odks_utf8_vformat(text, sizeof(text), fmt, args);
    va_end(args);
    cfg->remarks = odks_xreallocarray(cfg->remarks, cfg->remark_count + 1,
                                      sizeof(cfg->remarks[0]));
    cfg->remarks[cfg->remark_count++] =
        (struct odks_remark){ .text = odks_config_keep(cfg, text),
                              .urgent = urgent };
}

size_t
odks_config_remark_count(const struct odks_config *cfg)
{
    return cfg->remark_count;
}

const char *
odks_config_remark_text(const struct odks_config *cfg, size_t i, bool *urgent)
{
    *urgent = cfg->remarks[i].urgent;
    return cfg->remarks[i].text;
}

static void
free_section(struct odks_section *section)
{
    free(section->values);
    free(section);
}

void
odks_config_free(struct odks_config *cfg)
{
    if (cfg == NULL)
        return;
    for (size_t i = 0; i < cfg->all.count; i++)
        free_section(cfg->all.section[i]);
    free(cfg->all.section);
    for (size_t i = 0; i < ODKS_SECTION_COUNT; i++) {
        free(cfg->of_kind[i].section);
        odks_index_clear(&cfg->by_name[i]);
    }
    for (size_t i = 0; i < cfg->owned_count; i++) {
        explicit_bzero(cfg->owned[i].p, cfg->owned[i].len);
        free(cfg->owned[i].p);
    }
    free(cfg->owned);
    free(cfg->remarks);
    free(cfg->database);
    free(cfg->secret_variables);
    PQconninfoFree(cfg->libpq);
    free(cfg);
}

static const char *
title(struct odks_config *cfg, enum odks_option_section kind, const char *name)
{
    const char *word = odks_option_section_name(kind);
    bool plain =
        *name == '\0'
        || (kind == ODKS_SECTION_CENTRAL && strcmp(name, "central") == 0);
    CLEANUP_FREE char *text =
        odks_xasprintf("[%s%s%s]", word, plain ? "" : " ", plain ? "" : name);

    return odks_config_keep(cfg, text);
}

static void
append_section(struct odks_sections *list, struct odks_section *section)
{
    list->section = odks_xreallocarray(list->section, list->count + 1,
                                       sizeof(list->section[0]));
    list->section[list->count++] = section;
}

static void
remove_section(struct odks_sections *list, const struct odks_section *section)
{
    size_t i = 0;

    while (list->section[i] != section)
        i++;
    list->count--;
    memmove(&list->section[i], &list->section[i + 1],
            (list->count - i) * sizeof(list->section[0]));
}

struct odks_section *
odks_config_add_section(struct odks_config *cfg, enum odks_option_section kind,
                        const char *name, const char *origin)
{
    struct odks_section *section = odks_xcalloc(1, sizeof(*section));

    section->kind = kind;
    section->name = odks_config_keep(cfg, name);
    section->title = title(cfg, kind, name);
    section->origin = odks_config_keep(cfg, origin);
    section->values =
        odks_xcalloc(cfg->schema[kind].count, sizeof(section->values[0]));
    append_section(&cfg->all, section);
    append_section(&cfg->of_kind[kind], section);
    (void) odks_index_put(&cfg->by_name[kind], section->name,
                          cfg->of_kind[kind].count - 1);
    return section;
}

struct odks_section *
odks_config_section(const struct odks_config *cfg,
                    enum odks_option_section kind, const char *name)
{
    size_t i;

    return odks_index_get(&cfg->by_name[kind], name, &i)
               ? cfg->of_kind[kind].section[i]
               : NULL;
}

void
odks_config_remove_section(struct odks_config *cfg,
                           struct odks_section *section)
{
    struct odks_sections *siblings = &cfg->of_kind[section->kind];
    struct odks_index *by_name = &cfg->by_name[section->kind];

    remove_section(&cfg->all, section);
    remove_section(siblings, section);
    odks_index_clear(by_name);
    for (size_t i = 0; i < siblings->count; i++)
        (void) odks_index_put(by_name, siblings->section[i]->name, i);
    free_section(section);
}

const struct odks_option *
odks_config_option(const struct odks_config *cfg, enum odks_option_section kind,
                   const char *key)
{
    const struct odks_schema *schema = &cfg->schema[kind];

    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->options[i].key, key) == 0)
            return &schema->options[i];
    }
    return NULL;
}

struct odks_value *
odks_config_value(const struct odks_config *cfg,
                  const struct odks_section *section, const char *key)
{
    const struct odks_option *option =
        odks_config_option(cfg, section->kind, key);

    return option == NULL
               ? NULL
               : &section->values[option - cfg->schema[section->kind].options];
}

bool
odks_config_set(struct odks_config *cfg, struct odks_section *section,
                const struct odks_option *option, const char *text,
                const char *origin, struct odks_err *err)
{
    struct odks_value *value =
        &section->values[option - cfg->schema[section->kind].options];

    if (*text == '\0') {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s is empty", origin,
                     option->key);
        odks_err_hint(err, "Give it a value, or leave it out for the default.");
        return false;
    }
    if (option->type != ODKS_OPTION_SECRET
        && (odks_text_has_control(text) || !odks_is_utf8(text, strlen(text)))) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "%s: %s holds a control character or is not UTF-8", origin,
                     option->key);
        return false;
    }
    *value = (struct odks_value){ .text = odks_config_keep(cfg, text),
                                  .origin = odks_config_keep(cfg, origin) };
    return true;
}

const struct odks_run_conf *
odks_config_run(const struct odks_config *cfg)
{
    return &cfg->of_kind[ODKS_SECTION_RUN].section[0]->conf.run;
}

const struct odks_database_conf *
odks_config_database(const struct odks_config *cfg)
{
    return &cfg->of_kind[ODKS_SECTION_DATABASE].section[0]->conf.database.conf;
}

size_t
odks_config_job_count(const struct odks_config *cfg)
{
    return cfg->of_kind[ODKS_SECTION_JOB].count;
}

const struct odks_job_conf *
odks_config_job(const struct odks_config *cfg, size_t i)
{
    const struct odks_sections *jobs = &cfg->of_kind[ODKS_SECTION_JOB];

    return i < jobs->count ? &jobs->section[i]->conf.job.conf : NULL;
}

size_t
odks_config_central_count(const struct odks_config *cfg)
{
    return cfg->of_kind[ODKS_SECTION_CENTRAL].count;
}

const struct odks_central_conf *
odks_config_central(const struct odks_config *cfg, size_t i)
{
    const struct odks_sections *centrals = &cfg->of_kind[ODKS_SECTION_CENTRAL];

    return i < centrals->count ? &centrals->section[i]->conf.central.conf
                               : NULL;
}

/*
 * What the jobs are called: an array that the caller frees, and as many of
 * them as fit into list.
 */
static const char **
job_names(const struct odks_config *cfg, size_t count, struct odks_buf *list)
{
    const char **names = odks_xcalloc(count, sizeof(names[0]));
    bool fits = true;

    for (size_t i = 0; i < count; i++) {
        const struct odks_job_conf *job = odks_config_job(cfg, i);

        names[i] = job != NULL ? job->sync_type : "";
        fits =
            fits && odks_buf_printf(list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return names;
}

const struct odks_job_conf *
odks_config_find_job(const struct odks_config *cfg, const char *sync_type,
                     struct odks_err *err)
{
    const struct odks_section *section =
        odks_config_section(cfg, ODKS_SECTION_JOB, sync_type);

    if (section != NULL)
        return &section->conf.job.conf;

    CLEANUP_BUF struct odks_buf list = ODKS_BUF_INIT(400);
    size_t count = odks_config_job_count(cfg);
    const char **names = job_names(cfg, count, &list);
    const char *near = odks_suggest(sync_type, names, count);

    odks_err_set(err, ODKS_EXIT_USAGE, "unknown sync type \"%s\"", sync_type);
    if (count == 0)
        odks_err_hint(err, "The configuration has no [job NAME] section.");
    else
        odks_err_hint(
            err, "%s%s%sThere is: %s.", near != NULL ? "Did you mean \"" : "",
            near != NULL ? near : "", near != NULL ? "\"? " : "", list.data);
    free(names);
    return NULL;
}
