/* lib/core/sha1.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/sha1.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "core/mem.h"

void
odks_sha1(const char *data, size_t len, char text[ODKS_SHA1_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(data, len, digest, &n, EVP_sha1(), NULL) != 1)
        (void) odks_or_die(NULL);
    for (unsigned i = 0; i < n && 2 * i + 2 < ODKS_SHA1_TEXT; i++)
        (void) snprintf(text + (size_t) 2 * i, 3, "%02x", digest[i]);
}
