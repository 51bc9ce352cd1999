/* tests/fuzz/replay.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Feed the seeds of a fuzz target to it, as TAP: one test for each file of
 * tests/fuzz/seeds/TARGET, whole and cut short at every byte.
 */
#include <config.h>

#include <dirent.h>
#include <libgen.h>

#include "fuzz.h"

enum { SEED_MAX = 1 << 16, SEEDS_MAX = 1000 };

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A copy of its own size, so that reading beyond it is noticed. */
static void
feed_bytes(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, data, len);
    (void) LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void
feed_file(const char *path)
{
    static uint8_t seed[SEED_MAX];
    FILE *file = fopen(path, "rb");

    FUZZ_REQUIRE(file != NULL);
    const size_t len = fread(seed, 1, sizeof(seed), file);
    (void) fclose(file);
    FUZZ_REQUIRE(len < sizeof(seed));
    for (size_t cut = 0; cut <= len; cut++)
        feed_bytes(seed, cut);
}

int
main(int argc, char **argv)
{
    const char *source = getenv("top_srcdir");
    struct dirent **entry = NULL;
    char directory[1024], path[2048];

    (void) argc;
    (void) snprintf(directory, sizeof(directory), "%s/tests/fuzz/seeds/%s",
                    source != NULL ? source : ".", basename(argv[0]));
    int count = scandir(directory, &entry, is_visible, alphasort);
    FUZZ_REQUIRE(count > 0 && count < SEEDS_MAX);
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        (void) snprintf(path, sizeof(path), "%s/%s", directory,
                        entry[i]->d_name);
        feed_file(path);
        printf("ok %d - %s\n", i + 1, entry[i]->d_name);
        (void) fflush(stdout);
        free(entry[i]);
    }
    free(entry);
    return EXIT_SUCCESS;
}
