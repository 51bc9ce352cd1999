/* tests/contract/hash.c - SPDX-License-Identifier: Apache-2.0 */
/* Digests and pseudo-random numbers, so that the stand-in links little. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

static uint32_t
rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t
be32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8
           | p[3];
}

#define ROUND(f, k)                                    \
    do {                                               \
        uint32_t t = rol(a, 5) + (f) + e + (k) + w[i]; \
        e = d;                                         \
        d = c;                                         \
        c = rol(b, 30);                                \
        b = a;                                         \
        a = t;                                         \
    } while (0)

static void
sha1_block(uint32_t h[5], const unsigned char *p)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    int i;

    for (i = 0; i < 16; i++)
        w[i] = be32(p + 4 * i);
    for (; i < 80; i++)
        w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (i = 0; i < 20; i++)
        ROUND((b & c) | (~b & d), 0x5a827999U);
    for (; i < 40; i++)
        ROUND(b ^ c ^ d, 0x6ed9eba1U);
    for (; i < 60; i++)
        ROUND((b & c) | (b & d) | (c & d), 0x8f1bbcdcU);
    for (; i < 80; i++)
        ROUND(b ^ c ^ d, 0xca62c1d6U);
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* The last one or two blocks: rest, a one bit, zeros, the length in bits. */
static size_t
pad(const unsigned char *rest, size_t n, uint64_t bits, bool big,
    unsigned char out[128])
{
    size_t len = n + 9 > 64 ? 128 : 64;

    memset(out, 0, 128);
    if (n > 0)
        memcpy(out, rest, n);
    out[n] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        out[len - 8 + i] = (unsigned char) (bits >> (big ? 56 - 8 * i : 8 * i));
    return len;
}

void
sc_sha1(const void *data, size_t n, unsigned char out[20])
{
    uint32_t h[5] = { 0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U,
                      0xc3d2e1f0U };
    const unsigned char *p = data;
    unsigned char last[128];
    size_t i;

    for (i = 0; i + 64 <= n; i += 64)
        sha1_block(h, p + i);
    size_t len = pad(p + i, n - i, (uint64_t) n * 8, true, last);
    for (i = 0; i < len; i += 64)
        sha1_block(h, last + i);
    for (i = 0; i < 20; i++)
        out[i] = (unsigned char) (h[i / 4] >> (24 - 8 * (i % 4)));
}

static void
hex(const unsigned char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[p[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
    }
    out[2 * n] = '\0';
}

void
sc_sha1_hex(const void *data, size_t n, char out[41])
{
    unsigned char d[20];

    sc_sha1(data, n, d);
    hex(d, sizeof(d), out);
}

/* floor(2^32 * |sin(i + 1)|), as the algorithm defines its constants. */
static const uint32_t md5_k[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391
};

static void
md5_block(uint32_t h[4], const unsigned char *p)
{
    static const unsigned char shift[4][4] = { { 7, 12, 17, 22 },
                                               { 5, 9, 14, 20 },
                                               { 4, 11, 16, 23 },
                                               { 6, 10, 15, 21 } };
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

    for (unsigned i = 0; i < 64; i++) {
        unsigned r = i / 16;
        unsigned g = r == 0   ? i
                     : r == 1 ? (5 * i + 1) % 16
                     : r == 2 ? (3 * i + 5) % 16
                              : (7 * i) % 16;
        uint32_t f = r == 0   ? ((b & c) | (~b & d))
                     : r == 1 ? ((d & b) | (~d & c))
                     : r == 2 ? (b ^ c ^ d)
                              : (c ^ (b | ~d));
        uint32_t w = (uint32_t) p[4 * g] | (uint32_t) p[4 * g + 1] << 8
                     | (uint32_t) p[4 * g + 2] << 16
                     | (uint32_t) p[4 * g + 3] << 24;

        f += a + md5_k[i] + w;
        a = d;
        d = c;
        c = b;
        b += rol(f, shift[r][i % 4]);
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

void
sc_md5_hex(const void *data, size_t n, char out[33])
{
    uint32_t h[4] = { 0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U };
    const unsigned char *p = data;
    unsigned char last[128], d[16];
    size_t i;

    for (i = 0; i + 64 <= n; i += 64)
        md5_block(h, p + i);
    size_t len =
        pad(p == NULL ? last : p + i, n - i, (uint64_t) n * 8, false, last);
    for (i = 0; i < len; i += 64)
        md5_block(h, last + i);
    for (i = 0; i < 16; i++)
        d[i] = (unsigned char) (h[i / 4] >> (8 * (i % 4)));
    hex(d, sizeof(d), out);
}

static const char b64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
sc_base64(const void *data, size_t n, struct sc_buf *out)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t) p[i] << 16;

        if (i + 1 < n)
            v |= (uint32_t) p[i + 1] << 8;
        if (i + 2 < n)
            v |= p[i + 2];
        char c[4] = { b64[v >> 18], b64[v >> 12 & 63],
                      i + 1 < n ? b64[v >> 6 & 63] : '=',
                      i + 2 < n ? b64[v & 63] : '=' };
        sc_buf_put(out, c, 4);
    }
}

bool
sc_unbase64(const char *s, struct sc_buf *out)
{
    uint32_t v = 0;
    unsigned bits = 0;

    for (; *s != '\0' && *s != '='; s++) {
        const char *at = strchr(b64, *s);

        if (at == NULL)
            return false;
        v = v << 6 | (uint32_t) (at - b64);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            char c = (char) (v >> bits & 255);
            sc_buf_put(out, &c, 1);
        }
    }
    sc_buf_reserve(out, 1);
    out->p[out->len] = '\0';
    return true;
}

/* The finaliser of splitmix64: equal seeds, equal data, on every machine. */
uint64_t
sc_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/* "uuid:" and a version 4 UUID whose last 12 digits are low. */
void
sc_uuid(uint64_t seed, uint64_t low, char out[42])
{
    static const char digit[] = "0123456789abcdef";
    uint64_t r = sc_mix(seed);

    memcpy(out, "uuid:xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx", 42);
    for (unsigned i = 5; i < 28; i++) {
        if (out[i] != 'x')
            continue;
        out[i] = digit[r & 15];
        r >>= 4;
    }
    for (unsigned i = 40; i >= 29; i--) {
        out[i] = digit[low & 15];
        low >>= 4;
    }
}
