/* lib/core/json.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/json.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "core/utf8.h"

/* A check under way: p is the next byte. */
struct check {
    const char *p, *end;
    unsigned depth;
    struct odks_json_fault fault;
};

static bool
refuse(struct check *c, const char *what)
{
    c->fault.what = what;
    return false;
}

/* Is there another byte? Where one is missing, the text was cut. */
static bool
has_more(struct check *c)
{
    if (c->p < c->end)
        return true;
    c->fault.cut = true;
    return refuse(c, "unexpected end");
}

static bool
is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

static void
skip_space(struct check *c)
{
    while (c->p < c->end && is_one_of(*c->p, " \t\n\r"))
        c->p++;
}

/* --- strings -------------------------------------------------------------- */

/* p is after the backslash. */
static bool
check_escape(struct check *c)
{
    if (!has_more(c))
        return false;
    if (*c->p != 'u') {
        if (!is_one_of(*c->p, "\"\\/bfnrt"))
            return refuse(c, "invalid escape sequence");
        c->p++;
        return true;
    }
    c->p++;
    for (int i = 0; i < 4; i++, c->p++) {
        if (!has_more(c))
            return false;
        if (!isxdigit((unsigned char) *c->p))
            return refuse(c, "invalid escape sequence");
    }
    return true;
}

static bool
is_plain(char byte)
{
    unsigned char u = (unsigned char) byte;

    return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

/* p is at the opening quote. */
static bool
check_string(struct check *c)
{
    struct odks_utf8 utf8 = { 0 };

    c->p++;
    for (;;) {
        while (c->p < c->end && is_plain(*c->p))
            c->p++;
        if (!odks_utf8_run(&utf8, &c->p, c->end))
            return refuse(c, "invalid UTF-8");
        if (!has_more(c))
            return false;
        if (is_plain(*c->p))
            continue;
        if ((unsigned char) *c->p < 0x20)
            return refuse(c, "control character in a string");
        if (*c->p++ == '"')
            return true;
        if (!check_escape(c))
            return false;
    }
}

/* --- other scalars -------------------------------------------------------- */

static bool
check_word(struct check *c, const char *word)
{
    for (; *word != '\0'; word++, c->p++) {
        if (!has_more(c))
            return false;
        if (*c->p != *word)
            return refuse(c, "unexpected character");
    }
    return true;
}

/* At least one digit. */
static bool
check_digits(struct check *c)
{
    if (!has_more(c))
        return false;
    if (!isdigit((unsigned char) *c->p))
        return refuse(c, "invalid number");
    while (c->p < c->end && isdigit((unsigned char) *c->p))
        c->p++;
    return true;
}

static bool
check_number(struct check *c)
{
    c->p += *c->p == '-';
    const char *digits = c->p;
    if (!check_digits(c))
        return false;
    if (*digits == '0' && c->p > digits + 1)
        return refuse(c, "invalid number");
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!check_digits(c))
            return false;
    }
    if (c->p < c->end && is_one_of(*c->p, "eE")) {
        c->p++;
        if (c->p < c->end && is_one_of(*c->p, "+-"))
            c->p++;
        if (!check_digits(c))
            return false;
    }
    return true;
}

/* --- arrays and objects --------------------------------------------------- */

static bool check_value(struct check *c);

/* The name of a member and its colon; p is after white space. */
static bool
check_name(struct check *c)
{
    if (*c->p != '"')
        return refuse(c, "unexpected character");
    if (!check_string(c))
        return false;
    skip_space(c);
    if (!check_word(c, ":"))
        return false;
    skip_space(c);
    return true;
}

/* p is at the bracket that opens it. */
static bool
check_list(struct check *c)
{
    bool object = *c->p == '{', first = true;
    char close = object ? '}' : ']';

    if (c->depth++ == ODKS_JSON_DEPTH)
        return refuse(c, "nested too deeply");
    for (c->p++;; first = false) {
        skip_space(c);
        if (!has_more(c))
            return false;
        if (*c->p == close)
            break;
        if (!first && !check_word(c, ","))
            return false;
        skip_space(c);
        if (!has_more(c) || (object && !check_name(c)) || !check_value(c))
            return false;
    }
    c->p++;
    c->depth--;
    return true;
}

/* p is after white space. */
static bool
check_value(struct check *c)
{
    if (!has_more(c))
        return false;
    switch (*c->p) {
    case '{':
    case '[':
        return check_list(c);
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        if (*c->p == '-' || isdigit((unsigned char) *c->p))
            return check_number(c);
        return refuse(c, "unexpected character");
    }
}

static bool
check_text(struct check *c)
{
    skip_space(c);
    if (!check_value(c))
        return false;
    skip_space(c);
    return c->p == c->end || refuse(c, "text after the value");
}

/* --- the objects ---------------------------------------------------------- */

/* What json-c makes of a text that is right; NULL, or why it does not. */
static const char *
build(const char *text, size_t len, struct json_object **json)
{
    if (len > INT_MAX)
        return "longer than 2 GB";
    struct json_tokener *tok = json_tokener_new_ex(ODKS_JSON_DEPTH + 2);
    if (tok == NULL)
        return "out of memory";
    *json = json_tokener_parse_ex(tok, text, (int) len);
    if (json_tokener_get_error(tok) == json_tokener_continue)
        *json = json_tokener_parse_ex(tok, "", 1); /* a number ends here */
    enum json_tokener_error said = json_tokener_get_error(tok);
    json_tokener_free(tok);
    return said == json_tokener_success ? NULL : json_tokener_error_desc(said);
}

bool
odks_json_parse(const char *text, size_t len, struct json_object **json,
                struct odks_json_fault *fault)
{
    if (text == NULL) /* a buffer that nothing came into */
        text = "";
    struct check c = { .p = text, .end = text + len };

    *json = NULL;
    if (check_text(&c))
        c.fault.what = build(text, len, json);
    c.fault.at = (size_t) (c.p - text);
    if (fault != NULL)
        *fault = c.fault;
    return c.fault.what == NULL;
}

struct json_object *
odks_json_read(const char *text)
{
    struct json_object *json;

    return odks_json_parse(text, strlen(text), &json, NULL) ? json : NULL;
}
