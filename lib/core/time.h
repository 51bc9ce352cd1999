/* lib/core/time.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as microseconds since 1970-01-01T00:00:00Z, and the texts in
 * which people, Central and PostgreSQL write them.
 */
#ifndef ODKS_CORE_TIME_H
#define ODKS_CORE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define ODKS_TIME_NONE INT64_MIN

enum { ODKS_TIME_TEXT = 40 }; /* bytes for odks_time_format() */

/* What an ISO 8601 text said about its zone. */
enum odks_time_zone { ODKS_TIME_WITH_ZONE, ODKS_TIME_LOCAL };

/*
 * Read "2026-11-23T16:15:30.123Z", "... +01:00", "2026-11-23" or
 * "2026-11-23 16:15" (no zone: taken as UTC and *zone says so; zone may be
 * NULL). Dates and times that do not exist, years outside 0001..9999, and times
 * after the year 9999 in UTC are refused. More than six digits of a fraction
 * are cut.
 */
bool odks_time_parse(const char *text, int64_t *us, enum odks_time_zone *zone);

/* "2026-11-23T16:15:30.123456Z"; trailing zeros beyond ms are left out. */
void odks_time_format(int64_t us, char text[ODKS_TIME_TEXT]);

/* "90", "90s", "15m", "24h", "7d", "1h30m" as whole seconds. */
bool odks_duration_parse(const char *text, int64_t *seconds);

#endif
