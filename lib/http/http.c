/* lib/http/http.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "http/http.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "core/err.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/time.h"
#include "http/internal.h"

#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */

enum {
    BODY_CAP = 256 * 1024, /* read ahead of whoever reads */
    FIRST_PAUSE_MS = 500,
    LONGEST_PAUSE_MS = 30 * 1000
};

bool
odks_http_new(const struct odks_http_conf *conf, struct odks_http **http,
              struct odks_err *err)
{
    *http = NULL;
    struct odks_http *h = odks_xcalloc(1, sizeof(*h));
    h->conf = conf;
    if (!odks_http_parse_origin(h, err)) {
        odks_http_free(h);
        return false;
    }
    *http = h;
    return true;
}

void
odks_http_free(struct odks_http *http)
{
    if (http == NULL)
        return;
    assert(!http->busy);
    curl_easy_cleanup(http->easy);
    if (http->multi != NULL)
        (void) curl_multi_cleanup(http->multi);
    if (http->global)
        curl_global_cleanup();
    curl_url_cleanup(http->base);
    free(http->origin);
    free(http->prefix);
    free(http);
}

const struct odks_http_stats *
odks_http_stats(const struct odks_http *http)
{
    return &http->stats;
}

/* --- trying, and trying again --------------------------------------------- */

struct tries {
    int count;
    int64_t started_ms;
    int64_t pause_ms;          /* before jitter */
    struct odks_deadline last; /* no pause goes beyond it */
};

/* Between half of ms and all of it, so that clients do not come in step. */
static int64_t
jitter(int64_t ms)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uint32_t) odks_clock_ms();
    return ms / 2 + (int64_t) random % (ms / 2 + 1);
}

/* Do nothing until then; false when we are to stop. */
static bool
sleep_until(struct odks_http *http, struct odks_deadline until,
            struct odks_err *err)
{
    while (!odks_deadline_passed(until)) {
        struct odks_deadline next =
            odks_deadline_earlier(until, odks_deadline_in(ODKS_HTTP_TICK_MS));

        if (odks_wait(NULL, 0, next) == ODKS_WAIT_STOPPED
            || !odks_http_tick(http)) {
            odks_http_stopped(http, err);
            return false;
        }
    }
    return true;
}

/* Wait for the next try; false when there is to be none. */
static bool
pause_before_retry(struct odks_http *http, struct tries *tries, int64_t asked_s,
                   struct odks_err *err)
{
    int64_t ms = jitter(tries->pause_ms);

    if (asked_s > 0)
        odks_err_detail(err, "it asks to come back in %lld s",
                        (long long) asked_s);
    if (ms < asked_s * 1000)
        ms = asked_s * 1000;
    struct odks_deadline until = odks_deadline_in(ms);
    if (until.at_ms > tries->last.at_ms)
        return false;
    odks_log(ODKS_LOG_INFO, "%s; trying again in %.1f s", err->message,
             (double) ms / 1000);
    if (!sleep_until(http, until, err))
        return false;
    tries->pause_ms = tries->pause_ms * 2 < LONGEST_PAUSE_MS
                          ? tries->pause_ms * 2
                          : LONGEST_PAUSE_MS;
    return true;
}

static bool
answered(const struct odks_http_response *r)
{
    return r->answered;
}

static void
log_request(const struct odks_http_response *r,
            const struct odks_http_request *request)
{
    if (!odks_log_enabled(ODKS_LOG_DEBUG))
        return;
    /* a query may hold what nobody should read in a log */
    int path = (int) strcspn(request->target, "?");
    odks_log(ODKS_LOG_DEBUG, "%s %.*s: status %d", request->method, path,
             request->target, r->answered ? r->status : 0);
}

static struct odks_http_response *
response_new(struct odks_http *http, struct odks_deadline limit)
{
    struct odks_http_response *r = odks_xcalloc(1, sizeof(*r));

    r->http = http;
    r->limit = limit;
    r->wait_until.at_ms = ODKS_NEVER;
    r->body.cap = BODY_CAP;
    http->busy = true;
    return r;
}

/* One try; *again says whether its failure may pass. */
static struct odks_http_response *
attempt(struct odks_http *http, const struct odks_http_request *request,
        struct odks_deadline limit, bool *again, int64_t *asked_s,
        struct odks_err *err)
{
    bool get = strcmp(request->method, "GET") == 0;
    CLEANUP_HTTP_RESPONSE struct odks_http_response *r =
        response_new(http, limit);

    *again = false;
    *asked_s = 0;
    if (!odks_http_start(r, request, err))
        return NULL;
    enum odks_wait got = odks_http_pump(r, answered);
    log_request(r, request);
    if (r->answered && !(get && odks_http_transient(r->status)))
        return odks_steal(&r);

    *again = odks_http_failed(r, got, err) && (get || !r->sent);
    if (r->answered)
        *asked_s = odks_http_retry_after_s(r);
    return NULL;
}

bool
odks_http_open(struct odks_http *http, const struct odks_http_request *request,
               struct odks_http_response **response, struct odks_err *err)
{
    struct odks_deadline limit =
        odks_deadline_in(request->limit_s > 0 ? request->limit_s * 1000 : -1);
    struct tries tries = { .started_ms = odks_clock_ms(),
                           .pause_ms = FIRST_PAUSE_MS };
    bool again;
    int64_t asked_s;

    *response = NULL;
    assert(!http->busy);
    odks_err_clear(&http->tick_err); /* of an earlier request */
    tries.last = odks_deadline_earlier(
        odks_deadline_in(http->conf->retry_s * 1000), odks_stop_deadline());
    for (;;) {
        tries.count++;
        *response = attempt(http, request, limit, &again, &asked_s, err);
        if (*response != NULL) {
            if (tries.count > 1)
                odks_err_clear(err); /* it passed */
            return true;
        }
        if (!again || request->limit_s > 0
            || !pause_before_retry(http, &tries, asked_s, err))
            break;
        http->stats.retries++;
    }
    bool stopped = err->interrupted || http->tick_err.code != ODKS_EXIT_OK;
    if (tries.count > 1 && !stopped)
        odks_err_context(err, "tried %d times in %lld s, last", tries.count,
                         (long long) (odks_clock_ms() - tries.started_ms)
                             / 1000);
    return false;
}

/* --- the answer ----------------------------------------------------------- */

int
odks_http_status(const struct odks_http_response *response)
{
    return response->status;
}

const char *
odks_http_header(const struct odks_http_response *r, const char *name)
{
    struct curl_header *header;

    if (curl_easy_header(r->http->easy, name, 0, CURLH_HEADER, -1, &header)
        != CURLHE_OK)
        return NULL;
    return header->value;
}

int64_t
odks_http_date(const struct odks_http_response *response)
{
    const char *text = odks_http_header(response, "Date");
    time_t seconds = text != NULL ? curl_getdate(text, NULL) : -1;

    /* libcurl takes years of any length */
    return seconds < 0 || seconds > LAST_SECOND ? ODKS_TIME_NONE
                                                : (int64_t) seconds * 1000000;
}

const char *
odks_http_etag(const struct odks_http_response *response)
{
    return odks_http_header(response, "ETag");
}

const char *
odks_http_content_type(const struct odks_http_response *response)
{
    return odks_http_header(response, "Content-Type");
}

const char *
odks_http_location(const struct odks_http_response *response)
{
    return odks_http_header(response, "Location");
}

static bool
has_body(const struct odks_http_response *r)
{
    return r->body.len > 0;
}

/*
 * Does the body come too slowly, in twice the time that silence may last? A
 * server that thinks is silent for a while, and then sends all it has; what
 * goes on for ever byte by byte is none. Only the time that we wait counts.
 */
static bool
trickles(struct odks_http_response *r, int64_t since_ms)
{
    int64_t window_ms = r->http->conf->stall_s * 2000;

    r->listened_ms += odks_clock_ms() - since_ms;
    r->heard += (int64_t) r->body.len;
    if (r->listened_ms < window_ms)
        return false;
    r->trickles = r->heard * 1000 < window_ms * ODKS_HTTP_SLOWEST;
    r->listened_ms = 0;
    r->heard = 0;
    return r->trickles;
}

bool
odks_http_read(struct odks_http_response *response, const char **data,
               size_t *len, struct odks_err *err)
{
    struct odks_http_response *r = response;

    *data = NULL;
    *len = 0;
    if (r->taken)
        odks_buf_truncate(&r->body, 0);
    r->taken = false;
    /* only silence while we listen is a stall */
    r->wait_until = odks_deadline_in(r->http->conf->stall_s * 1000);
    int64_t since_ms = odks_clock_ms();
    enum odks_wait got = odks_http_pump(r, has_body);
    bool ends = got == ODKS_WAIT_READY && r->body.len == 0;
    if (got != ODKS_WAIT_READY || (ends && r->result != CURLE_OK)
        || (!ends && trickles(r, since_ms))) {
        odks_http_cut_short(r, got, err);
        return false;
    }
    *data = r->body.data;
    *len = r->body.len;
    r->taken = true;
    return true;
}

void
odks_http_close(struct odks_http_response *response)
{
    if (response == NULL)
        return;
    odks_http_drop(response);
    odks_buf_free(&response->body);
    response->http->busy = false;
    free(response);
}
