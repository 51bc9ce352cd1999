/* lib/core/hmac.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

void
odks_hmac(const char *key, const char *data, size_t len,
          char text[ODKS_HMAC_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (HMAC(EVP_sha256(), key, (int) strlen(key), (const unsigned char *) data,
             len, digest, &n)
        == NULL)
        (void) odks_or_die(NULL);
    for (unsigned i = 0; i < n; i++)
        (void) snprintf(text + (size_t) 2 * i, 3, "%02x", digest[i]);
}
