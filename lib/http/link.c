/* lib/http/link.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/mem.h"
#include "http/internal.h"

static void
cleanup_curl_text(char **s)
{
    curl_free(*s);
}
#define CLEANUP_CURL_TEXT CLEANUP(cleanup_curl_text)

static void
cleanup_url(CURLU **url)
{
    curl_url_cleanup(*url);
}
#define CLEANUP_URL CLEANUP(cleanup_url)

/* A part of url, NULL where it has none; released with curl_free(). */
static char *
part(CURLU *url, CURLUPart which)
{
    char *text = NULL;

    if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return NULL;
    return text;
}

static bool
has(CURLU *url, CURLUPart which)
{
    CLEANUP_CURL_TEXT char *text = part(url, which);

    return text != NULL;
}

static bool
same(CURLU *a, CURLU *b, CURLUPart which)
{
    CLEANUP_CURL_TEXT char *x = part(a, which);
    CLEANUP_CURL_TEXT char *y = part(b, which);

    return x != NULL && y != NULL && strcasecmp(x, y) == 0;
}

static bool
refuse_origin(const struct odks_http *http, const char *why,
              struct odks_err *err)
{
    /* a URL that may hold a password is not repeated */
    odks_err_set(err, ODKS_EXIT_CONFIG, "the url of Central %s", why);
    if (strchr(http->conf->origin, '@') == NULL)
        odks_err_detail(err, "%s", http->conf->origin);
    odks_err_hint(err, "Write it as https://central.example.org, with nothing "
                       "behind the host but a port or a path.");
    return false;
}

bool
odks_http_parse_origin(struct odks_http *http, struct odks_err *err)
{
    http->base = curl_url();
    if (http->base == NULL
        || curl_url_set(http->base, CURLUPART_URL, http->conf->origin, 0)
               != CURLUE_OK)
        return refuse_origin(http, "is not a URL", err);

    CLEANUP_CURL_TEXT char *scheme = part(http->base, CURLUPART_SCHEME);
    http->https = scheme != NULL && strcmp(scheme, "https") == 0;
    if (!http->https && (scheme == NULL || strcmp(scheme, "http") != 0))
        return refuse_origin(http, "is neither https nor http", err);
    if (has(http->base, CURLUPART_USER) || has(http->base, CURLUPART_PASSWORD))
        return refuse_origin(http, "holds a user or a password", err);
    if (has(http->base, CURLUPART_QUERY) || has(http->base, CURLUPART_FRAGMENT))
        return refuse_origin(http, "holds a query or a fragment", err);

    CLEANUP_CURL_TEXT char *path = part(http->base, CURLUPART_PATH);
    size_t len = path != NULL ? strlen(path) : 0;
    while (len > 0 && path[len - 1] == '/')
        len--;
    http->prefix = odks_xstrndup(len > 0 ? path : "", len);

    size_t end = strlen(http->conf->origin);
    while (end > 0 && http->conf->origin[end - 1] == '/')
        end--;
    http->origin = odks_xstrndup(http->conf->origin, end);
    return true;
}

bool
odks_http_link(const struct odks_http *http, const char *link, char **target,
               struct odks_err *err)
{
    *target = NULL;
    CLEANUP_URL CURLU *url = curl_url_dup(http->base);
    if (url == NULL || curl_url_set(url, CURLUPART_URL, link, 0) != CURLUE_OK) {
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "%s sent a link that is not a URL", http->origin);
        return false;
    }
    CLEANUP_CURL_TEXT char *host = part(url, CURLUPART_HOST);
    if (!same(url, http->base, CURLUPART_SCHEME)
        || !same(url, http->base, CURLUPART_HOST)
        || !same(url, http->base, CURLUPART_PORT) || has(url, CURLUPART_USER)
        || has(url, CURLUPART_PASSWORD)) {
        odks_err_set(err, ODKS_EXIT_PROTOCOL,
                     "%s sent a link to another place (%s); not followed",
                     http->origin, host != NULL ? host : "no host");
        odks_err_hint(err, "If that is the name Central has for itself, use "
                           "it as url.");
        return false;
    }

    CLEANUP_CURL_TEXT char *path = part(url, CURLUPART_PATH);
    CLEANUP_CURL_TEXT char *query = part(url, CURLUPART_QUERY);
    const char *rest = path != NULL ? path : "/";
    size_t len = strlen(http->prefix);
    if (len > 0 && strncmp(rest, http->prefix, len) == 0 && rest[len] == '/')
        rest += len;
    *target = query != NULL ? odks_xasprintf("%s?%s", rest, query)
                            : odks_xstrdup(rest);
    return true;
}

char *
odks_http_escape(const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = odks_xcalloc(strlen(s) + 1, 3);
    size_t n = 0;

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char) *s;

        if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL)) {
            out[n++] = *s;
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
    }
    return out;
}
