/* lib/core/mem.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/exit.h"

static _Noreturn void
die(void)
{
    static const char message[] = "odk-sync: error: out of memory [71]\n";

    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        _exit(ODKS_EXIT_OS);
    _exit(ODKS_EXIT_OS);
}

void *
odks_or_die(void *p)
{
    if (p == NULL)
        die();
    return p;
}

void *
odks_xcalloc(size_t count, size_t size)
{
    return odks_or_die(calloc(count > 0 ? count : 1, size));
}

void *
odks_xreallocarray(void *p, size_t count, size_t size)
{
    return odks_or_die(reallocarray(p, count > 0 ? count : 1, size));
}

char *
odks_xstrdup(const char *s)
{
    return odks_or_die(strdup(s));
}

char *
odks_xstrndup(const char *s, size_t len)
{
    return odks_or_die(strndup(s, len));
}

char *
odks_xvasprintf(const char *fmt, va_list args)
{
    char *s = NULL;

    if (vasprintf(&s, fmt, args) < 0)
        die();
    return s;
}

char *
odks_xasprintf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *s = odks_xvasprintf(fmt, args);
    va_end(args);
    return s;
}
