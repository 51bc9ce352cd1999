/* tests/harness/http_script.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "http_script.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int
listen_anywhere(char *origin, size_t size)
{
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *) &here, len), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &here, &len), 0);
    (void) snprintf(origin, size, "http://127.0.0.1:%d", ntohs(here.sin_port));
    return fd;
}

static void
send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the client has seen enough */
        data += n;
        len -= (size_t) n;
    }
}

/* Read a request with its body; 0 when the client has gone. */
static int
read_request(int fd, struct script_log *log)
{
    size_t start = log->len, body = 0;
    const char *end = NULL;

    while (end == NULL || log->len < body) {
        ssize_t n =
            recv(fd, log->text + log->len, sizeof(log->text) - 1 - log->len, 0);

        if (n <= 0)
            return 0;
        log->len += (size_t) n;
        log->text[log->len] = '\0';
        end = strstr(log->text + start, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strstr(log->text + start, "Content-Length: ");
        body = (size_t) (end + 4 - log->text);
        if (length != NULL)
            body += strtoul(length + 16, NULL, 10);
    }
    log->requests++;
    return 1;
}

static void
drip(int fd, const char *data, int pause_ms)
{
    const struct timespec pause = { .tv_nsec = pause_ms * 1000L * 1000 };

    for (; *data != '\0'; data++) {
        send_all(fd, data, 1);
        (void) nanosleep(&pause, NULL);
    }
}

static void
bomb(int fd)
{
    char data[4096];
    size_t n;
    FILE *gzip =
        popen("head -c 67108864 /dev/zero | tr '\\0' ' ' | gzip -1", "r");

    while (gzip != NULL && (n = fread(data, 1, sizeof(data), gzip)) > 0)
        send_all(fd, data, n);
}

static void
answer(int fd, const struct script_step *step)
{
    char head[4096];

    if (step->then == SCRIPT_DRIP) {
        drip(fd, step->raw, 10);
    } else if (step->then == SCRIPT_TRICKLE) {
        const char *body = strstr(step->raw, "\r\n\r\n") + 4;

        send_all(fd, step->raw, (size_t) (body - step->raw));
        drip(fd, body, 100);
    } else if (step->raw != NULL) {
        send_all(fd, step->raw, strlen(step->raw));
    } else {
        const char *headers = step->headers != NULL
                                  ? step->headers
                                  : "Content-Type: application/json\r\n";
        const char *body = step->body != NULL ? step->body : "";
        int n = snprintf(head, sizeof(head),
                         "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
                         step->status, headers, strlen(body));
        send_all(fd, head, (size_t) n);
        send_all(fd, body, strlen(body));
    }
    if (step->then == SCRIPT_BOMB)
        bomb(fd);
    for (int i = 0; step->then == SCRIPT_HEADERS && i < 100000; i++)
        send_all(fd, "X-Header: without end\r\n", 23);
}

/* What happens to the connection; the one to go on with, or -1. */
static int
finish(int fd, enum script_then then)
{
    const struct linger reset = { .l_onoff = 1 };

    if (then == SCRIPT_KEEP)
        return fd;
    if (then == SCRIPT_SIGTERM)
        (void) kill(getppid(), SIGTERM);
    if (then == SCRIPT_SIGTERM || then == SCRIPT_HANG)
        (void) pause();
    if (then == SCRIPT_RESET)
        (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void) close(fd);
    return -1;
}

static void
play(int listener, const struct script_step *steps, struct script_log *log)
{
    const int on = 1;
    int fd = -1;

    for (; steps->raw != NULL || steps->status != NULL; steps++) {
        while (fd < 0 || !read_request(fd, log)) {
            if (fd >= 0)
                (void) close(fd);
            fd = accept(listener, NULL, NULL);
            (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            log->connections++;
        }
        answer(fd, steps);
        fd = finish(fd, steps->then);
    }
}

void
script_start(struct script *script, const struct script_step *steps)
{
    int listener = listen_anywhere(script->origin, sizeof(script->origin));

    script->log = mmap(NULL, sizeof(*script->log), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(script->log != MAP_FAILED);
    script->pid = fork();
    ck_assert_int_ge(script->pid, 0);
    if (script->pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) signal(SIGTERM, SIG_DFL);
        play(listener, steps, script->log);
        _exit(0);
    }
    (void) close(listener);
}

void
script_stop(struct script *script)
{
    (void) kill(script->pid, SIGKILL);
    (void) waitpid(script->pid, NULL, 0);
    (void) munmap(script->log, sizeof(*script->log));
}
