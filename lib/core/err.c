/* lib/core/err.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/err.h"

#include <stdarg.h>
#include <string.h>

#include "core/utf8.h"

/* Peers put newlines into their messages; ours stay on one line. */
static void
one_line(char *s)
{
    size_t len = strlen(s);

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\n' || s[i] == '\r' || s[i] == '\t')
            s[i] = ' ';
    }
    while (len > 0 && s[len - 1] == ' ')
        s[--len] = '\0';
}

/*
 * A peer's message can contain any bytes, and our buffers can truncate it
 * anywhere. PostgreSQL stores only valid UTF-8.
 */
#define FORMAT_INTO(field)                                   \
    do {                                                     \
        va_list args_;                                       \
        va_start(args_, fmt);                                \
        odks_utf8_vformat(field, sizeof(field), fmt, args_); \
        va_end(args_);                                       \
        one_line(field);                                     \
    } while (0)

void
odks_err_set(struct odks_err *err, enum odks_exit code, const char *fmt, ...)
{
    char message[sizeof(err->message)]; /* an argument may be err->message */

    FORMAT_INTO(message);
    odks_err_clear(err);
    err->code = code;
    memcpy(err->message, message, sizeof(message));
}

void
odks_err_message(struct odks_err *err, const char *fmt, ...)
{
    char message[sizeof(err->message)];

    FORMAT_INTO(message);
    memcpy(err->message, message, sizeof(message));
}

void
odks_err_detail(struct odks_err *err, const char *fmt, ...)
{
    FORMAT_INTO(err->detail);
}

void
odks_err_hint(struct odks_err *err, const char *fmt, ...)
{
    FORMAT_INTO(err->hint);
}

void
odks_err_context(struct odks_err *err, const char *fmt, ...)
{
    char context[sizeof(err->message)];
    char message[sizeof(err->message)];

    FORMAT_INTO(context);
    memcpy(message, err->message, sizeof(message));
    odks_utf8_format(err->message, sizeof(err->message), "%s: %s", context,
                     message);
}

bool
odks_err_is_temporary(const struct odks_err *err)
{
    return odks_exit_is_temporary(err->code);
}

void
odks_err_clear(struct odks_err *err)
{
    memset(err, 0, sizeof(*err));
}
