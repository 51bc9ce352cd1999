/* lib/central/itext.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/itext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "central/xform.h"
#include "central/xml.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/stop.h"

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
collect_text(const struct odks_xml *node, struct odks_buf *b)
{
    for (const struct odks_xml *n = node->first; n != NULL; n = n->next) {
        if (n->text != NULL) {
            (void) !odks_buf_add_str(b, n->text);
        } else if (strcmp(n->name, "output") == 0) {
            CLEANUP_FREE char *text = placeholder(n);
            (void) !odks_buf_add_str(b, text);
        } else {
            collect_text(n, b); /* markup; ODKS_XML_DEPTH deep at most */
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
        collect_text(node, &b);
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

/* The languages by their names, while they are read. */
struct languages {
    struct odks_itext *t;
    struct odks_index number;
    struct odks_err *err;
};

static bool
add_language(struct languages *l, const char *name)
{
    struct odks_itext *t = l->t;

    if (!odks_index_put(&l->number, name, t->language_count))
        return true;
    if (t->language_count == ODKS_XFORM_LANGUAGES) {
        odks_err_set(l->err, ODKS_EXIT_DATA,
                     "the form has more than %d languages",
                     ODKS_XFORM_LANGUAGES);
        return false;
    }
    t->language[t->language_count++] = odks_xstrdup(name);
    return true;
}

/* The default language comes first. */
static bool
read_languages(struct languages *l, const struct odks_xml *itext)
{
    const struct odks_xml *tr = NULL;

    l->t->language =
        odks_xcalloc(ODKS_XFORM_LANGUAGES + 1, sizeof(*l->t->language));
    while (itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL) {
        const char *is_default = odks_xml_get(tr, "default");

        if (is_default != NULL && strcmp(is_default, "false()") != 0
            && !add_language(l, language_of(tr)))
            return false;
    }
    while (itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL) {
        if (!add_language(l, language_of(tr)))
            return false;
    }
    return l->t->language_count > 0 || add_language(l, ODKS_LANGUAGE_DEFAULT);
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

/* A text before all of them are sorted. */
struct found {
    const char *id;
    struct odks_text text;
};

struct found_list {
    struct found *item;
    size_t count, size;
};

static void
add_text(struct found_list *list, const char *id, size_t language, char *text)
{
    /* "-" is what form builders put where a translation is missing */
    if (id == NULL || *text == '\0' || strcmp(text, "-") == 0) {
        free(text);
        return;
    }
    if (list->count == list->size) {
        list->size = list->size > 0 ? 2 * list->size : 64;
        list->item =
            odks_xreallocarray(list->item, list->size, sizeof(*list->item));
    }
    list->item[list->count++] = (struct found){ id, { language, text } };
}

static int
by_id(const void *a, const void *b)
{
    const struct found *p = a, *q = b;
    int order = strcmp(p->id, q->id);

    return order != 0 ? order
                      : (p->text.language > q->text.language)
                            - (p->text.language < q->text.language);
}

/* Texts of one id lie side by side, so that a label can refer to them. */
static void
sort_texts(struct odks_itext *t, struct found_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->item, list->count, sizeof(*list->item), by_id);
    t->text = odks_xcalloc(list->count, sizeof(*t->text));
    t->entry = odks_xcalloc(list->count, sizeof(*t->entry));
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->item[i].id;

        t->text[t->count++] = list->item[i].text;
        if (odks_index_put(&t->by_id, id, t->entry_count))
            t->entry[t->entry_count++] =
                (struct odks_itext_entry){ .id = id, .first = i };
        t->entry[t->entry_count - 1].count++;
    }
}

static void
read_texts(const struct languages *l, const struct odks_xml *tr,
           struct found_list *list)
{
    const struct odks_xml *text = NULL;
    size_t language = 0;

    (void) odks_index_get(&l->number, language_of(tr), &language);
    while ((text = odks_xml_child(tr, text, "text")) != NULL)
        add_text(list, odks_xml_get(text, "id"), language,
                 odks_itext_text(plain_value(text)));
}

bool
odks_itext_read(struct odks_itext *t, const struct odks_xml *itext,
                struct odks_err *err)
{
    struct languages l = { .t = t, .err = err };
    struct found_list list = { 0 };
    const struct odks_xml *tr = NULL;

    *t = (struct odks_itext){ 0 };
    bool ok = read_languages(&l, itext);
    while (ok && itext != NULL
           && (tr = odks_xml_child(itext, tr, "translation")) != NULL) {
        read_texts(&l, tr, &list);
        ok = !odks_stop_requested();
        if (!ok)
            odks_stop_err(err);
    }
    sort_texts(t, &list); /* in any case: t owns the texts */
    free(list.item);
    odks_index_clear(&l.number);
    return ok;
}

void
odks_itext_clear(struct odks_itext *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->text[i].text);
    for (size_t i = 0; i < t->language_count; i++)
        free(t->language[i]);
    free(t->text);
    free(t->entry);
    free(t->language);
    odks_index_clear(&t->by_id);
    *t = (struct odks_itext){ 0 };
}

struct odks_label
odks_itext_by_id(const struct odks_itext *t, const char *id)
{
    size_t i;

    if (!odks_index_get(&t->by_id, id, &i))
        return (struct odks_label){ 0 };
    return (struct odks_label){ .text = &t->text[t->entry[i].first],
                                .count = t->entry[i].count };
}

struct odks_label
odks_itext_label(const struct odks_itext *t, const struct odks_xml *label)
{
    const char *ref = label != NULL ? odks_xml_get(label, "ref") : NULL;

    if (ref != NULL && strncmp(ref, "jr:itext(", 9) == 0
        && (ref[9] == '\'' || ref[9] == '"')) {
        const char *end = strrchr(ref + 10, ref[9]);
        CLEANUP_FREE char *id = odks_xstrndup(
            ref + 10, end != NULL ? (size_t) (end - ref - 10) : 0);
        return odks_itext_by_id(t, id);
    }
    return (struct odks_label){ .plain = odks_itext_text(label) };
}
