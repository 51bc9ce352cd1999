/* tests/contract/filter.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The $filter language: a recursive-descent parser that stops where
 * Central's does, for the place is part of its error message.
 */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

struct parser {
    const char *s;
    size_t pos;
    int depth;
    bool dataset;
};

static struct sc_node *parse_or(struct parser *p);

static struct sc_node *
node(enum sc_kind kind, const struct parser *p, size_t from, size_t to)
{
    struct sc_node *n = sc_alloc(sizeof(*n));

    n->kind = kind;
    n->at = from;
    n->field = -1;
    n->text = sc_alloc(to - from + 1);
    memcpy(n->text, p->s + from, to - from);
    return n;
}

void
sc_filter_free(struct sc_node *n)
{
    if (n == NULL)
        return;
    sc_filter_free(n->a);
    sc_filter_free(n->b);
    free(n->text);
    free(n);
}

static size_t
skip_spaces(struct parser *p)
{
    size_t n = strspn(p->s + p->pos, " \t");

    p->pos += n;
    return n;
}

static bool
word_char(char c)
{
    return isalnum((unsigned char) c) || c == '_';
}

/* Spaces, the word, spaces; or nothing is consumed. */
static bool
take_word(struct parser *p, const char *w)
{
    size_t from = p->pos, n = strlen(w);

    if (skip_spaces(p) > 0 && strncmp(p->s + p->pos, w, n) == 0) {
        p->pos += n;
        if (skip_spaces(p) > 0)
            return true;
    }
    p->pos = from;
    return false;
}

static size_t
digits(const char *s, size_t want)
{
    size_t n = strspn(s, "0123456789");

    return want == 0 || n >= want ? (want == 0 ? n : want) : 0;
}

/* The length of a date, or date and time with zone, at s; 0: none. */
static size_t
date_len(const char *s)
{
    size_t n = 10, more;

    if (digits(s, 4) == 0 || s[4] != '-' || digits(s + 5, 2) == 0 || s[7] != '-'
        || digits(s + 8, 2) == 0)
        return 0;
    if (s[10] != 'T')
        return word_char(s[10]) ? 0 : n;
    if (digits(s + 11, 2) == 0 || s[13] != ':' || digits(s + 14, 2) == 0
        || strncmp(s + 11, "24", 2) >= 0)
        return 0;
    n = 16;
    if (s[n] == ':' && digits(s + n + 1, 2) != 0) {
        n += 3;
        if (s[n] == '.' && (more = digits(s + n + 1, 0)) > 0)
            n += 1 + more;
    }
    if (s[n] == 'Z')
        return n + 1;
    if ((s[n] == '+' || s[n] == '-') && digits(s + n + 1, 2) != 0
        && s[n + 3] == ':' && digits(s + n + 4, 2) != 0)
        return n + 6;
    return 0;
}

static struct sc_node *
parse_string(struct parser *p)
{
    size_t from = p->pos + 1, i = from;

    for (;; i++) {
        if (p->s[i] == '\0')
            return NULL;
        if (p->s[i] != '\'')
            continue;
        if (p->s[i + 1] != '\'')
            break;
        i++; /* a doubled quote: Central leaves it doubled */
    }
    struct sc_node *n = node(SC_STR, p, from, i);
    n->at = from - 1;
    p->pos = i + 1;
    return n;
}

static struct sc_node *
parse_number(struct parser *p)
{
    const char *s = p->s + p->pos;
    size_t n = date_len(s);
    int64_t us;

    if (n > 0) {
        struct sc_node *d = node(SC_WHEN, p, p->pos, p->pos + n);

        if (sc_time_parse(d->text, &us)) {
            d->when = us;
            p->pos += n;
            return d;
        }
        sc_filter_free(d);
    }
    n = *s == '-' ? 1 : 0;
    size_t more = digits(s + n, 0);
    if (more == 0)
        return NULL;
    n += more;
    if (s[n] == '.' && (more = digits(s + n + 1, 0)) > 0)
        n += 1 + more;
    struct sc_node *d = node(SC_NUM, p, p->pos, p->pos + n);
    p->pos += n;
    return d;
}

static bool
known_function(const char *name)
{
    static const char *const all[] = {
        "contains",
        "startswith",
        "endswith",
        "length",
        "indexof",
        "substring",
        "tolower",
        "toupper",
        "trim",
        "concat",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "fractionalseconds",
        "date",
        "time",
        "totaloffsetminutes",
        "now",
        "round",
        "floor",
        "ceiling",
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(all[i], name) == 0)
            return true;
    return false;
}

/* After the name; NULL and no progress if it is no call. */
static struct sc_node *
parse_call(struct parser *p, size_t from, const struct sc_node *name)
{
    size_t back = p->pos;
    struct sc_node *arg = NULL;

    if (p->s[p->pos] != '(' || !known_function(name->text))
        return NULL;
    p->pos++;
    (void) skip_spaces(p);
    while (p->s[p->pos] != ')') {
        struct sc_node *next = parse_or(p);

        if (arg == NULL)
            arg = next;
        else
            sc_filter_free(next);
        if (next == NULL)
            break;
        (void) skip_spaces(p);
        if (p->s[p->pos] == ',') {
            p->pos++;
            (void) skip_spaces(p);
        }
    }
    if (p->s[p->pos] != ')') {
        sc_filter_free(arg);
        p->pos = back;
        return NULL;
    }
    p->pos++;
    struct sc_node *n = node(SC_CALL, p, from, p->pos);
    n->a = arg;
    return n;
}

static const char *const fields[] = {
    "__id",
    "__system/submissionDate",
    "__system/updatedAt",
    "__system/deletedAt",
    "__system/submitterId",
    "__system/reviewState",
};

/* The same of entities; a conflict is where a review state is. */
static const char *const entity_fields[] = {
    "__id",
    "__system/createdAt",
    "__system/updatedAt",
    "__system/deletedAt",
    "__system/creatorId",
    "__system/conflict",
};

static int
field_of(const char *path, bool dataset)
{
    for (int i = 0; i < 6; i++)
        if (strcmp(dataset ? entity_fields[i] : fields[i], path) == 0)
            return i;
    return -1;
}

static struct sc_node *
parse_path(struct parser *p)
{
    size_t from = p->pos, i = from;

    for (;;) {
        size_t start = i;

        if (p->s[i] == '$' && i == from)
            i++;
        if (isdigit((unsigned char) p->s[i]))
            break;
        while (word_char(p->s[i]))
            i++;
        if (i == start)
            return NULL;
        if (p->s[i] != '/' || !word_char(p->s[i + 1]))
            break;
        i++;
    }
    struct sc_node *n = node(SC_PATH, p, from, i), *call;
    p->pos = i;
    call = parse_call(p, from, n);
    if (call != NULL) {
        sc_filter_free(n);
        return call;
    }
    if (strcmp(n->text, "null") == 0)
        n->kind = SC_NULL;
    else if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0)
        n->kind = SC_TRUTH;
    n->field =
        field_of(strncmp(n->text, "$root/Submissions/", 18) == 0 ? n->text + 18
                                                                 : n->text,
                 p->dataset);
    return n;
}

static struct sc_node *
parse_primary(struct parser *p)
{
    size_t from = p->pos;
    struct sc_node *n, *in;

    if (p->s[p->pos] == '\'')
        return parse_string(p);
    if (p->s[p->pos] == '-' || isdigit((unsigned char) p->s[p->pos]))
        return parse_number(p);
    if (p->s[p->pos] != '(')
        return parse_path(p);
    if (p->depth > 200)
        return NULL;
    p->depth++;
    p->pos++;
    (void) skip_spaces(p);
    in = parse_or(p);
    (void) skip_spaces(p);
    p->depth--;
    if (in == NULL || p->s[p->pos] != ')') {
        sc_filter_free(in);
        p->pos = from;
        return NULL;
    }
    p->pos++;
    n = node(SC_PAREN, p, from, p->pos);
    n->a = in;
    return n;
}

struct operator
{
    const char *word;
    enum sc_kind kind;
};

/* left, then any number of "op right"; a bad right leaves the op unread. */
static struct sc_node *
chain(struct parser *p, struct sc_node *(*part)(struct parser *),
      const struct operator* ops, size_t nops, bool once)
{
    size_t from = p->pos;
    struct sc_node *left = part(p);

    while (left != NULL) {
        size_t back = p->pos, i = 0;
        struct sc_node *right = NULL;

        while (i < nops && !take_word(p, ops[i].word))
            i++;
        if (i < nops)
            right = part(p);
        if (right == NULL) {
            p->pos = back;
            break;
        }
        struct sc_node *n = node(ops[i].kind, p, from, p->pos);
        n->a = left;
        n->b = right;
        left = n;
        if (once)
            break;
    }
    return left;
}

static struct sc_node *
parse_sum(struct parser *p)
{
    static const struct operator ops[] = {
        { "add", SC_ADD }, { "sub", SC_SUB }, { "mul", SC_MUL },
        { "div", SC_DIV }, { "mod", SC_MOD },
    };

    return chain(p, parse_primary, ops, 5, false);
}

static struct sc_node *
parse_comparison(struct parser *p)
{
    static const struct operator ops[] = {
        { "eq", SC_EQ }, { "ne", SC_NE }, { "lt", SC_LT },
        { "le", SC_LE }, { "gt", SC_GT }, { "ge", SC_GE },
    };
    size_t from = p->pos;

    if (strncmp(p->s + from, "not", 3) == 0) {
        p->pos += 3;
        struct sc_node *in = skip_spaces(p) > 0 ? parse_comparison(p) : NULL;
        if (in != NULL) {
            struct sc_node *n = node(SC_NOT, p, from, p->pos);

            n->a = in;
            return n;
        }
        p->pos = from;
    }
    return chain(p, parse_sum, ops, 6, true);
}

static struct sc_node *
parse_and(struct parser *p)
{
    static const struct operator ops[] = { { "and", SC_AND } };

    return chain(p, parse_comparison, ops, 1, false);
}

static struct sc_node *
parse_or(struct parser *p)
{
    static const struct operator ops[] = { { "or", SC_OR } };

    return chain(p, parse_and, ops, 1, false);
}

struct sc_node *
sc_filter_parse(const char *text, bool dataset, struct sc_fault *e)
{
    struct parser p = { .s = text, .dataset = dataset };
    struct sc_node *n = parse_or(&p);
    char reason[64], msg[160], details[96];

    if (n != NULL && text[p.pos] == '\0')
        return n;
    if (n == NULL)
        (void) snprintf(reason, sizeof(reason), "Fail at 0");
    else
        (void) snprintf(reason, sizeof(reason), "Unexpected character at %zu",
                        p.pos);
    sc_filter_free(n);
    (void) snprintf(msg, sizeof(msg),
                    "The OData filter expression you provided could not be"
                    " parsed: %s",
                    reason);
    (void) snprintf(details, sizeof(details), "{\"reason\":\"%s\"}", reason);
    sc_fault_set(e, 400, "400.18", msg, details);
    return NULL;
}
