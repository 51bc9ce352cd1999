/* lib/core/utf8.h - SPDX-License-Identifier: Apache-2.0 */
/* Is it UTF-8? Of a whole text, or piece by piece; and making it so. */
#ifndef ODKS_CORE_UTF8_H
#define ODKS_CORE_UTF8_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

/* All zero to begin with. */
struct odks_utf8 {
    unsigned more;           /* bytes that the running character still needs */
    unsigned char low, high; /* limits of the next of them */
};

/*
 * Go over characters of several bytes up to the first ASCII byte or end; a
 * piece may end within a character. False: *p is at a byte that is wrong.
 */
bool odks_utf8_run(struct odks_utf8 *utf8, const char **p, const char *end);

/* Are these len bytes UTF-8 from the first to the last? */
bool odks_is_utf8(const char *s, size_t len);

/* Bytes of the character at p, which is before end; 0: it is none. */
size_t odks_utf8_character(const char *p, const char *end);

/* How many bytes of s, max at most, end with a whole character. */
size_t odks_utf8_cut(const char *s, size_t max);

/*
 * Make s UTF-8, in place, so that PostgreSQL takes it: a character that was cut
 * at the end is left out, any other byte that is none becomes "?". For every
 * text that was cut to fit, or that somebody else wrote.
 */
void odks_utf8_clean(char *s);

/*
 * snprintf(3) for such texts: what does not fit into size bytes is cut at a
 * character, and the result is UTF-8. An argument must not be in text.
 */
void odks_utf8_format(char *text, size_t size, const char *fmt, ...)
    ODKS_PRINTF(3, 4);
void odks_utf8_vformat(char *text, size_t size, const char *fmt, va_list args)
    ODKS_PRINTF(3, 0);

#endif
