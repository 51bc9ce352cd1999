/* lib/core/utf8.h - SPDX-License-Identifier: Apache-2.0 */
/* Check that text is UTF-8, whole or piece by piece, and make it UTF-8. */
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

/* Length in bytes of the character at p, which is less than end; 0 if the bytes
 * up to end do not begin with a character. */
size_t odks_utf8_character(const char *p, const char *end);

/* The length of the longest beginning of s that has at most max bytes and ends
 * with a whole character. */
size_t odks_utf8_cut(const char *s, size_t max);

/*
 * Make s valid UTF-8 in place, so that PostgreSQL can store it. An incomplete
 * character at the end is removed; every other invalid byte becomes "?". Call
 * this for text that was truncated or that comes from another program.
 */
void odks_utf8_clean(char *s);

/*
 * As snprintf(3), but the result is truncated between two characters and is
 * valid UTF-8. No argument may overlap text.
 */
void odks_utf8_format(char *text, size_t size, const char *fmt, ...)
    ODKS_PRINTF(3, 4);
void odks_utf8_vformat(char *text, size_t size, const char *fmt, va_list args)
    ODKS_PRINTF(3, 0);

#endif
