/* lib/config/value.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "core/time.h"

enum { MAX_CHOICES = 16 };

static bool
parse_integer(const char *text, int64_t *number)
{
    char *end;

    if (!isdigit((unsigned char) *text) && *text != '-')
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool
parse_bool(const char *text, bool *on)
{
    static const char *const words[] = { "no",  "yes", "false", "true",
                                         "off", "on",  "0",     "1" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *on = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* Cut a copy of "a|b|c" into words; the caller frees copy. */
static size_t
split_choices(char *copy, const char *words[MAX_CHOICES])
{
    size_t count = 0;
    char *save = NULL;

    for (char *w = strtok_r(copy, "|", &save); w != NULL && count < MAX_CHOICES;
         w = strtok_r(NULL, "|", &save))
        words[count++] = w;
    return count;
}

/* The number of text among the choices, or -1 and a hint for it. */
static int
parse_choice(const struct odks_option *option, const char *text,
             struct odks_err *hint)
{
    const char *words[MAX_CHOICES];
    CLEANUP_FREE char *copy = odks_xstrdup(option->choices);
    size_t count = split_choices(copy, words);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0)
            return (int) i;
    }
    const char *near = odks_suggest(text, words, count);
    if (near != NULL)
        odks_err_hint(hint, "Did you mean \"%s\"?", near);
    return -1;
}

static char *
trim(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    size_t len = strlen(s);
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        s[--len] = '\0';
    return s;
}

/* "a, b" as a NULL-terminated array in the pool of cfg. */
static bool
parse_list(struct odks_config *cfg, const char *text, const char *const **list)
{
    char *copy = odks_xstrdup(text);
    size_t count = 0;
    const char **items = odks_xcalloc(strlen(text) + 2, sizeof(items[0]));

    odks_config_own(cfg, copy, 0);
    odks_config_own(cfg, items, 0);
    for (char *rest = copy; rest != NULL;) {
        char *item = trim(strsep(&rest, ","));

        if (*item == '\0')
            return false;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(items[i], item) == 0)
                return false;
        }
        items[count++] = item;
    }
    *list = items;
    return true;
}

static bool
in_range(const struct odks_option *option, int64_t n)
{
    return n >= option->min && n <= option->max;
}

/* Parse text into the field at p; false with at most a hint set. */
static bool
parse(struct odks_config *cfg, const struct odks_option *o, const char *text,
      void *p, struct odks_err *hint)
{
    int64_t n = 0;
    int choice;
    bool on;
    const char *const *list = NULL;

    switch (o->type) {
    case ODKS_OPTION_INTEGER:
    case ODKS_OPTION_DURATION:
        if (!(o->type == ODKS_OPTION_INTEGER ? parse_integer(text, &n)
                                             : odks_duration_parse(text, &n))
            || !in_range(o, n))
            return false;
        memcpy(p, &n, sizeof(n));
        return true;
    case ODKS_OPTION_BOOL:
        if (!parse_bool(text, &on))
            return false;
        memcpy(p, &on, sizeof(on));
        return true;
    case ODKS_OPTION_ENUM: /* our enums are as large as an int */
        choice = parse_choice(o, text, hint);
        memcpy(p, &choice, sizeof(choice));
        return choice >= 0;
    case ODKS_OPTION_LIST:
        if (!in_range(o, (int64_t) strlen(text))
            || !parse_list(cfg, text, &list))
            return false;
        memcpy(p, &list, sizeof(list));
        return true;
    case ODKS_OPTION_TEXT:
    case ODKS_OPTION_WORD:
    case ODKS_OPTION_SECRET:
    case ODKS_OPTION_PATH:
    default:
        if ((o->type == ODKS_OPTION_WORD && parse_choice(o, text, hint) < 0)
            || !in_range(o, (int64_t) strlen(text)))
            return false;
        if (p != NULL)
            memcpy(p, &text, sizeof(text));
        return true;
    }
}

bool
odks_config_parse_value(struct odks_config *cfg, struct odks_section *section,
                        const struct odks_option *option, struct odks_err *err)
{
    const struct odks_value *value =
        &section->values[option - cfg->schema[section->kind].options];
    struct odks_err hint = ODKS_ERR_INIT;
    char expected[ODKS_OPTION_EXPECTED];
    char *field = option->offset == ODKS_OPTION_NO_FIELD
                      ? NULL
                      : (char *) &section->conf + option->offset;

    if (value->text == NULL || parse(cfg, option, value->text, field, &hint))
        return true;

    odks_option_expected(option, expected);
    bool secret = odks_config_is_secret(option, value->text);
    bool is_long = strlen(value->text) > 100;
    odks_err_set(err, value->from_flag ? ODKS_EXIT_USAGE : ODKS_EXIT_CONFIG,
                 "%s: %s: found %s%s%s, expected %s", value->origin,
                 option->key, secret || is_long ? "" : "\"",
                 secret    ? "something else"
                 : is_long ? "a long text"
                           : value->text,
                 secret || is_long ? "" : "\"", expected);
    if (*hint.hint != '\0')
        odks_err_hint(err, "%s", hint.hint);
    return false;
}
