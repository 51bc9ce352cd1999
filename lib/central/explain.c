/* lib/central/explain.c - SPDX-License-Identifier: Apache-2.0 */
/* Why there is no such form, dataset or project. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/suggest.h"

static bool
is_list_of_objects(struct json_object *json)
{
    bool ok = json_object_is_type(json, json_type_array);

    for (size_t i = 0; ok && i < json_object_array_length(json); i++)
        ok = json_object_is_type(json_object_array_get_idx(json, i),
                                 json_type_object);
    return ok;
}

/* Of a project, or of projects (-1). */
static struct json_object *
get_list(struct odks_central *central, int64_t project, const char *what,
         struct odks_err *err)
{
    CLEANUP_FREE char *target =
        project < 0
            ? odks_xstrdup("/v1/projects")
            : odks_xasprintf("/v1/projects/%" PRId64 "/%s", project, what);
    CLEANUP_JSON struct json_object *list = NULL;

    if (!odks_central_get(central, target, &list, NULL, err))
        return NULL;
    if (!is_list_of_objects(list)) {
        CLEANUP_FREE char *missing =
            odks_xasprintf("no list of %s", project < 0 ? "projects" : what);
        odks_central_unlike(central, missing, err);
        return NULL;
    }
    return odks_steal(&list);
}

/* The object in list whose key has that text, NULL if none has. */
static struct json_object *
find_by(struct json_object *list, const char *key, const char *text)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);

        if (strcmp(odks_json_text(one, key), text) == 0)
            return one;
    }
    return NULL;
}

/* The texts under key, "a, b, c", as many as fit a hint. */
static char *
join(struct json_object *list, const char *key)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(300);
    size_t n = json_object_array_length(list);

    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        size_t before = b.len;

        if (!odks_buf_printf(&b, "%s%s", i > 0 ? ", " : "",
                             odks_json_text(one, key))
            || (i + 1 < n && b.len + sizeof(", ...") > b.cap)) {
            odks_buf_truncate(&b, before);
            (void) !odks_buf_add_str(&b, ", ...");
            break;
        }
    }
    return odks_xstrdup(b.len > 0 ? b.data : "none");
}

static const char *
nearest(struct json_object *list, const char *key, const char *word)
{
    size_t n = json_object_array_length(list);
    CLEANUP_FREE const char **ids = odks_xcalloc(n + 1, sizeof(*ids));

    for (size_t i = 0; i < n; i++)
        ids[i] = odks_json_text(json_object_array_get_idx(list, i), key);
    return odks_suggest(word, ids, n);
}

static void
no_project(struct odks_central *central, int64_t project, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *list = get_list(central, -1, "", &ignored);

    odks_err_set(err, ODKS_EXIT_CONFIG, "Central has no project %" PRId64,
                 project);
    if (list == NULL)
        return;
    CLEANUP_FREE char *ids = join(list, "id");
    odks_err_hint(err, "Projects that %s may see: %s.", central->login->user,
                  ids);
}

/* The form is in none of the published ones. */
static void
no_form(struct json_object *list, struct json_object *trash, int64_t project,
        const char *form_id, struct odks_err *err)
{
    struct json_object *named = find_by(list, "name", form_id);
    const char *near = nearest(list, "xmlFormId", form_id);

    if (trash != NULL && find_by(trash, "xmlFormId", form_id) != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "form %s of project %" PRId64 " was deleted", form_id,
                     project);
        odks_err_hint(err, "Restore it in Central, or remove its job.");
        return;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG, "project %" PRId64 " has no form %s",
                 project, form_id);
    if (named != NULL)
        near = odks_json_text(named, "xmlFormId");
    if (near != NULL) {
        odks_err_hint(err, "Did you mean %s?", near);
    } else {
        CLEANUP_FREE char *ids = join(list, "xmlFormId");
        odks_err_hint(err,
                      "It has: %s. A form that was never published does "
                      "not show.",
                      ids);
    }
}

static void
no_dataset(struct json_object *list, struct json_object *trash, int64_t project,
           const char *name, struct odks_err *err)
{
    const char *near = nearest(list, "name", name);

    if (trash != NULL && find_by(trash, "name", name) != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "dataset %s of project %" PRId64 " was deleted", name,
                     project);
        odks_err_hint(err, "Central cannot restore it: remove its job. Its "
                           "tables stay as they are.");
        return;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG, "project %" PRId64 " has no dataset %s",
                 project, name);
    if (near != NULL) {
        odks_err_hint(err, "Did you mean %s?", near);
    } else {
        CLEANUP_FREE char *names = join(list, "name");
        odks_err_hint(err, "It has: %s.", names);
    }
}

/*
 * Who may not edit forms is refused one that was never published, and does not
 * see it in the list.
 */
static void
hidden_form(const struct odks_central *central, int64_t project,
            const char *form_id, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_NOPERM,
                 "form %s of project %" PRId64
                 " was never published, or is hidden from %s",
                 form_id, project, central->login->user);
    odks_err_hint(err,
                  "Publish its draft in Central, or give %s the role Project "
                  "Viewer.",
                  central->login->user);
}

/* A form that shows in the list may be one that was never published. */
static void
explain_form(struct odks_central *central, struct json_object *list,
             int64_t project, const char *form_id, struct odks_err *err)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    struct json_object *form = find_by(list, "xmlFormId", form_id);

    if (form == NULL && err->code == ODKS_EXIT_NOPERM) {
        hidden_form(central, project, form_id, err);
    } else if (form == NULL) {
        CLEANUP_JSON struct json_object *trash =
            get_list(central, project, "forms?deleted=true", &ignored);

        no_form(list, trash, project, form_id, err);
    } else if (odks_json_member(form, "publishedAt") == NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "form %s of project %" PRId64 " was never published",
                     form_id, project);
        odks_err_hint(err, "Publish its draft in Central.");
    }
}

void
odks_central_explain(struct odks_central *central, enum odks_feed feed,
                     int64_t project, const char *form_id, struct odks_err *err)
{
    struct odks_err other = ODKS_ERR_INIT;
    bool refused = err->code == ODKS_EXIT_NOPERM;

    if (refused && feed != ODKS_FEED_FORM)
        return;
    CLEANUP_JSON struct json_object *list =
        get_list(central, project, odks_feed_names(feed)->path, &other);
    if (list == NULL) {
        if (refused)
            return;
        if (other.code == ODKS_EXIT_CONFIG)
            no_project(central, project, err);
        else
            *err = other; /* this Central cannot be asked any more */
    } else if (feed == ODKS_FEED_FORM) {
        explain_form(central, list, project, form_id, err);
    } else if (find_by(list, "name", form_id) == NULL) {
        CLEANUP_JSON struct json_object *trash =
            get_list(central, project, "datasets?deleted=true", &other);

        no_dataset(list, trash, project, form_id, err);
    }
}

bool
odks_central_projects(struct odks_central *central,
                      struct json_object **projects, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *list = get_list(central, -1, "", err);

    *projects = NULL;
    for (size_t i = 0; list != NULL && i < json_object_array_length(list);
         i++) {
        struct json_object *id =
            odks_json_member(json_object_array_get_idx(list, i), "id");
        int64_t number = json_object_get_int64(id);

        if (!json_object_is_type(id, json_type_int) || number < 1
            || number > INT32_MAX) {
            odks_central_unlike(central, "a project without a number", err);
            return false;
        }
    }
    *projects = odks_steal(&list);
    return *projects != NULL;
}

bool
odks_central_datasets(struct odks_central *central, int64_t project,
                      struct json_object **datasets, struct odks_err *err)
{
    *datasets = get_list(central, project,
                         odks_feed_names(ODKS_FEED_DATASET)->path, err);
    if (*datasets == NULL && err->code == ODKS_EXIT_CONFIG)
        no_project(central, project, err);
    return *datasets != NULL;
}

bool
odks_central_forms(struct odks_central *central, int64_t project,
                   struct json_object **forms, struct odks_err *err)
{
    *forms =
        get_list(central, project, odks_feed_names(ODKS_FEED_FORM)->path, err);
    if (*forms == NULL && err->code == ODKS_EXIT_CONFIG)
        no_project(central, project, err);
    return *forms != NULL;
}
