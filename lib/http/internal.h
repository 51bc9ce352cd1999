/* lib/http/internal.h - SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/http share: one exchange, and when to try it again. */
#ifndef ODKS_HTTP_INTERNAL_H
#define ODKS_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/stop.h"
#include "http/http.h"

struct odks_err;

struct odks_http {
    const struct odks_http_conf *conf;
    CURLU *base;  /* the origin, parsed */
    char *origin; /* as text, no slash at its end */
    char *prefix; /* its path, "" for none */
    bool https;
    bool global;  /* curl_global_init() was done */
    CURLM *multi; /* keeps the connection; NULL before the first request */
    CURL *easy;
    bool busy;                /* a response is open */
    struct odks_err tick_err; /* why conf->tick ended the wait */
    int64_t next_tick_ms;
    struct odks_http_stats stats;
};

struct odks_http_response {
    struct odks_http *http;
    struct odks_deadline limit;      /* of the whole exchange */
    struct odks_deadline wait_until; /* of what we wait for just now */
    char *url;
    struct curl_slist *headers;
    struct odks_buf body; /* decoded and not yet read */
    bool taken;           /* body was handed out */
    size_t header_bytes;
    int status;
    bool running;  /* the easy handle is in the multi handle */
    bool sent;     /* connected: the request may have reached the server */
    bool answered; /* all headers are in */
    bool paused;   /* body is full */
    bool too_long; /* more headers than we take */
    bool trickles; /* its body comes too slowly */
    int64_t listened_ms, heard; /* for how long, and how many bytes */
    bool done;                  /* result counts */
    CURLcode result;
    char error[CURL_ERROR_SIZE];
};

/* --- failure.c ------------------------------------------------------------ */

enum { ODKS_HTTP_TICK_MS = 1000, ODKS_HTTP_SLOWEST = 32 /* bytes a second */ };

/* Call conf->tick; false with http->tick_err set when it ends the wait. */
ODKS_MUST_CHECK bool odks_http_tick(struct odks_http *http);

/* Set err to why a wait ended with ODKS_WAIT_STOPPED. */
void odks_http_stopped(const struct odks_http *http, struct odks_err *err);

/* --- transfer.c ----------------------------------------------------------- */

/* Hand the request to libcurl; what is wrong locally is an error (70, 66). */
ODKS_MUST_CHECK bool odks_http_start(struct odks_http_response *r,
                                     const struct odks_http_request *request,
                                     struct odks_err *err);

/* Let libcurl work until enough(r), the end of r, or one of its deadlines. */
enum odks_wait
odks_http_pump(struct odks_http_response *r,
               bool (*enough)(const struct odks_http_response *));

/* Take r out of libcurl, whatever its state. */
void odks_http_drop(struct odks_http_response *r);

/* --- failure.c ------------------------------------------------------------ */

/*
 * Set err to why the exchange did not give us a final status, or to the
 * status itself if it is one to try again. True if trying again makes sense.
 */
bool odks_http_failed(const struct odks_http_response *r, enum odks_wait got,
                      struct odks_err *err);

/* Set err to why the body ended early. */
void odks_http_cut_short(const struct odks_http_response *r, enum odks_wait got,
                         struct odks_err *err);

/* Seconds that the server asks us to wait, 0 if it does not. */
int64_t odks_http_retry_after_s(const struct odks_http_response *r);

/* The first header of that name, borrowed; NULL if absent. */
const char *odks_http_header(const struct odks_http_response *r,
                             const char *name);

/* --- link.c --------------------------------------------------------------- */

/* Fill base, origin, prefix and https from conf->origin, or refuse it (78). */
ODKS_MUST_CHECK bool odks_http_parse_origin(struct odks_http *http,
                                            struct odks_err *err);

#endif
