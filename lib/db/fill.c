/* lib/db/fill.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/fill.h"

#include <string.h>

bool
odks_fill_quote(struct odks_buf *out, const char *name, char quote)
{
    bool ok = odks_buf_add_char(out, quote);

    for (; ok && *name != '\0'; name++)
        ok = (*name != quote || odks_buf_add_char(out, quote))
             && odks_buf_add_char(out, *name);
    return ok && odks_buf_add_char(out, quote);
}

/* The length of what no hole can be in, at the beginning of s, or 0. */
static size_t
measure_quoted(const char *s)
{
    if (*s == '\'' || *s == '"') {
        const char *end = strchr(s + 1, *s);

        /* a doubled quote is the end of this one and the start of the next */
        return end != NULL ? (size_t) (end - s) + 1 : strlen(s);
    }
    if (s[0] == '-' && s[1] == '-')
        return strcspn(s, "\n");
    if (s[0] == '/' && s[1] == '*') {
        const char *end = strstr(s, "*/");

        return end != NULL ? (size_t) (end - s) + 2 : strlen(s);
    }
    return 0;
}

/* Fill the hole at s; its length, or 0: err is set. */
static size_t
fill_hole(const char *s, const char *schema, struct odks_buf *out,
          struct odks_err *err)
{
    static const char as_ident[] = "{schema}", as_literal[] = "{schema_name}";
    bool ident = strncmp(s, as_ident, strlen(as_ident)) == 0;

    if (!ident && strncmp(s, as_literal, strlen(as_literal)) != 0) {
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "unknown hole in SQL: %.40s", s);
        return 0;
    }
    if (odks_fill_quote(out, schema, ident ? '"' : '\''))
        return strlen(ident ? as_ident : as_literal);
    odks_err_set(err, ODKS_EXIT_OS, "out of memory");
    return 0;
}

bool
odks_fill(const char *text, const char *schema, struct odks_buf *out,
          struct odks_err *err)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "{'\"-/");

        if (len == 0 && *text == '{') {
            len = fill_hole(text, schema, out, err);
            if (len == 0)
                return false;
            text += len;
            continue;
        }
        if (len == 0)
            len = measure_quoted(text);
        if (len == 0)
            len = 1; /* minus or divide */
        if (!odks_buf_add(out, text, len)) {
            odks_err_set(err, ODKS_EXIT_OS, "out of memory");
            return false;
        }
        text += len;
    }
    return true;
}

bool
odks_fill_needed(const char *text)
{
    return strstr(text, "{schema") != NULL;
}

bool
odks_fill_fits(const char *schema, struct odks_err *err)
{
    const char *first = strchr(schema, '$');

    if (first == NULL || strchr(first + 1, '$') == NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "the name of a tracking schema cannot have more than one $");
    odks_err_hint(err, "Rename the schema, and set tracking_schema in "
                       "[database].");
    return false;
}
