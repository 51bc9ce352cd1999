/* lib/config/dotenv.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The .env file of the service that odk-sync replaces, read as python-dotenv
 * reads it: "export", quotes with escapes over several lines, comments, and
 * ${NAME} or ${NAME:-default} in every value.
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"

/* Where a reading of the text is. */
struct reader {
    const char *s;
    int line;
};

static bool
at_end_of_line(const char *s)
{
    return *s == '\0' || *s == '\n' || *s == '\r';
}

static void
skip_blanks(struct reader *r)
{
    while (!at_end_of_line(r->s) && isspace((unsigned char) *r->s))
        r->s++;
}

/* Go to end, counting the lines on the way. */
static void
advance(struct reader *r, const char *end)
{
    for (; r->s < end; r->s++)
        r->line += *r->s == '\n' || (*r->s == '\r' && r->s[1] != '\n');
}

static void
skip_line(struct reader *r)
{
    while (!at_end_of_line(r->s))
        r->s++;
    const char *end = r->s;
    if (*end == '\r')
        end++;
    if (*end == '\n')
        end++;
    advance(r, end);
}

static void
skip_space(struct reader *r)
{
    const char *end = r->s;

    while (isspace((unsigned char) *end))
        end++;
    advance(r, end);
}

/*
 * The quote that ends what begins behind the one at s, or NULL. One behind a
 * backslash does not, unless no other does.
 */
static const char *
find_quote(const char *s)
{
    const char *escaped = NULL;

    for (const char *p = s + 1; *p != '\0'; p++) {
        if (*p != *s)
            continue;
        if (p[-1] != '\\')
            return p;
        escaped = p;
    }
    return escaped;
}

/* Text between quotes without its escapes. */
static char *
unquote(const char *s, const char *end, char quote)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    char *out = odks_xcalloc((size_t) (end - s) + 1, 1);
    size_t len = 0;

    for (; s < end; s++) {
        const char *known = *s == '\\' && s + 1 < end && s[1] != '\0'
                                ? strchr(from, s[1])
                                : NULL;

        if (known != NULL && (quote == '"' || known < from + 2)) {
            out[len++] = to[known - from];
            s++;
        } else {
            out[len++] = *s;
        }
    }
    return out;
}

static bool
read_quoted(struct reader *r, char **value)
{
    const char *end = find_quote(r->s);

    if (end == NULL)
        return false;
    *value = unquote(r->s + 1, end, *r->s);
    advance(r, end + 1);
    return true;
}

/* Up to a comment, which has white space in front, or the end of the line. */
static char *
read_plain(struct reader *r)
{
    const char *s = r->s;
    const char *end = s;

    for (; !at_end_of_line(r->s); r->s++) {
        if (*r->s == '#' && r->s > s && isspace((unsigned char) r->s[-1]))
            break;
        if (!isspace((unsigned char) *r->s))
            end = r->s + 1;
    }
    return odks_xstrndup(s, (size_t) (end - s));
}

static bool
read_name(struct reader *r, char **name)
{
    const char *s = r->s;
    size_t len;

    if (*s == '\'') {
        const char *end = strchr(s + 1, '\'');

        if (end == NULL || end == s + 1)
            return false;
        *name = odks_xstrndup(s + 1, (size_t) (end - s - 1));
        advance(r, end + 1);
        return true;
    }
    for (len = 0; s[len] != '\0' && s[len] != '=' && s[len] != '#'
                  && !isspace((unsigned char) s[len]);)
        len++;
    if (len == 0)
        return false;
    *name = odks_xstrndup(s, len);
    r->s += len;
    return true;
}

/* NAME = value # comment; *value stays NULL where there is no "=". */
static bool
read_statement(struct reader *r, char **name, char **value)
{
    if (strncmp(r->s, "export", 6) == 0 && r->s[6] != '\n' && r->s[6] != '\r'
        && isspace((unsigned char) r->s[6])) {
        r->s += 6;
        skip_blanks(r);
    }
    if (*r->s != '#' && !read_name(r, name))
        return false;
    skip_blanks(r);
    if (*r->s == '=') {
        r->s++;
        skip_blanks(r);
        if (*r->s != '\'' && *r->s != '"')
            *value = read_plain(r);
        else if (!read_quoted(r, value))
            return false;
    }
    skip_blanks(r);
    if (*r->s == '#')
        while (!at_end_of_line(r->s))
            r->s++;
    return at_end_of_line(r->s);
}

const char *
odks_dotenv_get(const struct odks_dotenv *env, const char *name, int *line)
{
    for (size_t i = env->count; i > 0; i--) {
        const struct odks_dotenv_entry *entry = &env->entries[i - 1];

        if (strcmp(entry->name, name) != 0)
            continue;
        if (line != NULL)
            *line = entry->line;
        return entry->value;
    }
    return NULL;
}

/* What stands at the ${ of s, to b; s behind it, or NULL: no variable. */
static const char *
expand(const struct odks_dotenv *env, const char *s, struct odks_buf *b,
       bool *fits)
{
    size_t len = strcspn(s + 2, "}:");
    const char *rest = s + 2 + len;
    const char *otherwise = "";
    size_t otherwise_len = 0;

    if (strncmp(rest, ":-", 2) == 0) {
        otherwise = rest + 2;
        otherwise_len = strcspn(otherwise, "}");
        rest = otherwise + otherwise_len;
    }
    if (*rest != '}')
        return NULL;
    CLEANUP_FREE char *name = odks_xstrndup(s + 2, len);
    const char *value = getenv(name);
    if (value == NULL)
        value = odks_dotenv_get(env, name, NULL);
    *fits = value != NULL ? odks_buf_add_str(b, value)
                          : odks_buf_add(b, otherwise, otherwise_len);
    return rest + 1;
}

static bool
expand_all(const struct odks_dotenv *env, const char *s, struct odks_buf *b)
{
    bool fits = odks_buf_add_str(b, "");

    while (*s != '\0' && fits) {
        const char *next =
            strncmp(s, "${", 2) == 0 ? expand(env, s, b, &fits) : NULL;

        if (next == NULL)
            fits = odks_buf_add_char(b, *s++);
        else
            s = next;
    }
    return fits;
}

static void
wipe(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

static void
cleanup_secret(char **s)
{
    wipe(*s);
}
#define CLEANUP_SECRET CLEANUP(cleanup_secret)

/*
 * Add name and value, expanded; without one the name is not set any more.
 * False: too long to be a setting.
 */
static bool
add(struct odks_dotenv *env, const char *name, const char *value, int line)
{
    struct odks_buf b = ODKS_BUF_INIT(ODKS_CONFIG_VALUE_MAX);
    bool fits = value == NULL || expand_all(env, value, &b);

    if (fits) {
        env->entries = odks_xreallocarray(env->entries, env->count + 1,
                                          sizeof(env->entries[0]));
        env->entries[env->count++] = (struct odks_dotenv_entry){
            .name = odks_xstrdup(name),
            .value = value != NULL ? odks_xstrdup(b.data) : NULL,
            .line = line,
        };
    }
    if (b.data != NULL)
        explicit_bzero(b.data, b.size);
    odks_buf_free(&b);
    return fits;
}

int
odks_dotenv_parse(const char *text, struct odks_dotenv *env)
{
    struct reader r = { .s = text, .line = 1 };
    int wrong = 0;

    if (strncmp(r.s, "\xef\xbb\xbf", 3) == 0)
        r.s += 3;
    for (skip_space(&r); *r.s != '\0'; skip_space(&r)) {
        CLEANUP_FREE char *name = NULL;
        CLEANUP_SECRET char *value = NULL;
        int line = r.line;
        bool ok = read_statement(&r, &name, &value);

        if (ok && name != NULL)
            ok = add(env, name, value, line);
        if (!ok && wrong == 0)
            wrong = line;
        skip_line(&r);
    }
    return wrong;
}

void
odks_dotenv_clear(struct odks_dotenv *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->entries[i].name);
        wipe(env->entries[i].value);
    }
    free(env->entries);
    free(env->path);
    *env = (struct odks_dotenv){ 0 };
}
