/* tests/contract/http.c - SPDX-License-Identifier: Apache-2.0 */
/* From the web server's callbacks to a request, and its end. */
#include <config.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "standin.h"

enum { HEADERS_MAX = 16384, POOL = 768 * 1024 };

const char *
sc_param(const struct sc_request *q, const char *key)
{
    for (int i = 0; i < q->nparam; i++)
        if (strcmp(q->param[i].key, key) == 0)
            return q->param[i].value;
    return NULL;
}

const char *
sc_header(const struct sc_request *q, const char *name)
{
    return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
}

static void
parse_query(struct sc_request *q, const char *s)
{
    while (*s != '\0' && q->nparam < 32) {
        size_t n = strcspn(s, "&"), k = strcspn(s, "=&");
        struct sc_param *p = &q->param[q->nparam];

        if (n > 0) {
            p->key = sc_unescape(s, k, true);
            p->value =
                k < n ? sc_unescape(s + k + 1, n - k - 1, true) : sc_dup("");
            q->nparam++;
        }
        s += n;
        if (*s == '&')
            s++;
    }
}

static void
parse_uri(struct sc_request *q)
{
    size_t n = strcspn(q->uri, "?");

    q->path = sc_alloc(n + 1);
    memcpy(q->path, q->uri, n);
    if (q->uri[n] == '?')
        parse_query(q, q->uri + n + 1);
    for (const char *s = q->path; *s != '\0' && q->nseg < 16;) {
        s += strspn(s, "/");
        size_t len = strcspn(s, "/");

        if (len > 0)
            q->seg[q->nseg++] = sc_unescape(s, len, false);
        s += len;
    }
}

static void
request_free(struct sc_request *q)
{
    for (int i = 0; i < q->nseg; i++)
        free(q->seg[i]);
    for (int i = 0; i < q->nparam; i++) {
        free(q->param[i].key);
        free(q->param[i].value);
    }
    json_object_put(q->action);
    sc_buf_free(&q->body);
    free(q->if_none_match);
    free(q->method);
    free(q->path);
    free(q->uri);
    free(q);
}

/* The address as it was sent: the library's own is already decoded. */
static void *
begin(void *cls, const char *uri, struct MHD_Connection *conn)
{
    struct sc_request *q = sc_alloc(sizeof(*q));

    q->server = cls;
    q->conn = conn;
    q->uri = sc_dup(uri);
    return q;
}

static enum MHD_Result
add_size(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    size_t *n = cls;

    (void) kind;
    *n += strlen(key) + (value != NULL ? strlen(value) : 0) + 4;
    return MHD_YES;
}

static bool
is_control(const struct sc_request *q)
{
    return q->nseg > 0 && strcmp(q->seg[0], "_control") == 0;
}

static int
answer(struct sc_request *q)
{
    size_t size = strlen(q->uri) + strlen(q->method) + 16;
    int ret;

    (void) MHD_get_connection_values(q->conn, MHD_HEADER_KIND, add_size, &size);
    if (is_control(q))
        return sc_control(q);
    sc_script_match(q);
    if (sc_action(q, "hook") != NULL)
        sc_script_hook(q, "before");
    if (size > HEADERS_MAX)
        return sc_reply_empty(q, 431);
    ret = sc_script_reply(q);
    return ret >= 0 ? ret : sc_route(q);
}

static void
latency(struct sc_request *q)
{
    struct sc_server *s = q->server;

    if (is_control(q))
        return;
    (void) pthread_mutex_lock(&s->lock);
    double wait = s->latency_ms / 1000.0;
    (void) pthread_mutex_unlock(&s->lock);
    sc_sleep(s, wait);
}

/* A requests command waits here, unlocked, for answers under way. */
static void
settle(struct sc_request *q)
{
    struct sc_server *s = q->server;

    if (q->nseg < 2 || !is_control(q) || strcmp(q->seg[1], "requests") != 0)
        return;
    for (int i = 0; i < 20; i++) {
        (void) pthread_mutex_lock(&s->lock);
        unsigned busy = s->inflight;
        (void) pthread_mutex_unlock(&s->lock);
        if (busy == 0)
            return;
        sc_sleep(s, 0.01);
    }
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url,
       const char *method, const char *version, const char *data, size_t *size,
       void **con_cls)
{
    struct sc_server *s = cls;
    struct sc_request *q = *con_cls;
    const char *tag;

    (void) conn;
    (void) url;
    (void) version;
    if (!q->started) {
        q->started = true;
        q->method = sc_dup(method);
        parse_uri(q);
        tag = sc_header(q, "If-None-Match");
        q->if_none_match = sc_dup(tag);
        return MHD_YES;
    }
    if (*size > 0) {
        sc_buf_put(&q->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    latency(q);
    settle(q);
    (void) pthread_mutex_lock(&s->lock);
    if (!is_control(q)) {
        q->logged = true;
        s->inflight++;
    }
    int ret = answer(q);
    (void) pthread_mutex_unlock(&s->lock);
    return (enum MHD_Result) ret;
}

static void
completed(void *cls, struct MHD_Connection *conn, void **con_cls,
          enum MHD_RequestTerminationCode why)
{
    struct sc_server *s = cls;
    struct sc_request *q = *con_cls;

    (void) conn;
    if (q == NULL)
        return;
    (void) pthread_mutex_lock(&s->lock);
    if (q->logged) {
        s->inflight--;
        sc_log_request(q, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    request_free(q); /* its action is shared with the rule */
    (void) pthread_mutex_unlock(&s->lock);
    *con_cls = NULL;
}

struct MHD_Daemon *
sc_http_start(struct sc_server *s, int port, char *cert, char *key)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION
                     | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL
                     | MHD_USE_SUPPRESS_DATE_NO_CLOCK
                     | (s->tls ? MHD_USE_TLS : 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t) port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, key },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(
        flags, (uint16_t) port, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR,
        &at, MHD_OPTION_URI_LOG_CALLBACK, begin, s, MHD_OPTION_NOTIFY_COMPLETED,
        completed, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) POOL,
        MHD_OPTION_CONNECTION_LIMIT, 256U,
        s->tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
}
