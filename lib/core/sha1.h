/* lib/core/sha1.h - SPDX-License-Identifier: Apache-2.0 */
/* SHA-1, from which Central derives the ids of repeat rows. */
#ifndef ODKS_CORE_SHA1_H
#define ODKS_CORE_SHA1_H

#include <stddef.h>

enum { ODKS_SHA1_TEXT = 41 };

/* The digest of data as hexadecimal digits. */
void odks_sha1(const char *data, size_t len, char text[ODKS_SHA1_TEXT]);

#endif
