/* tests/fuzz/scan.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The row scanner. How a network cuts a document into pieces must not change
 * what is read, and a row must be text that PostgreSQL can take.
 */
#include <config.h>

#include "central/scan.h"

#include "core/err.h"
#include "fuzz.h"

enum { MAX_ROW = 256, MAX_OUT = 1 << 20 };

struct result {
    bool ok;
    enum odks_exit code;
    struct odks_buf rows;
};

static bool
feed_piece(struct odks_scan *scan, const char *piece, size_t len,
           struct odks_buf *rows, struct odks_err *err)
{
    bool complete;

    while (len > 0) {
        if (!odks_scan_feed(scan, &piece, &len, &complete, err))
            return false;
        if (!complete)
            continue;
        FUZZ_REQUIRE(scan->row.len <= MAX_ROW * 2);
        FUZZ_REQUIRE(strlen(scan->row.data) == scan->row.len);
        FUZZ_REQUIRE(odks_buf_add(rows, scan->row.data, scan->row.len));
        FUZZ_REQUIRE(odks_buf_add_char(rows, '\n'));
    }
    return true;
}

static struct result
scan_document(const char *text, size_t len, size_t step)
{
    struct result result = { .ok = true, .rows = ODKS_BUF_INIT(MAX_OUT) };
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_scan scan;

    odks_scan_init(&scan, MAX_ROW);
    for (size_t at = 0; result.ok && at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        result.ok = feed_piece(&scan, text + at, n, &result.rows, &err);
    }
    result.ok = result.ok && odks_scan_end(&scan, &err);
    odks_scan_free(&scan);
    result.code = err.code;
    FUZZ_REQUIRE(result.ok == (err.code == ODKS_EXIT_OK));
    return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct result whole = scan_document(text, size, size + 1);

    for (size_t step = 1; step <= 7; step += 3) {
        struct result part = scan_document(text, size, step);
        FUZZ_REQUIRE(part.ok == whole.ok && part.code == whole.code);
        FUZZ_REQUIRE(part.rows.len == whole.rows.len);
        FUZZ_REQUIRE(part.rows.len == 0
                     || memcmp(part.rows.data, whole.rows.data, part.rows.len)
                            == 0);
        odks_buf_free(&part.rows);
    }
    odks_buf_free(&whole.rows);
    free(text);
    return 0;
}
