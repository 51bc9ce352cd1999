/* tests/fault/shim.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A library for LD_PRELOAD that strikes at the Nth point of a run.
 *
 * Points of kind sql: before a statement is handed to libpq, after its last
 * byte went out, after its first result came in. Points of kind http: before
 * and after every read that gets something (data, or the end) from a socket
 * whose other end has the port $ODKS_FAULT_HTTP_PORT.
 *
 *   ODKS_FAULT_AT      the number of the point, from 1
 *   ODKS_FAULT_KIND    sql, http or all (default): the points that count
 *   ODKS_FAULT_ACTION  count (default: none), kill, term, stop (SIGSTOP), or
 *                      drop: cut the connection that the point is about
 *   ODKS_FAULT_LOG     a file that gets a line per point: number and name;
 *                      the one that was struck has a * before it
 */
#include <config.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum phase { IDLE, SENT, FLUSHED };

/* The program has one connection in use at a time and one thread. */
static struct {
    bool ready;
    int log_fd;
    long at, count;
    bool sql, http;
    const char *action;
    int http_port;
    enum phase phase;
    char statement[48];
} shim = { .log_fd = -1 };

static const char *
setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static void
get_ready(void)
{
    const char *kind = setting("ODKS_FAULT_KIND", "all");
    const char *log = getenv("ODKS_FAULT_LOG");

    shim.ready = true;
    shim.at = strtol(setting("ODKS_FAULT_AT", "0"), NULL, 10);
    shim.sql = strcmp(kind, "http") != 0;
    shim.http = strcmp(kind, "sql") != 0;
    shim.action = setting("ODKS_FAULT_ACTION", "count");
    shim.http_port =
        (int) strtol(setting("ODKS_FAULT_HTTP_PORT", "0"), NULL, 10);
    if (log != NULL)
        shim.log_fd =
            open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void
strike(int fd)
{
    if (strcmp(shim.action, "kill") == 0)
        (void) kill(getpid(), SIGKILL);
    else if (strcmp(shim.action, "term") == 0)
        (void) kill(getpid(), SIGTERM);
    else if (strcmp(shim.action, "stop") == 0)
        (void) kill(getpid(), SIGSTOP);
    else if (strcmp(shim.action, "drop") == 0)
        (void) shutdown(fd, SHUT_RDWR);
}

static void
point(bool counts, int fd, const char *when, const char *what)
{
    char line[128];

    if (!shim.ready)
        get_ready();
    if (!counts)
        return;
    shim.count++;
    bool now = shim.count == shim.at;
    int len = snprintf(line, sizeof(line), "%s%ld %s %s\n", now ? "*" : "",
                       shim.count, when, what);
    if (shim.log_fd >= 0 && write(shim.log_fd, line, (size_t) len) < len)
        abort();
    if (now)
        strike(fd);
}

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (real == NULL)              \
    real = (__typeof__(name) *) dlsym(RTLD_NEXT, #name)

/* The first words of a statement, as its name. */
static void
before(PGconn *conn, const char *text)
{
    size_t n = 0;

    while (text[0] == ' ' || text[0] == '\n' || text[0] == '-') {
        if (text[0] == '-')
            text += strcspn(text, "\n");
        else
            text++;
    }
    for (; text[n] != '\0' && n < sizeof(shim.statement) - 1; n++)
        shim.statement[n] = (unsigned char) text[n] < ' ' ? ' ' : text[n];
    shim.statement[n] = '\0';
    if (!shim.ready)
        get_ready();
    point(shim.sql, PQsocket(conn), "before", shim.statement);
}

/* libpq may have sent all by itself: there is nothing left to flush then. */
static int
sent(PGconn *conn, int ok)
{
    if (ok == 1)
        shim.phase = SENT;
    if (ok == 1 && PQflush(conn) < 0)
        return ok; /* PQgetResult() will tell */
    return ok;
}

int
PQsendQuery(PGconn *conn, const char *query)
{
    REAL(PQsendQuery);
    before(conn, query);
    return sent(conn, real(conn, query));
}

int
PQsendQueryParams(PGconn *conn, const char *command, int n, const Oid *types,
                  const char *const *values, const int *lengths,
                  const int *formats, int format)
{
    REAL(PQsendQueryParams);
    before(conn, command);
    return sent(
        conn, real(conn, command, n, types, values, lengths, formats, format));
}

int
PQputCopyData(PGconn *conn, const char *buffer, int nbytes)
{
    REAL(PQputCopyData);
    before(conn, "copy data");
    return real(conn, buffer, nbytes);
}

int
PQputCopyEnd(PGconn *conn, const char *errormsg)
{
    REAL(PQputCopyEnd);
    before(conn, "copy end");
    return sent(conn, real(conn, errormsg));
}

int
PQflush(PGconn *conn)
{
    REAL(PQflush);
    int left = real(conn);

    if (left == 0 && shim.phase == SENT) {
        shim.phase = FLUSHED;
        point(shim.sql, PQsocket(conn), "sent", shim.statement);
    }
    return left;
}

PGresult *
PQgetResult(PGconn *conn)
{
    REAL(PQgetResult);
    PGresult *res = real(conn);

    if (res != NULL && shim.phase != IDLE) {
        shim.phase = IDLE;
        point(shim.sql, PQsocket(conn), "answered", shim.statement);
    }
    return res;
}

/* Is fd connected to the HTTP server, and would a read not wait? */
static bool
is_http(int fd)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);

    if (!shim.ready)
        get_ready();
    if (!shim.http || shim.http_port == 0
        || getpeername(fd, (struct sockaddr *) &peer, &len) < 0
        || peer.sin_family != AF_INET || ntohs(peer.sin_port) != shim.http_port)
        return false;

    struct pollfd readable = { .fd = fd, .events = POLLIN };
    return poll(&readable, 1, 0) == 1;
}

ssize_t
recv(int fd, void *buf, size_t n, int flags)
{
    REAL(recv);
    if ((flags & MSG_PEEK) != 0 || !is_http(fd))
        return real(fd, buf, n, flags);
    point(true, fd, "before", "http read");
    ssize_t got = real(fd, buf, n, flags);
    point(true, fd, "after", "http read");
    return got;
}

ssize_t
read(int fd, void *buf, size_t n)
{
    REAL(read);
    if (!is_http(fd))
        return real(fd, buf, n);
    point(true, fd, "before", "http read");
    ssize_t got = real(fd, buf, n);
    point(true, fd, "after", "http read");
    return got;
}
