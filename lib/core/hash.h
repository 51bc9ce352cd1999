/* lib/core/hash.h - SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a in 64 bits: whether a text is the one of last time. */
#ifndef ODKS_CORE_HASH_H
#define ODKS_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define ODKS_HASH_INIT UINT64_C(0xcbf29ce484222325)

/* hash with s and its end added; s may be NULL, which is not "". */
static inline uint64_t
odks_hash_text(uint64_t hash, const char *s)
{
    for (const char *p = s; p != NULL && *p != '\0'; p++)
        hash = (hash ^ (unsigned char) *p) * UINT64_C(0x100000001b3);
    return (hash ^ (s != NULL ? 0xffU : 0xfeU)) * UINT64_C(0x100000001b3);
}

#endif
