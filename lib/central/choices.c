/* lib/central/choices.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/choices.h"

#include <stdlib.h>
#include <string.h>

#include "central/xml.h"
#include "core/err.h"
#include "core/mem.h"

enum { MAX_NAME = 512 }; /* bytes of a choice or list: it goes into an index */

/* --- lists ---------------------------------------------------------------- */

void
odks_choices_begin(struct odks_xform_reader *r, const struct odks_xml *model)
{
    const struct odks_xml *instance = NULL;
    size_t count = 0;

    while ((instance = odks_xml_child(model, instance, "instance")) != NULL)
        count++;
    r->instance = odks_xcalloc(count + 1, sizeof(struct odks_xml *));
    while ((instance = odks_xml_child(model, instance, "instance")) != NULL) {
        const char *id = odks_xml_get(instance, "id");

        if (id != NULL && odks_index_put(&r->instances, id, r->instance_count))
            r->instance[r->instance_count++] = instance;
    }
}

void
odks_choices_end(struct odks_xform_reader *r)
{
    odks_index_clear(&r->instances);
    odks_index_clear(&r->lists);
    free(r->instance);
}

static struct odks_choice_list *
add_list(struct odks_xform_reader *r, const char *name)
{
    struct odks_xform *form = r->form;

    if (form->list_count == r->list_size) {
        r->list_size = r->list_size > 0 ? 2 * r->list_size : 16;
        form->list =
            odks_xreallocarray(form->list, r->list_size, sizeof(*form->list));
    }
    struct odks_choice_list *list = &form->list[form->list_count];
    *list = (struct odks_choice_list){ .name = odks_xstrdup(name) };
    (void) odks_index_put(&r->lists, list->name, form->list_count++);
    return list;
}

/* --- choices -------------------------------------------------------------- */

/* A list while it is read. */
struct list_reader {
    struct odks_xform_reader *r;
    struct odks_choice_list *list;
    size_t size;                   /* room for so many choices */
    const struct odks_xml **item;  /* of each choice */
    struct odks_index names;       /* the first choice of each name */
    const char *value, *label_key; /* children that are no properties */
};

static bool
check_limits(struct odks_xform_reader *r, const struct odks_label *label)
{
    size_t languages = r->text.language_count;

    r->choices += languages;
    if (label->plain != NULL)
        r->label_bytes += strlen(label->plain) * languages;
    for (size_t i = 0; i < label->count; i++)
        r->label_bytes += strlen(label->text[i].text);
    if (r->choices <= ODKS_XFORM_CHOICES && r->label_bytes <= ODKS_XFORM_LABELS)
        return true;
    odks_err_set(r->err, ODKS_EXIT_DATA,
                 r->choices > ODKS_XFORM_CHOICES
                     ? "the form has more than %d choices, each counted once "
                       "for each language"
                     : "the labels of the form's choices exceed %d bytes",
                 r->choices > ODKS_XFORM_CHOICES ? ODKS_XFORM_CHOICES
                                                 : ODKS_XFORM_LABELS);
    return false;
}

/* Takes ownership of name and label. */
static bool
add_choice(struct list_reader *l, const struct odks_xml *item, char *name,
           struct odks_label label)
{
    struct odks_choice_list *list = l->list;
    size_t first;

    if (*name == '\0' || strlen(name) > MAX_NAME
        || !check_limits(l->r, &label)) {
        free(name);
        free(label.plain);
        return l->r->err->code == ODKS_EXIT_OK;
    }
    if (list->count == l->size) {
        l->size = l->size > 0 ? 2 * l->size : 16;
        list->choice =
            odks_xreallocarray(list->choice, l->size, sizeof(*list->choice));
        l->item =
            odks_xreallocarray(l->item, l->size, sizeof(struct odks_xml *));
    }
    l->item[list->count] = item;
    list->choice[list->count] =
        (struct odks_choice){ .name = name, .label = label };
    if (!odks_index_put(&l->names, name, list->count)) {
        (void) odks_index_get(&l->names, name, &first);
        list->choice[first].is_ambiguous = true;
        list->choice[list->count].is_ambiguous = true;
    }
    list->count++;
    return true;
}

/* The children of an item other than its name and label. */
static char **
read_properties(const struct list_reader *l, const struct odks_xml *item)
{
    size_t count = 0;

    for (const struct odks_xml *n = item->first; n != NULL; n = n->next)
        count++;
    char **property = odks_xcalloc(2 * count + 1, sizeof(*property));
    count = 0;
    for (const struct odks_xml *n = item->first; n != NULL; n = n->next) {
        if (n->name == NULL || strcmp(n->name, l->value) == 0
            || strcmp(n->name, l->label_key) == 0)
            continue;
        property[count++] = odks_xstrdup(n->name);
        property[count++] = odks_itext_text(n);
    }
    return property;
}

/* After the last choice: read the properties of choices that share a name. */
static void
end_list(struct list_reader *l)
{
    for (size_t i = 0; l->list != NULL && i < l->list->count; i++) {
        struct odks_choice *choice = &l->list->choice[i];

        if (!choice->is_ambiguous)
            continue;
        choice->property = read_properties(l, l->item[i]);
        l->list->ambiguous++;
    }
    odks_index_clear(&l->names);
    free(l->item);
}

/* Items inside the select element. */
static bool
read_inline(struct odks_xform_reader *r, const struct odks_xml *select,
            struct odks_question *q)
{
    const struct odks_xml *item = NULL;
    struct list_reader l = { .r = r, .value = "value", .label_key = "label" };
    bool ok = true;

    while (ok && (item = odks_xml_child(select, item, "item")) != NULL) {
        if (l.list == NULL)
            l.list = add_list(r, q->path);
        ok = add_choice(
            &l, item, odks_itext_text(odks_xml_find(item, "value")),
            odks_itext_label(&r->text, odks_xml_find(item, "label")));
    }
    if (l.list != NULL)
        q->list = odks_xstrdup(l.list->name);
    end_list(&l);
    return ok;
}

/* The first quoted text after word in an expression, or NULL. */
static char *
find_quoted(const char *expression, const char *word)
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

/* What a value or label of an itemset refers to, as a child of its items. */
static const char *
find_key(const struct odks_xml *itemset, const char *what,
         const char *otherwise)
{
    const struct odks_xml *node = odks_xml_child(itemset, NULL, what);
    const char *ref = node != NULL ? odks_xml_get(node, "ref") : NULL;

    return ref != NULL ? ref : otherwise;
}

static bool
read_items(struct odks_xform_reader *r, const struct odks_xml *itemset,
           const struct odks_xml *root, struct odks_choice_list *list)
{
    const char *ref = find_key(itemset, "label", "label");
    const struct odks_xml *item = NULL;
    bool is_itext = strncmp(ref, "jr:itext(", 9) == 0, ok = true;
    CLEANUP_FREE char *key = is_itext
                                 ? odks_xstrndup(ref + 9, strcspn(ref + 9, ")"))
                                 : odks_xstrdup(ref);
    struct list_reader l = { .r = r,
                             .list = list,
                             .value = find_key(itemset, "value", "name"),
                             .label_key = key };

    while (ok && (item = odks_xml_child(root, item, "item")) != NULL) {
        const struct odks_xml *label = odks_xml_child(item, NULL, key);
        char *name = odks_itext_text(odks_xml_child(item, NULL, l.value));

        if (is_itext) {
            CLEANUP_FREE char *id = odks_itext_text(label);
            ok = add_choice(&l, item, name, odks_itext_by_id(&r->text, id));
        } else {
            ok = add_choice(&l, item, name, odks_itext_label(&r->text, label));
        }
    }
    end_list(&l);
    return ok;
}

/* The list in an instance of the form, or the file that contains it. */
static bool
read_instance(struct odks_xform_reader *r, const struct odks_xml *itemset,
              const char *reference, struct odks_question *q)
{
    const char *nodeset = odks_xml_get(itemset, "nodeset");
    CLEANUP_FREE char *id = find_quoted(nodeset, "instance(");
    size_t i;

    if (id == NULL || *id == '\0' || strlen(id) > MAX_NAME
        || !odks_index_get(&r->instances, id, &i))
        return true;
    const struct odks_xml *instance = r->instance[i];
    const char *file = odks_xml_get(instance, "src");
    if (file != NULL) {
        const char *slash = strrchr(file, '/');
        q->file = odks_xstrdup(slash != NULL ? slash + 1 : file);
        return true;
    }
    const struct odks_xml *root = instance->first;
    if (root == NULL || root->name == NULL)
        return true;
    q->list = odks_xstrdup(id);
    odks_filter_read(nodeset, reference, q);
    return odks_index_get(&r->lists, id, NULL)
           || read_items(r, itemset, root, add_list(r, id));
}

bool
odks_choices_read(struct odks_xform_reader *r, const struct odks_xml *select,
                  const char *reference, struct odks_question *q)
{
    const struct odks_xml *itemset = odks_xml_child(select, NULL, "itemset");
    CLEANUP_FREE char *search =
        find_quoted(odks_xml_get(select, "appearance"), "search(");

    q->select = strcmp(select->name, "select1") == 0 ? ODKS_SELECT_ONE
                                                     : ODKS_SELECT_MANY;
    if (search != NULL) {
        /* the items are names of columns then */
        q->file = odks_xasprintf("%s.csv", search);
        return true;
    }
    if (itemset != NULL)
        return read_instance(r, itemset, reference, q);
    return strlen(q->path) > MAX_NAME || read_inline(r, select, q);
}

void
odks_choices_free(struct odks_choice_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        char **property = list->choice[i].property;

        for (size_t k = 0; property != NULL && property[k] != NULL; k++)
            free(property[k]);
        free(property);
        free(list->choice[i].name);
        free(list->choice[i].label.plain);
    }
    free(list->choice);
    free(list->name);
}

const char *
odks_choice_property(const struct odks_choice *choice, const char *name)
{
    char *const *property = choice->property;

    for (; property != NULL && *property != NULL; property += 2) {
        if (strcmp(property[0], name) == 0)
            return property[1];
    }
    return "";
}
