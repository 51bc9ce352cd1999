/* lib/config/print.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <json-c/json.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"
#include "core/safe.h"
#include "core/utf8.h"

static const char mask[] = "***";

typedef void visit_fn(const struct odks_section *section,
                      const struct odks_option *option,
                      const struct odks_value *value, void *arg);

/* Call visit for each value in force of a section. */
static void
each_value(const struct odks_config *cfg, const struct odks_section *section,
           visit_fn *visit, void *arg)
{
    const struct odks_schema *schema = &cfg->schema[section->kind];

    for (size_t i = 0; i < schema->count; i++) {
        const struct odks_option *option = &schema->options[i];
        struct odks_value value = section->values[i];
        char origin[80];

        if (value.text == NULL && option->offset == ODKS_OPTION_NO_FIELD)
            value = odks_config_libpq_value(cfg, option, origin);
        if (value.text != NULL && odks_config_applies(section, option->key))
            visit(section, option, &value, arg);
    }
}

/* $${ for ${, so that a reader does not expand it. */
static char *
escape(const char *text)
{
    char *out = odks_xcalloc(strlen(text) * 2 + 1, 1);
    size_t len = 0;

    for (; *text != '\0'; text++) {
        if (text[0] == '$' && text[1] == '{')
            out[len++] = '$';
        out[len++] = *text;
    }
    return out;
}

/* May a line end before the space at s[i] and its rest continue the value? */
static bool
may_break(const char *s, size_t i)
{
    return i > 0 && s[i] == ' ' && s[i - 1] != ' ' && s[i + 1] != ' '
           && s[i + 1] != ';' && s[i + 1] != '#' && s[i + 1] != '\\'
           && !odks_ini_looks_like_key(s + i + 1);
}

/*
 * May a line end at s[i], in the middle of a word, which "\" continues? Not
 * inside a character, nor beside a space, which a reader strips.
 */
static bool
may_split(const char *s, size_t i)
{
    return i > 0 && s[i - 1] != ' ' && s[i] != ' '
           && ((unsigned char) s[i] & 0xc0) != 0x80;
}

/* How many of room bytes fit into this line: up to a gap, if there is one. */
static size_t
fit_line(const char *text, size_t room, bool *split)
{
    size_t gap = room, middle = room - 1;

    while (gap > 0 && !may_break(text, gap))
        gap--;
    while (middle > 0 && !may_split(text, middle))
        middle--;
    *split = gap == 0;
    return gap > 0 ? gap : middle;
}

/* "key = text" in lines that inih reads back as they were; false: no way. */
static bool
format_value(const char *key, const char *text, struct odks_buf *b)
{
    size_t len = strlen(text);

    if (len == 0 || text[0] == ' ' || text[len - 1] == ' ' || text[0] == ';'
        || strstr(text, " ;") != NULL || odks_text_has_control(text)
        || !odks_is_utf8(text, len) || odks_text_has_hidden(text)
        || !odks_buf_printf(b, "%s = ", key))
        return false;
    for (size_t column = b->len; len > ODKS_CONFIG_LINE_MAX - column;) {
        bool split;
        size_t i = fit_line(text, ODKS_CONFIG_LINE_MAX - column, &split);

        if (i == 0 || !odks_buf_add(b, text, i)
            || !odks_buf_add_str(b, split ? "\n    \\" : "\n    "))
            return false;
        column = split ? 5 : 4;
        i += split ? 0 : 1; /* the space */
        text += i;
        len -= i;
    }
    return odks_buf_add(b, text, len);
}

bool
odks_config_print_value(const char *key, const char *text, FILE *out)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(ODKS_CONFIG_VALUE_MAX * 4);
    CLEANUP_FREE char *escaped = escape(text);

    if (!format_value(key, escaped, &b))
        return false;
    odks_print_lines(out, b.data);
    odks_print(out, "\n");
    return true;
}

bool
odks_config_print_id(const char *key, const char *id, FILE *out)
{
    CLEANUP_FREE char *text = odks_config_encode_id(id);

    return odks_is_utf8(id, strlen(id)) && strlen(text) <= ODKS_CONFIG_ID_MAX
           && odks_config_print_value(key, text, out);
}

void
odks_config_print_comment(FILE *out, const char *fmt, ...)
{
    static const char more[] = "...";
    size_t room = ODKS_CONFIG_LINE_MAX - strlen("; ") - strlen(more);
    size_t len = 0, n;
    va_list args;

    va_start(args, fmt);
    CLEANUP_FREE char *text = odks_xvasprintf(fmt, args);
    va_end(args);
    for (; text[len] != '\0'; len += n) {
        n = odks_safe_length(text + len);
        size_t printed = n > 0 ? n : strlen("\\x00");
        n = n > 0 ? n : 1;
        if (printed > room)
            break;
        room -= printed;
    }
    odks_print(out, "; %.*s%s\n", (int) len, text,
               text[len] != '\0' ? more : "");
}

static void
ini_value(const struct odks_section *section, const struct odks_option *option,
          const struct odks_value *value, void *arg)
{
    FILE *out = arg;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(ODKS_CONFIG_VALUE_MAX * 4);
    CLEANUP_FREE char *text = escape(value->text);
    bool secret = odks_config_is_secret(option, value->text);

    (void) section;
    if (secret || !format_value(option->key, text, &b)) {
        /* a comment: a masked value must not come back as the value */
        odks_config_print_comment(out, "%s = %s  ; %s", option->key,
                                  secret ? mask : "(cannot be written as INI)",
                                  value->origin);
        return;
    }
    size_t width = b.len < 38 ? 38 : b.len;
    bool behind = width + 3 + strlen(value->origin) <= ODKS_CONFIG_LINE_MAX
                  && !odks_text_has_hidden(value->origin);
    if (!behind)
        odks_config_print_comment(out, "%s", value->origin);
    odks_print_lines(out, b.data);
    if (behind)
        odks_print(out, "%*s ; %s", (int) (width - b.len), "", value->origin);
    odks_print(out, "\n");
}

static void
print_ini(const struct odks_config *cfg, FILE *out)
{
    bool first = true;

    for (int kind = 0; kind < ODKS_SECTION_COUNT; kind++) {
        for (size_t i = 0; i < cfg->all.count; i++) {
            const struct odks_section *section = cfg->all.section[i];

            if ((int) section->kind != kind)
                continue;
            if (!first)
                odks_print(out, "\n");
            odks_print(out, "%s\n", section->title);
            each_value(cfg, section, ini_value, out);
            first = false;
        }
    }
}

/* A setting that is not the default, as a line of a file to be used. */
static void
file_value(const struct odks_section *section, const struct odks_option *option,
           const struct odks_value *value, FILE *out)
{
    if (!odks_config_is_secret(option, value->text)
        && odks_config_print_value(option->key, value->text, out))
        return;
    if (value->variable == NULL) {
        odks_config_print_comment(out, "%s: (cannot be written as INI)  ; %s",
                                  option->key, value->origin);
        return;
    }
    if (option->type == ODKS_OPTION_SECRET) {
        odks_config_print_comment(out,
                                  "%s (%s) has to be set for odk-sync; or "
                                  "write it into a file of its own:",
                                  value->variable, value->origin);
        odks_config_print_comment(
            out, "password_file = /etc/odk-sync/%s_password",
            section->kind == ODKS_SECTION_DATABASE ? "pg" : "odk");
    }
    odks_print(out, "%s = ${%s}\n", option->key, value->variable);
}

void
odks_config_print_file(const struct odks_config *cfg, FILE *out)
{
    odks_config_print_comment(
        out, "Settings of the service that odk-sync replaces.");
    for (size_t i = 0; i < cfg->remark_count; i++)
        odks_config_print_comment(out, "%s", cfg->remarks[i].text);
    for (size_t i = 0; i < cfg->all.count; i++) {
        const struct odks_section *section = cfg->all.section[i];
        const struct odks_schema *schema = &cfg->schema[section->kind];

        if (strcmp(section->origin, "default") == 0)
            continue;
        odks_print(out, "\n%s\n", section->title);
        for (size_t j = 0; j < schema->count; j++) {
            const struct odks_value *value = &section->values[j];

            if (value->text != NULL && strcmp(value->origin, "default") != 0)
                file_value(section, &schema->options[j], value, out);
        }
    }
}

/* The value of an option that has a field, in JSON's own type. */
static struct json_object *
typed(const struct odks_section *section, const struct odks_option *option)
{
    const char *field = (const char *) &section->conf + option->offset;
    const char *const *list;
    int64_t n;
    bool on;

    if (option->type == ODKS_OPTION_INTEGER) {
        memcpy(&n, field, sizeof(n));
        return json_object_new_int64(n);
    }
    if (option->type == ODKS_OPTION_BOOL) {
        memcpy(&on, field, sizeof(on));
        return json_object_new_boolean(on);
    }
    if (option->type != ODKS_OPTION_LIST)
        return NULL;
    struct json_object *array = json_object_new_array();
    memcpy(&list, field, sizeof(list));
    for (; *list != NULL; list++)
        (void) json_object_array_add(array, json_object_new_string(*list));
    return array;
}

/* Text of the environment may be anything; JSON is UTF-8. */
static struct json_object *
json_text(const char *text)
{
    return json_object_new_string(
        odks_is_utf8(text, strlen(text)) ? text : "(not UTF-8)");
}

static void
json_value(const struct odks_section *section, const struct odks_option *option,
           const struct odks_value *value, void *arg)
{
    struct json_object *object = json_object_new_object();
    struct json_object *v = NULL;

    if (odks_config_is_secret(option, value->text))
        v = json_object_new_string(mask);
    else if (option->offset != ODKS_OPTION_NO_FIELD)
        v = typed(section, option);
    if (v == NULL)
        v = json_text(value->text);
    (void) json_object_object_add(object, "value", v);
    (void) json_object_object_add(object, "origin", json_text(value->origin));
    (void) json_object_object_add(arg, option->key, object);
}

/* The object that holds the sections of a kind, made when first asked for. */
static struct json_object *
member(struct json_object *parent, const char *name)
{
    struct json_object *object = NULL;

    if (!json_object_object_get_ex(parent, name, &object)) {
        object = json_object_new_object();
        (void) json_object_object_add(parent, name, object);
    }
    return object;
}

static void
print_json(const struct odks_config *cfg, FILE *out)
{
    struct json_object *root = json_object_new_object();

    (void) json_object_object_add(
        root, "file", cfg->file != NULL ? json_text(cfg->file) : NULL);
    (void) member(root, "central");
    (void) member(root, "job");
    for (size_t i = 0; i < cfg->all.count; i++) {
        const struct odks_section *section = cfg->all.section[i];
        struct json_object *object =
            member(root, odks_option_section_name(section->kind));

        if (*section->name != '\0')
            object = member(object, section->name);
        each_value(cfg, section, json_value, object);
    }
    odks_print_json_text(out, json_object_to_json_string_ext(
                                  root, JSON_C_TO_STRING_PRETTY
                                            | JSON_C_TO_STRING_NOSLASHESCAPE));
    (void) json_object_put(root);
}

void
odks_config_print(const struct odks_config *cfg, bool json, FILE *out)
{
    if (json)
        print_json(cfg, out);
    else
        print_ini(cfg, out);
}
