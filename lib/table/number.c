/* lib/table/number.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMERIC_BEFORE = 131072, /* digits of a numeric before its point */
    NUMERIC_BEHIND = 16383,
    DOUBLE_SAFE = 300,     /* so many digits are within a double's range */
    EXPONENT_MAX = 1000000 /* beyond, it makes no difference */
};

static const char not_a_number[] = "not a number";
static const char out_of_range[] = "out of range";

bool
odks_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct odks_span
odks_span_trim(struct odks_span s)
{
    while (s.len > 0 && odks_is_space(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && odks_is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

static size_t
count_digits(const char **p, const char *end)
{
    const char *start = *p;

    while (*p < end && isdigit((unsigned char) **p))
        (*p)++;
    return (size_t) (*p - start);
}

static bool
read_exponent(const char **p, const char *end, long *exponent)
{
    bool negative = false;

    if (*p < end && (**p == '+' || **p == '-'))
        negative = *(*p)++ == '-';
    const char *digits = *p;
    size_t len = count_digits(p, end);
    for (size_t i = 0; i < len && *exponent < EXPONENT_MAX; i++)
        *exponent = *exponent * 10 + (digits[i] - '0');
    if (negative)
        *exponent = -*exponent;
    return len > 0;
}

static bool
read_number(struct odks_span text, struct odks_number *n)
{
    const char *p = text.p, *end = text.p + text.len;

    *n = (struct odks_number){ .text = text };
    if (p < end && *p == '-') {
        n->negative = true;
        p++;
    }
    n->whole = p;
    n->whole_len = count_digits(&p, end);
    if (n->whole_len == 0)
        return false;
    if (p < end && *p == '.') {
        n->fraction = ++p;
        n->fraction_len = count_digits(&p, end);
        if (n->fraction_len == 0)
            return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!read_exponent(&p, end, &n->exponent))
            return false;
    }
    return p == end;
}

const char *
odks_number_read(struct json_object *value, struct odks_number *n)
{
    struct odks_span text = { NULL, 0 };

    switch (json_object_get_type(value)) {
    case json_type_double:
        /* where json-c keeps the text that it read */
        text.p = json_object_get_userdata(value);
        if (text.p == NULL)
            text.p = json_object_get_string(value);
        text.len = strlen(text.p);
        break;
    case json_type_int:
        text.p = json_object_get_string(value);
        text.len = strlen(text.p);
        break;
    case json_type_string:
        text.p = json_object_get_string(value);
        text.len = (size_t) json_object_get_string_len(value);
        text = odks_span_trim(text);
        break;
    default:
        return not_a_number;
    }
    return read_number(text, n) ? NULL : not_a_number;
}

/* The i-th of all digits, without the point. */
static char
digit(const struct odks_number *n, size_t i)
{
    return i < n->whole_len ? n->whole[i] : n->fraction[i - n->whole_len];
}

static const char *
to_int64(const struct odks_number *n, int64_t *number)
{
    enum { DIGITS = 19 };
    char text[DIGITS + 2] = { n->negative ? '-' : '+' };
    size_t first = 0, end = n->whole_len + n->fraction_len;
    long exponent = n->exponent - (long) n->fraction_len;

    while (first < end && digit(n, first) == '0')
        first++;
    for (; end > first && digit(n, end - 1) == '0'; end--)
        exponent++;
    *number = 0;
    if (first == end)
        return NULL;
    if (exponent < 0)
        return "not a whole number";
    if ((long) (end - first) + exponent > DIGITS)
        return out_of_range;

    size_t at = 1;
    for (size_t i = first; i < end; i++)
        text[at++] = digit(n, i);
    for (; exponent > 0; exponent--)
        text[at++] = '0';
    errno = 0;
    *number = strtoimax(text, NULL, 10);
    return errno == 0 ? NULL : out_of_range;
}

const char *
odks_number_int64(struct json_object *value, int64_t *number)
{
    struct odks_number n;

    if (json_object_is_type(value, json_type_int)) {
        *number = json_object_get_int64(value);
        /* json-c keeps the nearest that fits and does not tell */
        return *number == INT64_MAX || *number == INT64_MIN ? out_of_range
                                                            : NULL;
    }
    const char *reason = odks_number_read(value, &n);
    return reason != NULL ? reason : to_int64(&n, number);
}

const char *
odks_number_fits_numeric(const struct odks_number *n)
{
    long before = (long) n->whole_len + n->exponent;
    long behind = (long) n->fraction_len - n->exponent;

    return before <= NUMERIC_BEFORE && behind <= NUMERIC_BEHIND ? NULL
                                                                : out_of_range;
}

const char *
odks_number_fits_double(const struct odks_number *n)
{
    if (n->exponent == 0 && n->whole_len + n->fraction_len < DOUBLE_SAFE)
        return NULL;
    errno = 0;
    double d = strtod(n->text.p, NULL);
    /* what is too small for all its digits comes with ERANGE too, and fits */
    return errno == ERANGE && (d == 0 || isinf(d)) ? out_of_range : NULL;
}
