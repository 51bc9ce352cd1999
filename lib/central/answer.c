/* lib/central/answer.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "central/internal.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"

enum { MAX_ERROR_BODY = 64 * 1024 };

bool
odks_central_parse(const struct odks_buf *body, struct json_object **json,
                   struct odks_err *err)
{
    struct odks_json_fault fault;

    if (odks_json_parse(body->data, body->len, json, &fault) && *json != NULL)
        return true;
    if (fault.cut)
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "Central's answer was cut short behind %zu bytes",
                     body->len);
    else
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "Central's answer is not JSON: %s at byte %zu",
                     fault.what != NULL ? fault.what : "null", fault.at);
    return false;
}

bool
odks_central_read_body(struct odks_http_response *response,
                       struct odks_buf *body, struct odks_err *err)
{
    const char *data;
    size_t len;

    do {
        if (!odks_http_read(response, &data, &len, err))
            return false;
        if (!odks_buf_add(body, data, len)) {
            odks_err_set(err, ODKS_EXIT_DATA,
                         "Central's answer is larger than %zu bytes",
                         body->cap);
            return false;
        }
    } while (len > 0);
    return true;
}

bool
odks_central_read_json(struct odks_http_response *response, size_t cap,
                       struct json_object **json, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf body = ODKS_BUF_INIT(cap);

    *json = NULL;
    return odks_central_read_body(response, &body, err)
           && odks_central_parse(&body, json, err);
}

/* --- what is no Central --------------------------------------------------- */

void
odks_central_unlike(const struct odks_central *central, const char *what,
                    struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_PROTOCOL,
                 "%s does not answer like ODK Central: %s",
                 central->login->http.origin, what);
    /* a port that speaks https may answer a request without TLS in HTTP */
    odks_err_hint(err,
                  "Check url in [central]; a login page of a proxy or a "
                  "firewall in between answers like that too.%s",
                  strncmp(central->login->http.origin, "http://", 7) == 0
                      ? " If that port speaks https, write https:// instead "
                        "of http://."
                      : "");
}

static void
not_central(const struct odks_central *central,
            const struct odks_http_response *response, struct odks_err *err)
{
    const char *type = odks_http_content_type(response);
    CLEANUP_FREE char *what =
        odks_xasprintf("HTTP status %d, %s", odks_http_status(response),
                       type != NULL ? type : "no content type");

    odks_central_unlike(central, what, err);
}

static void
redirected(const struct odks_central *central,
           const struct odks_http_response *response, struct odks_err *err)
{
    const char *location = odks_http_location(response);

    if (location == NULL)
        location = "nowhere";
    odks_err_set(err, ODKS_EXIT_PROTOCOL,
                 "%s sends us elsewhere (HTTP status %d to %.*s); not followed",
                 central->login->http.origin, odks_http_status(response),
                 (int) strcspn(location, "?#"), location);
    odks_err_hint(err, "Write the address at which Central itself answers as "
                       "url in [central]; mostly it begins with https.");
}

bool
odks_central_expect(const struct odks_central *central,
                    const struct odks_http_response *response,
                    const char *wanted, struct odks_err *err)
{
    const char *type = odks_http_content_type(response);

    if (odks_http_status(response) == 200 && type != NULL
        && strncasecmp(type, wanted, strlen(wanted)) == 0)
        return true;
    not_central(central, response, err);
    return false;
}

/* --- what Central refuses ------------------------------------------------- */

static const struct refusal {
    int status;
    enum odks_exit code;
    const char *text;
    const char *hint; /* or NULL */
} refusals[] = {
    { 400, ODKS_EXIT_DATA, "does not understand our query",
      "odk-sync needs ODK Central v2024.3 or newer." },
    { 401, ODKS_EXIT_NOPERM, "refuses the session it has just given us",
      "Is there a proxy in between that drops the Authorization header?" },
    { 404, ODKS_EXIT_CONFIG, "does not have what we ask for",
      "Check project and form in the job's section." },
    { 501, ODKS_EXIT_DATA, "does not know our query",
      "odk-sync needs ODK Central v2024.3 or newer." },
};

/* Statuses that say all by themselves, whoever gives them; besides those that
 * may be others next time. */
static const struct refusal anyones[] = {
    { 414, ODKS_EXIT_SOFTWARE, "finds our URL too long", NULL },
    { 431, ODKS_EXIT_SOFTWARE, "finds our URL too long", NULL },
    { 408, ODKS_EXIT_UNAVAILABLE, "gave up waiting for us", NULL },
    { 429, ODKS_EXIT_TEMPFAIL, "has too many requests", NULL },
};

static const struct refusal *
find(const struct refusal *list, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].status == status)
            return &list[i];
    }
    return NULL;
}

#define FIND(list, status) find(list, sizeof(list) / sizeof((list)[0]), status)

static void
set_refusal(const struct odks_central *central, const struct refusal *refusal,
            int status, struct odks_err *err)
{
    odks_err_set(err, refusal->code, "%s %s (HTTP status %d)",
                 central->login->http.origin, refusal->text, status);
    if (refusal->hint != NULL)
        odks_err_hint(err, "%s", refusal->hint);
}

static void
no_rights(const struct odks_central *central, const char *target,
          struct odks_err *err)
{
    long long project;
    const char *user = central->login->user;

    odks_err_set(err, ODKS_EXIT_NOPERM, "Central does not let %s read %.*s",
                 user, (int) strcspn(target, "?"), target);
    if (sscanf(target, "/v1/projects/%lld", &project) == 1)
        odks_err_hint(err, "Give %s the role Project Viewer on project %lld.",
                      user, project);
    else
        odks_err_hint(err, "Give %s the role Project Viewer.", user);
}

/* The error object of Central in a body, NULL if it is none. */
static struct json_object *
error_object(struct odks_http_response *response)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    CLEANUP_JSON struct json_object *json = NULL;

    if (!odks_central_read_json(response, MAX_ERROR_BODY, &json, &ignored)
        || *odks_json_text(json, "message") == '\0')
        return NULL;
    return odks_steal(&json);
}

void
odks_central_refused(const struct odks_central *central,
                     struct odks_http_response *response, const char *target,
                     struct odks_err *err)
{
    int status = odks_http_status(response);
    static const struct refusal passes = { 0, ODKS_EXIT_UNAVAILABLE,
                                           "is in trouble", NULL };
    const struct refusal *refusal = FIND(anyones, status);

    if (refusal == NULL && odks_http_transient(status))
        refusal = &passes;
    if (refusal != NULL) {
        set_refusal(central, refusal, status, err);
        return;
    }
    if (status >= 300 && status < 400 && status != 304) {
        redirected(central, response, err);
        return;
    }
    CLEANUP_JSON struct json_object *said = error_object(response);
    refusal = FIND(refusals, status);
    if (said == NULL || (refusal == NULL && status != 403)) {
        not_central(central, response, err);
        return;
    }
    if (status == 403)
        no_rights(central, target, err);
    else
        set_refusal(central, refusal, status, err);
    odks_err_detail(err, "%.*s: %s %s", (int) strcspn(target, "?"), target,
                    odks_json_text(said, "code"),
                    odks_json_text(said, "message"));
}

void
odks_central_login_refused(const struct odks_central *central,
                           struct odks_http_response *response,
                           struct odks_err *err)
{
    int status = odks_http_status(response);
    const char *origin = central->login->http.origin;

    if (status != 401 && status != 404) {
        odks_central_refused(central, response, "/v1/sessions", err);
        return;
    }
    CLEANUP_JSON struct json_object *said = error_object(response);
    if (said == NULL) {
        not_central(central, response, err);
    } else if (status == 401) {
        odks_err_set(err, ODKS_EXIT_NOPERM,
                     "%s refuses user %s or the password", origin,
                     central->login->user);
        odks_err_hint(err, "Check user and password_file in [central]; log in "
                           "with them in a browser.");
    } else {
        odks_err_set(err, ODKS_EXIT_NOPERM, "%s takes no passwords", origin);
        odks_err_hint(err, "Central with single sign-on (OIDC) has no password "
                           "sessions; otherwise check url in [central].");
    }
}
