/* bin/cmd_discover.c - SPDX-License-Identifier: Apache-2.0 */
/* List what the account may see, as sections to paste into the file. */
#include <config.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "bin/cmd.h"
#include "core/mem.h"
#include "core/safe.h"
#include "run/login.h"

static const char *
text(struct json_object *o, const char *key)
{
    struct json_object *value = NULL;

    (void) json_object_object_get_ex(o, key, &value);
    const char *s = json_object_get_string(value);
    return s != NULL ? s : "";
}

/* An id as a sync type: what a person would type. */
static void
print_type(const char *id, const char *otherwise)
{
    bool gap = false, any = false;

    for (; *id != '\0'; id++) {
        if (!isalnum((unsigned char) *id)) {
            gap = any;
            continue;
        }
        if (gap)
            (void) putchar('_');
        (void) putchar(tolower((unsigned char) *id));
        gap = false;
        any = true;
    }
    if (!any)
        printf("%s", otherwise);
}

static void
print_rest(const struct odks_central_conf *conf)
{
    if (strcmp(conf->name, "central") != 0)
        printf("central = %s\n", conf->name);
    printf("every = 15m\n");
}

static void
print_form(const struct odks_central_conf *conf, struct json_object *project,
           struct json_object *form)
{
    const char *id = text(form, "xmlFormId");

    printf("\n; ");
    odks_print_safe(text(form, "name"), stdout);
    printf("\n[job ");
    print_type(id, "form");
    printf("]\nkind = submissions\nproject = %s\nform = %s\n",
           text(project, "id"), id);
    print_rest(conf);
}

/* A form may have the same name: a sync type is one of a kind. */
static void
print_dataset(const struct odks_central_conf *conf, struct json_object *project,
              struct json_object *dataset)
{
    const char *name = text(dataset, "name");

    printf("\n; dataset ");
    odks_print_safe(name, stdout);
    printf("\n[job ");
    print_type(name, "dataset");
    printf("_entities]\nkind = entities\nproject = %s\ndataset = %s\n",
           text(project, "id"), name);
    print_rest(conf);
}

static void
print_project(const struct odks_central_conf *conf, struct json_object *project,
              struct json_object *forms, struct json_object *datasets)
{
    printf("\n; project %s: ", text(project, "id"));
    odks_print_safe(text(project, "name"), stdout);
    (void) putchar('\n');
    for (size_t i = 0; i < json_object_array_length(forms); i++) {
        struct json_object *form = json_object_array_get_idx(forms, i);

        /* a form that was never published has nothing to read */
        if (text(form, "publishedAt")[0] != '\0')
            print_form(conf, project, form);
    }
    for (size_t i = 0; i < json_object_array_length(datasets); i++)
        print_dataset(conf, project, json_object_array_get_idx(datasets, i));
}

/* What Central lists of a project, as a member of it; borrowed. */
static struct json_object *
list(struct odks_central *central, struct json_object *project,
     const char *what, struct odks_err *err)
{
    struct json_object *all = NULL;
    CLEANUP_FREE char *target =
        odks_xasprintf("/v1/projects/%s/%s", text(project, "id"), what);

    if (odks_central_get(central, target, &all, NULL, err))
        (void) json_object_object_add(project, what, all);
    return all;
}

static bool
discover(const struct odks_cli *cli, const struct odks_central_conf *conf,
         struct json_object *all, struct odks_err *err)
{
    CLEANUP_LOGIN struct odks_login login = { 0 };
    CLEANUP_CENTRAL struct odks_central *central = NULL;
    struct json_object *projects = NULL;

    if (!odks_login(conf, &login, &central, err)
        || !odks_central_get(central, "/v1/projects", &projects, NULL, err))
        return false;
    (void) json_object_object_add(all, conf->name, projects);
    for (size_t i = 0; i < json_object_array_length(projects); i++) {
        struct json_object *project = json_object_array_get_idx(projects, i);
        struct json_object *forms = list(central, project, "forms", err);
        struct json_object *datasets =
            forms != NULL ? list(central, project, "datasets", err) : NULL;

        if (datasets == NULL)
            return false;
        if (!cli->json)
            print_project(conf, project, forms, datasets);
    }
    return true;
}

enum odks_exit
odks_cmd_discover(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;

    if (!odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    struct json_object *all = json_object_new_object();
    for (size_t i = 0; i < odks_config_central_count(cfg); i++) {
        if (!discover(cli, odks_config_central(cfg, i), all, err))
            break;
    }
    if (err->code == ODKS_EXIT_OK && cli->json)
        printf("%s\n",
               json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
    json_object_put(all);
    return err->code;
}
