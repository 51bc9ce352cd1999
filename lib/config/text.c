/* lib/config/text.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/safe.h"
#include "core/utf8.h"

bool
odks_text_has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char) *s < 0x20 || *s == 0x7f)
            return true;
    }
    return false;
}

bool
odks_text_has_hidden(const char *s)
{
    size_t n = 1;

    for (; *s != '\0' && n > 0; s += n)
        n = odks_safe_length(s);
    return n == 0;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) tolower((unsigned char) c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *
odks_text_decode_form(const char *text)
{
    CLEANUP_FREE char *out = odks_xcalloc(strlen(text) + 1, 1);
    size_t len = 0;

    if (strchr(text, ' ') != NULL)
        return odks_xstrdup(text);
    for (const char *s = text; *s != '\0'; s++) {
        if (*s != '%') {
            out[len++] = *s;
            continue;
        }
        int high = hex_digit(s[1]);
        int low = high < 0 ? -1 : hex_digit(s[2]);
        if (low < 0 || high + low == 0)
            return odks_xstrdup(text);
        out[len++] = (char) (high * 16 + low);
        s += 2;
    }
    if (!odks_is_utf8(out, len))
        return odks_xstrdup(text);
    return odks_steal(&out);
}

/* Bytes of the character at s that a value shows as it is; 0: encode it. */
static size_t
plain_length(const char *s)
{
    if ((unsigned char) *s >= 0x80)
        return odks_safe_is_space(s) ? 0 : odks_safe_length(s);
    return isalnum((unsigned char) *s) || strchr(" _.-,:()/+=@!'&", *s) != NULL;
}

/* May a value be id itself? Not with spaces that a reader would strip. */
static bool
is_plain(const char *id)
{
    size_t len = strlen(id), n = 1;

    if (len == 0 || id[0] == ' ' || id[len - 1] == ' ')
        return false;
    for (; *id != '\0' && n > 0; id += n)
        n = plain_length(id);
    return n > 0;
}

char *
odks_config_encode_id(const char *id)
{
    CLEANUP_FREE char *out = odks_xcalloc(strlen(id) * 3 + 1, 1);
    size_t len = 0;

    if (is_plain(id))
        return odks_xstrdup(id);
    while (*id != '\0') {
        size_t n = *id != ' ' ? plain_length(id) : 0;

        if (n == 0) {
            (void) snprintf(out + len, 4, "%%%02X", (unsigned char) *id++);
            len += 3;
            continue;
        }
        memcpy(out + len, id, n);
        len += n;
        id += n;
    }
    return odks_steal(&out);
}

static size_t
name_length(const char *s)
{
    size_t n = 0;

    while (isascii((unsigned char) s[n])
           && (isalpha((unsigned char) s[n]) || s[n] == '_'
               || (n > 0 && isdigit((unsigned char) s[n]))))
        n++;
    return n;
}

/* *s is at the ${ of a variable; moves it behind the }. */
static bool
expand_one(const char **s, struct odks_buf *out, struct odks_err *err)
{
    size_t len = name_length(*s + 2);

    if (len == 0 || (*s)[2 + len] != '}') {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "${ without a variable's name and }");
        odks_err_hint(err, "Write ${NAME} for a variable of the environment, "
                           "and $${ for ${ itself.");
        return false;
    }
    CLEANUP_FREE char *name = odks_xstrndup(*s + 2, len);
    const char *value = getenv(name);
    if (value == NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG,
                     "the environment variable %s is not set", name);
        odks_err_hint(err,
                      "Set %s for odk-sync, or write the value itself; "
                      "cron and systemd do not read shell profiles.",
                      name);
        return false;
    }
    *s += 2 + len + 1;
    if (odks_buf_add_str(out, value))
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "the value of %s is too long", name);
    return false;
}

bool
odks_text_expand(const char *text, struct odks_buf *out, bool *bare,
                 struct odks_err *err)
{
    *bare = false;
    for (const char *s = text; *s != '\0';) {
        if (strncmp(s, "${", 2) == 0) {
            if (!expand_one(&s, out, err))
                return false;
            continue;
        }
        if (strncmp(s, "$${", 3) == 0)
            s++;
        bool brace = *s == '$' && s[1] == '{';
        *bare = true;
        if (!odks_buf_add(out, s, brace ? 2 : 1)) {
            odks_err_set(err, ODKS_EXIT_CONFIG, "the value is too long");
            return false;
        }
        s += brace ? 2 : 1;
    }
    return odks_buf_add(out, "", 0);
}
