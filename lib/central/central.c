/* lib/central/central.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/central.h"

#include <string.h>

#include "central/internal.h"
#include "core/err.h"
#include "core/log.h"
#include "core/mem.h"

enum { MAX_JSON = 16 * 1024 * 1024, MAX_SESSION = 64 * 1024, LOGOUT_S = 5 };

bool
odks_central_open(const struct odks_central_login *login,
                  struct odks_central **central, struct odks_err *err)
{
    struct odks_http *http;

    *central = NULL;
    if (!odks_http_new(&login->http, &http, err))
        return false;
    *central = odks_xcalloc(1, sizeof(**central));
    (*central)->login = login;
    (*central)->http = http;
    return true;
}

const struct odks_http_stats *
odks_central_stats(const struct odks_central *central)
{
    return odks_http_stats(central->http);
}

static void
forget_token(struct odks_central *central)
{
    if (central->token != NULL)
        explicit_bzero(central->token, strlen(central->token));
    free(central->token);
    central->token = NULL;
}

static void
log_out(struct odks_central *central)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    const struct odks_http_request request = { .method = "DELETE",
                                               .target = "/v1/sessions/current",
                                               .bearer = central->token,
                                               .limit_s = LOGOUT_S };
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

    if (!odks_http_open(central->http, &request, &response, &ignored))
        odks_log(ODKS_LOG_DEBUG, "not logged out: %s", ignored.message);
}

void
odks_central_close(struct odks_central *central)
{
    if (central == NULL)
        return;
    if (central->token != NULL)
        log_out(central);
    forget_token(central);
    odks_http_free(central->http);
    free(central);
}

/* --- the session ---------------------------------------------------------- */

/* A token goes into a header: nothing else may come along. */
static bool
is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

static bool
take_token(struct odks_central *central, struct odks_http_response *response,
           struct odks_err *err)
{
    CLEANUP_JSON struct json_object *json = NULL;

    if (!odks_central_expect(central, response, "application/json", err)
        || !odks_central_read_json(response, MAX_SESSION, &json, err))
        return false;
    const char *token = odks_json_text(json, "token");
    if (!is_token(token)) {
        odks_central_unlike(central, "a login without a token", err);
        return false;
    }
    central->token = odks_xstrdup(token);
    return true;
}

/* A password that was refused is not sent again: accounts get locked. */
static void
give_up(struct odks_central *central, const struct odks_err *err)
{
    if (err->code == ODKS_EXIT_NOPERM)
        central->refused = *err;
}

static bool
log_in(struct odks_central *central, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *who = json_object_new_object();
    const struct odks_central_login *login = central->login;

    (void) json_object_object_add(who, "email",
                                  json_object_new_string(login->user));
    (void) json_object_object_add(who, "password",
                                  json_object_new_string(login->password));
    const struct odks_http_request request = {
        .method = "POST",
        .target = "/v1/sessions",
        .body = json_object_to_json_string_ext(who, JSON_C_TO_STRING_PLAIN),
    };
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;
    if (central->refused.code != ODKS_EXIT_OK) {
        *err = central->refused;
        return false;
    }
    if (!odks_http_open(central->http, &request, &response, err))
        return false;
    if (odks_http_status(response) == 200)
        return take_token(central, response, err);
    odks_central_login_refused(central, response, err);
    give_up(central, err);
    return false;
}

static bool
send_with_token(struct odks_central *central, const char *target,
                const char *tag, struct odks_http_response **response,
                struct odks_err *err)
{
    if (central->token == NULL && !log_in(central, err))
        return false;
    const struct odks_http_request request = { .method = "GET",
                                               .target = target,
                                               .bearer = central->token,
                                               .if_none_match = tag };
    return odks_http_open(central->http, &request, response, err);
}

/* A session that was refused as soon as it was given: another one will be,
 * too. */
static void
end_session(struct odks_central *central, const struct odks_err *err)
{
    forget_token(central);
    give_up(central, err);
}

/*
 * GET target, logging in as needed; its body has to be of that type. tag may
 * be NULL.
 */
static bool
request(struct odks_central *central, const char *target, const char *tag,
        const char *type, struct odks_http_response **response,
        struct odks_err *err)
{
    CLEANUP_HTTP_RESPONSE struct odks_http_response *r = NULL;

    *response = NULL;
    if (!send_with_token(central, target, tag, &r, err))
        return false;
    if (odks_http_status(r) == 401) {
        /* sessions end after a day, or when an administrator says so */
        odks_http_close(odks_steal(&r));
        forget_token(central);
        if (!send_with_token(central, target, tag, &r, err))
            return false;
    }
    bool same = tag != NULL && odks_http_status(r) == 304;
    if (!same && odks_http_status(r) != 200) {
        odks_central_refused(central, r, target, err);
        if (odks_http_status(r) == 401)
            end_session(central, err);
        return false;
    }
    if (!same && !odks_central_expect(central, r, type, err))
        return false;
    *response = odks_steal(&r);
    return true;
}

bool
odks_central_request_unless(struct odks_central *central, const char *target,
                            const char *tag,
                            struct odks_http_response **response,
                            struct odks_err *err)
{
    return request(central, target, tag, "application/json", response, err);
}

bool
odks_central_request(struct odks_central *central, const char *target,
                     struct odks_http_response **response, struct odks_err *err)
{
    return request(central, target, NULL, "application/json", response, err);
}

bool
odks_central_request_xml(struct odks_central *central, const char *target,
                         struct odks_http_response **response,
                         struct odks_err *err)
{
    return request(central, target, NULL, "application/xml", response, err);
}

bool
odks_central_feed_request(struct odks_central *central, enum odks_feed feed,
                          int64_t project, const char *form_id,
                          const char *target,
                          struct odks_http_response **response,
                          struct odks_err *err)
{
    if (odks_central_request(central, target, response, err))
        return true;
    if ((err->code == ODKS_EXIT_CONFIG || err->code == ODKS_EXIT_NOPERM)
        && central->refused.code == ODKS_EXIT_OK)
        odks_central_explain(central, feed, project, form_id, err);
    return false;
}

bool
odks_central_get(struct odks_central *central, const char *target,
                 struct json_object **json, int64_t *date, struct odks_err *err)
{
    CLEANUP_HTTP_RESPONSE struct odks_http_response *response = NULL;

    *json = NULL;
    if (!odks_central_request(central, target, &response, err))
        return false;
    if (date != NULL)
        *date = odks_http_date(response);
    return odks_central_read_json(response, MAX_JSON, json, err);
}
