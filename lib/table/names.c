/* lib/table/names.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

enum { HASH_LEN = 9 }; /* "_" and 8 digits */

/*
 * What PostgreSQL takes for something else when it is not quoted ("select
 * user" answers with the role), and its own columns of every table. A fixed
 * list: names must not depend on the server's version.
 */
static const char reserved[] =
    " all analyse analyze and any array as asc asymmetric authorization"
    " binary both case cast check cmax cmin collate collation column"
    " concurrently constraint create cross ctid current_catalog"
    " current_date current_role current_schema current_time"
    " current_timestamp current_user default deferrable desc distinct do"
    " else end except false fetch for foreign freeze from full grant group"
    " having ilike in initially inner intersect into is isnull join"
    " lateral leading left like limit localtime localtimestamp natural not"
    " notnull null offset on only or order outer overlaps placing primary"
    " references returning right select session_user similar some"
    " symmetric system_user table tableoid tablesample then to trailing"
    " true union unique user using variadic verbose when where window with"
    " xmax xmin"
    " ";

static bool
is_reserved(const char *name)
{
    CLEANUP_FREE char *word = odks_xasprintf(" %s ", name);

    return strstr(reserved, word) != NULL;
}

char *
odks_name_snake(const char *text)
{
    size_t n = 0;
    /* every character may get a "_", and "q_" goes in front */
    CLEANUP_FREE char *name = odks_xcalloc(2 * strlen(text) + 3, 1);

    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;
        unsigned char before = p > text ? (unsigned char) p[-1] : 0;

        if (c < 0x80 && !isalnum(c) && c != '_') {
            /* one "_" for a run of what has no place in a name */
            if (p == text || before >= 0x80 || isalnum(before) || before == '_')
                name[n++] = '_';
            continue;
        }
        if (isupper(c) && (islower(before) || isdigit(before)))
            name[n++] = '_';
        name[n++] = (char) (c < 0x80 ? tolower(c) : c);
    }
    unsigned char first = (unsigned char) name[0];
    if (first == '_')
        return odks_xasprintf("q%s", name);
    if (first == '\0' || isdigit(first) || is_reserved(name))
        return odks_xasprintf("q_%s", name);
    return odks_steal(&name);
}

static uint32_t
fnv1a(const char *s)
{
    uint32_t hash = 2166136261U;

    for (; *s != '\0'; s++)
        hash = (hash ^ (unsigned char) *s) * 16777619U;
    return hash;
}

char *
odks_name_fit(const char *name, const char *suffix, size_t max, const char *key)
{
    size_t room = max - strlen(suffix);

    if (strlen(name) <= room)
        return odks_xasprintf("%s%s", name, suffix);
    size_t cut = odks_utf8_cut(name, room - HASH_LEN);
    return odks_xasprintf("%.*s_%08x%s", (int) cut, name, (unsigned) fnv1a(key),
                          suffix);
}

void
odks_names_add(struct odks_names *names, const char *name)
{
    if (odks_names_has(names, name))
        return;
    if (names->count == names->size) {
        names->size = names->size > 0 ? 2 * names->size : 16;
        names->name =
            odks_xreallocarray(names->name, names->size, sizeof(*names->name));
    }
    char *own = odks_xstrdup(name);
    (void) odks_index_put(&names->index, own, names->count);
    names->name[names->count++] = own;
}

bool
odks_names_has(const struct odks_names *names, const char *name)
{
    return odks_index_get(&names->index, name, NULL);
}

void
odks_names_clear(struct odks_names *names)
{
    odks_index_clear(&names->index);
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct odks_names){ 0 };
}

/* How many groups stand between root and the leaf of path. */
static size_t
groups_in(const char *root, const char *path)
{
    size_t slashes = 0;

    for (const char *p = path + strlen(root); *p != '\0'; p++)
        slashes += *p == '/';
    return slashes > 0 ? slashes - 1 : 0;
}

/* The leaf with up to groups of its groups in front. */
static const char *
tail(const char *root, const char *path, size_t groups)
{
    const char *start = path + strlen(path);
    const char *limit = path + strlen(root);

    for (size_t left = groups + 1; start > limit; start--) {
        if (*start == '/' && --left == 0)
            break;
    }
    return *start == '/' ? start + 1 : start;
}

/* The same in snake case, where a slash is like all that has no place. */
static char *
candidate(const char *root, const char *path, size_t groups)
{
    return odks_name_snake(tail(root, path, groups));
}

/*
 * Can text become name? Its letters and digits must be those of name: a look
 * that spares a form of 1,500 questions a million names in vain.
 */
static bool
has_letters_of(const char *text, const char *name)
{
    for (;; text++, name++) {
        while ((unsigned char) *text < 0x80 && *text != '\0'
               && !isalnum((unsigned char) *text))
            text++;
        while (*name == '_')
            name++;
        if (tolower((unsigned char) *text) != (unsigned char) *name)
            return false;
        if (*name == '\0')
            return true;
    }
}

static bool
is_unique(const struct odks_naming *in, const char *path, const char *name,
          size_t groups)
{
    for (size_t i = 0; i < in->count; i++) {
        const char *text = tail(in->root, in->path[i], groups);

        if (strcmp(in->path[i], path) == 0
            || (!has_letters_of(text, name)
                && (strncmp(name, "q_", 2) != 0
                    || !has_letters_of(text, name + 2))))
            continue;
        CLEANUP_FREE char *other = odks_name_snake(text);
        if (strcmp(other, name) == 0)
            return false;
    }
    return true;
}

static bool
is_free(const struct odks_naming *in, const char *name)
{
    for (size_t i = 0; in->suffix[i] != NULL; i++) {
        CLEANUP_FREE char *full = odks_xasprintf("%s%s", name, in->suffix[i]);
        if (odks_names_has(in->taken, full))
            return false;
    }
    return true;
}

/* prefix, name and suffix, cut to fit; NULL if that is taken. */
static char *
if_free(const struct odks_naming *in, const char *name, const char *suffix,
        const char *path)
{
    CLEANUP_FREE char *whole = odks_xasprintf("%s%s", in->prefix, name);
    CLEANUP_FREE char *fitting = odks_name_fit(whole, suffix, in->max, path);

    return is_free(in, fitting) ? odks_steal(&fitting) : NULL;
}

/* With the first number behind it that makes it free. */
static char *
number(const struct odks_naming *in, const char *name, const char *format,
       const char *path)
{
    for (unsigned i = 2;; i++) {
        CLEANUP_FREE char *suffix = odks_xasprintf("%s%u", format, i);
        char *got = if_free(in, name, suffix, path);
        if (got != NULL)
            return got;
    }
}

char *
odks_name_choose(const struct odks_naming *in, const char *path)
{
    size_t most = groups_in(in->root, path);

    for (size_t groups = 0; groups <= most; groups++) {
        CLEANUP_FREE char *name = candidate(in->root, path, groups);
        if (!is_unique(in, path, name, groups))
            continue;
        char *got = if_free(in, name, "", path);
        if (got != NULL)
            return got;
    }
    CLEANUP_FREE char *name = candidate(in->root, path, most);
    char *got = if_free(in, name, "", path);
    return got != NULL ? got : number(in, name, "_", path);
}

char *
odks_name_next_version(const struct odks_naming *in, const char *base,
                       const char *path)
{
    return number(in, base, "_v", path);
}
