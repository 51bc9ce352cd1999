/* lib/central/xform.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/xform.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "central/choices.h"
#include "central/itext.h"
#include "central/xml.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/stop.h"

/* --- paths ---------------------------------------------------------------- */

/*
 * As Central hands out names: "_" in front of what is no letter, and for each
 * run of other characters one "_".
 */
char *
odks_xform_odata_path(const char *path)
{
    char *clean = odks_xcalloc(2 * strlen(path) + 1, 1), *to = clean;

    for (const char *p = path; *p != '\0'; p++) {
        bool first = p == path || p[-1] == '/';
        unsigned char c = (unsigned char) *p;

        if (first && c != '/' && c != '_' && (c >= 0x80 || !isalpha(c)))
            *to++ = '_';
        if (c == '/' || c == '_' || (c < 0x80 && isalnum(c))) {
            *to++ = (char) c;
            continue;
        }
        *to++ = '_';
        while (
            p[1] != '\0' && p[1] != '/' && p[1] != '_'
            && ((unsigned char) p[1] >= 0x80 || !isalnum((unsigned char) p[1])))
            p++;
    }
    return clean;
}

char *
odks_xform_path(const char *reference)
{
    const char *below =
        reference[0] != '\0' ? strchr(reference + 1, '/') : NULL;

    if (below == NULL || strlen(below) > ODKS_XFORM_PATH)
        return odks_xstrdup("");
    char *path = odks_xstrdup(below), *to = path, *step = path;
    for (const char *p = below; *p != '\0'; p++) {
        if (*p == ':') { /* that was a prefix */
            to = step;
            continue;
        }
        *to++ = *p;
        if (*p == '/')
            step = to;
    }
    *to = '\0';
    return path;
}

/* The full reference of a body element, "" if it has none that we know. */
static char *
find_reference(const struct odks_xml *node, const char *base)
{
    const char *ref = odks_xml_get(node, "ref");

    if (ref == NULL)
        ref = odks_xml_get(node, "nodeset");
    if (ref == NULL || strpbrk(ref, "([ ") != NULL
        || strlen(base) > ODKS_XFORM_PATH)
        return odks_xstrdup("");
    return ref[0] == '/' ? odks_xstrdup(ref)
                         : odks_xasprintf("%s/%s", base, ref);
}

/* --- questions ------------------------------------------------------------ */

static bool
is_select(const struct odks_xml *node)
{
    return strcmp(node->name, "select") == 0
           || strcmp(node->name, "select1") == 0
           || strcmp(node->name, "rank") == 0;
}

static bool
read_question(struct odks_xform_reader *r, const struct odks_xml *node,
              const char *ref)
{
    struct odks_xform *form = r->form;
    const struct odks_xml *label = odks_xml_child(node, NULL, "label");
    CLEANUP_FREE char *path = odks_xform_path(ref);

    if (*path == '\0' || (label == NULL && !is_select(node)))
        return true;
    if (form->question_count == r->question_size) {
        r->question_size = r->question_size > 0 ? 2 * r->question_size : 64;
        form->question = odks_xreallocarray(form->question, r->question_size,
                                            sizeof(*form->question));
    }
    struct odks_question *q = &form->question[form->question_count++];
    *q = (struct odks_question){ .label = odks_itext_label(&r->text, label) };
    q->path = odks_steal(&path);
    return !is_select(node) || odks_choices_read(r, node, ref, q);
}

/* The body, element by element; it is ODKS_XML_DEPTH deep at most. */
static bool
read_body(struct odks_xform_reader *r, const struct odks_xml *parent,
          const char *base)
{
    for (const struct odks_xml *node = parent->first; node != NULL;
         node = node->next) {
        if (node->name == NULL || strcmp(node->name, "label") == 0)
            continue;
        CLEANUP_FREE char *ref = find_reference(node, base);
        if (odks_stop_requested()) {
            odks_stop_err(r->err);
            return false;
        }
        if (!read_question(r, node, ref))
            return false;
        if ((strcmp(node->name, "group") == 0
             || strcmp(node->name, "repeat") == 0)
            && !read_body(r, node, ref[0] != '\0' ? ref : base))
            return false;
    }
    return true;
}

static void
index_questions(struct odks_xform *form)
{
    for (size_t i = 0; i < form->question_count; i++)
        (void) odks_index_put(&form->by_path, form->question[i].path, i);
}

static bool
read_form(struct odks_xform *form, const struct odks_xml *root,
          struct odks_err *err)
{
    struct odks_xform_reader r = { .form = form, .err = err };
    const struct odks_xml *model = odks_xml_find(root, "head/model");
    const struct odks_xml *body = odks_xml_find(root, "body");

    if (model == NULL || body == NULL) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "the XML of the form has no model or no body");
        return false;
    }
    odks_choices_begin(&r, model);
    bool ok = odks_itext_read(&r.text, odks_xml_find(model, "itext"), err)
              && read_body(&r, body, "");
    odks_choices_end(&r);
    form->title = odks_itext_text(odks_xml_find(root, "head/title"));
    form->language = odks_steal(&r.text.language);
    form->language_count = r.text.language_count;
    form->text = odks_steal(&r.text.text);
    form->text_count = r.text.count;
    r.text.language_count = r.text.count = 0;
    odks_itext_clear(&r.text);
    index_questions(form);
    return ok;
}

bool
odks_xform_parse(const char *text, size_t len, struct odks_xform **form,
                 struct odks_err *err)
{
    CLEANUP_XML struct odks_xml *root = NULL;
    CLEANUP_XFORM struct odks_xform *new = NULL;

    *form = NULL;
    if (!odks_xml_parse("form", text, len, &root, err))
        return false;
    new = odks_xcalloc(1, sizeof(*new));
    if (!read_form(new, root, err))
        return false;
    *form = odks_steal(&new);
    return true;
}

static void
free_question(struct odks_question *q)
{
    free(q->path);
    free(q->label.plain);
    free(q->list);
    free(q->file);
    odks_filter_free(q);
}

void
odks_xform_free(struct odks_xform *form)
{
    if (form == NULL)
        return;
    odks_index_clear(&form->by_path);
    for (size_t i = 0; i < form->question_count; i++)
        free_question(&form->question[i]);
    for (size_t i = 0; i < form->list_count; i++)
        odks_choices_free(&form->list[i]);
    for (size_t i = 0; i < form->language_count; i++)
        free(form->language[i]);
    for (size_t i = 0; i < form->text_count; i++)
        free(form->text[i].text);
    free(form->language);
    free(form->text);
    free(form->question);
    free(form->list);
    free(form->title);
    free(form);
}

const struct odks_question *
odks_xform_question(const struct odks_xform *form, const char *path)
{
    size_t i;

    return odks_index_get(&form->by_path, path, &i) ? &form->question[i] : NULL;
}

/* --- labels --------------------------------------------------------------- */

static int
find_language(const void *language, const void *text)
{
    size_t wanted = *(const size_t *) language;
    size_t have = ((const struct odks_text *) text)->language;

    return (wanted > have) - (wanted < have);
}

const char *
odks_label_in(const struct odks_label *label, size_t language)
{
    if (label->plain != NULL)
        return *label->plain != '\0' ? label->plain : NULL;
    const struct odks_text *found =
        label->count == 0 ? NULL
                          : bsearch(&language, label->text, label->count,
                                    sizeof(*label->text), find_language);
    return found != NULL ? found->text : NULL;
}

const char *
odks_label_text(const struct odks_label *label, size_t language)
{
    const char *text = odks_label_in(label, language);

    if (text == NULL)
        text = odks_label_in(label, 0);
    return text == NULL && label->count > 0 ? label->text[0].text : text;
}
