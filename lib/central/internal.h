/* lib/central/internal.h - SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/central share. */
#ifndef ODKS_CENTRAL_INTERNAL_H
#define ODKS_CENTRAL_INTERNAL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "central/central.h"
#include "core/err.h"
#include "core/json.h"
#include "http/http.h"

struct odks_buf;

struct odks_central {
    const struct odks_central_login *login;
    struct odks_http *http;
    char *token;             /* NULL: not logged in */
    struct odks_err refused; /* why no login is tried any more, or no error */
};

/* --- central.c ------------------------------------------------------------ */

/*
 * GET target, logging in as needed: a response with status 200 and a body of
 * JSON, or an error. 78 always means 404.
 */
ODKS_MUST_CHECK bool odks_central_request(struct odks_central *central,
                                          const char *target,
                                          struct odks_http_response **response,
                                          struct odks_err *err);

/* As that, unless what it answers still has that tag (or NULL): then 304. */
ODKS_MUST_CHECK bool odks_central_request_unless(
    struct odks_central *central, const char *target, const char *tag,
    struct odks_http_response **response, struct odks_err *err);

/* As the first, for a document in XML. */
ODKS_MUST_CHECK bool
odks_central_request_xml(struct odks_central *central, const char *target,
                         struct odks_http_response **response,
                         struct odks_err *err);

/* As the first, with a 404 explained: which of project and form (or dataset)
 * is wrong, and how. */
ODKS_MUST_CHECK bool odks_central_feed_request(
    struct odks_central *central, enum odks_feed feed, int64_t project,
    const char *form_id, const char *target,
    struct odks_http_response **response, struct odks_err *err);

/* --- answer.c ------------------------------------------------------------- */

/* 76: "... does not answer like ODK Central: a form without a Date header". */
void odks_central_unlike(const struct odks_central *central, const char *what,
                         struct odks_err *err);

/* All of a body, appended to one with a cap; 65 when it is larger. */
ODKS_MUST_CHECK bool odks_central_read_body(struct odks_http_response *response,
                                            struct odks_buf *body,
                                            struct odks_err *err);

/* All of a body as JSON; the caller puts *json. */
ODKS_MUST_CHECK bool odks_central_read_json(struct odks_http_response *response,
                                            size_t cap,
                                            struct json_object **json,
                                            struct odks_err *err);

/* The whole of body as JSON other than null: 69 if its end is missing, else
 * 76. */
ODKS_MUST_CHECK bool odks_central_parse(const struct odks_buf *body,
                                        struct json_object **json,
                                        struct odks_err *err);

/* Set err to what an answer other than success means. */
void odks_central_refused(const struct odks_central *central,
                          struct odks_http_response *response,
                          const char *target, struct odks_err *err);

/* The same for the answer to a login. */
void odks_central_login_refused(const struct odks_central *central,
                                struct odks_http_response *response,
                                struct odks_err *err);

/* Is it a success with a body of that type? Else err is set (76). */
ODKS_MUST_CHECK bool
odks_central_expect(const struct odks_central *central,
                    const struct odks_http_response *response,
                    const char *wanted, struct odks_err *err);

/* --- fields.c ------------------------------------------------------------- */

/*
 * The tree of a list of fields as Central's OData has it; raw is the same list
 * with the names that the form gives them, or NULL where these are the same.
 */
ODKS_MUST_CHECK struct odks_field *odks_fields_build(struct json_object *list,
                                                     struct json_object *raw,
                                                     struct odks_err *err);

/* --- explain.c ------------------------------------------------------------ */

/* Find out why there is no such form or dataset, and say so in err, which is
 * set. */
void odks_central_explain(struct odks_central *central, enum odks_feed feed,
                          int64_t project, const char *form_id,
                          struct odks_err *err);

#endif
