/* lib/core/hmac.h - SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 (RFC 2104), as `openssl dgst -sha256 -hmac KEY` has it. */
#ifndef ODKS_CORE_HMAC_H
#define ODKS_CORE_HMAC_H

#include <stddef.h>

enum { ODKS_HMAC_TEXT = 65 }; /* bytes: 64 hex digits, lower case, and NUL */

/* Memory that is short ends the program, as in odks_xmalloc(). */
void odks_hmac(const char *key, const char *data, size_t len,
               char text[ODKS_HMAC_TEXT]);

#endif
