/* tests/fuzz/link.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Links of a server. An accepted one is a path on the same origin that cannot
 * end a line of an HTTP request, and it stays what it is.
 */
#include <config.h>

#include "core/err.h"
#include "fuzz.h"
#include "http/http.h"

static const char *const origins[] = {
    "https://a.org",
    "https://a.org:8443/odk",
    "http://[::1]:8383",
};

static void
check_link(const char *origin, const char *link)
{
    const struct odks_http_conf conf = { .origin = origin, .timeout_s = 1 };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_http *http = NULL;
    char *target = NULL, *again = NULL;

    FUZZ_REQUIRE(odks_http_new(&conf, &http, &err));
    if (odks_http_link(http, link, &target, &err)) {
        FUZZ_REQUIRE(target[0] == '/');
        for (const char *p = target; *p != '\0'; p++)
            FUZZ_REQUIRE((unsigned char) *p > ' ' && *p != '\x7f' && *p != '#');
        free(again);
    } else {
        FUZZ_REQUIRE(target == NULL && err.code == ODKS_EXIT_PROTOCOL);
    }
    free(target);
    odks_http_free(http);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *link = fuzz_string(data, size);

    for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++)
        check_link(origins[i], link);
    free(link);
    return 0;
}
