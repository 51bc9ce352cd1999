/* lib/queue/schedule.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "queue/schedule.h"

#include <ctype.h>
#include <strings.h>

#include "core/err.h"
#include "core/mem.h"

enum { NAME = 3, WORD = 24 };

struct field {
    const char *name;
    unsigned first, last;
    const char *const *names; /* of first, first + 1, ...; NULL: none */
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
                                           "jun", "jul", "aug", "sep", "oct",
                                           "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed",
                                         "thu", "fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
    { "minute", 0, 59, NULL },          { "hour", 0, 23, NULL },
    { "day of month", 1, 31, NULL },    { "month", 1, 12, month_names },
    { "day of week", 0, 7, day_names }, /* Sunday is 0 and 7 */
};

static const char *const macros[][2] = {
    { "@hourly", "0 * * * *" },   { "@daily", "0 0 * * *" },
    { "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
    { "@monthly", "0 0 1 * *" },  { "@yearly", "0 0 1 1 *" },
    { "@annually", "0 0 1 1 *" },
};

/* A number or a name of the field; moves *p behind it. */
static bool
parse_value(const struct field *f, const char **p, unsigned *value)
{
    const char *start = *p;

    for (unsigned i = 0; f->names != NULL && f->names[i] != NULL; i++) {
        if (strncasecmp(start, f->names[i], NAME) == 0
            && !isalnum((unsigned char) start[NAME])) {
            *p = start + NAME;
            *value = f->first + i;
            return true;
        }
    }
    *value = 0;
    for (; isdigit((unsigned char) **p) && *p - start < NAME; (*p)++)
        *value = *value * 10 + (unsigned) (**p - '0');
    return *p > start && *value >= f->first && *value <= f->last;
}

/* A value, a range or a star, the latter two perhaps with a step. */
static bool
parse_item(const struct field *f, const char **p, uint64_t *bits)
{
    unsigned from = f->first, to = f->last, step = 1;
    bool range = true;

    if (**p == '*') {
        (*p)++;
    } else {
        if (!parse_value(f, p, &from))
            return false;
        to = from;
        range = **p == '-';
        if (range) {
            (*p)++;
            if (!parse_value(f, p, &to) || to < from)
                return false;
        }
    }
    if (range && **p == '/') {
        static const struct field steps = { "step", 1, 99, NULL };

        (*p)++;
        if (!parse_value(&steps, p, &step))
            return false;
    }
    for (unsigned i = from; i <= to; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool
parse_field(const struct field *f, const char **p, uint64_t *bits,
            struct odks_err *err)
{
    const char *start = *p;
    bool ok = true;

    *bits = 0;
    if (*start == '\0') {
        odks_err_set(err, ODKS_EXIT_CONFIG, "the %s is missing", f->name);
        odks_err_hint(err, "Give five fields: minute, hour, day of month, "
                           "month, day of week.");
        return false;
    }
    while ((ok = parse_item(f, p, bits)) && **p == ',')
        (*p)++;
    if (ok && (**p == ' ' || **p == '\t' || **p == '\0')) {
        *p += strspn(*p, " \t");
        return true;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG, "\"%.*s\" is no %s",
                 (int) strcspn(start, " \t"), start, f->name);
    odks_err_hint(err,
                  "A %s is a number from %u to %u, a range (2-5), a list "
                  "(1,3) or * with or without a step (*/2).",
                  f->name, f->first, f->last);
    return false;
}

/* February 30 never comes, and a job must not wait for it in silence. */
static bool
can_come(const struct odks_schedule *s)
{
    static const unsigned last[] = { 31, 29, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31 };

    if (!s->any_day && !s->any_weekday)
        return true; /* some weekday always comes */
    for (unsigned m = 0; m < 12; m++) {
        uint64_t days = (UINT64_C(1) << (last[m] + 1)) - 1;

        if ((s->months & (1u << (m + 1))) != 0 && (s->days & days) != 0)
            return true;
    }
    return false;
}

static const char *
expand(const char *text)
{
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        if (strcasecmp(text, macros[i][0]) == 0)
            return macros[i][1];
    }
    return text;
}

bool
odks_schedule_parse(const char *text, struct odks_schedule *s,
                    struct odks_err *err)
{
    const char *p = expand(text);
    uint64_t bits[FIELDS];
    bool star[FIELDS];

    p += strspn(p, " \t");
    for (int i = 0; i < FIELDS; i++) {
        star[i] = *p == '*';
        if (!parse_field(&fields[i], &p, &bits[i], err))
            return false;
    }
    if (*p != '\0') {
        odks_err_set(err, ODKS_EXIT_CONFIG, "\"%.*s\" is one field too many",
                     WORD, p);
        odks_err_hint(err, "Give five fields: minute, hour, day of month, "
                           "month, day of week.");
        return false;
    }
    s->minutes = bits[MINUTE];
    s->hours = (uint32_t) bits[HOUR];
    s->days = (uint32_t) bits[DAY];
    s->months = (uint16_t) bits[MONTH];
    s->weekdays = (uint8_t) ((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
    s->any_day = star[DAY];
    s->any_weekday = star[WEEKDAY];
    s->wild_hour = star[MINUTE] || star[HOUR];
    if (!can_come(s)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "\"%s\": no such day ever comes",
                     text);
        odks_err_hint(err, "The months given do not have that day.");
        return false;
    }
    return true;
}
