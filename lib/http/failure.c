/* lib/http/failure.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/limit.h"
#include "core/time.h"
#include "http/internal.h"

enum { ASKED_MAX_S = INT32_MAX };

#define TRY_HTTPS                                                          \
    "If that port speaks https, write https:// instead of http:// in url " \
    "of [central]."

/* What a result of libcurl means for us; what is not listed is our bug. */
static const struct meaning {
    CURLcode result;
    enum odks_exit code;
    bool again; /* worth trying again */
    const char *text;
    const char *hint; /* or NULL */
} meanings[] = {
    { CURLE_COULDNT_RESOLVE_HOST, ODKS_EXIT_UNAVAILABLE, true,
      "its name cannot be resolved",
      "Check url in [central] and the name service of this machine." },
    { CURLE_COULDNT_RESOLVE_PROXY, ODKS_EXIT_UNAVAILABLE, true,
      "the proxy's name cannot be resolved",
      "Check https_proxy in the environment." },
    { CURLE_COULDNT_CONNECT, ODKS_EXIT_UNAVAILABLE, true, "no connection",
      "Check that Central is running, and url in [central]." },
    { CURLE_OPERATION_TIMEDOUT, ODKS_EXIT_UNAVAILABLE, true,
      "no connection in time", NULL },
    { CURLE_SSL_CONNECT_ERROR, ODKS_EXIT_UNAVAILABLE, true,
      "the TLS handshake failed",
      "Check url in [central]: does that port speak https?" },
    { CURLE_SEND_ERROR, ODKS_EXIT_UNAVAILABLE, true, "the connection broke",
      NULL },
    { CURLE_RECV_ERROR, ODKS_EXIT_UNAVAILABLE, true, "the connection broke",
      NULL },
    { CURLE_GOT_NOTHING, ODKS_EXIT_UNAVAILABLE, true, "it sent no answer",
      NULL },
    { CURLE_PARTIAL_FILE, ODKS_EXIT_UNAVAILABLE, true,
      "the connection ended early", NULL },
    { CURLE_BAD_CONTENT_ENCODING, ODKS_EXIT_UNAVAILABLE, true,
      "compressed data was damaged", NULL },
    { CURLE_PEER_FAILED_VERIFICATION, ODKS_EXIT_PROTOCOL, false,
      "its TLS certificate is not accepted",
      "If its certificate comes from an authority of your own, name that "
      "authority's file as ca_file in [central]." },
    { CURLE_SSL_CACERT_BADFILE, ODKS_EXIT_NOINPUT, false,
      "the certificates to check it with cannot be read",
      "Check ca_file in [central], or install ca-certificates." },
    { CURLE_UNSUPPORTED_PROTOCOL, ODKS_EXIT_PROTOCOL, false,
      "it does not speak HTTP", "Check url in [central]." },
    { CURLE_WEIRD_SERVER_REPLY, ODKS_EXIT_PROTOCOL, false,
      "it does not speak HTTP", "Check url in [central]." },
    { CURLE_WRITE_ERROR, ODKS_EXIT_PROTOCOL, false,
      "it sent more than 64 KiB of headers", "Check url in [central]." },
    { CURLE_OUT_OF_MEMORY, ODKS_EXIT_OS, true, "out of memory", NULL },
};

/*
 * What the words of libcurl and of its TLS library tell beyond the result. The
 * first that fits decides.
 */
static const struct {
    const char *said; /* part of the error buffer, "" for any */
    bool https;       /* of the url */
    struct meaning meaning;
} closer[] = {
    { "expired",
      true,
      { CURLE_PEER_FAILED_VERIFICATION, ODKS_EXIT_PROTOCOL, false,
        "its TLS certificate has expired",
        "Renew the certificate on the server; is the clock of this machine "
        "right?" } },
    { "not yet valid",
      true,
      { CURLE_PEER_FAILED_VERIFICATION, ODKS_EXIT_PROTOCOL, false,
        "its TLS certificate is not valid yet",
        "Check the clock of this machine." } },
    { "match",
      true,
      { CURLE_PEER_FAILED_VERIFICATION, ODKS_EXIT_PROTOCOL, false,
        "its TLS certificate is for another name",
        "Write a name that the certificate is for into url in [central]." } },
    { "wrong version number",
      true,
      { CURLE_SSL_CONNECT_ERROR, ODKS_EXIT_PROTOCOL, false,
        "that port does not speak https",
        "Write http:// instead of https:// in url of [central], or the port "
        "that speaks https." } },
    { "packet length too long",
      true,
      { CURLE_SSL_CONNECT_ERROR, ODKS_EXIT_PROTOCOL, false,
        "that port does not speak https",
        "Write http:// instead of https:// in url of [central], or the port "
        "that speaks https." } },
    { "unexpected TLS packet",
      true,
      { CURLE_SSL_CONNECT_ERROR, ODKS_EXIT_PROTOCOL, false,
        "that port does not speak https",
        "Write http:// instead of https:// in url of [central], or the port "
        "that speaks https." } },
    { "",
      false,
      { CURLE_UNSUPPORTED_PROTOCOL, ODKS_EXIT_PROTOCOL, false,
        "it does not speak HTTP", TRY_HTTPS } },
    { "",
      false,
      { CURLE_WEIRD_SERVER_REPLY, ODKS_EXIT_PROTOCOL, false,
        "it does not speak HTTP", TRY_HTTPS } },
    { "",
      false,
      { CURLE_GOT_NOTHING, ODKS_EXIT_UNAVAILABLE, true, "it sent no answer",
        TRY_HTTPS } },
    { "",
      false,
      { CURLE_RECV_ERROR, ODKS_EXIT_UNAVAILABLE, true, "the connection broke",
        TRY_HTTPS } },
};

static const struct meaning *
meaning_of(CURLcode result, const char *said, bool https)
{
    static const struct meaning bug = { CURLE_OK, ODKS_EXIT_SOFTWARE, false,
                                        "libcurl failed", NULL };

    for (size_t i = 0; i < sizeof(closer) / sizeof(closer[0]); i++) {
        if (closer[i].meaning.result == result && closer[i].https == https
            && strstr(said, closer[i].said) != NULL)
            return &closer[i].meaning;
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].result == result)
            return &meanings[i];
    }
    return &bug;
}

static void
add_detail(const struct odks_http_response *r, struct odks_err *err)
{
    odks_err_detail(err, "%s",
                    r->error[0] != '\0' ? r->error
                                        : curl_easy_strerror(r->result));
}

/*
 * Servers on the way have codes of their own, such as 520 to 530, for a
 * Central that is away. Only 501 and 505 say that the same request will never
 * be answered.
 */
bool
odks_http_transient(int status)
{
    return status == 408 || status == 425 || status == 429
           || (status >= 500 && status <= 599 && status != 501
               && status != 505);
}

bool
odks_http_tick(struct odks_http *http)
{
    int64_t now = odks_clock_ms();

    /* a busy network wakes us up far more often than that */
    if (http->conf->tick == NULL || now < http->next_tick_ms)
        return true;
    http->next_tick_ms = now + ODKS_HTTP_TICK_MS;
    return http->conf->tick(http->conf->tick_arg, &http->tick_err);
}

void
odks_http_stopped(const struct odks_http *http, struct odks_err *err)
{
    if (http->tick_err.code != ODKS_EXIT_OK)
        *err = http->tick_err;
    else
        odks_stop_err(err);
}

bool
odks_http_failed(const struct odks_http_response *r, enum odks_wait got,
                 struct odks_err *err)
{
    const char *origin = r->http->origin;

    if (got == ODKS_WAIT_STOPPED) {
        odks_http_stopped(r->http, err);
        return false;
    }
    if (got == ODKS_WAIT_TIMEOUT) {
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "%s: no answer within %" PRId64 " s", origin,
                     r->http->conf->timeout_s);
        odks_err_hint(err, "If Central needs longer, raise timeout in "
                           "[central].");
        return true;
    }
    if (r->answered) {
        bool many = r->status == 429;

        odks_err_set(err, many ? ODKS_EXIT_TEMPFAIL : ODKS_EXIT_UNAVAILABLE,
                     "%s: %s (HTTP status %d)", origin,
                     many ? "too many requests" : "the server is in trouble",
                     r->status);
        return true;
    }
    /* libcurl does not tell what it could not open */
    if (r->result != CURLE_OK && odks_limit_near(err)) {
        odks_err_context(err, "cannot connect to %s", origin);
        return true;
    }
    /* libcurl takes an end within the headers for a good one */
    const struct meaning *m =
        meaning_of(r->result == CURLE_OK ? CURLE_GOT_NOTHING : r->result,
                   r->error, r->http->https);
    odks_err_set(err, m->code, "%s: %s", origin, m->text);
    add_detail(r, err);
    if (m->hint != NULL)
        odks_err_hint(err, "%s", m->hint);
    return m->again;
}

void
odks_http_cut_short(const struct odks_http_response *r, enum odks_wait got,
                    struct odks_err *err)
{
    const char *origin = r->http->origin;

    if (got == ODKS_WAIT_STOPPED) {
        odks_http_stopped(r->http, err);
    } else if (r->trickles) {
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "%s: the answer came to less than %d bytes a second",
                     origin, ODKS_HTTP_SLOWEST);
        odks_err_hint(err, "If the network is that slow, raise stall in "
                           "[central]: twice that time is measured.");
    } else if (got == ODKS_WAIT_TIMEOUT) {
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "%s: the answer stalled for %" PRId64 " s", origin,
                     r->http->conf->stall_s);
    } else {
        const struct meaning *m =
            meaning_of(r->result, r->error, r->http->https);

        odks_err_set(err, m->code, "%s: the answer was cut short: %s", origin,
                     m->text);
        add_detail(r, err);
    }
}

int64_t
odks_http_retry_after_s(const struct odks_http_response *r)
{
    const char *text = odks_http_header(r, "Retry-After");
    int64_t seconds = 0;

    if (text == NULL || *text == '\0')
        return 0;
    if (strspn(text, "0123456789") == strlen(text))
        return odks_duration_parse(text, &seconds) ? seconds : ASKED_MAX_S;

    /* a date: on the server's clock, if it tells it */
    const char *date = odks_http_header(r, "Date");
    time_t now = date != NULL ? curl_getdate(date, NULL) : -1;
    time_t then = curl_getdate(text, NULL);
    if (now == -1)
        now = time(NULL);
    if (then - now > ASKED_MAX_S)
        return ASKED_MAX_S;
    return then > now ? (int64_t) (then - now) : 0;
}
