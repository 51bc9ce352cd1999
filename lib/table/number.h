/* lib/table/number.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of JSON by their text: what Central printed is what PostgreSQL
 * reads, with no rounding in between.
 */
#ifndef ODKS_TABLE_NUMBER_H
#define ODKS_TABLE_NUMBER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

/* Text that is borrowed, and not ended by a NUL. */
struct odks_span {
    const char *p;
    size_t len;
};

bool odks_is_space(char c); /* of XML */
struct odks_span odks_span_trim(struct odks_span s);

/* A number, taken apart; all borrowed from the JSON value. */
struct odks_number {
    struct odks_span text;
    const char *whole; /* digits before the point */
    size_t whole_len;
    const char *fraction; /* digits behind it */
    size_t fraction_len;
    long exponent;
    bool negative;
};

/*
 * Read a JSON number, or a string that holds one with space around it. As all
 * below: NULL, or why not, as a text that lives for ever.
 */
ODKS_MUST_CHECK const char *odks_number_read(struct json_object *value,
                                             struct odks_number *n);

/* Would a column of type numeric, or double precision, take it? */
ODKS_MUST_CHECK const char *
odks_number_fits_numeric(const struct odks_number *n);
ODKS_MUST_CHECK const char *
odks_number_fits_double(const struct odks_number *n);

/* A whole number that fits in 64 bits, in any spelling: 12, 12.0, 1.2e1. */
ODKS_MUST_CHECK const char *odks_number_int64(struct json_object *value,
                                              int64_t *number);

#endif
