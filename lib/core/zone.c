/* lib/core/zone.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"

enum { DAY_S = 86400, SECOND = 1000000 };

#define ZONEINFO "/usr/share/zoneinfo"

bool
odks_timezone_exists(const char *zone)
{
    const char *dir = getenv("TZDIR");
    char magic[4] = "";

    if (strcmp(zone, "UTC") == 0)
        return true; /* even where no tzdata is installed */
    if (zone[0] == '/' || zone[0] == ':' || strstr(zone, "..") != NULL)
        return false;
    CLEANUP_FREE char *path =
        odks_xasprintf("%s/%s", dir != NULL ? dir : ZONEINFO, zone);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool ok = fread(magic, 1, sizeof(magic), file) == sizeof(magic)
              && memcmp(magic, "TZif", sizeof(magic)) == 0;
    (void) fclose(file);
    return ok;
}

char *
odks_zone_enter(const char *zone)
{
    const char *before = getenv("TZ");
    char *saved = before != NULL ? odks_xstrdup(before) : NULL;

    (void) setenv("TZ", zone, 1);
    tzset();
    return saved;
}

void
odks_zone_leave(char *saved)
{
    if (saved != NULL)
        (void) setenv("TZ", saved, 1);
    else
        (void) unsetenv("TZ");
    tzset();
    free(saved);
}

/* What local clocks are ahead of UTC at t, in seconds. */
static int64_t
offset(int64_t t)
{
    time_t seconds = (time_t) t;
    struct tm tm = { 0 };

    (void) localtime_r(&seconds, &tm);
    return tm.tm_gmtoff;
}

/* Around a change of the clocks there are two offsets to try. */
static int64_t
earliest(int64_t wall_s)
{
    int64_t a = wall_s - offset(wall_s - DAY_S);
    int64_t b = wall_s - offset(wall_s + DAY_S);
    int64_t first = a < b ? a : b;
    int64_t second = a < b ? b : a;
    bool is_second = second + offset(second) == wall_s;

    return is_second && first + offset(first) != wall_s ? second : first;
}

int64_t
odks_zone_to_utc(int64_t wall, const char *zone)
{
    int64_t us = wall % SECOND;
    int64_t seconds = wall / SECOND;

    if (us < 0) {
        us += SECOND;
        seconds--;
    }
    char *saved = zone != NULL ? odks_zone_enter(zone) : NULL;
    if (zone == NULL)
        tzset();
    seconds = earliest(seconds);
    if (zone != NULL)
        odks_zone_leave(saved);
    return seconds * SECOND + us;
}

int64_t
odks_zone_to_local(int64_t us, const char *zone)
{
    if (strcmp(zone, "UTC") == 0)
        return us;
    char *saved = odks_zone_enter(zone);
    int64_t ahead = offset(us / SECOND - (us % SECOND < 0));
    odks_zone_leave(saved);
    return us + ahead * SECOND;
}
