/* tests/unit/http_link.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/err.h"
#include "http/http.h"

#include <string.h>

#include "unit.h"

static const struct {
    const char *origin;
    const char *link;
    const char *target; /* NULL: leads elsewhere */
} links[] = {
    { "https://a.org", "https://a.org/v1/x?y=%24z", "/v1/x?y=%24z" },
    { "https://a.org", "https://A.org:443/v1/x", "/v1/x" },
    { "https://a.org/", "/v1/x?a=b+c", "/v1/x?a=b+c" },
    { "https://a.org:8443", "https://a.org:8443/v1/x", "/v1/x" },
    { "https://a.org", "https://a.org", "/" },
    { "https://a.org", "https://a.org/x#part", "/x" },
    { "https://a.org/odk", "https://a.org/odk/v1/x", "/v1/x" },
    { "https://a.org/odk/", "/odk/v1/x", "/v1/x" },
    { "https://a.org/odk", "https://a.org/odkx", "/odkx" },
    { "https://a.org/odk", "https://a.org/v1/x", "/v1/x" },
    { "https://a.org", "http://a.org/v1/x", NULL },
    { "https://a.org", "https://b.org/v1/x", NULL },
    { "https://a.org", "https://a.org:8443/v1/x", NULL },
    { "https://a.org", "https://a.org.b.org/v1/x", NULL },
    { "https://a.org", "https://a.org@b.org/v1/x", NULL },
    { "https://a.org", "https://user@a.org/v1/x", NULL },
    { "https://a.org", "//b.org/v1/x", NULL },
    { "https://a.org", "file:///etc/passwd", NULL },
    { "https://a.org", "https://a.org/v1/x\r\nHost: b.org", NULL },
    { "https://a.org", "https://", NULL },
};

START_TEST(link)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_http_conf conf = { .origin = links[_i].origin };
    struct odks_http *http;
    char *target;

    ck_assert(odks_http_new(&conf, &http, &err));
    bool ok = odks_http_link(http, links[_i].link, &target, &err);
    if (links[_i].target != NULL) {
        ck_assert_msg(ok, "%s: %s", links[_i].link, err.message);
        ck_assert_str_eq(target, links[_i].target);
    } else {
        ck_assert_msg(!ok, "%s", links[_i].link);
        ck_assert_ptr_null(target);
        ck_assert_int_eq(err.code, ODKS_EXIT_PROTOCOL);
    }
    free(target);
    odks_http_free(http);
}
END_TEST

static const struct {
    const char *origin;
    bool fine;
} origins[] = {
    { "https://a.org", true },
    { "http://127.0.0.1:8383", true },
    { "https://[::1]:8443", true },
    { "https://a.org/odk/", true },
    { "ftp://a.org", false },
    { "a.org", false },
    { "", false },
    { "https://u:secret@a.org", false },
    { "https://a.org?x=1", false },
    { "https://a.org/#x", false },
    { "https://a b", false },
};

START_TEST(origin)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_http_conf conf = { .origin = origins[_i].origin };
    struct odks_http *http;
    bool ok = odks_http_new(&conf, &http, &err);

    ck_assert_msg(ok == origins[_i].fine, "%s", origins[_i].origin);
    if (!ok) {
        ck_assert_ptr_null(http);
        ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
        ck_assert_ptr_null(strstr(err.message, "secret"));
        ck_assert_ptr_null(strstr(err.detail, "secret"));
        ck_assert_str_ne(err.hint, "");
    }
    odks_http_free(http);
}
END_TEST

static const struct {
    const char *plain;
    const char *escaped;
} escapes[] = {
    { "", "" },
    { "GRA Rental", "GRA%20Rental" },
    { "odd id-1.2 \xc5\xbe", "odd%20id-1.2%20%C5%BE" },
    { "a/b?c#d&e+f%", "a%2Fb%3Fc%23d%26e%2Bf%25" },
    { "a_b~c", "a_b~c" },
    { "\x01\xff", "%01%FF" },
};

START_TEST(escape)
{
    char *escaped = odks_http_escape(escapes[_i].plain);

    ck_assert_str_eq(escaped, escapes[_i].escaped);
    free(escaped);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("http_link");
    TCase *tc = tcase_create("link");

    tcase_add_loop_test(tc, link, 0, sizeof(links) / sizeof(links[0]));
    tcase_add_loop_test(tc, origin, 0, sizeof(origins) / sizeof(origins[0]));
    tcase_add_loop_test(tc, escape, 0, sizeof(escapes) / sizeof(escapes[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
