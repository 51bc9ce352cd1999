/* tests/unit/http_tls.c - SPDX-License-Identifier: Apache-2.0 */
/* Certificates, with a real TLS server: openssl(1). */
#include <config.h>

#include "core/err.h"
#include "http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/odks-tls-XXXXXX";
static char ca_file[64], key_file[64], ca_other[64], missing[64];
static char origin[64], wrong_name[64], no_tls[64];
static pid_t server;

static int
free_port(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *) &here, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &here, &len), 0);
    (void) close(fd);
    return ntohs(here.sin_port);
}

static void
make_certificate(const char *name, const char *cert, const char *key)
{
    char command[512];

    (void) snprintf(command, sizeof(command),
                    "openssl req -x509 -newkey ec "
                    "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
                    "-subj /CN=%s -addext subjectAltName=DNS:%s "
                    "-keyout %s -out %s >/dev/null 2>&1",
                    name, name, key, cert);
    ck_assert_int_eq(system(command), 0);
}

/* Start the server and wait until it says that it listens. */
static void
start_server(int port)
{
    char address[32], said[256] = "";
    size_t len = 0;
    int out[2];

    (void) snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    ck_assert_int_eq(pipe(out), 0);
    server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) dup2(out[1], STDOUT_FILENO);
        (void) close(STDERR_FILENO); /* it comments on each handshake */
        (void) execlp("openssl", "openssl", "s_server", "-accept", address,
                      "-cert", ca_file, "-key", key_file, "-www",
                      (char *) NULL);
        _exit(127);
    }
    (void) close(out[1]);
    while (strstr(said, "ACCEPT") == NULL) {
        ssize_t n = read(out[0], said + len, sizeof(said) - 1 - len);

        ck_assert_int_gt(n, 0);
        len += (size_t) n;
        said[len] = '\0';
    }
}

static void
setup(void)
{
    char other_key[64];
    int port = free_port();

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void) snprintf(ca_file, sizeof(ca_file), "%s/cert.pem", folder);
    (void) snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
    (void) snprintf(ca_other, sizeof(ca_other), "%s/other.pem", folder);
    (void) snprintf(other_key, sizeof(other_key), "%s/other.key", folder);
    (void) snprintf(missing, sizeof(missing), "%s/none.pem", folder);
    (void) snprintf(origin, sizeof(origin), "https://localhost:%d", port);
    (void) snprintf(no_tls, sizeof(no_tls), "http://localhost:%d", port);
    (void) snprintf(wrong_name, sizeof(wrong_name), "https://127.0.0.1:%d",
                    port);
    make_certificate("localhost", ca_file, key_file);
    make_certificate("other.example.org", ca_other, other_key);
    start_server(port);
}

static void
teardown(void)
{
    char command[64];

    (void) kill(server, SIGKILL);
    (void) waitpid(server, NULL, 0);
    (void) snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const struct {
    const char *origin;
    const char *ca_file;
    enum odks_exit code;
    const char *hint;
} cases[] = {
    { origin, ca_file, ODKS_EXIT_OK, "" },
    { origin, ca_other, ODKS_EXIT_PROTOCOL, "ca_file" },
    { origin, NULL, ODKS_EXIT_PROTOCOL, "ca_file" },
    { origin, missing, ODKS_EXIT_NOINPUT, "ca_file" },
    { wrong_name, ca_file, ODKS_EXIT_PROTOCOL, "a name that the certificate" },
    { no_tls, NULL, ODKS_EXIT_UNAVAILABLE, "write https:// instead" },
};

START_TEST(certificate)
{
    struct odks_err err = ODKS_ERR_INIT;
    const struct odks_http_conf conf = {
        .origin = cases[_i].origin,
        .ca_file = cases[_i].ca_file,
        .timeout_s = 10,
        .stall_s = 10,
        .retry_s = cases[_i].code == ODKS_EXIT_PROTOCOL ? 10 : 0
    };
    const struct odks_http_request request = { .method = "GET",
                                               .target = "/",
                                               .bearer = "secret" };
    struct odks_http_response *response;
    struct odks_http *http;

    ck_assert(odks_http_new(&conf, &http, &err));
    bool ok = odks_http_open(http, &request, &response, &err);
    ck_assert_msg(err.code == cases[_i].code, "%d: %d %s (%s)", _i, err.code,
                  err.message, err.detail);
    if (ok)
        ck_assert_int_eq(odks_http_status(response), 200);
    else
        ck_assert_int_eq(odks_http_stats(http)->retries, 0);
    ck_assert_msg(strstr(err.hint, cases[_i].hint) != NULL, "%s", err.hint);
    odks_http_close(response);
    odks_http_free(http);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("http_tls");
    TCase *tc = tcase_create("tls");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, certificate, 0, sizeof(cases) / sizeof(cases[0]));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
