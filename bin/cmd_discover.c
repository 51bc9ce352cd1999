/* bin/cmd_discover.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * List what the account can see, as sections for the configuration file. Ids
 * and titles come from other people: whatever they contain, the file loads,
 * and its jobs mirror exactly these forms and datasets.
 */
#include <config.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bin/cmd.h"
#include "bin/print.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/safe.h"
#include "run/login.h"
#include "table/names.h"

struct listing {
    const struct odks_config *cfg;
    const struct odks_central_conf *central;
    int64_t project;
    struct odks_names names; /* of the sections printed so far */
};

/* A form or dataset, borrowed from the lists. */
struct found {
    bool is_dataset;
    const char *id; /* "": it has none that a file can contain */
    const char *title;
};

/*
 * An id in the way a person would write it as a name: ASCII letters and digits
 * in lower case, other scripts as they are, one "_" for a run of anything else.
 * The caller frees it.
 */
static char *
make_readable(const char *id)
{
    char *name = odks_xcalloc(strlen(id) + 1, 1);
    size_t len = 0;
    bool gap = false;

    for (size_t n; *id != '\0'; id += n) {
        n = odks_safe_length(id);
        if (n == 0 || odks_safe_is_space(id)
            || (n == 1 && !isalnum((unsigned char) *id))) {
            gap = len > 0;
            n = n > 0 ? n : 1;
            continue;
        }
        if (gap)
            name[len++] = '_';
        gap = false;
        for (size_t i = 0; i < n; i++)
            name[len++] =
                (char) (n == 1 ? tolower((unsigned char) *id) : id[i]);
    }
    return name;
}

static bool
is_free(const struct listing *l, const char *name)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    return !odks_names_has(&l->names, name)
           && odks_config_find_job(l->cfg, name, &ignored) == NULL;
}

/* A name for the section, with a number if another section has it. */
static char *
choose_name(const struct listing *l, const struct found *item)
{
    CLEANUP_FREE char *readable = make_readable(item->id);
    const char *otherwise = item->is_dataset ? "dataset" : "form";
    CLEANUP_FREE char *base =
        odks_xasprintf("%s%s", *readable != '\0' ? readable : otherwise,
                       item->is_dataset ? "_entities" : "");

    for (unsigned i = 1;; i++) {
        char number[16] = "";

        if (i > 1)
            (void) snprintf(number, sizeof(number), "_%u", i);
        CLEANUP_FREE char *name =
            odks_name_fit(base, number, ODKS_CONFIG_JOB_MAX, item->id);
        if (is_free(l, name))
            return odks_steal(&name);
    }
}

/* The job that mirrors item already: its own one, or one for all forms. */
static const struct odks_job_conf *
find_job(const struct listing *l, const struct found *item)
{
    const struct odks_job_conf *found = NULL;

    for (size_t i = 0; i < odks_config_job_count(l->cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(l->cfg, i);
        const char *id = item->is_dataset ? job->dataset : job->form;

        if (job->central != l->central || job->project != l->project
            || id == NULL)
            continue;
        if (!odks_config_is_pattern(job) && strcmp(id, item->id) == 0)
            return job;
        if (odks_config_is_pattern(job)
            && odks_config_wants_form(l->cfg, job, item->id))
            found = job;
    }
    return found;
}

/* false: a value has no form in which the file could contain it. */
static bool
print_section(const struct listing *l, const struct found *item,
              const char *name, FILE *out)
{
    odks_print(out, "[job %s]\n", name);
    odks_print(out, "kind = %s\n",
               item->is_dataset ? "entities" : "submissions");
    odks_print(out, "project = %" PRId64 "\n", l->project);
    if (!odks_config_print_id(item->is_dataset ? "dataset" : "form", item->id,
                              out)
        || (strcmp(l->central->name, "central") != 0
            && !odks_config_print_value("central", l->central->name, out)))
        return false;
    odks_print(out, "every = 15m\n");
    return true;
}

static void
print_found(struct listing *l, const struct found *item)
{
    const struct odks_job_conf *job = find_job(l, item);
    CLEANUP_FREE char *section = NULL, *name = choose_name(l, item);
    size_t len = 0;

    odks_print(stdout, "\n");
    odks_config_print_comment(stdout, "%s%s",
                              item->is_dataset ? "dataset " : "", item->title);
    if (job != NULL) {
        odks_config_print_comment(stdout, "[job %s] mirrors it already",
                                  job->sync_type);
        return;
    }
    FILE *out = odks_or_die(open_memstream(&section, &len));
    bool complete = print_section(l, item, name, out);
    (void) fclose(out);
    if (!complete) {
        odks_config_print_comment(
            stdout,
            "left out: its %s or the name of its [central] cannot be "
            "written in the file",
            item->is_dataset ? "name" : "id");
        return;
    }
    odks_print_lines(stdout, section);
    odks_names_add(&l->names, name);
}

/* The id under key; "" if it is no text, or ends early with a NUL. */
static const char *
get_id(struct json_object *o, const char *key)
{
    struct json_object *id = odks_json_member(o, key);
    const char *text = odks_json_text(o, key);

    return json_object_is_type(id, json_type_string)
                   && strlen(text) == (size_t) json_object_get_string_len(id)
               ? text
               : "";
}

static void
print_project(struct listing *l, struct json_object *project,
              struct json_object *forms, struct json_object *datasets)
{
    odks_print(stdout, "\n");
    odks_config_print_comment(stdout, "project %" PRId64 ": %s", l->project,
                              odks_json_text(project, "name"));
    for (size_t i = 0; i < json_object_array_length(forms); i++) {
        struct json_object *form = json_object_array_get_idx(forms, i);
        const char *name = odks_json_text(form, "name");
        struct found item = {
            .id = get_id(form, "xmlFormId"),
            .title = *name != '\0' ? name : odks_json_text(form, "xmlFormId"),
        };

        /* a form that was never published has nothing to read */
        if (*odks_json_text(form, "publishedAt") != '\0')
            print_found(l, &item);
    }
    for (size_t i = 0; i < json_object_array_length(datasets); i++) {
        struct json_object *dataset = json_object_array_get_idx(datasets, i);
        struct found item = {
            .is_dataset = true,
            .id = get_id(dataset, "name"),
            .title = odks_json_text(dataset, "name"),
        };

        print_found(l, &item);
    }
}

/* The lists become members of project. */
static bool
discover_project(const struct odks_cli *cli, struct listing *l,
                 struct odks_central *central, struct json_object *project,
                 struct odks_err *err)
{
    struct json_object *forms = NULL, *datasets = NULL;

    l->project = json_object_get_int64(odks_json_member(project, "id"));
    if (!odks_central_forms(central, l->project, &forms, err))
        return false;
    (void) json_object_object_add(project, "forms", forms);
    if (!odks_central_datasets(central, l->project, &datasets, err))
        return false;
    (void) json_object_object_add(project, "datasets", datasets);
    if (!cli->json)
        print_project(l, project, forms, datasets);
    return true;
}

static bool
discover_central(const struct odks_cli *cli, struct listing *l,
                 struct json_object *all, struct odks_err *err)
{
    CLEANUP_LOGIN struct odks_login login = { 0 };
    CLEANUP_CENTRAL struct odks_central *central = NULL;
    struct json_object *projects = NULL;

    if (!odks_login(l->central, &login, &central, err)
        || !odks_central_projects(central, &projects, err))
        return false;
    (void) json_object_object_add(all, l->central->name, projects);
    for (size_t i = 0; i < json_object_array_length(projects); i++) {
        if (!discover_project(cli, l, central,
                              json_object_array_get_idx(projects, i), err))
            return false;
    }
    return true;
}

enum odks_exit
odks_cmd_discover(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;
    CLEANUP_JSON struct json_object *all = json_object_new_object();
    struct listing l = { .names = { 0 } };

    if (!odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    l.cfg = cfg;
    for (size_t i = 0;
         err->code == ODKS_EXIT_OK && i < odks_config_central_count(cfg); i++) {
        l.central = odks_config_central(cfg, i);
        (void) discover_central(cli, &l, all, err);
    }
    odks_names_clear(&l.names);
    if (err->code == ODKS_EXIT_OK && cli->json)
        odks_print_json(odks_steal(&all));
    return err->code;
}
