/* lib/central/form.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "central/xform.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "core/time.h"

enum { MAX_FORM = 1024 * 1024 };

static bool
is_null(struct json_object *json, const char *key)
{
    struct json_object *value;

    return !json_object_object_get_ex(json, key, &value) || value == NULL;
}

bool
odks_central_form(struct odks_central *central, int64_t project,
                  const char *form_id, struct odks_form *form,
                  struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(form_id);
    CLEANUP_FREE char *target =
        odks_xasprintf("/v1/projects/%" PRId64 "/forms/%s", project, id);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    CLEANUP_JSON struct json_object *json = NULL;

    *form = (struct odks_form){ 0 };
    if (!odks_central_form_request(central, project, form_id, target, &response,
                                   err)
        || !odks_central_read_json(response, MAX_FORM, &json, err))
        return false;
    int64_t date = odks_http_date(response);
    if (*odks_json_text(json, "xmlFormId") == '\0'
        || *odks_json_text(json, "hash") == '\0' || date == ODKS_TIME_NONE) {
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "%s does not answer like ODK Central: a form without %s",
                     central->login->http.origin,
                     date == ODKS_TIME_NONE ? "a Date header" : "id or hash");
        return false;
    }
    form->id = odks_xstrdup(odks_json_text(json, "xmlFormId"));
    form->name = odks_xstrdup(odks_json_text(json, "name"));
    form->version = odks_xstrdup(odks_json_text(json, "version"));
    form->hash = odks_xstrdup(odks_json_text(json, "hash"));
    form->state = odks_xstrdup(odks_json_text(json, "state"));
    form->encrypted = !is_null(json, "keyId");
    form->date = date;
    return true;
}

void
odks_form_clear(struct odks_form *form)
{
    free(form->id);
    free(form->name);
    free(form->version);
    free(form->hash);
    free(form->state);
    *form = (struct odks_form){ 0 };
}

/* As far as it came is kept: the parser knows whether that is all. */
bool
odks_central_xform(struct odks_central *central, int64_t project,
                   const char *form_id, struct odks_xform **form,
                   struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(form_id);
    CLEANUP_FREE char *target =
        odks_xasprintf("/v1/projects/%" PRId64 "/forms/%s.xml", project, id);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    CLEANUP_BUF struct odks_buf body = ODKS_BUF_INIT(ODKS_XFORM_MAX);

    *form = NULL;
    if (!odks_central_request_xml(central, target, &response, err)) {
        if (err->code == ODKS_EXIT_CONFIG)
            odks_central_explain(central, project, form_id, err);
        return false;
    }
    return odks_central_read_body(response, &body, err)
           && odks_xform_parse(body.len > 0 ? body.data : "", body.len, form,
                               err);
}

bool
odks_central_count(struct odks_central *central, int64_t project,
                   const char *form_id, const char *filter, int64_t *count,
                   struct odks_err *err)
{
    CLEANUP_FREE char *id = odks_http_escape(form_id);
    CLEANUP_FREE char *escaped = odks_http_escape(filter != NULL ? filter : "");
    CLEANUP_FREE char *target =
        odks_xasprintf("/v1/projects/%" PRId64
                       "/forms/%s.svc/Submissions?$top=0&$count=true%s%s",
                       project, id, filter != NULL ? "&$filter=" : "", escaped);
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    CLEANUP_JSON struct json_object *json = NULL;
    struct json_object *value = NULL;

    *count = 0;
    if (!odks_central_form_request(central, project, form_id, target, &response,
                                   err)
        || !odks_central_read_json(response, MAX_FORM, &json, err))
        return false;
    if (json_object_is_type(json, json_type_object))
        (void) json_object_object_get_ex(json, "@odata.count", &value);
    if (!json_object_is_type(value, json_type_int)
        || json_object_get_int64(value) < 0) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "Central's answer holds no count of submissions");
        return false;
    }
    *count = json_object_get_int64(value);
    return true;
}

/* --- why there is no such form -------------------------------------------- */

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
    if (!json_object_is_type(list, json_type_array)) {
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "%s does not answer like ODK Central: no list of %s",
                     central->login->http.origin,
                     project < 0 ? "projects" : what);
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
nearest(struct json_object *list, const char *word)
{
    size_t n = json_object_array_length(list);
    CLEANUP_FREE const char **ids = odks_xcalloc(n + 1, sizeof(*ids));

    for (size_t i = 0; i < n; i++)
        ids[i] =
            odks_json_text(json_object_array_get_idx(list, i), "xmlFormId");
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
    const char *near = nearest(list, form_id);

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

void
odks_central_explain(struct odks_central *central, int64_t project,
                     const char *form_id, struct odks_err *err)
{
    struct odks_err other = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *list =
        get_list(central, project, "forms", &other);

    if (list == NULL) {
        if (other.code == ODKS_EXIT_CONFIG)
            no_project(central, project, err);
        else
            *err = other; /* this Central cannot be asked any more */
        return;
    }
    struct json_object *form = find_by(list, "xmlFormId", form_id);
    if (form == NULL) {
        CLEANUP_JSON struct json_object *trash =
            get_list(central, project, "forms?deleted=true", &other);

        no_form(list, trash, project, form_id, err);
    } else if (is_null(form, "publishedAt")) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "form %s of project %" PRId64 " was never published",
                     form_id, project);
        odks_err_hint(err, "Publish its draft in Central.");
    }
}

bool
odks_central_forms(struct odks_central *central, int64_t project,
                   struct json_object **forms, struct odks_err *err)
{
    *forms = get_list(central, project, "forms", err);
    if (*forms == NULL && err->code == ODKS_EXIT_CONFIG)
        no_project(central, project, err);
    return *forms != NULL;
}
