/* lib/config/url.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a Central. It is never quoted in a message: people paste
 * passwords and access keys into it.
 */
#include <config.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/internal.h"
#include "core/mem.h"

static bool
fail(struct odks_err *err, const char *message, const char *hint)
{
    odks_err_set(err, ODKS_EXIT_CONFIG, "url: %s", message);
    odks_err_hint(err, "%s", hint);
    return false;
}

/* Letters of no meaning in an address; % would only hide what is meant. */
static bool
is_plain(const char *s)
{
    for (; *s != '\0'; s++) {
        if (!isascii((unsigned char) *s)
            || !(isalnum((unsigned char) *s) || strchr("-._~:/[]", *s)))
            return false;
    }
    return true;
}

static bool
is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool
is_port(const char *s)
{
    size_t digits = strspn(s, "0123456789");

    return digits >= 1 && digits <= 5 && s[digits] == '\0'
           && strtol(s, NULL, 10) >= 1 && strtol(s, NULL, 10) <= 65535;
}

/* Cut "host:port" or "[v6]:port" so that authority begins with the host. */
static const char *
split_authority(char *authority, const char **port)
{
    struct in6_addr v6;
    char *end;

    *port = NULL;
    if (*authority == '[') {
        end = strchr(authority, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return NULL;
        *port = end[1] == ':' ? end + 2 : NULL;
        *end = '\0';
        return inet_pton(AF_INET6, authority + 1, &v6) == 1 ? authority + 1
                                                            : NULL;
    }
    end = strchr(authority, ':');
    if (end != NULL) {
        *port = end + 1;
        *end = '\0';
    }
    return *authority != '\0' && strpbrk(authority, "[]") == NULL ? authority
                                                                  : NULL;
}

static bool
check_authority(const char *text, size_t len, bool may_be_plain,
                struct odks_err *err)
{
    CLEANUP_FREE char *authority = odks_xstrndup(text, len);
    const char *port;
    const char *host = split_authority(authority, &port);

    if (host == NULL || (port != NULL && !is_port(port)))
        return fail(err, "host or port is wrong",
                    "Write https://HOST or https://HOST:PORT.");
    if (may_be_plain || is_loopback(host))
        return true;
    return fail(err, "plain http would send the password readable",
                "Use https, or allow_http = yes if the network is yours.");
}

/* Cut slashes and /v1 off the end. */
static void
shorten(char *url)
{
    for (bool again = true; again;) {
        size_t len = strlen(url);

        while (len > 0 && url[len - 1] == '/')
            url[--len] = '\0';
        again = len > 3 && strcmp(url + len - 3, "/v1") == 0;
        if (again)
            url[len - 3] = '\0';
    }
}

bool
odks_config_url(const char *text, bool allow_http, char **url,
                struct odks_err *err)
{
    bool secure = strncasecmp(text, "https://", 8) == 0;

    *url = NULL;
    if (!secure && strncasecmp(text, "http://", 7) != 0)
        return fail(err, "it does not begin with https://",
                    "Write https://HOST.");
    if (strchr(text, '@') != NULL)
        return fail(err, "it holds a user or password",
                    "Write them as user and password_file.");
    if (strpbrk(text, "?#") != NULL)
        return fail(err, "it holds a ? or #",
                    "Only the address of the server is needed: https://HOST.");
    if (!is_plain(text))
        return fail(err, "it holds a character that does not belong there",
                    "Write https://HOST.");

    CLEANUP_FREE char *copy = odks_xstrdup(text);
    size_t scheme = secure ? 8 : 7;
    size_t host = strcspn(copy + scheme, "/");
    for (size_t i = 0; i < scheme + host; i++)
        copy[i] = (char) tolower((unsigned char) copy[i]);
    if (!check_authority(copy + scheme, host, secure || allow_http, err))
        return false;
    shorten(copy + scheme);
    if (strstr(copy + scheme, "/v1/") != NULL)
        return fail(err, "it goes on behind /v1",
                    "Only the address of the server is needed: https://HOST.");
    *url = odks_steal(&copy);
    return true;
}
