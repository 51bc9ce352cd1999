/* lib/central/itext.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/itext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "central/xform.h"
#include "central/xml.h"
#include "core/buf.h"
#include "core/mem.h"

/* --- a text in one line --------------------------------------------------- */

/* The last step of a path: what the form's author wrote as ${name}. */
static char *
placeholder(const struct odks_xml *output)
{
    const char *value = odks_xml_get(output, "value");

    if (value == NULL)
        value = odks_xml_get(output, "ref");
    if (value == NULL)
        return odks_xstrdup("...");
    value += strspn(value, " \t\r\n");
    size_t len = strcspn(value, " \t\r\n");
    bool is_path = value[0] == '/' && strpbrk(value, "([=+*'\"") == NULL
                   && value[len + strspn(value + len, " \t\r\n")] == '\0';
    size_t start = len;
    while (start > 0 && value[start - 1] != '/')
        start--;
    return is_path && start < len
               ? odks_xasprintf("${%.*s}", (int) (len - start), value + start)
               : odks_xstrdup("...");
}

static void
collect(const struct odks_xml *node, struct odks_buf *b)
{
    for (const struct odks_xml *n = node->first; n != NULL; n = n->next) {
        if (n->text != NULL) {
            (void) !odks_buf_add_str(b, n->text);
        } else if (strcmp(n->name, "output") == 0) {
            CLEANUP_FREE char *text = placeholder(n);
            (void) !odks_buf_add_str(b, text);
        } else {
            collect(n, b); /* markup; ODKS_XML_DEPTH deep at most */
        }
    }
}

/* Blanks at the ends go, and others become single spaces. */
static void
squeeze(char *s)
{
    char *to = s;

    for (const char *p = s; *p != '\0'; p++) {
        if (!isspace((unsigned char) *p))
            *to++ = *p;
        else if (to > s && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > s && to[-1] == ' ')
        to--;
    *to = '\0';
}

char *
odks_itext_text(const struct odks_xml *node)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(ODKS_XFORM_MAX);

    if (node != NULL)
        collect(node, &b);
    char *text = odks_xstrdup(b.len > 0 ? b.data : "");
    squeeze(text);
    return text;
}

/* --- languages ------------------------------------------------------------ */

static const char *
language_of(const struct odks_xml *translation)
{
    const char *lang = odks_xml_get(translation, "lang");

    return lang != NULL && *lang != '\0' ? lang : ODKS_LANGUAGE_DEFAULT;
}

static void
add_language(struct odks_itext *t, const char *name)
{
    for (size_t i = 0; i < t->language_count; i++) {
        if (strcmp(t->language[i], name) == 0)
            return;
    }
    t->language = odks_xreallocarray(t->language, t->language_count + 2,
                                     sizeof(*t->language));
    t->language[t->language_count++] = odks_xstrdup(name);
    t->language[t->language_count] = NULL;
}

static void
read_languages(struct odks_itext *t, const struct odks_xml *itext)
{
    const struct odks_xml *tr = NULL;

    while (itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL) {
        const char *is_default = odks_xml_get(tr, "default");
        if (is_default != NULL && strcmp(is_default, "false()") != 0)
            add_language(t, language_of(tr));
    }
    while (itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL)
        add_language(t, language_of(tr));
    if (t->language_count == 0)
        add_language(t, ODKS_LANGUAGE_DEFAULT);
}

static size_t
number_of(const struct odks_itext *t, const char *language)
{
    size_t i = 0;

    while (strcmp(t->language[i], language) != 0)
        i++;
    return i;
}

/* --- texts by id ---------------------------------------------------------- */

/* Of the values of a text the plain one: others name pictures and sounds. */
static const struct odks_xml *
plain_value(const struct odks_xml *text)
{
    const struct odks_xml *value = NULL, *other = NULL;

    while ((value = odks_xml_child(text, value, "value")) != NULL) {
        const char *form = odks_xml_get(value, "form");

        if (form == NULL)
            return value;
        if (strcmp(form, "long") == 0
            || (other == NULL && strcmp(form, "short") == 0))
            other = value;
    }
    return other;
}

static void
add_value(struct odks_itext *t, const char *id, size_t language, char *text)
{
    /* "-" is what form builders put where a translation is missing */
    if (id == NULL || *text == '\0' || strcmp(text, "-") == 0) {
        free(text);
        return;
    }
    if ((t->count & (t->count - 1)) == 0)
        t->value = odks_xreallocarray(t->value, t->count > 0 ? 2 * t->count : 1,
                                      sizeof(*t->value));
    t->value[t->count++] = (struct odks_itext_value){ id, language, text };
}

static int
by_id(const void *a, const void *b)
{
    const struct odks_itext_value *p = a, *q = b;
    int order = strcmp(p->id, q->id);

    return order != 0
               ? order
               : (p->language > q->language) - (p->language < q->language);
}

void
odks_itext_read(struct odks_itext *t, const struct odks_xml *itext)
{
    const struct odks_xml *tr = NULL;

    *t = (struct odks_itext){ 0 };
    read_languages(t, itext);
    while (itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL) {
        const struct odks_xml *text = NULL;
        size_t language = number_of(t, language_of(tr));

        while ((text = odks_xml_child(tr, text, "text")) != NULL)
            add_value(t, odks_xml_get(text, "id"), language,
                      odks_itext_text(plain_value(text)));
    }
    if (t->count > 0)
        qsort(t->value, t->count, sizeof(*t->value), by_id);
}

void
odks_itext_clear(struct odks_itext *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->value[i].text);
    free(t->value);
    odks_itext_free_texts(t->language);
    *t = (struct odks_itext){ 0 };
}

char **
odks_itext_by_id(const struct odks_itext *t, const char *id)
{
    char **label = odks_xcalloc(t->language_count + 1, sizeof(*label));

    for (size_t i = 0; i < t->language_count; i++) {
        const struct odks_itext_value key = { id, i, NULL };
        const struct odks_itext_value *found =
            t->count == 0
                ? NULL
                : bsearch(&key, t->value, t->count, sizeof(key), by_id);
        label[i] = odks_xstrdup(found != NULL ? found->text : "");
    }
    return label;
}

char **
odks_itext_labels(const struct odks_itext *t, const struct odks_xml *label)
{
    const char *ref = label != NULL ? odks_xml_get(label, "ref") : NULL;

    if (ref != NULL && strncmp(ref, "jr:itext(", 9) == 0
        && (ref[9] == '\'' || ref[9] == '"')) {
        const char *end = strrchr(ref + 10, ref[9]);
        CLEANUP_FREE char *id = odks_xstrndup(
            ref + 10, end != NULL ? (size_t) (end - ref - 10) : 0);
        return odks_itext_by_id(t, id);
    }
    char **texts = odks_xcalloc(t->language_count + 1, sizeof(*texts));
    for (size_t i = 0; i < t->language_count; i++)
        texts[i] = odks_itext_text(label);
    return texts;
}

void
odks_itext_free_texts(char **text)
{
    for (size_t i = 0; text != NULL && text[i] != NULL; i++)
        free(text[i]);
    free(text);
}
