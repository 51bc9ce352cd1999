/* lib/core/time.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Of the year 9999 in UTC: a later year has five digits. */
#define LAST_SECOND INT64_C(253402300799)

/* Exactly n digits as a number; moves *s behind them. */
static bool
digits(const char **s, int n, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (!isdigit((unsigned char) **s))
            return false;
        *value = *value * 10 + (**s - '0');
    }
    return true;
}

static bool
literal(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static bool
parse_date(const char **s, struct tm *tm)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    int year, month, day;

    if (!digits(s, 4, &year) || !literal(s, '-') || !digits(s, 2, &month)
        || !literal(s, '-') || !digits(s, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > days[month - 1] + (month == 2 && leap ? 1 : 0))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return true;
}

/* hh:mm[:ss[.fraction]] */
static bool
parse_clock(const char **s, struct tm *tm, int *us)
{
    if (!digits(s, 2, &tm->tm_hour) || !literal(s, ':')
        || !digits(s, 2, &tm->tm_min))
        return false;
    if (literal(s, ':')) {
        if (!digits(s, 2, &tm->tm_sec))
            return false;
        if (literal(s, '.')) {
            int scale = 100000;

            if (!isdigit((unsigned char) **s))
                return false;
            for (; isdigit((unsigned char) **s); (*s)++, scale /= 10)
                *us += (**s - '0') * scale;
        }
    }
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

/* Z, +hh:mm, +hhmm, +hh or nothing; *offset in seconds. */
static bool
parse_zone(const char **s, int *offset, enum odks_time_zone *zone)
{
    int hours, minutes = 0;

    *offset = 0;
    *zone = ODKS_TIME_WITH_ZONE;
    if (literal(s, 'Z') || literal(s, 'z'))
        return true;
    if (**s != '+' && **s != '-') {
        *zone = ODKS_TIME_LOCAL;
        return true;
    }
    int sign = *(*s)++ == '-' ? -1 : 1;
    if (!digits(s, 2, &hours))
        return false;
    (void) literal(s, ':');
    if (isdigit((unsigned char) **s) && !digits(s, 2, &minutes))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return hours < 16 && minutes < 60;
}

bool
odks_time_parse(const char *text, int64_t *us, enum odks_time_zone *zone)
{
    struct tm tm = { 0 };
    enum odks_time_zone said = ODKS_TIME_LOCAL;
    int fraction = 0, offset = 0;

    if (!parse_date(&text, &tm))
        return false;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        text++;
        if (!parse_clock(&text, &tm, &fraction)
            || !parse_zone(&text, &offset, &said))
            return false;
    }
    if (*text != '\0')
        return false;

    int64_t seconds = (int64_t) timegm(&tm) - offset;
    if (seconds > LAST_SECOND)
        return false;
    *us = seconds * 1000000 + fraction;
    if (zone != NULL)
        *zone = said;
    return true;
}

void
odks_time_format(int64_t us, char text[ODKS_TIME_TEXT])
{
    time_t seconds = (time_t) (us / 1000000);
    int fraction = (int) (us % 1000000);
    struct tm tm;

    if (fraction < 0) {
        fraction += 1000000;
        seconds--;
    }
    (void) gmtime_r(&seconds, &tm);
    /* strftime() writes the year 1 without its zeros */
    size_t len =
        (size_t) snprintf(text, ODKS_TIME_TEXT, "%04d", tm.tm_year + 1900);
    len += strftime(text + len, ODKS_TIME_TEXT - len, "-%m-%dT%H:%M:%S", &tm);
    bool whole_ms = fraction % 1000 == 0;
    (void) snprintf(text + len, ODKS_TIME_TEXT - len,
                    whole_ms ? ".%03dZ" : ".%06dZ",
                    whole_ms ? fraction / 1000 : fraction);
}

bool
odks_duration_parse(const char *text, int64_t *seconds)
{
    int64_t total = 0;

    if (*text == '\0')
        return false;
    while (*text != '\0') {
        int64_t number = 0, unit = 1;
        int count = 0;

        for (; isdigit((unsigned char) *text) && count < 10; text++, count++)
            number = number * 10 + (*text - '0');
        if (count == 0)
            return false;
        switch (*text) {
        case 'd':
            unit = 86400;
            break;
        case 'h':
            unit = 3600;
            break;
        case 'm':
            unit = 60;
            break;
        case 's':
        case '\0':
            break;
        default:
            return false;
        }
        if (*text != '\0')
            text++;
        total += number * unit;
    }
    *seconds = total;
    return total <= INT64_C(3650) * 86400;
}
