/* tests/contract/text.c - SPDX-License-Identifier: Apache-2.0 */
/* Buffers, escapes and dates. */
#include <config.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

void *
sc_alloc(size_t n)
{
    void *p = calloc(1, n > 0 ? n : 1);

    if (p == NULL)
        abort();
    return p;
}

char *
sc_dup(const char *s)
{
    if (s == NULL)
        return NULL;
    size_t n = strlen(s) + 1;
    return memcpy(sc_alloc(n), s, n);
}

void
sc_buf_reserve(struct sc_buf *b, size_t n)
{
    if (b->cap - b->len >= n)
        return;
    size_t cap = b->cap < 128 ? 128 : b->cap * 2;
    while (cap < b->len + n)
        cap *= 2;
    b->p = realloc(b->p, cap);
    if (b->p == NULL)
        abort();
    b->cap = cap;
}

void
sc_buf_put(struct sc_buf *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    sc_buf_reserve(b, n + 1);
    memcpy(b->p + b->len, data, n);
    b->len += n;
    b->p[b->len] = '\0';
}

void
sc_buf_str(struct sc_buf *b, const char *s)
{
    sc_buf_put(b, s, strlen(s));
}

void
sc_buf_fmt(struct sc_buf *b, const char *fmt, ...)
{
    va_list ap;

    sc_buf_reserve(b, 256);
    va_start(ap, fmt);
    int n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    if ((size_t) n >= b->cap - b->len) {
        sc_buf_reserve(b, (size_t) n + 1);
        va_start(ap, fmt);
        n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t) n;
}

void
sc_buf_json(struct sc_buf *b, const char *s)
{
    if (s == NULL) {
        sc_buf_str(b, "null");
        return;
    }
    sc_buf_put(b, "\"", 1);
    for (const char *p = s; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;

        if (c == '"' || c == '\\')
            sc_buf_fmt(b, "\\%c", c);
        else if (c == '\n')
            sc_buf_str(b, "\\n");
        else if (c < 0x20)
            sc_buf_fmt(b, "\\u%04x", c);
        else
            sc_buf_put(b, p, 1);
    }
    sc_buf_put(b, "\"", 1);
}

void
sc_buf_free(struct sc_buf *b)
{
    free(b->p);
    memset(b, 0, sizeof(*b));
}

static void
escaped(struct sc_buf *b, const char *s, const char *plain, bool plus)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char) *s;

        if (isalnum(c) || strchr(plain, c) != NULL)
            sc_buf_put(b, s, 1);
        else if (plus && c == ' ')
            sc_buf_put(b, "+", 1);
        else
            sc_buf_fmt(b, "%%%02X", c);
    }
}

/* As JavaScript's encodeURIComponent(). */
void
sc_buf_component(struct sc_buf *b, const char *s)
{
    escaped(b, s, "-_.!~*'()", false);
}

/* As application/x-www-form-urlencoded. */
void
sc_buf_form(struct sc_buf *b, const char *s)
{
    escaped(b, s, "-_.*", true);
}

static int
digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) tolower((unsigned char) c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *
sc_unescape(const char *s, size_t n, bool plus)
{
    char *out = sc_alloc(n + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && i + 2 < n && digit(s[i + 1]) >= 0
            && digit(s[i + 2]) >= 0) {
            out[len++] = (char) (digit(s[i + 1]) * 16 + digit(s[i + 2]));
            i += 2;
        } else {
            out[len++] = plus && s[i] == '+' ? ' ' : s[i];
        }
    }
    return out;
}

/* Days since 1970-01-01 to a civil date; eras of 400 years. */
static void
civil(int64_t days, int *y, unsigned *m, unsigned *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned) (days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int) (era * 400 + yoe) + (*m <= 2);
}

static int64_t
days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned) (y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
two(char *p, unsigned v)
{
    p[0] = (char) ('0' + v / 10 % 10);
    p[1] = (char) ('0' + v % 10);
}

void
sc_time_text(int64_t ms, char out[25])
{
    int64_t days = ms >= 0 ? ms / 86400000 : -((-ms + 86399999) / 86400000);
    unsigned rest = (unsigned) (ms - days * 86400000), m, d;
    int y;

    civil(days, &y, &m, &d);
    memcpy(out, "0000-00-00T00:00:00.000Z", 25);
    two(out, (unsigned) y / 100);
    two(out + 2, (unsigned) y % 100);
    two(out + 5, m);
    two(out + 8, d);
    two(out + 11, rest / 3600000);
    two(out + 14, rest / 60000 % 60);
    two(out + 17, rest / 1000 % 60);
    out[20] = (char) ('0' + rest / 100 % 10);
    two(out + 21, rest % 100);
}

void
sc_time_http(int64_t ms, char out[40])
{
    static const char *const day[] = { "Thu", "Fri", "Sat", "Sun",
                                       "Mon", "Tue", "Wed" };
    static const char *const month[] = { "Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec" };
    int64_t days = ms / 86400000;
    unsigned rest = (unsigned) (ms % 86400000) / 1000, m, d;
    int y;

    civil(days, &y, &m, &d);
    (void) snprintf(out, 40, "%s, %02u %s %04d %02u:%02u:%02u GMT",
                    day[days % 7], d, month[m - 1], y, rest / 3600,
                    rest / 60 % 60, rest % 60);
}

void
sc_buf_time(struct sc_buf *b, int64_t ms)
{
    char t[27];

    if (ms == SC_NONE) {
        sc_buf_str(b, "null");
        return;
    }
    t[0] = '"';
    sc_time_text(ms, t + 1);
    t[25] = '"';
    sc_buf_put(b, t, 26);
}

/* The offset after a time: Z, +hh:mm, +hhmm, +hh; none is UTC. */
static bool
zone(const char *s, int *minutes)
{
    int h, m = 0, n = 0;

    *minutes = 0;
    if (*s == '\0' || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
        return true;
    if (*s != '+' && *s != '-')
        return false;
    if ((sscanf(s + 1, "%2d:%2d%n", &h, &m, &n) < 2 || s[1 + n] != '\0')
        && (sscanf(s + 1, "%2d%2d%n", &h, &m, &n) < 2 || s[1 + n] != '\0')) {
        m = 0;
        if (sscanf(s + 1, "%2d%n", &h, &n) < 1 || s[1 + n] != '\0')
            return false;
    }
    *minutes = (h * 60 + m) * (*s == '-' ? -1 : 1);
    return true;
}

/* ISO 8601 to microseconds since 1970; rejects what is no date. */
bool
sc_time_parse(const char *s, int64_t *us)
{
    unsigned y, mo, d, h = 0, mi = 0, sec = 0;
    int n = 0, off = 0;
    int64_t frac = 0, unit = 100000;

    if (sscanf(s, "%4u-%2u-%2u%n", &y, &mo, &d, &n) < 3 || n != 10 || mo < 1
        || mo > 12 || d < 1 || d > 31)
        return false;
    s += n;
    if (*s == 'T' || *s == ' ') {
        if (sscanf(s + 1, "%2u:%2u%n", &h, &mi, &n) < 2)
            return false;
        s += 1 + n;
        if (*s == ':' && sscanf(s + 1, "%2u%n", &sec, &n) == 1)
            s += 1 + n;
        if (*s == '.')
            for (s++; isdigit((unsigned char) *s); s++, unit /= 10)
                frac += (*s - '0') * unit;
    }
    if (!zone(s, &off) || h > 24 || mi > 59 || sec > 60)
        return false;
    *us = ((days_of(y, mo, d) * 24 + h) * 60 + mi - off) * 60000000
          + sec * INT64_C(1000000) + frac;
    return true;
}

/* A form's own name as OData may print it. */
void
sc_sanitise(const char *raw, struct sc_buf *out)
{
    bool run = false;

    if (!isalpha((unsigned char) *raw) && *raw != '_')
        sc_buf_put(out, "_", 1);
    for (; *raw != '\0'; raw++) {
        unsigned char c = (unsigned char) *raw;

        if (c >= 0x80 && (c & 0xc0) == 0x80)
            continue; /* the rest of a character already replaced */
        if (isalnum(c) || c == '_') {
            sc_buf_put(out, raw, 1);
            run = false;
        } else {
            if (!run)
                sc_buf_put(out, "_", 1);
            run = true;
        }
    }
}
