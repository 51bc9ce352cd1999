/* lib/core/zone.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones by their names. libc knows one zone at a time; we have one
 * thread.
 */
#ifndef ODKS_CORE_ZONE_H
#define ODKS_CORE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* Is there such a time zone on this machine? */
bool odks_timezone_exists(const char *zone);

/* Let libc's local time be that of zone; give the result to leave(). */
char *odks_zone_enter(const char *zone);
void odks_zone_leave(char *saved);

/*
 * The point in time, as microseconds UTC, at which clocks in zone (NULL: of
 * this machine) show wall, which is written as if it were UTC. Of an hour that
 * comes twice it is the first, of one that is left out what comes before.
 */
int64_t odks_zone_to_utc(int64_t wall, const char *zone);

/* What clocks in zone show at us, written as if it were UTC. */
int64_t odks_zone_to_local(int64_t us, const char *zone);

#endif
