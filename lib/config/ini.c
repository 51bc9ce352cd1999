/* lib/config/ini.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * inih splits the lines; what it would do in silence (cut long lines and
 * names, drop what follows a header, skip empty sections, take an indented
 * key for more of the value above) is looked for in each line before it is
 * handed over.
 */
#include <config.h>

#include <ctype.h>
#include <ini.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/utf8.h"

struct reader {
    const char *name;
    const char *next, *end;
    struct odks_ini *ini;
    struct odks_err *err;
    char section[ODKS_CONFIG_HEADER_MAX + 1];
    int line;
    int error_line; /* of what err says; 0: nothing yet */
    bool indented;  /* this line */
    bool in_value;  /* an indented line would continue a value */
};

static bool
fail(struct reader *r, const char *hint, const char *message)
{
    r->error_line = r->line;
    odks_err_set(r->err, ODKS_EXIT_CONFIG, "%s:%d: %s", r->name, r->line,
                 message);
    if (hint != NULL)
        odks_err_hint(r->err, "%s", hint);
    return false;
}

static void
add_entry(struct reader *r, const char *key, const char *value)
{
    struct odks_ini *ini = r->ini;

    ini->entries = odks_xreallocarray(ini->entries, ini->count + 1,
                                      sizeof(ini->entries[0]));
    ini->entries[ini->count++] = (struct odks_ini_entry){
        .section = odks_xstrdup(r->section),
        .key = key != NULL ? odks_xstrdup(key) : NULL,
        .value = value != NULL ? odks_xstrdup(value) : NULL,
        .line = r->line,
    };
}

static void
wipe(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

static bool
bytes_are_fine(struct reader *r, const char *line, size_t len)
{
    if (r->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
        return fail(r, "Save the file as UTF-8 without BOM.",
                    "the file begins with a byte order mark");
    if (memchr(line, '\0', len) != NULL)
        return fail(r, "Is this a text file in UTF-8?",
                    "the line holds a NUL byte");
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char) line[i] < 0x20 && line[i] != '\t')
            || line[i] == 0x7f)
            return fail(r, NULL, "the line holds a control character");
    }
    if (!odks_is_utf8(line, len))
        return fail(r, "Save the file as UTF-8.", "the line is not UTF-8");
    return true;
}

static bool
length_is_fine(struct reader *r, size_t len, int room)
{
    CLEANUP_FREE char *message = NULL;
    /* a line that leaves no room for its newline was cut, says inih 59 */
    int max = room - 2 < ODKS_CONFIG_LINE_MAX ? room - 2 : ODKS_CONFIG_LINE_MAX;

    if (len <= (size_t) max)
        return true;
    message =
        odks_xasprintf("the line has %zu bytes, %d is the limit", len, max);
    return fail(r, "Go on in the next line, indented: it continues the value.",
                message);
}

/* text is behind the [; "[x] ; comment" is all there may be. */
static bool
begin_section(struct reader *r, const char *text)
{
    size_t len = 0;

    while (text[len] != '\0' && text[len] != ']')
        len++;
    if (text[len] == '\0')
        return fail(r, NULL, "the name of the section has no ]");
    for (size_t i = 1; i < len; i++) {
        if (text[i] == ';' && isspace((unsigned char) text[i - 1]))
            return fail(r, NULL, "a comment inside the name of the section");
    }
    if (len > ODKS_CONFIG_HEADER_MAX)
        return fail(r, "The limit is 49 bytes between [ and ].",
                    "the name of the section is too long");
    const char *rest = text + len + 1;
    while (isspace((unsigned char) *rest))
        rest++;
    if (*rest != '\0' && *rest != ';' && *rest != '#')
        return fail(r, "Put it into a line of its own.",
                    "something follows the ] of the section");
    memcpy(r->section, text, len);
    r->section[len] = '\0';
    r->in_value = false;
    add_entry(r, NULL, NULL);
    return true;
}

bool
odks_ini_looks_like_key(const char *s)
{
    size_t n = 0;

    if (*s == '[')
        return true;
    while (islower((unsigned char) s[n]) || isdigit((unsigned char) s[n])
           || s[n] == '_')
        n++;
    if (n == 0)
        return false;
    while (s[n] == ' ' || s[n] == '\t')
        n++;
    return s[n] == '=';
}

/* line is what inih is about to get. */
static bool
structure_is_fine(struct reader *r, const char *line)
{
    const char *start = line;

    while (isspace((unsigned char) *start))
        start++;
    if (*start == '\0' || *start == ';' || *start == '#')
        return true;
    r->indented = start > line;
    if (!r->indented)
        return *start == '[' ? begin_section(r, start + 1) : true;
    if (r->in_value && !odks_ini_looks_like_key(start))
        return true;
    return fail(r,
                "Begin every section and key in the first column: an indented "
                "line continues the value above it.",
                "the line is indented");
}

/* One line for inih, in the manner of fgets(). */
static char *
read_line(char *str, int room, void *stream)
{
    struct reader *r = stream;

    if (r->error_line != 0 || r->next >= r->end)
        return NULL;
    const char *newline = memchr(r->next, '\n', (size_t) (r->end - r->next));
    const char *stop = newline != NULL ? newline : r->end;
    size_t len = (size_t) (stop - r->next);
    const char *line = r->next;

    r->next = newline != NULL ? newline + 1 : r->end;
    r->line++;
    r->indented = false;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (!bytes_are_fine(r, line, len) || !length_is_fine(r, len, room))
        return NULL;
    memcpy(str, line, len);
    str[len] = '\0';
    return structure_is_fine(r, str) ? str : NULL;
}

/* In a continuation line some versions of inih leave a comment in place. */
static size_t
length_without_comment(const char *s)
{
    size_t len = 0;

    while (
        s[len] != '\0'
        && !(s[len] == ';' && len > 0 && isspace((unsigned char) s[len - 1])))
        len++;
    while (len > 0 && isspace((unsigned char) s[len - 1]))
        len--;
    return len;
}

static int
take_value(void *user, const char *section, const char *key, const char *value)
{
    struct reader *r = user;

    (void) section; /* ours has the line of the header too */
    if (!r->indented) {
        r->in_value = true;
        add_entry(r, key, value);
        return 1;
    }
    struct odks_ini_entry *last = &r->ini->entries[r->ini->count - 1];
    bool in_word = *value == '\\';
    const char *gap = *last->value != '\0' && !in_word ? " " : "";
    value += in_word ? 1 : 0;
    char *joined = odks_xasprintf("%s%s%.*s", last->value, gap,
                                  (int) length_without_comment(value), value);
    wipe(last->value);
    last->value = joined;
    return 1;
}

bool
odks_ini_parse(const struct odks_buf *text, const char *name,
               struct odks_ini *ini, struct odks_err *err)
{
    struct reader r = { .name = name, .ini = ini, .err = err };

    *ini = (struct odks_ini){ .entries = NULL };
    if (text->len == 0)
        return true;
    r.next = text->data;
    r.end = text->data + text->len;
    int line = ini_parse_stream(read_line, &r, take_value, &r);
    if (line > 0 && (r.error_line == 0 || line < r.error_line)) {
        r.line = line;
        (void) fail(&r, "Write [section], key = value, or ; before a comment.",
                    "neither a section nor key = value");
    }
    if (r.error_line == 0 && line == 0)
        return true;
    if (r.error_line == 0)
        odks_err_set(err, ODKS_EXIT_OS, "%s: inih cannot read it", name);
    odks_ini_free(ini);
    return false;
}

void
odks_ini_free(struct odks_ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        free(ini->entries[i].section);
        free(ini->entries[i].key);
        wipe(ini->entries[i].value);
    }
    free(ini->entries);
    *ini = (struct odks_ini){ .entries = NULL };
}
