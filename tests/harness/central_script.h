/* tests/harness/central_script.h - SPDX-License-Identifier: Apache-2.0 */
/* A session with a Central that plays a script, and the usual answers. */
#ifndef ODKS_TESTS_CENTRAL_SCRIPT_H
#define ODKS_TESTS_CENTRAL_SCRIPT_H

#include <check.h>

#include "central/central.h"
#include "core/err.h"
#include "http_script.h"

#define JSON(text)                       \
    {                                    \
        .status = "200 OK", .body = text \
    }
#define LOGIN JSON("{\"token\":\"first\"}")
#define REFUSAL(line, code)                                        \
    {                                                              \
        .status = line,                                            \
        .body = "{\"message\":\"No, because.\",\"code\":" code "}" \
    }
#define HTML(line)                                                \
    {                                                             \
        .status = line, .headers = "Content-Type: text/html\r\n", \
        .body = "<html>{\"message\":\"x\"}"                       \
    }
#define NO_FORM REFUSAL("404 Not Found", "404.1")
#define DATE "Date: Mon, 23 Nov 2026 18:33:00 GMT\r\n"
#define DATED(text)                                                        \
    {                                                                      \
        .status = "200 OK",                                                \
        .headers = "Content-Type: application/json\r\n" DATE, .body = text \
    }
enum { MAX_STEPS = 6 };

#define COUNT(list) ((int) (sizeof(list) / sizeof((list)[0])))

struct session {
    struct script script;
    struct odks_central_login login;
    struct odks_central *central;
    struct odks_err err;
};

static inline void
session_begin(struct session *s, const struct script_step *steps)
{
    *s = (struct session){ .err = ODKS_ERR_INIT };
    script_start(&s->script, steps);
    s->login = (struct odks_central_login){
        .http = { .origin = s->script.origin, .timeout_s = 5, .stall_s = 5 },
        .user = "bot@example.org",
        .password = "s3\"cret",
        .max_row_bytes = 1000
    };
    ck_assert(odks_central_open(&s->login, &s->central, &s->err));
}

static inline void
session_end(struct session *s)
{
    odks_central_close(s->central);
    script_stop(&s->script);
}

#endif
