/* tests/fuzz/schedule.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Cron expressions, after eight bytes that choose the moment and the time zone.
 * The latest slot is not after now, the next one is, and a slot is its own
 * latest slot.
 */
#include <config.h>

#include "queue/schedule.h"

#include "core/err.h"
#include "core/time.h"
#include "fuzz.h"

static const char *const zones[] = {
    "UTC",          "Europe/Berlin",      "Asia/Kathmandu", "America/St_Johns",
    "Pacific/Apia", "Australia/Lord_Howe"
};

/* A digit or letter each, so that a seed is a text file. */
static int64_t
take_moment(const uint8_t *data)
{
    int64_t moment = 0;

    for (int i = 1; i < 8; i++)
        moment = moment * 64 + (data[i] & 63);
    return moment % (INT64_C(4102444800) * 1000000);
}

static void
check_slots(const struct odks_schedule *s, const char *zone, int64_t now)
{
    const int64_t latest = odks_schedule_latest(s, zone, now);
    const int64_t next = odks_schedule_next(s, zone, now);

    FUZZ_REQUIRE(latest == ODKS_TIME_NONE || latest <= now);
    FUZZ_REQUIRE(next == ODKS_TIME_NONE || next > now);
    if (latest != ODKS_TIME_NONE)
        FUZZ_REQUIRE(odks_schedule_latest(s, zone, latest) == latest);
    if (next != ODKS_TIME_NONE)
        FUZZ_REQUIRE(odks_schedule_latest(s, zone, next) == next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_schedule s;

    if (size < 8)
        return 0;
    char *text = fuzz_string(data + 8, size - 8);
    if (odks_schedule_parse(text, &s, &err))
        check_slots(&s, zones[data[0] % (sizeof(zones) / sizeof(*zones))],
                    take_moment(data));
    else
        FUZZ_REQUIRE(err.code == ODKS_EXIT_CONFIG);
    free(text);
    return 0;
}
