/* tests/fuzz/fuzz.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is one file with LLVMFuzzerTestOneInput(). It feeds any bytes
 * to a parser and aborts when a rule about the result does not hold. `make
 * fuzz` links it with libFuzzer; `make check` links it with replay.c, which
 * feeds it the files of seeds/TARGET.
 */
#ifndef ODKS_TESTS_FUZZ_H
#define ODKS_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): a build without it must find the same. */
#define FUZZ_REQUIRE(condition)                                           \
    do {                                                                  \
        if (!(condition)) {                                               \
            (void) fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, \
                           __LINE__, #condition);                         \
            abort();                                                      \
        }                                                                 \
    } while (0)

/* The bytes as a string, which ends at the first NUL; the caller frees it. */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_REQUIRE(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
