/* lib/run/report.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program says of its work: lines, each a JSON object with any of
 *
 *   records_processed  whole number: records done so far
 *   latest_timestamp   ISO 8601, without a zone UTC: the newest record
 *   metadata           object: its keys are added to the attempt's metadata
 *
 * A line that is anything else, or longer than ODKS_REPORT_LINE, is counted
 * and left out as a whole; the first one is told in the log.
 */
#ifndef ODKS_RUN_REPORT_H
#define ODKS_RUN_REPORT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum { ODKS_REPORT_LINE = 8192, ODKS_REPORT_KEYS = 64 };

struct odks_report {
    struct odks_buf line; /* as far as it has come */
    bool too_long;        /* and the rest of it is to be skipped */
    int64_t lines, bad;   /* all, and those not understood */
    int64_t records;      /* -1: nothing was said */
    int64_t latest;       /* the newest of all; ODKS_TIME_NONE: nothing said */
    struct json_object *metadata; /* borrowed: keys are added to it */
};

void odks_report_init(struct odks_report *r, struct json_object *metadata);
void odks_report_feed(struct odks_report *r, const char *bytes, size_t len);
/* No more comes: a last line may lack its newline. */
void odks_report_end(struct odks_report *r);

#endif
