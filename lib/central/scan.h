/* lib/central/scan.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Find the rows in the text of an OData answer, piece by piece.
 *
 * A row is copied once, made ready for json-c and PostgreSQL on the way (see
 * central.h), and everything around the rows is kept as the envelope: the
 * same document with an empty array. What is wrong within a row beyond its
 * strings and brackets is left to whoever parses it.
 */
#ifndef ODKS_CENTRAL_SCAN_H
#define ODKS_CENTRAL_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/utf8.h"

struct odks_err;
struct odks_feed_names;

enum odks_scan_state {
    ODKS_SCAN_START,    /* before the document */
    ODKS_SCAN_ENVELOPE, /* in it, outside the rows */
    ODKS_SCAN_ENV_STRING,
    ODKS_SCAN_ENV_ESCAPE,
    ODKS_SCAN_FIRST,   /* behind the [ */
    ODKS_SCAN_BETWEEN, /* behind a row */
    ODKS_SCAN_COMMA,   /* behind a comma */
    ODKS_SCAN_ROW,     /* in a row, outside strings */
    ODKS_SCAN_STRING,
    ODKS_SCAN_ESCAPE, /* behind a backslash */
    ODKS_SCAN_HEX,    /* in the four digits of \u */
    ODKS_SCAN_DONE    /* the document is closed */
};

struct odks_scan {
    enum odks_scan_state state;
    const struct odks_feed_names *what; /* the rows are, for messages */
    struct odks_buf row;
    struct odks_buf envelope;
    bool seen_value;
    int64_t rows;
    unsigned depth;    /* of brackets, in the row or the envelope */
    uint64_t brackets; /* bit n: the bracket at depth n is a [ */
    struct odks_utf8 utf8;
    unsigned digits; /* of the running number; 0: none */
    bool whole;      /* neither . nor e in it so far */
    unsigned hex_count;
    unsigned hex;
    char hex_text[4];
    unsigned surrogate; /* a high one that waits for its low one, or 0 */
    char surrogate_text[4];
};

/* Ready for a new document, of submissions unless what is set; odks_scan_free()
 * ends the use. */
void odks_scan_init(struct odks_scan *scan, int64_t max_row_bytes);
void odks_scan_free(struct odks_scan *scan);

/* Begin another document; scan->rows goes on counting. */
void odks_scan_again(struct odks_scan *scan);

/*
 * Take in *data up to the end of a row; moves *data and *len behind what was
 * used. *complete: scan->row holds a row until the next call; otherwise all
 * was used. 65 for what is no such document.
 */
ODKS_MUST_CHECK bool odks_scan_feed(struct odks_scan *scan, const char **data,
                                    size_t *len, bool *complete,
                                    struct odks_err *err);

/*
 * The input ended. Anything but a whole document with "value" is an error:
 * 69 where the end is missing.
 */
ODKS_MUST_CHECK bool odks_scan_end(const struct odks_scan *scan,
                                   struct odks_err *err);

#endif
