/* lib/http/http.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP to one origin (scheme, host, port), over one kept connection.
 *
 * Nothing is ever sent elsewhere: redirects are not followed, links are
 * checked against the origin. A GET is tried again on what passes (transport
 * errors before the first byte of the body, 408, 425, 429, and 5xx but 501 and
 * 505), with doubling pauses, jitter and Retry-After, within a limit; all
 * attempts fold into one message. Bodies are read as they come: while nobody
 * reads, TCP tells the server to wait.
 */
#ifndef ODKS_HTTP_HTTP_H
#define ODKS_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

struct odks_err;
struct odks_http;          /* opaque */
struct odks_http_response; /* opaque */

struct odks_http_conf {
    const char *origin; /* "https://host[:port]", maybe with a path prefix */
    const char *ca_file;
    int64_t timeout_s; /* to connect, and for the first byte */
    int64_t stall_s;   /* without a byte in mid-body; in twice that time there
                          have to be 32 bytes a second */
    int64_t retry_s;   /* longest time spent on trying again */
    /*
     * Called about once a second while we wait, for a lease that must not run
     * out meanwhile; false ends the wait with its error. May be NULL.
     */
    bool (*tick)(void *arg, struct odks_err *err);
    void *tick_arg;
};

struct odks_http_request {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *target; /* path and query, from "/" */
    const char *body;   /* JSON or NULL; must live until the close */
    const char *bearer; /* token or NULL */
    const char *if_none_match;
    int64_t limit_s; /* for all of a single try; 0: conf's limits */
};

struct odks_http_stats {
    int64_t requests;
    int64_t retries;
    int64_t bytes; /* of bodies, decoded */
};

/* The caller owns *http; conf must outlive it. No network yet. */
ODKS_MUST_CHECK bool odks_http_new(const struct odks_http_conf *conf,
                                   struct odks_http **http,
                                   struct odks_err *err);
void odks_http_free(struct odks_http *http);
ODKS_DEFINE_CLEANUP(http, struct odks_http *, odks_http_free)

const struct odks_http_stats *odks_http_stats(const struct odks_http *http);

/*
 * Send a request and wait for the final status and headers. Any status that
 * is not tried again is a result, not an error; what is no GET is only tried
 * again while nothing of it was sent. One response may be open at a time; the
 * caller closes it, before http is freed.
 *
 * 69 after the last try, 75 for a 429, 76 for a certificate that is not the
 * origin's or a peer that does not speak HTTP.
 */
ODKS_MUST_CHECK bool odks_http_open(struct odks_http *http,
                                    const struct odks_http_request *request,
                                    struct odks_http_response **response,
                                    struct odks_err *err);

/* A status that may be another one next time. */
bool odks_http_transient(int status);

int odks_http_status(const struct odks_http_response *response);
/* The Date header in microseconds, ODKS_TIME_NONE without one. */
int64_t odks_http_date(const struct odks_http_response *response);
/* Borrowed; NULL if absent. */
const char *odks_http_etag(const struct odks_http_response *response);
const char *odks_http_content_type(const struct odks_http_response *response);
const char *odks_http_location(const struct odks_http_response *response);

/*
 * The next piece of the decoded body, valid until the next call; *len 0 at
 * its end. A body that HTTP itself knows to be cut short is an error (69).
 */
ODKS_MUST_CHECK bool odks_http_read(struct odks_http_response *response,
                                    const char **data, size_t *len,
                                    struct odks_err *err);

/* Close; a body not read to its end costs the connection. NULL is allowed. */
void odks_http_close(struct odks_http_response *response);
ODKS_DEFINE_CLEANUP(http_response, struct odks_http_response *, odks_http_close)
#define CLEANUP_HTTP_RESPONSE CLEANUP(odks_cleanup_http_response)

/*
 * The target (path and query) of an absolute or relative link, for the origin
 * of http; a link to elsewhere is an error (76). A path alone is accepted, and
 * the path prefix of the origin, where there is one, is taken off. The caller
 * frees *target.
 */
ODKS_MUST_CHECK bool odks_http_link(const struct odks_http *http,
                                    const char *link, char **target,
                                    struct odks_err *err);

/* s percent-encoded for a path segment or a query value; caller frees. */
char *odks_http_escape(const char *s);

#endif
