/* lib/central/utf8.h - SPDX-License-Identifier: Apache-2.0 */
/* Is it UTF-8? Asked piece by piece; a piece may end within a character. */
#ifndef ODKS_CENTRAL_UTF8_H
#define ODKS_CENTRAL_UTF8_H

#include <stdbool.h>

/* All zero to begin with. */
struct odks_utf8 {
    unsigned more;           /* bytes that the running character still needs */
    unsigned char low, high; /* limits of the next of them */
};

/* Go over characters of several bytes up to the first ASCII byte or end. */
bool odks_utf8_run(struct odks_utf8 *utf8, const char **p, const char *end);

#endif
