/* lib/central/form.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "central/internal.h"
#include "central/xform.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/time.h"

enum { MAX_FORM = 1024 * 1024 };

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
    if (!odks_central_feed_request(central, ODKS_FEED_FORM, project, form_id,
                                   target, &response, err)
        || !odks_central_read_json(response, MAX_FORM, &json, err))
        return false;
    int64_t date = odks_http_date(response);
    if (*odks_json_text(json, "xmlFormId") == '\0'
        || *odks_json_text(json, "hash") == '\0' || date == ODKS_TIME_NONE) {
        odks_central_unlike(central,
                            date == ODKS_TIME_NONE
                                ? "a form without a Date header"
                                : "a form without id or hash",
                            err);
        return false;
    }
    form->id = odks_xstrdup(odks_json_text(json, "xmlFormId"));
    form->name = odks_xstrdup(odks_json_text(json, "name"));
    form->version = odks_xstrdup(odks_json_text(json, "version"));
    form->hash = odks_xstrdup(odks_json_text(json, "hash"));
    form->state = odks_xstrdup(odks_json_text(json, "state"));
    form->encrypted = odks_json_member(json, "keyId") != NULL;
    form->date = date;
    form->touched = ODKS_TIME_NONE;
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
            odks_central_explain(central, ODKS_FEED_FORM, project, form_id,
                                 err);
        return false;
    }
    return odks_central_read_body(response, &body, err)
           && odks_xform_parse(body.len > 0 ? body.data : "", body.len, form,
                               err);
}
