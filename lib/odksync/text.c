/* lib/odksync/text.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "odksync/internal.h"

#include <string.h>

#include "core/time.h"

/* 0001-01-01 to 9999-12-31, what ISO 8601 can write */
#define TIME_MIN INT64_C(-62135596800000000)
#define TIME_MAX INT64_C(253402300799999999)

bool
odks_lib_is_time(int64_t us)
{
    return us == ODKS_TIME_NONE || (us >= TIME_MIN && us <= TIME_MAX);
}

int
odks_parse_time(const char *text, int64_t *us)
{
    if (text == NULL || us == NULL || !odks_time_parse(text, us, NULL))
        return ODKS_E_USAGE;
    return 0;
}

int
odks_format_time(int64_t us, char *text, size_t size)
{
    char whole[ODKS_TIME_TEXT];

    if (text == NULL || !odks_lib_is_time(us) || us == ODKS_TIME_NONE)
        return ODKS_E_USAGE;
    odks_time_format(us, whole);
    if (strlen(whole) >= size)
        return ODKS_E_USAGE;
    memcpy(text, whole, strlen(whole) + 1);
    return 0;
}

int
odks_error_code(const struct odks_sync *sync)
{
    if (sync == NULL)
        return ODKS_E_USAGE;
    switch (sync->err.code) {
    case ODKS_EXIT_OK:
    case ODKS_EXIT_USAGE:
    case ODKS_EXIT_OS:
    case ODKS_EXIT_TEMPFAIL:
    case ODKS_EXIT_NOPERM:
    case ODKS_EXIT_CONFIG:
        return (int) sync->err.code;
    default:
        return ODKS_E_SOFTWARE;
    }
}

const char *
odks_error_message(const struct odks_sync *sync)
{
    return sync != NULL ? sync->err.message : "there is no handle";
}

const char *
odks_error_hint(const struct odks_sync *sync)
{
    return sync != NULL ? sync->err.hint
                        : "Open one with odks_open(); if that gave none, "
                          "memory is short.";
}

const char *
odks_error_sqlstate(const struct odks_sync *sync)
{
    return sync != NULL ? sync->err.sqlstate : "";
}

const char *
odks_version(void)
{
    return PACKAGE_VERSION;
}
