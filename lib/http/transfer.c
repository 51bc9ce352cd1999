/* lib/http/transfer.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "http/internal.h"

enum {
    HEADER_CAP = 64 * 1024 /* Central sends about 400 bytes */
};

static size_t
on_header(char *data, size_t size, size_t count, void *context)
{
    struct odks_http_response *r = context;
    size_t len = size * count;
    long status = 0;

    r->header_bytes += len;
    if (r->header_bytes > HEADER_CAP) {
        r->too_long = true;
        return 0;
    }
    if (data[0] != '\r' && data[0] != '\n')
        return len;
    (void) curl_easy_getinfo(r->http->easy, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int) status;
    r->answered = status >= 200; /* not "100 Continue" */
    return len;
}

static size_t
on_body(char *data, size_t size, size_t count, void *context)
{
    struct odks_http_response *r = context;
    size_t len = size * count;

    if (!odks_buf_add(&r->body, data, len)) {
        r->paused = true; /* until somebody reads */
        return CURL_WRITEFUNC_PAUSE;
    }
    r->http->stats.bytes += (int64_t) len;
    return len;
}

/* Connected: from here on the server has its time to answer. */
static int
on_connected(void *context, char *remote_ip, char *local_ip, int remote_port,
             int local_port)
{
    struct odks_http_response *r = context;

    (void) remote_ip;
    (void) local_ip;
    (void) remote_port;
    (void) local_port;
    r->sent = true;
    r->wait_until = odks_deadline_in(r->http->conf->timeout_s * 1000);
    return CURL_PREREQFUNC_OK;
}

struct option {
    CURLoption id;
    enum { NUMBER, POINTER, CALLBACK } kind;
    long number;
    const void *pointer; /* NULL: libcurl's own default */
    size_t (*callback)(char *, size_t, size_t, void *);
};

#define NUM(id, n)                            \
    {                                         \
        CURLOPT_##id, NUMBER, (n), NULL, NULL \
    }
#define PTR(id, p)                          \
    {                                       \
        CURLOPT_##id, POINTER, 0, (p), NULL \
    }
#define FUN(id, f)                           \
    {                                        \
        CURLOPT_##id, CALLBACK, 0, NULL, (f) \
    }

static CURLcode
set(CURL *easy, const struct option *o)
{
    if (o->kind == NUMBER)
        return curl_easy_setopt(easy, o->id, o->number);
    if (o->kind == CALLBACK)
        return curl_easy_setopt(easy, o->id, o->callback);
    return o->pointer == NULL ? CURLE_OK
                              : curl_easy_setopt(easy, o->id, o->pointer);
}

/* Every option there is, in one place. */
static bool
configure(struct odks_http_response *r, const struct odks_http_request *request,
          struct odks_err *err)
{
    const struct odks_http_conf *conf = r->http->conf;
    bool get = strcmp(request->method, "GET") == 0;
    const struct option options[] = {
        PTR(URL, r->url),
        PTR(PROTOCOLS_STR, r->http->https ? "https" : "http"),
        NUM(PATH_AS_IS, 1),
        NUM(HTTP_VERSION, CURL_HTTP_VERSION_1_1),
        NUM(FOLLOWLOCATION, 0),
        NUM(NETRC, CURL_NETRC_IGNORED),
        NUM(SSL_VERIFYPEER, 1),
        NUM(SSL_VERIFYHOST, 2),
        PTR(CAINFO, conf->ca_file),
        NUM(NOSIGNAL, 1),
        NUM(TCP_KEEPALIVE, 1),
        NUM(CONNECTTIMEOUT_MS, (long) conf->timeout_s * 1000),
        NUM(SUPPRESS_CONNECT_HEADERS, 1),
#if LIBCURL_VERSION_NUM >= 0x075700
        /* do not sit out a slow name server when we are asked to stop */
        NUM(QUICK_EXIT, 1),
#endif
        PTR(USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION),
        PTR(ACCEPT_ENCODING, "gzip"),
        PTR(HTTPHEADER, r->headers),
        PTR(CUSTOMREQUEST, get ? NULL : request->method),
        PTR(POSTFIELDS, request->body),
        NUM(HTTPAUTH, request->bearer != NULL ? (long) CURLAUTH_BEARER
                                              : (long) CURLAUTH_NONE),
        PTR(XOAUTH2_BEARER, request->bearer),
        PTR(ERRORBUFFER, r->error),
        FUN(HEADERFUNCTION, on_header),
        PTR(HEADERDATA, r),
        FUN(WRITEFUNCTION, on_body),
        PTR(WRITEDATA, r),
        PTR(PREREQDATA, r),
    };
    CURL *easy = r->http->easy;
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (rc == CURLE_OK)
            rc = set(easy, &options[i]);
    }
    if (rc != CURLE_OK)
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "libcurl refused an option: %s",
                     curl_easy_strerror(rc));
    return rc == CURLE_OK;
}

/* libcurl costs time to load up: an idle run never gets here. */
static bool
ready(struct odks_http *http, struct odks_err *err)
{
    if (http->easy != NULL)
        return true;
    if (!http->global)
        http->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (http->global && http->multi == NULL)
        http->multi = curl_multi_init();
    if (http->multi != NULL)
        http->easy = curl_easy_init();
    if (http->easy == NULL)
        odks_err_set(err, ODKS_EXIT_OS, "libcurl cannot start");
    return http->easy != NULL;
}

static bool
add_header(struct odks_http_response *r, const char *name, const char *value)
{
    CLEANUP_FREE char *line = odks_xasprintf("%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(r->headers, line);

    if (longer != NULL)
        r->headers = longer;
    return longer != NULL;
}

bool
odks_http_start(struct odks_http_response *r,
                const struct odks_http_request *request, struct odks_err *err)
{
    struct odks_http *http = r->http;

    if (!ready(http, err))
        return false;
    r->url = odks_xasprintf("%s%s", http->origin, request->target);
    bool ok = add_header(r, "Accept", "application/json");
    if (request->body != NULL)
        ok = ok && add_header(r, "Content-Type", "application/json");
    if (request->if_none_match != NULL)
        ok = ok && add_header(r, "If-None-Match", request->if_none_match);
    if (!ok) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        return false;
    }
    if (!configure(r, request, err))
        return false;
    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "libcurl refused a request");
        return false;
    }
    r->running = true;
    http->stats.requests++;
    return true;
}

void
odks_http_drop(struct odks_http_response *r)
{
    if (r->running)
        (void) curl_multi_remove_handle(r->http->multi, r->http->easy);
    r->running = false;
    if (r->http->easy != NULL)
        curl_easy_reset(r->http->easy);
    curl_slist_free_all(r->headers);
    r->headers = NULL;
    free(r->url);
    r->url = NULL;
}

/* Note the end of the transfer, if libcurl has got there. */
static void
collect(struct odks_http_response *r)
{
    int left;
    const CURLMsg *said = curl_multi_info_read(r->http->multi, &left);

    if (said != NULL && said->msg == CURLMSG_DONE) {
        r->done = true;
        r->result = said->data.result;
    }
}

static void
fail(struct odks_http_response *r, CURLcode result)
{
    r->done = true;
    r->result = result;
}

/* Sleep until the network, a signal or next. */
static void
wait_for_network(struct odks_http_response *r, struct odks_deadline next)
{
    struct curl_waitfd stop = { .fd = odks_stop_fd(),
                                .events = CURL_WAIT_POLLIN };
    int ms = odks_deadline_poll_ms(next);

    if (ms < 0 || ms > ODKS_HTTP_TICK_MS)
        ms = ODKS_HTTP_TICK_MS;
    CURLMcode rc =
        curl_multi_poll(r->http->multi, &stop, stop.fd >= 0 ? 1 : 0, ms, NULL);
    if (rc != CURLM_OK)
        fail(r, CURLE_OUT_OF_MEMORY);
}

enum odks_wait
odks_http_pump(struct odks_http_response *r,
               bool (*enough)(const struct odks_http_response *))
{
    if (r->paused && r->body.len == 0) {
        r->paused = false;
        if (curl_easy_pause(r->http->easy, CURLPAUSE_CONT) != CURLE_OK)
            fail(r, CURLE_WRITE_ERROR);
    }
    for (;;) {
        int running;

        if (odks_stop_requested())
            return ODKS_WAIT_STOPPED;
        if (enough(r) || r->done)
            return ODKS_WAIT_READY;
        if (curl_multi_perform(r->http->multi, &running) != CURLM_OK)
            fail(r, CURLE_OUT_OF_MEMORY);
        collect(r);
        if (enough(r) || r->done)
            return ODKS_WAIT_READY;

        struct odks_deadline until =
            odks_deadline_earlier(r->wait_until, r->limit);
        if (odks_deadline_passed(until))
            return ODKS_WAIT_TIMEOUT;
        if (!odks_http_tick(r->http))
            return ODKS_WAIT_STOPPED;
        wait_for_network(r, odks_deadline_earlier(until, odks_stop_deadline()));
    }
}
