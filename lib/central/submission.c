/* lib/central/submission.c - SPDX-License-Identifier: Apache-2.0 */
/* The XML of one submission. */
#include <config.h>

#include <inttypes.h>

#include "central/internal.h"
#include "central/xml.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"

/* *found is false if Central does not have it. */
static bool
fetch_body(struct odks_central *central, const char *target,
           struct odks_buf *body, bool *found, struct odks_err *err)
{
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

    *found = odks_central_request_xml(central, target, &response, err);
    if (*found)
        return odks_central_read_body(response, body, err);
    if (err->code != ODKS_EXIT_CONFIG) /* that is a 404 */
        return false;
    odks_err_clear(err);
    return true;
}

/* *xml is NULL if Central does not have it. */
static bool
fetch_xml(struct odks_central *central, const char *target,
          struct odks_xml **xml, struct odks_err *err)
{
    *xml = NULL;
    for (int try = 1;; try++) {
        CLEANUP_BUF struct odks_buf body =
            ODKS_BUF_INIT((size_t) central->login->max_row_bytes);
        bool found;

        if (!fetch_body(central, target, &body, &found, err))
            return false;
        if (!found
            || odks_xml_parse("submission", body.len > 0 ? body.data : "",
                              body.len, xml, err))
            return true;
        if (err->code != ODKS_EXIT_UNAVAILABLE)
            return false;
        if (try == 2) {
            /* Central accepts almost any text as XML */
            err->code = ODKS_EXIT_DATA;
            return false;
        }
        odks_err_clear(err);
    }
}

bool
odks_central_submission(struct odks_central *central, int64_t project,
                        const char *form_id, const char *id,
                        const char *instance_id, struct odks_xml **xml,
                        struct odks_err *err)
{
    CLEANUP_FREE char *form = odks_http_escape(form_id);
    CLEANUP_FREE char *name = odks_http_escape(id);
    CLEANUP_FREE char *base =
        odks_xasprintf("/v1/projects/%" PRId64 "/forms/%s/submissions/%s",
                       project, form, name);

    *xml = NULL;
    if (instance_id != NULL) {
        CLEANUP_FREE char *version = odks_http_escape(instance_id);
        CLEANUP_FREE char *target =
            odks_xasprintf("%s/versions/%s.xml", base, version);

        if (!fetch_xml(central, target, xml, err) || *xml != NULL)
            return err->code == ODKS_EXIT_OK;
    }
    CLEANUP_FREE char *target = odks_xasprintf("%s.xml", base);
    return fetch_xml(central, target, xml, err);
}
