/* lib/core/utf8.h - SPDX-License-Identifier: Apache-2.0 */
/* Is it UTF-8? Of a whole text, or piece by piece. */
#ifndef ODKS_CORE_UTF8_H
#define ODKS_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
