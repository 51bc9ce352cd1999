/* tests/harness/http_script.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server in a process of its own that plays a script, byte for byte:
 * what no well-kept server would do on request. One step answers one request;
 * behind the last step the port is closed.
 */
#ifndef ODKS_TESTS_HTTP_SCRIPT_H
#define ODKS_TESTS_HTTP_SCRIPT_H

#include <stddef.h>
#include <sys/types.h>

enum script_then {
    SCRIPT_KEEP,    /* the next request comes over the same connection */
    SCRIPT_CLOSE,   /* a clean end */
    SCRIPT_RESET,   /* RST */
    SCRIPT_HANG,    /* say nothing any more */
    SCRIPT_SIGTERM, /* ask the test's process to stop, and hang */
    SCRIPT_DRIP,    /* before that: send byte by byte, 10 ms apart; close */
    SCRIPT_TRICKLE, /* the same with the body alone, 100 ms apart */
    SCRIPT_HEADERS, /* behind what was sent: headers without end */
    SCRIPT_BOMB     /* behind what was sent: 64 MiB of spaces, gzipped */
};

struct script_step {
    const char *raw;     /* all of the answer, or NULL: */
    const char *status;  /* "200 OK", with a Content-Length */
    const char *headers; /* lines with their \r\n; NULL: a type of JSON */
    const char *body;
    enum script_then then;
};

struct script_log {
    int connections;
    int requests;
    size_t len;
    char text[64 * 1024]; /* what the client sent */
};

struct script {
    pid_t pid;
    char origin[64];
    struct script_log *log; /* shared with the server */
};

/* A step with raw, status and headers NULL ends the script. */
void script_start(struct script *script, const struct script_step *steps);
void script_stop(struct script *script);

#endif
