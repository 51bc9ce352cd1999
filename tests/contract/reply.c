/* tests/contract/reply.c - SPDX-License-Identifier: Apache-2.0 */
/* Answers with the headers that Central gives. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "standin.h"

void
sc_reply_header(struct MHD_Response *r, const char *k, const char *v)
{
    (void) MHD_add_response_header(r, k, v);
}

int
sc_reply_send(struct sc_request *q, int status, struct MHD_Response *r)
{
    char date[40];

    sc_time_http(sc_now(q->server), date);
    sc_reply_header(r, "Date", date);
    if (!q->foreign) {
        sc_reply_header(r, "Cache-Control", "private, no-cache");
        sc_reply_header(r, "Vary", "Accept-Encoding, Origin");
    }
    if (q->odata)
        sc_reply_header(r, "OData-Version", "4.0");
    if (q->etag[0] != '\0')
        sc_reply_header(r, "ETag", q->etag);
    sc_spoil_headers(q, r);
    q->status = status;
    sc_script_hook(q, "after");
    int ret = (int) MHD_queue_response(q->conn, (unsigned) status, r);
    MHD_destroy_response(r);
    return ret;
}

/* One tag, weak or not; a list or a star matches nothing. */
bool
sc_etag_matches(const struct sc_request *q, const char *etag)
{
    const char *have = sc_header(q, "If-None-Match");

    if (have == NULL || etag[0] == '\0')
        return false;
    return strcmp(have, etag) == 0
           || (strncmp(etag, "W/", 2) == 0 && strcmp(have, etag + 2) == 0);
}

struct MHD_Response *
sc_reply_nothing(void)
{
    static char none[1];

    return MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
}

int
sc_reply_304(struct sc_request *q)
{
    return sc_reply_send(q, 304, sc_reply_nothing());
}

int
sc_reply_empty(struct sc_request *q, int status)
{
    struct MHD_Response *r = sc_reply_nothing();

    sc_reply_header(r, "Connection", "close");
    return sc_reply_send(q, status, r);
}

static bool
once(void *arg, struct sc_buf *out)
{
    struct sc_buf *b = arg;

    sc_buf_put(out, b->p, b->len);
    return false;
}

static void
once_free(void *arg)
{
    sc_buf_free(arg);
    free(arg);
}

/* The body may be spoilt, or compressed: then it goes as a stream. */
static bool
as_stream(const struct sc_request *q)
{
    static const char *const spoil[] = { "cut",  "cutClean",    "stall",
                                         "slow", "wrongLength", "gzipBomb" };
    const char *accept = sc_header(q, "Accept-Encoding");

    for (size_t i = 0; i < sizeof(spoil) / sizeof(*spoil); i++)
        if (sc_action(q, spoil[i]) != NULL)
            return true;
    return q->server->gzip && accept != NULL && strstr(accept, "gzip") != NULL;
}

/* Weak tag over the body, as its web framework makes it. */
static void
body_tag(struct sc_request *q, const struct sc_buf *body)
{
    unsigned char d[20];
    struct sc_buf b = { 0 };

    sc_sha1(body->p, body->len, d);
    sc_base64(d, sizeof(d), &b);
    (void) snprintf(q->etag, sizeof(q->etag), "W/\"%zx-%.27s\"", body->len,
                    b.p);
    sc_buf_free(&b);
}

int
sc_reply_buf(struct sc_request *q, int status, const char *type,
             struct sc_buf *body)
{
    struct MHD_Response *r;

    if (!as_stream(q))
        sc_spoil_body(q, body);
    if (q->etag[0] == '\0' && body->len > 0)
        body_tag(q, body);
    if (status == 200 && sc_etag_matches(q, q->etag)) {
        sc_buf_free(body);
        return sc_reply_304(q);
    }
    if (as_stream(q)) {
        struct sc_buf *copy = sc_alloc(sizeof(*copy));

        *copy = *body;
        struct sc_stream *st = sc_stream_new(q, once, once_free, copy);
        bool gzip = sc_stream_gzip(st);
        r = sc_stream_response(st);
        if (gzip)
            sc_reply_header(r, "Content-Encoding", "gzip");
    } else {
        q->bytes = body->len;
        r = MHD_create_response_from_buffer(body->len, body->p,
                                            MHD_RESPMEM_MUST_FREE);
    }
    memset(body, 0, sizeof(*body));
    sc_reply_header(r, "Content-Type", type);
    return sc_reply_send(q, status, r);
}

int
sc_reply_stream(struct sc_request *q, struct sc_stream *st)
{
    bool gzip = sc_stream_gzip(st);
    struct MHD_Response *r = sc_stream_response(st);

    sc_reply_header(r, "Content-Type", "application/json; charset=utf-8");
    if (gzip)
        sc_reply_header(r, "Content-Encoding", "gzip");
    return sc_reply_send(q, 200, r);
}

int
sc_reply_json(struct sc_request *q, int status, const char *text)
{
    struct sc_buf b = { 0 };

    sc_buf_str(&b, text);
    return sc_reply_buf(q, status, "application/json; charset=utf-8", &b);
}

int
sc_reply_fault(struct sc_request *q, struct sc_fault *e)
{
    int ret = sc_reply_json(q, e->status, e->body);

    free(e->body);
    e->body = NULL;
    return ret;
}

int
sc_reply_error(struct sc_request *q, int status, const char *code,
               const char *message, const char *details)
{
    struct sc_fault e = { 0 };

    sc_fault_set(&e, status, code, message, details);
    return sc_reply_fault(q, &e);
}

int
sc_reply_404(struct sc_request *q)
{
    return sc_reply_error(q, 404, "404.1",
                          "Could not find the resource you were looking for.",
                          NULL);
}
