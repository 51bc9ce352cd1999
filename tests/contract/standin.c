/* tests/contract/standin.c - SPDX-License-Identifier: Apache-2.0 */
/* The stand-in Central: options, start and end. */
#include <config.h>

#include "standin.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <microhttpd.h>

struct settings {
    int port;
    const char *cert, *key, *domain;
    uint64_t bulk;
    unsigned rate, latency;
    bool gzip, die;
};

static void
usage(FILE *to)
{
    (void) fputs(
        "usage: central-standin [--port N] [--tls CERT KEY]"
        " [--seed-bulk N]\n"
        "                       [--rate ROWS_PER_SECOND] [--latency MS]"
        " [--gzip]\n"
        "                       [--domain URL] [--die-with-parent]\n",
        to);
}

static bool
number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *out <= max;
}

static bool
read_option(struct settings *o, int c, char **argv)
{
    uint64_t v = 0;

    if (strchr("pbrl", c) != NULL && !number(optarg, 100000000, &v))
        return false;
    switch (c) {
    case 'p':
        o->port = (int) v;
        return v <= 65535;
    case 't':
        o->cert = optarg;
        o->key = argv[optind++];
        return o->key != NULL;
    case 'b':
        o->bulk = v;
        return true;
    case 'r':
        o->rate = (unsigned) v;
        return true;
    case 'l':
        o->latency = (unsigned) v;
        return true;
    case 'o':
        o->domain = optarg;
        return true;
    case 'z':
        o->gzip = true;
        return true;
    case 'd':
        o->die = true;
        return true;
    default:
        return false;
    }
}

static bool
read_options(int argc, char **argv, struct settings *o)
{
    static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "tls", required_argument, NULL, 't' },
        { "seed-bulk", required_argument, NULL, 'b' },
        { "rate", required_argument, NULL, 'r' },
        { "latency", required_argument, NULL, 'l' },
        { "domain", required_argument, NULL, 'o' },
        { "gzip", no_argument, NULL, 'z' },
        { "die-with-parent", no_argument, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!read_option(o, c, argv))
            return false;
    return optind >= argc;
}

static char *
read_file(const char *path)
{
    FILE *f = path != NULL ? fopen(path, "r") : NULL;
    struct sc_buf b = { 0 };
    char part[4096];
    size_t n;

    if (f == NULL)
        return NULL;
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        sc_buf_put(&b, part, n);
    (void) fclose(f);
    return b.p;
}

static void
server_free(struct sc_server *s)
{
    json_object_put(sc_log_take(s));
    free(s->log);
    sc_script_clear(s);
    for (size_t i = 0; i < s->nforms; i++)
        sc_form_free(s->forms[i]);
    for (size_t i = 0; i < s->ngraves; i++)
        sc_form_free(s->graves[i]);
    free(s->forms);
    free(s->graves);
    free(s->sessions);
    free(s->domain);
    (void) pthread_mutex_destroy(&s->lock);
}

static void
server_init(struct sc_server *s, const struct settings *o)
{
    pthread_mutexattr_t again;

    /* A hook runs commands inside a request that has the lock. */
    (void) pthread_mutexattr_init(&again);
    (void) pthread_mutexattr_settype(&again, PTHREAD_MUTEX_RECURSIVE);
    (void) pthread_mutex_init(&s->lock, &again);
    (void) pthread_mutexattr_destroy(&again);
    s->clock_set = SC_NONE;
    s->seed_bulk = o->bulk;
    s->rate = o->rate;
    s->latency_ms = o->latency;
    s->gzip = o->gzip;
    s->tls = o->cert != NULL;
    s->domain = sc_dup(o->domain != NULL ? o->domain : "");
    sc_forms_reset(s);
}

static bool
announce(struct sc_server *s, struct MHD_Daemon *d)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    char url[64];

    if (info == NULL)
        return false;
    (void) snprintf(url, sizeof(url), "http%s://127.0.0.1:%u",
                    s->tls ? "s" : "", info->port);
    (void) pthread_mutex_lock(&s->lock);
    if (s->domain[0] == '\0') {
        free(s->domain);
        s->domain = sc_dup(url);
    }
    (void) pthread_mutex_unlock(&s->lock);
    (void) printf("port %u\n", info->port);
    return fflush(stdout) == 0;
}

int
main(int argc, char **argv)
{
    struct settings o = { 0 };
    struct sc_server s = { 0 };
    sigset_t stop;
    int sig;

    if (!read_options(argc, argv, &o)) {
        usage(stderr);
        return 64;
    }
    if (o.die) {
        pid_t parent = getppid();

        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            return 0; /* it died before we asked */
    }
    /* Blocked here, so that every thread inherits it and one waits. */
    (void) sigemptyset(&stop);
    (void) sigaddset(&stop, SIGTERM);
    (void) sigaddset(&stop, SIGINT);
    (void) pthread_sigmask(SIG_BLOCK, &stop, NULL);
    (void) signal(SIGPIPE, SIG_IGN);
    char *cert = read_file(o.cert), *key = read_file(o.key);
    if (o.cert != NULL && (cert == NULL || key == NULL)) {
        (void) fprintf(stderr, "central-standin: no certificate or key\n");
        return 66;
    }
    server_init(&s, &o);
    struct MHD_Daemon *d = sc_http_start(&s, o.port, cert, key);
    if (d == NULL || !announce(&s, d)) {
        (void) fprintf(stderr, "central-standin: cannot listen\n");
        return 69;
    }
    (void) sigwait(&stop, &sig);
    s.stopping = 1;
    MHD_stop_daemon(d);
    server_free(&s);
    free(cert);
    free(key);
    return 0;
}
