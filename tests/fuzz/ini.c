/* tests/fuzz/ini.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files. An error names a line of the file; what is accepted
 * comes in order, and nothing of it was cut.
 */
#include <config.h>

#include "config/internal.h"

#include "fuzz.h"

static int
count_lines(const struct odks_buf *text)
{
    int lines = 1;

    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(ODKS_CONFIG_FILE_MAX);
    CLEANUP_INI struct odks_ini ini = { 0 };
    struct odks_err err = ODKS_ERR_INIT;

    if (!odks_buf_add(&text, data, size))
        return 0;
    if (!odks_ini_parse(&text, "fuzz.ini", &ini, &err)) {
        FUZZ_REQUIRE(err.code == ODKS_EXIT_CONFIG);
        FUZZ_REQUIRE(strstr(err.message, "fuzz.ini") != NULL);
        return 0;
    }
    const int lines = count_lines(&text);
    for (size_t i = 0; i < ini.count; i++) {
        const struct odks_ini_entry *e = &ini.entries[i];
        FUZZ_REQUIRE(e->line >= 1 && e->line <= lines);
        FUZZ_REQUIRE(i == 0 || e->line >= e[-1].line);
        FUZZ_REQUIRE(strlen(e->section) <= ODKS_CONFIG_HEADER_MAX);
        FUZZ_REQUIRE((e->key == NULL) == (e->value == NULL) || e->key == NULL);
    }
    return 0;
}
