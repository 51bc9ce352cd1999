/* lib/central/filter.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of a cascading select: item[parent = /data/district and ...].
 *
 * Of the conditions that all have to hold, those which compare a property of
 * the choice with an answer or a text are understood. The others are left out,
 * which is safe, because the selected choice satisfies them as well.
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "central/choices.h"
#include "core/mem.h"

enum { MAX_DEPTH = 8, MAX_CONDITIONS = 16 };

struct span {
    const char *start;
    size_t len;
};

static struct span
trim(struct span s)
{
    while (s.len > 0 && isspace((unsigned char) s.start[0])) {
        s.start++;
        s.len--;
    }
    while (s.len > 0 && isspace((unsigned char) s.start[s.len - 1]))
        s.len--;
    return s;
}

/*
 * Move *at to the next byte outside quotes and brackets; it may be there
 * already. *depth and *quote hold the state between calls.
 */
struct scan {
    char quote;
    int depth;
};

static bool
is_outside(struct scan *s, char c)
{
    if (s->quote != '\0') {
        if (c == s->quote)
            s->quote = '\0';
        return false;
    }
    if (c == '\'' || c == '"')
        s->quote = c;
    else if (c == '(' || c == '[')
        s->depth++;
    else if (c == ')' || c == ']')
        return --s->depth == 0;
    return s->quote == '\0' && s->depth == 0;
}

/* Is there an operator such as "and" at i, rather than part of a name? */
static bool
has_word(struct span s, size_t i, const char *word)
{
    size_t len = strlen(word);

    return i > 0 && i + len < s.len
           && strchr(" \t\r\n)]'\"", s.start[i - 1]) != NULL
           && strncmp(s.start + i, word, len) == 0
           && strchr(" \t\r\n('\"/.", s.start[i + len]) != NULL;
}

/* The end of the bracket that begins at 0; 0 if it does not end. */
static size_t
end_of_bracket(struct span s)
{
    struct scan scan = { 0 };

    for (size_t i = 0; i < s.len; i++) {
        bool outside = is_outside(&scan, s.start[i]);

        if (i > 0 && outside)
            return s.start[i] == (s.start[0] == '[' ? ']' : ')') ? i : 0;
    }
    return 0;
}

static bool
is_name(struct span s)
{
    if (s.len == 0 || isdigit((unsigned char) s.start[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.start[i];

        if (c < 0x80 && !isalnum(c) && strchr("_-.", c) == NULL)
            return false;
    }
    return s.start[0] != '.' && s.start[0] != '-';
}

static bool
is_path(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.start[i];

        if (c < 0x80 && !isalnum(c) && strchr("_-./:", c) == NULL)
            return false;
    }
    return s.len > 1 && (s.start[0] == '/' || strncmp(s.start, "../", 3) == 0);
}

/* The reference of the select, with steps that go on from there. */
static char *
resolve(const char *from, struct span steps)
{
    char *path = odks_xcalloc(strlen(from) + steps.len + 2, 1);
    size_t len = 0;

    if (steps.start[0] != '/')
        len = strlen(from);
    memcpy(path, from, len);
    for (size_t i = 0; i < steps.len;) {
        const char *step = steps.start + i;
        size_t n = 0;

        while (i + n < steps.len && step[n] != '/')
            n++;
        if (n == 2 && strncmp(step, "..", 2) == 0) {
            while (len > 0 && path[--len] != '/')
                continue;
        } else if (n > 0 && !(n == 1 && step[0] == '.')) {
            path[len++] = '/';
            memcpy(path + len, step, n);
            len += n;
        }
        i += n + 1;
    }
    path[len] = '\0';
    return path;
}

static struct odks_filter *
add_condition(struct odks_question *q, struct span property)
{
    q->filter =
        odks_xreallocarray(q->filter, q->filter_count + 1, sizeof(*q->filter));
    struct odks_filter *f = &q->filter[q->filter_count++];
    *f = (struct odks_filter){ .property = odks_xstrndup(property.start,
                                                         property.len) };
    return f;
}

/* property = other, if that is so; from: the reference of the select. */
static bool
take_sides(struct odks_question *q, const char *from, struct span property,
           struct span other)
{
    static const char current[] = "current()/";

    if (property.len > 2 && strncmp(property.start, "./", 2) == 0) {
        property.start += 2;
        property.len -= 2;
    }
    if (!is_name(property) || other.len < 2)
        return false;
    char quote = other.start[0];
    if (quote == '\'' || quote == '"') {
        if (memchr(other.start + 1, quote, other.len - 1)
            != other.start + other.len - 1)
            return false;
        add_condition(q, property)->text =
            odks_xstrndup(other.start + 1, other.len - 2);
        return true;
    }
    if (other.len > strlen(current)
        && strncmp(other.start, current, strlen(current)) == 0) {
        other.start += strlen(current);
        other.len -= strlen(current);
        if (other.start[0] == '/')
            return false;
    }
    if (!is_path(other))
        return false;
    CLEANUP_FREE char *reference = resolve(from, other);
    CLEANUP_FREE char *path = odks_xform_path(reference);
    if (*path == '\0')
        return false;
    struct odks_filter *f = add_condition(q, property);
    f->path = odks_steal(&path);
    return true;
}

static void
take_comparison(struct odks_question *q, const char *from, struct span s)
{
    struct scan scan = { 0 };
    size_t at = 0, count = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (!is_outside(&scan, s.start[i]))
            continue;
        if (strchr("<>!|+*,", s.start[i]) != NULL)
            return;
        if (s.start[i] == '=') {
            at = i;
            count++;
        }
    }
    if (count != 1)
        return;
    struct span left = trim((struct span){ s.start, at });
    struct span right = trim((struct span){ s.start + at + 1, s.len - at - 1 });
    if (!take_sides(q, from, left, right))
        (void) take_sides(q, from, right, left);
}

/* Conditions joined by "and"; none of them if there is an "or". */
static void
take_conditions(struct odks_question *q, const char *from, struct span s,
                int depth)
{
    struct scan scan = { 0 };
    size_t start = 0;

    s = trim(s);
    if (depth > MAX_DEPTH || s.len == 0)
        return;
    if (s.start[0] == '(' && end_of_bracket(s) == s.len - 1) {
        take_conditions(q, from, (struct span){ s.start + 1, s.len - 2 },
                        depth + 1);
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (is_outside(&scan, s.start[i]) && has_word(s, i, "or"))
            return;
    }
    scan = (struct scan){ 0 };
    for (size_t i = 0; i < s.len; i++) {
        if (!is_outside(&scan, s.start[i]) || !has_word(s, i, "and"))
            continue;
        take_conditions(q, from, (struct span){ s.start + start, i - start },
                        depth + 1);
        start = i + 3;
        if (q->filter_count >= MAX_CONDITIONS)
            return;
    }
    if (start == 0)
        take_comparison(q, from, s);
    else
        take_conditions(q, from,
                        (struct span){ s.start + start, s.len - start },
                        depth + 1);
}

void
odks_filter_read(const char *nodeset, const char *from, struct odks_question *q)
{
    const char *open = nodeset != NULL ? strchr(nodeset, '[') : NULL;

    while (open != NULL && *open == '[') {
        struct span rest = { open, strlen(open) };
        size_t end = end_of_bracket(rest);

        if (end == 0)
            return;
        take_conditions(q, from, (struct span){ open + 1, end - 1 }, 0);
        open += end + 1;
        open += strspn(open, " \t\r\n");
    }
}

void
odks_filter_free(struct odks_question *q)
{
    for (size_t i = 0; i < q->filter_count; i++) {
        free(q->filter[i].property);
        free(q->filter[i].text);
        free(q->filter[i].path);
    }
    free(q->filter);
}
