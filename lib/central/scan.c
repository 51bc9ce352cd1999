/* lib/central/scan.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/scan.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "central/central.h"
#include "core/err.h"

enum {
    MAX_DEPTH = 64,           /* = bits of scan->brackets */
    MAX_ENVELOPE = 64 * 1024, /* footer and links */
    LONG_NUMBER = 19          /* digits that an int64 may not hold */
};

/* U+FFFD as an escape: what stands for a character PostgreSQL cannot hold. */
#define REPLACEMENT "\\ufffd"

/* What a byte means in a string, and outside. */
enum class {
    PLAIN,
    QUOTE,
    BACKSLASH,
    CONTROL,
    HIGH,
    OPEN,
    CLOSE,
    DIGIT,
    POINT
};

static const unsigned char in_string[256] = {
    [0 ... 31] = CONTROL,
    ['"'] = QUOTE,
    ['\\'] = BACKSLASH,
    [128 ... 255] = HIGH,
};

static const unsigned char outside[256] = {
    [0 ... 8] = CONTROL, /* tab and the ends of lines are plain */
    [11 ... 12] = CONTROL, [14 ... 31] = CONTROL, ['"'] = QUOTE,
    ['{'] = OPEN,          ['['] = OPEN,          ['}'] = CLOSE,
    [']'] = CLOSE,         ['0' ... '9'] = DIGIT, ['.'] = POINT,
    ['e'] = POINT,         ['E'] = POINT,         [128 ... 255] = CONTROL,
};

void
odks_scan_init(struct odks_scan *scan, int64_t max_row_bytes)
{
    *scan = (struct odks_scan){ .what = odks_feed_names(ODKS_FEED_FORM),
                                .row.cap = (size_t) max_row_bytes,
                                .envelope.cap = MAX_ENVELOPE };
}

void
odks_scan_free(struct odks_scan *scan)
{
    odks_buf_free(&scan->row);
    odks_buf_free(&scan->envelope);
}

void
odks_scan_again(struct odks_scan *scan)
{
    struct odks_scan fresh = { .what = scan->what,
                               .row = scan->row,
                               .envelope = scan->envelope,
                               .rows = scan->rows };

    odks_buf_truncate(&fresh.row, 0);
    odks_buf_truncate(&fresh.envelope, 0);
    *scan = fresh;
}

static bool
malformed(const struct odks_scan *scan, const char *why, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_DATA,
                 "Central's answer is broken behind %s %" PRId64 ": %s",
                 scan->what->row, scan->rows, why);
    return false;
}

/* Copy bytes of the row from *start to p, and go on behind them. */
static bool
keep(struct odks_scan *scan, const char **start, const char *p,
     struct odks_err *err)
{
    if (odks_buf_add(&scan->row, *start, (size_t) (p - *start))) {
        *start = p;
        return true;
    }
    odks_err_set(err, ODKS_EXIT_DATA,
                 "%s %" PRId64 " of the answer is larger than %zu bytes",
                 scan->what->row, scan->rows + 1, scan->row.cap);
    odks_err_hint(err,
                  "If %s may be that large, raise max_row_bytes in "
                  "[central].",
                  scan->what->rows);
    return false;
}

static bool
put(struct odks_scan *scan, const char *text, struct odks_err *err)
{
    return keep(scan, &text, text + strlen(text), err);
}

/* --- characters ----------------------------------------------------------- */

static bool
is_high(unsigned code)
{
    return code >= 0xd800 && code <= 0xdbff;
}

static bool
is_low(unsigned code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

/* No low surrogate came behind the high one. */
static bool
drop_surrogate(struct odks_scan *scan, struct odks_err *err)
{
    if (scan->surrogate == 0)
        return true;
    scan->surrogate = 0;
    return put(scan, REPLACEMENT, err);
}

static bool
put_unicode(struct odks_scan *scan, const char hex[4], struct odks_err *err)
{
    const char text[] = { '\\', 'u', hex[0], hex[1], hex[2], hex[3], '\0' };

    return put(scan, text, err);
}

/* All four digits of a \u escape are in. */
static bool
unicode_escape(struct odks_scan *scan, struct odks_err *err)
{
    unsigned code = scan->hex;

    scan->state = ODKS_SCAN_STRING;
    if (scan->surrogate != 0 && is_low(code)) {
        scan->surrogate = 0;
        return put_unicode(scan, scan->surrogate_text, err)
               && put_unicode(scan, scan->hex_text, err);
    }
    if (!drop_surrogate(scan, err))
        return false;
    if (is_high(code)) {
        scan->surrogate = code;
        memcpy(scan->surrogate_text, scan->hex_text, sizeof(scan->hex_text));
        return true;
    }
    if (code == 0 || is_low(code))
        return put(scan, REPLACEMENT, err);
    return put_unicode(scan, scan->hex_text, err);
}

static bool
hex_digit(struct odks_scan *scan, char c, struct odks_err *err)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = strchr(digits, tolower((unsigned char) c));

    if (c == '\0' || digit == NULL)
        return malformed(scan, "a wrong escape in a text", err);
    scan->hex = scan->hex * 16 + (unsigned) (digit - digits);
    scan->hex_text[scan->hex_count++] = c;
    return scan->hex_count < 4 || unicode_escape(scan, err);
}

/* The character behind a backslash. */
static bool
escape(struct odks_scan *scan, char c, struct odks_err *err)
{
    const char text[] = { '\\', c, '\0' };

    if (c == 'u') {
        scan->state = ODKS_SCAN_HEX;
        scan->hex_count = 0;
        scan->hex = 0;
        return true;
    }
    scan->state = ODKS_SCAN_STRING;
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
        return malformed(scan, "a wrong escape in a text", err);
    return drop_surrogate(scan, err) && put(scan, text, err);
}

/* --- in a row ------------------------------------------------------------- */

/* To the end of a text, or to a backslash in it. */
static bool
string(struct odks_scan *scan, const char **p, const char *end,
       struct odks_err *err)
{
    if (!odks_utf8_run(&scan->utf8, p, end))
        return malformed(scan, "a text is not UTF-8", err);
    while (*p < end && scan->state == ODKS_SCAN_STRING) {
        const char *q = *p;
        while (q < end && in_string[(unsigned char) *q] == PLAIN)
            q++;
        *p = q;
        if (q == end)
            break;
        unsigned char what = in_string[(unsigned char) *q];

        if (what == CONTROL)
            return malformed(scan, "a control character in a text", err);
        if (what == HIGH && !odks_utf8_run(&scan->utf8, p, end))
            return malformed(scan, "a text is not UTF-8", err);
        if (what == BACKSLASH)
            scan->state = ODKS_SCAN_ESCAPE;
        if (what == QUOTE) {
            scan->state = ODKS_SCAN_ROW;
            (*p)++;
        }
    }
    return true;
}

static bool
open_bracket(struct odks_scan *scan, char c, struct odks_err *err)
{
    if (scan->depth == MAX_DEPTH)
        return malformed(scan, "it is nested too deeply", err);
    uint64_t bit = UINT64_C(1) << scan->depth;
    scan->brackets = c == '[' ? scan->brackets | bit : scan->brackets & ~bit;
    scan->depth++;
    return true;
}

/* c closes the innermost bracket, if it is of its kind. */
static bool
close_bracket(struct odks_scan *scan, char c, struct odks_err *err)
{
    assert(scan->depth > 0); /* the last one ends a row or the document */
    scan->depth--;
    bool array = (scan->brackets >> scan->depth & 1) != 0;
    if (array != (c == ']'))
        return malformed(scan, "brackets do not match", err);
    return true;
}

/* Behind a number: one that int64 may not hold becomes a decimal, which
 * json-c keeps as text. */
static bool
end_number(struct odks_scan *scan, const char **start, const char *p,
           struct odks_err *err)
{
    bool widen = scan->whole && scan->digits >= LONG_NUMBER;

    scan->digits = 0;
    return !widen || (keep(scan, start, p, err) && put(scan, "e0", err));
}

/* A number may begin, go on or end with c at p. */
static bool
number(struct odks_scan *scan, const char **start, const char *p,
       unsigned char what, struct odks_err *err)
{
    if (what == DIGIT) {
        scan->whole = scan->digits == 0 || scan->whole;
        scan->digits++;
        return true;
    }
    if (scan->digits == 0 || *p == '+' || *p == '-')
        return true;
    if (what != POINT)
        return end_number(scan, start, p, err);
    scan->whole = false;
    return true;
}

/* To the end of the row, or to a text in it. */
static bool
structure(struct odks_scan *scan, const char **start, const char **p,
          const char *end, struct odks_err *err)
{
    while (*p < end && scan->state == ODKS_SCAN_ROW) {
        char c = **p;
        unsigned char what = outside[(unsigned char) c];

        if ((what != PLAIN || scan->digits > 0)
            && !number(scan, start, *p, what, err))
            return false;
        (*p)++;
        if (what == QUOTE)
            scan->state = ODKS_SCAN_STRING;
        else if (what == OPEN && !open_bracket(scan, c, err))
            return false;
        else if (what == CLOSE && !close_bracket(scan, c, err))
            return false;
        else if (what == CONTROL)
            return malformed(scan, "a wrong character", err);
        if (what == CLOSE && scan->depth == 0)
            scan->state = ODKS_SCAN_BETWEEN;
    }
    return true;
}

/* As much of the row as can be copied as it is. */
static bool
row(struct odks_scan *scan, const char **p, const char *end,
    struct odks_err *err)
{
    const char *start = *p;
    bool ok = **p == '\\' || drop_surrogate(scan, err);

    while (ok && *p < end
           && (scan->state == ODKS_SCAN_ROW || scan->state == ODKS_SCAN_STRING))
        ok = scan->state == ODKS_SCAN_ROW ? structure(scan, &start, p, end, err)
                                          : string(scan, p, end, err);
    if (!ok || !keep(scan, &start, *p, err))
        return false;
    if (scan->state == ODKS_SCAN_ESCAPE)
        (*p)++; /* what it becomes is decided by what follows */
    return true;
}

/* --- around the rows ------------------------------------------------------ */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Does the envelope end in the key "value" and a colon? */
static bool
behind_value_key(const struct odks_scan *scan)
{
    static const char key[] = "\"value\"";
    const char *text = scan->envelope.data;
    size_t n = scan->envelope.len;

    while (n > 0 && is_space(text[n - 1]))
        n--;
    if (n == 0 || text[--n] != ':')
        return false;
    while (n > 0 && is_space(text[n - 1]))
        n--;
    if (n < sizeof(key) - 1
        || memcmp(text + n - (sizeof(key) - 1), key, sizeof(key) - 1) != 0)
        return false;
    n -= sizeof(key) - 1;
    while (n > 0 && is_space(text[n - 1]))
        n--;
    return n > 0 && (text[n - 1] == '{' || text[n - 1] == ',');
}

static bool
envelope_bracket(struct odks_scan *scan, char c, struct odks_err *err)
{
    if (c == '[' && scan->depth == 1 && behind_value_key(scan)) {
        if (scan->seen_value)
            return malformed(scan, "it has two lists of rows", err);
        scan->seen_value = true;
        scan->state = ODKS_SCAN_FIRST;
    }
    if (c == '{' || c == '[')
        return open_bracket(scan, c, err);
    if (!close_bracket(scan, c, err))
        return false;
    if (scan->depth == 0)
        scan->state = ODKS_SCAN_DONE;
    return true;
}

/* A byte outside the rows. */
static bool
envelope(struct odks_scan *scan, char c, struct odks_err *err)
{
    if (scan->state == ODKS_SCAN_DONE || scan->state == ODKS_SCAN_START) {
        if (is_space(c))
            return true;
        if (scan->state == ODKS_SCAN_DONE)
            return malformed(scan, "something follows its end", err);
        if (c != '{')
            return malformed(scan, "it is not an object", err);
        scan->state = ODKS_SCAN_ENVELOPE;
    }
    if (scan->state == ODKS_SCAN_ENV_ESCAPE)
        scan->state = ODKS_SCAN_ENV_STRING;
    else if (scan->state == ODKS_SCAN_ENV_STRING)
        scan->state = c == '"'    ? ODKS_SCAN_ENVELOPE
                      : c == '\\' ? ODKS_SCAN_ENV_ESCAPE
                                  : ODKS_SCAN_ENV_STRING;
    else if (c == '"')
        scan->state = ODKS_SCAN_ENV_STRING;
    else if (strchr("{}[]", c) != NULL && c != '\0'
             && !envelope_bracket(scan, c, err))
        return false;
    if (!odks_buf_add_char(&scan->envelope, c))
        return malformed(scan, "what surrounds the rows is too large", err);
    return true;
}

/* A byte between rows. */
static bool
between(struct odks_scan *scan, char c, struct odks_err *err)
{
    if (is_space(c))
        return true;
    if (c == ']' && scan->state != ODKS_SCAN_COMMA) {
        scan->depth = 2; /* { and [ */
        scan->brackets = 2;
        scan->state = ODKS_SCAN_ENVELOPE;
        return envelope(scan, c, err);
    }
    if (c == ',' && scan->state == ODKS_SCAN_BETWEEN) {
        scan->state = ODKS_SCAN_COMMA;
        return true;
    }
    if (c != '{' || scan->state == ODKS_SCAN_BETWEEN)
        return malformed(scan, "a row is not an object", err);
    odks_buf_truncate(&scan->row, 0);
    scan->depth = 0;
    scan->state = ODKS_SCAN_ROW;
    return true;
}

/* One step, over one byte or as many as the state lasts. */
static bool
step(struct odks_scan *scan, const char **p, const char *end,
     struct odks_err *err)
{
    switch (scan->state) {
    case ODKS_SCAN_ROW:
    case ODKS_SCAN_STRING:
        return row(scan, p, end, err);
    case ODKS_SCAN_ESCAPE:
        return escape(scan, *(*p)++, err);
    case ODKS_SCAN_HEX:
        return hex_digit(scan, *(*p)++, err);
    case ODKS_SCAN_FIRST:
    case ODKS_SCAN_BETWEEN:
    case ODKS_SCAN_COMMA:
        if (!between(scan, **p, err))
            return false;
        *p += scan->state != ODKS_SCAN_ROW; /* its { belongs to it */
        return true;
    case ODKS_SCAN_START:
    case ODKS_SCAN_ENVELOPE:
    case ODKS_SCAN_ENV_STRING:
    case ODKS_SCAN_ENV_ESCAPE:
    case ODKS_SCAN_DONE:
    default:
        return envelope(scan, *(*p)++, err);
    }
}

bool
odks_scan_feed(struct odks_scan *scan, const char **data, size_t *len,
               bool *complete, struct odks_err *err)
{
    *complete = false;
    if (*len == 0)
        return true;
    const char *p = *data;
    const char *end = p + *len;
    bool ok = true;

    while (ok && !*complete && p < end) {
        bool in_row =
            scan->state >= ODKS_SCAN_ROW && scan->state < ODKS_SCAN_DONE;

        ok = step(scan, &p, end, err);
        *complete = ok && in_row && scan->state == ODKS_SCAN_BETWEEN;
    }
    if (*complete)
        scan->rows++;
    *len = (size_t) (end - p);
    *data = p;
    return ok;
}

bool
odks_scan_end(const struct odks_scan *scan, struct odks_err *err)
{
    if (scan->state != ODKS_SCAN_DONE) {
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "Central's answer was cut short behind %s %" PRId64,
                     scan->what->row, scan->rows);
        return false;
    }
    if (!scan->seen_value)
        return malformed(scan, "it has no list of rows", err);
    return true;
}
