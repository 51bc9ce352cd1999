/* lib/central/xform.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/xform.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "central/itext.h"
#include "central/xml.h"
#include "core/err.h"
#include "core/mem.h"

enum { MAX_NAME = 512 }; /* bytes of a choice or list: it goes into an index */

struct reader {
    struct odks_xform *form;
    const struct odks_xml *model;
    struct odks_itext text;
};

/* --- paths ---------------------------------------------------------------- */

/*
 * As Central hands out names: "_" in front of what is no letter, and for each
 * run of other characters one "_".
 */
static char *
sanitise(const char *path)
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

/* The full reference of a body element, "" if it has none that we know. */
static char *
reference(const struct odks_xml *node, const char *base)
{
    const char *ref = odks_xml_get(node, "ref");

    if (ref == NULL)
        ref = odks_xml_get(node, "nodeset");
    if (ref == NULL || strpbrk(ref, "([ ") != NULL)
        return odks_xstrdup("");
    return ref[0] == '/' ? odks_xstrdup(ref)
                         : odks_xasprintf("%s/%s", base, ref);
}

/* --- choices -------------------------------------------------------------- */

static const struct odks_choice_list *
find_list(const struct odks_xform *form, const char *name)
{
    for (size_t i = 0; i < form->list_count; i++) {
        if (strcmp(form->list[i].name, name) == 0)
            return &form->list[i];
    }
    return NULL;
}

static struct odks_choice_list *
add_list(struct odks_xform *form, const char *name)
{
    form->list = odks_xreallocarray(form->list, form->list_count + 1,
                                    sizeof(*form->list));
    struct odks_choice_list *list = &form->list[form->list_count++];
    *list = (struct odks_choice_list){ .name = odks_xstrdup(name) };
    return list;
}

static void
add_choice(struct odks_choice_list *list, char *name, char **label)
{
    if (*name == '\0' || strlen(name) > MAX_NAME) {
        free(name);
        odks_itext_free_texts(label);
        return;
    }
    list->choice = odks_xreallocarray(list->choice, list->count + 1,
                                      sizeof(*list->choice));
    list->choice[list->count++] = (struct odks_choice){ name, label };
}

/* The items that a select itself holds; NULL if it holds none. */
static const char *
inline_list(struct reader *r, const struct odks_xml *select, const char *path)
{
    const struct odks_xml *item = NULL;
    struct odks_choice_list *list = NULL;

    while ((item = odks_xml_child(select, item, "item")) != NULL) {
        if (list == NULL)
            list = add_list(r->form, path);
        add_choice(list, odks_itext_text(odks_xml_find(item, "value")),
                   odks_itext_labels(&r->text, odks_xml_find(item, "label")));
    }
    return list != NULL ? list->name : NULL;
}

/* The text between quotes behind word in an expression; NULL if none is. */
static char *
quoted(const char *expression, const char *word)
{
    const char *at = expression != NULL ? strstr(expression, word) : NULL;

    if (at == NULL)
        return NULL;
    at += strlen(word);
    at += strspn(at, " ");
    if (*at != '\'' && *at != '"')
        return NULL;
    const char *end = strchr(at + 1, *at);
    return end != NULL ? odks_xstrndup(at + 1, (size_t) (end - at - 1)) : NULL;
}

static const struct odks_xml *
find_instance(const struct reader *r, const char *id)
{
    const struct odks_xml *instance = NULL;

    while ((instance = odks_xml_child(r->model, instance, "instance"))
           != NULL) {
        const char *known = odks_xml_get(instance, "id");
        if (known != NULL && strcmp(known, id) == 0)
            return instance;
    }
    return NULL;
}

/* What a value or label of an itemset refers to, as a child of its items. */
static const char *
item_key(const struct odks_xml *itemset, const char *what,
         const char *otherwise)
{
    const struct odks_xml *node = odks_xml_child(itemset, NULL, what);
    const char *ref = node != NULL ? odks_xml_get(node, "ref") : NULL;

    return ref != NULL ? ref : otherwise;
}

static void
read_items(struct reader *r, const struct odks_xml *itemset,
           const struct odks_xml *root, struct odks_choice_list *list)
{
    const char *value = item_key(itemset, "value", "name");
    const char *ref = item_key(itemset, "label", "label");
    const struct odks_xml *item = NULL;
    bool is_itext = strncmp(ref, "jr:itext(", 9) == 0;
    CLEANUP_FREE char *key = is_itext
                                 ? odks_xstrndup(ref + 9, strcspn(ref + 9, ")"))
                                 : odks_xstrdup(ref);

    while ((item = odks_xml_child(root, item, "item")) != NULL) {
        const struct odks_xml *label = odks_xml_child(item, NULL, key);
        char *name = odks_itext_text(odks_xml_child(item, NULL, value));

        if (is_itext) {
            CLEANUP_FREE char *id = odks_itext_text(label);
            add_choice(list, name, odks_itext_by_id(&r->text, id));
        } else {
            add_choice(list, name, odks_itext_labels(&r->text, label));
        }
    }
}

/* The list of an instance of the form, or the file where it is. */
static void
instance_list(struct reader *r, const struct odks_xml *itemset,
              struct odks_question *q)
{
    CLEANUP_FREE char *id =
        quoted(odks_xml_get(itemset, "nodeset"), "instance(");
    const struct odks_xml *instance = id != NULL ? find_instance(r, id) : NULL;

    if (instance == NULL || *id == '\0' || strlen(id) > MAX_NAME)
        return;
    const char *file = odks_xml_get(instance, "src");
    if (file != NULL) {
        const char *slash = strrchr(file, '/');
        q->file = odks_xstrdup(slash != NULL ? slash + 1 : file);
        return;
    }
    const struct odks_xml *root = instance->first;
    if (root == NULL || root->name == NULL)
        return;
    q->list = odks_xstrdup(id);
    if (find_list(r->form, id) == NULL)
        read_items(r, itemset, root, add_list(r->form, id));
}

static void
read_choices(struct reader *r, const struct odks_xml *select,
             struct odks_question *q)
{
    const struct odks_xml *itemset = odks_xml_child(select, NULL, "itemset");
    CLEANUP_FREE char *search =
        quoted(odks_xml_get(select, "appearance"), "search(");

    q->select = strcmp(select->name, "select1") == 0 ? ODKS_SELECT_ONE
                                                     : ODKS_SELECT_MANY;
    if (search != NULL) {
        /* the items are names of columns then */
        q->file = odks_xasprintf("%s.csv", search);
    } else if (itemset != NULL) {
        instance_list(r, itemset, q);
    } else if (strlen(q->path) <= MAX_NAME) {
        const char *list = inline_list(r, select, q->path);
        q->list = list != NULL ? odks_xstrdup(list) : NULL;
    }
}

/* --- questions ------------------------------------------------------------ */

static bool
is_select(const struct odks_xml *node)
{
    return strcmp(node->name, "select") == 0
           || strcmp(node->name, "select1") == 0
           || strcmp(node->name, "rank") == 0;
}

static void
read_question(struct reader *r, const struct odks_xml *node, const char *ref)
{
    struct odks_xform *form = r->form;
    const struct odks_xml *label = odks_xml_child(node, NULL, "label");
    const char *below = ref[0] != '\0' ? strchr(ref + 1, '/') : NULL;

    if (below == NULL || (label == NULL && !is_select(node)))
        return;
    form->question = odks_xreallocarray(
        form->question, form->question_count + 1, sizeof(*form->question));
    struct odks_question *q = &form->question[form->question_count++];
    *q = (struct odks_question){ .path = sanitise(below),
                                 .label = odks_itext_labels(&r->text, label) };
    if (is_select(node))
        read_choices(r, node, q);
}

/* The body, element by element; it is ODKS_XML_DEPTH deep at most. */
static void
read_body(struct reader *r, const struct odks_xml *parent, const char *base)
{
    for (const struct odks_xml *node = parent->first; node != NULL;
         node = node->next) {
        if (node->name == NULL || strcmp(node->name, "label") == 0)
            continue;
        CLEANUP_FREE char *ref = reference(node, base);
        read_question(r, node, ref);
        if (strcmp(node->name, "group") == 0
            || strcmp(node->name, "repeat") == 0)
            read_body(r, node, ref[0] != '\0' ? ref : base);
    }
}

static int
by_path(const void *a, const void *b)
{
    const struct odks_question *p = a, *q = b;

    return strcmp(p->path, q->path);
}

bool
odks_xform_parse(const char *text, size_t len, struct odks_xform **form,
                 struct odks_err *err)
{
    CLEANUP_XML struct odks_xml *root = NULL;

    *form = NULL;
    if (!odks_xml_parse(text, len, &root, err))
        return false;
    const struct odks_xml *model = odks_xml_find(root, "head/model");
    const struct odks_xml *body = odks_xml_find(root, "body");
    if (model == NULL || body == NULL) {
        odks_err_set(err, ODKS_EXIT_DATA,
                     "the XML of the form has no model or no body");
        return false;
    }
    *form = odks_xcalloc(1, sizeof(**form));
    struct reader r = { .form = *form, .model = model };
    odks_itext_read(&r.text, odks_xml_find(model, "itext"));
    (*form)->title = odks_itext_text(odks_xml_find(root, "head/title"));
    read_body(&r, body, "");
    (*form)->language = odks_steal(&r.text.language);
    (*form)->language_count = r.text.language_count;
    odks_itext_clear(&r.text);
    if ((*form)->question_count > 0)
        qsort((*form)->question, (*form)->question_count,
              sizeof(*(*form)->question), by_path);
    return true;
}

static void
free_list(struct odks_choice_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->choice[i].name);
        odks_itext_free_texts(list->choice[i].label);
    }
    free(list->choice);
    free(list->name);
}

void
odks_xform_free(struct odks_xform *form)
{
    if (form == NULL)
        return;
    for (size_t i = 0; i < form->question_count; i++) {
        free(form->question[i].path);
        free(form->question[i].list);
        free(form->question[i].file);
        odks_itext_free_texts(form->question[i].label);
    }
    for (size_t i = 0; i < form->list_count; i++)
        free_list(&form->list[i]);
    odks_itext_free_texts(form->language);
    free(form->question);
    free(form->list);
    free(form->title);
    free(form);
}

static int
find_path(const void *path, const void *question)
{
    return strcmp(path, ((const struct odks_question *) question)->path);
}

const struct odks_question *
odks_xform_question(const struct odks_xform *form, const char *path)
{
    return form->question_count == 0
               ? NULL
               : bsearch(path, form->question, form->question_count,
                         sizeof(*form->question), find_path);
}

const char *
odks_xform_label(const struct odks_xform *form, char *const *label,
                 size_t language)
{
    if (label == NULL)
        return NULL;
    if (label[language][0] != '\0')
        return label[language];
    for (size_t i = 0; i < form->language_count; i++) {
        if (label[i][0] != '\0')
            return label[i];
    }
    return NULL;
}
