/* tests/fuzz/time.c - SPDX-License-Identifier: Apache-2.0 */
/* Times, durations and time zones: what is read and written again is the same,
 * and local time leads back to an instant that clocks show so. */
#include <config.h>

#include "core/time.h"

#include "core/zone.h"
#include "fuzz.h"

/* Microseconds; clocks are never changed by more. */
#define DAY INT64_C(86400000000)
/* In zones east of UTC the year 1 begins earlier, in a year without a text. */
#define YEAR_1 (INT64_C(-62135596800) * 1000000)

static void
check_zone(int64_t us, const char *zone)
{
    const int64_t wall = odks_zone_to_local(us, zone);
    const int64_t back = odks_zone_to_utc(wall, zone);

    FUZZ_REQUIRE(wall - us <= DAY && us - wall <= DAY);
    FUZZ_REQUIRE(odks_zone_to_local(back, zone) == wall);
    /* of an hour that comes twice it is the first */
    FUZZ_REQUIRE(back <= us && us - back <= DAY);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char again[ODKS_TIME_TEXT];
    int64_t us, seconds;

    if (odks_time_parse(text, &us, NULL)) {
        int64_t same;
        odks_time_format(us, again);
        FUZZ_REQUIRE(us < YEAR_1
                     || (odks_time_parse(again, &same, NULL) && same == us));
        check_zone(us, "Europe/Berlin");
        check_zone(us, "Australia/Lord_Howe");
        check_zone(us, "America/St_Johns");
    }
    if (odks_duration_parse(text, &seconds))
        FUZZ_REQUIRE(seconds >= 0);
    (void) odks_timezone_exists(text);
    free(text);
    return 0;
}
